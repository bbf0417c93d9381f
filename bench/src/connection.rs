//! An HTTP/1.1 connection that is kept open, with as little work as possible on this side.
//!
//! It connects to 127.0.0.1 whatever the URL's host is, and takes any certificate: it measures a server on
//! this machine and is of no use for anything else.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where a server listens, and as whom it is addressed.
#[derive(Clone)]
pub struct Target {
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
}

impl Target {
    /// Of an `http` or `https` URL with a port; its path is not looked at.
    ///
    /// # Errors
    /// The URL is of another kind.
    pub fn of_url(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").context("the URL has no scheme")?;
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = authority.split_once(':').context("the URL has no port")?;
        let tls = match scheme {
            "http" => None,
            "https" => Some(connector()?),
            other => bail!("no scheme `{other}`"),
        };
        Ok(Self { host: host.to_owned(), port: port.parse().context("the URL's port")?, tls })
    }
}

/// One request.
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    /// `GET` unless said otherwise.
    pub method: Option<&'a str>,
    pub path: &'a str,
    /// Name and value.
    pub headers: &'a [(&'a str, &'a str)],
    /// Media type and content.
    pub body: Option<(&'a str, &'a str)>,
}

/// One answer.
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// The first value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.headers(name).next()
    }

    /// Every value of a header; `name` in lower case.
    pub fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for S {}

/// A connection that opens itself when it is needed.
pub struct Connection {
    target: Target,
    stream: Option<Box<dyn Stream>>,
    buffer: Vec<u8>,
}

impl Connection {
    /// Not open yet.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { target, stream: None, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// The server cannot be reached, ends the connection, or does not speak HTTP/1.1.
    pub async fn send(&mut self, request: &Request<'_>) -> Result<Reply> {
        let text = self.serialize(request);
        if let Some(stream) = self.stream.take() {
            // The server may have closed it while it was idle; then nothing was done and it is safe to try again.
            self.buffer.clear();
            match self.exchange(stream, &text).await {
                Err(_) if self.buffer.is_empty() => {}
                outcome => return outcome,
            }
        }
        self.buffer.clear();
        let stream = self.open().await?;
        self.exchange(stream, &text).await
    }

    /// Closes it; the next request opens another one.
    pub fn close(&mut self) {
        self.stream = None;
    }

    fn serialize(&self, request: &Request<'_>) -> String {
        let Target { host, port, .. } = &self.target;
        let method = request.method.unwrap_or("GET");
        let mut text =
            format!("{method} {} HTTP/1.1\r\nhost: {host}:{port}\r\naccept: */*\r\n", request.path);
        for (name, value) in request.headers {
            text += &format!("{name}: {value}\r\n");
        }
        match request.body {
            None => text += "\r\n",
            Some((kind, content)) => {
                text +=
                    &format!("content-type: {kind}\r\ncontent-length: {}\r\n\r\n{content}", content.len());
            }
        }
        text
    }

    async fn open(&self) -> Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.target.port)).await?;
        stream.set_nodelay(true)?;
        match &self.target.tls {
            None => Ok(Box::new(stream)),
            Some(connector) => {
                let name = ServerName::try_from(self.target.host.clone())?;
                Ok(Box::new(connector.connect(name, stream).await?))
            }
        }
    }

    /// Writes and reads once; keeps the stream unless the server closes it.
    async fn exchange(&mut self, mut stream: Box<dyn Stream>, request: &str) -> Result<Reply> {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let head = self.read_head(&mut stream).await?;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status line")?;
        let mut reply = Reply { status, head, body: Vec::new() };
        reply.body = match reply.header("content-length") {
            Some(length) => self.read_exactly(&mut stream, length.parse().context("content-length")?).await?,
            None if reply.header("transfer-encoding").is_some() => self.read_chunks(&mut stream).await?,
            None => Vec::new(),
        };
        if !reply.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = Some(stream);
        }
        Ok(reply)
    }

    async fn read_head(&mut self, stream: &mut Box<dyn Stream>) -> Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return Ok(String::from_utf8_lossy(&head).into_owned());
            }
            self.fill(stream).await?;
        }
    }

    async fn read_exactly(&mut self, stream: &mut Box<dyn Stream>, length: usize) -> Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill(stream).await?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn read_chunks(&mut self, stream: &mut Box<dyn Stream>) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                match self.buffer.windows(2).position(|window| window == b"\r\n") {
                    Some(end) => break end,
                    None => self.fill(stream).await?,
                }
            };
            let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let size =
                usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).context("chunk size")?;
            let mut chunk = self.read_exactly(stream, size + 2).await?;
            chunk.truncate(size);
            body.extend_from_slice(&chunk);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn fill(&mut self, stream: &mut Box<dyn Stream>) -> Result<()> {
        match stream.read_buf(&mut self.buffer).await? {
            0 => bail!("the server closed the connection"),
            _ => Ok(()),
        }
    }
}

/// TLS that believes any certificate.
fn connector() -> Result<TlsConnector> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Believes any certificate: the server is on this machine and made its own.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

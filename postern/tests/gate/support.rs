//! A server to talk to, and a client that says exactly the bytes it is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::{HeaderMap, header};
use postern::http::{Gate, Hsts, Limits, Metrics, Settings, Shutdown, Transport, health, serve};
use postern::tls::renewal::Current;
use postern::tls::self_signed::SelfSigned;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A running gate.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) handlers: Handlers,
    pub(crate) running: JoinHandle<()>,
    gate: Arc<Gate>,
    root: CertificateDer<'static>,
}

/// What the odd handlers wait for and tell.
#[derive(Clone)]
pub(crate) struct Handlers {
    /// `/wait` has begun.
    pub(crate) begun: Arc<Notify>,
    /// `/wait` may end, once for each permit.
    pub(crate) release: Arc<Semaphore>,
    /// `/wait` came to its end.
    pub(crate) ended: Arc<Notify>,
    /// The store answers.
    pub(crate) ready: Arc<AtomicBool>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let (trusted_proxies, hsts) = (Vec::new(), Hsts::Strict);
        Self::configured(Settings { limits, trusted_proxies, address_limit: None, hsts }).await
    }

    pub(crate) async fn configured(settings: Settings) -> Self {
        let server = Self::before(Router::new(), settings).await;
        server.open();
        server
    }

    /// A server that is not opened yet; `meanwhile` answers.
    pub(crate) async fn awaiting(meanwhile: Router) -> Self {
        let (limits, trusted_proxies, hsts) = (Limits::default(), Vec::new(), Hsts::Strict);
        Self::before(meanwhile, Settings { limits, trusted_proxies, address_limit: None, hsts }).await
    }

    /// Puts the handlers behind the gate.
    pub(crate) fn open(&self) {
        self.gate.open(router(&self.handlers, &self.shutdown));
    }

    async fn before(meanwhile: Router, settings: Settings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let names = ["localhost", "127.0.0.1"];
        let identity = SelfSigned::new(directory.path(), &names).open(OffsetDateTime::now_utc()).unwrap();
        let root = identity.chain[1].clone();
        let transport = Transport::Tls(postern::tls::server_config(Current::new(identity).unwrap()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, metrics) = (Shutdown::default(), Arc::new(Metrics::default()));
        let handlers = Handlers {
            begun: Arc::default(),
            release: Arc::new(Semaphore::new(0)),
            ended: Arc::default(),
            ready: Arc::new(AtomicBool::new(true)),
        };
        let gate = Gate::waiting(meanwhile, settings, Arc::clone(&metrics));
        let running = tokio::spawn(serve(vec![listener], transport, Arc::clone(&gate), shutdown.clone()));
        Self { address, shutdown, metrics, handlers, running, gate, root }
    }

    /// A TLS connection that speaks `protocol`.
    pub(crate) async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        let mut config = self.client_config();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        self.connect_with(Arc::new(config)).await
    }

    /// A client configuration that trusts this server and prefers the hybrid key exchange.
    pub(crate) fn client_config(&self) -> ClientConfig {
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups.insert(0, aws_lc_rs::kx_group::X25519MLKEM768);
        self.client_config_of(provider)
    }

    pub(crate) fn client_config_of(&self, provider: CryptoProvider) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    pub(crate) async fn connect_with(&self, config: Arc<ClientConfig>) -> TlsStream<TcpStream> {
        self.secure(self.tcp().await, config).await
    }

    /// The TLS handshake on an open connection.
    pub(crate) async fn secure(&self, tcp: TcpStream, config: Arc<ClientConfig>) -> TlsStream<TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(config).connect(name, tcp).await.unwrap()
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Says these bytes on a connection of HTTP/1.1 and reads one answer.
    pub(crate) async fn say(&self, bytes: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect("http/1.1").await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        Answer::read(&mut stream).await
    }

    /// A well-behaved client over HTTP/2.
    pub(crate) fn client(&self) -> reqwest::Client {
        let root = reqwest::Certificate::from_der(&self.root).unwrap();
        reqwest::Client::builder().tls_certs_only([root]).build().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.address.port())
    }

    /// The line of one metric.
    pub(crate) fn metric(&self, name: &str) -> String {
        let text = self.metrics.text();
        text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned()
    }
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(stream: &mut TlsStream<TcpStream>) -> Self {
        let mut bytes = Vec::new();
        loop {
            if let Some(answer) = Self::parse(&bytes) {
                return answer;
            }
            let read = stream.read_buf(&mut bytes).await.unwrap_or(0);
            assert!(read > 0, "closed without a whole answer: {:?}", String::from_utf8_lossy(&bytes));
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        (body.len() == length.parse::<usize>().ok()?).then(|| Self { status, body: body.to_owned(), head })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// Limits that end what is slow soon, so that no test waits long.
pub(crate) fn impatient() -> Limits {
    let soon = Duration::from_millis(200);
    Limits { handshake: soon, head: soon, body: soon, idle: soon, stall: soon, ..Limits::default() }
}

fn router(handlers: &Handlers, shutdown: &Shutdown) -> Router {
    let Handlers { begun, release, ended, ready } = handlers.clone();
    let wait = async move || {
        begun.notify_one();
        release.acquire().await.unwrap().forget();
        ended.notify_one();
        "waited"
    };
    let probe = Arc::new(move || {
        let answer = ready.load(Ordering::SeqCst);
        Box::pin(async move { answer }) as _
    });
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/page", get(page))
        .route("/length", post(async |body: Bytes| body.len().to_string()))
        .route("/seen", get(seen))
        .route("/panic", get(async || fail()))
        .route("/wait", get(wait))
        .route("/large", get(async || vec![b'x'; 64 * 1024 * 1024]))
        .route("/item/{id}", get(async || "item"))
        .merge(health(shutdown.clone(), probe))
}

async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'self'"),
        (header::CACHE_CONTROL, "max-age=60"),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    ];
    (headers, "page")
}

/// Client address and header names, as a handler sees them.
async fn seen(ConnectInfo(client): ConnectInfo<SocketAddr>, headers: HeaderMap) -> String {
    let names: Vec<&str> = headers.keys().map(header::HeaderName::as_str).collect();
    format!("{} {}", client.ip(), names.join(" "))
}

fn fail() -> &'static str {
    panic!("on purpose")
}

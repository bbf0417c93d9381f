//! The accept loop: a place, a handshake, a protocol, a connection.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::gate::Gate;
use super::pulse::{Pulse, Watched};
use super::shutdown::Shutdown;
use super::stream::Stream;

/// What a listener speaks.
#[derive(Clone)]
pub enum Transport {
    /// HTTP/1.1 and HTTP/2 over TLS.
    Tls(Arc<rustls::ServerConfig>),
    /// HTTP/1.1 in the clear: the operations listener.
    Plain,
}

/// Larger than every head that the gate answers itself (`limits.uri_bytes`, `limits.header_bytes`), so
/// that a client sees 414 or 431 with a reason; beyond it hyper answers alone.
const HEAD_BUFFER: usize = 128 * 1024;
/// Wait after the system refused a connection, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const CLOSE: HeaderValue = HeaderValue::from_static("close");
const PLAIN_LINGER: Duration = Duration::from_secs(1);

const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 60\r\n\
Connection: close\r\n\r\nThis port speaks HTTPS: use a URL that begins with https://\n";

/// Serves until the stop begins, then until the last connection is closed or `limits.drain` is over.
pub async fn serve(listeners: Vec<TcpListener>, transport: Transport, gate: Arc<Gate>, shutdown: Shutdown) {
    let limits = &gate.settings.limits;
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept(listener, transport.clone(), Arc::clone(&gate), shutdown.clone()));
    }
    tokio::select! {
        () = gate.monitor.sweep(limits, false) => {}
        () = shutdown.begun() => {}
    }
    // Each takes what its queue holds, and closes.
    while accepting.join_next().await.is_some() {}
    let connections = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    let drained = async {
        // An error would mean that the semaphore was closed; nothing closes it.
        let _ = gate.places.acquire_many(connections).await;
        gate.quiet().await;
    };
    tokio::select! {
        () = drained => {}
        () = gate.monitor.sweep(limits, true) => {}
        () = tokio::time::sleep(limits.drain) => {
            tracing::warn!(seconds = limits.drain.as_secs(), "some requests did not finish in time");
        }
    }
}

async fn accept(listener: TcpListener, transport: Transport, gate: Arc<Gate>, shutdown: Shutdown) {
    let begin = |(stream, peer): (TcpStream, SocketAddr), place| {
        let connection = Connection {
            gate: Arc::clone(&gate),
            watched: gate.monitor.watch(),
            shutdown: shutdown.clone(),
            peer,
            _place: place,
        };
        tokio::spawn(connection.run(stream, transport.clone()));
    };
    loop {
        let accepted = async {
            // No place, no accept: further clients wait in the kernel's queue.
            let place = Arc::clone(&gate.places).acquire_owned().await.map_err(io::Error::other)?;
            Ok((listener.accept().await?, place))
        };
        let accepted: io::Result<_> = tokio::select! {
            accepted = accepted => accepted,
            () = shutdown.begun() => break,
        };
        match accepted {
            Ok((accepted, place)) => begin(accepted, place),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections at the moment");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // To their clients these connections are open; closing the listener now would reset them.
    for accepted in waiting(listener) {
        let Ok(place) = Arc::clone(&gate.places).try_acquire_owned() else { return };
        begin(accepted, place);
    }
}

/// What the kernel's queue holds at this moment.
fn waiting(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    let listener = listener.into_std().ok();
    std::iter::from_fn(move || {
        let (stream, peer) = listener.as_ref()?.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, peer))
    })
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

struct Connection {
    gate: Arc<Gate>,
    watched: Watched,
    shutdown: Shutdown,
    peer: SocketAddr,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, stream: TcpStream, transport: Transport) {
        self.gate.metrics.connections.inc();
        // Failing to set it costs latency, not correctness.
        let _ = stream.set_nodelay(true);
        match transport {
            Transport::Plain => self.http1(stream).await,
            Transport::Tls(config) => self.tls(stream, config).await,
        }
        self.gate.metrics.connections.dec();
    }

    async fn tls(&self, mut stream: TcpStream, config: Arc<rustls::ServerConfig>) {
        let pulse = &self.watched.pulse;
        let handshake = async {
            let mut first = [0_u8; 1];
            if stream.peek(&mut first).await? == 1 && first.iter().all(u8::is_ascii_uppercase) {
                return answer_plain_http(&mut stream).await.map(|()| None);
            }
            TlsAcceptor::from(config).accept(stream).await.map(Some)
        };
        let secured = tokio::select! {
            outcome = handshake => outcome,
            () = pulse.cut.notified() => Err(io::ErrorKind::TimedOut.into()),
        };
        match secured {
            Ok(Some(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                self.http2(stream).await;
            }
            Ok(Some(stream)) => self.http1(stream).await,
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "TLS handshake failed");
                self.gate.metrics.handshakes_failed.inc();
            }
        }
    }

    async fn http1<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.watched.pulse.secured(self.gate.monitor.now(), true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // The pulse keeps this time, and keeps it apart from idling.
            .header_read_timeout(None)
            .max_buf_size(HEAD_BUFFER)
            .serve_connection(self.stream(stream), service_fn(self.service()));
        self.drive(connection, false).await;
    }

    async fn http2<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.watched.pulse.secured(self.gate.monitor.now(), false);
        let limits = &self.gate.settings.limits;
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            // HTP-18: streams that are opened and reset at once (CVE-2023-44487).
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(64)
            .initial_stream_window_size(256 * 1024)
            .initial_connection_window_size(1024 * 1024)
            .keep_alive_interval(limits.stall)
            .keep_alive_timeout(limits.stall)
            .serve_connection(self.stream(stream), service_fn(self.service()));
        self.drive(connection, true).await;
    }

    fn service(&self) -> impl Fn(Request<Incoming>) -> Answer + Clone + Send + 'static {
        let (gate, pulse, peer) = (Arc::clone(&self.gate), Arc::clone(&self.watched.pulse), self.peer);
        let shutdown = self.shutdown.clone();
        move |request: Request<Incoming>| {
            let (shutdown, version) = (shutdown.clone(), request.version());
            let answer = Arc::clone(&gate).answer(request, peer, Arc::clone(&pulse));
            Box::pin(async move {
                let mut response = answer.await;
                // RFC 9112 §9.6: the client knows that its next request needs another connection.
                if shutdown.has_begun() && version <= Version::HTTP_11 {
                    response.headers_mut().insert(header::CONNECTION, CLOSE);
                }
                Ok(response)
            })
        }
    }

    fn stream<S>(&self, stream: S) -> TokioIo<Stream<S>> {
        TokioIo::new(Stream::new(stream, Arc::clone(&self.watched.pulse), Arc::clone(&self.gate.monitor)))
    }

    /// Lets the connection live until it ends or the sweep cuts it: first politely, half a second later for good.
    ///
    /// When the stop begins, HTTP/2 says goodbye at once (RFC 9113 §6.8). HTTP/1.1 cannot: a request may be on its way,
    /// and would be lost if the connection were closed. It is answered, with `Connection: close`; who sends none is
    /// cut by the sweep about a second later.
    async fn drive<C: GracefulConnection>(&self, connection: C, says_goodbye: bool) {
        let pulse: &Pulse = &self.watched.pulse;
        let mut connection = pin!(connection);
        let (mut stopping, mut warned) = (false, false);
        loop {
            tokio::select! {
                _ = connection.as_mut() => return,
                () = pulse.cut.notified() => {
                    if warned {
                        self.gate.metrics.connections_cut.inc();
                        return;
                    }
                    warned = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = self.shutdown.begun(), if says_goodbye && !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// HTP-17: somebody typed `http://`. What they sent is thrown away, so that the answer arrives.
async fn answer_plain_http(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(SPEAK_TLS).await?;
    stream.shutdown().await?;
    // Whether they close in time or not, the answer was given.
    let _ = timeout(PLAIN_LINGER, tokio::io::copy(stream, &mut tokio::io::sink())).await;
    Ok(())
}

//! A network that can fall silent: what is sent is taken, nothing comes through, and nobody is told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A TCP port that leads to a Unix socket; it goes when dropped.
pub(super) struct Proxy {
    port: u16,
    silent: watch::Sender<bool>,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(super) async fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, connections) = (watch::Sender::new(false), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        let (seen, counted) = (silent.subscribe(), Arc::clone(&connections));
        tasks.spawn(async move {
            let mut carried = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                carried.spawn(carry(client, socket.clone(), seen.clone()));
            }
        });
        Self { port, silent, connections, _tasks: tasks }
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postern@{}/postgres", self.host())
    }

    /// Its place in a URL.
    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn be_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }

    /// How many connections were made.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn carry(client: TcpStream, socket: PathBuf, silent: watch::Receiver<bool>) {
    let Ok(server) = UnixStream::connect(socket).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pass(from_client, to_server, silent.clone()) => {}
        () = pass(from_server, to_client, silent.clone()) => {}
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut silent: watch::Receiver<bool>,
) {
    let mut piece = vec![0; 16 << 10];
    while let Ok(length) = from.read(&mut piece).await {
        if length == 0 || silent.wait_for(|silent| !silent).await.is_err() {
            return;
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

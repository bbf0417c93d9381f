//! A small load balancer: TCP connections to nodes that say `/ready`.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cluster::{Cluster, is_ready};

/// How often each node is asked.
const INTERVAL: Duration = Duration::from_millis(50);

/// One node as the balancer knows it.
struct Backend {
    port: u16,
    metrics: u16,
    ready: AtomicBool,
}

/// Runs until it is dropped.
pub(crate) struct Balancer {
    _tasks: JoinSet<()>,
}

impl Balancer {
    /// Takes connections at `port` for the nodes.
    pub(crate) async fn start(port: u16, cluster: &Cluster) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let backends: Vec<_> = cluster
            .nodes
            .iter()
            .map(|node| Backend {
                port: node.port(),
                metrics: node.metrics_port(),
                ready: AtomicBool::new(true),
            })
            .collect();
        let backends: Arc<[Backend]> = backends.into();
        let mut tasks = JoinSet::new();
        for number in 0..backends.len() {
            tasks.spawn(watch(Arc::clone(&backends), number));
        }
        tasks.spawn(accept(listener, backends));
        Ok(Self { _tasks: tasks })
    }
}

async fn watch(backends: Arc<[Backend]>, number: usize) {
    while let Some(backend) = backends.get(number) {
        backend.ready.store(is_ready(backend.metrics).await, Ordering::Relaxed);
        sleep(INTERVAL).await;
    }
}

async fn accept(listener: TcpListener, backends: Arc<[Backend]>) {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let backends = Arc::clone(&backends);
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        connections.spawn(async move {
            let ready: Vec<_> =
                backends.iter().filter(|backend| backend.ready.load(Ordering::Relaxed)).collect();
            // One that stopped since it was asked takes no connection: the next one does.
            for step in 0..ready.len() {
                let Some(backend) = ready.get((turn + step) % ready.len()) else { return };
                if let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, backend.port)).await {
                    let _ = client.set_nodelay(true);
                    let _ = server.set_nodelay(true);
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                    return;
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

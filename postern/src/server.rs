//! What `demo` and `serve` have in common: listeners, gate, health, metrics, signals.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use engine::{Clock, SystemClock};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::http::{self, Gate, Metrics, Probe, Rooms, Settings, Shutdown, Transport};
use crate::tls;
use crate::tls::renewal::Current;

/// The time, from the engine's clock, as certificates and logs tell it.
pub(crate) fn now() -> OffsetDateTime {
    let millis = i128::from(SystemClock.now().millis());
    OffsetDateTime::from_unix_timestamp_nanos(millis * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A server ready to run.
pub(crate) struct Server {
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) metrics_listener: Option<TcpListener>,
    pub(crate) certificate: Arc<Current>,
    pub(crate) rooms: Rooms,
    pub(crate) probe: Probe,
    pub(crate) metrics: Metrics,
    pub(crate) settings: Settings,
}

/// The runtime: one worker for each core.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .max_blocking_threads(64)
        .thread_keep_alive(IDLE_THREAD)
        .enable_all()
        .build()?)
}

const IDLE_THREAD: std::time::Duration = std::time::Duration::from_secs(10);

/// Opens a listener.
///
/// # Errors
/// One line that names the setting.
pub(crate) async fn bind(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{setting}: cannot listen on {address}"))
}

impl Server {
    /// Serves until a signal, then until the requests in flight are done.
    pub(crate) async fn run(self, shutdown: Shutdown) -> anyhow::Result<()> {
        let metrics = Arc::new(self.metrics);
        let health = http::health(shutdown.clone(), self.probe);
        let operations = health.clone().merge(http::metrics(Arc::clone(&metrics)));
        let hsts = self.settings.hsts;
        let limits = self.settings.limits.within_open_files();
        let settings = Settings { limits: limits.clone(), ..self.settings };
        let rooms = Rooms { router: self.rooms.router.merge(health), ..self.rooms };
        let gate = Gate::new(rooms, settings, Arc::clone(&metrics));
        let transport = Transport::Tls(tls::server_config(self.certificate)?);
        let main = http::serve(self.listeners, transport, gate, shutdown.clone());
        let Some(listener) = self.metrics_listener else {
            main.await;
            return Ok(());
        };
        // Its own gate and numbers: scrapes are not users' requests.
        let limits = http::Limits { connections: 256, requests: 64, ..limits };
        let settings = Settings { limits, trusted_proxies: Vec::new(), address_limit: None, hsts };
        let operations = Gate::new(operations, settings, Arc::default());
        // Health stays visible while the main listener drains.
        let stopped = Shutdown::default();
        let side = http::serve(vec![listener], Transport::Plain, operations, stopped.clone());
        let main = async {
            main.await;
            stopped.begin();
        };
        tokio::join!(main, side);
        Ok(())
    }
}

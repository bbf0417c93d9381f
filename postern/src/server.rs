//! What `demo` and `serve` have in common: listeners, gate, health, metrics, signals.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use engine::{Clock, Engine, SystemClock};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::http::{self, Gate, Metrics, Rooms, Settings, Shutdown, Transport};
use crate::tls::renewal::Current;
use crate::{tls, wire};

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
    pub(crate) metrics: Arc<Metrics>,
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

const IDLE_THREAD: Duration = Duration::from_secs(10);
/// Who comes while the store is being opened waits that long in the kernel's queue, as a start seldom takes longer.
const MOMENT: Duration = Duration::from_millis(500);

/// Opens a listener.
///
/// # Errors
/// One line that names the setting.
pub(crate) async fn bind(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{setting}: cannot listen on {address}"))
}

impl Server {
    /// Serves until a signal, then until the requests in flight are done. While the engine is being opened, the same
    /// listeners say that the store is awaited (E5). Answers the engine, if it was opened.
    ///
    /// # Errors
    /// The engine cannot be opened.
    pub(crate) async fn run(
        self,
        shutdown: Shutdown,
        opening: impl Future<Output = anyhow::Result<Arc<Engine>>>,
    ) -> anyhow::Result<Option<Arc<Engine>>> {
        let opened = Arc::new(OnceLock::new());
        let health = http::health(shutdown.clone(), wire::probe(Arc::clone(&opened)));
        let operations = health.clone().merge(http::metrics(Arc::clone(&self.metrics)));
        let limits = self.settings.limits.within_open_files();
        // Its own gate and numbers: scrapes are not users' requests.
        let side = Settings {
            limits: http::Limits { connections: 256, requests: 64, ..limits.clone() },
            trusted_proxies: Vec::new(),
            address_limit: None,
            hsts: self.settings.hsts,
        };
        let side = Gate::new(operations, side, Arc::default());
        let gate =
            Gate::waiting(health.clone(), Settings { limits, ..self.settings }, Arc::clone(&self.metrics));
        let transport = Transport::Tls(tls::server_config(self.certificate)?);

        let opening = async {
            let engine = opening.await?;
            wire::count(&engine, &self.metrics);
            let rooms = wire::rooms(&engine);
            gate.open(Rooms { router: rooms.router.merge(health), ..rooms });
            // An error would mean that two were opened.
            let _ = opened.set(engine);
            anyhow::Ok(())
        };
        let mut opening = pin!(opening);
        let is_open = tokio::select! {
            outcome = tokio::time::timeout(MOMENT, &mut opening) => outcome.ok().transpose()?.is_some(),
            () = shutdown.begun() => return Ok(None),
        };
        let serving =
            serve(self.listeners, transport, Arc::clone(&gate), (self.metrics_listener, side), &shutdown);
        let opening = async {
            tokio::select! {
                outcome = opening, if !is_open => outcome,
                () = shutdown.begun() => Ok(()),
            }
        };
        let serving = async {
            serving.await;
            Ok(())
        };
        tokio::try_join!(opening, serving)?;
        Ok(opened.get().cloned())
    }
}

/// Both sides, until the stop is over.
async fn serve(
    listeners: Vec<TcpListener>,
    transport: Transport,
    gate: Arc<Gate>,
    (listener, side): (Option<TcpListener>, Arc<Gate>),
    shutdown: &Shutdown,
) {
    // Health stays visible while the main listener drains.
    let stopped = Shutdown::default();
    let main = async {
        http::serve(listeners, transport, gate, shutdown.clone()).await;
        stopped.begin();
    };
    let side = http::serve(listener.into_iter().collect(), Transport::Plain, side, stopped.clone());
    tokio::join!(main, side);
}

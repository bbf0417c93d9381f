//! Connections shared by the requests: waiting for one is short, a dead one is not used twice, and while the database
//! is down everybody is told so at once.

use crate::connect::{Connector, OpenError, Options, ServerState, session_settings};
use crate::failure::{Failure, told};
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_postgres::NoTls;

/// How long a connection may take to be made, apart from who waits for it.
const CREATE_WAITS: Duration = Duration::from_secs(5);
/// How long nobody tries after a failed attempt.
const BREAK: Duration = Duration::from_millis(200);
/// How much longer than the server the client waits for a statement's end.
const GRACE: Duration = Duration::from_millis(250);

pub(crate) struct Pool {
    inner: deadpool_postgres::Pool,
    acquire: Duration,
    statement: Duration,
    breaker: Breaker,
}

impl Pool {
    pub(crate) fn new(connector: &Connector, options: &Options) -> Result<Self, OpenError> {
        let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match connector.tls.clone() {
            Some(tls) => Manager::from_config(connector.config.clone(), tls, how),
            None => Manager::from_config(connector.config.clone(), NoTls, how),
        };
        let (settings, accept_data_loss) = (session_settings(options.statement), options.accept_data_loss);
        let prepare_session = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let settings = settings.clone();
            Box::pin(async move {
                let state = ServerState::of(client).await.map_err(HookError::Backend)?;
                state.check(accept_data_loss).map_err(|error| HookError::message(error.to_string()))?;
                client.batch_execute(&settings).await.map_err(HookError::Backend)
            })
        });
        let inner = deadpool_postgres::Pool::builder(manager)
            .max_size(options.connections.max(1))
            .timeouts(Timeouts {
                wait: Some(options.acquire),
                create: Some(CREATE_WAITS),
                recycle: Some(options.acquire),
            })
            .runtime(Runtime::Tokio1)
            .post_create(prepare_session)
            .build()
            .map_err(|error| OpenError::Setting(error.to_string()))?;
        Ok(Self {
            inner,
            acquire: options.acquire,
            statement: options.statement,
            breaker: Breaker::default(),
        })
    }

    /// A connection, or the news that there is none.
    pub(crate) async fn acquire(&self) -> Result<Object, Failure> {
        self.breaker.pass(self.acquire)?;
        let pool = self.inner.clone();
        let mut getting = Box::pin(async move { pool.get().await });
        match timeout(self.acquire, &mut getting).await {
            Ok(Ok(object)) => {
                self.breaker.close();
                Ok(object)
            }
            Ok(Err(error)) => {
                let dead = matches!(error, PoolError::Backend(_) | PoolError::PostCreateHook(_));
                if dead && self.inner.status().size == 0 {
                    self.breaker.open();
                }
                Err(Failure::Refused(told_by_pool(&error)))
            }
            Err(_) => {
                // It is being made. Whoever comes next finds it in the pool.
                tokio::spawn(async move { drop(getting.await) });
                Err(Failure::Refused(format!("no connection within {:?}", self.acquire)))
            }
        }
    }

    /// The work's outcome within the time of a statement, or of `longer`.
    pub(crate) async fn limited<T>(
        &self,
        longer: Option<Duration>,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let limit = longer.unwrap_or(self.statement) + GRACE;
        let late = |_| Failure::Lost(format!("no answer within {limit:?}"));
        timeout(limit, work).await.map_err(late)?
    }

    /// Keeps a good connection and closes one of no use. Idle ones beside it are closed too: they reach the same server.
    pub(crate) fn give_back<T>(&self, object: Object, outcome: &Result<T, Failure>) {
        if let Err(Failure::Lost(why)) = outcome {
            tracing::warn!(why, "a database connection is given up");
            drop(Object::take(object));
            self.inner.retain(|_, _| false);
        }
    }

    pub(crate) fn statement(&self) -> Duration {
        self.statement
    }
}

fn told_by_pool(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => told(error),
        PoolError::PostCreateHook(HookError::Message(why)) => why.to_string(),
        PoolError::Timeout(_) => "all connections are busy".to_owned(),
        other => other.to_string(),
    }
}

/// After a failed attempt to connect nobody tries for a while; then one does, and the others wait for its news.
#[derive(Default)]
struct Breaker {
    /// When the next attempt may be made; `None` while all is well.
    retry_at: Mutex<Option<Instant>>,
}

impl Breaker {
    fn pass(&self, probe: Duration) -> Result<(), Failure> {
        let mut retry_at = self.retry_at.lock().unwrap_or_else(PoisonError::into_inner);
        match *retry_at {
            None => Ok(()),
            Some(at) if Instant::now() < at => {
                Err(Failure::Refused("the database was not reached a moment ago".to_owned()))
            }
            Some(_) => {
                *retry_at = Some(Instant::now() + probe);
                Ok(())
            }
        }
    }

    fn open(&self) {
        *self.retry_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + BREAK);
    }

    fn close(&self) {
        let mut retry_at = self.retry_at.lock().unwrap_or_else(PoisonError::into_inner);
        if retry_at.take().is_some() {
            tracing::info!("the database is reached again");
        }
    }
}

//! Connections shared by the requests: waiting for one is short, a dead one is not used twice, and while the database
//! is down everybody is told so at once.

use crate::connect::{Connector, OpenError, Options, ServerState, session_settings};
use crate::failure::{Failure, told};
use crate::presence::Presence;
use crate::sql;
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime, TimeoutType,
    Timeouts,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a connection may take to be made, apart from who waits for it, and then to be looked at.
const CREATE_WAITS: Duration = Duration::from_secs(5);
/// How much longer than the server the client waits for a statement's end.
const GRACE: Duration = Duration::from_millis(250);

pub(crate) struct Pool {
    inner: deadpool_postgres::Pool,
    acquire: Duration,
    statement: Duration,
    presence: Arc<Presence>,
    /// Watches over the presence.
    attendant: JoinHandle<()>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.attendant.abort();
    }
}

impl Pool {
    pub(crate) fn new(connector: &Connector, options: &Options) -> Result<Self, OpenError> {
        let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(connector.config.clone(), connector.clone(), how);
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
        let presence = Arc::new(Presence::new());
        let attendant = tokio::spawn({
            let (presence, connector, inner) = (Arc::clone(&presence), connector.clone(), inner.clone());
            let silence = options.silence;
            async move { presence.attend(&connector, silence, &inner).await }
        });
        Ok(Self { inner, acquire: options.acquire, statement: options.statement, presence, attendant })
    }

    /// A connection, or the news that there is none.
    pub(crate) async fn acquire(&self) -> Result<Object, Failure> {
        let gone = || Failure::Refused("the database was not reached a moment ago".to_owned());
        if self.presence.is_gone() {
            return Err(gone());
        }
        let pool = self.inner.clone();
        let mut getting = Box::pin(async move { pool.get().await });
        let got = tokio::select! {
            got = timeout(self.acquire, &mut getting) => got,
            () = self.presence.left() => return Err(gone()),
        };
        match got {
            Ok(Ok(object)) => Ok(object),
            Ok(Err(error)) => {
                leave_if_lost(&self.inner, &self.presence, &error);
                Err(Failure::Refused(told_by_pool(&error)))
            }
            Err(_) => {
                // It is being made. Whoever comes next finds it in the pool.
                let (pool, presence) = (self.inner.clone(), Arc::clone(&self.presence));
                tokio::spawn(async move {
                    if let Ok(Err(error)) = timeout(2 * CREATE_WAITS, getting).await {
                        leave_if_lost(&pool, &presence, &error);
                    }
                });
                Err(Failure::Refused(format!("no connection within {:?}", self.acquire)))
            }
        }
    }

    /// The work's outcome within the time of a statement, or of `longer`, and before the server is known to be gone.
    pub(crate) async fn limited<T>(
        &self,
        longer: Option<Duration>,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let limit = longer.unwrap_or(self.statement);
        let _waiting = self.presence.wait();
        let outcome = tokio::select! {
            outcome = awake(limit, GRACE, work) => outcome,
            () = self.presence.left() => return Err(Failure::Lost("the database is gone".to_owned())),
        };
        let outcome =
            outcome.ok_or_else(|| Failure::Lost(format!("no answer within {:?}", limit + GRACE)))?;
        if !matches!(outcome, Err(Failure::Lost(_))) {
            self.presence.hear();
        }
        outcome
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

/// The work's outcome, if it comes within both times. The second one begins when the first is over: so who was frozen
/// meanwhile, as a machine that is moved, still hears what was said, or what is said by a server that was frozen with it.
async fn awake<T>(limit: Duration, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    match timeout(limit, &mut work).await {
        Ok(outcome) => Some(outcome),
        Err(_) => timeout(grace, work).await.ok(),
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

/// Without any connection left, one that cannot be made means that the server is gone.
fn leave_if_lost(pool: &deadpool_postgres::Pool, presence: &Presence, error: &PoolError) {
    let lost = matches!(
        error,
        PoolError::Backend(_) | PoolError::PostCreateHook(_) | PoolError::Timeout(TimeoutType::Create)
    );
    if lost && pool.status().size == 0 {
        presence.leave();
    }
}

/// Makes sure of a connection in the pool. Those that are there already may be as dead as the others.
pub(crate) async fn reach(pool: &deadpool_postgres::Pool) -> Result<(), String> {
    pool.retain(|_, _| false);
    let object = pool.get().await.map_err(|error| told_by_pool(&error))?;
    object.simple_query(sql::HELLO).await.map(drop).map_err(|error| told(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_was_frozen_still_hears_the_answer() {
        let limit = Duration::from_millis(10);
        let work = async {
            // Nobody sends: the thread stands still, and every timer of it with it.
            let (_sender, receiver) = std::sync::mpsc::channel::<()>();
            let _frozen = receiver.recv_timeout(4 * limit);
            // It comes only now.
            tokio::time::sleep(limit).await;
            "answer"
        };
        assert_eq!(awake(limit, Duration::from_secs(3600), work).await, Some("answer"));
        assert_eq!(awake(limit, limit, std::future::pending::<()>()).await, None);
    }
}

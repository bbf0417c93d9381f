//! Servers that fall silent (E4, E22): who waits is told, who comes is refused, and what is only slow is let be.
//!
//! Where nothing else would end the wait within the patience of a test, that it ends is what is shown.

use super::proxy::Proxy;
use super::*;
use tokio::time::timeout;

/// Longer than any wait that is allowed, and shorter than the limits of [`patient`].
const PATIENCE: Duration = Duration::from_secs(60);

/// Neither a statement nor the wait for a connection ends by itself.
fn patient(silence: u64) -> Options {
    let forever = Duration::from_secs(3600);
    let silence = Duration::from_millis(silence);
    Options { acquire: forever, statement: forever, silence, connections: 2, ..options() }
}

/// A server behind a network, and a store with one tenant in it.
async fn behind_proxy(silence: u64) -> (Cluster, Proxy, Arc<PostgresStore>) {
    let cluster = Cluster::start();
    let proxy = Proxy::start(cluster.socket()).await;
    let store = PostgresStore::open(&proxy.url(), &patient(silence)).await.unwrap();
    store.create_tenant(&tenant_named("t1")).await.unwrap();
    (cluster, proxy, Arc::new(store))
}

/// What became of so many commits at once.
async fn crowd(store: &Arc<PostgresStore>, names: std::ops::Range<usize>) -> Vec<Result<(), StoreError>> {
    let writers: Vec<_> = names
        .map(|number| {
            let store = Arc::clone(store);
            let writes = vec![code(&number.to_string(), "{}")];
            tokio::spawn(async move { commit(&store, &TenantId::new("t1"), writes).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for writer in writers {
        outcomes.push(timeout(PATIENCE, writer).await.expect("told in time").unwrap());
    }
    outcomes
}

/// Packets are lost and nobody says so. Whoever was waiting, for an answer or for a connection, is told within the
/// silence that is allowed; whoever comes is refused without a wait; it comes back without being asked.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_22_a_silent_server_is_given_up_and_found_again() {
    let (_cluster, proxy, store) = behind_proxy(300).await;
    let tenant = TenantId::new("t1");
    for round in 0..2 {
        commit(&store, &tenant, vec![code(&format!("before {round}"), "{}")]).await.unwrap();
        proxy.be_silent(true);
        let first = round * 1000;
        let outcomes = crowd(&store, first..first + 50).await;
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Err(StoreError::Unavailable(_)))),
            "{outcomes:?}"
        );
        let outcomes = crowd(&store, first + 50..first + 500).await;
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Err(StoreError::Unavailable(_)))),
            "{outcomes:?}"
        );
        assert!(matches!(timeout(PATIENCE, store.epoch(&tenant)).await, Ok(Err(StoreError::Unavailable(_)))));
        proxy.be_silent(false);
        until(async || store.ping().await.is_ok()).await;
        assert!(has_code(&store, &tenant, &format!("before {round}")).await);
        for refused in first + 50..first + 500 {
            assert!(!has_code(&store, &tenant, &refused.to_string()).await, "{refused} was refused");
        }
    }
}

/// A statement that waits for a lock is no silence: the server lets others in, so that nobody is cut off.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_slow_statement_is_no_silence() {
    let (cluster, proxy, store) = behind_proxy(20_000).await;
    let shell = Connector::new(&cluster.url(), &options()).unwrap().connect().await.unwrap();
    shell.batch_execute("BEGIN; LOCK TABLE artifact IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let before = proxy.connections();
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { has_code(&store, &TenantId::new("t1"), "none").await }
    });
    // One connection for the statement, and those by which the server was found to be there.
    until(async || proxy.connections() >= before + 3).await;
    assert!(!waiting.is_finished(), "it waits for the lock");
    shell.batch_execute("COMMIT").await.unwrap();
    assert!(!timeout(PATIENCE, waiting).await.unwrap().unwrap(), "read after all, not cut off");
}

/// E5: the server is stopped while twice as many wait for a connection as there are: none of them goes on waiting.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_05_a_queue_for_connections_ends_with_the_server() {
    let cluster = Cluster::start();
    let store = Arc::new(PostgresStore::open(&cluster.url(), &patient(20_000)).await.unwrap());
    store.create_tenant(&tenant_named("t1")).await.unwrap();
    let connector = Connector::new(&cluster.url(), &options()).unwrap();
    let [lock, shell] = [connector.connect().await.unwrap(), connector.connect().await.unwrap()];
    lock.batch_execute("BEGIN; LOCK TABLE artifact IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let queue = tokio::spawn({
        let store = Arc::clone(&store);
        async move { crowd(&store, 0..100).await }
    });
    until(async || waiting(&shell).await == 2).await;
    cluster.kill();
    let outcomes = timeout(PATIENCE, queue).await.expect("nobody waits any more").unwrap();
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Err(StoreError::Unavailable(_)))),
        "{outcomes:?}"
    );
    cluster.go();
    until(async || store.ping().await.is_ok()).await;
}

/// How many sessions wait for a lock.
async fn waiting(shell: &tokio_postgres::Client) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    shell.query_one(count, &[]).await.unwrap().get(0)
}

//! Servers that go away, come back, hang or are of no use, and rows that cannot be.

use super::*;
use tokio::time::Instant;

/// Ends every session of the database but the shell's.
async fn cut_off(shell: &tokio_postgres::Client, name: &str) {
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
    shell.query(kill, &[&name]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_connection_that_was_cut_is_replaced() {
    let (database, store, tenant) = with_tenant_named("cut").await;
    commit(&store, &tenant, vec![code("a", "{}")]).await.unwrap();
    let shell = database.shell().await;
    cut_off(&shell, "cut").await;
    // What was being read is asked again; the pool makes new connections by itself.
    assert!(has_code(&store, &tenant, "a").await);
    commit(&store, &tenant, vec![code("b", "{}")]).await.unwrap();
    assert!(has_code(&store, &tenant, "b").await);
}

/// E3: a session killed in the middle of a commit: never success, never half.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_03_a_commit_that_is_cut_is_unknown_but_whole() {
    let (database, store, tenant) = with_tenant_named("cut_commit").await;
    let store = Arc::new(store);
    let (mut cut, mut stored) = (0, 0);
    for round in 0..20 {
        let lock = database.shell().await;
        lock.batch_execute("BEGIN; LOCK TABLE grant_record IN ACCESS EXCLUSIVE MODE").await.unwrap();
        let name = format!("round {round}");
        let writing = tokio::spawn({
            let (store, tenant, name) = (Arc::clone(&store), tenant.clone(), name.clone());
            async move { commit(&store, &tenant, vec![code(&name, "{}"), grant(&name)]).await }
        });
        if round % 2 == 0 {
            let shell = database.shell().await;
            while waiting(&shell, "cut_commit").await == 0 {
                tokio::task::yield_now().await;
            }
            cut_off(&shell, "cut_commit").await;
        }
        lock.batch_execute("COMMIT").await.unwrap();
        let outcome = writing.await.unwrap();
        let lookups = [Lookup::Artifact(CODE, HandleHash::of(&name)), Lookup::Grant(GrantId::new(&name))];
        let found = store.load(&tenant, &lookups).await.unwrap();
        let there = found.iter().zip(&lookups).filter(|(found, lookup)| **found != lookup.nothing()).count();
        match outcome {
            Ok(()) => assert_eq!(there, 2, "{name}: acknowledged and lost"),
            Err(StoreError::Unavailable(_)) => assert!([0, 2].contains(&there), "{name}: half stored"),
            Err(error) => panic!("{name}: {error}"),
        }
        cut += usize::from(outcome.is_err());
        stored += usize::from(outcome.is_ok());
    }
    assert_eq!((cut, stored), (10, 10));
}

/// How many sessions of that name wait for a lock.
async fn waiting(shell: &tokio_postgres::Client, name: &str) -> i64 {
    let count =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'";
    shell.query_one(count, &[&name]).await.unwrap().get(0)
}

/// E5, P5: a server that is not there is told of at once, and found again without help.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_05_a_database_that_is_down_is_told_of_at_once() {
    let cluster = Cluster::start();
    let options = Options { acquire: Duration::from_millis(250), ..options() };
    let store = PostgresStore::open(&cluster.url(), &options).await.unwrap();
    store.create_tenant(&tenant_named("t1")).await.unwrap();
    let tenant = TenantId::new("t1");
    commit(&store, &tenant, vec![code("before", "{}")]).await.unwrap();

    cluster.stop("fast");
    let began = Instant::now();
    let mut refused = 0;
    while refused < 200 {
        match commit(&store, &tenant, vec![code("while", "{}")]).await {
            Err(StoreError::Unavailable(_)) => refused += 1,
            other => panic!("{other:?}"),
        }
        assert!(matches!(store.epoch(&tenant).await, Err(StoreError::Unavailable(_))));
    }
    let each = began.elapsed() / 400;
    assert!(each <= Duration::from_millis(250), "{each:?} for a no");
    let unreached = PostgresStore::open(&cluster.url(), &options).await.err();
    assert!(matches!(unreached, Some(OpenError::Unreachable(_))), "{unreached:?}");

    cluster.go();
    until(async || store.ping().await.is_ok()).await;
    assert!(has_code(&store, &tenant, "before").await);
    assert!(!has_code(&store, &tenant, "while").await);
}

/// P2: kill -9 of the server in the middle of commits. What was acknowledged is there afterwards, and of the rest never
/// half.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn an_acknowledged_write_survives_kill_9_of_the_server() {
    let cluster = Cluster::start();
    let store = Arc::new(PostgresStore::open(&cluster.url(), &options()).await.unwrap());
    store.create_tenant(&tenant_named("t1")).await.unwrap();
    for round in 0..3 {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { write_until_refused(&store, &format!("{round}-{writer}")).await })
            })
            .collect();
        until(async || count(&store, round).await >= 8 * 20).await;
        cluster.kill();
        let mut acknowledged = Vec::new();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        cluster.go();
        until(async || store.ping().await.is_ok()).await;
        assert!(acknowledged.len() >= 8 * 10, "round {round}: {} writes", acknowledged.len());
        for name in acknowledged {
            let lookups = [Lookup::Artifact(CODE, HandleHash::of(&name)), Lookup::Grant(GrantId::new(&name))];
            let found = store.load(&TenantId::new("t1"), &lookups).await.unwrap();
            let lost = found.iter().zip(&lookups).any(|(found, lookup)| *found == lookup.nothing());
            assert!(!lost, "round {round}: {name} was acknowledged and is lost");
        }
    }
}

/// Names of what was acknowledged before the first no.
async fn write_until_refused(store: &PostgresStore, writer: &str) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let name = format!("{writer}-{number}");
        match commit(store, &TenantId::new("t1"), vec![code(&name, "{}"), grant(&name)]).await {
            Ok(()) => acknowledged.push(name),
            Err(StoreError::Unavailable(_)) => break,
            Err(error) => panic!("{name}: {error}"),
        }
    }
    acknowledged
}

/// How many rows this round has at least.
async fn count(store: &PostgresStore, round: usize) -> usize {
    let mut sum = 0;
    for writer in 0..8 {
        let mut number = 0;
        while number < 20
            && has_code(store, &TenantId::new("t1"), &format!("{round}-{writer}-{number}")).await
        {
            number += 1;
        }
        sum += number;
    }
    sum
}

/// E4: the primary is killed, its synchronous standby takes over: nothing acknowledged is lost, and the pool finds the
/// new primary by itself. The standby is no place to start at.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_04_a_failover_loses_nothing() {
    let primary = Cluster::start();
    let standby = primary.synchronous_standby();
    let refused = PostgresStore::open(&standby.url(), &options()).await.err();
    assert!(matches!(refused, Some(OpenError::Standby)), "{refused:?}");

    // Whichever is named first, and after one that says nothing.
    let silent = hosts::Useless::silent().await;
    for url in [standby.url_with(&primary), silent.before(&standby.url_with(&primary))] {
        PostgresStore::open(&url, &options()).await.unwrap().ping().await.unwrap();
    }
    let both = primary.url_with(&standby);
    let store = Arc::new(PostgresStore::open(&both, &options()).await.unwrap());
    assert!(store.has_synchronous_standby());
    store.create_tenant(&tenant_named("t1")).await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { write_until_refused(&store, &format!("0-{writer}")).await })
        })
        .collect();
    until(async || count(&store, 0).await >= 8 * 20).await;
    primary.kill();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    standby.promote();
    until(async || store.ping().await.is_ok()).await;
    assert!(acknowledged.len() >= 8 * 10);
    for name in acknowledged {
        assert!(has_code(&store, &TenantId::new("t1"), &name).await, "{name} was acknowledged and is lost");
    }
}

/// An acknowledged write would be lost with the server's memory.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_server_that_could_lose_writes_is_refused() {
    let database = Database::new().await;
    let careless = format!("{}%20-c%20synchronous_commit%3Doff", database.url);
    let strict = Options { accept_data_loss: false, ..options() };
    let refused = PostgresStore::open(&careless, &strict).await.err();
    let expected = matches!(refused, Some(OpenError::NotDurable { setting: "synchronous_commit", .. }));
    assert!(expected, "{refused:?}");
    PostgresStore::open(&careless, &options()).await.unwrap();
}

/// A write that stands alone would be half of a batch: outside a transaction for writing, nothing is written.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_session_writes_only_inside_a_transaction() {
    let (_database, store, _tenant) = with_tenant().await;
    let session = store.pool.acquire().await.unwrap();
    let alone = session.execute("UPDATE counter SET value = 7", &[]).await.unwrap_err();
    assert!(matches!(Failure::from(alone), Failure::Lost(_)));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_pool_that_is_empty_says_so_soon() {
    let database = Database::new().await;
    let options = Options { connections: 1, acquire: Duration::from_millis(50), ..options() };
    let store = PostgresStore::open(&database.url, &options).await.unwrap();
    until(async || store.ping().await.is_ok()).await;
    let taken = store.pool.acquire().await.unwrap();
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    drop(taken);
    store.ping().await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn an_impossible_row_is_named_and_spoils_no_other() {
    let (database, store, tenant) = with_tenant().await;
    let writes = vec![grant("good"), grant("bad"), document("good"), document("bad")];
    commit(&store, &tenant, writes).await.unwrap();
    let shell = database.shell().await;
    shell
        .batch_execute(
            "UPDATE grant_record SET body = '{\"scope\": 7}' WHERE id = 'bad'; \
             UPDATE document SET body = E'\\x01' WHERE id = 'bad'",
        )
        .await
        .unwrap();
    let load = async |lookup| store.load(&tenant, &[lookup]).await;
    let client = |id: &str| Lookup::Document(DocumentKind::Client, id.to_owned());
    assert!(load(Lookup::Grant(GrantId::new("good"))).await.is_ok());
    assert!(load(client("good")).await.is_ok());
    assert_impossible(load(Lookup::Grant(GrantId::new("bad"))).await, "grant_record t1/bad");
    assert_impossible(load(client("bad")).await, "document t1/client/bad");
    let selector = GrantSelector::Server(ServerId::new("server"));
    assert_impossible(store.grants(&tenant, &selector, 10).await, "grant_record t1/bad");
    let page = Page::first(10);
    assert_impossible(
        store.documents(&tenant, DocumentKind::Client, None, &page).await,
        "document t1/client/bad",
    );
}

#[track_caller]
fn assert_impossible<T: std::fmt::Debug>(outcome: Result<T, StoreError>, row: &str) {
    match outcome {
        Err(StoreError::Impossible(what)) => assert!(what.starts_with(row), "{what}"),
        other => panic!("{row} was read as {other:?}"),
    }
}

/// P7: no 5xx by what a stranger sends, U+0000 in a key for one.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_key_may_hold_any_character() {
    let (_database, store, tenant) = with_tenant().await;
    for id in ["a\0b", "a\u{1}b", "a\u{1}\u{1}b"] {
        let lookup = Lookup::Document(DocumentKind::Client, id.to_owned());
        assert_eq!(
            store.load(&tenant, std::slice::from_ref(&lookup)).await.unwrap(),
            [Found::Document(None)]
        );
        commit(&store, &tenant, vec![document(id)]).await.unwrap();
        assert!(matches!(&store.load(&tenant, &[lookup]).await.unwrap()[..], [Found::Document(Some(_))]));
    }
}

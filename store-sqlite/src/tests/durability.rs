//! What was acknowledged is there, whatever happened next.

use super::*;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

/// Tells the child, which is this test binary again, where to write.
const DATABASE: &str = "POSTERN_TEST_DATABASE";

#[tokio::test]
async fn an_acknowledged_write_survives_kill_9() {
    const ROUNDS: usize = 3;
    const ACKNOWLEDGED: usize = 150;
    let (directory, store, tenant) = with_tenant().await;
    drop(store);
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::durability::child_that_writes_until_it_is_killed", "--nocapture"])
            .env(DATABASE, file(&directory))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut names: Vec<String> = acknowledged(&mut lines).take(ACKNOWLEDGED).collect();
        child.kill().unwrap();
        // Whatever was said before the end counts too.
        names.extend(acknowledged(&mut lines));
        child.wait().unwrap();

        assert!(names.len() >= ACKNOWLEDGED, "round {round}: {} writes", names.len());
        let store = open(&directory);
        for name in &names {
            assert!(
                has_code(&store, &tenant, name).await,
                "round {round}: {name} was acknowledged and is lost"
            );
        }
        let sound: String =
            shell(&directory).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
    }
}

/// Names that the child said were stored. The last line may have been cut short.
fn acknowledged(lines: &mut impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    lines.filter_map(|line| Some(line.strip_prefix("stored ")?.strip_suffix(" .")?.to_owned()))
}

/// Not a test by itself: does nothing unless the test above asks for it.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(database) = std::env::var_os(DATABASE) else { return };
    let store = SqliteStore::open(PathBuf::from(database), &Options::default()).unwrap();
    let tenant = TenantId::new("t1");
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let (store, tenant) = (&store, &tenant);
            scope.spawn(move || {
                for number in 0.. {
                    let name = format!("{}-{worker}-{number}", std::process::id());
                    let committed = commit(store, tenant, vec![code(&name, "{}")]);
                    store::contract::block_on(committed).unwrap();
                    writeln!(std::io::stdout(), "stored {name} .").unwrap();
                }
            });
        }
    });
}

#[tokio::test]
async fn what_is_committed_is_read_at_once() {
    let (_directory, store, tenant) = with_tenant().await;
    for number in 0..100 {
        let name = number.to_string();
        commit(&store, &tenant, vec![code(&name, "{}")]).await.unwrap();
        assert!(has_code(&store, &tenant, &name).await, "{name}");
    }
}

#[tokio::test]
async fn a_store_that_is_closed_finishes_what_is_queued() {
    let (directory, store, tenant) = with_tenant().await;
    let lock = shell(&directory);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 0..20 {
        // The first poll queues the write; nobody waits for its answer.
        let mut committed = Box::pin(commit(&store, &tenant, vec![code(&number.to_string(), "{}")]));
        std::future::poll_fn(|context| {
            assert!(committed.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    }
    lock.execute_batch("COMMIT").unwrap();
    drop(store);
    let store = open(&directory);
    for number in 0..20 {
        assert!(has_code(&store, &tenant, &number.to_string()).await, "{number}");
    }
}

/// Without them an acknowledged write could be lost with the machine's power.
#[test]
fn nothing_opens_without_wal_and_full_sync() {
    let directory = tempfile::tempdir().unwrap();
    let connection = shell(&directory);
    assert!(matches!(
        open::assert_durable(&connection),
        Err(OpenError::NotDurable { setting: "journal_mode", .. })
    ));
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "synchronous", "NORMAL").unwrap();
    assert!(matches!(
        open::assert_durable(&connection),
        Err(OpenError::NotDurable { setting: "synchronous", .. })
    ));
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    open::assert_durable(&connection).unwrap();
}

//! Full disks, failing commits, rows that cannot be.

use super::*;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn a_full_disk_stops_writing_not_reading() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { max_pages: Some(100), ..Options::default() };
    let store = SqliteStore::open(file(&directory), &options).unwrap();
    let (small, large) = (TenantId::new("small"), TenantId::new("large"));
    store.create_tenant(&tenant("small")).await.unwrap();
    store.create_tenant(&tenant("large")).await.unwrap();
    commit(&store, &small, vec![code("kept", "{}")]).await.unwrap();

    let body = "x".repeat(20_000);
    let pair = |number: i32| vec![code(&format!("{number} a"), &body), code(&format!("{number} b"), &body)];
    let mut stored = 0;
    let refused = loop {
        if let Err(error) = commit(&store, &large, pair(stored)).await {
            break error;
        }
        stored += 1;
        assert!(stored < 1000, "the disk never filled");
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    for half in ["a", "b"] {
        assert!(
            !has_code(&store, &large, &format!("{stored} {half}")).await,
            "a refused batch left something"
        );
    }
    assert!(has_code(&store, &small, "kept").await, "reading goes on");
    assert_eq!(store.documents(&small, DocumentKind::Client, None, &Page::first(1)).await.unwrap(), []);

    store.delete_tenant(&large).await.unwrap();
    commit(&store, &small, vec![code("again", &body)]).await.expect("there is room again");
    store.ping().await.unwrap();
}

/// A writer whose commits fail while the switch is on.
fn writer_that_may_fail(directory: &TempDir) -> (Writer, Arc<AtomicBool>) {
    let mut connection = open::writer(&file(directory), &Options::default(), MIGRATIONS).unwrap();
    let failing = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&failing);
    connection.commit_hook(Some(move || switch.load(Ordering::SeqCst))).unwrap();
    (Writer::start(connection, 1000, Duration::from_secs(60)).unwrap(), failing)
}

#[tokio::test]
async fn a_commit_that_fails_fails_every_batch_of_its_group() {
    let (directory, store, tenant) = with_tenant().await;
    let (writer, failing) = writer_that_may_fail(&directory);
    let submit = |name: String| {
        let batch = Batch { writes: vec![code(&name, "{}")], events: Vec::new() };
        writer.submit(Work::Commit(tenant.clone(), batch))
    };
    failing.store(true, Ordering::SeqCst);
    let outcomes = all((0..50).map(|number| submit(number.to_string()))).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{number}: {outcome:?}");
        assert!(!has_code(&store, &tenant, &number.to_string()).await, "{number}");
    }
    failing.store(false, Ordering::SeqCst);
    for outcome in all((0..50).map(|number| submit(number.to_string()))).await {
        outcome.expect("it recovers by itself");
    }
}

/// A disk that does not keep up: whoever waits for it is told so, no more wait than there are places, reading goes on, and
/// what was not begun when its time was over is never done.
#[tokio::test]
async fn a_slow_disk_keeps_nobody_waiting() {
    let patience = Duration::from_secs(60);
    let (directory, store, tenant) = with_tenant().await;
    commit(&store, &tenant, vec![code("before", "{}")]).await.unwrap();
    let mut connection = open::writer(&file(&directory), &Options::default(), MIGRATIONS).unwrap();
    let (disk, writing) = (Arc::new(tokio::sync::Mutex::new(())), Arc::new(AtomicBool::new(false)));
    let (its_disk, it_writes) = (Arc::clone(&disk), Arc::clone(&writing));
    let hook = move || {
        it_writes.store(true, Ordering::SeqCst);
        drop(its_disk.blocking_lock());
        false
    };
    connection.commit_hook(Some(hook)).unwrap();
    let writer = Writer::start(connection, 10, Duration::from_millis(50)).unwrap();
    let submit = |name: &str| {
        let batch = Batch { writes: vec![code(name, "{}")], events: Vec::new() };
        timeout(patience, writer.submit(Work::Commit(tenant.clone(), batch)))
    };
    let stuck = disk.lock().await;
    assert!(matches!(submit("first").await, Ok(Err(StoreError::Unavailable(_)))));
    while !writing.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    for told in all(names.iter().map(|name| submit(name))).await {
        assert!(matches!(told, Ok(Err(StoreError::Unavailable(_)))), "{told:?}");
    }
    assert!(has_code(&store, &tenant, "before").await, "reading goes on");
    drop(stuck);
    while !matches!(submit("last").await, Ok(Ok(_))) {}
    for name in &names {
        assert!(!has_code(&store, &tenant, name).await, "{name} was given up");
    }
}

/// Polls all at once, so that they are queued together.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in &mut waiting {
            if output.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        let done = waiting.iter().all(|(_, output)| output.is_some());
        if done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}

/// E3: a storage error at any point is never taken for success, and leaves the state before or after, never between.
#[tokio::test]
async fn a_fault_at_any_step_leaves_all_or_nothing() {
    let (directory, store, tenant) = with_tenant().await;
    let mut connection = open::writer(&file(&directory), &Options::default(), MIGRATIONS).unwrap();
    let steps = Arc::new(AtomicI32::new(i32::MAX));
    let left = Arc::clone(&steps);
    connection.progress_handler(1, Some(move || left.fetch_sub(1, Ordering::SeqCst) <= 0)).unwrap();
    let writer = Writer::start(connection, 10, Duration::from_secs(60)).unwrap();
    let (mut refused, mut stored) = (0, 0);
    for number in 0..2000 {
        let name = number.to_string();
        let lookups = [
            Lookup::Artifact(CODE, HandleHash::of(&name)),
            Lookup::Grant(GrantId::new(&name)),
            Lookup::Document(DocumentKind::Client, name.clone()),
        ];
        let batch =
            Batch { writes: vec![code(&name, "{}"), grant(&name), document(&name)], events: Vec::new() };
        steps.store(number, Ordering::SeqCst);
        let outcome = writer.submit(Work::Commit(tenant.clone(), batch)).await;
        steps.store(i32::MAX, Ordering::SeqCst);
        let found = store.load(&tenant, &lookups).await.unwrap();
        let there = found.iter().zip(&lookups).filter(|(found, lookup)| **found != lookup.nothing()).count();
        match outcome {
            Ok(_) => assert_eq!(there, 3, "fault at step {number}: acknowledged and lost"),
            // A fault just after the commit leaves it standing.
            Err(StoreError::Unavailable(_)) => {
                assert!([0, 3].contains(&there), "fault at step {number}: half stored");
            }
            Err(error) => panic!("fault at step {number}: {error}"),
        }
        stored += usize::from(outcome.is_ok());
        refused += usize::from(there == 0);
        if stored > 5 {
            break;
        }
    }
    assert!(refused > 100, "only {refused} steps were reached");
    assert!(stored > 5, "it never recovered");
}

#[tokio::test]
async fn a_queue_that_is_full_refuses_at_once() {
    let (directory, store, tenant) = with_tenant().await;
    drop(store);
    let store = SqliteStore::open(file(&directory), &Options { queue: 1, ..Options::default() }).unwrap();
    let lock = shell(&directory);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = Vec::new();
    for number in 0.. {
        let mut committed = Box::pin(commit(&store, &tenant, vec![code(&number.to_string(), "{}")]));
        let polled =
            std::future::poll_fn(|context| std::task::Poll::Ready(committed.as_mut().poll(context))).await;
        match polled {
            std::task::Poll::Pending => waiting.push(committed),
            std::task::Poll::Ready(outcome) => {
                assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
                break;
            }
        }
        assert!(number < 1000, "the queue never filled");
    }
    lock.execute_batch("COMMIT").unwrap();
    for committed in waiting {
        committed.await.expect("what was queued is done");
    }
}

#[tokio::test]
async fn an_impossible_row_is_named_and_spoils_no_other() {
    let (directory, store, tenant) = with_tenant().await;
    let writes = vec![grant("good"), grant("bad"), document("good"), document("bad"), code("good", "{}")];
    commit(&store, &tenant, writes).await.unwrap();
    let shell = shell(&directory);
    shell.execute("UPDATE grant_record SET body = '{\"scope\": 7}' WHERE id = 'bad'", []).unwrap();
    shell.execute("UPDATE document SET body = CAST(x'ff' AS TEXT) WHERE id = 'bad'", []).unwrap();

    let load = async |lookup| store.load(&tenant, &[lookup]).await;
    let client = |id: &str| Lookup::Document(DocumentKind::Client, id.to_owned());
    assert!(load(Lookup::Grant(GrantId::new("good"))).await.is_ok());
    assert!(load(client("good")).await.is_ok());
    assert!(load(Lookup::Artifact(CODE, HandleHash::of("good"))).await.is_ok());
    assert_impossible(load(Lookup::Grant(GrantId::new("bad"))).await, "grant_record t1/bad");
    assert_impossible(load(client("bad")).await, "document t1/client/bad");

    let selector = GrantSelector::Server(ServerId::new("server"));
    assert_impossible(store.grants(&tenant, &selector, 10).await, "grant_record t1/bad");
    let page = Page::first(10);
    let listed = store.documents(&tenant, DocumentKind::Client, None, &page).await;
    assert_impossible(listed, "document t1/client/bad");
}

#[track_caller]
fn assert_impossible<T: std::fmt::Debug>(outcome: Result<T, StoreError>, row: &str) {
    match outcome {
        Err(StoreError::Impossible(what)) => assert!(what.starts_with(row), "{what}"),
        other => panic!("{row} was read as {other:?}"),
    }
}

/// W-01: a stolen database holds no handle. The port takes hashes; this looks at the bytes.
#[tokio::test]
async fn the_files_hold_no_handle() {
    let (directory, store, tenant) = with_tenant().await;
    let handle = "VWIqJvh0XY3WF0nq8M1xRS3uQNLWZIMA9d0bYtpGf8Q";
    commit(&store, &tenant, vec![code(handle, "{}")]).await.unwrap();
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!content.windows(handle.len()).any(|window| window == handle.as_bytes()));
        bytes += content.len();
    }
    assert!(bytes > 0);
}

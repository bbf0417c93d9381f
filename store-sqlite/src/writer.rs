//! The one writer: a thread that commits what waits in its queue, many batches per transaction.
//!
//! One synced commit carries up to [`GROUP`] batches; a conflict among them undoes only itself. Nobody is answered before
//! the commit is on disk.

use crate::queue::{Queue, Refused};
use crate::read::run;
use crate::row::unavailable;
use crate::sql;
use crate::write::{Work, apply};
use rusqlite::Connection;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use store::StoreError;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout};

/// Most pieces of work in one transaction.
const GROUP: usize = 256;

type Outcome = Result<usize, StoreError>;

/// Work and who waits for it.
struct Job {
    work: Work,
    /// After that it is not begun any more.
    begin_by: Option<Instant>,
    reply: oneshot::Sender<Outcome>,
}

pub(crate) struct Writer {
    patience: Duration,
    queue: Arc<Queue<Job>>,
    /// Taken only when dropped.
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; at most `queue` pieces of work wait, and each no longer than `patience`.
    pub(crate) fn start(connection: Connection, queue: usize, patience: Duration) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(queue));
        let jobs = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || work_off(&connection, &jobs))?;
        Ok(Self { patience, queue, thread: Some(thread) })
    }

    /// Queues the work and waits until it is on disk, or as long as anybody may: then it is not begun any more, or nobody
    /// knows. Without a Tokio runtime there is no clock to limit it.
    pub(crate) async fn submit(&self, work: Work) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let patience = match work {
            // It goes with everything in it.
            Work::DeleteTenant(_) => Duration::MAX,
            _ => self.patience,
        };
        let begin_by = Instant::now().checked_add(patience);
        let first = self.queue.push(Job { work, begin_by, reply }).map_err(|refused| match refused {
            Refused::Full => StoreError::Unavailable("too many writes are waiting".to_owned()),
            Refused::Closed => stopped(),
        })?;
        if let Some(gathering) = first {
            // Behind everybody who is ready now, some of whom also have something to write.
            yield_now().await;
            drop(gathering);
        }
        let outcome = match Handle::try_current() {
            Ok(_) => timeout(patience, outcome).await,
            Err(_) => Ok(outcome.await),
        };
        match outcome {
            Ok(outcome) => outcome.unwrap_or_else(|_| Err(stopped())),
            Err(_) => Err(late()),
        }
    }
}

impl Drop for Writer {
    /// Lets the thread finish what is queued.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread had panicked");
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the writer has stopped".to_owned())
}

fn late() -> StoreError {
    StoreError::Unavailable("the disk does not keep up".to_owned())
}

/// Ends the queue with the thread, also when it panics.
struct AtWork<'a>(&'a Queue<Job>);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn work_off(connection: &Connection, jobs: &Queue<Job>) {
    let _at_work = AtWork(jobs);
    while let Some(group) = jobs.take(GROUP) {
        // Whoever was told that it takes too long may come again: what is late must not be done beside.
        let in_time = |job: &Job| job.begin_by.is_none_or(|by| Instant::now() < by);
        let (group, too_late): (Vec<Job>, Vec<Job>) = group.into_iter().partition(in_time);
        for job in too_late {
            let _gone = job.reply.send(Err(late()));
        }
        if group.is_empty() {
            continue;
        }
        let (work, replies): (Vec<Work>, Vec<_>) = group.into_iter().map(|job| (job.work, job.reply)).unzip();
        for (reply, outcome) in replies.into_iter().zip(commit(connection, &work)) {
            // Whoever went away in the meantime finds the outcome in the store.
            let _gone = reply.send(outcome);
        }
    }
}

/// One outcome per piece of work, true on disk. When the transaction as a whole fails, all of them failed.
fn commit(connection: &Connection, group: &[Work]) -> Vec<Outcome> {
    let outcomes = match together(connection, group) {
        Ok(Some(outcomes)) => Ok(outcomes),
        Ok(None) => one_by_one(connection, group),
        Err(error) => Err(error),
    };
    outcomes.unwrap_or_else(|error| {
        tracing::warn!(%error, batches = group.len(), "a transaction failed");
        roll_back(connection);
        group.iter().map(|_| Err(unavailable(&error))).collect()
    })
}

/// The common case: every piece of work is possible, so none has to be undone alone. A savepoint would copy each page that
/// a piece changes, which is a third of what a commit costs. `None` if one was not possible; nothing happened then.
fn together(connection: &Connection, group: &[Work]) -> rusqlite::Result<Option<Vec<Outcome>>> {
    run(connection, sql::BEGIN_WRITE)?;
    let mut outcomes = Vec::with_capacity(group.len());
    for work in group {
        match apply(connection, work) {
            Ok(rows) => outcomes.push(Ok(rows)),
            Err(_) => {
                roll_back(connection);
                return Ok(None);
            }
        }
    }
    run(connection, sql::COMMIT)?;
    Ok(Some(outcomes))
}

/// Each piece of work in a savepoint of its own, so that what is not possible undoes only itself.
fn one_by_one(connection: &Connection, group: &[Work]) -> rusqlite::Result<Vec<Outcome>> {
    run(connection, sql::BEGIN_WRITE)?;
    let outcomes = group.iter().map(|work| savepoint(connection, work)).collect::<Result<_, _>>()?;
    run(connection, sql::COMMIT)?;
    Ok(outcomes)
}

/// Ends the transaction, if SQLite has not done so by itself (as after some errors: a full disk, say).
fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = run(connection, sql::ROLLBACK)
    {
        tracing::error!(%error, "the failed transaction did not end");
    }
}

/// Fails only if the transaction around it is lost.
fn savepoint(connection: &Connection, work: &Work) -> rusqlite::Result<Outcome> {
    run(connection, sql::SAVEPOINT)?;
    let outcome = apply(connection, work);
    if let Err(error) = &outcome {
        if !matches!(error, StoreError::Conflict { .. }) {
            tracing::warn!(%error, "a batch failed");
        }
        // After some errors (a full disk, say) SQLite has rolled back the whole transaction by itself; then this fails.
        run(connection, sql::ROLLBACK_TO)?;
    }
    run(connection, sql::RELEASE)?;
    Ok(outcome)
}

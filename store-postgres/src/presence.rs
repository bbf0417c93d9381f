//! Whether the server is there. While it is not, everybody is told so at once, and one task asks for it.
//!
//! A server that is gone often says nothing: its packets are lost, or it hangs. So whoever waits for a statement is
//! watched: when for a moment nothing is heard on any connection, a new connection is tried, which no lock and no slow
//! statement holds up. If that too meets silence the server is gone: whatever waits is given up, and what comes is
//! refused, until the task has reached it again.

use crate::connect::Connector;
use crate::pool;
use deadpool_postgres::Pool;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// How long nothing is heard before the server is asked.
const SUSPICION: Duration = Duration::from_millis(250);
/// How long a server that is gone is left alone between two attempts.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest attempt to reach it again; the first takes as long as a server may be silent.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(5);

pub(crate) struct Presence {
    gone: watch::Sender<bool>,
    /// Statements that wait for an answer.
    waiting: AtomicUsize,
    /// Answers, whatever they said.
    heard: AtomicU64,
}

impl Presence {
    pub(crate) fn new() -> Self {
        Self { gone: watch::Sender::new(false), waiting: AtomicUsize::new(0), heard: AtomicU64::new(0) }
    }

    pub(crate) fn is_gone(&self) -> bool {
        *self.gone.borrow()
    }

    /// Nobody can be reached: nobody else need try.
    pub(crate) fn leave(&self) {
        if !self.gone.send_replace(true) {
            tracing::warn!("the database is not reached");
        }
    }

    /// Ends when the server is gone.
    pub(crate) async fn left(&self) {
        let mut seen = self.gone.subscribe();
        // The sender is this one's own: there is no other end.
        let _ended = seen.wait_for(|gone| *gone).await;
    }

    /// Somebody waits for an answer from now until the guard is dropped.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(self)
    }

    pub(crate) fn hear(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// Notices when the server goes, and looks for it until it is back. Never returns.
    pub(crate) async fn attend(&self, connector: &Connector, silence: Duration, pool: &Pool) {
        loop {
            self.suspected().await;
            if !self.is_gone() && self.answers(connector, silence).await {
                continue;
            }
            self.leave();
            let mut limit = silence;
            loop {
                match timeout(limit, pool::reach(pool)).await {
                    Ok(Ok(())) => break,
                    Ok(Err(why)) => tracing::debug!(why, "the database is not reached"),
                    // What is slow is reached too, in the end.
                    Err(_) => limit = (limit * 2).min(LONGEST_ATTEMPT.max(silence)),
                }
                sleep(PAUSE).await;
            }
            self.gone.send_replace(false);
            tracing::info!("the database is reached again");
        }
    }

    /// Ends when somebody waits and nothing was heard for a while, or when the server is known to be gone.
    async fn suspected(&self) {
        let mut ticks = interval(SUSPICION);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before = None;
        loop {
            tokio::select! {
                () = self.left() => return,
                _ = ticks.tick() => {}
            }
            let heard = self.heard.load(Ordering::Relaxed);
            let waited = self.waiting.load(Ordering::Relaxed) > 0;
            if waited && before == Some(heard) {
                return;
            }
            before = waited.then_some(heard);
        }
    }

    /// Whether it answers within that time, to a new connection or to anybody.
    async fn answers(&self, connector: &Connector, silence: Duration) -> bool {
        let before = self.heard.load(Ordering::Relaxed);
        connector.is_answered(silence).await || self.heard.load(Ordering::Relaxed) != before
    }
}

/// Somebody who waits for an answer.
pub(crate) struct Waiting<'a>(&'a Presence);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

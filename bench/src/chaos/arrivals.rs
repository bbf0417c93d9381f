//! People who come to log in at a fixed rate, whatever becomes of those before them.
//!
//! They have a thread of their own, so that no other client takes its time; a page that is refused for now they ask for
//! again when they were told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bench::connection::Target;
use bench::stopwatch::Stopwatch;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::actor::{Actor, Site};
use crate::random::Random;

/// People under way, until it is over.
pub(crate) struct Arrivals {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Result<Logins>>,
}

/// What became of them.
#[derive(Default)]
pub(crate) struct Logins {
    pub come: usize,
    /// How long each took that came to its end, shortest first.
    pub done: Vec<Duration>,
    /// Those that came to another end.
    pub failed: usize,
    /// Pages that were refused for now.
    pub refused: usize,
    lasted: Duration,
}

impl Arrivals {
    /// One more person after each time.
    pub(crate) fn begin(site: &Arc<Site>, doors: &[Target], random: Random, each: Duration) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (site, doors, until) = (Arc::clone(site), doors.to_vec(), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(come(&site, &doors, random, each, &until)))
        });
        Self { over, thread }
    }

    /// Nobody comes any more; whoever is still at it counts as not done.
    pub(crate) fn end(self) -> Result<Logins> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the thread of those who log in panicked"))?
    }
}

async fn come(
    site: &Arc<Site>,
    doors: &[Target],
    mut random: Random,
    each: Duration,
    over: &AtomicBool,
) -> Logins {
    let watch = Stopwatch::start();
    let refused = Arc::new(AtomicUsize::new(0));
    let mut people = JoinSet::new();
    let mut logins = Logins::default();
    while !over.load(Ordering::Relaxed) {
        let mut actor = Actor::new(site, doors, random.fork());
        actor.reloads = Some(Arc::clone(&refused));
        people.spawn(async move {
            let watch = Stopwatch::start();
            actor.code().await.context("a login").map(|_| watch.elapsed())
        });
        logins.come += 1;
        let next = each * u32::try_from(logins.come).unwrap_or(u32::MAX);
        sleep(next.saturating_sub(watch.elapsed())).await;
    }
    logins.lasted = watch.elapsed();
    while let Some(ended) = people.try_join_next() {
        match ended {
            Ok(Ok(time)) => logins.done.push(time),
            _ => logins.failed += 1,
        }
    }
    logins.done.sort_unstable();
    logins.refused = refused.load(Ordering::Relaxed);
    logins
}

impl Logins {
    /// In a second.
    pub(crate) fn told(&self) -> String {
        let rate = |count: usize| count as f64 / self.lasted.as_secs_f64().max(0.001);
        format!(
            "of {:.1} logins/s offered {:.1} done (half of them within {} ms), {} failed, {} still under way; {:.1} pages/s \
             refused with Retry-After and asked for again",
            rate(self.come),
            rate(self.done.len()),
            self.done.get(self.done.len() / 2).copied().unwrap_or_default().as_millis(),
            self.failed,
            self.come - self.done.len() - self.failed,
            rate(self.refused),
        )
    }
}

//! The threads that slow hashes are computed on: few, with a bounded queue before them, and after everything else in the
//! eyes of the scheduler. Who asks for a token does not wait for the passwords of others.

use crate::SPANS;
use crate::error::EngineError;
use crate::measures::{HashingMeasures, Seconds};
use argon2::Block;
use prometheus_client::metrics::gauge::Gauge;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;
use tracing::Span;
use zeroize::Zeroize;

/// The memory of one hash, kept from one to the next: taken anew each time, 19 MiB would be paged in each time.
pub(crate) type Memory = Vec<Block>;

/// Computes with the memory of the thread that it is on.
type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// What `nice` makes of the threads: a tenth of a core that others want too, all of one that is free.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

pub(crate) struct HashPool {
    threads: usize,
    /// One permit for each hash that is computed or waits to be.
    places: Arc<Semaphore>,
    /// Where the threads get their jobs; there are none before the first one.
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    measures: HashingMeasures,
}

impl HashPool {
    /// Threads for `slots` hashes at a time, and `waiting` more in the queue.
    pub(crate) fn new(slots: usize, waiting: usize, measures: HashingMeasures) -> Self {
        let threads = slots.max(1);
        measures.slots.set(i64::try_from(threads).unwrap_or(i64::MAX));
        let places = Arc::new(Semaphore::new(threads.saturating_add(waiting)));
        Self { threads, places, queue: Mutex::default(), measures }
    }

    /// Does the work when its turn comes.
    ///
    /// # Errors
    /// [`EngineError::PasswordsBusy`] when the queue is full.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, EngineError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            self.measures.refused.inc();
            EngineError::PasswordsBusy
        })?;
        let waiting = Held::of(&self.measures.waiting, &self.measures.waits);
        let measures = self.measures.clone();
        let (answer, answered) = oneshot::channel();
        let (request, wait) = (Span::current(), tracing::info_span!(target: SPANS, "password_hash.wait"));
        let job = move |memory: &mut Memory| {
            drop((waiting, wait));
            // Who has gone needs no answer.
            if !answer.is_closed() {
                let computing = Held::of(&measures.busy, &measures.hashes);
                let span = tracing::info_span!(target: SPANS, parent: &request, "password_hash");
                let result = span.in_scope(|| work(memory));
                drop((computing, place));
                let _ = answer.send(result);
            }
        };
        let lost = || EngineError::Internal("a hash was not computed".to_owned());
        self.queue()?.send(Box::new(job)).map_err(|_| lost())?;
        answered.await.map_err(|_| lost())
    }

    fn queue(&self) -> Result<mpsc::Sender<Job>, EngineError> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queue.as_ref() {
            return Ok(queue.clone());
        }
        let (sender, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..self.threads {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new()
                .name("password-hash".to_owned())
                .spawn(move || work_off(&jobs))
                .map_err(|error| EngineError::Internal(format!("hash threads: {error}")))?;
        }
        Ok(queue.insert(sender).clone())
    }
}

/// Counts as being there from its making to its end, and then as having taken that long.
struct Held {
    present: Gauge,
    times: Seconds,
    since: Instant,
}

impl Held {
    fn of(present: &Gauge, times: &Seconds) -> Self {
        present.inc();
        Self { present: present.clone(), times: times.clone(), since: Instant::now() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.present.dec();
        self.times.observe(self.since.elapsed());
    }
}

/// One thread's life: until the pool is gone.
fn work_off(jobs: &Mutex<mpsc::Receiver<Job>>) {
    step_back();
    let mut memory = Memory::new();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // Its asker is told by the broken channel; the thread goes on.
        if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
            // Nobody knows how far it came, and so what the memory tells.
            memory.iter_mut().zeroize();
        }
    }
}

/// Where it cannot be done everything works, less evenly.
fn step_back() {
    #[cfg(target_os = "linux")]
    // There it is about the calling thread alone.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "hash threads keep the priority of all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_queue_is_bounded_and_goes_on_after_a_panic() {
        let pool = HashPool::new(1, 1, HashingMeasures::default());
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = oneshot::channel();
        let first = pool.run(move |_| {
            let _ = started.send(());
            held.recv()
        });
        let second = pool.run(|_| panic!("a hash that panics"));
        let third = async {
            running.await.unwrap();
            // One runs and one waits.
            assert!(matches!(pool.run(|_| ()).await, Err(EngineError::PasswordsBusy)));
            release.send(()).unwrap();
        };
        let (first, second, ()) = tokio::join!(first, second, third);
        assert!(first.unwrap().is_ok());
        assert!(matches!(second, Err(EngineError::Internal(_))));
        assert_eq!(pool.run(|_| 7).await.unwrap(), 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn passwords_step_back_and_nobody_else_does() {
        let niceness = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let (_, fields) = stat.rsplit_once(')').unwrap();
            fields.split_whitespace().nth(16).unwrap().parse::<i32>().unwrap()
        };
        let before = niceness();
        let of_pool = HashPool::new(1, 1, HashingMeasures::default()).run(move |_| niceness()).await.unwrap();
        assert_eq!(of_pool, NICENESS.max(before));
        assert_eq!(niceness(), before);
    }
}

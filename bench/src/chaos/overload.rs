//! E14: more than can be done (promise P6).
//!
//! First the most that one crowd of connections gets; then several times as many, a storm of logins, and connections
//! that only ask. Whatever cannot be done is refused with a time to come again, tokens go on, health is always told,
//! and the memory is given back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bench::connection::Target;
use bench::process;
use bench::stopwatch::Stopwatch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::actor::{Actor, Site};
use crate::ledger::Outcome;
use crate::random::Random;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "overload", stores: &[Store::Sqlite], run: |world| Box::pin(run(world)) };

/// Connections of the calm, of the crowd, and of people who log in, at scale 1.
const CALM: usize = 8;
const CROWD: usize = 256;
const STORM: usize = 48;
const PHASE: Duration = Duration::from_secs(2);
/// So few at once are let in that the crowd meets the limit.
const LIMITS: &str = "[limits]\nrequests = 32\n";
/// Promise P6, in KiB.
const MOST_MEMORY: u64 = 512 * 1024;

/// What a crowd met.
#[derive(Default)]
struct Meter {
    done: AtomicUsize,
    refused: AtomicUsize,
    over: AtomicBool,
}

async fn run(world: &mut World) -> Result<Verdict> {
    let data = world.directory.clone();
    let Yard { cluster, site, .. } = world.yard_with(&data, None, LIMITS).await?;
    let doors = cluster.doors()?;
    let node = cluster.node(0)?;
    let pid = node.pid().context("no process")?;
    let phase = PHASE * u32::try_from(world.scale.min(20))?;

    let calm = crowd(&site, &doors, &mut world.random, CALM, 0);
    sleep(phase).await;
    let (peak, _) = calm.finish().await?;
    let (before, _) = process::memory(pid);

    let crowd = crowd(&site, &doors, &mut world.random, CROWD * world.scale, STORM * world.scale);
    let watch = Stopwatch::start();
    let mut slowest = Duration::ZERO;
    while watch.elapsed() < phase {
        let asked = Stopwatch::start();
        ensure!(node.side("/alive").await?.status == 200, "not alive under load");
        slowest = slowest.max(asked.elapsed());
        sleep(Duration::from_millis(50)).await;
    }
    let (done, refused) = crowd.finish().await?;
    let (_, most) = process::memory(pid);
    ensure!(!node.died()?, "the node ended by itself");
    ensure!(cluster.panics() == 0, "a node panicked");
    ensure!(done > 0, "no token under load");
    ensure!(refused > 0, "nobody was refused: this was no overload");
    ensure!(most < MOST_MEMORY, "{most} KiB of memory");
    // Everybody has gone: what they took is given back.
    sleep(Duration::from_secs(1)).await;
    let (after, _) = process::memory(pid);
    let mut actor = Actor::new(&site, &doors, world.random.fork());
    actor.log_in().await?;
    let each = |count: usize| count / usize::try_from(phase.as_secs().max(1)).unwrap_or(1);
    Ok(Verdict::Held(format!(
        "{} tokens/s with {CALM} connections; with {} and {} people logging in {} tokens/s, {refused} refusals, each with \
         Retry-After; /alive within {} ms; memory {} MiB before, {} at most, {} afterwards",
        each(peak),
        CROWD * world.scale,
        STORM * world.scale,
        each(done),
        slowest.as_millis(),
        before / 1024,
        most / 1024,
        after / 1024
    )))
}

/// Connections at work.
struct Crowd {
    meter: Arc<Meter>,
    tasks: JoinSet<Result<()>>,
}

impl Crowd {
    /// Lets everybody go; tokens that were got, and refusals.
    async fn finish(mut self) -> Result<(usize, usize)> {
        self.meter.over.store(true, Ordering::Relaxed);
        while let Some(task) = self.tasks.join_next().await {
            task??;
        }
        Ok((self.meter.done.load(Ordering::Relaxed), self.meter.refused.load(Ordering::Relaxed)))
    }
}

fn crowd(
    site: &Arc<Site>,
    doors: &[Target],
    random: &mut Random,
    connections: usize,
    people: usize,
) -> Crowd {
    let meter = Arc::new(Meter::default());
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(ask(Actor::new(site, doors, random.fork()), Arc::clone(&meter)));
    }
    for _ in 0..people {
        tasks.spawn(log_in(Actor::new(site, doors, random.fork()), Arc::clone(&meter)));
    }
    Crowd { meter, tasks }
}

/// Asks for tokens without a pause; after a refusal with a short one.
async fn ask(mut actor: Actor, meter: Arc<Meter>) -> Result<()> {
    while !meter.over.load(Ordering::Relaxed) {
        match actor.client_credentials().await.0 {
            Outcome::Ok(_) => {
                meter.done.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Unavailable => {
                meter.refused.fetch_add(1, Ordering::Relaxed);
                sleep(actor.random.pause(5, 50)).await;
            }
            other => bail!("under load: {other:?}"),
        }
    }
    Ok(())
}

/// Logs in with a new browser, again and again; the ledger holds wrong answers against the server.
async fn log_in(mut actor: Actor, meter: Arc<Meter>) -> Result<()> {
    while !meter.over.load(Ordering::Relaxed) {
        actor.forget();
        if actor.code().await.is_err() {
            meter.refused.fetch_add(1, Ordering::Relaxed);
            sleep(actor.random.pause(20, 100)).await;
        }
    }
    Ok(())
}

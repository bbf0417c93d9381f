//! Days of work in minutes: whether memory, open files and the database stay as small as they were.
//!
//! People log in, refresh and leave; then the clock is set ahead by more than anything is kept, the sweep removes what
//! has expired, and the next day begins. After the first days nothing may grow any more.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::process;
use bench::stopwatch::Stopwatch;
use rusqlite::{Connection, OpenFlags};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::actor::Actor;
use crate::clock::FakeClock;
use crate::cluster::{Node, PATIENCE};
use crate::rolling::work;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "soak", stores: &[Store::Sqlite], run: |world| Box::pin(run(world)) };

/// People at work.
const PEOPLE: usize = 4;
/// Days at scale 1, how long a day's work lasts, and how many days it takes until all has its size.
const DAYS: usize = 5;
const WORK: Duration = Duration::from_secs(20);
const WARM: usize = 2;
/// From one day to the next: longer than anything is kept, audit events included.
const NIGHT: i64 = 100 * 86_400;
/// How much more than after the warm days there may be: the noise of an allocator, of pages and of connections.
const MORE_MEMORY: u64 = 12 * 1024;
const MORE_FILES: u64 = 8;
const MORE_BYTES: u64 = 512 * 1024;
/// The largest log of writes, whatever happens.
const MOST_LOG: u64 = 64 * 1024 * 1024;

/// What a process and its database have grown to.
#[derive(Clone, Copy)]
struct Size {
    /// KiB.
    memory: u64,
    files: u64,
    /// Bytes of the database that are in use, and of its log of writes.
    database: u64,
    log: u64,
}

async fn run(world: &mut World) -> Result<Verdict> {
    if FakeClock::new(PathBuf::new()).is_none() {
        return Ok(Verdict::NotRun("needs libfaketime; as root: apt-get install -y libfaketime".to_owned()));
    }
    world.fake_clocks = true;
    let Yard { cluster, site, .. } = world.yard().await?;
    let node = cluster.node(0)?;
    let doors = cluster.doors()?;
    let (mut sizes, mut logins) = (Vec::new(), 0);
    for day in 1..=DAYS * world.scale {
        let over = Arc::new(AtomicBool::new(false));
        let mut people = JoinSet::new();
        for _ in 0..PEOPLE {
            people.spawn(work(Actor::new(&site, &doors, world.random.fork()), Arc::clone(&over)));
        }
        sleep(WORK).await;
        over.store(true, Ordering::Relaxed);
        while let Some(person) = people.join_next().await {
            logins += person??.0;
        }
        node.set_clock(i64::try_from(day)? * NIGHT)?;
        swept(node).await?;
        sizes.push(size(node, &world.directory.join("postern.db"))?);
    }
    judge(&sizes)?;
    ensure!(cluster.panics() == 0, "a node panicked");
    let series =
        |of: fn(&Size) -> u64| sizes.iter().map(|size| of(size).to_string()).collect::<Vec<_>>().join(", ");
    Ok(Verdict::Held(format!(
        "{logins} logins in {} days, after each of which all of it had expired; memory {} MiB; open files {}; \
         database in use {} KiB; log of writes {} KiB",
        sizes.len(),
        series(|size| size.memory / 1024),
        series(|size| size.files),
        series(|size| size.database / 1024),
        series(|size| size.log / 1024),
    )))
}

/// No day after the warm ones may leave more than those did.
fn judge(sizes: &[Size]) -> Result<()> {
    let most = |of: fn(&Size) -> u64| sizes.iter().take(WARM).map(of).max().unwrap_or_default();
    let before = [most(|size| size.memory), most(|size| size.files), most(|size| size.database)];
    for (day, size) in (1..).zip(sizes).skip(WARM) {
        let after = [size.memory, size.files, size.database];
        let rules =
            [("KiB of memory", MORE_MEMORY), ("open files", MORE_FILES), ("bytes in use", MORE_BYTES)];
        for ((before, after), (what, more)) in before.into_iter().zip(after).zip(rules) {
            ensure!(
                after <= before + more,
                "{after} {what} after day {day}, {before} after the first {WARM}"
            );
        }
        ensure!(size.log <= MOST_LOG, "the log of writes has {} bytes after day {day}", size.log);
    }
    Ok(())
}

/// Waits until everything that expired before now is gone.
async fn swept(node: &Node) -> Result<()> {
    let (before, watch) = (last_sweep(node).await?, Stopwatch::start());
    // The one that is under way may have begun by the old clock: the second counts.
    let mut seen = vec![before];
    while seen.len() < 3 {
        ensure!(watch.elapsed() < 3 * PATIENCE, "no sweep within {:?}", 3 * PATIENCE);
        sleep(Duration::from_millis(500)).await;
        let last = last_sweep(node).await?;
        if !seen.contains(&last) {
            seen.push(last);
        }
    }
    Ok(())
}

async fn last_sweep(node: &Node) -> Result<String> {
    const METRIC: &str = "sweep_last_success_timestamp_seconds";
    let text = node.side("/metrics").await?.text();
    let line = text.lines().find(|line| !line.starts_with('#') && line.contains(METRIC));
    Ok(line.with_context(|| format!("no {METRIC}"))?.to_owned())
}

fn size(node: &Node, database: &Path) -> Result<Size> {
    let pid = node.pid().context("no process")?;
    let log = database.with_extension("db-wal");
    Ok(Size {
        memory: process::memory(pid).0,
        files: u64::try_from(fs::read_dir(format!("/proc/{pid}/fd"))?.count())?,
        database: in_use(database)?,
        log: log.metadata().map_or(0, |log| log.len()),
    })
}

/// Bytes of the pages that hold something.
fn in_use(database: &Path) -> Result<u64> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let number = |name: &str| -> Result<u64> {
        let number: i64 = connection.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(u64::try_from(number)?)
    };
    Ok((number("page_count")? - number("freelist_count")?) * number("page_size")?)
}

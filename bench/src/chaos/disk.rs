//! E9: the disk is full (promises P2, P5).
//!
//! The database lies on a small file system that is filled while clients work. Writes are refused, what needs no write
//! goes on, and when there is room again everything does, without a restart and without damage.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::connection::Request;
use bench::stopwatch::Stopwatch;
use tokio::time::sleep;

use crate::actor::{Actor, Site};
use crate::cluster::PATIENCE;
use crate::ledger::Act;
use crate::postgres::is_root;
use crate::traffic::Traffic;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "disk", stores: &[Store::Sqlite], run: |world| Box::pin(run(world)) };

/// Codes and families at scale 1.
const CODES: usize = 48;
const FAMILIES: usize = 4;
const MEBIBYTES: usize = 16;

async fn run(world: &mut World) -> Result<Verdict> {
    if !is_root()? {
        return Ok(Verdict::NotRun("needs root, to mount a small file system".to_owned()));
    }
    let Some(disk) = Disk::mount(world.directory.join("disk"))? else {
        return Ok(Verdict::NotRun("this root may not mount a file system".to_owned()));
    };
    let Yard { cluster, site, .. } = world.yard_with(&disk.directory, None, "").await?;
    let doors = cluster.doors()?;
    let counts = (CODES * world.scale, FAMILIES * world.scale);
    let mut traffic = Traffic::prepare(&site, &doors, world.random.fork(), counts).await?;
    traffic.redeem(Duration::from_secs(4) * u32::try_from(world.scale)?);
    let mut actor = Actor::new(&site, &doors, world.random.fork());
    let reads = [".well-known/openid-configuration", ".well-known/jwks.json"].map(Site::path);
    let (mut refused, mut fills) = (0, 0);
    let mut slowest = Duration::ZERO;
    for _ in 0..2 * world.scale {
        sleep(world.random.pause(200, 600)).await;
        disk.fill()?;
        fills += 1;
        // Free space inside the files lasts a little while.
        let watch = Stopwatch::start();
        while site.ledger.tally(Act::Refresh).unknown <= refused {
            ensure!(watch.elapsed() < PATIENCE, "writes go on although the disk is full");
            disk.fill()?;
            sleep(Duration::from_millis(50)).await;
        }
        for path in &reads {
            let request = Request { path, ..Request::default() };
            let reply = actor.noted(Act::Other, path, &request).await?;
            ensure!(reply.status == 200, "{path} with a full disk: {}", reply.status);
        }
        sleep(Duration::from_millis(500)).await;
        disk.free()?;
        let watch = Stopwatch::start();
        while actor.log_in().await.is_err() {
            ensure!(watch.elapsed() < PATIENCE, "no login although there is room again");
            sleep(Duration::from_millis(20)).await;
        }
        slowest = slowest.max(watch.elapsed());
        refused = site.ledger.tally(Act::Refresh).unknown;
    }
    let families = traffic.finish().await?;
    traffic.sweep(families).await?;
    ensure!(cluster.panics() == 0, "a node panicked");
    let node = cluster.node(0)?;
    ensure!(!node.died()?, "the node ended by itself");
    node.terminate()?;
    node.ended().await?;
    check(&disk.directory.join("postern.db"))?;
    Ok(Verdict::Held(format!(
        "{}; disk filled {fills} times, discovery and keys answered meanwhile, the first login {} ms after there was room; \
         integrity_check ok",
        traffic.report(counts.1)?,
        slowest.as_millis()
    )))
}

fn check(database: &Path) -> Result<()> {
    let connection = rusqlite::Connection::open(database)?;
    let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(said == "ok", "integrity_check: {said}");
    Ok(())
}

/// A small file system, unmounted when dropped.
struct Disk {
    directory: PathBuf,
}

impl Disk {
    fn mount(directory: PathBuf) -> Result<Option<Self>> {
        fs::create_dir_all(&directory)?;
        let size = format!("size={MEBIBYTES}m");
        let status =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&directory).status();
        Ok(status.context("mount")?.success().then_some(Self { directory }))
    }

    /// Takes all the room there is.
    fn fill(&self) -> Result<()> {
        use std::io::Write;
        let mut file = fs::File::options().create(true).append(true).open(self.ballast())?;
        let block = [0_u8; 4096];
        // It ends with "no space left on device".
        while file.write_all(&block).is_ok() {}
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.directory.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A node may still have files open on it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.directory).status();
    }
}

//! E4: the primary is killed under load and its synchronous standby takes over (promises P2, P4).
//!
//! With `--asynchronous` commits wait for neither disk nor standby: then the ledger must show losses, which proves that
//! it can.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use bench::stopwatch::Stopwatch;
use tokio::time::sleep;

use crate::actor::Actor;
use crate::cluster::PATIENCE;
use crate::ledger::Outcome;
use crate::traffic::Traffic;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "failover", stores: &[Store::Postgres], run: |world| Box::pin(run(world)) };

/// Codes and families at scale 1.
const CODES: usize = 64;
const FAMILIES: usize = 8;
/// How long the clients redeem codes, with the outage in the midst.
const DURATION: Duration = Duration::from_secs(5);

async fn run(world: &mut World) -> Result<Verdict> {
    world.postgres()?.add_standby()?;
    let settings = if world.asynchronous { "accept_data_loss = true" } else { "" };
    if world.asynchronous {
        world.postgres()?.lose_acknowledged()?;
    }
    let data = world.directory.clone();
    let Yard { cluster, site, .. } = world.yard_with(&data, None, settings).await?;
    let counts = (CODES * world.scale, FAMILIES * world.scale);
    let mut traffic = Traffic::prepare(&site, &cluster.doors()?, world.random.fork(), counts).await?;
    traffic.redeem(DURATION * u32::try_from(world.scale)?);
    sleep(world.random.pause(1500, 2500)).await;

    // It is not given back: this database lives on elsewhere now.
    let Some(postgres) = world.postgres.take() else { return Ok(Verdict::NotRun(String::new())) };
    let postgres = Arc::new(postgres);
    postgres.kill_primary()?;
    let outage = Stopwatch::start();
    sleep(world.random.pause(300, 1000)).await;
    let promoting = Arc::clone(&postgres);
    tokio::task::spawn_blocking(move || promoting.promote()).await??;
    let (promoted, watch) = (outage.elapsed(), Stopwatch::start());
    let mut actor = Actor::new(&site, &cluster.doors()?, world.random.fork());
    while !matches!(actor.client_credentials().await.0, Outcome::Ok(_)) {
        ensure!(watch.elapsed() < PATIENCE, "no token after the promotion");
        sleep(Duration::from_millis(20)).await;
    }
    let first = watch.elapsed();
    for node in &cluster.nodes {
        node.ready().await?;
    }
    let all = watch.elapsed();
    let families = traffic.finish().await?;
    traffic.sweep(families).await?;
    ensure!(cluster.panics() == 0, "a node panicked");
    for node in &cluster.nodes {
        ensure!(!node.died()?, "a node ended by itself");
    }
    Ok(Verdict::Held(format!(
        "{}; primary killed, standby promoted {} ms later, first token {} ms after that, all nodes ready after {} ms; \
         0 acknowledged writes lost",
        traffic.report(counts.1)?,
        promoted.as_millis(),
        first.as_millis(),
        all.as_millis()
    )))
}

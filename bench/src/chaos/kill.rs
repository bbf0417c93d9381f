//! E1: nodes are killed while codes are redeemed and refresh tokens rotate (promises P1, P2, P4).
//!
//! Each code is submitted twice at once; refresh tokens go on in chains whose unknown outcomes are asked for again.
//! Afterwards everything that was answered must be there, and everything that was used must be used.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::random::Random;
use crate::traffic::Traffic;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "kill", stores: &[Store::Sqlite, Store::Postgres], run: |world| Box::pin(run(world)) };

/// Codes, families and kills at scale 1.
const CODES: usize = 96;
const FAMILIES: usize = 8;
const KILLS: usize = 6;
/// A kill with the pause before it takes about so long.
const EACH: Duration = Duration::from_millis(750);

async fn run(world: &mut World) -> Result<Verdict> {
    let Yard { cluster, site, .. } = world.yard().await?;
    let (kills, families) = (KILLS * world.scale, FAMILIES * world.scale);
    let counts = (CODES * world.scale, families);
    let mut traffic = Traffic::prepare(&site, &cluster.doors()?, world.random.fork(), counts).await?;
    traffic.redeem(EACH * u32::try_from(kills)?);
    let restarts = kill_again_and_again(&cluster, &mut world.random, kills).await?;
    let got = traffic.finish().await?;
    traffic.sweep(got).await?;
    ensure!(cluster.panics() == 0, "a node panicked");
    let milliseconds = |time: Option<&Duration>| time.copied().unwrap_or_default().as_millis();
    Ok(Verdict::Held(format!(
        "{}; {kills} kills, ready again after {} to {} ms; nothing lost, nothing used twice, nobody sent away",
        traffic.report(families)?,
        milliseconds(restarts.iter().min()),
        milliseconds(restarts.iter().max()),
    )))
}

/// SIGKILL of a random node, and its return; how long each took from its start to its readiness.
async fn kill_again_and_again(cluster: &Cluster, random: &mut Random, kills: usize) -> Result<Vec<Duration>> {
    let mut restarts = Vec::new();
    for _ in 0..kills {
        sleep(random.pause(300, 1000)).await;
        let node = cluster.node(random.below(cluster.nodes.len()))?;
        ensure!(!node.died()?, "a node ended by itself");
        node.kill()?;
        node.start()?;
        restarts.push(node.ready().await?);
    }
    Ok(restarts)
}

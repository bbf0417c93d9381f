//! E22: one node is cut off from its database, in each way that a network has (promises P1, P5).
//!
//! It says so within seconds and answers 503, the others notice nothing, and it comes back by itself.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bench::stopwatch::Stopwatch;
use tokio::time::sleep;

use crate::actor::Actor;
use crate::cluster::Node;
use crate::ledger::{Act, Outcome};
use crate::proxy::{Proxy, Weather};
use crate::traffic::Traffic;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "partition", stores: &[Store::Postgres], run: |world| Box::pin(run(world)) };

/// Codes and families at scale 1.
const CODES: usize = 64;
const FAMILIES: usize = 6;
/// How long the clients redeem codes, over all kinds of weather.
const DURATION: Duration = Duration::from_secs(20);
/// What happens between the node and its database, and whether nothing comes through at all.
const WEATHER: [(&str, Weather, bool); 4] = [
    ("reset", Weather::Reset, true),
    ("silent", Weather::Silent, true),
    ("no answers", Weather::SilentAnswers, true),
    ("500 ms late", Weather::Slow(Duration::from_millis(500)), false),
];
/// Until the node says that it is not ready, and until it says that it is.
const NOTICES: Duration = Duration::from_secs(10);
const HEALS: Duration = Duration::from_secs(5);
/// How long bad weather lasts after the node has noticed.
const LASTS: Duration = Duration::from_secs(1);
/// A refusal that takes longer is none that a client can wait for: by then the node knows, and refuses without a try.
const LONGEST_REFUSAL: Duration = Duration::from_secs(3);

async fn run(world: &mut World) -> Result<Verdict> {
    let proxy = Proxy::start(world.postgres()?.port()).await?;
    world.detour = Some(proxy.port());
    let Yard { cluster, site, .. } = world.yard().await?;
    let counts = (CODES * world.scale, FAMILIES * world.scale);
    let mut traffic = Traffic::prepare(&site, &cluster.doors()?, world.random.fork(), counts).await?;
    traffic.redeem(DURATION * u32::try_from(world.scale)?);
    let node = cluster.node(0)?;
    let mut inside = Actor::new(&site, &[node.door()?], world.random.fork());
    let doors = [cluster.node(1)?.door()?, cluster.node(2)?.door()?];
    let mut outside = Actor::new(&site, &doors, world.random.fork());
    let mut told = Vec::new();
    for _ in 0..world.scale {
        for (name, weather, cut) in WEATHER {
            proxy.set(weather);
            let watch = Stopwatch::start();
            let noticed = if cut { Some(notice(node, &watch, &mut outside).await?) } else { None };
            let until = watch.elapsed() + LASTS;
            while watch.elapsed() < until {
                good(&outside.client_credentials().await.0)?;
                outside.log_in().await?;
                if cut {
                    refused(&mut inside).await?;
                }
            }
            proxy.set(Weather::Fair);
            let watch = Stopwatch::start();
            node.ready().await?;
            let back = watch.elapsed();
            ensure!(back < HEALS, "{name}: ready only {back:?} after it was over");
            let noticed = noticed.map_or("-".to_owned(), |time| format!("{} ms", time.as_millis()));
            told.push(format!("{name}: not ready after {noticed}, again after {} ms", back.as_millis()));
            inside.log_in().await?;
        }
    }
    let families = traffic.finish().await?;
    traffic.sweep(families).await?;
    ensure!(cluster.panics() == 0, "a node panicked");
    for node in &cluster.nodes {
        ensure!(!node.died()?, "a node ended by itself");
    }
    Ok(Verdict::Held(format!(
        "{}; {}; the others noticed nothing",
        traffic.report(counts.1)?,
        told.join("; ")
    )))
}

/// How long the node goes on saying that it is ready; the others work meanwhile.
async fn notice(node: &Node, watch: &Stopwatch, outside: &mut Actor) -> Result<Duration> {
    while node.is_ready().await {
        ensure!(watch.elapsed() < NOTICES, "ready after {NOTICES:?} without a database");
        good(&outside.client_credentials().await.0)?;
        sleep(Duration::from_millis(20)).await;
    }
    Ok(watch.elapsed())
}

/// What needs the database is refused, soon, with a word about when to come again.
async fn refused(inside: &mut Actor) -> Result<()> {
    let watch = Stopwatch::start();
    // Only the database knows that there is no such token; of one in another form the node would know it by itself.
    match inside.look(Act::Other, "rt_nobodys").await {
        Outcome::Unavailable => {}
        other => bail!("the node that is cut off answered {other:?}"),
    }
    ensure!(watch.elapsed() < LONGEST_REFUSAL, "refused after {:?}", watch.elapsed());
    Ok(())
}

fn good(outcome: &Outcome) -> Result<()> {
    match outcome {
        Outcome::Ok(_) => Ok(()),
        other => bail!("a node that is not cut off answered {other:?}"),
    }
}

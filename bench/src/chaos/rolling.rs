//! E6: every node is restarted in turn behind a load balancer, and nobody notices (promise P3).
//!
//! People log in with a new browser each time, redeem their codes and refresh, on connections that end now and then,
//! so that the next request goes to another node. Every answer is a good one; none is retried after a byte of it came.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bench::connection::Target;
use bench::stopwatch::Stopwatch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::actor::Actor;
use crate::balancer::Balancer;
use crate::cluster::{Node, free_port};
use crate::ledger::{Act, Outcome};
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment =
    Experiment { name: "rolling", stores: &[Store::Postgres], run: |world| Box::pin(run(world)) };

/// People at work.
const PEOPLE: usize = 4;
/// Rounds at scale 1.
const ROUNDS: usize = 2;
/// An orderly stop takes no longer than the configuration's `drain_seconds`, and a little.
const LONGEST_DRAIN: Duration = Duration::from_secs(35);

async fn run(world: &mut World) -> Result<Verdict> {
    let rounds = vec![world.program.clone(); ROUNDS * world.scale];
    Ok(Verdict::Held(roll(world, &rounds).await?))
}

/// Restarts every node once per round, with that round's program; what was done.
pub(crate) async fn roll(world: &mut World, rounds: &[PathBuf]) -> Result<String> {
    let front = free_port()?;
    let data = world.directory.clone();
    let Yard { cluster, site, .. } = world.yard_with(&data, Some(front), "").await?;
    let _balancer = Balancer::start(front, &cluster).await?;
    let door = Target::of_url(&format!("https://localhost:{front}"))?;
    let over = Arc::new(AtomicBool::new(false));
    let mut people = JoinSet::new();
    for _ in 0..PEOPLE {
        let actor = Actor::new(&site, std::slice::from_ref(&door), world.random.fork());
        people.spawn(work(actor, Arc::clone(&over)));
    }
    let (mut stops, mut told) = (Vec::new(), 0);
    for program in rounds {
        for node in &cluster.nodes {
            let guest = Actor::new(&site, &[node.door()?], world.random.fork());
            let (drain, closed) = stop(node, guest).await?;
            stops.push(drain);
            told += usize::from(closed);
            node.replace(program);
            node.start()?;
            node.ready().await?;
            sleep(Duration::from_millis(150)).await;
        }
    }
    over.store(true, Ordering::Relaxed);
    let (mut logins, mut slowest) = (0, Duration::ZERO);
    while let Some(person) = people.join_next().await {
        let (count, longest) = person??;
        logins += count;
        slowest = slowest.max(longest);
    }
    ensure!(logins >= PEOPLE, "only {logins} logins: the load was none");
    ensure!(told > 0, "no answer during a stop said Connection: close");
    ensure!(cluster.panics() == 0, "a node panicked");
    let requests: usize =
        [Act::Redeem, Act::Refresh, Act::Other].iter().map(|act| site.ledger.tally(*act).tried).sum();
    Ok(format!(
        "{} orderly stops in {} rounds, each over within {} ms, {told} answers said Connection: close; \
         {requests} requests, {logins} logins (slowest flow {} ms): 0 failed",
        stops.len(),
        rounds.len(),
        stops.iter().max().copied().unwrap_or_default().as_millis(),
        slowest.as_millis()
    ))
}

/// Logs in, redeems, refreshes; nothing may fail. How often, and how long the slowest took.
pub(crate) async fn work(mut actor: Actor, over: Arc<AtomicBool>) -> Result<(usize, Duration)> {
    let (mut logins, mut slowest) = (0, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let watch = Stopwatch::start();
        actor.forget();
        let mut tokens = actor.log_in().await?;
        for _ in 0..3 {
            // To another node, now and then.
            if actor.random.below(2) == 0 {
                actor.reconnect();
            }
            let (outcome, next) = actor.refresh(Act::Refresh, &tokens.refresh_token).await;
            good(&outcome)?;
            tokens = next;
            good(&actor.client_credentials().await.0)?;
        }
        good(&actor.look(Act::Look, &tokens.access_token).await)?;
        logins += 1;
        slowest = slowest.max(watch.elapsed());
        sleep(actor.random.pause(0, 30)).await;
    }
    Ok((logins, slowest))
}

fn good(outcome: &Outcome) -> Result<()> {
    match outcome {
        Outcome::Ok(_) => Ok(()),
        other => bail!("a request failed during the restarts: {other:?}"),
    }
}

/// SIGTERM while somebody's password is checked: that answer still comes, the node is not ready at once, and it ends.
/// How long it took, and whether the answer said that the connection closes.
async fn stop(node: &Node, mut guest: Actor) -> Result<(Duration, bool)> {
    let (path, form) = guest.login_form().await?;
    let answer = async { guest.visit(&path, Some(&form)).await };
    let terminate = async {
        sleep(Duration::from_millis(10)).await;
        node.terminate()?;
        let watch = Stopwatch::start();
        while node.is_ready().await {
            ensure!(watch.elapsed() < Duration::from_secs(2), "ready after SIGTERM");
        }
        node.ended().await
    };
    let (reply, drain) = tokio::join!(answer, terminate);
    let (reply, drain) = (reply?, drain?);
    ensure!(reply.status < 400, "a login in flight at SIGTERM: {} {}", reply.status, reply.text());
    ensure!(drain < LONGEST_DRAIN, "the stop took {drain:?}");
    let closed = reply.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Ok((drain, closed))
}

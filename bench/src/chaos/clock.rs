//! E10: somebody sets the clock, forth and back, while the servers work, and one node's clock is ahead of the others'.
//!
//! The program is the one that is shipped: libfaketime stands between it and the operating system, and leaves the
//! monotonic clock alone, as setting the time does.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bench::connection::Request;
use bench::stopwatch::now;
use serde_json::Value;
use tokio::time::sleep;

use crate::actor::{Actor, Site};
use crate::ledger::{Act, Outcome};
use crate::proof;
use crate::world::{World, Yard};
use crate::{Experiment, Store, Verdict};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "clock",
    stores: &[Store::Sqlite, Store::Postgres],
    run: |world| Box::pin(run(world)),
};

/// By how many seconds the clock is off, one after the other.
const JUMPS: [i64; 7] = [1, -1, 300, -300, 86_400, -86_400, 0];
/// And to which times it is set, in seconds since the epoch: the end of 32 bits with a sign, and the year 2100.
const TIMES: [i64; 3] = [2_147_483_647, 2_147_483_649, 4_102_444_800];
/// How far the second node is ahead of the others.
const SKEW: i64 = 30;
/// A time that nothing was used at, nor a minute before or after.
const APART: i64 = 600;
/// How long a new time is in force before it is used: a node reads it with each look at the clock.
const SETTLES: Duration = Duration::from_millis(50);

/// Says to a node what time it is.
pub(crate) struct FakeClock {
    library: PathBuf,
    file: PathBuf,
}

impl FakeClock {
    /// The library, where it is installed, and a file of the node's own.
    pub(crate) fn new(file: PathBuf) -> Option<Self> {
        let places = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
        let library = places.map(|place| Path::new("/usr/lib").join(place).join("faketime/libfaketime.so.1"));
        let library = library.into_iter().find(|library| library.is_file())?;
        Some(Self { library, file })
    }

    /// Off by so many seconds from now on.
    pub(crate) fn set(&self, offset: i64) -> Result<()> {
        let written = self.file.with_extension("new");
        fs::write(&written, format!("{offset:+}\n"))?;
        Ok(fs::rename(written, &self.file)?)
    }

    /// What the process is started with.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 4] {
        [
            ("LD_PRELOAD", self.library.clone()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }
}

async fn run(world: &mut World) -> Result<Verdict> {
    if FakeClock::new(PathBuf::new()).is_none() {
        return Ok(Verdict::NotRun("needs libfaketime; as root: apt-get install -y libfaketime".to_owned()));
    }
    world.fake_clocks = true;
    let Yard { cluster, site, .. } = world.yard().await?;
    let set = |offset: i64| -> Result<()> {
        for (number, node) in cluster.nodes.iter().enumerate() {
            node.set_clock(if number == 1 { offset + SKEW } else { offset })?;
        }
        Ok(())
    };
    set(0)?;
    let doors = cluster.doors()?;
    let over = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(busy(Actor::new(&site, &doors, world.random.fork()), Arc::clone(&over)));
    let mut actor = Actor::new(&site, &doors, world.random.fork());
    let published = keys(&mut actor).await?;
    let now = i64::try_from(now().as_secs())?;
    let offsets: Vec<i64> = JUMPS.iter().copied().chain(TIMES.map(|time| time - now)).chain([0]).collect();
    let (mut used_codes, mut used_tokens) = (Vec::new(), Vec::new());
    for &offset in &offsets {
        set(offset)?;
        sleep(SETTLES).await;
        actor.forget();
        let code = actor.code().await?;
        let (outcome, tokens) = actor.redeem(Act::Redeem, &code).await;
        ensure!(matches!(outcome, Outcome::Ok(_)), "{offset} s off, a code brought {outcome:?}");
        let mut refresh_token = tokens.refresh_token.clone();
        for _ in 0..2 {
            let (_, next) = actor.refresh(Act::Refresh, &refresh_token).await;
            lives(&next.access_token)?;
            refresh_token = next.refresh_token;
        }
        lives(&tokens.access_token)?;
        used_codes.push(code);
        used_tokens.push(tokens.refresh_token);
        ensure!(keys(&mut actor).await? == published, "{offset} s off, the keys are others");
    }
    // A second use revokes: first at a time that differs from that of every first use by more than nodes may differ, and
    // then at each time once more.
    for &offset in [APART].iter().chain(&offsets) {
        set(offset)?;
        sleep(SETTLES).await;
        for code in &used_codes {
            actor.redeem(Act::Reuse, code).await;
        }
        for token in &used_tokens {
            actor.refresh(Act::Reuse, token).await;
        }
    }
    over.store(true, Ordering::Relaxed);
    let tokens = load.await??;
    ensure!(cluster.panics() == 0, "a node panicked");
    for node in &cluster.nodes {
        ensure!(!node.died()?, "a node ended by itself");
    }
    Ok(Verdict::Held(format!(
        "the clock set {} times, up to the year 2100 and a day back{}; {tokens} tokens issued meanwhile, none ends before \
         it begins; {} codes and as many refresh tokens used once, and never again at any of these times; no key changed",
        2 * offsets.len() + 1,
        if cluster.nodes.len() > 1 { ", one node 30 s ahead of the others" } else { "" },
        used_codes.len()
    )))
}

/// Asks for tokens all the time; how many came.
async fn busy(mut actor: Actor, over: Arc<AtomicBool>) -> Result<usize> {
    let mut count = 0;
    while !over.load(Ordering::Relaxed) {
        match actor.client_credentials().await {
            (Outcome::Ok(_), tokens) => {
                lives(&tokens.access_token)?;
                count += 1;
            }
            (Outcome::Unavailable, _) => {}
            (other, _) => bail!("a client was answered {other:?}"),
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(count)
}

/// Whether a token ends after it begins.
fn lives(token: &str) -> Result<()> {
    let claims = proof::claims(token)?;
    let number =
        |name| claims.get(name).and_then(Value::as_i64).with_context(|| format!("{name} in {claims}"));
    ensure!(number("exp")? > number("iat")?, "ends before it begins: {claims}");
    Ok(())
}

/// The identifiers of the published keys.
async fn keys(actor: &mut Actor) -> Result<Vec<String>> {
    let path = Site::path(".well-known/jwks.json");
    let reply = actor.send(&Request { path: &path, ..Request::default() }).await?;
    ensure!(reply.status == 200, "the key set: {}", reply.status);
    let set: Value = serde_json::from_slice(&reply.body)?;
    let keys = set.get("keys").and_then(Value::as_array).context("no keys")?;
    Ok(keys.iter().filter_map(|key| Some(key.get("kid")?.as_str()?.to_owned())).collect())
}

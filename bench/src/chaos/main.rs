//! Kills, outages, full disks and crowds against real processes of `postern serve`, and whether anything that was
//! acknowledged is lost or anything that was used up works again. Run it with `cargo xtask chaos`.

mod actor;
mod arrivals;
mod balancer;
mod calls;
mod clock;
mod cluster;
mod disk;
mod down;
mod failover;
mod kill;
mod ledger;
mod mixed;
mod overload;
mod partition;
mod platter;
mod postgres;
mod power;
mod promises;
mod proof;
mod proxy;
mod random;
mod restart;
mod rolling;
mod setup;
mod soak;
mod traffic;
mod world;

use std::path::PathBuf;
use std::pin::Pin;

use anyhow::{Result, bail, ensure};
use bench::stopwatch::Stopwatch;
use clap::{Parser, ValueEnum};

use crate::postgres::Postgres;
use crate::random::Random;
use crate::world::World;

/// Every experiment; one that is new is a file and a line here.
const EXPERIMENTS: [Experiment; 12] = [
    kill::EXPERIMENT,
    rolling::EXPERIMENT,
    mixed::EXPERIMENT,
    down::EXPERIMENT,
    restart::EXPERIMENT,
    overload::EXPERIMENT,
    disk::EXPERIMENT,
    power::EXPERIMENT,
    clock::EXPERIMENT,
    partition::EXPERIMENT,
    failover::EXPERIMENT,
    soak::EXPERIMENT,
];

/// Those that run only when they are named (`mixed` also when there is a version before).
const ON_DEMAND: [&str; 3] = [mixed::EXPERIMENT.name, power::EXPERIMENT.name, soak::EXPERIMENT.name];

/// One experiment.
struct Experiment {
    name: &'static str,
    /// The databases that it is about.
    stores: &'static [Store],
    /// Says what was tried; an error if something did not hold.
    run: for<'w> fn(&'w mut World) -> Running<'w>,
}

/// An experiment under way.
type Running<'w> = Pin<Box<dyn Future<Output = Result<Verdict>> + 'w>>;

/// How an experiment ended that did not fail.
enum Verdict {
    /// What was tried, with figures.
    Held(String),
    /// What is missing on this machine.
    NotRun(String),
}

/// Which database stands behind the nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Store {
    /// Embedded, one node.
    Sqlite,
    /// PostgreSQL, three nodes.
    Postgres,
}

/// Kills, outages, full disks and crowds against real servers.
#[derive(Parser)]
struct Options {
    /// The server.
    #[arg(long)]
    postern: PathBuf,
    /// The program of the version before, for `mixed`, which without it runs only when it is named.
    #[arg(long)]
    previous: Option<PathBuf>,
    /// Directory of PostgreSQL's programs; without it the experiments that need it are not run.
    #[arg(long)]
    postgres: Option<PathBuf>,
    /// Where databases may be made and are removed again, unless something did not hold.
    #[arg(long)]
    scratch: PathBuf,
    /// Repeats the random choices of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// How many times more of everything.
    #[arg(long, default_value_t = 1)]
    scale: usize,
    /// Only these experiments.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only on this database.
    #[arg(long)]
    store: Option<Store>,
    /// The negative control of `failover`: commits do not wait for the disk or the standby, so writes must be lost.
    #[arg(long)]
    asynchronous: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let known = |name: &String| EXPERIMENTS.iter().any(|experiment| experiment.name == name);
    if let Some(unknown) = options.only.iter().find(|name| !known(name)) {
        let names: Vec<_> = EXPERIMENTS.iter().map(|experiment| experiment.name).collect();
        bail!("no experiment `{unknown}`; there are {}", names.join(", "));
    }
    ensure!(!options.asynchronous || options.only == ["failover"], "--asynchronous is for --only failover");
    ensure!(options.scale > 0, "--scale is at least 1");
    let seed = options.seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}, scale {}", options.scale);
    let mut postgres = None;
    let (mut held, mut failed, mut not_run) = (0, 0, 0);
    for experiment in &EXPERIMENTS {
        let mixed = experiment.name == mixed::EXPERIMENT.name && options.previous.is_some();
        let usual = mixed || !ON_DEMAND.contains(&experiment.name);
        let named = options.only.iter().any(|name| name == experiment.name);
        let named = named || (options.only.is_empty() && usual);
        for &store in experiment.stores.iter().filter(|_| named) {
            if options.store.is_some_and(|only| only != store) {
                continue;
            }
            let title = format!(
                "{} ({})",
                experiment.name,
                if store == Store::Sqlite { "sqlite" } else { "postgres" }
            );
            let watch = Stopwatch::start();
            let verdict = attempt(&options, experiment, store, seed, &mut postgres).await;
            let seconds = watch.elapsed().as_secs_f64();
            match verdict {
                Ok(Verdict::Held(tried)) => {
                    held += 1;
                    println!("{title}: held, {seconds:.1} s\n  {tried}");
                }
                Ok(Verdict::NotRun(missing)) => {
                    not_run += 1;
                    println!("{title}: NOT RUN: {missing}");
                }
                Err(error) => {
                    failed += 1;
                    println!("{title}: FAILED, {seconds:.1} s, seed {seed}\n  {error:#}");
                }
            }
        }
    }
    println!(
        "test result: {}. {held} passed; {failed} failed; {not_run} not run",
        if failed == 0 { "ok" } else { "FAILED" }
    );
    ensure!(failed == 0, "{failed} experiments failed; repeat with --seed {seed}");
    Ok(())
}

/// Runs one experiment in a directory of its own, which stays if something did not hold.
async fn attempt(
    options: &Options,
    experiment: &Experiment,
    store: Store,
    seed: u64,
    postgres: &mut Option<Postgres>,
) -> Result<Verdict> {
    let directory = options.scratch.join(format!("{}-{store:?}-{}", experiment.name, std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let directory = directory.canonicalize()?;
    let lent = match (store, &options.postgres) {
        (Store::Sqlite, _) => None,
        (Store::Postgres, None) => return Ok(Verdict::NotRun("needs PostgreSQL".to_owned())),
        (Store::Postgres, Some(programs)) => match postgres.take() {
            Some(running) => Some(running),
            None => Some(Postgres::start(programs)?),
        },
    };
    let mut world = World::new(options, &directory, store, lent, Random::new(seed));
    let verdict = (experiment.run)(&mut world).await;
    let violations = world.ledger.violations();
    let ledger = directory.join("ledger.jsonl");
    world.ledger.write(&ledger)?;
    if store == Store::Postgres {
        // What an experiment has used up, or left who knows how, does not come back.
        *postgres = world.postgres.take().filter(|_| verdict.is_ok());
    }
    drop(world);
    if verdict.is_err() || !violations.is_empty() {
        println!("  the ledger and the logs are in {}", directory.display());
    } else {
        std::fs::remove_dir_all(&directory)?;
    }
    let verdict = verdict?;
    if options.asynchronous {
        ensure!(
            !violations.is_empty(),
            "the negative control shows no loss: the ledger is blind, or it was luck"
        );
        return Ok(Verdict::Held(format!("negative control, as it must: {}", violations.join("\n  "))));
    }
    ensure!(violations.is_empty(), "{}", violations.join("\n  "));
    Ok(verdict)
}

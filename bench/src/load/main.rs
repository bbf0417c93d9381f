//! A closed-loop load client: each connection sends its next request when the last one was answered.
//!
//! Prints one line of JSON: operations per second, latencies, errors, and what the server spent on them.

mod operation;
mod primitive;
mod tally;
mod user;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bench::process;
use bench::stopwatch::Stopwatch;
use clap::Parser;
use serde_json::json;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;

use crate::operation::{Operation, Worker};
use crate::primitive::Primitive;
use crate::tally::Tally;
use crate::user::Site;

/// Time before anything is counted.
const WARM_UP: Duration = Duration::from_millis(500);

/// Measures one operation of a server on this machine.
#[derive(Parser)]
struct Options {
    /// What to do again and again.
    #[arg(value_enum, required_unless_present = "primitive")]
    operation: Option<Operation>,
    /// Instead of an operation of a server.
    #[arg(long, value_enum, conflicts_with = "operation")]
    primitive: Option<Primitive>,
    /// Issuer; the endpoints are read from its discovery document.
    #[arg(long, default_value = "")]
    issuer: String,
    #[arg(long, default_value = "bench")]
    client_id: String,
    #[arg(long, default_value = "bench-secret-that-is-as-long-as-one-that-is-generated")]
    client_secret: String,
    #[arg(long, default_value = "https://client.example/callback")]
    redirect_uri: String,
    /// Scope of client_credentials requests.
    #[arg(long, default_value = "")]
    scope: String,
    #[arg(long, default_value = "user")]
    username: String,
    #[arg(long, default_value = "user")]
    password: String,
    /// How many connections, at most 64.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Seconds that are counted, at most 30.
    #[arg(long, default_value_t = 5.0)]
    secs: f64,
    /// Distinct tokens that introspect and userinfo go round with.
    #[arg(long, default_value_t = 10_000)]
    tokens: usize,
    /// Process of the server, to report its processor time and memory.
    #[arg(long)]
    pid: Option<u32>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    ensure!((1..=64).contains(&options.connections), "--connections is from 1 to 64");
    ensure!((0.1..=30.0).contains(&options.secs), "--secs is from 0.1 to 30");
    let report = match (options.primitive, options.operation) {
        (Some(primitive), _) => primitive::measure(primitive, options.secs)?,
        (None, Some(operation)) => LocalSet::new().run_until(measure(&options, operation)).await?,
        (None, None) => bail!("nothing to measure"),
    };
    println!("{report}");
    Ok(())
}

async fn measure(options: &Options, operation: Operation) -> Result<serde_json::Value> {
    let site = Rc::new(Site::discover(options).await?);
    let tokens = options.tokens.div_ceil(options.connections);
    let preparations: Vec<_> = (0..options.connections)
        .map(|_| spawn_local(Worker::prepare(site.clone(), operation, tokens)))
        .collect();
    let mut workers = Vec::new();
    for preparation in preparations {
        workers.push(preparation.await??);
    }

    let tally = Rc::new(RefCell::new(Tally::default()));
    let end = WARM_UP + Duration::from_secs_f64(options.secs);
    let watch = Stopwatch::start();
    let running: Vec<_> =
        workers.into_iter().map(|worker| spawn_local(run(worker, watch, end, tally.clone()))).collect();
    sleep(WARM_UP).await;
    let spent_before = options.pid.map(process::processor_time).unwrap_or_default();
    let counted = Stopwatch::start();
    sleep(Duration::from_secs_f64(options.secs)).await;
    let seconds = counted.elapsed().as_secs_f64();
    let spent = options.pid.map(process::processor_time).unwrap_or_default().saturating_sub(spent_before);
    for worker in running {
        worker.await?;
    }

    let mut report = tally.borrow_mut().report(seconds);
    if let (Some(pid), Some(members)) = (options.pid, report.as_object_mut()) {
        let operations = tally.borrow().operations().max(1);
        let micros = spent.as_secs_f64() * 1e6 / operations as f64;
        members.insert("server_cpu_us_per_op".into(), json!((micros * 10.0).round() / 10.0));
        members.insert("server_cpu_percent".into(), json!((spent.as_secs_f64() / seconds * 100.0).round()));
        members.insert("server_rss_kib".into(), json!(process::memory(pid).0));
    }
    Ok(report)
}

/// Does the operation until the time is over.
async fn run(mut worker: Worker, watch: Stopwatch, end: Duration, tally: Rc<RefCell<Tally>>) {
    loop {
        let before = watch.elapsed();
        if before >= end {
            return;
        }
        let outcome = worker.once().await;
        let after = watch.elapsed();
        let failed = outcome.is_err();
        if before >= WARM_UP || failed {
            tally.borrow_mut().add(after - before, outcome);
        }
        if failed {
            sleep(Duration::from_millis(5)).await; // a server in trouble is not hammered
        }
    }
}

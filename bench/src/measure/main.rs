//! Postern beside the floor, on the same machine, in the same minutes.
//!
//! Both run pinned to one core, the load client on another; each operation is measured on the floor and then on
//! Postern, so that a noisy neighbour disturbs both. What counts is the ratio. Run it with `cargo xtask bench`.

mod client;
mod server;
mod table;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use bench::process;
use clap::Parser;
use serde_json::{Map, Value, json};

use crate::server::{Pinned, Server};

/// Connections of a run that asks how much a core can do.
const CONNECTIONS: usize = 32;

/// The operations, as the load client names them.
const OPERATIONS: [&str; 8] =
    ["discovery", "jwks", "client-credentials", "introspect", "userinfo", "refresh", "code", "login"];

/// Measures Postern beside the floor.
#[derive(Parser)]
struct Options {
    /// Directory of the programs `floor` and `load`.
    #[arg(long)]
    programs: PathBuf,
    /// The server.
    #[arg(long)]
    postern: PathBuf,
    /// Where databases may be made and are removed again.
    #[arg(long)]
    scratch: PathBuf,
    /// Where the figures go, as JSON.
    #[arg(long)]
    out: PathBuf,
    /// Seconds of each run, at most 30.
    #[arg(long, default_value_t = 5.0)]
    secs: f64,
    /// Only these operations.
    #[arg(long)]
    only: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    ensure!((0.5..=30.0).contains(&options.secs), "--secs is from 0.5 to 30");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pinned = if cores > 1 { Some(Pinned { server: 0, load: 1 }) } else { None };
    if pinned.is_none() {
        println!("one core only: server and load share it, so only the ratios say something");
    }

    if process::machine_load() > 0.7 {
        println!(
            "this machine is busy: trust the processor time per operation, not the operations per second"
        );
    }

    println!("starting both servers");
    let floor = Server::floor(&options.programs.join("floor"), &options.scratch, pinned).await?;
    let postern = Server::postern(&options.postern, &options.scratch, pinned).await?;
    client::create(postern.base()).await.context("the client for the measurement")?;

    let mut operations = Vec::new();
    for name in OPERATIONS
        .iter()
        .filter(|name| options.only.is_empty() || options.only.iter().any(|only| only == *name))
    {
        println!("measuring {name}");
        let mut both = Map::from_iter([("name".to_owned(), json!(name))]);
        for server in [&floor, &postern] {
            both.insert(server.name().into(), measure(&options, server, name, pinned)?);
        }
        operations.push(Value::Object(both));
    }
    let servers: Map<String, Value> =
        [&floor, &postern].into_iter().map(|server| (server.name().to_owned(), server.figures())).collect();
    let report = json!({"operations": operations, "servers": servers, "seconds": options.secs, "connections": CONNECTIONS});
    std::fs::write(&options.out, format!("{report:#}\n"))?;
    table::print(&report);
    Ok(())
}

/// What a core can do with many connections, and the latency with one.
fn measure(options: &Options, server: &Server, operation: &str, pinned: Option<Pinned>) -> Result<Value> {
    let many = load(options, server, operation, CONNECTIONS, options.secs, pinned)?;
    let one = load(options, server, operation, 1, (options.secs / 3.0).max(0.5), pinned)?;
    Ok(json!({"many": many, "one": one}))
}

/// Runs the load client.
fn load(
    options: &Options,
    server: &Server,
    operation: &str,
    connections: usize,
    secs: f64,
    pinned: Option<Pinned>,
) -> Result<Value> {
    let program = options.programs.join("load");
    let mut command = match pinned {
        None => Command::new(&program),
        Some(pinned) => pinned.command(pinned.load, &program),
    };
    // One connection needs few tokens: it is about latency, not about defeating a cache.
    let tokens = if connections == 1 { "500" } else { "10000" };
    command.args([operation, "--issuer", server.issuer(), "--tokens", tokens]);
    command.args(["--connections", &connections.to_string(), "--secs", &secs.to_string()]);
    command.args(["--pid", &server.pid().to_string()]);
    let output = command.output().with_context(|| format!("{} does not start", program.display()))?;
    if !output.status.success() {
        // A server that cannot do it yet is a line in the table, not the end of the measurement.
        let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Ok(json!({"errors": 1, "first_error": error, "ops_per_s": 0.0}));
    }
    serde_json::from_slice(&output.stdout).context("the load client's report")
}

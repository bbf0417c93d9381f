//! Postern beside the floor, on the same machine, in the same minutes.
//!
//! Both run pinned to one core, the load client on another; each operation is measured on the floor and then on
//! Postern, so that a noisy neighbour disturbs both. What counts is the ratio. Run it with `cargo xtask bench`.

mod client;
mod server;
mod table;
mod tenants;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use bench::process;
use clap::Parser;
use serde_json::{Map, Value, json};

use crate::server::{Pinned, Server};

/// Connections of a run that asks how much a core can do.
const CONNECTIONS: usize = 32;

/// The operations, as the load client names them, and the primitive under each of those that have one.
const OPERATIONS: [(&str, Option<&str>); 8] = [
    ("discovery", None),
    ("jwks", None),
    ("client-credentials", Some("sign-es256")),
    ("introspect", None),
    ("userinfo", None),
    ("refresh", None),
    ("code", None),
    ("login", Some("argon2id")),
];

/// Not in the load client: client_credentials of a workspace that signs with RSA, and the latency of
/// client_credentials while logins saturate the core.
const RS256: &str = "rs256";
const STORM: &str = "storm";
/// One tenant beside many; not on the floor.
const TENANTS: &str = "tenants";

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
    /// How many tenants the experiment `tenants` makes.
    #[arg(long, default_value_t = 10_000)]
    tenants: usize,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
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

    let wanted = |name: &str| options.wants(name);
    let tenants = if wanted(TENANTS) { Some(tenants::measure(&options, pinned).await?) } else { None };
    if let Some(report) = tenants.as_ref().filter(|_| options.only == [TENANTS]) {
        return tenants::write(report, &options.out);
    }
    println!("starting both servers");
    let floor = Server::floor(&options.programs.join("floor"), &options.scratch, pinned).await?;
    let postern = Server::postern(&options.postern, &options.scratch, pinned).await?;
    client::create(postern.base(), Some(RS256)).await.context("the client for the measurement")?;

    let mut operations = Vec::new();
    for (name, primitive) in OPERATIONS.into_iter().filter(|(name, _)| wanted(name)) {
        println!("measuring {name}");
        let mut both = Map::from_iter([("name".to_owned(), json!(name))]);
        for server in [&floor, &postern] {
            both.insert(server.name().into(), measure(&options, server, name, pinned)?);
        }
        if let Some(primitive) = primitive {
            both.insert("primitive".to_owned(), bare(&options, primitive, pinned)?);
        }
        operations.push(Value::Object(both));
    }
    if wanted(RS256) {
        println!("measuring {RS256}");
        let mut row = json!({"name": RS256, "primitive": bare(&options, "sign-rs256", pinned)?});
        let issuer = format!("{}/default/{RS256}", postern.base());
        let run = Run { connections: CONNECTIONS, secs: options.secs, tokens: "0" };
        let mut command = command(&options, (&postern, &issuer), "client-credentials", &run, pinned);
        let figures = figures(command.args(["--client-id", "bench-rsa"]))?;
        put(&mut row, "postern", json!({ "many": figures }));
        operations.push(row);
    }
    if wanted(STORM) {
        println!("measuring {STORM}");
        let mut row = json!({"name": STORM});
        for server in [&floor, &postern] {
            put(&mut row, server.name(), json!({"one": storm(&options, server, pinned)?}));
        }
        operations.push(row);
    }
    let servers: Map<String, Value> =
        [&floor, &postern].into_iter().map(|server| (server.name().to_owned(), server.figures())).collect();
    let mut report = json!({"operations": operations, "servers": servers, "seconds": options.secs, "connections": CONNECTIONS});
    if let Some(tenants) = &tenants {
        put(&mut report, TENANTS, tenants.clone());
    }
    std::fs::write(&options.out, format!("{report:#}\n"))?;
    table::print(&report);
    if let Some(report) = &tenants {
        tenants::print(report);
    }
    Ok(())
}

/// What a core can do with many connections, and the latency with one.
fn measure(options: &Options, server: &Server, operation: &str, pinned: Option<Pinned>) -> Result<Value> {
    let place = (server, server.issuer());
    // One connection needs few tokens: it is about latency, not about defeating a cache.
    let many = Run { connections: CONNECTIONS, secs: options.secs, tokens: "10000" };
    let one = Run { connections: 1, secs: (options.secs / 3.0).max(0.5), tokens: "500" };
    Ok(json!({
        "many": load(options, place, operation, &many, pinned)?,
        "one": load(options, place, operation, &one, pinned)?,
    }))
}

/// The latency of client_credentials on one connection while as many others as fit log in.
fn storm(options: &Options, server: &Server, pinned: Option<Pinned>) -> Result<Value> {
    let place = (server, server.issuer());
    let logins = Run { connections: CONNECTIONS, secs: options.secs + 1.0, tokens: "0" };
    let mut background = command(options, place, "login", &logins, pinned);
    let mut background = background.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let tokens = Run { connections: 1, secs: options.secs, tokens: "0" };
    let figures = load(options, place, "client-credentials", &tokens, pinned);
    background.wait()?;
    figures
}

/// A bare primitive on the server's core.
fn bare(options: &Options, primitive: &str, pinned: Option<Pinned>) -> Result<Value> {
    let program = options.programs.join("load");
    let mut command = match pinned {
        None => Command::new(&program),
        Some(pinned) => pinned.command(pinned.server, &program),
    };
    command.args(["--primitive", primitive, "--secs", &options.secs.min(3.0).to_string()]);
    figures(&mut command)
}

/// One run of the load client.
struct Run<'a> {
    connections: usize,
    secs: f64,
    tokens: &'a str,
}

fn load(
    options: &Options,
    place: (&Server, &str),
    operation: &str,
    run: &Run<'_>,
    pinned: Option<Pinned>,
) -> Result<Value> {
    figures(&mut command(options, place, operation, run, pinned))
}

fn command(
    options: &Options,
    (server, issuer): (&Server, &str),
    operation: &str,
    run: &Run<'_>,
    pinned: Option<Pinned>,
) -> Command {
    let program = options.programs.join("load");
    let mut command = match pinned {
        None => Command::new(&program),
        Some(pinned) => pinned.command(pinned.load, &program),
    };
    command.args([operation, "--issuer", issuer, "--tokens", run.tokens]);
    command.args(["--connections", &run.connections.to_string(), "--secs", &run.secs.to_string()]);
    command.args(["--pid", &server.pid().to_string()]);
    command
}

/// What the load client reports.
fn figures(command: &mut Command) -> Result<Value> {
    let output = command.output().context("the load client does not start")?;
    if !output.status.success() {
        // A server that cannot do it yet is a line in the table, not the end of the measurement.
        let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Ok(json!({"errors": 1, "first_error": error, "ops_per_s": 0.0}));
    }
    serde_json::from_slice(&output.stdout).context("the load client's report")
}

fn put(row: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = row {
        members.insert(name.to_owned(), value);
    }
}

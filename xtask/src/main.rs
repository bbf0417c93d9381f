//! The commands around the code: `cargo xtask test` and its friends.

mod bench;
mod browser;
mod cargo;
mod chaos;
mod clients;
mod demo;
mod dependencies;
mod fetch;
mod fixture;
mod fuzz;
mod licence;
mod postgres;
mod report;
mod step;
mod stopwatch;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  test      everything that must hold: format, lints, dependencies, tests, PostgreSQL, release build, fuzzers,
            browser, clients, chaos
              --quick        without PostgreSQL, the release build, the fuzzers, the browser, the clients and chaos
              --only STEP    one step (may be repeated)
              --verbose      show what the steps print; always on when CI=true
  browser   the quick start and the pages in Chromium, against the debug build
              --release      against the release build
  clients   clients that others wrote, against the debug build
              --release      against the release build
              NAME…          only those whose name has one of these
  chaos     kills, outages, full disks and crowds against release builds (docs/RELIABILITY.md)
              --only NAME,…  some experiments
              --store S      only on sqlite or postgres
              --scale N      N times more of everything (1)
              --seed N       the random choices of an earlier run
              --previous P   the program of the version before, for the experiment `mixed`
              --asynchronous the negative control of failover: writes must be lost
  bench     the server beside the floor server, one core each: ops/s, ratio, start-up, memory
              --secs N       seconds of each run (5)
              --only OP      one operation (may be repeated)
  fuzz      looks for inputs that break a rule (needs a C++ compiler)
              --secs N       seconds for each target (600)
              TARGET         one target of fuzz/ (may be repeated)
  fixture NAME
            keeps what this version leaves in a database, for the tests of later ones (testkit/fixtures)
  postgres COMMAND
            runs a command with a throw-away PostgreSQL, named in POSTERN_TEST_POSTGRES
  tidy      the house rules: names, sizes, arrows between crates
";

const TIDY: [&str; 6] = ["test", "--locked", "--package", "testkit", "--test", "tidy"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, options) =
        arguments.split_first().map_or(("help", &[][..]), |(first, rest)| (first.as_str(), rest));
    let outcome = match command {
        "test" => test::run(options),
        "browser" => browser::run(options).map(|()| true),
        "clients" => clients::run(options).map(|()| true),
        "chaos" => chaos::run(options).map(|()| true),
        "bench" => bench::run(options).map(|()| true),
        "fixture" => fixture::run(options).map(|()| true),
        "fuzz" => fuzz::run(options).map(|()| true),
        "postgres" => postgres::run(options).map(|()| true),
        "tidy" => cargo::run(&TIDY).map(|()| true),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(true)
        }
        other => Err(anyhow::anyhow!("no command `{other}`\n\n{HELP}")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

//! `cargo xtask test`: everything that must hold, in the order in which it is cheapest to find out.

use anyhow::{Result, bail};

use crate::fetch::Fetch;
use crate::report::{self, Counts, Ended};
use crate::step::{Log, Outcome, Step};
use crate::stopwatch::Stopwatch;
use crate::{browser, cargo, chaos, clients, dependencies, fuzz, postgres, tools};

const FORMAT: [&str; 3] = ["fmt", "--all", "--check"];
const LINTS: [&str; 7] = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
const TESTS: [&str; 4] = ["test", "--workspace", "--locked", "--no-fail-fast"];
const RELEASE: [&str; 3] = ["build", "--release", "--locked"];

/// The steps in order.
fn steps() -> Vec<Step> {
    let cargo = |arguments: &[&str]| format!("cargo {}", arguments.join(" "));
    vec![
        Step { name: "format", repeat: cargo(&FORMAT), slow: false, work: |log| run_cargo(log, &FORMAT) },
        Step { name: "lints", repeat: cargo(&LINTS), slow: false, work: |log| run_cargo(log, &LINTS) },
        Step {
            name: "dependencies",
            repeat: "cargo xtask test --only dependencies".into(),
            slow: false,
            work: dependencies::check,
        },
        Step { name: "tests", repeat: cargo(&TESTS), slow: false, work: run_tests },
        Step {
            name: "postgres",
            repeat: "cargo xtask test --only postgres".into(),
            slow: true,
            work: postgres::check,
        },
        Step { name: "release", repeat: cargo(&RELEASE), slow: true, work: |log| run_cargo(log, &RELEASE) },
        Step { name: "fuzz", repeat: "cargo xtask fuzz --secs 10".into(), slow: true, work: fuzz::short },
        Step {
            name: "browser",
            repeat: "cargo xtask browser --release".into(),
            slow: true,
            work: |log| browser::walk(log, "release"),
        },
        Step {
            name: "clients",
            repeat: "cargo xtask clients --release".into(),
            slow: true,
            work: |log| clients::meet(log, "release", &[]),
        },
        Step { name: "chaos", repeat: "cargo xtask chaos".into(), slow: true, work: chaos::short },
    ]
}

/// Runs the steps that the options name; stops at the first that fails. Says whether all passed.
pub(crate) fn run(options: &[String]) -> Result<bool> {
    let selection = Selection::parse(options)?;
    let chosen: Vec<Step> = steps().into_iter().filter(|step| selection.takes(step)).collect();
    let mut fetch = Fetch::begin(&chosen.iter().map(|step| step.name).collect::<Vec<_>>());
    let mut total = Counts::default();
    let mut done = Vec::new();
    for step in chosen {
        let mut log = Log::create(step.name, selection.verbose)?;
        report::begin(step.name, log.streamed);
        let watch = Stopwatch::start();
        if step.slow {
            fetch.wait();
        }
        let outcome = (step.work)(&mut log);
        let time = watch.elapsed();
        let (result, remark, why) = match outcome {
            Ok(Outcome::Passed { counts, remark }) => {
                total.add(counts);
                ("ok", remark, None)
            }
            Ok(Outcome::Skipped { missing }) if !tools::is_ci() => ("SKIPPED", missing, None),
            Ok(Outcome::Skipped { missing }) => ("FAILED", missing.clone(), Some(missing)),
            Err(error) => ("FAILED", String::new(), Some(format!("{error:#}"))),
        };
        let ended = Ended { name: step.name, result, time, remark };
        ended.show(log.streamed);
        done.push(ended);
        if let Some(why) = why {
            let found = Counts::of_output(&log.text());
            total.add(if found.failed > 0 { found } else { Counts { passed: 0, failed: 1 } });
            fail(&step, &log, total, &why);
            return Ok(false);
        }
    }
    if selection.verbose {
        println!("{}", report::table(&done));
    }
    let skipped = done.iter().filter(|step| step.result == "SKIPPED").count();
    let remark = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    println!("{} passed, 0 failed{remark}", total.passed);
    Ok(true)
}

/// Shows what failed and how to repeat it.
fn fail(step: &Step, log: &Log, total: Counts, why: &str) {
    if !log.streamed {
        println!("\n{}", log.tail(200));
    }
    println!("\n{}: {why}\nrepeat: {}", step.name, step.repeat);
    println!("{} passed, {} failed", total.passed, total.failed);
}

fn run_cargo(log: &mut Log, arguments: &[&str]) -> Result<Outcome> {
    log.run(cargo::command(arguments))?;
    Ok(Outcome::passed(""))
}

fn run_tests(log: &mut Log) -> Result<Outcome> {
    let output = log.run(cargo::command(&TESTS))?;
    let counts = Counts::of_output(&output);
    Ok(Outcome::Passed { counts, remark: format!("{} passed", counts.passed) })
}

/// Which steps were asked for, and how loudly.
struct Selection {
    only: Vec<String>,
    quick: bool,
    verbose: bool,
}

impl Selection {
    fn parse(options: &[String]) -> Result<Self> {
        let mut selection = Self { only: Vec::new(), quick: false, verbose: tools::is_ci() };
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            match option.as_str() {
                "--quick" => selection.quick = true,
                "--verbose" => selection.verbose = true,
                "--only" => match rest.next() {
                    Some(name) if steps().iter().any(|step| step.name == name) => {
                        selection.only.push(name.clone())
                    }
                    _ => bail!("--only takes one of: {}", names()),
                },
                other => {
                    bail!("no option `{other}`; there are --quick, --verbose and --only STEP ({})", names())
                }
            }
        }
        Ok(selection)
    }

    fn takes(&self, step: &Step) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|name| name == step.name);
        named && !(self.quick && step.slow)
    }
}

fn names() -> String {
    steps().iter().map(|step| step.name).collect::<Vec<_>>().join(", ")
}

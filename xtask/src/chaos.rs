//! `cargo xtask chaos`: kills, outages, full disks and crowds against real servers (docs/RELIABILITY.md).

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::report::Counts;
use crate::step::{Log, Outcome};
use crate::tools::{self, Need};
use crate::{cargo, postgres};

/// What sets the clocks of the experiment `clock`.
pub(crate) const NEEDS: [Need; 1] = [Need {
    package: "libfaketime",
    is_there: || {
        let places = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
        places
            .iter()
            .any(|place| Path::new("/usr/lib").join(place).join("faketime/libfaketime.so.1").exists())
    },
}];
/// What records the writes of the experiment `power`, which runs only when it is named.
const NEEDS_OF_POWER: [Need; 1] = [Need { package: "strace", is_there: || tools::find("strace").is_some() }];

const SERVER: [&str; 3] = ["build", "--locked", "--release"];
/// Of the whole workspace and with the tests' features: otherwise what `cargo test` has built is built once more.
const PROGRAM: [&str; 6] = ["build", "--locked", "--workspace", "--tests", "--bin", "chaos"];

/// Builds and runs with the options of the program `chaos`, with its output on the terminal.
pub(crate) fn run(options: &[String]) -> Result<()> {
    cargo::run(&SERVER)?;
    match experiments(&mut Log::create("chaos", true)?, options)? {
        Outcome::Passed { .. } => Ok(()),
        Outcome::Skipped { missing } => bail!(missing),
    }
}

/// The step of `cargo xtask test`, against the release build.
pub(crate) fn short(log: &mut Log) -> Result<Outcome> {
    experiments(log, &[])
}

fn experiments(log: &mut Log, options: &[String]) -> Result<Outcome> {
    let programs = match postgres::prepare(log)? {
        Ok(programs) => programs,
        Err(missing) => return Ok(Outcome::Skipped { missing }),
    };
    let power = options.iter().any(|option| option.contains("power"));
    for needs in [&NEEDS, &NEEDS_OF_POWER].into_iter().take(1 + usize::from(power)) {
        if let Err(missing) = tools::install_missing(log, needs)? {
            return Ok(Outcome::Skipped { missing });
        }
    }
    log.run(cargo::command(&PROGRAM))?;
    let scratch = cargo::target_directory().join("chaos");
    fs::create_dir_all(&scratch).with_context(|| format!("{} cannot be made", scratch.display()))?;
    let mut command = Command::new(cargo::program("debug", "chaos"));
    command.arg("--postern").arg(cargo::program("release", "postern"));
    command.arg("--postgres").arg(programs).arg("--scratch").arg(scratch).args(options);
    let output = log.run(command)?;
    let counts = Counts::of_output(&output);
    let missing: Vec<_> = output.lines().filter(|line| line.contains("NOT RUN")).collect();
    if !missing.is_empty() {
        return Ok(Outcome::Skipped { missing: missing.join("; ") });
    }
    Ok(Outcome::Passed { counts, remark: format!("{} experiments, nothing lost", counts.passed) })
}

//! `cargo xtask browser`: the quick start and every page in Chromium, against a demo of its own.

use std::process::Command;

use anyhow::{Result, bail};

use crate::demo::Demo;
use crate::report::Counts;
use crate::step::{Log, Outcome};
use crate::{cargo, tools};

/// Builds the server and walks through it with the output on the terminal.
pub(crate) fn run(options: &[String]) -> Result<()> {
    let profile = build(&options.iter().collect::<Vec<_>>())?;
    match walk(&mut Log::create("browser", true)?, profile)? {
        Outcome::Passed { .. } => Ok(()),
        Outcome::Skipped { missing } => bail!(missing),
    }
}

/// Builds the server as the options say; the profile.
pub(crate) fn build(options: &[&String]) -> Result<&'static str> {
    let profile = match options.iter().map(|option| option.as_str()).collect::<Vec<_>>().as_slice() {
        [] => "debug",
        ["--release"] => "release",
        other => bail!("no option {other:?}; there is --release"),
    };
    let build: &[&str] =
        if profile == "release" { &["build", "--locked", "--release"] } else { &["build", "--locked"] };
    cargo::run(build)?;
    Ok(profile)
}

/// The step `browser`, against the program built with `profile`.
pub(crate) fn walk(log: &mut Log, profile: &str) -> Result<Outcome> {
    let tools = match tools::prepare(log, &[])? {
        Ok(tools) => tools,
        Err(missing) => return Ok(Outcome::Skipped { missing }),
    };
    let demo = Demo::start(&cargo::program(profile, "postern"), &[])?;
    let mut command = Command::new(&tools.node);
    command
        .arg("run.mjs")
        .current_dir(cargo::root().join("e2e"))
        .env("BASE", demo.base())
        .env("CHROMIUM", &tools.chromium)
        .env("SCREENSHOTS", cargo::target_directory().join("screenshots"));
    let counts = Counts::of_output(&log.run(command)?);
    Ok(Outcome::Passed {
        counts,
        remark: format!("{} passed, pictures in target/screenshots", counts.passed),
    })
}

//! `cargo xtask fuzz`: looks for inputs that make a target of `fuzz/` panic.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::step::{Log, Outcome};
use crate::{cargo, tools};

/// Seconds for each target when nobody says otherwise, and inside `cargo xtask test`.
const SECONDS: &str = "600";
const SHORT: &str = "10";

/// Runs the targets that the options name, all of them by default.
pub(crate) fn run(options: &[String]) -> Result<()> {
    let mut seconds = SECONDS.to_owned();
    let mut named = Vec::new();
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match option.as_str() {
            "--secs" => seconds = rest.next().context("--secs takes a number of seconds")?.clone(),
            name if targets()?.iter().any(|known| known == name) => named.push(name.to_owned()),
            other => bail!("no target `{other}`; there are {}", targets()?.join(", ")),
        }
    }
    let mut log = Log::create("fuzz", true)?;
    prepare(&mut log)?;
    fuzz(&mut log, &named, &seconds).map(|_| ())
}

/// The step of `cargo xtask test`: every target for a few seconds.
pub(crate) fn short(log: &mut Log) -> Result<Outcome> {
    prepare(log)?;
    Ok(Outcome::passed(format!("{} targets", fuzz(log, &[], SHORT)?)))
}

/// Runs each target; says how many.
fn fuzz(log: &mut Log, named: &[String], seconds: &str) -> Result<usize> {
    // The same versions as everywhere else; Cargo adds the fuzzer's own.
    fs::copy(cargo::root().join("Cargo.lock"), directory().join("Cargo.lock"))?;
    let names = if named.is_empty() { targets()? } else { named.to_vec() };
    for name in &names {
        // New inputs go to the first directory; the kept ones are only read.
        let found = directory().join("found").join(name);
        fs::create_dir_all(&found).with_context(|| format!("{} cannot be made", found.display()))?;
        let kept = directory().join("corpus").join(name);
        let artifacts = directory().join("artifacts").join(name);
        fs::create_dir_all(&artifacts)?;
        log.line(&format!("fuzzing {name} for {seconds} s"))?;
        let mut command = cargo_fuzz(&["run"]);
        command.env("FUZZ_TARGET", name).arg("fuzz").args([&found, &kept]).arg("--");
        command.arg(format!("-max_total_time={seconds}")).arg("-max_len=4096").arg("-print_final_stats=1");
        let mut prefix = OsString::from("-artifact_prefix=");
        prefix.push(artifacts.join(""));
        command.arg(prefix);
        log.run(command)?;
    }
    Ok(names.len())
}

/// `cargo fuzz` without a sanitizer: the workspace forbids `unsafe`, so it is panics that are looked for, and the
/// stable compiler will do.
fn cargo_fuzz(arguments: &[&str]) -> Command {
    let mut command = cargo::command(&["fuzz"]);
    command.args(arguments).args(["--fuzz-dir", "."]).args(["--sanitizer", "none"]).current_dir(directory());
    command.env("CARGO_TARGET_DIR", cargo::target_directory().join("fuzz"));
    let known = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(programs()).chain(std::env::split_paths(&known)));
    command.env("PATH", path.unwrap_or(known));
    command
}

/// The targets: one corpus each.
fn targets() -> Result<Vec<String>> {
    let entries = fs::read_dir(directory().join("corpus")).context("fuzz/corpus cannot be read")?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn directory() -> PathBuf {
    cargo::root().join("fuzz")
}

/// Installs cargo-fuzz beside what is built, unless it is there already.
fn prepare(log: &mut Log) -> Result<()> {
    if tools::find("cargo-fuzz").is_some() || programs().join("cargo-fuzz").is_file() {
        return Ok(());
    }
    let mut command = cargo::command(&["install", "cargo-fuzz", "--locked", "--root"]);
    command.arg(tools_directory()).env("CARGO_TARGET_DIR", cargo::target_directory().join("fuzz-tools"));
    log.run(command).context("cargo-fuzz could not be installed: cargo install cargo-fuzz --locked")?;
    Ok(())
}

fn tools_directory() -> PathBuf {
    cargo::target_directory().join("tools")
}

fn programs() -> PathBuf {
    tools_directory().join("bin")
}

//! `cargo xtask fuzz`: looks for inputs that make a target of `fuzz/` panic.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::step::{Log, Outcome};

/// Seconds for each target when nobody says otherwise, and inside `cargo xtask test`.
const SECONDS: &str = "600";
const SHORT: &str = "10";

/// The fuzzer as it is built. The server is named, though it is not built, so that dependencies have the features that
/// the release build gave them, and are those.
const BUILD: [&str; 11] = [
    "build",
    "--release",
    "--locked",
    "--package",
    "postern",
    "--package",
    "fuzz",
    "--features",
    "fuzz/fuzzer",
    "--bin",
    "fuzz",
];

/// How many lines of a fuzzer's output are kept when it found nothing: its figures.
const FIGURES: usize = 8;

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
    fuzz(&mut Log::create("fuzz", true)?, &named, &seconds).map(|_| ())
}

/// The step of `cargo xtask test`: every target for a few seconds.
pub(crate) fn short(log: &mut Log) -> Result<Outcome> {
    Ok(Outcome::passed(format!("{} targets", fuzz(log, &[], SHORT)?)))
}

/// Runs each target, as many at a time as there are processors; says how many.
fn fuzz(log: &mut Log, named: &[String], seconds: &str) -> Result<usize> {
    let mut build = cargo::command(&BUILD);
    build.env("RUSTC_WORKSPACE_WRAPPER", directory().join("instrument"));
    log.run(build).context("the fuzzer is not built; it needs a C++ compiler: apt-get install -y g++")?;
    let program = cargo::program("release", "fuzz");
    let names = if named.is_empty() { targets()? } else { named.to_vec() };
    log.line(&format!("fuzzing {} for {seconds} s each", names.join(", ")))?;
    let waiting = Mutex::new(names.iter());
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(name) = next else { return done };
            done.push((name, attempt(&program, name, seconds)));
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(names.len());
    let done: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        running.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    });
    let mut failed = Vec::new();
    for (name, outcome) in &done {
        let output = outcome.as_ref().map_err(|error| anyhow::anyhow!("{name}: {error:#}"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = text.lines().collect();
        let kept = if output.status.success() { lines.len().saturating_sub(FIGURES) } else { 0 };
        log.line(&format!("{name}: {}", output.status))?;
        for line in lines.iter().skip(kept) {
            log.line(line)?;
        }
        if !output.status.success() {
            failed.push(name.as_str());
        }
    }
    if !failed.is_empty() || done.len() != names.len() {
        bail!("{} found something: the input lies in fuzz/artifacts", failed.join(", "));
    }
    Ok(done.len())
}

/// One target for so many seconds.
fn attempt(program: &Path, name: &str, seconds: &str) -> Result<Output> {
    // New inputs go to the first directory; the kept ones are only read.
    let found = directory().join("found").join(name);
    fs::create_dir_all(&found).with_context(|| format!("{} cannot be made", found.display()))?;
    let kept = directory().join("corpus").join(name);
    let artifacts = directory().join("artifacts").join(name);
    fs::create_dir_all(&artifacts)?;
    let mut prefix = OsString::from("-artifact_prefix=");
    prefix.push(artifacts.join(""));
    let mut command = Command::new(program);
    command.env("FUZZ_TARGET", name).args([&found, &kept]).arg(prefix);
    command.arg(format!("-max_total_time={seconds}")).arg("-max_len=4096").arg("-print_final_stats=1");
    command.output().with_context(|| format!("{} does not start", program.display()))
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

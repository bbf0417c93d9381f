//! `cargo xtask bench`: builds the server, the floor and the load client for release, and measures.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo;

/// Builds and measures; the options are those of the program `measure`.
pub(crate) fn run(options: &[String]) -> Result<()> {
    // Separately, so that the server is built with exactly the features it is shipped with.
    cargo::run(&["build", "--release", "--locked"])?;
    cargo::run(&["build", "--release", "--locked", "--package", "bench"])?;
    let target = cargo::target_directory();
    let scratch = target.join("bench");
    fs::create_dir_all(&scratch)?;
    let out = target.join("bench.json");
    let status = Command::new(cargo::program("release", "measure"))
        .arg("--programs")
        .arg(target.join("release"))
        .arg("--postern")
        .arg(cargo::program("release", "postern"))
        .arg("--scratch")
        .arg(&scratch)
        .arg("--out")
        .arg(&out)
        .args(options)
        .status()
        .context("the measurement does not start")?;
    if !status.success() {
        bail!("the measurement failed");
    }
    println!("\nall figures: {}", out.display());
    Ok(())
}

//! Cargo, the workspace's directories, and the files that Cargo builds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::tools;

/// Root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A Cargo command in the workspace root.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    if tools::is_ci() {
        // Nothing is built a second time there, so nothing is kept for it.
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// Runs Cargo with its output on the terminal.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let status = command(arguments).status().context("cargo does not start")?;
    if !status.success() {
        bail!("repeat: cargo {}", arguments.join(" "));
    }
    Ok(())
}

/// What `cargo metadata` says about every package that may be needed on a platform.
pub(crate) fn metadata(target: &str) -> Result<Value> {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", target];
    Ok(serde_json::from_str(&output(&arguments)?)?)
}

/// Every package that is built on a platform, as `name version`. (`metadata` also lists optional ones.)
pub(crate) fn built_packages(target: &str) -> Result<BTreeSet<String>> {
    let arguments =
        ["tree", "--workspace", "--locked", "--target", target, "--prefix", "none", "--format", "{p}"];
    let tree = output(&arguments)?;
    let title = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    Ok(tree.lines().filter_map(title).collect())
}

/// The output of a Cargo command that must not fail.
fn output(arguments: &[&str]) -> Result<String> {
    let output = command(arguments).output().context("cargo does not start")?;
    if !output.status.success() {
        bail!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Where Cargo puts what it builds: CARGO_TARGET_DIR, or `target`.
pub(crate) fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |directory| root().join(directory))
}

/// Path of a program of this workspace after it was built with the profile `debug` or `release`.
pub(crate) fn program(profile: &str, name: &str) -> PathBuf {
    target_directory().join(profile).join(name)
}

//! What the browser run needs beside Rust: Chromium, Node.js and the packages of `e2e/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo;
use crate::step::Log;

/// Whether this run belongs to continuous integration, where nothing may be left out.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()))
}

/// A program on the PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|candidate| candidate.is_file())
}

/// The tools of the browser run.
pub(crate) struct Tools {
    pub chromium: PathBuf,
    pub node: PathBuf,
}

/// Finds the tools, or installs them where that is possible (Debian, as root).
/// The inner error is what is missing and how to get it.
pub(crate) fn prepare(log: &mut Log) -> Result<Result<Tools, String>> {
    let mut missing = Vec::new();
    if chromium().is_none() {
        missing.push("chromium");
    }
    if find("node").is_none() {
        missing.push("nodejs");
    }
    if find("npm").is_none() {
        missing.push("npm");
    }
    if !missing.is_empty() {
        if !can_install() {
            return Ok(Err(format!(
                "needs {}; as root: apt-get install -y {}",
                missing.join(", "),
                missing.join(" ")
            )));
        }
        install(log, &missing)?;
    }
    install_packages(log)?;
    let chromium = chromium().context("chromium was installed but is not on the PATH")?;
    let node = find("node").context("nodejs was installed but is not on the PATH")?;
    Ok(Ok(Tools { chromium, node }))
}

/// CHROMIUM, or the browser under one of its usual names.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from).filter(|path| path.is_file());
    named.or_else(|| ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find))
}

fn can_install() -> bool {
    let root = Path::new("/proc/self")
        .metadata()
        .is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0);
    root && find("apt-get").is_some()
}

fn install(log: &mut Log, packages: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    log.run(apt(&["update"]))?;
    log.run(apt(&[&["install", "-y", "--no-install-recommends"], packages].concat()))?;
    Ok(())
}

/// The packages that `e2e/package-lock.json` pins, once per change of that file.
fn install_packages(log: &mut Log) -> Result<()> {
    let directory = cargo::root().join("e2e");
    let lock = std::fs::read(directory.join("package-lock.json")).context("e2e/package-lock.json")?;
    let installed = directory.join("node_modules/.lock");
    if std::fs::read(&installed).is_ok_and(|known| known == lock) {
        return Ok(());
    }
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&directory);
    log.run(command).context("the packages of e2e/ could not be installed")?;
    std::fs::write(installed, lock)?;
    Ok(())
}

//! What the runs with foreign programs need beside Rust: Debian's packages and those of npm.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

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

/// A program of a Debian package, and whether it is there already.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    pub package: &'static str,
    pub is_there: fn() -> bool,
}

/// What everything that opens pages needs.
pub(crate) const BROWSER: [Need; 3] = [
    Need { package: "chromium", is_there: || chromium().is_some() },
    Need { package: "nodejs", is_there: || find("node").is_some() },
    Need { package: "npm", is_there: || find("npm").is_some() },
];

/// The tools of the browser run.
pub(crate) struct Tools {
    pub chromium: PathBuf,
    pub node: PathBuf,
}

/// Finds the tools of the browser run and `more`, or installs them where that is possible (Debian, as root).
/// The inner error is what is missing and how to get it.
pub(crate) fn prepare(log: &mut Log, more: &[Need]) -> Result<Result<Tools, String>> {
    if let Err(missing) = install_missing(log, &[&BROWSER[..], more].concat())? {
        return Ok(Err(missing));
    }
    install_packages(log, "e2e")?;
    let chromium = chromium().context("chromium")?;
    let node = find("node").context("node")?;
    Ok(Ok(Tools { chromium, node }))
}

/// Installs what is not there, where that is possible. The inner error is what is missing and how to get it.
pub(crate) fn install_missing(log: &mut Log, needs: &[Need]) -> Result<Result<(), String>> {
    let missing: Vec<&str> =
        needs.iter().filter(|need| !(need.is_there)()).map(|need| need.package).collect();
    if missing.is_empty() {
        return Ok(Ok(()));
    }
    if !can_install() {
        return Ok(Err(format!(
            "needs {}; as root: apt-get install -y --no-install-recommends {}",
            missing.join(", "),
            missing.join(" ")
        )));
    }
    install(log, &missing)?;
    if let Some(need) = needs.iter().find(|need| !(need.is_there)()) {
        bail!("{} was installed but is not found", need.package);
    }
    Ok(Ok(()))
}

/// Whether a program runs and says yes.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
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

/// The packages that the `package-lock.json` of a directory pins, once per change of that file.
pub(crate) fn install_packages(log: &mut Log, directory: &str) -> Result<()> {
    let path = cargo::root().join(directory);
    let lock =
        std::fs::read(path.join("package-lock.json")).context(format!("{directory}/package-lock.json"))?;
    let installed = path.join("node_modules/.lock");
    if std::fs::read(&installed).is_ok_and(|known| known == lock) {
        return Ok(());
    }
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&path);
    log.run(command).context(format!("the packages of {directory}/ could not be installed"))?;
    std::fs::write(installed, lock)?;
    Ok(())
}

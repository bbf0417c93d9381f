//! `cargo xtask clients`: clients that others wrote, against a demo of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::demo::Demo;
use crate::report::Counts;
use crate::step::{Log, Outcome};
use crate::tools::{self, Need, Tools};
use crate::{browser, cargo};

/// Where these clients live.
pub(crate) const ROOM: &str = "e2e/clients";

/// The client in Rust: a workspace of its own, because of what it depends on.
pub(crate) const RUST_CLIENT: &str = "e2e/clients/openidconnect/Cargo.toml";

/// What is needed beside the tools of the browser run.
pub(crate) const NEEDS: [Need; 3] = [
    Need {
        package: "python3-venv",
        is_there: || {
            tools::succeeds("python3", &["-c", "import ensurepip, sys; assert sys.version_info >= (3, 11)"])
        },
    },
    Need { package: "apache2-bin", is_there: || Path::new("/usr/sbin/apache2").exists() },
    Need {
        package: "libapache2-mod-auth-openidc",
        is_there: || Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").exists(),
    },
];

/// The oldest Node.js that these clients run on.
const NODE: &str = "process.exit(Number(process.versions.node.split('.')[0]) >= 20 ? 0 : 1)";

/// Builds the server and runs the clients with their output on the terminal.
pub(crate) fn run(options: &[String]) -> Result<()> {
    let (flags, names): (Vec<&String>, Vec<&String>) =
        options.iter().partition(|option| option.starts_with("--"));
    let profile = browser::build(&flags)?;
    match meet(&mut Log::create("clients", true)?, profile, &names)? {
        Outcome::Passed { .. } => Ok(()),
        Outcome::Skipped { missing } => bail!(missing),
    }
}

/// The step `clients`, against the program built with `profile`: all of them, or those whose name has one of `names`.
pub(crate) fn meet(log: &mut Log, profile: &str, names: &[&String]) -> Result<Outcome> {
    let tools = match tools::prepare(log, &NEEDS)? {
        Ok(tools) => tools,
        Err(missing) => return Ok(Outcome::Skipped { missing }),
    };
    let Tools { chromium, node } = &tools;
    if !tools::succeeds(&node.to_string_lossy(), &["-e", NODE]) {
        return Ok(Outcome::Skipped { missing: format!("needs Node.js 20 or newer as {}", node.display()) });
    }
    tools::install_packages(log, ROOM)?;
    let work = cargo::target_directory().join("clients");
    let python = virtual_environment(log, &work)?;
    build_rust_client(log, &work)?;
    let program = cargo::program(profile, "postern");
    let demo = Demo::start(&program, &["--allow-loopback-fetch"])?;
    let mut command = Command::new(node);
    command
        .arg("run.mjs")
        .args(names)
        .current_dir(cargo::root().join(ROOM))
        .env("BASE", demo.base())
        .env("DATA", demo.data())
        .env("POSTERN", &program)
        .env("CHROMIUM", chromium)
        .env("PYTHON", python)
        .env("WORK", &work)
        .env("NODE_EXTRA_CA_CERTS", demo.data().join("root.pem"));
    let counts = Counts::of_output(&log.run(command)?);
    Ok(Outcome::Passed { counts, remark: format!("{} passed", counts.passed) })
}

/// A Python with exactly what `requirements.txt` pins, made once per change of that file.
pub(crate) fn virtual_environment(log: &mut Log, work: &Path) -> Result<PathBuf> {
    let requirements = cargo::root().join(ROOM).join("requirements.txt");
    let wanted = std::fs::read(&requirements).context("requirements.txt")?;
    let directory = work.join("venv");
    let (python, installed) = (directory.join("bin/python"), directory.join(".requirements"));
    if std::fs::read(&installed).is_ok_and(|known| known == wanted) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&directory);
    log.run(make)?;
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "-r"])
        .arg(&requirements);
    log.run(install).context("the packages of requirements.txt could not be installed")?;
    std::fs::write(installed, wanted)?;
    Ok(python)
}

fn build_rust_client(log: &mut Log, work: &Path) -> Result<()> {
    let mut build = cargo::command(&["build", "--quiet", "--locked", "--manifest-path", RUST_CLIENT]);
    build.env("CARGO_TARGET_DIR", work.join("cargo"));
    log.run(build)?;
    Ok(())
}

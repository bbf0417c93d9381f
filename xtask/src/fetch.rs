//! What later steps of `cargo xtask test` download, fetched while the compiler is busy with the earlier ones.
//!
//! Nothing depends on it: each step looks for what it needs, and fetches it itself, with its error, if it is not there.

use std::thread::JoinHandle;

use anyhow::Result;

use crate::step::Log;
use crate::{cargo, chaos, clients, postgres, tools};

/// A download under way.
pub(crate) struct Fetch(Option<JoinHandle<Result<()>>>);

impl Fetch {
    /// Begins, if any of the steps needs something; in CI only, where everything is run and nothing is there.
    pub(crate) fn begin(names: &[&str]) -> Self {
        let needs = ["postgres", "browser", "clients", "chaos"].iter().any(|name| names.contains(name));
        Self((needs && tools::is_ci()).then(|| std::thread::spawn(all)))
    }

    /// Waits until it is over, before the first step that needs any of it.
    pub(crate) fn wait(&mut self) {
        if let Some(running) = self.0.take()
            && !matches!(running.join(), Ok(Ok(())))
        {
            println!("not everything was fetched ahead; see target/xtask/fetch.log");
        }
    }
}

fn all() -> Result<()> {
    let mut log = Log::create("fetch", false)?;
    let outcome = fetch(&mut log);
    if let Err(error) = &outcome {
        log.line(&format!("{error:#}"))?;
    }
    outcome
}

fn fetch(log: &mut Log) -> Result<()> {
    let needs = [&tools::BROWSER[..], &clients::NEEDS, &chaos::NEEDS, &[postgres::NEED]].concat();
    if let Err(missing) = tools::install_missing(log, &needs)? {
        log.line(&missing)?;
    }
    tools::install_packages(log, "e2e")?;
    tools::install_packages(log, clients::ROOM)?;
    clients::virtual_environment(log, &cargo::target_directory().join("clients"))?;
    log.run(cargo::command(&["fetch", "--locked", "--manifest-path", clients::RUST_CLIENT]))?;
    Ok(())
}

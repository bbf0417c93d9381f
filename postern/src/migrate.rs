//! `postern migrate`: brings the database's schema up to date, or says what that would do.

use std::path::Path;

use crate::config::Config;
use crate::{log, seal_key, server, wire};

/// Applies the missing migrations, or with `plan` only lists them. Makes the sealing key of a new
/// database.
///
/// # Errors
/// One line that names the setting.
pub(crate) fn run(file: &Path, plan: bool) -> anyhow::Result<()> {
    let config = Config::read(file)?;
    server::runtime()?.block_on(async {
        let pending = wire::pending(&config.store).await?.steps;
        if pending.is_empty() {
            println!("The schema is up to date.");
        }
        for migration in &pending {
            println!("{} {migration}", if plan { "Would apply" } else { "Applying" });
        }
        if plan {
            return Ok(());
        }
        let _log = log::start(config.log, None)?;
        let store = wire::open_store(&config.store, true).await?;
        let is_new = wire::is_new(store.as_ref()).await?;
        seal_key::open(&config.key, is_new)?;
        println!("The schema has version {}.", store.schema_version().await?);
        Ok(())
    })
}

//! `postern backup`: a copy of the embedded database, also while the server runs.

use std::path::Path;

use crate::config::Config;
use crate::wire;

/// Writes the copy.
///
/// # Errors
/// One line that names the setting or the file.
pub(crate) fn run(file: &Path, target: &Path) -> anyhow::Result<()> {
    let config = Config::read(file)?;
    wire::backup(&config.store, target)?;
    println!(
        "{} holds the database as it was just now. It needs the sealing key: {}.",
        target.display(),
        config.key
    );
    Ok(())
}

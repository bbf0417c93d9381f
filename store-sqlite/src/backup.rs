//! A copy of the database while it is in use.

use crate::open::{OpenError, create, reader};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs::File;
use std::path::Path;

/// Copies the database at `source` to `target`, one snapshot, without holding up readers or the writer.
///
/// `target` appears only when it is complete and on disk, readable by its owner alone; a file of that name is replaced. The
/// schema may be of another version.
///
/// # Errors
/// When the source is no database, or the copy cannot be written; `target` is then as it was.
pub fn copy(source: &Path, target: &Path) -> Result<(), OpenError> {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = target.with_file_name(name);
    let file = |path: &Path, source| OpenError::File { path: path.display().to_string(), source };

    if partial.exists() {
        std::fs::remove_file(&partial).map_err(|error| file(&partial, error))?;
    }
    create(&partial)?;
    copy_pages(source, &partial)?;
    File::open(&partial).and_then(|copy| copy.sync_all()).map_err(|error| file(&partial, error))?;
    std::fs::rename(&partial, target).map_err(|error| file(target, error))
}

fn copy_pages(source: &Path, target: &Path) -> Result<(), OpenError> {
    let source = reader(source)?;
    let mut target = Connection::open(target)?;
    let backup = Backup::new(&source, &mut target)?;
    match backup.step(-1)? {
        StepResult::Done => Ok(()),
        unfinished => Err(OpenError::Unfinished(format!("{unfinished:?}"))),
    }
}

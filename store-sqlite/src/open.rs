//! Opening the database file, and the settings on which its promises rest.

use crate::migration::{self, MIGRATIONS, Migration};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Settings of the store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether missing migrations are applied. Otherwise a database that lacks some is refused.
    pub migrate: bool,
    /// Most writes that wait; the next one is answered `Unavailable`.
    pub queue: usize,
    /// How long a write is waited for, the deletion of a tenant apart. What was not begun by then is not done any more.
    pub patience: Duration,
    /// Connections for point reads. Lists have one of their own.
    pub readers: usize,
    /// Most pages of 4 KiB in the file. Writes that need more are answered `Unavailable`; reading goes on.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { migrate: true, queue: 4096, patience: Duration::from_secs(5), readers: 4, max_pages: None }
    }
}

/// Why a store cannot be opened: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the database file {path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error("the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the database runs with {setting} = {found}, which could lose acknowledged writes")]
    NotDurable { setting: &'static str, found: String },
    #[error("the database has schema version {found}, this program knows {known}: run a newer version of it")]
    Newer { found: i64, known: i64 },
    #[error("migration {version} ({name}) was changed after it had been applied to this database")]
    Changed { version: i64, name: String },
    #[error("{} migrations are missing in the database: run `postern migrate`", .0)]
    Pending(usize),
    #[error("the database is being migrated by {owner}: try again in some seconds")]
    Migrating { owner: String },
    #[error("the copy is not complete: {0}")]
    Unfinished(String),
}

/// Page cache per connection, in KiB; taken only as it fills.
const WRITER_CACHE: i64 = 4096;
const READER_CACHE: i64 = 1024;
/// How long the writer waits for another process's write. The writer has a thread of its own.
const WRITER_WAITS: Duration = Duration::from_secs(5);
/// How long a reader waits, which in this mode it does only while another process recovers the file.
const READER_WAITS: Duration = Duration::from_millis(250);
/// Length of the log, in pages of 4 KiB, from which on it is copied into the database: four times SQLite's default, so
/// that a page which changes often is copied less often.
const CHECKPOINT: i64 = 4000;
/// To what the log file is cut after a checkpoint, in bytes.
const LOG_SIZE: i64 = 64 << 20;
/// Prepared statements kept per connection: more than the catalogue has.
pub(crate) const STATEMENTS: usize = 128;

/// The migrations that the file lacks, without changing it. A file that does not exist lacks all.
///
/// # Errors
/// As [`crate::SqliteStore::open`].
pub fn pending(path: &Path) -> Result<Vec<Migration>, OpenError> {
    if !path.exists() {
        return Ok(MIGRATIONS.to_vec());
    }
    let connection = connect(path)?;
    migration::missing(&connection, MIGRATIONS)
}

/// The writing connection, on a file that has its schema.
pub(crate) fn writer(path: &Path, options: &Options, known: &[Migration]) -> Result<Connection, OpenError> {
    create(path)?;
    let connection = connect(path)?;
    connection.busy_timeout(WRITER_WAITS)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE)?;
    // What a savepoint may have to undo is kept in memory, not in a file.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "journal_size_limit", LOG_SIZE)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
    if let Some(pages) = options.max_pages {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    assert_durable(&connection)?;
    if options.migrate {
        migration::apply(&connection, known)?;
    }
    match migration::missing(&connection, known)?.len() {
        0 => Ok(connection),
        missing => Err(OpenError::Pending(missing)),
    }
}

/// A connection that only reads, on a file that the writer has opened.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = connect(path)?;
    connection.busy_timeout(READER_WAITS)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Creates the file for its owner alone; SQLite gives its log the same permissions.
pub(crate) fn create(path: &Path) -> Result<(), OpenError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(|_| ())
        .map_err(|source| OpenError::File { path: path.display().to_string(), source })
}

/// A connection to a file that exists.
fn connect(path: &Path) -> Result<Connection, OpenError> {
    // Each connection is used by one thread at a time, so SQLite need not lock it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // One plan per statement. Without this SQLite plans anew for each new value wherever a partial index exists, which
    // costs ten times what a point read does.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// An acknowledged write survives a crash of the machine only in these two settings, so nothing starts without them.
pub(crate) fn assert_durable(connection: &Connection) -> Result<(), OpenError> {
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NotDurable { setting: "journal_mode", found: mode });
    }
    let level: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if level < 2 {
        return Err(OpenError::NotDurable { setting: "synchronous", found: level.to_string() });
    }
    Ok(())
}

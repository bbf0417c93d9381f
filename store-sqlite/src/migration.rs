//! Migrations: compiled in, checksummed, applied in order, each in one transaction with its record.
//!
//! They expand, move, and only releases later contract, so that the version before still reads what the version after
//! has written: `min_reader_version` says which schema version a binary must know to use the result.

use crate::open::OpenError;
use crate::sql;
use protocol::record::HandleHash;
use rusqlite::{Connection, OptionalExtension, params};

/// How long the lock on migrating lasts if its owner dies, in milliseconds. Renewed before each migration.
const LOCK_LASTS: i64 = 15_000;

/// One step of the schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Migration {
    /// 1, 2, 3, …
    pub version: i64,
    pub name: &'static str,
    pub sql: &'static str,
    /// The oldest schema version a binary may know and still work with the result.
    pub min_reader_version: i64,
}

/// All of them, in order. Released ones never change.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "initial",
        sql: include_str!("../migrations/0001_initial.sql"),
        min_reader_version: 1,
    },
    Migration {
        version: 2,
        name: "due",
        sql: include_str!("../migrations/0002_due.sql"),
        min_reader_version: 1,
    },
    Migration {
        version: 3,
        name: "revocation_epoch",
        sql: include_str!("../migrations/0003_revocation_epoch.sql"),
        // A binary that does not move the number would revoke what another node goes on believing in.
        min_reader_version: 3,
    },
    Migration {
        version: 4,
        name: "audit_trail",
        sql: include_str!("../migrations/0004_audit_trail.sql"),
        min_reader_version: 3,
    },
];

impl Migration {
    fn checksum(&self) -> [u8; 32] {
        HandleHash::of(self.sql).0
    }
}

/// A migration as the database remembers it.
struct Applied {
    version: i64,
    name: String,
    checksum: [u8; 32],
    min_reader_version: i64,
}

/// Compares the database with `known` and answers what is missing in it.
///
/// # Errors
/// [`OpenError::Changed`] when an applied migration differs from the known one, [`OpenError::Newer`] when the
/// database is ahead and asks for a newer binary.
pub(crate) fn missing(connection: &Connection, known: &[Migration]) -> Result<Vec<Migration>, OpenError> {
    let applied = applied(connection)?;
    let newest = known.last().map_or(0, |migration| migration.version);
    for row in &applied {
        match known.iter().find(|migration| migration.version == row.version) {
            Some(migration) if migration.checksum() != row.checksum => {
                return Err(OpenError::Changed { version: row.version, name: row.name.clone() });
            }
            None if row.min_reader_version > newest => {
                return Err(OpenError::Newer { found: row.version, known: newest });
            }
            _ => {}
        }
    }
    let is_missing = |migration: &&Migration| !applied.iter().any(|row| row.version == migration.version);
    Ok(known.iter().filter(is_missing).copied().collect())
}

/// Applies what is missing, under a lock that other processes see.
pub(crate) fn apply(connection: &Connection, known: &[Migration]) -> Result<(), OpenError> {
    connection.execute_batch(sql::MIGRATION_TABLES)?;
    if missing(connection, known)?.is_empty() {
        return Ok(());
    }
    let owner = owner();
    take_lock(connection, &owner)?;
    let result = missing(connection, known).and_then(|missing| {
        missing.iter().try_for_each(|migration| {
            take_lock(connection, &owner)?;
            apply_one(connection, migration)
        })
    });
    connection.execute(sql::DROP_MIGRATION_LOCK, [&owner])?;
    result
}

/// Names this process, also among containers that each have a process of its number.
fn owner() -> String {
    use std::hash::{BuildHasher, RandomState};
    let number = std::process::id();
    format!("process {number} ({:08x})", RandomState::new().hash_one(number))
}

fn apply_one(connection: &Connection, migration: &Migration) -> Result<(), OpenError> {
    let Migration { version, name, sql: statements, min_reader_version } = migration;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(statements)?;
    let record = params![version, name, migration.checksum(), min_reader_version];
    transaction.execute(sql::RECORD_MIGRATION, record)?;
    transaction.commit()?;
    tracing::info!(version, name, "schema migrated");
    Ok(())
}

fn take_lock(connection: &Connection, owner: &str) -> Result<(), OpenError> {
    if connection.execute(sql::TAKE_MIGRATION_LOCK, params![owner, LOCK_LASTS])? == 1 {
        return Ok(());
    }
    let owner = connection.query_row(sql::MIGRATION_LOCK_OWNER, [], |row| row.get(0)).optional()?;
    Err(OpenError::Migrating { owner: owner.unwrap_or_default() })
}

/// Nothing for a database without any schema.
fn applied(connection: &Connection) -> Result<Vec<Applied>, OpenError> {
    if !connection.table_exists(None, "migration")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(sql::APPLIED_MIGRATIONS)?;
    let rows = statement.query_map([], |row| {
        Ok(Applied {
            version: row.get(0)?,
            name: row.get(1)?,
            checksum: row.get(2)?,
            min_reader_version: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

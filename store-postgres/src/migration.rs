//! Migrations: compiled in, checksummed, applied in order, statement by statement.
//!
//! A statement and the note that it was done are one transaction, so that whoever is killed at any point goes on where
//! it stopped. `-- chunk` before a statement repeats it, a transaction each time, until it changes nothing: that is how
//! large tables are filled, within bounds (a LIMIT inside). `-- alone` runs one outside a transaction, for an index
//! that is built while the table is in use; it must be repeatable. What a build that was cut off has left is removed
//! before.
//!
//! They expand, move, and only releases later contract, so that the version before works beside the version after:
//! `min_reader_version` says which schema version a program must know to use the result, and a program works with the
//! schema just before its own.

use crate::connect::{Connector, OpenError};
use crate::sql;
use protocol::record::HandleHash;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// How long the lock on migrating lasts if its owner dies. Renewed by each statement, and held while it runs.
const LOCK_LASTS: Duration = Duration::from_secs(15);
/// How long another process's migration is waited for.
const LOCK_WAITS: Duration = Duration::from_secs(60);
/// A change of the schema waits this long for its table, so that what comes after does not queue behind it, and tries
/// again this often.
const TABLE_WAITS: &str = "SET lock_timeout = 1000";
const TABLE_TRIES: usize = 30;
const PAUSE: Duration = Duration::from_millis(200);

/// One step of the schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Migration {
    /// 1, 2, 3, …
    pub version: i64,
    pub name: &'static str,
    pub sql: &'static str,
    /// The oldest schema version a program may know and still work with the result.
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
        name: "audit_trail",
        sql: include_str!("../migrations/0002_audit_trail.sql"),
        min_reader_version: 1,
    },
];

impl Migration {
    fn checksum(&self) -> [u8; 32] {
        HandleHash::of(self.sql).0
    }

    fn statements(&self) -> Vec<Statement> {
        self.sql.split_inclusive(";\n").filter_map(Statement::parse).collect()
    }
}

/// One statement of a migration.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Statement {
    text: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Once,
    Chunk,
    Alone,
}

impl Statement {
    /// `None` for nothing but comments.
    fn parse(text: &'static str) -> Option<Self> {
        let comment = |line: &&str| line.trim().is_empty() || line.starts_with("--");
        text.lines().find(|line| !comment(line))?;
        let marked = |mark: &str| text.lines().take_while(comment).any(|line| line.trim() == mark);
        let kind = match (marked("-- chunk"), marked("-- alone")) {
            (true, _) => Kind::Chunk,
            (_, true) => Kind::Alone,
            _ => Kind::Once,
        };
        Some(Self { text: text.trim(), kind })
    }
}

/// A migration as the database remembers it.
struct Applied {
    version: i64,
    name: String,
    checksum: Vec<u8>,
    min_reader_version: i64,
}

/// Compares the database with `known` and answers what is missing in it.
///
/// # Errors
/// [`OpenError::Changed`] when an applied migration differs from the known one, [`OpenError::Newer`] when the
/// database is ahead and asks for a newer program.
pub(crate) async fn missing(client: &Client, known: &[Migration]) -> Result<Vec<Migration>, OpenError> {
    let applied = applied(client).await?;
    let newest = known.last().map_or(0, |migration| migration.version);
    for row in &applied {
        match known.iter().find(|migration| migration.version == row.version) {
            Some(migration) if migration.checksum() != row.checksum.as_slice() => {
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

/// # Errors
/// [`OpenError::Pending`] when the program cannot work with the schema that is in place: it works with the one before
/// its own.
pub(crate) fn tolerate(missing: &[Migration], known: &[Migration]) -> Result<(), OpenError> {
    let one_behind = missing.len() == 1 && known.len() > 1;
    if missing.is_empty() || one_behind { Ok(()) } else { Err(OpenError::Pending(missing.len())) }
}

/// Applies what is missing, under a lock that other processes see.
pub(crate) async fn apply(connector: &Connector, known: &[Migration]) -> Result<(), OpenError> {
    let client = connector.connect().await?;
    if missing(&client, known).await?.is_empty() {
        return Ok(());
    }
    make_tables(&client).await?;
    client.batch_execute(TABLE_WAITS).await?;
    let run = Run { connector, client, owner: owner() };
    run.wait_for_lock().await?;
    let result = run.apply_missing(known).await;
    run.client.execute(sql::DROP_MIGRATION_LOCK, &[&run.owner]).await?;
    result
}

/// One process's migration of the database.
struct Run<'a> {
    connector: &'a Connector,
    client: Client,
    owner: String,
}

impl Run<'_> {
    async fn apply_missing(&self, known: &[Migration]) -> Result<(), OpenError> {
        for migration in missing(&self.client, known).await? {
            let Migration { version, name, min_reader_version, .. } = &migration;
            let done = self.client.query_opt(sql::STATEMENTS_DONE, &[version]).await?;
            let done: i64 = done.map_or(Ok(0), |row| row.try_get(0))?;
            for (number, statement) in (1..).zip(migration.statements()) {
                if number > done {
                    self.execute(&statement, *version, number).await?;
                }
            }
            let checksum = migration.checksum();
            let record: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                [version, name, &checksum.as_slice(), min_reader_version];
            self.client.execute(sql::RECORD_MIGRATION, &record).await?;
            tracing::info!(version, name, "schema migrated");
        }
        Ok(())
    }

    /// Does the statement `number` of a migration and notes it.
    async fn execute(&self, statement: &Statement, version: i64, number: i64) -> Result<(), OpenError> {
        match statement.kind {
            Kind::Once => self.transaction(statement.text, Some((version, number))).await.map(|_| ()),
            Kind::Chunk => {
                while self.transaction(statement.text, None).await? > 0 {}
                self.transaction("SELECT 1", Some((version, number))).await.map(|_| ())
            }
            Kind::Alone => {
                self.alone(statement.text).await?;
                self.transaction("SELECT 1", Some((version, number))).await.map(|_| ())
            }
        }
    }

    /// One statement, with the lock held and the note that it was done; answers how many rows it changed.
    async fn transaction(&self, text: &str, note: Option<(i64, i64)>) -> Result<u64, OpenError> {
        let mut tries = 0;
        loop {
            match self.try_transaction(text, note).await {
                Err(Attempt::Later(why)) if tries < TABLE_TRIES => {
                    tracing::warn!(why, "a migration waits for a table in use");
                    tries += 1;
                    sleep(PAUSE).await;
                }
                Err(Attempt::Later(why)) => return Err(OpenError::Refused(why)),
                Err(Attempt::Failed(error)) => return Err(error),
                Ok(rows) => return Ok(rows),
            }
        }
    }

    async fn try_transaction(&self, text: &str, note: Option<(i64, i64)>) -> Result<u64, Attempt> {
        self.client.batch_execute("BEGIN").await?;
        let done = async {
            if !self.take_lock().await? {
                return Err(Attempt::Failed(self.owned_by_another().await));
            }
            let rows = self.client.execute(text, &[]).await?;
            if let Some((version, number)) = note {
                self.client.execute(sql::RECORD_STATEMENT, &[&version, &number]).await?;
            }
            Ok(rows)
        };
        let outcome = done.await;
        let end = if outcome.is_ok() { sql::COMMIT } else { "ROLLBACK" };
        self.client.batch_execute(end).await?;
        outcome
    }

    /// A statement outside a transaction; the lock is renewed from another connection meanwhile.
    async fn alone(&self, text: &str) -> Result<(), OpenError> {
        if let Some(index) = index_built_beside(text) {
            self.drop_if_invalid(index).await?;
        }
        let other = self.connector.connect().await?;
        let renew = async {
            loop {
                other.execute(sql::TAKE_MIGRATION_LOCK, &[&self.owner, &millis(LOCK_LASTS)]).await?;
                sleep(LOCK_LASTS / 3).await;
            }
        };
        // It holds nobody up while it waits for those who were there before.
        let run = async {
            self.client.batch_execute("SET lock_timeout = 0").await?;
            self.client.batch_execute(text).await?;
            self.client.batch_execute(TABLE_WAITS).await
        };
        tokio::select! {
            done = run => Ok(done?),
            lost = renew => lost,
        }
    }

    /// An index whose building was cut off is never used, and IF NOT EXISTS takes it for the whole one. Not dropped
    /// CONCURRENTLY, which not every server knows: nobody reads it.
    async fn drop_if_invalid(&self, index: &str) -> Result<(), OpenError> {
        match self.client.query_opt(sql::INVALID_INDEX, &[&index]).await {
            Ok(None) => Ok(()),
            Ok(Some(_)) => {
                tracing::warn!(index, "an index was left half built and is built anew");
                self.transaction(&format!("DROP INDEX {index}"), None).await.map(drop)
            }
            // A server without that catalogue leaves none half built.
            Err(error) if error.as_db_error().is_some() => {
                tracing::debug!(index, %error, "not known to be valid");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn take_lock(&self) -> Result<bool, tokio_postgres::Error> {
        let taken =
            self.client.execute(sql::TAKE_MIGRATION_LOCK, &[&self.owner, &millis(LOCK_LASTS)]).await?;
        Ok(taken == 1)
    }

    async fn wait_for_lock(&self) -> Result<(), OpenError> {
        let until = Instant::now() + LOCK_WAITS;
        loop {
            match self.take_lock().await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) if is_in_use(&error) => {}
                Err(error) => return Err(error.into()),
            }
            if Instant::now() > until {
                return Err(self.owned_by_another().await);
            }
            sleep(PAUSE).await;
        }
    }

    async fn owned_by_another(&self) -> OpenError {
        let owner = self.client.query_opt(sql::MIGRATION_LOCK_OWNER, &[]).await.ok().flatten();
        OpenError::Migrating { owner: owner.and_then(|row| row.try_get(0).ok()).unwrap_or_default() }
    }
}

/// The index that `CREATE [UNIQUE] INDEX CONCURRENTLY [IF NOT EXISTS] name ON …` builds.
fn index_built_beside(text: &str) -> Option<&str> {
    let lines = text.lines().filter(|line| !line.starts_with("--"));
    let mut words = lines.flat_map(str::split_whitespace);
    words.find(|word| *word == "CONCURRENTLY")?;
    words.find(|word| !["IF", "NOT", "EXISTS"].contains(word))
}

/// Why a statement of a migration was not done.
enum Attempt {
    /// Something was in its way.
    Later(String),
    Failed(OpenError),
}

impl From<tokio_postgres::Error> for Attempt {
    fn from(error: tokio_postgres::Error) -> Self {
        if is_in_use(&error) { Self::Later(crate::failure::told(&error)) } else { Self::Failed(error.into()) }
    }
}

fn is_in_use(error: &tokio_postgres::Error) -> bool {
    let passing =
        [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
    error.code().is_some_and(|code| passing.contains(code))
}

/// Two processes that make the same tables at the same moment may be told that the other one did.
async fn make_tables(client: &Client) -> Result<(), OpenError> {
    let mut tries = 0;
    loop {
        match client.batch_execute(sql::MIGRATION_TABLES).await {
            Err(error) if tries < TABLE_TRIES && error.as_db_error().is_some() => {
                tries += 1;
                sleep(PAUSE).await;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// Nothing for a database without any schema.
async fn applied(client: &Client) -> Result<Vec<Applied>, OpenError> {
    if client.query_opt(sql::HAS_SCHEMA, &[]).await?.is_none() {
        return Ok(Vec::new());
    }
    let rows = client.query(sql::APPLIED_MIGRATIONS, &[]).await?;
    let read = |row: &tokio_postgres::Row| {
        Ok(Applied {
            version: row.try_get(0)?,
            name: row.try_get(1)?,
            checksum: row.try_get(2)?,
            min_reader_version: row.try_get(3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Names this process among all machines that may migrate.
fn owner() -> String {
    use std::hash::{BuildHasher, RandomState};
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let random = RandomState::new().hash_one(std::process::id());
    format!("{}, process {} ({random:08x})", host.trim(), std::process::id())
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart() {
        const TEXT: &str = "-- About it.\n\nCREATE TABLE a (\n  -- why\n  b TEXT\n);\n-- chunk\nUPDATE a SET b = '';\n\n\
                            -- alone\nCREATE INDEX CONCURRENTLY c ON a (b);\n-- the end\n";
        let migration = Migration { version: 1, name: "test", sql: TEXT, min_reader_version: 1 };
        let kinds: Vec<Kind> = migration.statements().iter().map(|statement| statement.kind).collect();
        assert_eq!(kinds, [Kind::Once, Kind::Chunk, Kind::Alone]);
        let indexes: Vec<_> =
            migration.statements().iter().map(|statement| index_built_beside(statement.text)).collect();
        assert_eq!(indexes, [None, None, Some("c")]);
        let unique = "-- alone\n-- CONCURRENTLY\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS d ON a (b);";
        assert_eq!(index_built_beside(unique), Some("d"));
    }
}

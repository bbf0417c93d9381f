//! Building the schema, and meeting one that others built.

use super::*;
use crate::migration::Migration;

const SECOND: Migration = Migration {
    version: 2,
    name: "second",
    sql: "CREATE TABLE second (id INTEGER PRIMARY KEY) STRICT; INSERT INTO second (id) VALUES (1);",
    min_reader_version: 1,
};

/// What a later version could add.
const EXPANSION: &str = "ALTER TABLE document ADD COLUMN later TEXT;
ALTER TABLE artifact ADD COLUMN later TEXT;
ALTER TABLE grant_record ADD COLUMN later INTEGER;
ALTER TABLE event ADD COLUMN later TEXT;
ALTER TABLE tenant ADD COLUMN later INTEGER NOT NULL DEFAULT 7;
CREATE TABLE later (tenant TEXT NOT NULL PRIMARY KEY, body TEXT) STRICT;
CREATE INDEX artifact_later ON artifact (tenant, later);
";

/// Brings a new database to a schema that this program does not know.
pub(super) fn expand(directory: &tempfile::TempDir) {
    let version = MIGRATIONS.last().unwrap().version + 1;
    let later = Migration { version, name: "later", sql: EXPANSION, min_reader_version: 1 };
    drop(open_knowing(directory, &[MIGRATIONS, &[later]].concat()).unwrap());
}

fn first() -> Migration {
    *MIGRATIONS.first().unwrap()
}

fn open_knowing(directory: &TempDir, known: &[Migration]) -> Result<SqliteStore, OpenError> {
    SqliteStore::open_with(&file(directory), &Options::default(), known)
}

#[tokio::test]
async fn migrations_are_applied_once() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(pending(&file(&directory)).unwrap(), MIGRATIONS);
    assert!(!file(&directory).exists(), "a plan changes nothing");
    let newest = MIGRATIONS.last().unwrap().version;
    for _ in 0..2 {
        let store = open(&directory);
        assert_eq!(store.schema_version().await.unwrap(), newest);
        assert_eq!(pending(&file(&directory)).unwrap(), []);
    }
    let other = tempfile::tempdir().unwrap();
    drop(open_knowing(&other, &[first()]).unwrap());
    let store = open_knowing(&other, &[first(), SECOND]).unwrap();
    assert_eq!(store.schema_version().await.unwrap(), 2);
}

#[test]
fn numbers_and_files_agree() {
    for (version, migration) in (1..).zip(MIGRATIONS) {
        assert_eq!(migration.version, version);
        assert!(migration.min_reader_version <= version);
        let path = format!("migrations/{version:04}_{}.sql", migration.name);
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path));
        assert_eq!(text.unwrap_or_else(|error| panic!("{path}: {error}")), migration.sql, "{path}");
    }
}

#[test]
fn a_migration_that_was_changed_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory));
    let changed = Migration { sql: "SELECT 1;", ..first() };
    let refused = open_knowing(&directory, &[changed]).err();
    assert!(matches!(refused, Some(OpenError::Changed { version: 1, .. })), "{refused:?}");
}

#[test]
fn a_newer_schema_is_accepted_if_it_says_so() {
    let directory = tempfile::tempdir().unwrap();
    drop(open_knowing(&directory, &[first(), SECOND]).unwrap());
    drop(open_knowing(&directory, &[first()]).unwrap());

    let contracted =
        Migration { version: 3, name: "third", sql: "DROP TABLE second;", min_reader_version: 2 };
    drop(open_knowing(&directory, &[first(), SECOND, contracted]).unwrap());
    drop(open_knowing(&directory, &[first(), SECOND]).unwrap());
    let refused = open_knowing(&directory, &[first()]).err();
    assert!(matches!(refused, Some(OpenError::Newer { found: 3, known: 1 })), "{refused:?}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_can_be_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let broken = Migration {
        sql: "CREATE TABLE second (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
        ..SECOND
    };
    assert!(matches!(open_knowing(&directory, &[first(), broken]).err(), Some(OpenError::Sqlite(_))));
    let store = open_knowing(&directory, &[first()]).unwrap();
    assert_eq!(store.schema_version().await.unwrap(), 1);
    drop(store);
    let store = open_knowing(&directory, &[first(), SECOND]).unwrap();
    assert_eq!(store.schema_version().await.unwrap(), 2);
}

#[test]
fn without_leave_to_migrate_nothing_is_migrated() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { migrate: false, ..Options::default() };
    let refused = SqliteStore::open(file(&directory), &options).err();
    let missing = MIGRATIONS.len();
    assert!(matches!(refused, Some(OpenError::Pending(count)) if count == missing), "{refused:?}");
    drop(open(&directory));
    SqliteStore::open(file(&directory), &options).unwrap();
}

#[test]
fn one_process_migrates_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    drop(open_knowing(&directory, &[first()]).unwrap());
    let take = |expires_in: i64| {
        let lock = "INSERT INTO migration_lock (id, owner, expires_at) VALUES (1, 'process 0', unixepoch() * 1000 + $1)";
        shell(&directory).execute(lock, [expires_in]).unwrap();
    };
    take(3_600_000);
    drop(open_knowing(&directory, &[first()]).unwrap());
    let refused = open_knowing(&directory, &[first(), SECOND]).err();
    assert!(matches!(&refused, Some(OpenError::Migrating { owner }) if owner == "process 0"), "{refused:?}");

    shell(&directory).execute("DELETE FROM migration_lock", []).unwrap();
    take(-1_000);
    open_knowing(&directory, &[first(), SECOND]).expect("the lock of somebody who died is taken over");
    let locks: i64 =
        shell(&directory).query_row("SELECT COUNT(*) FROM migration_lock", [], |row| row.get(0)).unwrap();
    assert_eq!(locks, 0, "the lock is given back");
}

#[test]
fn what_is_no_database_is_refused_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(file(&directory), "not a database, but longer than its header would be. ".repeat(40))
        .unwrap();
    let refused = SqliteStore::open(file(&directory), &Options::default()).err().unwrap();
    assert_eq!(refused.to_string().lines().count(), 1, "{refused}");
    let missing = SqliteStore::open(directory.path().join("missing/postern.db"), &Options::default()).err();
    assert!(matches!(missing, Some(OpenError::File { .. })), "{missing:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_belong_to_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, _store, _tenant) = with_tenant().await;
    let mut files = 0;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        files += 1;
    }
    assert_eq!(files, 3, "database, log and its index");
}

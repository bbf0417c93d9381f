//! Migrations: once, one at a time, resumable, and beside the version before.

use super::*;
use crate::migration;

const SECOND: Migration = Migration {
    version: 2,
    name: "second",
    sql: "CREATE TABLE second (id BIGINT NOT NULL PRIMARY KEY, filled BIGINT);\n\
          INSERT INTO second (id) SELECT n FROM generate_series(1, 25) AS n;\n\
          -- chunk\n\
          UPDATE second SET filled = id WHERE id IN (SELECT id FROM second WHERE filled IS NULL LIMIT 10);\n\
          -- alone\n\
          CREATE INDEX CONCURRENTLY IF NOT EXISTS second_by_filled ON second (filled);\n",
    min_reader_version: 1,
};

/// What a later version could add.
const EXPANSION: &str = "ALTER TABLE document ADD COLUMN later TEXT;
ALTER TABLE artifact ADD COLUMN later TEXT;
ALTER TABLE grant_record ADD COLUMN later BIGINT;
ALTER TABLE event ADD COLUMN later TEXT;
ALTER TABLE tenant ADD COLUMN later BIGINT NOT NULL DEFAULT 7;
CREATE TABLE later (tenant TEXT NOT NULL PRIMARY KEY, body TEXT);
CREATE INDEX artifact_later ON artifact (tenant, later);
";

/// Brings a new database to a schema that this program does not know.
pub(super) async fn expand(database: &Database) {
    let version = MIGRATIONS.last().unwrap().version + 1;
    let later = Migration { version, name: "later", sql: EXPANSION, min_reader_version: 1 };
    drop(open_knowing(database, &[MIGRATIONS, &[later]].concat()).await.unwrap());
}

fn first() -> Migration {
    *MIGRATIONS.first().unwrap()
}

async fn open_knowing(database: &Database, known: &[Migration]) -> Result<PostgresStore, OpenError> {
    PostgresStore::open_with(&database.url, &options(), known).await
}

async fn number(database: &Database, question: &str) -> i64 {
    database.shell().await.query_one(question, &[]).await.unwrap().get(0)
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn migrations_are_applied_once() {
    let database = Database::new().await;
    assert_eq!(pending(&database.url, &options()).await.unwrap(), MIGRATIONS);
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()";
    assert_eq!(number(&database, tables).await, 0, "a plan changes nothing");
    for _ in 0..2 {
        let store = database.open().await;
        assert_eq!(store.schema_version().await.unwrap(), MIGRATIONS.last().unwrap().version);
        assert_eq!(pending(&database.url, &options()).await.unwrap(), []);
    }
    assert_eq!(number(&database, "SELECT count(*) FROM migration_lock").await, 0, "the lock is given back");
    let other = Database::new().await;
    let store = open_knowing(&other, &[first(), SECOND]).await.unwrap();
    assert_eq!(store.schema_version().await.unwrap(), 2);
    assert_eq!(number(&other, "SELECT count(*) FROM second WHERE filled = id").await, 25);
}

#[test]
fn numbers_and_files_agree() {
    for (version, migration) in (1..).zip(MIGRATIONS) {
        assert_eq!(migration.version, version);
        assert!(migration.min_reader_version <= version);
        let path = format!("{}/migrations/{version:04}_{}.sql", env!("CARGO_MANIFEST_DIR"), migration.name);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), migration.sql, "{path}");
    }
}

/// E7: killed after any statement, also between two chunks, the next process goes on there.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_07_a_migration_goes_on_where_it_was_killed() {
    let fault = "SELECT 1 / 0;\n";
    for at in 0..5 {
        let database = Database::new().await;
        drop(open_knowing(&database, &[first()]).await.unwrap());
        let mut parts: Vec<&str> = SECOND.sql.split_inclusive(";\n").collect();
        parts.insert(at.min(parts.len()), fault);
        let text: &'static str = parts.concat().leak();
        let broken = Migration { sql: text, ..SECOND };
        assert!(open_knowing(&database, &[first(), broken]).await.is_err(), "{at}");
        let store = open_knowing(&database, &[first(), SECOND]).await.unwrap();
        assert_eq!(store.schema_version().await.unwrap(), 2, "{at}");
        assert_eq!(number(&database, "SELECT count(*) FROM second WHERE filled = id").await, 25, "{at}");
    }
}

/// E7: what a crash left of an index that was being built is no index, and is not taken for one.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_07_an_index_that_was_left_half_built_is_built_anew() {
    let database = Database::new().await;
    let (before, _) = SECOND.sql.split_once("-- alone").unwrap();
    let broken = Migration { sql: format!("{before}SELECT 1 / 0;\n").leak(), ..SECOND };
    assert!(open_knowing(&database, &[first(), broken]).await.is_err());
    let half = "CREATE INDEX second_by_filled ON second (filled); \
                UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'second_by_filled'::regclass";
    database.shell().await.batch_execute(half).await.unwrap();
    drop(open_knowing(&database, &[first(), SECOND]).await.unwrap());
    let valid =
        "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid = 'second_by_filled'::regclass";
    assert_eq!(number(&database, valid).await, 1);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn a_migration_that_was_changed_is_refused() {
    let database = Database::new().await;
    drop(database.open().await);
    let changed = Migration { sql: "SELECT 1;\n", ..first() };
    let refused = open_knowing(&database, &[changed]).await.err();
    assert!(matches!(refused, Some(OpenError::Changed { version: 1, .. })), "{refused:?}");
}

/// E7: the program works with the schema just before its own and, where that says so, with the next one.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn e_07_programs_and_schemas_one_version_apart_work_together() {
    let database = Database::new().await;
    let asleep = Options { migrate: false, ..options() };
    let third = Migration { version: 3, name: "third", sql: "DROP TABLE second;\n", min_reader_version: 2 };
    let refused = PostgresStore::open_with(&database.url, &asleep, &[first()]).await.err();
    assert!(matches!(refused, Some(OpenError::Pending(1))), "nothing is there: {refused:?}");
    drop(open_knowing(&database, &[first()]).await.unwrap());
    PostgresStore::open_with(&database.url, &asleep, &[first(), SECOND]).await.expect("one behind");
    let refused = PostgresStore::open_with(&database.url, &asleep, &[first(), SECOND, third]).await.err();
    assert!(matches!(refused, Some(OpenError::Pending(2))), "two behind: {refused:?}");
    drop(open_knowing(&database, &[first(), SECOND]).await.unwrap());
    PostgresStore::open_with(&database.url, &asleep, &[first()]).await.expect("one ahead");
    drop(open_knowing(&database, &[first(), SECOND, third]).await.unwrap());
    let refused = open_knowing(&database, &[first()]).await.err();
    assert!(matches!(refused, Some(OpenError::Newer { found: 3, known: 1 })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn nodes_that_start_together_migrate_once() {
    let database = Arc::new(Database::new().await);
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let database = Arc::clone(&database);
            tokio::spawn(async move { open_knowing(&database, &[first(), SECOND]).await.map(|_| ()) })
        })
        .collect();
    for node in nodes {
        node.await.unwrap().unwrap();
    }
    assert_eq!(number(&database, "SELECT count(*) FROM migration").await, 2);
    assert_eq!(number(&database, "SELECT count(*) FROM second").await, 25);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn the_lock_of_somebody_who_died_is_taken_over() {
    let database = Database::new().await;
    drop(open_knowing(&database, &[first()]).await.unwrap());
    let lock = "INSERT INTO migration_lock (id, owner, expires_at) \
                VALUES (1, 'another', CAST(extract(epoch FROM now()) * 1000 AS BIGINT) + 300)";
    database.shell().await.batch_execute(lock).await.unwrap();
    let connector = Connector::new(&database.url, &options()).unwrap();
    migration::apply(&connector, &[first(), SECOND]).await.expect("after its lock has expired");
}

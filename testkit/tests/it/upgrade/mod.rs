//! Data of earlier versions under this one (E7).
//!
//! `testkit/fixtures/` keeps what earlier versions left: for each a SQLite database, a dump of a PostgreSQL schema, and
//! beside each the handles of whatever lives in it. `cargo xtask fixture NAME` makes one more, with the program as it is.

mod later;
mod later_handles;
mod living;
mod schema;

use std::path::{Path, PathBuf};

use living::{Living, seal_key};
use testkit::{SEAL_KEY, TestServer};

const DATABASE: &str = "postern.db";
const DUMP: &str = "postern.sql";

/// The fixtures, oldest first.
fn fixtures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let entries =
        std::fs::read_dir(&directory).unwrap_or_else(|why| panic!("{}: {why}", directory.display()));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(!found.is_empty(), "no fixture in {}", directory.display());
    found
}

/// Where `cargo xtask fixture` wants one.
fn wanted() -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os("POSTERN_FIXTURE")?);
    std::fs::create_dir_all(&directory).unwrap();
    Some(directory)
}

/// What this version leaves works in a process that knows it only from the database; kept as a fixture on demand.
#[tokio::test]
async fn e_07_what_is_left_in_a_database_works_in_the_next_process() {
    let before = TestServer::on_sqlite().await;
    let living = Living::make(&before).await;
    let directory = tempfile::tempdir().unwrap();
    let directory = wanted().unwrap_or_else(|| directory.path().to_owned());
    let file = directory.join(DATABASE);
    before.back_up(&file).await;
    living.keep(&file);
    drop(before);
    let living = Living::kept(&file);
    living.check(&TestServer::over_file(&file, seal_key(&file), living.now)).await;
}

#[tokio::test]
async fn e_07_what_earlier_versions_left_works() {
    for fixture in fixtures() {
        eprintln!("{}", fixture.display());
        let file = fixture.join(DATABASE);
        let living = Living::kept(&file);
        living.check(&TestServer::over_file(&file, seal_key(&file), living.now)).await;
    }
}

/// Without the key that belongs to the data nothing is opened, and nothing is told but that.
#[tokio::test]
async fn e_18_what_an_earlier_version_sealed_needs_its_key() {
    for fixture in fixtures() {
        let file = fixture.join(DATABASE);
        let living = Living::kept(&file);
        let server = TestServer::over_file(&file, [9; 32], living.now);
        let answer = server.party("client").client_credentials("").await;
        assert!(answer.status.is_server_error(), "{} {}", answer.status, answer.text());
    }
}

/// The same on PostgreSQL, where there is one.
#[tokio::test]
async fn e_07_what_is_left_in_a_schema_works_in_the_next_process() {
    if std::env::var_os("POSTERN_TEST_POSTGRES").is_none() {
        return;
    }
    let schema = "e7_made";
    let before = TestServer::in_schema(schema).await;
    let living = Living::make(&before).await;
    drop(before);
    if let Some(directory) = wanted() {
        let dump = directory.join(DUMP);
        schema::dump(schema, &dump);
        living.keep(&dump);
    }
    living.check(&TestServer::over_schema(schema, SEAL_KEY, living.now).await).await;
}

#[tokio::test]
async fn e_07_what_earlier_versions_left_works_on_postgresql() {
    if std::env::var_os("POSTERN_TEST_POSTGRES").is_none() {
        return;
    }
    for (number, fixture) in (0..).zip(fixtures()) {
        eprintln!("{}", fixture.display());
        let (dump, name) = (fixture.join(DUMP), format!("e7_{number}"));
        let living = Living::kept(&dump);
        schema::restore(&dump, &name);
        living.check(&TestServer::over_schema(&name, seal_key(&dump), living.now).await).await;
    }
}

//! The catalogue of statements against the real schema.

use super::*;

fn catalogue() -> Vec<(&'static str, &'static str)> {
    let all = [sql::READS, sql::WRITES, sql::MIGRATIONS].concat();
    assert!(all.len() > 60, "the catalogue was not read");
    all
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn every_statement_fits_the_schema() {
    let database = Database::new().await;
    let _store = database.open().await;
    let shell = database.shell().await;
    for (name, statement) in catalogue() {
        shell
            .prepare(statement)
            .await
            .unwrap_or_else(|error| panic!("{name}: {}\n{statement}", told(&error)));
    }
}

/// Work must not grow with what is stored: each statement finds its rows by an index, in the order it wants them.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
async fn no_statement_scans_or_sorts_a_table() {
    // Tables of a handful of rows.
    const SCANS: [&str; 1] = ["APPLIED_MIGRATIONS"];
    // The grants of one session, of one person at one client, and of a whole workspace, which only revocation asks for.
    const SORTS: [&str; 3] = ["GRANTS_OF_SERVER", "GRANTS_OF_SESSION", "GRANTS_OF_SUBJECT_AND_CLIENT"];
    let database = Database::new().await;
    let _store = database.open().await;
    let shell = database.shell().await;
    // What the planner does when tables are large enough for the difference to matter.
    shell
        .batch_execute(
            "SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan",
        )
        .await
        .unwrap();
    for (number, (name, statement)) in catalogue().into_iter().enumerate() {
        let parameters = shell.prepare(statement).await.unwrap().params().len();
        let nulls = vec!["NULL"; parameters].join(", ");
        let values = if parameters == 0 { String::new() } else { format!("({nulls})") };
        shell.batch_execute(&format!("PREPARE s{number} AS {statement}")).await.unwrap();
        let plan = shell.simple_query(&format!("EXPLAIN EXECUTE s{number}{values}")).await.unwrap();
        for message in plan {
            let tokio_postgres::SimpleQueryMessage::Row(row) = message else { continue };
            let step = row.get(0).unwrap();
            assert!(!step.contains("Seq Scan") || SCANS.contains(&name), "{name}: {step}");
            // An incremental sort orders equals only.
            let sorts = step.contains("Sort ") && !step.contains("Incremental") && !step.contains("Sort Key");
            assert!(!sorts || SORTS.contains(&name), "{name}: {step}");
        }
    }
}

/// The words of the catalogue stay among those that other servers of this protocol know.
#[test]
fn the_catalogue_keeps_to_the_shared_words() {
    let migrations = MIGRATIONS.iter().map(|migration| ("a migration", migration.sql));
    for (name, statement) in catalogue().into_iter().chain(migrations) {
        for word in
            ["advisory", "LISTEN", "NOTIFY", "DEFERRABLE", "EXCLUDE", "$$", "SERIAL", "IDENTITY", "COLLATE"]
        {
            let code: String = statement.lines().filter(|line| !line.starts_with("--")).collect();
            assert!(!code.contains(word), "{name}: {word}");
        }
    }
}

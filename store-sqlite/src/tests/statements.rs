//! The catalogue of statements against the real schema.

use super::*;
use rusqlite::StatementStatus;

fn catalogue() -> Vec<(&'static str, &'static str)> {
    let all = [sql::READS, sql::WRITES, sql::MIGRATIONS, sql::TRANSACTIONS].concat();
    assert!(all.len() > 70, "the catalogue was not read");
    all
}

#[test]
fn every_statement_fits_the_schema() {
    let directory = tempfile::tempdir().unwrap();
    let _store = open(&directory);
    let shell = shell(&directory);
    for (name, statement) in catalogue() {
        shell.prepare(statement).unwrap_or_else(|error| panic!("{name}: {error}\n{statement}"));
    }
}

#[test]
fn the_statement_cache_holds_the_catalogue() {
    assert!(open::STATEMENTS >= catalogue().len());
}

/// Work must not grow with what is stored: each statement finds its rows by an index, in the order it wants them.
#[test]
fn no_statement_scans_or_sorts_a_table() {
    // Walks in the order of the primary key up to a limit, along an index that holds nothing else, and tables of a
    // handful of rows.
    const WALKS: [&str; 6] = [
        "TENANTS_FROM_START",
        "TENANTS_FROM_END",
        "UNEXPORTED_TO_FILE",
        "UNEXPORTED_TO_HTTP",
        "APPLIED_MIGRATIONS",
        "SCHEMA_VERSION",
    ];
    // The grants of one session, of one person at one client, and of a whole workspace, which only revocation asks for.
    const SORTS: [&str; 3] = ["GRANTS_OF_SERVER", "GRANTS_OF_SESSION", "GRANTS_OF_SUBJECT_AND_CLIENT"];
    let directory = tempfile::tempdir().unwrap();
    let _store = open(&directory);
    let shell = shell(&directory);
    for (name, statement) in [sql::READS, sql::WRITES, sql::MIGRATIONS].concat() {
        let mut explained = shell.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        let mut rows = explained.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get("detail").unwrap();
            assert!(!step.starts_with("SCAN") || WALKS.contains(&name), "{name}: {step}");
            assert!(
                !name.starts_with("UNEXPORTED") || step.contains("USING INDEX event_for_"),
                "{name}: {step}"
            );
            // Sorting "the last term" orders equals only.
            let sorts = step.contains("TEMP B-TREE") && !step.contains("LAST TERM");
            assert!(!sorts || SORTS.contains(&name), "{name}: {step}");
        }
    }
}

/// A statement that is planned anew for each value costs ten times as much.
#[test]
fn statements_are_planned_once() {
    let directory = tempfile::tempdir().unwrap();
    let _store = open(&directory);
    let reader = open::reader(&file(&directory)).unwrap();
    let tenant = TenantId::new("t1");
    for value in ["a", "b", "c"] {
        let page = Page { cursor: store::Cursor::After(value.to_owned()), limit: 1, descending: false };
        read::load(&reader, &tenant, &[Lookup::Artifact(CODE, HandleHash::of(value))]).unwrap();
        read::documents(&reader, &tenant, DocumentKind::Client, Some(value), &page).unwrap();
        let key = Page { cursor: store::Cursor::After(HandleHash::of(value).key()), ..page.clone() };
        read::artifacts(&reader, &tenant, CODE, value, Timestamp::default(), &key).unwrap();
        let selector = GrantSelector::Subject(ServerId::new("server"), value.to_owned());
        read::grants(&reader, &tenant, &selector, 1).unwrap();
    }
    for name in [sql::ARTIFACT, sql::CHILDREN_ABOVE, sql::ARTIFACTS_ABOVE, sql::GRANTS_OF_SUBJECT] {
        let statement = reader.prepare_cached(name).unwrap();
        assert!(statement.get_status(StatementStatus::VmStep) > 0, "it was not the cached one: {name}");
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{name}");
    }
}

/// The schema that the migrations build, as one text to review. After a new migration, copy what this prints.
#[test]
fn the_schema_is_the_committed_one() {
    let directory = tempfile::tempdir().unwrap();
    let _store = open(&directory);
    let shell = shell(&directory);
    let mut statement = shell
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )
        .unwrap();
    let parts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let schema: String = parts.map(|part| part.unwrap() + ";\n\n").collect();
    let (_comment, committed) = include_str!("../../schema.sql").split_once("\n\n").unwrap();
    assert!(
        schema.trim() == committed.trim(),
        "below its first line, store-sqlite/schema.sql should be:\n\n{schema}"
    );
}

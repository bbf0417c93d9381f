//! What certain rooms must not contain: house rules 1, 8 and 9, and the vault's door.

use crate::assert_none;
use crate::source::rust_sources;

#[test]
fn rule_rooms_have_no_doors_and_no_clock() {
    const FORBIDDEN: [&str; 9] = [
        "std::net",
        "std::fs",
        "std::env",
        "std::process",
        "tokio",
        "SystemTime",
        "Instant",
        "async fn",
        ".await",
    ];
    let mut violations = Vec::new();
    for source in rust_sources().iter().filter(|source| ["jose", "protocol"].contains(&source.room())) {
        for pattern in FORBIDDEN {
            let shipped =
                source.places(&source.code, pattern).filter(|(line, _)| !source.is_test_line(*line));
            violations.extend(shipped.map(|(_, place)| place));
        }
    }
    assert_none(
        "`jose` and `protocol` are pure and synchronous: no sockets, files, environment, clock or async",
        "take the value as an argument and fetch it in `engine`",
        &violations,
    );
}

#[test]
fn sql_stays_in_the_vault() {
    const STATEMENTS: [&str; 7] = [
        "SELECT ",
        "INSERT INTO ",
        "INSERT OR ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "BEGIN IMMEDIATE",
        "PRAGMA ",
    ];
    let mut violations = Vec::new();
    for source in rust_sources().iter().filter(|source| !knows_sql(source.room())) {
        for statement in STATEMENTS.iter().filter(|_| !source.path.starts_with("testkit/tests/")) {
            violations.extend(source.places(&source.literals, statement).map(|(_, place)| place));
        }
    }
    assert_none("SQL is written only in store-* crates", "add a method to the store's port", &violations);
}

/// The backends, and the benchmark's floor server, which is a server of its own.
fn knows_sql(room: &str) -> bool {
    room.starts_with("store-") || room == "bench"
}

#[test]
fn endpoints_do_not_choose_error_statuses() {
    const FORBIDDEN: [&str; 12] = [
        "StatusCode::BAD_",
        "StatusCode::UNAUTHORIZED",
        "StatusCode::FORBIDDEN",
        "StatusCode::NOT_",
        "StatusCode::METHOD_",
        "StatusCode::CONFLICT",
        "StatusCode::GONE",
        "StatusCode::PAYLOAD_",
        "StatusCode::TOO_MANY",
        "StatusCode::UNPROCESSABLE",
        "StatusCode::INTERNAL_",
        "StatusCode::SERVICE_",
    ];
    let mut violations = Vec::new();
    for source in rust_sources().iter().filter(|source| source.path.starts_with("web/src/oauth2/")) {
        for pattern in FORBIDDEN {
            let shipped =
                source.places(&source.code, pattern).filter(|(line, _)| !source.is_test_line(*line));
            violations.extend(shipped.map(|(_, place)| place));
        }
    }
    assert_none(
        "why -> code -> status is decided in the one table of protocol/src/error.rs",
        "return a Refusal and let the shared reply turn it into a response",
        &violations,
    );
}

/// Nothing may depend on the wall clock but engine's clock; Clippy enforces it, each exception says why.
#[test]
fn clock_exceptions_are_few() {
    let mut places = Vec::new();
    for source in rust_sources().iter().filter(|source| !["xtask", "bench"].contains(&source.room())) {
        let shipped = source
            .places(&source.code, "clippy::disallowed_methods")
            .filter(|(line, _)| !source.is_test_line(*line));
        places.extend(shipped.map(|(_, place)| place));
    }
    let limit = 6;
    assert!(
        places.len() <= limit,
        "\n\n  rule: time is a value; at most {limit} places may ask the machine's clock\n  mend: ask engine::clock::Clock\n\n  {}\n",
        places.join("\n  ")
    );
}

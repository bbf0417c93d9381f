//! Which crate may use which: the picture of ARCHITECTURE.md as data.

use std::process::Command;

use serde_json::Value;

use crate::assert_none;
use crate::source::{CRATES, root};

/// One row: a crate, what it may use, and what its tests may use besides.
struct Row {
    name: &'static str,
    may_use: &'static [&'static str],
    tests_may_also_use: &'static [&'static str],
}

const ARROWS: [Row; 13] = [
    Row { name: "jose", may_use: &[], tests_may_also_use: &[] },
    Row { name: "protocol", may_use: &["jose"], tests_may_also_use: &[] },
    Row { name: "store", may_use: &["protocol"], tests_may_also_use: &[] },
    Row { name: "store-sqlite", may_use: &["store", "protocol"], tests_may_also_use: &[] },
    Row { name: "store-postgres", may_use: &["store", "protocol"], tests_may_also_use: &[] },
    Row { name: "engine", may_use: &["store", "protocol", "jose"], tests_may_also_use: &["store-sqlite"] },
    Row { name: "web", may_use: &["engine", "protocol"], tests_may_also_use: &["store", "jose"] },
    Row { name: "admin", may_use: &["engine", "protocol"], tests_may_also_use: &["store", "jose"] },
    Row {
        name: "postern",
        may_use: &["admin", "web", "engine", "store", "store-sqlite", "store-postgres", "protocol", "jose"],
        tests_may_also_use: &[],
    },
    Row {
        name: "testkit",
        may_use: &[
            "admin",
            "web",
            "engine",
            "store",
            "store-sqlite",
            "store-postgres",
            "protocol",
            "jose",
            "postern",
        ],
        tests_may_also_use: &[],
    },
    Row { name: "xtask", may_use: &[], tests_may_also_use: &[] },
    Row { name: "bench", may_use: &[], tests_may_also_use: &[] },
    Row { name: "fuzz", may_use: &["web", "engine", "store", "protocol", "jose"], tests_may_also_use: &[] },
];

/// Libraries that only the named crates may open the door with.
const DOORS: [(&str, &[&str]); 9] = [
    ("axum", &["web", "admin", "postern", "testkit", "fuzz"]),
    ("hyper", &["postern", "testkit", "bench"]),
    // The binary sends its own traces, to where its configuration says.
    ("reqwest", &["engine", "postern", "testkit", "bench"]),
    ("rusqlite", &["store-sqlite", "bench"]),
    ("tokio-postgres", &["store-postgres"]),
    ("minijinja", &["web"]),
    ("argon2", &["engine", "bench"]),
    (
        "tokio",
        &["store-sqlite", "store-postgres", "engine", "web", "admin", "postern", "testkit", "bench", "fuzz"],
    ),
    ("rand", &[]),
];

/// A dependency of a crate as its manifest states it.
struct Dependency {
    from: String,
    to: String,
    for_tests: bool,
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let mut violations = Vec::new();
    for dependency in dependencies().iter().filter(|dependency| CRATES.contains(&dependency.to.as_str())) {
        let Some(row) = ARROWS.iter().find(|row| row.name == dependency.from) else {
            violations.push(format!("{} is not in the table", dependency.from));
            continue;
        };
        let to = dependency.to.as_str();
        let allowed =
            row.may_use.contains(&to) || (dependency.for_tests && row.tests_may_also_use.contains(&to));
        if !allowed {
            violations.push(format!("{} -> {to}", dependency.from));
        }
    }
    assert_none(
        "arrows of `use` point only where the table ARROWS of this file says",
        "remove the dependency from the crate's Cargo.toml; a new arrow needs a decision note in docs/decisions",
        &violations,
    );
}

#[test]
fn doors_to_the_street_open_only_where_they_should() {
    let mut violations = Vec::new();
    for dependency in dependencies().iter().filter(|dependency| !dependency.for_tests) {
        let door = DOORS.iter().find(|(library, _)| *library == dependency.to);
        if door.is_some_and(|(_, allowed)| !allowed.contains(&dependency.from.as_str())) {
            violations.push(format!("{} -> {}", dependency.from, dependency.to));
        }
    }
    assert_none(
        "HTTP, SQL, templates, password hashing and the runtime are used only by the crates in the table DOORS",
        "move the code to the crate whose work it is",
        &violations,
    );
}

#[test]
fn every_crate_is_in_the_table() {
    let mut names: Vec<String> =
        packages().iter().filter_map(|package| Some(package["name"].as_str()?.to_owned())).collect();
    names.sort();
    let mut table: Vec<&str> = ARROWS.iter().map(|row| row.name).collect();
    table.sort_unstable();
    assert_eq!(names, table, "a new crate needs a row in ARROWS and a line in CRATES (tests/tidy/source.rs)");
}

#[test]
fn no_cargo_feature_changes_behaviour() {
    // The one of `fuzz` says whether there is anything to build.
    let with_features = |package: &&Value| {
        package["name"] != "fuzz"
            && package["features"].as_object().is_some_and(|features| !features.is_empty())
    };
    let violations: Vec<String> =
        packages().iter().filter(with_features).map(|package| package["name"].to_string()).collect();
    assert_none("our crates have no Cargo features", "make it a setting, or another crate", &violations);
}

#[test]
fn every_crate_shares_lints_and_versions() {
    let mut violations = Vec::new();
    for name in CRATES {
        let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        if !manifest.contains("[lints]\nworkspace = true") {
            violations.push(format!("{name}: no `[lints] workspace = true`"));
        }
        let versions =
            manifest.lines().filter(|line| line.contains("= \"") && line.contains(['^', '=', '.']));
        for line in versions.filter(|line| line.split('"').nth(1).is_some_and(is_version)) {
            violations.push(format!("{name}: {line}"));
        }
    }
    assert_none(
        "lints and dependency versions are stated once, in the workspace's Cargo.toml",
        "write `name.workspace = true` and the version under [workspace.dependencies]",
        &violations,
    );
}

/// The rule rooms stay pure through their dependencies too.
#[test]
fn protocol_reaches_no_runtime_server_or_database() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", "protocol", "-e", "normal", "--offline", "--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("jose v"), "the tree of `protocol` shows no jose:\n{tree}");
    let forbidden = ["tokio", "axum", "hyper", "rusqlite", "tokio-postgres", "rand", "reqwest"];
    let violations: Vec<String> = tree
        .lines()
        .filter(|line| forbidden.contains(&line.split(' ').next().unwrap_or_default()))
        .map(str::to_owned)
        .collect();
    assert_none(
        "`protocol` knows no clock, socket, file, database or randomness, not even through a dependency",
        "do the work in `engine` and hand the result in as a value",
        &violations,
    );
}

fn is_version(value: &str) -> bool {
    value.trim_start_matches(['^', '=', '~']).starts_with(|first: char| first.is_ascii_digit())
}

fn dependencies() -> Vec<Dependency> {
    let mut all = Vec::new();
    for package in packages() {
        let from = package["name"].as_str().unwrap_or_default().to_owned();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default().to_owned();
            all.push(Dependency { from: from.clone(), to, for_tests: dependency["kind"] == "dev" });
        }
    }
    assert!(all.len() > 20, "the manifests were not read");
    all
}

/// The workspace's own packages as Cargo describes them.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

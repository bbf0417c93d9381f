//! docs/ATTACKS.md: which test withstands which attack. Written from the names of the tests, so it cannot lie for
//! long. To write it anew: `UPDATE_DOCS=1 cargo test -p testkit --test it attack_table`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::named_tests::{self, root};

/// What attackers try: id, severity, attack, and why no test is asked for yet.
const ATTACKS: &str = include_str!("attacks.tsv");

const HEAD: &str = "# Attacks

What attackers of OAuth 2 and OpenID Connect servers try, and the tests that withstand them. A test names the ids
in its own name: `fn rdr_06_…` is about RDR-06, `fn aut_07_to_11_…` about five of them. Severity: C account, token or
tenant takeover; H the same with a precondition, or denial of service by one request; M defence in depth; L hygiene.

Written from the tests' names by `UPDATE_DOCS=1 cargo test -p testkit --test it attack_table`.
";

struct Attack {
    id: &'static str,
    severity: &'static str,
    attack: &'static str,
    note: &'static str,
}

impl Attack {
    fn waits(&self) -> bool {
        self.note.starts_with("later: ") || self.note.starts_with("checked: ")
    }
}

fn attacks() -> Vec<Attack> {
    let rows = ATTACKS.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_default();
        Attack { id: next(), severity: next(), attack: next(), note: next() }
    })
    .collect()
}

/// The ids in a test's name, ranges written out.
fn ids_in(name: &str, prefixes: &BTreeSet<String>) -> Vec<String> {
    let words: Vec<&str> = name.split('_').collect();
    let number =
        |at: usize| words.get(at).filter(|word| word.len() == 2).and_then(|word| word.parse::<u32>().ok());
    let mut ids = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| prefixes.contains(**word)) {
        let Some(first) = number(at + 1) else { continue };
        let last = match words.get(at + 2) {
            Some(&"to") => number(at + 3).unwrap_or(first),
            _ => first,
        };
        ids.extend((first..=last).map(|n| format!("{}-{n:02}", word.to_ascii_uppercase())));
    }
    ids
}

/// Tests by attack id, each as `path::name`.
fn tests_by_id(attacks: &[Attack]) -> BTreeMap<String, Vec<(String, String)>> {
    let prefixes =
        attacks.iter().filter_map(|a| a.id.split('-').next()).map(str::to_ascii_lowercase).collect();
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for test in named_tests::all() {
        for id in ids_in(&test.name, &prefixes) {
            found.entry(id).or_default().push((test.path.clone(), test.name.clone()));
        }
    }
    found
}

#[test]
fn ids_are_read_from_names() {
    let prefixes = ["rdr", "aut", "w"].map(str::to_owned).into();
    assert_eq!(ids_in("rdr_06_a_slash", &prefixes), ["RDR-06"]);
    assert_eq!(ids_in("aut_07_to_09_rdr_11_x", &prefixes), ["AUT-07", "AUT-08", "AUT-09", "RDR-11"]);
    assert_eq!(ids_in("w_08_w_13", &prefixes), ["W-08", "W-13"]);
    assert!(ids_in("rfc6749_5_2_draw_in_2026", &prefixes).is_empty());
}

#[test]
fn every_attack_has_a_test_or_waits_for_its_feature() {
    let attacks = attacks();
    assert!(attacks.len() > 300);
    let tests = tests_by_id(&attacks);
    let mut wrong = Vec::new();
    for attack in &attacks {
        let is_tested = tests.contains_key(attack.id);
        if !is_tested && !attack.waits() {
            wrong.push(format!("{}: no test names it: {}", attack.id, attack.attack));
        }
    }
    assert!(wrong.is_empty(), "\n  {}\n", wrong.join("\n  "));
}

/// The document, from the names of today.
fn document(attacks: &[Attack], tests: &BTreeMap<String, Vec<(String, String)>>) -> String {
    let mut text = HEAD.to_owned();
    let mut group = "";
    for attack in attacks {
        let own = attack.id.split('-').next().unwrap();
        if own != group {
            group = own;
            write!(text, "\n## {group}\n\n| id | | attack | tests |\n| --- | --- | --- | --- |\n").unwrap();
        }
        let mut by_file: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (path, name) in tests.get(attack.id).into_iter().flatten() {
            by_file.entry(path).or_default().push(name);
        }
        let cells: Vec<String> = by_file
            .iter()
            .map(|(path, names)| format!("[{path}](../{path}): `{}`", names.join("`, `")))
            .collect();
        let cell = if cells.is_empty() { attack.note.to_owned() } else { cells.join("; ") };
        writeln!(text, "| {} | {} | {} | {cell} |", attack.id, attack.severity, attack.attack).unwrap();
    }
    text
}

/// New tests may come without touching the document; a test that is renamed or gone may not stay in it.
#[test]
fn docs_attacks_md_names_only_tests_that_exist_and_one_for_every_attack() {
    let attacks = attacks();
    let tests = tests_by_id(&attacks);
    let path = root().join("docs/ATTACKS.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, document(&attacks, &tests)).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let rows: BTreeMap<&str, &str> =
        committed.lines().filter_map(|row| row.strip_prefix("| ")?.split_once(" | ")).collect();
    let mut wrong = Vec::new();
    for attack in &attacks {
        let row = rows.get(attack.id).copied().unwrap_or_default();
        let known: BTreeSet<&str> =
            tests.get(attack.id).into_iter().flatten().map(|(_, name)| name.as_str()).collect();
        let prefix = attack.id.to_ascii_lowercase().replace('-', "_");
        let named: Vec<&str> = row.split('`').skip(1).step_by(2).filter(|name| name.contains('_')).collect();
        wrong.extend(named.iter().filter(|n| !known.contains(**n)).map(|n| format!("{prefix}: no test {n}")));
        if row.is_empty() || named.is_empty() && !attack.waits() {
            wrong.push(format!("{prefix}: not in the table"));
        }
    }
    let mend = "run UPDATE_DOCS=1 cargo test -p testkit --test it attack_table";
    assert!(wrong.is_empty(), "docs/ATTACKS.md is out of date: {mend}\n  {}\n", wrong.join("\n  "));
}

/// W-04: the comparisons that an attacker could time. Each file compares in constant time, or compares only
/// hashes of what was sent, which an attacker cannot steer.
#[test]
fn w_04_what_an_attacker_could_time_is_compared_in_constant_time() {
    for (path, what) in [
        ("engine/src/hashing.rs", "client secrets"),
        ("engine/src/interaction.rs", "anti-forgery values and the browser's cookie"),
        ("protocol/src/pkce.rs", "code verifiers"),
    ] {
        let source = std::fs::read_to_string(root().join(path)).unwrap();
        assert!(source.contains("constant_time_eq("), "{path}: {what}");
    }
    // Secrets cannot be compared in any other way: their types have no `==`.
    let secret = std::fs::read_to_string(root().join("jose/src/secret.rs")).unwrap();
    let derives = secret.lines().filter(|line| line.contains("derive(") && line.contains("PartialEq"));
    assert_eq!(derives.count(), 0, "jose/src/secret.rs");
}

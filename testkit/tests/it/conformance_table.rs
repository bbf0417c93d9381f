//! docs/CONFORMANCE.md: which test shows which demand of the conformance plans. Written from the names of the tests.
//! To write it anew: `UPDATE_DOCS=1 cargo test -p testkit --test it conformance_table`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::named_tests::{self, NamedTest, root};

/// What the plans demand: plans, module or clause, demand, and why it does not apply.
const DEMANDS: &str = include_str!("conformance.tsv");

/// The plans by the short name used in the table. A module stands under the first of its plans.
const PLANS: [(&str, &str); 11] = [
    ("C0", "What nearly every OpenID module checks"),
    ("C1", "Basic (`oidcc-basic-certification-test-plan`)"),
    (
        "IM",
        "Implicit (`oidcc-implicit-certification-test-plan`, `oidcc-formpost-implicit-certification-test-plan`)",
    ),
    (
        "HY",
        "Hybrid (`oidcc-hybrid-certification-test-plan`, `oidcc-formpost-hybrid-certification-test-plan`)",
    ),
    ("C2", "Config (`oidcc-config-certification-test-plan`)"),
    ("C3", "Dynamic (`oidcc-dynamic-certification-test-plan`)"),
    ("C4", "Form post (`oidcc-formpost-basic-certification-test-plan`)"),
    ("C5", "RP-initiated logout (`oidcc-rp-initiated-logout-certification-test-plan`)"),
    ("LO", "Session management, front-channel and back-channel logout, third-party initiated login"),
    ("MCP", "Model Context Protocol clients"),
    ("C6", "FAPI 2.0 (`fapi2-security-profile-final-test-plan`)"),
];

/// Plans whose modules run once per response type and response mode: their tests are those of this directory.
const FLOW_PLANS: [&str; 3] = ["C4", "IM", "HY"];
const EVERY_FLOW: &str = "testkit/tests/it/every_flow/";

const HEAD: &str = "# Conformance

What the OpenID Foundation's conformance plans and MCP clients demand, in our own words, and the test that shows each.

A test shows a demand if its name holds the demand's id with `_` for `-` (`fn oidcc_prompt_login…`; of two ids that fit at
one place, the longer), or if the line `// shows: id, id` stands right above it. The modules of the implicit, hybrid and
form_post plans run for every response type and response mode: for those plans only tests under
`testkit/tests/it/every_flow/` count, each of which runs for all of them.

A warning of the suite is a failure here.

Written from the tests' names by `UPDATE_DOCS=1 cargo test -p testkit --test it conformance_table`.
";

struct Demand {
    plans: Vec<&'static str>,
    id: &'static str,
    demand: &'static str,
    note: &'static str,
}

impl Demand {
    fn applies(&self) -> bool {
        !self.note.starts_with("n/a: ")
    }

    /// What is wrong with the tests that were found.
    fn missing(&self, tests: &[&NamedTest]) -> Option<String> {
        if !self.applies() {
            return None;
        }
        if tests.is_empty() {
            return Some(format!("{}: no test shows it: {}", self.id, self.demand));
        }
        let in_every_flow = tests.iter().any(|test| test.path.starts_with(EVERY_FLOW));
        let needed = self.plans.iter().any(|plan| FLOW_PLANS.contains(plan));
        (needed && !in_every_flow).then(|| format!("{}: no test under {EVERY_FLOW} shows it", self.id))
    }

    fn state(&self, tests: &[&NamedTest]) -> &'static str {
        match (self.applies(), tests.is_empty()) {
            (false, _) => "not applicable",
            (true, true) => "missing",
            (true, false) => "shown",
        }
    }
}

fn demands() -> Vec<Demand> {
    let rows = DEMANDS.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_default();
        Demand { plans: next().split(' ').collect(), id: next(), demand: next(), note: next() }
    })
    .collect()
}

/// The ids in a test's name: at each place the longest that fits.
fn ids_in<'a>(
    name: &str,
    ids: &BTreeSet<Vec<String>>,
    spelled: &'a BTreeMap<Vec<String>, &str>,
) -> Vec<&'a str> {
    let words: Vec<String> = name.split('_').map(str::to_ascii_lowercase).collect();
    let mut found = Vec::new();
    for at in 0..words.len() {
        let rest = &words[at..];
        let longest = ids.iter().filter(|id| rest.starts_with(id)).max_by_key(|id| id.len());
        found.extend(longest.and_then(|id| spelled.get(id)).copied());
    }
    found
}

/// Words of an id as they stand in a test's name.
fn words(id: &str) -> Vec<String> {
    id.to_ascii_lowercase().split(['-', '_']).map(str::to_owned).collect()
}

/// The tests that show each demand.
fn tests_by_id<'a>(demands: &[Demand], tests: &'a [NamedTest]) -> BTreeMap<String, Vec<&'a NamedTest>> {
    let spelled: BTreeMap<Vec<String>, &str> = demands.iter().map(|d| (words(d.id), d.id)).collect();
    let ids: BTreeSet<Vec<String>> = spelled.keys().cloned().collect();
    let mut found: BTreeMap<String, Vec<&NamedTest>> = BTreeMap::new();
    for test in tests {
        let mut shown: BTreeSet<String> =
            ids_in(&test.name, &ids, &spelled).into_iter().map(str::to_owned).collect();
        shown.extend(test.shows.iter().cloned());
        for id in shown {
            found.entry(id).or_default().push(test);
        }
    }
    found
}

#[test]
fn ids_are_read_from_names_and_lines() {
    let known = ["oidcc-server", "oidcc-server-rotate-keys", "mcp-1", "mcp-10"];
    let spelled: BTreeMap<Vec<String>, &str> = known.iter().map(|id| (words(id), *id)).collect();
    let ids: BTreeSet<Vec<String>> = spelled.keys().cloned().collect();
    let read = |name| ids_in(name, &ids, &spelled);
    assert_eq!(read("oidcc_server_rotate_keys_at_noon"), ["oidcc-server-rotate-keys"]);
    assert_eq!(read("aut_25_oidcc_server_mcp_10_x"), ["oidcc-server", "mcp-10"]);
    assert!(read("oidcc_servers").is_empty());
    let source = "// shows: a-1, b\n#[test]\nfn one() {}\n// shows: c\n\n#[tokio::test]\nasync fn two() {}";
    let tests = named_tests::tests_in("x.rs", source);
    assert_eq!(
        (tests[0].name.as_str(), tests[0].shows.as_slice()),
        ("one", &["a-1".to_owned(), "b".to_owned()][..])
    );
    assert!(tests[1].shows.is_empty(), "a comment somewhere before is not right above");
}

#[test]
fn every_demand_has_a_test() {
    let (demands, tests) = (demands(), named_tests::all());
    assert_eq!(demands.iter().filter(|d| d.plans.contains(&"C1")).count(), 38, "modules of the basic plan");
    let found = tests_by_id(&demands, &tests);
    let none = Vec::new();
    let mut wrong: Vec<String> =
        demands.iter().filter_map(|d| d.missing(found.get(d.id).unwrap_or(&none))).collect();
    let known: BTreeSet<&str> = demands.iter().map(|d| d.id).collect();
    let unknown = tests.iter().flat_map(|test| test.shows.iter().map(move |id| (test, id)));
    wrong.extend(
        unknown.filter(|(_, id)| !known.contains(id.as_str())).map(|(t, id)| format!("{}: {id}?", t.name)),
    );
    assert!(wrong.is_empty(), "\n  {}\n", wrong.join("\n  "));
}

fn document(demands: &[Demand], found: &BTreeMap<String, Vec<&NamedTest>>) -> String {
    let mut text = HEAD.to_owned();
    text.push_str(
        "\n| plan | modules | shown | missing | not applicable |\n| --- | --- | --- | --- | --- |\n",
    );
    let none = Vec::new();
    for (plan, title) in PLANS {
        let of_plan: Vec<&Demand> = demands.iter().filter(|d| d.plans.contains(&plan)).collect();
        let count =
            |state| of_plan.iter().filter(|d| d.state(found.get(d.id).unwrap_or(&none)) == state).count();
        let (shown, missing, other) = (count("shown"), count("missing"), count("not applicable"));
        writeln!(text, "| {plan}: {title} | {} | {shown} | {missing} | {other} |", of_plan.len()).unwrap();
    }
    for (plan, title) in PLANS {
        let rows: Vec<&Demand> = demands.iter().filter(|d| d.plans[0] == plan).collect();
        if rows.is_empty() {
            continue;
        }
        let columns =
            "| module or clause | plans | demand | tests | state |\n| --- | --- | --- | --- | --- |";
        write!(text, "\n## {plan}: {title}\n\n{columns}\n").unwrap();
        for row in rows {
            let tests = found.get(row.id).unwrap_or(&none);
            let state = row.state(tests);
            let cell = if row.applies() { cell(tests) } else { row.note.replacen("n/a: ", "", 1) };
            writeln!(text, "| {} | {} | {} | {cell} | {state} |", row.id, row.plans.join(" "), row.demand)
                .unwrap();
        }
    }
    text
}

fn cell(tests: &[&NamedTest]) -> String {
    let mut by_file: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for test in tests {
        by_file.entry(&test.path).or_default().push(&test.name);
    }
    let files = by_file.iter().map(|(path, names)| format!("[{path}](../{path}): `{}`", names.join("`, `")));
    files.collect::<Vec<_>>().join("; ")
}

/// New tests may come without touching the document; a test that is renamed or gone may not stay in it.
#[test]
fn docs_conformance_md_names_only_tests_that_exist_and_one_for_every_demand() {
    let (demands, tests) = (demands(), named_tests::all());
    let found = tests_by_id(&demands, &tests);
    let path = root().join("docs/CONFORMANCE.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, document(&demands, &found)).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let rows: BTreeMap<&str, &str> =
        committed.lines().filter_map(|row| row.strip_prefix("| ")?.split_once(" | ")).collect();
    let none = Vec::new();
    let mut wrong = Vec::new();
    for demand in &demands {
        let row = rows.get(demand.id).copied().unwrap_or_default();
        let tests = found.get(demand.id).unwrap_or(&none);
        let named = row.split('`').skip(1).step_by(2).filter(|name| demand.applies() && name.contains('_'));
        let gone = named.filter(|name| !tests.iter().any(|test| test.name == *name));
        wrong.extend(gone.map(|name| format!("{}: no test {name}", demand.id)));
        let is_shown = row.ends_with("| shown |") || !demand.applies();
        if row.is_empty() || !is_shown && demand.missing(&[]).is_some() {
            wrong.push(format!("{}: not in the table", demand.id));
        }
    }
    let mend = "run UPDATE_DOCS=1 cargo test -p testkit --test it conformance_table";
    assert!(wrong.is_empty(), "docs/CONFORMANCE.md is out of date: {mend}\n  {}\n", wrong.join("\n  "));
}

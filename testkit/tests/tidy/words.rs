//! Names and marks that do not belong into the repository.

use crate::assert_none;
use crate::source::{line_of, rust_sources, text_files};

#[test]
fn files_have_names_that_say_something() {
    const FORBIDDEN: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];
    let mut violations = Vec::new();
    for (path, _) in text_files() {
        let parts = path.split('/').map(|part| part.split('.').next().unwrap_or_default());
        if parts.into_iter().any(|part| FORBIDDEN.contains(&part)) {
            violations.push(path);
        }
    }
    assert_none("no drawers for odds and ends", "name the file after the concept in it", &violations);
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK:"]].map(|halves| halves.concat());
    let mut violations = Vec::new();
    for (path, text) in text_files().iter().filter(|(path, _)| !is_data(path)) {
        for (number, line) in text.lines().enumerate() {
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
            for word in words.filter(|word| {
                marks.iter().any(|mark| word.trim_end_matches(':') == mark.trim_end_matches(':'))
            }) {
                violations.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    assert_none(
        "work is finished or it is an issue, not a note in the code",
        "do it, or write it down elsewhere",
        &violations,
    );
}

#[test]
fn code_has_no_stubs_and_no_silenced_rules() {
    const FORBIDDEN: [(&str, &str); 7] = [
        ("todo!", "finish it"),
        ("unimplemented!", "finish it"),
        ("dbg!", "remove it"),
        ("#[ignore", "mend the test or remove it"),
        ("#[allow(", "#[expect(.., reason = \"..\")] says why and notices when it is no longer needed"),
        ("#![allow(", "#[expect(.., reason = \"..\")] says why and notices when it is no longer needed"),
        ("unsafe {", "there is none"),
    ];
    let mut violations = Vec::new();
    for source in rust_sources() {
        // What needs a server is left out by `cargo test` and run by `cargo xtask test`, step "postgres".
        let has_a_step = |pattern| pattern == "#[ignore" && source.room() == "store-postgres";
        for (pattern, mend) in FORBIDDEN.into_iter().filter(|(pattern, _)| !has_a_step(*pattern)) {
            violations
                .extend(source.places(&source.code, pattern).map(|(_, place)| format!("{place} ({mend})")));
        }
    }
    assert_none("no stubs, no skipped tests, no silenced lints", "see each place", &violations);
}

#[test]
fn every_exception_says_why() {
    let mut violations = Vec::new();
    for source in rust_sources() {
        for (at, _) in source.code.match_indices("#[expect(").chain(source.code.match_indices("#![expect(")) {
            let attribute = source.code[at..].split(")]").next().unwrap_or_default();
            if !attribute.contains("reason =") {
                violations.push(format!("{}:{}", source.path, line_of(&source.code, at)));
            }
        }
    }
    assert_none("an exception from a lint has a reason", "#[expect(the_lint, reason = \"..\")]", &violations);
}

#[test]
fn no_path_of_one_machine() {
    let roots = [["/ho", "me/"], ["/Us", "ers/"], ["/ro", "ot/"], ["/tm", "p/wt/"], ["/wo", "rk/"]]
        .map(|halves| halves.concat());
    let mut violations = Vec::new();
    for (path, text) in text_files().iter().filter(|(path, _)| !is_data(path)) {
        for (number, line) in text.lines().enumerate() {
            for found in roots.iter().filter(|root| stands_alone(line, root)) {
                violations.push(format!("{path}:{}: {found}", number + 1));
            }
        }
    }
    assert_none(
        "the repository works on any machine",
        "use a relative path, a setting or a temporary directory",
        &violations,
    );
}

/// Whether `path` starts a word of the line, so that a web address with such a path is not mistaken for it.
fn stands_alone(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "/.-_}*".contains(before))
    })
}

#[test]
fn lock_files_name_no_registry_host() {
    let mut violations = Vec::new();
    for (path, text) in text_files().iter().filter(|(path, _)| path.ends_with("package-lock.json")) {
        let lines = text.lines().enumerate().filter(|(_, line)| line.contains("\"resolved\""));
        violations.extend(lines.map(|(number, _)| format!("{path}:{}", number + 1)));
    }
    assert_none(
        "package-lock.json pins versions and hashes, not where they were fetched from",
        "keep `omit-lockfile-registry-resolved=true` in .npmrc and write the lock anew",
        &violations,
    );
}

/// Which registry a machine fetches from is that machine's setting.
#[test]
fn no_file_names_a_registry_host() {
    let hosts = [["crates", ".io"], ["npm", "js."], ["docker", ".io"]].map(|halves| halves.concat());
    let mut violations = Vec::new();
    for (path, text) in text_files().iter().filter(|(path, _)| !is_data(path)) {
        for (number, line) in text.lines().enumerate() {
            for host in hosts.iter().filter(|host| line.contains(host.as_str())) {
                violations.push(format!("{path}:{}: {host}", number + 1));
            }
        }
    }
    assert_none(
        "no file names a package registry's host",
        "leave it to Cargo's and npm's own settings",
        &violations,
    );
}

/// Fetched or generated files, whose words are not ours.
fn is_data(path: &str) -> bool {
    path.ends_with(".lock") || path.ends_with("package-lock.json") || path.contains("/fixtures/")
}

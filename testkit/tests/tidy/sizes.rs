//! Files that can be read in one sitting, functions that fit a screen.

use crate::assert_none;
use crate::source::{Source, block_length, line_of, rust_sources};

/// Lines of a file without its tests: what is aimed at, and what is refused.
const FILE_AIM: usize = 400;
const FILE_LIMIT: usize = 600;

/// Lines of a function; a test tells a whole story and may be longer.
const FUNCTION_LIMIT: usize = 70;
const TEST_LIMIT: usize = 100;

/// Functions that may be longer, as (path, name, why).
const LONGER: [(&str, &str, &str); 1] =
    [("protocol/src/client.rs", "default", "a value for each member of the client, one per line")];

#[test]
fn files_are_short() {
    let mut violations = Vec::new();
    for source in rust_sources().iter().filter(|source| !source.is_test) {
        let test_lines: usize = source.test_lines.iter().map(|range| range.clone().count()).sum();
        let lines = source.text.lines().count() - test_lines;
        if lines > FILE_LIMIT {
            violations.push(format!("{}: {lines} lines", source.path));
        } else if lines > FILE_AIM {
            eprintln!("{}: {lines} lines, {FILE_AIM} are aimed at", source.path);
        }
    }
    assert_none(
        &format!("a file has at most {FILE_LIMIT} lines without its tests, {FILE_AIM} by habit"),
        "one concept, one file: split it along its concepts",
        &violations,
    );
}

#[test]
fn functions_fit_a_screen() {
    let mut violations = Vec::new();
    for source in rust_sources() {
        for function in functions(source) {
            let limit = if source.is_test_line(function.line) { TEST_LIMIT } else { FUNCTION_LIMIT };
            let excused = LONGER.iter().any(|(path, name, _)| *path == source.path && *name == function.name);
            if function.lines > limit && !excused {
                violations.push(format!(
                    "{}:{}: {} has {} lines",
                    source.path, function.line, function.name, function.lines
                ));
            }
        }
    }
    assert_none(
        &format!("a function has at most {FUNCTION_LIMIT} lines, one of a test {TEST_LIMIT}"),
        "name its steps; an exception needs a line with its reason in LONGER (testkit/tests/tidy/sizes.rs)",
        &violations,
    );
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Every function with a body.
fn functions(source: &Source) -> Vec<Function> {
    let mut found = Vec::new();
    for (start, _) in source.code.match_indices("fn ") {
        let starts_a_word =
            !source.code[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let name: String = source.code[start + 3..]
            .chars()
            .take_while(|next| next.is_alphanumeric() || *next == '_')
            .collect();
        let Some(body) = body_offset(&source.code[start..]).filter(|_| starts_a_word && !name.is_empty())
        else {
            continue;
        };
        let end = start + body + block_length(&source.code[start + body..]);
        let line = line_of(&source.code, start);
        found.push(Function { name, line, lines: line_of(&source.code, end - 1) - line + 1 });
    }
    found
}

/// Where the body's `{` is; none for a declaration that ends in `;`.
fn body_offset(code: &str) -> Option<usize> {
    let mut depth = 0i32;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(at),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn functions_are_measured() {
    let text =
        "trait T { fn declared(a: [u8; 3]); }\npub fn short(a: [u8; 3]) -> u8 {\n  a[0]\n}\nfn one() {}\n";
    let source = Source::new("room/src/a.rs".into(), text.into());
    let measured: Vec<(String, usize, usize)> = functions(&source)
        .into_iter()
        .map(|function| (function.name, function.line, function.lines))
        .collect();
    assert_eq!(measured, [("short".to_owned(), 2, 3), ("one".to_owned(), 5, 1)]);
}

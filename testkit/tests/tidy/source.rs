//! Reads the workspace's Rust sources and splits them into code, comments and literals, so that a rule about
//! code is not upset by prose, and the other way round.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The crates of the workspace, in the order of the arrows (see `arrows`).
pub(crate) const CRATES: [&str; 13] = [
    "jose",
    "protocol",
    "store",
    "store-sqlite",
    "store-postgres",
    "engine",
    "web",
    "admin",
    "postern",
    "testkit",
    "xtask",
    "bench",
    "fuzz",
];

/// One Rust file.
pub(crate) struct Source {
    /// Relative to the workspace root, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) text: String,
    /// `text` with comments and literals blanked; same length in lines.
    pub(crate) code: String,
    /// `text` with everything but string literals blanked.
    pub(crate) literals: String,
    /// Whole file is not shipped: it lies in `tests` or `examples`, or is declared as `#[cfg(test)] mod name;`.
    pub(crate) is_test: bool,
    /// Lines (from 1) that belong to `#[cfg(test)]` modules.
    pub(crate) test_lines: Vec<RangeInclusive<usize>>,
}

impl Source {
    pub(crate) fn new(path: String, text: String) -> Self {
        let kinds = kinds(&text);
        let code = only(&text, &kinds, Kind::Code);
        let literals = only(&text, &kinds, Kind::Literal);
        let is_test = path.contains("/tests/") || path.contains("/examples/");
        let test_lines = test_lines(&code);
        Self { path, text, code, literals, is_test, test_lines }
    }

    /// Paths that the modules declared as `#[cfg(test)] mod name;` may have.
    fn test_files(&self) -> Vec<String> {
        let (directory, file) = self.path.rsplit_once('/').unwrap_or_default();
        let stem = file.trim_end_matches(".rs");
        let inner = if ["lib", "main", "mod"].contains(&stem) { String::new() } else { format!("{stem}/") };
        let attributes = self.code.split("#[cfg(test)]").skip(1);
        let declarations =
            attributes.filter_map(|rest| rest.trim_start().strip_prefix("mod ")?.split(';').next());
        let names =
            declarations.filter(|name| name.chars().all(|next| next.is_alphanumeric() || next == '_'));
        names
            .flat_map(|name| {
                [format!("{directory}/{inner}{name}.rs"), format!("{directory}/{inner}{name}/mod.rs")]
            })
            .collect()
    }

    /// Whether the line (from 1) is test code.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.is_test || self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// `path:line` of each place where `pattern` occurs in `haystack`, one of this source's texts.
    pub(crate) fn places<'a>(
        &'a self,
        haystack: &'a str,
        pattern: &'a str,
    ) -> impl Iterator<Item = (usize, String)> + 'a {
        haystack.match_indices(pattern).map(move |(at, found)| {
            let line = line_of(haystack, at);
            (line, format!("{}:{line}: {}", self.path, found.trim()))
        })
    }

    /// The crate directory this file lies in.
    pub(crate) fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }
}

fn test_lines(code: &str) -> Vec<RangeInclusive<usize>> {
    let mut ranges = Vec::new();
    for (start, _) in code.match_indices("#[cfg(test)]") {
        let rest = &code[start..];
        let (Some(open), semicolon) = (rest.find('{'), rest.find(';').unwrap_or(usize::MAX)) else {
            continue;
        };
        if semicolon < open {
            continue;
        }
        let end = start + open + block_length(&rest[open..]);
        ranges.push(line_of(code, start)..=line_of(code, end));
    }
    ranges
}

/// Root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every Rust file of every crate, read once.
pub(crate) fn rust_sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(read_sources)
}

fn read_sources() -> Vec<Source> {
    let root = root();
    let mut files = Vec::new();
    for room in CRATES {
        collect(&root.join(room), &mut files);
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    assert!(files.len() >= CRATES.len(), "the sources were not found under {}", root.display());
    let read = |path: &PathBuf| Source::new(relative(&root, path), fs::read_to_string(path).unwrap());
    let mut sources: Vec<Source> = files.iter().map(read).collect();
    let test_files: Vec<String> = sources.iter().flat_map(Source::test_files).collect();
    for source in &mut sources {
        source.is_test |= test_files.contains(&source.path);
    }
    sources
}

/// Every file that git would keep and that is text: path and content.
pub(crate) fn text_files() -> Vec<(String, String)> {
    let root = root();
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.iter().filter_map(|path| Some((relative(&root, path), fs::read_to_string(path).ok()?))).collect()
}

/// Files below `directory`, without what is generated or fetched.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| !is_generated(path)) {
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// What .gitignore names, and Git's own directory (in a worktree, a file).
fn is_generated(path: &Path) -> bool {
    // What the fuzzers found and kept is data.
    let ignored = ["target", "data", ".git", "fuzz/artifacts", "fuzz/corpus", "fuzz/found", "fuzz/target"];
    let ignored = ignored.map(|name| root().join(name));
    ignored.contains(&path.to_path_buf()) || path.ends_with("node_modules")
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/")
}

/// Line (from 1) of a byte offset.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// Length in bytes of the `{ … }` block that `code` (comments and literals blanked) starts with.
pub(crate) fn block_length(code: &str) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// What each byte of a Rust text is.
fn kinds(text: &str) -> Vec<Kind> {
    let bytes = text.as_bytes();
    let mut kinds = vec![Kind::Code; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        let (kind, length) = token(bytes, at);
        let end = (at + length.max(1)).min(bytes.len());
        kinds[at..end].fill(kind);
        at = end;
    }
    kinds
}

/// Kind and length of the comment, literal or single byte of code at `at`.
fn token(bytes: &[u8], at: usize) -> (Kind, usize) {
    let rest = &bytes[at..];
    let after_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        return (Kind::Comment, rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return (Kind::Comment, block_comment_length(rest));
    }
    let prefix = rest.iter().take_while(|byte| b"bcr".contains(byte)).count().min(2);
    if !after_word
        && let Some(length) = raw_string_length(&rest[prefix..]).filter(|_| rest[..prefix].contains(&b'r'))
    {
        return (Kind::Literal, prefix + length);
    }
    match rest[0] {
        b'"' => (Kind::Literal, quoted_length(rest, b'"')),
        b'\'' if rest.get(1) == Some(&b'\\') => (Kind::Literal, quoted_length(rest, b'\'')),
        b'\'' => char_length(rest).map_or((Kind::Code, 1), |length| (Kind::Literal, length)),
        _ => (Kind::Code, 1),
    }
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return at + 2,
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of `#"…"#` with any number of hashes.
fn raw_string_length(rest: &[u8]) -> Option<usize> {
    let hashes = rest.iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    let end = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let body = &rest[hashes + 1..];
    let length = body.windows(end.len()).position(|window| window == end.as_slice()).unwrap_or(body.len());
    Some(hashes + 1 + length + end.len())
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of `'x'`; none when the quote starts a lifetime.
fn char_length(rest: &[u8]) -> Option<usize> {
    let close = rest.iter().skip(1).take(5).position(|&byte| byte == b'\'')? + 1;
    let inner = std::str::from_utf8(&rest[1..close]).ok()?;
    (inner.chars().count() == 1).then_some(close + 1)
}

fn only(text: &str, kinds: &[Kind], wanted: Kind) -> String {
    let keep = |(byte, kind): (u8, &Kind)| if *kind == wanted || byte == b'\n' { byte } else { b' ' };
    let bytes: Vec<u8> = text.bytes().zip(kinds).map(keep).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn comments_and_literals_are_told_from_code() {
    let text =
        "let a = \"x // {\"; // y \"{\nlet b = r#\"z\"{\"#; /* { /* { */ } */ 'c' '\\'' b'{' &'life {}";
    let source = Source::new("room/src/a.rs".into(), text.into());
    assert_eq!(source.code.replace(' ', ""), "leta=;\nletb=;b&'life{}");
    assert_eq!(source.literals.replace(' ', ""), "\"x//{\"\nr#\"z\"{\"#'c''\\'''{'");
}

#[test]
fn test_modules_are_told_from_the_rest() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n";
    let source = Source::new("room/src/a.rs".into(), text.into());
    let lines: Vec<usize> = (1..=6).filter(|line| source.is_test_line(*line)).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
}

#[test]
fn files_of_test_modules_are_named() {
    let text = "mod a;\n#[cfg(test)]\nmod pages;\n#[cfg(test)]\nmod tests { fn f() {} }\n";
    let source = |path: &str| Source::new(path.into(), text.into());
    assert_eq!(source("room/src/lib.rs").test_files(), ["room/src/pages.rs", "room/src/pages/mod.rs"]);
    assert_eq!(source("room/src/b.rs").test_files(), ["room/src/b/pages.rs", "room/src/b/pages/mod.rs"]);
}

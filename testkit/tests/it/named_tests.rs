//! The tests of the workspace by name, for the tables that say which test shows what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A test where it stands.
pub(crate) struct NamedTest {
    /// From the workspace's root.
    pub(crate) path: String,
    pub(crate) name: String,
    /// What a line `// shows: a, b` right above it says.
    pub(crate) shows: Vec<String>,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every test of every crate, by path and place in the file.
pub(crate) fn all() -> Vec<NamedTest> {
    let mut files = BTreeMap::new();
    sources(&root(), &mut files);
    files.iter().flat_map(|(path, source)| tests_in(path, source)).collect()
}

/// Every Rust source of the workspace, by its path from the root.
fn sources(directory: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.insert(relative, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The tests of a source: the function after each `#[test]` or `#[tokio::test]`.
pub(crate) fn tests_in(path: &str, source: &str) -> Vec<NamedTest> {
    let mut tests = Vec::new();
    let mut is_test = false;
    let mut shows = Vec::new();
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(ids) = line.strip_prefix("// shows: ") {
            shows.extend(ids.split(',').map(|id| id.trim().to_owned()));
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            let name = rest.split('(').next().unwrap_or_default().to_owned();
            tests.push(NamedTest { path: path.to_owned(), name, shows: std::mem::take(&mut shows) });
            is_test = false;
        } else if line.is_empty() {
            shows.clear();
        }
    }
    tests
}

//! `docs/ERRORS.md` is the catalogue, written out. To write it anew: `UPDATE_DOCS=1 cargo test -p protocol`.

use protocol::error::Reason;
use std::fmt::Write;
use std::path::Path;

#[test]
fn docs_errors_md_is_the_catalogue() {
    let mut text = String::from(
        "# Errors\n\nEvery reason for a no: generated from `protocol/src/error/catalogue.rs`.\n\n\
         | reason | error | status | rule | what the outside reads | fix |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for reason in Reason::ALL {
        let entry = reason.entry();
        let (code, status) = (entry.code.name(), reason.status());
        let (name, clause, description, fix) = (entry.name, entry.clause, entry.description, entry.fix);
        writeln!(text, "| `{name}` | `{code}` | {status} | {clause} | {description} | {fix} |").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ERRORS.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "docs/ERRORS.md is out of date: run UPDATE_DOCS=1 cargo test -p protocol");
}

//! One schema of the test server as text, by PostgreSQL's own programs.

use std::path::Path;
use std::process::{Command, Stdio};

/// What stands in a dump for the schema's name.
const NAME: &str = "a_schema_of_postern";

/// Writes the schema `name` to `file`.
pub(super) fn dump(name: &str, file: &Path) {
    let mut command = program("pg_dump");
    command.args(["--no-owner", "--no-privileges", "--schema", name, "--dbname", &url()]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // Lines that say which program wrote it, or that another version of the server does not know.
    let kept = text.lines().filter(|line| !line.starts_with("--") && !line.starts_with("\\restrict"));
    let kept = kept.filter(|line| !line.starts_with("\\unrestrict") && !line.is_empty());
    let text: String = kept.map(|line| line.replace(name, NAME) + "\n").collect();
    std::fs::write(file, text).unwrap();
}

/// Reads `file` into a new schema `name`.
pub(super) fn restore(file: &Path, name: &str) {
    let text = std::fs::read_to_string(file).unwrap().replace(NAME, name);
    let directory = tempfile::tempdir().unwrap();
    let renamed = directory.path().join("dump.sql");
    std::fs::write(&renamed, text).unwrap();
    let mut command = program("psql");
    command.args(["--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", &url(), "--file"]).arg(&renamed);
    let output = command.stdout(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn url() -> String {
    std::env::var("POSTERN_TEST_POSTGRES").unwrap()
}

fn program(name: &str) -> Command {
    let programs =
        std::env::var_os("POSTERN_TEST_POSTGRES_PROGRAMS").expect("where PostgreSQL's programs are");
    Command::new(Path::new(&programs).join(name))
}

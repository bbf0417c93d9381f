//! `cargo xtask fixture NAME`: keeps what this version leaves in a database, for the tests of later ones.

use anyhow::{Result, bail, ensure};

use crate::{cargo, postgres};

/// The tests that make what is kept.
const MAKES: [&str; 6] = ["test", "--locked", "--workspace", "--test", "it", "upgrade::e_07_what_is_left"];

pub(crate) fn run(options: &[String]) -> Result<()> {
    let [name] = options else {
        bail!("which name? the version and the commit, for example: cargo xtask fixture 0.1.0-e107f82")
    };
    let directory = cargo::root().join("testkit/fixtures").join(name);
    ensure!(!directory.exists(), "{} is there already; a fixture never changes", directory.display());
    let mut command = cargo::command(&MAKES);
    command.env("POSTERN_FIXTURE", &directory);
    postgres::run_beside(command)?;
    println!("commit {} as it is", directory.display());
    Ok(())
}

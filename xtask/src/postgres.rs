//! The step `postgres` and the command `cargo xtask postgres`: a throw-away server for the tests that need one.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::report::Counts;
use crate::step::{Log, Outcome};
use crate::tools::{self, Need};

/// What is run: the tests of the backend, which `cargo test` leaves out, and everything from outside on this store. Of
/// the whole workspace, so that what the step `tests` has built is not built again with other features.
const SUITES: [&[&str]; 2] = [
    &["test", "--locked", "--workspace", "--lib", "--", "--ignored"],
    // More than there are cores: each test waits most of the time for the server.
    &["test", "--locked", "--workspace", "--test", "it", "--", "--test-threads", "6"],
];

/// The package that has it.
pub(crate) const NEED: Need = Need { package: "postgresql", is_there: || programs().is_some() };

/// The step of `cargo xtask test`.
pub(crate) fn check(log: &mut Log) -> Result<Outcome> {
    let programs = match prepare(log)? {
        Ok(programs) => programs,
        Err(missing) => return Ok(Outcome::Skipped { missing }),
    };
    let server = Server::start(log, &programs)?;
    let mut counts = Counts::default();
    for suite in SUITES {
        let mut command = cargo::command(suite);
        server.tell(&mut command);
        counts.add(Counts::of_output(&log.run(command)?));
    }
    Ok(Outcome::Passed { counts, remark: format!("{} passed on a server of their own", counts.passed) })
}

/// Runs a command that finds a server in `POSTERN_TEST_POSTGRES`.
pub(crate) fn run(command: &[String]) -> Result<()> {
    let Some((program, arguments)) = command.split_first() else {
        bail!("which command? for example: cargo xtask postgres cargo test -p store-postgres -- --ignored");
    };
    let mut command = Command::new(program);
    command.args(arguments);
    run_beside(command)
}

/// Runs that command, with its output on the terminal.
pub(crate) fn run_beside(mut command: Command) -> Result<()> {
    let mut log = Log::create("postgres", false)?;
    let programs = prepare(&mut log)?.map_err(anyhow::Error::msg)?;
    let server = Server::start(&mut log, &programs)?;
    server.tell(&mut command);
    let program = command.get_program().to_owned();
    let status = command.status().with_context(|| format!("{} does not start", program.display()))?;
    if !status.success() {
        bail!("{}: {status}", program.display());
    }
    Ok(())
}

/// Where the server's programs are; the inner error is what is missing and how to get it.
pub(crate) fn prepare(log: &mut Log) -> Result<Result<PathBuf, String>> {
    match tools::install_missing(log, &[NEED])? {
        Ok(()) => Ok(Ok(programs().context("initdb")?)),
        Err(missing) => Ok(Err(missing)),
    }
}

/// The newest version in Debian's place, or what is on the PATH.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|entry| entry.path().join("bin")).filter(|path| path.join("initdb").is_file());
    found.max().or_else(|| tools::find("initdb")?.parent().map(Path::to_path_buf))
}

/// A server in a temporary directory, reached by a Unix socket; stopped when dropped.
struct Server {
    programs: PathBuf,
    directory: PathBuf,
}

impl Server {
    /// It does not wait for the disk: what is about that starts a server of its own.
    fn start(log: &mut Log, programs: &Path) -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("postern-postgres-{}", std::process::id()));
        fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
        if is_root()? {
            let mut owner = Command::new("chown");
            owner.arg("postgres").arg(&directory);
            log.run(owner)?;
        }
        let server = Self { programs: programs.to_owned(), directory };
        let data = server.data();
        let new = ["-D", &data, "-U", "postern", "-A", "trust", "-E", "UTF8", "--locale=C"];
        log.run(server.command("initdb", &new)?)?;
        let settings = format!(
            "-c listen_addresses= -c max_connections=300 -c fsync=off -c full_page_writes=off \
             -c unix_socket_directories={}",
            server.directory.display()
        );
        let output = server.directory.join("log").display().to_string();
        let start = ["-D", &data, "-w", "-o", &settings, "-l", &output, "start"];
        log.run(server.command("pg_ctl", &start)?)?;
        Ok(server)
    }

    /// Says in the command's environment where the server is.
    fn tell(&self, command: &mut Command) {
        let host = self.directory.display().to_string().replace('/', "%2F");
        command.env("POSTERN_TEST_POSTGRES", format!("postgres://postern@{host}/postgres"));
        command.env("POSTERN_TEST_POSTGRES_PROGRAMS", &self.programs);
    }

    fn data(&self) -> String {
        self.directory.join("data").display().to_string()
    }

    /// One of its programs. The server refuses to run as root: then it is the system's user for it.
    fn command(&self, program: &str, arguments: &[&str]) -> Result<Command> {
        let program = self.programs.join(program);
        let mut command = if is_root()? {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).current_dir(&self.directory);
        Ok(command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut stop) = self.command("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]) {
            let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn is_root() -> Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

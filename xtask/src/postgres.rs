//! The step `postgres` and the command `cargo xtask postgres`: a throw-away server for the tests that need one.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::report::Counts;
use crate::step::{Log, Outcome};
use crate::{cargo, tools};

/// The tests of the backend, which `cargo test` leaves out.
const BACKEND: [&str; 6] = ["test", "--locked", "--package", "store-postgres", "--", "--ignored"];

/// The step of `cargo xtask test`.
pub(crate) fn check(log: &mut Log) -> Result<Outcome> {
    let programs = match prepare(log)? {
        Ok(programs) => programs,
        Err(missing) => return Ok(Outcome::Skipped { missing }),
    };
    let server = Server::start(log, &programs)?;
    let mut command = cargo::command(&BACKEND);
    server.tell(&mut command);
    let counts = Counts::of_output(&log.run(command)?);
    Ok(Outcome::Passed { counts, remark: format!("{} passed on a server of their own", counts.passed) })
}

/// Runs a command that finds a server in `POSTERN_TEST_POSTGRES`.
pub(crate) fn run(command: &[String]) -> Result<()> {
    let Some((program, arguments)) = command.split_first() else {
        bail!("which command? for example: cargo xtask postgres cargo test -p store-postgres -- --ignored");
    };
    let mut log = Log::create("postgres", false)?;
    let programs = prepare(&mut log)?.map_err(anyhow::Error::msg)?;
    let server = Server::start(&mut log, &programs)?;
    let mut command = Command::new(program);
    command.args(arguments);
    server.tell(&mut command);
    let status = command.status().with_context(|| format!("{program} does not start"))?;
    if !status.success() {
        bail!("{program}: {status}");
    }
    Ok(())
}

/// Where the server's programs are; the inner error is what is missing and how to get it.
pub(crate) fn prepare(log: &mut Log) -> Result<Result<PathBuf, String>> {
    if let Some(found) = programs() {
        return Ok(Ok(found));
    }
    if !tools::can_install() {
        return Ok(Err("needs PostgreSQL; as root: apt-get install -y postgresql".to_owned()));
    }
    tools::install(log, &["postgresql"])?;
    Ok(Ok(programs().context("postgresql was installed, but its initdb is nowhere")?))
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
            "-c listen_addresses= -c max_connections=300 -c unix_socket_directories={}",
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

//! A primary and its synchronous standby, which can be stopped, killed and promoted.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cluster::free_port;

/// One server's data directory and port.
struct Server {
    data: PathBuf,
    port: u16,
}

/// The pair.
pub(crate) struct Postgres {
    programs: PathBuf,
    directory: PathBuf,
    primary: Server,
    standby: Option<Server>,
    databases: usize,
}

impl Postgres {
    /// Makes and starts a primary.
    pub(crate) fn start(programs: &Path) -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("postern-chaos-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        let primary = Server { data: directory.join("primary"), port: free_port()? };
        let postgres = Self {
            programs: programs.to_owned(),
            directory: directory.clone(),
            primary,
            standby: None,
            databases: 0,
        };
        if is_root()? {
            run(Command::new("chown").arg("postgres").arg(&directory))?;
        }
        let data = postgres.primary.data.display().to_string();
        postgres.call(
            "initdb",
            &["-D", &data, "-U", "postern", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        )?;
        postgres.begin(&postgres.primary)?;
        Ok(postgres)
    }

    /// Makes a standby of the primary that every commit waits for.
    pub(crate) fn add_standby(&mut self) -> Result<()> {
        let standby = Server { data: self.directory.join("standby"), port: free_port()? };
        let (data, port) = (standby.data.display().to_string(), self.primary.port.to_string());
        self.call(
            "pg_basebackup",
            &["-D", &data, "-h", "127.0.0.1", "-p", &port, "-U", "postern", "-R", "-c", "fast", "-N"],
        )?;
        self.begin(&standby)?;
        self.standby = Some(standby);
        self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")?;
        self.sql("postgres", "SELECT pg_reload_conf()")?;
        const WAITED_FOR: &str =
            "SELECT pg_sleep(0.1), count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        for _ in 0..300 {
            if self.sql("postgres", WAITED_FOR)?.ends_with('1') {
                return Ok(());
            }
        }
        bail!("the standby does not keep up")
    }

    /// From now on commits may be lost with the primary: the negative control.
    pub(crate) fn lose_acknowledged(&self) -> Result<()> {
        self.sql("postgres", "ALTER SYSTEM SET synchronous_commit = off")?;
        self.sql("postgres", "ALTER SYSTEM SET wal_writer_delay = 10000")?;
        self.sql("postgres", "SELECT pg_reload_conf()").map(drop)
    }

    /// A new, empty database and the `store.url` that leads to it on whichever server takes writes.
    pub(crate) fn database(&mut self) -> Result<String> {
        self.databases += 1;
        let name = format!("yard{}", self.databases);
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        let servers: Vec<String> = [Some(&self.primary), self.standby.as_ref()]
            .into_iter()
            .flatten()
            .map(|server| format!("127.0.0.1:{}", server.port))
            .collect();
        Ok(format!("postgres://postern@{}/{name}", servers.join(",")))
    }

    /// Where the primary listens.
    pub(crate) fn port(&self) -> u16 {
        self.primary.port
    }

    pub(crate) fn stop(&self) -> Result<()> {
        let data = self.primary.data.display().to_string();
        self.call("pg_ctl", &["-D", &data, "-m", "fast", "-w", "stop"])
    }

    pub(crate) fn start_again(&self) -> Result<()> {
        self.begin(&self.primary)
    }

    /// SIGKILL to the primary's first process; the others notice and end.
    pub(crate) fn kill_primary(&self) -> Result<()> {
        let file = self.primary.data.join("postmaster.pid");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let pid = text.lines().next().context("postmaster.pid is empty")?.to_owned();
        run(Command::new("kill").args(["-9", &pid]))
    }

    /// Makes the standby a primary.
    pub(crate) fn promote(&self) -> Result<()> {
        let standby = self.standby.as_ref().context("no standby")?;
        let data = standby.data.display().to_string();
        self.call("pg_ctl", &["-D", &data, "-w", "promote"])
    }

    fn sql(&self, database: &str, statement: &str) -> Result<String> {
        self.psql(&self.primary.port.to_string(), database, statement)
    }

    fn psql(&self, port: &str, database: &str, statement: &str) -> Result<String> {
        let arguments = ["-h", "127.0.0.1", "-p", port, "-U", "postern", "-d", database, "-tAc", statement];
        let output = self.command("psql", &arguments)?.output().context("psql does not start")?;
        if !output.status.success() {
            bail!("{statement}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn begin(&self, server: &Server) -> Result<()> {
        let settings = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c max_connections=200 -c unix_socket_directories=",
            server.port
        );
        let (data, log) = (server.data.display().to_string(), server.data.with_extension("log"));
        self.call("pg_ctl", &["-D", &data, "-w", "-o", &settings, "-l", &log.display().to_string(), "start"])
    }

    fn call(&self, program: &str, arguments: &[&str]) -> Result<()> {
        run(&mut self.command(program, arguments)?)
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
        command.args(arguments).current_dir(&self.directory).stdin(Stdio::null());
        Ok(command)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        for server in [Some(&self.primary), self.standby.as_ref()].into_iter().flatten() {
            let data = server.data.display().to_string();
            let _ = self.call("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]);
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Runs a command to its end. Its output goes to a file: a server that it starts keeps that open.
fn run(command: &mut Command) -> Result<()> {
    let shown = command.get_args().fold(String::new(), |line, word| line + " " + &word.to_string_lossy());
    let file = std::env::temp_dir().join(format!("postern-chaos-{}.out", std::process::id()));
    let output = File::create(&file)?;
    let status = command.stdout(output.try_clone()?).stderr(output).status();
    let said = fs::read_to_string(&file).unwrap_or_default();
    let _ = fs::remove_file(&file);
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("{shown}: {status}: {}", said.trim()),
        Err(error) => bail!("{shown}: {error}"),
    }
}

pub(crate) fn is_root() -> Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

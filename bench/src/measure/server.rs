//! A server under measurement: started, timed, looked at, stopped.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bench::connection::{Connection, Request, Target};
use bench::process;
use bench::stopwatch::Stopwatch;
use serde_json::{Value, json};
use tokio::time::sleep;

/// How long a server may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(30);

const STARTS: usize = 5;

/// Which core runs what.
#[derive(Clone, Copy)]
pub(crate) struct Pinned {
    pub server: usize,
    pub load: usize,
}

impl Pinned {
    /// A command that stays on `core`. Its process id is the program's.
    pub(crate) fn command(self, core: usize, program: &Path) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string()]).arg(program);
        command
    }
}

/// A running server.
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    base: String,
    issuer: String,
    directory: PathBuf,
    keeps_directory: bool,
    start_up: Duration,
    /// The same after the process was killed (SIGKILL) in the midst of its life.
    start_up_after_kill: Duration,
    idle_kib: u64,
}

/// How a server is started.
struct Recipe<'a> {
    name: &'static str,
    program: &'a Path,
    arguments: Vec<String>,
    directory: PathBuf,
    base: String,
    /// What the issuer has after the base.
    path: &'a str,
    /// Says whether the server can do its work.
    ready: &'a str,
    pinned: Option<Pinned>,
    /// How often the start with an existing database is timed; the middle one counts.
    starts: usize,
}

impl Server {
    /// The floor server.
    pub(crate) async fn floor(program: &Path, scratch: &Path, pinned: Option<Pinned>) -> Result<Self> {
        let port = free_port()?;
        let directory = scratch.join(format!("floor-{port}"));
        let data = directory.join("floor.db").display().to_string();
        let arguments = vec!["--port".into(), port.to_string(), "--data".into(), data];
        let base = format!("https://localhost:{port}");
        Recipe {
            name: "floor",
            program,
            arguments,
            directory,
            base,
            path: "",
            ready: "/alive",
            pinned,
            starts: STARTS,
        }
        .start()
        .await
    }

    /// Postern as `postern demo` runs it.
    pub(crate) async fn postern(program: &Path, scratch: &Path, pinned: Option<Pinned>) -> Result<Self> {
        let directory = scratch.join(format!("postern-{}", free_port()?));
        Self::postern_in(program, &directory, STARTS, pinned).await
    }

    /// The same in a directory that may hold a database already; its start is timed so many times.
    pub(crate) async fn postern_in(
        program: &Path,
        directory: &Path,
        starts: usize,
        pinned: Option<Pinned>,
    ) -> Result<Self> {
        let (port, directory) = (free_port()?, directory.to_owned());
        let data = directory.join("data").display().to_string();
        let arguments =
            vec!["demo".into(), "--listen".into(), format!("127.0.0.1:{port}"), "--data-dir".into(), data];
        let base = format!("https://localhost:{port}");
        let (name, path, ready) = ("postern", "/default/default", "/ready");
        Recipe { name, program, arguments, directory, base, path, ready, pinned, starts }.start().await
    }

    /// Stops in order, and leaves its directory.
    pub(crate) async fn leave(mut self) {
        self.keeps_directory = true;
        stop(&mut self.child).await;
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Start-up time and memory.
    pub(crate) fn figures(&self) -> Value {
        let (now, peak) = process::memory(self.pid());
        json!({
            "start_up_ms": (self.start_up.as_secs_f64() * 1e4).round() / 10.0,
            "start_up_after_kill_ms": (self.start_up_after_kill.as_secs_f64() * 1e4).round() / 10.0,
            "rss_idle_kib": self.idle_kib,
            "rss_after_load_kib": now,
            "rss_peak_kib": peak,
        })
    }
}

impl Recipe<'_> {
    /// Starts it once to make its database, then times further starts, the last one, which stays, after a kill.
    async fn start(self) -> Result<Server> {
        fs::create_dir_all(self.directory.join("data"))?;
        let (mut child, _) = self.spawn().await?;
        stop(&mut child).await;
        let mut times = Vec::new();
        for _ in 0..self.starts {
            let (mut child, time) = self.spawn().await?;
            times.push(time);
            stop(&mut child).await;
        }
        times.sort_unstable();
        let (mut killed, _) = self.spawn().await?;
        killed.kill()?;
        killed.wait()?;
        let (child, start_up_after_kill) = self.spawn().await?;
        sleep(Duration::from_secs(1)).await;
        Ok(Server {
            name: self.name,
            idle_kib: process::memory(child.id()).0,
            child,
            issuer: format!("{}{}", self.base, self.path),
            base: self.base,
            directory: self.directory,
            keeps_directory: false,
            start_up_after_kill,
            start_up: times.get(times.len() / 2).copied().unwrap_or_default(),
        })
    }

    /// Starts it and waits for its first answer.
    async fn spawn(&self) -> Result<(Child, Duration)> {
        let mut command = match self.pinned {
            None => Command::new(self.program),
            Some(pinned) => pinned.command(pinned.server, self.program),
        };
        let log = fs::File::create(self.directory.join("log"))?;
        command.args(&self.arguments).current_dir(&self.directory).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        let watch = Stopwatch::start();
        let mut child =
            command.spawn().with_context(|| format!("{} does not start", self.program.display()))?;
        let target = Target::of_url(&self.base)?;
        loop {
            let reply = Connection::new(target.clone())
                .send(&Request { path: self.ready, ..Request::default() })
                .await;
            if reply.is_ok_and(|reply| reply.status == 200) {
                return Ok((child, watch.elapsed()));
            }
            if let Some(status) = child.try_wait()? {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                bail!("{} ended with {status}: {}", self.name, log.trim());
            }
            if watch.elapsed() > START_LIMIT {
                stop(&mut child).await;
                bail!("{} did not answer within {START_LIMIT:?}", self.name);
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !self.keeps_directory {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// Asks a server to stop and waits for it; insists after ten seconds.
async fn stop(child: &mut Child) {
    let _ = Command::new("kill").arg(child.id().to_string()).status();
    for _ in 0..1000 {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

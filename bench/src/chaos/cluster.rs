//! Real processes of `postern serve` on one database, which can be killed and come back.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bench::connection::{Connection, Reply, Request, Target};
use bench::stopwatch::Stopwatch;
use tokio::time::{sleep, timeout};

use crate::clock::FakeClock;

/// How long anything may take before the experiment gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The tenant that the experiments work in.
pub(crate) const TENANT: &str = "yard";

/// One process, or its place while there is none.
pub(crate) struct Node {
    program: Mutex<PathBuf>,
    config: PathBuf,
    log: PathBuf,
    port: u16,
    metrics: u16,
    clock: Option<FakeClock>,
    child: Mutex<Option<Child>>,
}

/// Nodes of one installation.
pub(crate) struct Cluster {
    pub nodes: Vec<Node>,
    pub admin_secret: String,
    /// What every issuer begins with.
    pub public_url: String,
}

/// How an installation is made.
pub(crate) struct Recipe<'a> {
    pub program: &'a Path,
    pub directory: &'a Path,
    /// The value of `store.url`.
    pub store: &'a str,
    pub nodes: usize,
    /// The port of the issuer, if it is not the first node's.
    pub front: Option<u16>,
    /// Further lines of the configuration, after those of the store.
    pub settings: &'a str,
    /// The port by which the first node reaches its database, if it is not the database's own.
    pub detour: Option<u16>,
    /// Whether each node has a clock that can be set.
    pub fake_clocks: bool,
}

impl Recipe<'_> {
    /// Makes the tenant and starts the nodes.
    pub(crate) async fn start(&self) -> Result<Cluster> {
        let mut nodes = Vec::new();
        let mut front = self.front;
        for number in 0..self.nodes {
            let (port, metrics) = (free_port()?, free_port()?);
            let front = *front.get_or_insert(port);
            nodes.push(self.node(number, port, metrics, front)?);
        }
        let first = nodes.first().context("no node")?;
        let output = Command::new(self.program)
            .args(["create-tenant", TENANT, "--config"])
            .arg(&first.config)
            .output()
            .context("create-tenant does not start")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "create-tenant: {}", String::from_utf8_lossy(&output.stderr));
        let secret = said.lines().find_map(|line| line.strip_prefix("Secret")).context("no secret")?;
        let cluster = Cluster {
            admin_secret: secret.trim().to_owned(),
            public_url: format!("https://localhost:{}", front.unwrap_or_default()),
            nodes,
        };
        for node in &cluster.nodes {
            node.start()?;
            node.ready().await?;
        }
        Ok(cluster)
    }

    fn node(&self, number: usize, port: u16, metrics: u16, front: u16) -> Result<Node> {
        let config = self.directory.join(format!("node-{number}.toml"));
        let store = match self.detour.filter(|_| number == 0) {
            Some(port) => detoured(self.store, port)?,
            None => self.store.to_owned(),
        };
        let key = self.directory.join("seal.key");
        let text = format!(
            "public_url = \"https://localhost:{front}\"\nlisten = \"127.0.0.1:{port}\"\n\
             metrics_listen = \"127.0.0.1:{metrics}\"\nkey_file = \"{}\"\n[tls]\nself_signed = true\n\
             [store]\nurl = \"{}\"\n{}\n{}\n[log]\nlevel = \"warn\"\n",
            key.display(),
            store,
            if self.store.starts_with("postgres") { "[store.postgres]\ntls = \"off\"" } else { "" },
            self.settings
        );
        fs::write(&config, text)?;
        let clock = self.directory.join(format!("node-{number}.time"));
        let clock = if self.fake_clocks { FakeClock::new(clock) } else { None };
        clock.as_ref().map_or(Ok(()), |clock| clock.set(0))?;
        Ok(Node {
            clock,
            program: Mutex::new(self.program.to_owned()),
            log: self.directory.join(format!("node-{number}.log")),
            config,
            port,
            metrics,
            child: Mutex::new(None),
        })
    }
}

/// The same database by another port of this machine.
fn detoured(url: &str, port: u16) -> Result<String> {
    let (server, database) = url.rsplit_once('/').context("no database in the URL")?;
    let (host, _) = server.rsplit_once(':').context("no port in the URL")?;
    Ok(format!("{host}:{port}/{database}"))
}

impl Cluster {
    /// Where the nodes listen.
    pub(crate) fn doors(&self) -> Result<Vec<Target>> {
        self.nodes.iter().map(Node::door).collect()
    }

    pub(crate) fn node(&self, number: usize) -> Result<&Node> {
        self.nodes.get(number).context("no such node")
    }

    /// What the processes logged of panics.
    pub(crate) fn panics(&self) -> usize {
        let logs = self.nodes.iter().filter_map(|node| fs::read_to_string(&node.log).ok());
        logs.map(|log| log.lines().filter(|line| line.contains("panic")).count()).sum()
    }
}

impl Node {
    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child().as_ref().map(Child::id)
    }

    /// Its own address, past any balancer.
    pub(crate) fn door(&self) -> Result<Target> {
        Target::of_url(&format!("https://localhost:{}", self.port))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts the process.
    pub(crate) fn start(&self) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let program = self.program.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let child = Command::new(program)
            .args(["serve", "--config"])
            .arg(&self.config)
            .envs(self.clock.iter().flat_map(FakeClock::environment))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("postern serve does not start")?;
        *self.child() = Some(child);
        Ok(())
    }

    /// Another program from the next start on.
    pub(crate) fn replace(&self, program: &Path) {
        *self.program.lock().unwrap_or_else(PoisonError::into_inner) = program.to_owned();
    }

    /// Sets its clock off by so many seconds.
    pub(crate) fn set_clock(&self, offset: i64) -> Result<()> {
        self.clock.as_ref().context("a node with a clock of its own")?.set(offset)
    }

    /// SIGKILL, in the midst of whatever it does.
    pub(crate) fn kill(&self) -> Result<()> {
        if let Some(mut child) = self.child().take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// SIGTERM; it is over when [`Node::ended`] returns.
    pub(crate) fn terminate(&self) -> Result<()> {
        let pid = self.pid().context("no process")?;
        ensure!(Command::new("kill").arg(pid.to_string()).status()?.success(), "kill {pid}");
        Ok(())
    }

    /// Waits for the end of the process; how long that took.
    pub(crate) async fn ended(&self) -> Result<Duration> {
        let watch = Stopwatch::start();
        loop {
            let status = match self.child().as_mut() {
                None => return Ok(watch.elapsed()),
                Some(child) => child.try_wait()?,
            };
            if let Some(status) = status {
                self.child().take();
                ensure!(status.success(), "an orderly stop ended with {status}");
                return Ok(watch.elapsed());
            }
            ensure!(watch.elapsed() < PATIENCE, "no end after SIGTERM within {PATIENCE:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether it ended by itself, which no node may.
    pub(crate) fn died(&self) -> Result<bool> {
        Ok(match self.child().as_mut() {
            None => false,
            Some(child) => child.try_wait()?.is_some(),
        })
    }

    /// Waits until `/ready` says so; how long that took.
    pub(crate) async fn ready(&self) -> Result<Duration> {
        let watch = Stopwatch::start();
        loop {
            if self.is_ready().await {
                return Ok(watch.elapsed());
            }
            if self.died()? {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                bail!("postern serve ended: {}", log.lines().last().unwrap_or_default());
            }
            ensure!(watch.elapsed() < PATIENCE, "not ready within {PATIENCE:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn is_ready(&self) -> bool {
        is_ready(self.metrics).await
    }

    /// A path of the side for health and metrics.
    pub(crate) async fn side(&self, path: &str) -> Result<Reply> {
        get_side(self.metrics, path).await
    }

    pub(crate) fn metrics_port(&self) -> u16 {
        self.metrics
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Whether the node whose metrics are at `port` takes requests.
pub(crate) async fn is_ready(port: u16) -> bool {
    get_side(port, "/ready").await.is_ok_and(|reply| reply.status == 200)
}

async fn get_side(port: u16, path: &str) -> Result<Reply> {
    let mut connection = Connection::new(Target::of_url(&format!("http://localhost:{port}"))?);
    let request = Request { path, ..Request::default() };
    timeout(Duration::from_secs(5), connection.send(&request)).await?
}

/// A free port below those that outgoing connections are given, so that nobody takes it while a node is down.
pub(crate) fn free_port() -> Result<u16> {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    if *next == 0 {
        *next = 20_000 + u16::try_from(std::process::id() % 10_000)?;
    }
    for _ in 0..2000 {
        *next = if *next >= 32_000 { 20_000 } else { *next + 1 };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, *next)).is_ok() {
            return Ok(*next);
        }
    }
    bail!("no free port")
}

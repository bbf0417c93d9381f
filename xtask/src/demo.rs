//! A `postern demo` of one's own: free port, temporary data directory, stopped when dropped.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::stopwatch::{Stopwatch, pause};

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running demo.
pub(crate) struct Demo {
    child: Child,
    port: u16,
    data: PathBuf,
}

impl Demo {
    /// Starts `program demo` with `options` and waits until its port answers. Its output goes to
    /// `target/xtask/demo.log`.
    pub(crate) fn start(program: &Path, options: &[&str]) -> Result<Self> {
        let port = free_port()?;
        let directory = cargo::target_directory().join("xtask");
        let data = directory.join(format!("demo-{port}"));
        fs::create_dir_all(&data).with_context(|| format!("{} cannot be made", data.display()))?;
        let output = File::create(directory.join("demo.log"))?;
        let child = Command::new(program)
            .args(["demo", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(&data)
            .args(options)
            .current_dir(&data)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        let mut demo = Self { child, port, data };
        demo.wait_until_it_answers()?;
        Ok(demo)
    }

    /// Its issuer base.
    pub(crate) fn base(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let watch = Stopwatch::start();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            let log = cargo::target_directory().join("xtask/demo.log");
            if let Some(status) = self.child.try_wait()? {
                bail!("the demo ended with {status}: {}", fs::read_to_string(log).unwrap_or_default().trim());
            }
            if watch.elapsed() > START_LIMIT {
                bail!(
                    "the demo does not answer on port {} after {START_LIMIT:?}; see {}",
                    self.port,
                    log.display()
                );
            }
            pause(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Demo {
    /// Asks it to stop, waits, insists.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let watch = Stopwatch::start();
        while matches!(self.child.try_wait(), Ok(None)) && watch.elapsed() < STOP_LIMIT {
            pause(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

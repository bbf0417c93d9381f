//! Servers of one's own, to be stopped, killed and replaced.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A database cluster in a temporary directory, reached by a Unix socket; stopped when dropped.
pub(super) struct Cluster {
    directory: TempDir,
    port: Option<u16>,
}

impl Cluster {
    pub(super) fn start() -> Self {
        let cluster = Self { directory: directory(), port: None };
        cluster.run(
            "initdb",
            &["-D", cluster.data(), "-U", "postern", "-A", "trust", "-E", "UTF8", "--locale=C"],
        );
        cluster.set("listen_addresses = ''\nmax_connections = 50\nhot_standby = on\n");
        cluster.set(&format!("unix_socket_directories = '{}'\n", cluster.path().display()));
        cluster.go();
        cluster
    }

    /// The same at a TCP port, which asks for TLS and a password; `host` is in its certificate.
    pub(super) fn protected(host: &str, password: &str) -> (Self, rcgen::Certificate) {
        let mut cluster = Self::start();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let root = authority.self_signed(&key).unwrap();
        let issuer = rcgen::Issuer::new(authority, key);
        let own = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&own, &issuer).unwrap();
        cluster.write("server.crt", &leaf.pem());
        cluster.write("server.key", &own.serialize_pem());
        let alter = format!("ALTER USER postern PASSWORD '{password}'");
        cluster.run(
            "psql",
            &["-h", &cluster.path().display().to_string(), "-U", "postern", "-d", "postgres", "-c", &alter],
        );
        cluster.write("pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n");
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        cluster.set(&format!("listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\n"));
        cluster.stop("fast");
        cluster.go();
        cluster.port = Some(port);
        (cluster, root)
    }

    /// Where it listens for TCP.
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap()
    }

    /// A file of its data directory that is its own.
    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::{PermissionsExt, chown};
        let file = self.path().join("data").join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let data = std::fs::metadata(self.path().join("data")).unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(&data);
        chown(&file, Some(owner), None).unwrap();
    }

    /// A copy that follows this one, which from now on acknowledges nothing that the copy does not have.
    pub(super) fn synchronous_standby(&self) -> Self {
        let standby = Self { directory: directory(), port: None };
        let from = format!("host={} user=postern application_name=standby", self.path().display());
        standby
            .run("pg_basebackup", &["-D", standby.data(), "-R", "-X", "stream", "-c", "fast", "-d", &from]);
        standby.set(&format!("unix_socket_directories = '{}'\n", standby.path().display()));
        standby.go();
        self.set("synchronous_standby_names = 'standby'\n");
        self.control(&["reload"]);
        standby
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postern@{}/postgres", host(self.path()))
    }

    /// The file of its Unix socket.
    pub(super) fn socket(&self) -> PathBuf {
        self.path().join(".s.PGSQL.5432")
    }

    /// Both, of which one takes writes.
    pub(super) fn url_with(&self, other: &Self) -> String {
        format!("postgres://postern@{},{}/postgres", host(self.path()), host(other.path()))
    }

    pub(super) fn go(&self) {
        let log = self.path().join("log").display().to_string();
        let start = ["-D", self.data(), "-w", "-t", "60", "-l", &log, "start"];
        // What was killed a moment ago may still hold its memory.
        let started = (0..30).any(|_| {
            let mut command = as_owner(&programs().join("pg_ctl"));
            command.args(start).current_dir(self.path()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().unwrap().success()
        });
        assert!(started, "{}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    pub(super) fn stop(&self, mode: &str) {
        self.control(&["-w", "-m", mode, "stop"]);
    }

    pub(super) fn promote(&self) {
        self.control(&["-w", "promote"]);
    }

    /// kill -9 of the server's first process and, as it leaves them behind, of its children.
    pub(super) fn kill(&self) {
        let pid = std::fs::read_to_string(self.path().join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        // Stopped first, so that it has no more children than those seen.
        assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let all: Vec<&str> = std::iter::once(pid.as_str()).chain(children.split_whitespace()).collect();
        // A child that ended by itself in the meantime is dead enough.
        let _ended = Command::new("kill").arg("-9").args(&all).stderr(Stdio::null()).status().unwrap();
        let lives = |pid: &&str| {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !state.is_empty() && !state.contains(") Z ")
        };
        while all.iter().any(lives) {
            std::thread::yield_now();
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn data(&self) -> &'static str {
        self.path().join("data").display().to_string().leak()
    }

    fn set(&self, lines: &str) {
        use std::io::Write;
        let file = self.path().join("data/postgresql.conf");
        std::fs::OpenOptions::new().append(true).open(file).unwrap().write_all(lines.as_bytes()).unwrap();
    }

    fn control(&self, arguments: &[&str]) {
        self.run("pg_ctl", &[&["-D", self.data()], arguments].concat());
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = as_owner(&programs().join(program));
        command.args(arguments).current_dir(self.path()).stdout(Stdio::null()).stdin(Stdio::null());
        let errors = self.path().join("errors");
        command.stderr(std::fs::File::create(&errors).unwrap());
        let status = command.status().unwrap();
        let said = std::fs::read_to_string(&errors).unwrap_or_default();
        assert!(status.success(), "{program} {arguments:?}: {said}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = as_owner(&programs().join("pg_ctl"));
        stop.args(["-D", self.data(), "-m", "immediate", "stop"]).stdout(Stdio::null()).stderr(Stdio::null());
        let _already = stop.status();
    }
}

/// PostgreSQL refuses to run as root: then it is the system's user for it.
fn as_owner(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    if is_root() {
        let owner = Command::new("chown").arg("postgres").arg(directory.path()).status().unwrap();
        assert!(owner.success());
    }
    directory
}

/// Where the server's programs are, as the test step found them.
fn programs() -> PathBuf {
    std::env::var_os("POSTERN_TEST_POSTGRES_PROGRAMS")
        .expect("POSTERN_TEST_POSTGRES_PROGRAMS names a directory")
        .into()
}

fn host(path: &Path) -> String {
    path.display().to_string().replace('/', "%2F")
}

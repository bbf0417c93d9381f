//! `postern demo`: everything ready-made, for one machine.

use std::fs::DirBuilder;
use std::future::ready;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use engine::demo::{DEMO_CLIENT_SECRET, DEMO_SECRET, DEMO_TENANT, DEMO_USER};
use engine::{Engine, EngineConfig};
use protocol::id::TenantId;
use tokio::net::TcpListener;

use crate::cli::DemoArgs;
use crate::config::{Secret, Store};
use crate::http::{Hsts, Limits, Metrics, Settings, Shutdown, log_panics};
use crate::log::{self, Format};
use crate::server::{self, Server};
use crate::tls::renewal::Current;
use crate::tls::self_signed::SelfSigned;
use crate::{seal_key, wire};

/// What the demo's certificate covers (decisions 12).
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where the demo keeps its things.
pub(crate) struct DataDirectory(PathBuf);

impl DataDirectory {
    pub(crate) fn new(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    pub(crate) fn store(&self) -> Store {
        Store::Sqlite { path: self.0.join("postern.db") }
    }

    pub(crate) fn key(&self) -> Secret {
        Secret::File(self.0.join("seal.key"))
    }

    fn certificate(&self) -> SelfSigned {
        SelfSigned::new(&self.0, &NAMES)
    }

    /// Creates the directory for its owner alone.
    fn create(&self) -> anyhow::Result<()> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        created.with_context(|| format!("--data-dir: cannot create {}", self.0.display()))
    }
}

/// Runs the demo until it is told to stop.
///
/// # Errors
/// One line that names the option.
pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let settings = log::Settings::new("warn", Format::Text).map_err(anyhow::Error::msg)?;
    let _log = log::start(settings, None)?;
    log_panics();
    server::runtime()?.block_on(start(args))
}

async fn start(args: &DemoArgs) -> anyhow::Result<()> {
    let shutdown = Shutdown::default();
    shutdown.on_signals()?;
    let listeners = listeners(args.listen).await?;
    let port = listeners.first().context("--listen")?.local_addr()?.port();
    let metrics_listener = match args.metrics {
        Some(address) => Some(server::bind("--metrics", address).await?),
        None => None,
    };
    let directory = DataDirectory::new(&args.data_dir);
    directory.create()?;
    let certificate = directory.certificate();
    let current = Current::new(certificate.open(server::now())?)?;
    let engine = open(args, &directory, port).await?;
    let server = Server {
        listeners,
        metrics_listener,
        certificate: current,
        metrics: Arc::new(Metrics::of_tenants(crate::config::Metrics::default().tenant_labels)),
        settings: Settings {
            limits: Limits::default(),
            trusted_proxies: Vec::new(),
            address_limit: None,
            hsts: Hsts::Loopback,
        },
    };
    greet(args.listen, engine.public_url(), &certificate.root_file());
    server.run(shutdown, ready(Ok(Arc::clone(&engine)))).await?;
    engine.flush().await;
    Ok(())
}

/// The engine over the demo's own database, with everything in it that the quick start needs.
async fn open(args: &DemoArgs, directory: &DataDirectory, port: u16) -> anyhow::Result<Arc<Engine>> {
    let store = wire::open_store(&directory.store(), true).await?;
    let is_new = wire::is_new(store.as_ref()).await?;
    let key = seal_key::open(&directory.key(), is_new)?;
    let mut config = EngineConfig::new(format!("https://localhost:{port}"), key);
    config.demo = true;
    config.default_tenant = Some(TenantId::new(DEMO_TENANT));
    config.fetch.allow_loopback = args.allow_loopback_fetch;
    if args.allow_loopback_fetch {
        // Programs on this machine may serve `https` with the demo's own certificate.
        config.fetch.extra_trust_anchors.push(directory.certificate().root_file());
    }
    let engine = wire::open_engine(config, Arc::clone(&store))?;
    wire::check_key(&engine, store.as_ref()).await.with_context(|| directory.key().to_string())?;
    engine.bootstrap_demo().await?;
    Ok(engine)
}

/// The address asked for, and the other loopback address beside it when that is free: `localhost` means
/// `::1` to some clients and `127.0.0.1` to others.
async fn listeners(listen: SocketAddr) -> anyhow::Result<Vec<TcpListener>> {
    let first = server::bind("--listen", listen).await?;
    let sibling = match listen.ip() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => return Ok(vec![first]),
    };
    let second = TcpListener::bind(SocketAddr::new(sibling, first.local_addr()?.port())).await;
    Ok([Some(first), second.ok()].into_iter().flatten().collect())
}

fn greet(listen: SocketAddr, base: &str, root: &Path) {
    let mut lines = format!(
        "
  Postern is ready: {base}

    API and Swagger UI   {base}/api/swagger/{DEMO_TENANT}
    Demo application     {base}/{DEMO_TENANT}/default/demo
    Where things are     {base}/{DEMO_TENANT}

    Admin client         admin-swagger / {DEMO_SECRET}
    Confidential client  client / {DEMO_CLIENT_SECRET}
    User                 {DEMO_USER} / {DEMO_USER}

  These credentials are public: they are for demonstration only.
  The certificate is self-made. If you wish to trust it: {}
",
        root.display()
    );
    if listen.ip().is_loopback() {
        lines.push_str("  Only this machine can reach it.\n");
    } else {
        lines.push_str(&format!(
            "
  !! WARNING: --listen {listen} is not loopback. Everybody who reaches this machine
  !! can sign in with the credentials above and administer this server.

"
        ));
    }
    eprintln!("{lines}  Stop with Ctrl-C.\n");
}

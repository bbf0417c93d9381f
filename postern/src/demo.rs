//! `postern demo`: everything ready-made, for one machine.

use std::fs::DirBuilder;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Context;
use time::OffsetDateTime;
use tokio::net::TcpListener;

use crate::cli::DemoArgs;
use crate::http::{Hsts, Limits, Settings, Shutdown, log_panics};
use crate::log::{self, Format};
use crate::server::{self, Server};
use crate::tls::renewal::Current;
use crate::tls::self_signed::SelfSigned;
use crate::wire;

/// What the demo's certificate covers (decisions 12).
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Runs the demo until it is told to stop.
///
/// # Errors
/// One line that names the option.
pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let settings = log::Settings::new("warn", Format::Text).map_err(anyhow::Error::msg)?;
    let _log = log::start(settings)?;
    log_panics();
    server::runtime()?.block_on(start(args))
}

async fn start(args: &DemoArgs) -> anyhow::Result<()> {
    let shutdown = Shutdown::default();
    shutdown.on_signals()?;
    let listeners = listeners(args.listen).await?;
    let port = listeners.first().context("no listener")?.local_addr()?.port();
    let metrics_listener = match args.metrics {
        Some(address) => Some(server::bind("--metrics", address).await?),
        None => None,
    };
    create_private(&args.data_dir)?;
    let certificate = SelfSigned::new(&args.data_dir, &NAMES);
    let current = Current::new(certificate.open(OffsetDateTime::now_utc())?)?;
    let rooms = wire::rooms();
    let settings = Settings { limits: Limits::default(), trusted_proxies: Vec::new(), hsts: Hsts::Loopback };
    let server = Server {
        listeners,
        metrics_listener,
        certificate: current,
        router: rooms.router,
        probe: rooms.probe,
        settings,
    };
    greet(args.listen, port, &certificate.root_file());
    server.run(shutdown).await
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

fn create_private(directory: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("--data-dir: cannot create {}", directory.display()))
}

fn greet(listen: SocketAddr, port: u16, root: &Path) {
    let base = format!("https://localhost:{port}");
    let mut lines = format!(
        "
  Postern is ready: {base}

    API and Swagger UI   {base}/api/swagger/default
    Demo application     {base}/default/default/demo
    Where things are     {base}/default

    Admin client         admin-swagger / n8HF35qzZkmsukHJzzz9LnN8m9Mf97uq
    Confidential client  client / wPeimtcljkdBeG19Xc3OXD41iZo0zxdg
    User                 user / user

  The certificate is self-made; {} is the root to trust, if you wish.
  These credentials are public and for demonstration only. Stop with Ctrl-C.
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
    eprintln!("{lines}");
}

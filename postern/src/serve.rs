//! `postern serve`: a server from a configuration. It never creates a known credential (W-05).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use engine::{Engine, EngineConfig, SystemClock};
use protocol::id::TenantId;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use store::Store;
use time::OffsetDateTime;
use url::Url;

use crate::config::{Config, Secret, Tls};
use crate::http::{AddressLimit, Hsts, Metrics, Settings, Shutdown, log_panics};
use crate::server::{self, Server};
use crate::spans::{self, Worker};
use crate::tls::Identity;
use crate::tls::renewal::Current;
use crate::tls::self_signed::{SelfSigned, Unkept};
use crate::{log, seal_key, wire};

/// How long the last spans may take.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// Runs a server until it is told to stop.
///
/// # Errors
/// One line that names the setting.
pub(crate) fn run(file: &Path) -> anyhow::Result<()> {
    let mut config = Config::read(file)?;
    let settings = spans::Settings::resolve(&config.otel, |name| std::env::var(name).ok())?;
    let spans = settings.map(|settings| spans::open(&settings)).transpose()?;
    let (layer, worker) = spans.map(|spans| (spans.layer, spans.worker)).unzip();
    let _log = log::start(std::mem::take(&mut config.log), layer)?;
    log_panics();
    server::runtime()?.block_on(start(config, worker))
}

async fn start(config: Config, spans: Option<Worker>) -> anyhow::Result<()> {
    let shutdown = Shutdown::default();
    shutdown.on_signals()?;
    let tls = TlsSource::of(&config);
    let (identity, unkept) = tls.prepare(server::now())?;
    let certificate = Current::new(identity).context(tls.setting())?;
    let listener = server::bind("listen", config.listen).await?;
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(server::bind("metrics_listen", address).await?),
        None => None,
    };
    let metrics = Arc::new(Metrics::of_tenants(config.metrics.tenant_labels));
    if let Some(worker) = &spans {
        metrics.register(|registry| worker.register(registry));
    }
    let spans = spans.map(Worker::start);
    let server = Server {
        listeners: vec![listener],
        metrics_listener,
        certificate: Arc::clone(&certificate),
        metrics,
        settings: settings(&config),
    };
    let opening = async {
        let engine = open(&config, wire::await_store(&config.store).await?).await?;
        // Whoever was refused its database leaves no file behind.
        unkept.keep().context(tls.setting())?;
        tokio::spawn(async move { certificate.follow(|| tls.load(server::now())).await });
        tracing::info!(public_url = engine.public_url(), listen = %config.listen, "serving");
        Ok(engine)
    };
    if let Some(engine) = server.run(shutdown, opening).await? {
        engine.flush().await;
        if let Err(error) = engine.export().await {
            tracing::warn!(%error, "audit events wait for the next start to be exported");
        }
    }
    if let Some(spans) = spans {
        spans.flush(LAST_SPANS).await;
    }
    tracing::info!("stopped");
    Ok(())
}

fn settings(config: &Config) -> Settings {
    let address = config.rate_limits.address;
    Settings {
        limits: config.limits.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        address_limit: address.map(|limit| AddressLimit::new(limit, Arc::new(SystemClock))),
        hsts: hsts(&config.public_url),
    }
}

/// The engine over the database, after everything was looked at that must not be so.
///
/// # Errors
/// One line that names the setting.
pub(crate) async fn open(config: &Config, store: Arc<dyn Store>) -> anyhow::Result<Arc<Engine>> {
    let is_new = wire::is_new(store.as_ref()).await?;
    let key = seal_key::open(&config.key, is_new).context("key_file")?;
    let mut settings = EngineConfig::new(config.public_url.as_str().trim_end_matches('/'), key);
    settings.fetch.allow_loopback = config.fetch.allow_loopback;
    settings.fetch.allowed_hosts.clone_from(&config.fetch.allow_hosts);
    settings.fetch.extra_trust_anchors.clone_from(&config.fetch.extra_trust_anchors);
    settings.admin_origins.clone_from(&config.admin_origins);
    settings.default_tenant = config.default_tenant.clone().map(TenantId::new);
    // A waiting login holds the place of a request: three quarters of them stay for others.
    settings.hash_waiting = settings.hash_waiting.min(config.limits.requests / 4);
    settings.rate_limits.clone_from(&config.rate_limits.modules);
    settings.audit = config.audit.open(&config.fetch)?;
    let engine = wire::open_engine(settings, Arc::clone(&store))?;
    wire::check_key(&engine, store.as_ref()).await.with_context(|| format!("key_file: {}", config.key))?;
    ensure!(
        !engine.holds_demo_credentials().await?,
        "{}: this database was made by `postern demo` and holds credentials that everybody knows; use another one",
        config.store.setting()
    );
    Ok(engine)
}

fn hsts(public_url: &Url) -> Hsts {
    match public_url.host_str() {
        Some("localhost" | "127.0.0.1" | "[::1]") => Hsts::Loopback,
        _ => Hsts::Strict,
    }
}

/// Where the certificate is loaded from, at the start and at each renewal.
pub(crate) enum TlsSource {
    SelfSigned(SelfSigned),
    Files { certificate: PathBuf, private_key: Secret },
}

impl TlsSource {
    /// What the configuration names.
    pub(crate) fn of(config: &Config) -> Self {
        match &config.tls {
            Tls::SelfSigned => {
                let host = config.public_url.host_str().unwrap_or_default();
                let host = host.trim_start_matches('[').trim_end_matches(']');
                Self::SelfSigned(SelfSigned::new(config.directory(), &[host]))
            }
            Tls::Files { certificate, private_key } => {
                Self::Files { certificate: certificate.clone(), private_key: private_key.clone() }
            }
        }
    }

    /// The certificate to begin with, and what is to be written when the database is accepted.
    ///
    /// # Errors
    /// One line that names the setting.
    fn prepare(&self, now: OffsetDateTime) -> anyhow::Result<(Identity, Unkept)> {
        match self {
            Self::SelfSigned(certificate) => certificate.prepare(now).context("tls.self_signed"),
            Self::Files { .. } => Ok((self.load(now)?, Unkept::default())),
        }
    }

    /// Loads the certificate as it is now.
    ///
    /// # Errors
    /// One line that names the setting.
    pub(crate) fn load(&self, now: OffsetDateTime) -> anyhow::Result<Identity> {
        match self {
            Self::SelfSigned(certificate) => certificate.open(now).context("tls.self_signed"),
            Self::Files { certificate, private_key } => {
                let unreadable = || format!("tls.certificate: {}", certificate.display());
                let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
                    .and_then(Iterator::collect)
                    .with_context(unreadable)?;
                anyhow::ensure!(!chain.is_empty(), "{} holds no certificate", unreadable());
                let pem = private_key.read().context("tls.private_key")?;
                let key = PrivateKeyDer::from_pem_slice(&pem)
                    .with_context(|| format!("tls.private_key: {private_key} holds no private key"))?;
                Ok(Identity { chain, key })
            }
        }
    }

    /// The certificate as it is now, making nothing: `None` when one will be made at the first start.
    ///
    /// # Errors
    /// One line that names the setting.
    pub(crate) fn peek(&self, now: OffsetDateTime) -> anyhow::Result<Option<Identity>> {
        match self {
            Self::SelfSigned(certificate) => Ok(certificate.kept()),
            Self::Files { .. } => self.load(now).map(Some),
        }
    }

    fn setting(&self) -> &'static str {
        match self {
            Self::SelfSigned(_) => "tls.self_signed",
            Self::Files { .. } => "tls.private_key",
        }
    }
}

//! The configuration of `serve`: one TOML file, read strictly, checked before anything is opened.
//!
//! `docs/postern.toml` is the commented template of everything here; a test keeps the two together.

mod audit;
mod file;
mod nearest;
mod otel;
mod rate_limits;
mod secret;
mod store;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use protocol::id::is_valid_chosen_id;
use url::Url;

pub use audit::{Audit, Http};
pub use file::TEMPLATE;
pub use otel::Otel;
pub use rate_limits::RateLimits;
pub use secret::Secret;
pub use store::{Postgres, Store};

use crate::http::Limits;
use crate::log;

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// The file it came from.
    pub file: PathBuf,
    /// The base of all issuers, without a trailing slash.
    pub public_url: Url,
    /// Where HTTPS is spoken.
    pub listen: SocketAddr,
    /// Where metrics and health are told, in the clear; `None` when switched off.
    pub metrics_listen: Option<SocketAddr>,
    /// The certificate.
    pub tls: Tls,
    /// The database.
    pub store: Store,
    /// The key that seals what must be readable again, such as signing keys.
    pub key: Secret,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may call the admin API.
    pub admin_origins: Vec<String>,
    /// The tenant whose landing page stands at `/`.
    pub default_tenant: Option<String>,
    /// What one client may take.
    pub limits: Limits,
    /// How many requests are taken in a time; nothing is limited unless it is said.
    pub rate_limits: RateLimits,
    /// What outbound requests may reach.
    pub fetch: Fetch,
    /// Level and format of the log.
    pub log: log::Settings,
    /// What metrics tell apart.
    pub metrics: Metrics,
    /// What becomes of audit events.
    pub audit: Audit,
    /// Where traces go.
    pub otel: Otel,
}

/// What metrics tell apart.
#[derive(Debug)]
pub struct Metrics {
    /// Tenants with a label of their own; the others share one.
    pub tenant_labels: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { tenant_labels: 20 }
    }
}

/// Where the certificate comes from.
#[derive(Debug)]
pub enum Tls {
    /// PEM chain and key, made elsewhere.
    Files {
        /// Leaf first.
        certificate: PathBuf,
        /// The leaf's key.
        private_key: Secret,
    },
    /// Made by Postern for the host of `public_url`, kept beside the database.
    SelfSigned,
}

/// What outbound requests may reach beyond public addresses.
#[derive(Debug, Default)]
pub struct Fetch {
    /// Host names that may resolve to private addresses.
    pub allow_hosts: Vec<String>,
    /// PEM files of roots trusted beside the system's.
    pub extra_trust_anchors: Vec<PathBuf>,
    /// Loopback, for development.
    pub allow_loopback: bool,
}

/// What is wrong with a configuration: one line that names the setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    file: String,
    line: Option<usize>,
    setting: String,
    problem: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.setting.is_empty() {
            write!(f, ": {}", self.setting)?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for Wrong {}

impl Config {
    /// Reads and checks a file. Nothing is opened, bound or created.
    ///
    /// # Errors
    /// [`Wrong`], on the first thing that is.
    pub fn read(file: &Path) -> Result<Self, Wrong> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Wrong::new(file, "", format!("cannot be read: {error}")))?;
        Self::parse(file, &text)
    }

    /// The directory in which Postern may keep files of its own: that of the database or else of the sealing key.
    pub fn directory(&self) -> &Path {
        let key = match &self.key {
            Secret::File(path) => Some(path.as_path()),
            Secret::Env(_) => None,
        };
        let parent = self.store.file().or(key).and_then(Path::parent);
        parent.filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Wrong> {
        let file = file::parse(path, text)?;
        let wrong = |setting: &str, problem: String| Wrong::new(path, setting, problem);
        let public_url =
            check_public_url(&file.public_url).map_err(|problem| wrong("public_url", problem))?;
        let trusted_proxies = file
            .trusted_proxies
            .iter()
            .map(|network| parse_network(network))
            .collect::<Result<_, _>>()
            .map_err(|problem| wrong("trusted_proxies", problem))?;
        let key = Secret::from_pair("key", file.key_file, file.key_env)
            .map_err(|(setting, problem)| wrong(&setting, problem))?;
        let calm = Metrics::default();
        let log = log::Settings::new(&file.log.level, file.log.format)
            .map_err(|problem| wrong("log.level", problem))?;
        Ok(Self {
            file: path.to_owned(),
            public_url,
            listen: address(&file.listen).map_err(|problem| wrong("listen", problem))?,
            metrics_listen: match file.metrics_listen.as_str() {
                "off" => None,
                other => Some(address(other).map_err(|problem| wrong("metrics_listen", problem))?),
            },
            tls: tls(file.tls).map_err(|(setting, problem)| wrong(&format!("tls.{setting}"), problem))?,
            store: Store::from_file(file.store).map_err(|(setting, problem)| wrong(&setting, problem))?,
            key,
            trusted_proxies,
            admin_origins: file
                .admin_origins
                .iter()
                .map(|origin| check_origin(origin))
                .collect::<Result<_, _>>()
                .map_err(|problem| wrong("admin_origins", problem))?,
            default_tenant: match file.default_tenant {
                Some(id) if !is_valid_chosen_id(&id) => {
                    return Err(wrong("default_tenant", format!("\"{id}\" is not the id of a tenant")));
                }
                id => id,
            },
            limits: limits(&file.limits).map_err(|(setting, problem)| wrong(&setting, problem))?,
            rate_limits: RateLimits::from_file(&file.rate_limits)
                .map_err(|(setting, problem)| wrong(&setting, problem))?,
            fetch: Fetch {
                allow_hosts: file
                    .fetch
                    .allow_hosts
                    .into_iter()
                    .map(check_host)
                    .collect::<Result<_, _>>()
                    .map_err(|problem| wrong("fetch.allow_hosts", problem))?,
                extra_trust_anchors: file.fetch.extra_trust_anchors,
                allow_loopback: file.fetch.allow_loopback,
            },
            log,
            audit: Audit::from_file(file.audit).map_err(|(setting, problem)| wrong(&setting, problem))?,
            otel: Otel::from_file(file.otel).map_err(|(setting, problem)| wrong(&setting, problem))?,
            metrics: Metrics {
                tenant_labels: file.metrics.tenant_labels.map_or(calm.tenant_labels, usize::from),
            },
        })
    }
}

impl Wrong {
    fn new(file: &Path, setting: &str, problem: String) -> Self {
        Self { file: file.display().to_string(), line: None, setting: setting.to_owned(), problem }
    }
}

/// An issuer is an https URL without query and fragment (RFC 8414 §2); the paths below it are Postern's.
fn check_public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    if url.scheme() != "https" {
        return Err("must begin with https://".into());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("must be scheme, host and port only, such as https://login.example.com".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name".into());
    }
    Ok(url)
}

/// An origin as browsers send it (RFC 6454 §6.2): compared byte for byte later.
fn check_origin(text: &str) -> Result<String, String> {
    let origin = Url::parse(text).map(|url| url.origin().ascii_serialization());
    if origin.is_ok_and(|origin| origin == text) {
        Ok(text.to_owned())
    } else {
        Err(format!("\"{text}\" is not an origin such as https://console.example.com"))
    }
}

/// A name or an address, with a port or without: what holds more would never be met.
fn check_host(text: String) -> Result<String, String> {
    let is_port = |rest: &str| rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let is_host = Url::parse(&format!("https://{text}/")).is_ok_and(|url| {
        let lower = text.to_ascii_lowercase();
        let rest = url.host_str().and_then(|host| lower.strip_prefix(host));
        rest.is_some_and(|rest| rest.is_empty() || is_port(rest))
    });
    if is_host {
        Ok(text)
    } else {
        Err(format!("\"{text}\" is not a host name such as keys.internal.example"))
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not an address and port such as 0.0.0.0:8443"))
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| format!("\"{text}\" is not a network such as 10.0.0.0/8"))
}

fn tls(tls: file::Tls) -> Result<Tls, (String, String)> {
    let keyed = tls.private_key.is_some() || tls.private_key_env.is_some();
    match (tls.self_signed, tls.certificate) {
        (true, None) if !keyed => Ok(Tls::SelfSigned),
        (true, _) => Err(("self_signed".into(), "excludes certificate and private_key".into())),
        (false, Some(certificate)) => {
            let private_key = Secret::from_pair("private_key", tls.private_key, tls.private_key_env)?;
            Ok(Tls::Files { certificate, private_key })
        }
        (false, None) => {
            Err(("certificate".into(), "is missing; or set self_signed = true on a private network".into()))
        }
    }
}

/// Longest time that a limit may be, in seconds: what is much longer cannot be added to a time any more.
const LONGEST: u64 = 366 * 24 * 3600;

fn limits(file: &file::Limits) -> Result<Limits, (String, String)> {
    let calm = Limits::default();
    let seconds = |name: &str, given: Option<u64>, default: Duration| match given {
        Some(0) => Err((format!("limits.{name}"), "must be at least 1".to_owned())),
        Some(given) if given > LONGEST => {
            Err((format!("limits.{name}"), format!("must be at most {LONGEST}, a year")))
        }
        Some(given) => Ok(Duration::from_secs(given)),
        None => Ok(default),
    };
    let count = |name: &str, given: Option<u32>, default: usize| match given {
        Some(0) => Err((format!("limits.{name}"), "must be at least 1".to_owned())),
        Some(given) => Ok(usize::try_from(given).unwrap_or(usize::MAX)),
        None => Ok(default),
    };
    Ok(Limits {
        connections: count("connections", file.connections, calm.connections)?,
        requests: count("requests", file.requests, calm.requests)?,
        handshake: seconds("handshake_seconds", file.handshake_seconds, calm.handshake)?,
        head: seconds("head_seconds", file.head_seconds, calm.head)?,
        body: seconds("body_seconds", file.body_seconds, calm.body)?,
        idle: seconds("idle_seconds", file.idle_seconds, calm.idle)?,
        stall: seconds("stall_seconds", file.stall_seconds, calm.stall)?,
        drain: seconds("drain_seconds", file.drain_seconds, calm.drain)?,
        uri_bytes: count("uri_bytes", file.uri_bytes, calm.uri_bytes)?,
        header_bytes: count("header_bytes", file.header_bytes, calm.header_bytes)?,
        body_bytes: count("body_bytes", file.body_bytes, calm.body_bytes)?,
        bodies_bytes: count("bodies_bytes", file.bodies_bytes, calm.bodies_bytes)?,
        streams: match file.streams {
            Some(0) => return Err(("limits.streams".to_owned(), "must be at least 1".to_owned())),
            given => given.unwrap_or(calm.streams),
        },
    })
}

#[cfg(test)]
mod tests;

//! `postern doctor`: what could go wrong with this installation, one line for each thing looked at, and
//! how to mend it. Before the first start it says what is not there yet, and judges the rest.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use engine::EngineConfig;
use engine::clock_skew::TOLERATED_SKEW;
use engine::fetch::{Fetch, FetchPolicy};
use protocol::record::DocumentKind;
use rustls::pki_types::ServerName;
use rustls::server::ParsedCertificate;
use store::{Page, Store};
use time::{Duration, OffsetDateTime};

use crate::config::{Config, Secret, Tls};
use crate::serve::TlsSource;
use crate::tls::Identity;
use crate::tls::validity::validity;
use crate::{cli, seal_key, server, wire};

const STORE: &str = "store";

/// A certificate with less than this left deserves attention.
const SOON: Duration = Duration::days(14);

/// Nodes further apart than this many milliseconds do not understand each other (half of what is allowed between two).
const TOO_FAR_APART: u128 = 5_000;

/// Looks at everything and prints what it found. Changes nothing. What is not there before the first start is no fault.
///
/// # Errors
/// Something must be mended, or the configuration cannot be read; the exit status is 1 then, else 0.
pub(crate) fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::read(file)?;
    let findings = server::runtime()?.block_on(examine(&config, server::now()));
    for finding in &findings {
        println!("{finding}");
    }
    let failed = findings.iter().filter(|finding| finding.level == Level::Fail).count();
    anyhow::ensure!(failed == 0, "{failed} of {} checks failed", findings.len());
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    /// Not there before the first start.
    New,
    Warn,
    Fail,
}

/// One line of the report.
#[derive(Debug)]
struct Finding {
    level: Level,
    subject: &'static str,
    detail: String,
    mend: String,
}

impl Finding {
    fn ok(subject: &'static str, detail: impl Into<String>) -> Self {
        Self { level: Level::Ok, subject, detail: detail.into(), mend: String::new() }
    }

    fn new(subject: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::New, subject, detail: detail.into(), mend: mend.into() }
    }

    fn warn(subject: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Warn, subject, detail: detail.into(), mend: mend.into() }
    }

    fn fail(subject: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Fail, subject, detail: detail.into(), mend: mend.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok  ",
            Level::New => "new ",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        write!(f, "{level}  {:<12} {}", self.subject, self.detail)?;
        if self.mend.is_empty() { Ok(()) } else { write!(f, ": {}", self.mend) }
    }
}

async fn examine(config: &Config, now: OffsetDateTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    let store = open_store(config, &mut findings).await;
    findings.push(sealing_key(config, store.as_ref()).await);
    findings.extend(permissions(config));
    let identity = TlsSource::of(config).peek(now);
    findings.push(certificate(config, &identity, now));
    findings.push(clock(store.as_deref(), now).await);
    // Whoever has a database has started the server, or is about to.
    let is_new = findings.iter().any(|finding| finding.subject == STORE && finding.level == Level::New);
    findings.push(match issuer(config, store.as_deref()).await {
        Finding { level: Level::Fail, .. } if is_new => {
            let detail = format!("nothing answers at {} yet", config.public_url);
            Finding::new("issuer", detail, "start the server, then ask again")
        }
        finding => finding,
    });
    findings
}

async fn open_store(config: &Config, findings: &mut Vec<Finding>) -> Option<std::sync::Arc<dyn Store>> {
    const SUBJECT: &str = STORE;
    let see = format!("see {}", config.store.setting());
    match wire::pending(&config.store).await {
        Ok(pending) if pending.is_new => {
            findings.push(no_database(SUBJECT, config));
            return None;
        }
        Ok(pending) if !pending.steps.is_empty() => {
            let detail = format!("{} migrations are missing", pending.steps.len());
            findings.push(Finding::warn(SUBJECT, detail, "run `postern migrate`, or start the server once"));
            return None;
        }
        Ok(_) => {}
        Err(error) => {
            findings.push(Finding::fail(SUBJECT, cli::one_line(&error), see));
            return None;
        }
    }
    let opened = async {
        let store = wire::open_store(&config.store, false).await?;
        store.ping().await?;
        let version = store.schema_version().await?;
        anyhow::Ok((store, version))
    };
    match opened.await {
        Ok((store, version)) => {
            findings.push(Finding::ok(SUBJECT, format!("reads and writes, schema version {version}")));
            if let Ok(Some(advice)) = wire::advice(&config.store).await {
                findings.push(Finding::warn(SUBJECT, advice, ""));
            }
            Some(store)
        }
        Err(error) => {
            findings.push(Finding::fail(SUBJECT, cli::one_line(&error), see));
            None
        }
    }
}

/// Before the first start. The server makes a file, but no directory.
fn no_database(subject: &'static str, config: &Config) -> Finding {
    let detail = format!("no database yet at {}", config.store.place());
    match config.store.file().and_then(Path::parent).filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) if !parent.is_dir() => {
            let parent = parent.display();
            Finding::fail(
                subject,
                format!("{detail}, and no directory {parent}"),
                format!("mkdir -m 700 {parent}"),
            )
        }
        _ => Finding::new(subject, detail, "`postern serve` makes it at its first start"),
    }
}

async fn sealing_key(config: &Config, store: Option<&Arc<dyn Store>>) -> Finding {
    const SUBJECT: &str = "sealing key";
    let is_new = match store {
        Some(store) => wire::is_new(store.as_ref()).await.unwrap_or(false),
        None => true,
    };
    let missing = matches!(&config.key, Secret::File(path) if !path.exists());
    if missing && is_new {
        return Finding::new(SUBJECT, format!("{} will be made at the first start", config.key), "");
    }
    match seal_key::open(&config.key, false) {
        Ok(key) => match opens(key, store).await {
            Ok(()) => Finding::ok(SUBJECT, format!("{} opens what is sealed", config.key)),
            Err(error) => {
                let mend = "restore the key that belongs to this database";
                Finding::fail(SUBJECT, format!("{} {}", config.key, cli::one_line(&error)), mend)
            }
        },
        Err(error) => Finding::fail(SUBJECT, cli::one_line(&error), "see key_file"),
    }
}

/// That the key is the one of the database, if there is one.
async fn opens(key: seal_key::SealKey, store: Option<&Arc<dyn Store>>) -> anyhow::Result<()> {
    let Some(store) = store else { return Ok(()) };
    let engine = wire::open_engine(EngineConfig::new("", key), Arc::clone(store))?;
    wire::check_key(&engine, store.as_ref()).await
}

/// Files that nobody else should read.
fn permissions(config: &Config) -> Vec<Finding> {
    let mut private = vec![config.directory().to_owned()];
    if let Secret::File(path) = &config.key {
        private.push(path.clone());
    }
    if let Tls::Files { private_key: Secret::File(path), .. } = &config.tls {
        private.push(path.clone());
    }
    if let Some(Secret::File(path)) = config.audit.http.as_ref().and_then(|http| http.token.as_ref()) {
        private.push(path.clone());
    }
    private.iter().map(|path| permission(path)).collect()
}

fn permission(path: &Path) -> Finding {
    const SUBJECT: &str = "permissions";
    let shown = path.display();
    let Ok(metadata) = std::fs::metadata(path) else {
        return Finding::new(SUBJECT, format!("{shown} does not exist yet"), "");
    };
    let mode = metadata.permissions().mode() & 0o777;
    let strict = if metadata.is_dir() { "700" } else { "600" };
    if mode & 0o007 != 0 {
        let mend = format!("chmod {strict} {shown}");
        return Finding::fail(SUBJECT, format!("everybody on this machine can use {shown} ({mode:o})"), mend);
    }
    if mode & 0o070 != 0 {
        let mend = format!("chmod {strict} {shown}, unless that is meant");
        return Finding::warn(SUBJECT, format!("its group can use {shown} ({mode:o})"), mend);
    }
    Finding::ok(SUBJECT, format!("{shown} is its owner's alone"))
}

fn certificate(config: &Config, identity: &anyhow::Result<Option<Identity>>, now: OffsetDateTime) -> Finding {
    const SUBJECT: &str = "certificate";
    const RENEW: &str = "renew it; a running server takes the new one within a minute";
    let leaf = match identity {
        Ok(Some(identity)) => identity.chain.first(),
        Ok(None) => return Finding::new(SUBJECT, "will be made at the first start", ""),
        Err(error) => return Finding::fail(SUBJECT, cli::one_line(error), "see [tls]"),
    };
    let Some((leaf, period)) = leaf.and_then(|leaf| Some((leaf, validity(leaf)?))) else {
        return Finding::fail(SUBJECT, "cannot be read", "see tls.certificate");
    };
    if now < period.not_before {
        return Finding::fail(SUBJECT, format!("is valid from {} on", period.not_before.date()), RENEW);
    }
    if now > period.not_after {
        return Finding::fail(SUBJECT, format!("ended on {}", period.not_after.date()), RENEW);
    }
    let host = config.public_url.host_str().unwrap_or_default();
    let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']'));
    let covered = ParsedCertificate::try_from(leaf)
        .and_then(|leaf| name.map(|name| (leaf, name)).map_err(|_| rustls::Error::UnsupportedNameType))
        .and_then(|(leaf, name)| rustls::client::verify_server_name(&leaf, &name));
    if covered.is_err() {
        return Finding::fail(
            SUBJECT,
            format!("does not cover {host}"),
            "get one for the host of public_url",
        );
    }
    if now + SOON > period.not_after {
        return Finding::warn(SUBJECT, format!("ends on {}", period.not_after.date()), RENEW);
    }
    Finding::ok(SUBJECT, format!("covers {host} until {}", period.not_after.date()))
}

/// The newest thing that the store remembers must not lie in the future.
async fn clock(store: Option<&dyn Store>, now: OffsetDateTime) -> Finding {
    const SUBJECT: &str = "clock";
    const MEND: &str = "set the clock and keep it set, with NTP";
    const EARLIEST: i64 = 1_790_000_000; // September 2026, when this program did not exist yet
    if now.unix_timestamp() < EARLIEST {
        return Finding::fail(SUBJECT, format!("it says {now}, which is past"), MEND);
    }
    if let Some(skew) = skew(store, now).await
        && skew.unsigned_abs() > TOLERATED_SKEW.as_millis()
    {
        let (by, which) = (skew.unsigned_abs(), if skew > 0 { "ahead of" } else { "behind" });
        let detail = format!("it is {by} ms {which} the database's");
        return match by > TOO_FAR_APART {
            true => Finding::fail(SUBJECT, detail, MEND),
            false => Finding::warn(SUBJECT, detail, MEND),
        };
    }
    let newest = match store {
        Some(store) => newest_event(store).await,
        None => None,
    };
    match newest {
        Some(newest) if newest > now.unix_timestamp() + 5 => {
            let ahead = newest - now.unix_timestamp();
            Finding::fail(SUBJECT, format!("the store remembers something {ahead} s in the future"), MEND)
        }
        Some(_) => Finding::ok(SUBJECT, format!("agrees with the store, {now}")),
        None => Finding::ok(SUBJECT, format!("{now}; there is nothing to compare it with yet")),
    }
}

/// By how many milliseconds this machine is ahead of the database, if that has a clock of its own.
async fn skew(store: Option<&dyn Store>, now: OffsetDateTime) -> Option<i128> {
    let database = store?.clock().await.ok()??;
    let millis = |time: OffsetDateTime| time.unix_timestamp_nanos() / 1_000_000;
    // `now` was a moment ago; by how much is no skew.
    let (earliest, latest) = (millis(now), millis(server::now()));
    let database = i128::from(database.millis());
    Some(if database < earliest { earliest - database } else { (latest - database).min(0) })
}

async fn newest_event(store: &dyn Store) -> Option<i64> {
    let mut newest = None;
    for tenant in store.tenants(&Page::first(store::MAX_ROWS)).await.ok()? {
        let event = store.events(&tenant.id, None, 1).await.ok()?.pop();
        newest = newest.max(event.map(|event| event.at.seconds()));
    }
    newest
}

/// Asks the running server from outside, as a client would: name resolution, route, TLS, and the issuer it
/// calls itself (RFC 8414 §3.3).
async fn issuer(config: &Config, store: Option<&dyn Store>) -> Finding {
    const SUBJECT: &str = "issuer";
    let base = config.public_url.as_str().trim_end_matches('/');
    let workspace = match store {
        Some(store) => first_workspace(store).await,
        None => None,
    };
    let Some(expected) = workspace.map(|path| format!("{base}/{path}")) else {
        return reached(SUBJECT, base, get(config, &format!("{base}/alive")).await.map(|_| ()));
    };
    let url = format!("{expected}/.well-known/openid-configuration");
    let metadata = match get(config, &url).await {
        Ok(body) => serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default(),
        Err(error) => return reached(SUBJECT, &url, Err(error)),
    };
    match metadata.get("issuer").and_then(|issuer| issuer.as_str()) {
        Some(issuer) if issuer == expected => Finding::ok(SUBJECT, format!("{issuer} answers as itself")),
        Some(issuer) => {
            let mend = "set public_url to what clients use";
            Finding::fail(SUBJECT, format!("{url} calls itself {issuer}"), mend)
        }
        None => Finding::fail(SUBJECT, format!("{url} is no discovery document"), "see what answers there"),
    }
}

fn reached(subject: &'static str, url: &str, outcome: anyhow::Result<()>) -> Finding {
    const MEND: &str = "start the server; check DNS, firewall, proxy and trust of public_url";
    match outcome {
        Ok(()) => Finding::ok(subject, format!("{url} answers")),
        Err(error) => Finding::fail(subject, format!("{url}: {}", cli::one_line(&error)), MEND),
    }
}

/// The path of some workspace.
async fn first_workspace(store: &dyn Store) -> Option<String> {
    for tenant in store.tenants(&Page::first(1)).await.ok()? {
        let servers = store.documents(&tenant.id, DocumentKind::Server, None, &Page::first(1)).await.ok()?;
        if let Some(server) = servers.first() {
            return Some(format!("{}/{}", tenant.id.as_str(), server.id));
        }
    }
    None
}

/// Fetches with the rules of `[fetch]`, except that one's own host may be anywhere.
async fn get(config: &Config, url: &str) -> anyhow::Result<Vec<u8>> {
    let mut extra_trust_anchors = config.fetch.extra_trust_anchors.clone();
    if let TlsSource::SelfSigned(certificate) = TlsSource::of(config) {
        extra_trust_anchors.push(certificate.root_file());
    }
    let host = config.public_url.host_str().unwrap_or_default().to_owned();
    let policy = FetchPolicy { allow_loopback: true, allowed_hosts: vec![host], extra_trust_anchors };
    let fetched = Fetch::new(&policy)?.get_json(url).await?;
    anyhow::ensure!(fetched.status == 200, "it answers with status {}", fetched.status);
    Ok(fetched.body.to_vec())
}

//! The file as it is written: every key, and errors that name the line and the setting.

use std::ops::Range;
use std::path::{Path, PathBuf};

use protocol::duration::Span;
use serde::Deserialize;

use super::Wrong;
use super::nearest::nearest;
use crate::log;

/// The commented template, `docs/postern.toml`.
pub const TEMPLATE: &str = include_str!("../../../docs/postern.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) public_url: String,
    #[serde(default = "default_listen")]
    pub(super) listen: String,
    #[serde(default = "default_metrics_listen")]
    pub(super) metrics_listen: String,
    pub(super) key_file: Option<PathBuf>,
    pub(super) key_env: Option<String>,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<String>,
    #[serde(default)]
    pub(super) admin_origins: Vec<String>,
    pub(super) default_tenant: Option<String>,
    pub(super) tls: Tls,
    pub(super) store: Store,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) rate_limits: RateLimits,
    #[serde(default)]
    pub(super) fetch: Fetch,
    #[serde(default)]
    pub(super) log: Log,
    #[serde(default)]
    pub(super) metrics: Metrics,
    #[serde(default)]
    pub(super) audit: Audit,
    #[serde(default)]
    pub(super) otel: Otel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) certificate: Option<PathBuf>,
    pub(super) private_key: Option<PathBuf>,
    pub(super) private_key_env: Option<String>,
    #[serde(default)]
    pub(super) self_signed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    pub(super) url: Option<String>,
    pub(super) sqlite: Option<Sqlite>,
    pub(super) postgres: Option<Postgres>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sqlite {
    pub(super) path: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Postgres {
    pub(super) password_file: Option<PathBuf>,
    pub(super) password_env: Option<String>,
    pub(super) tls: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) schema: Option<String>,
    pub(super) connections: Option<u32>,
    pub(super) acquire_milliseconds: Option<u64>,
    pub(super) statement_seconds: Option<u64>,
    pub(super) silence_milliseconds: Option<u64>,
    #[serde(default)]
    pub(super) accept_data_loss: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) connections: Option<u32>,
    pub(super) requests: Option<u32>,
    pub(super) handshake_seconds: Option<u64>,
    pub(super) head_seconds: Option<u64>,
    pub(super) body_seconds: Option<u64>,
    pub(super) idle_seconds: Option<u64>,
    pub(super) stall_seconds: Option<u64>,
    pub(super) drain_seconds: Option<u64>,
    pub(super) uri_bytes: Option<u32>,
    pub(super) header_bytes: Option<u32>,
    pub(super) body_bytes: Option<u32>,
    pub(super) bodies_bytes: Option<u32>,
    pub(super) streams: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateLimits {
    pub(super) address: Option<RateLimit>,
    pub(super) oauth2: Option<RateLimit>,
    pub(super) login: Option<RateLimit>,
    pub(super) admin: Option<RateLimit>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateLimit {
    pub(super) rate: u32,
    pub(super) period: Option<Span>,
    pub(super) burst: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fetch {
    #[serde(default)]
    pub(super) allow_hosts: Vec<String>,
    #[serde(default)]
    pub(super) extra_trust_anchors: Vec<PathBuf>,
    #[serde(default)]
    pub(super) allow_loopback: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    #[serde(default = "default_level")]
    pub(super) level: String,
    #[serde(default)]
    pub(super) format: log::Format,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Otel {
    pub(super) endpoint: Option<String>,
    pub(super) headers_file: Option<PathBuf>,
    pub(super) headers_env: Option<String>,
    pub(super) service_name: Option<String>,
    pub(super) sample_ratio: Option<f64>,
    pub(super) timeout_milliseconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {
    pub(super) retention_days: Option<u32>,
    #[serde(default)]
    pub(super) export: Export,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Export {
    pub(super) file: Option<ExportFile>,
    pub(super) http: Option<ExportHttp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportFile {
    pub(super) path: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportHttp {
    pub(super) url: String,
    pub(super) token_file: Option<PathBuf>,
    pub(super) token_env: Option<String>,
    #[serde(default)]
    pub(super) allow_private: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metrics {
    pub(super) tenant_labels: Option<u16>,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: default_level(), format: log::Format::default() }
    }
}

fn default_listen() -> String {
    "0.0.0.0:8443".into()
}

fn default_metrics_listen() -> String {
    "127.0.0.1:9000".into()
}

fn default_level() -> String {
    "info".into()
}

/// Parses the file's text.
///
/// # Errors
/// One line naming file, line, setting, and for an unknown key the known one that was probably meant.
pub(super) fn parse(path: &Path, text: &str) -> Result<File, Wrong> {
    toml::from_str(text).map_err(|error| explain(path, text, error.message(), error.span()))
}

fn explain(path: &Path, text: &str, message: &str, span: Option<Range<usize>>) -> Wrong {
    let start = span.as_ref().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let current = text.lines().nth(line - 1).unwrap_or_default();
    // The line itself may be a heading, and then it is what is wrong.
    let heading = section_name(current);
    let section = heading.or_else(|| text.lines().take(line - 1).filter_map(section_name).last());
    let key = key_name(current).filter(|_| heading.is_none());
    let (setting, problem): (Vec<&str>, String) = if let Some((typed, known)) = unknown_key(message) {
        let place = match heading {
            Some(heading) => up_to(heading, typed),
            // In braces, the line begins with the name of what they belong to.
            None => section.into_iter().chain(key.filter(|key| *key != typed)).chain([typed]).collect(),
        };
        (place, unknown(typed, &known))
    } else if let Some(missing) = missing_key(message) {
        // What the whole file lacks is told at its start.
        let around = section.into_iter().chain(key).filter(|_| start > 0);
        (around.chain([missing]).collect(), "is missing".to_owned())
    } else {
        (section.into_iter().chain(key).collect(), message.replace('\n', " "))
    };
    Wrong { file: path.display().to_string(), line: span.map(|_| line), setting: setting.join("."), problem }
}

/// The names of a heading, as far as the one that is not known.
fn up_to<'a>(heading: &'a str, typed: &str) -> Vec<&'a str> {
    let names: Vec<&str> = heading.split('.').map(str::trim).collect();
    let known = names.iter().position(|name| *name == typed).unwrap_or(names.len());
    names.into_iter().take(known + 1).collect()
}

/// Takes serde's "missing field `a`" apart.
fn missing_key(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}

fn unknown(typed: &str, known: &[&str]) -> String {
    match nearest(typed, known.iter().copied()) {
        Some(meant) => format!("unknown setting; did you mean {meant}?"),
        None => format!("unknown setting; known here: {}", known.join(", ")),
    }
}

/// Takes serde's "unknown field `a`, expected one of `b`, `c`" apart.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let message = message.strip_prefix("unknown field ")?;
    let mut quoted = message.split('`').skip(1).step_by(2);
    let typed = quoted.next()?;
    Some((typed, quoted.collect()))
}

fn section_name(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.split(']').next().map(str::trim)
}

fn key_name(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    Some(key.trim()).filter(|key| !key.is_empty() && !key.starts_with('#'))
}

//! How long audit events are kept, and who is told of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use engine::fetch::FetchPolicy;
use engine::{AuditConfig, AuditSink, FileSink, HttpSink};
use url::Url;
use zeroize::Zeroizing;

use super::{Fetch, Secret, file};

const DAY: Duration = Duration::from_secs(24 * 3600);
const USUAL_DAYS: u32 = 90;

/// What becomes of audit events.
#[derive(Debug)]
pub struct Audit {
    /// How long they are kept; for ever when absent.
    pub retention: Option<Duration>,
    /// The file that they are written to.
    pub file: Option<PathBuf>,
    /// Where they are posted.
    pub http: Option<Http>,
}

/// Where events are posted.
#[derive(Debug)]
pub struct Http {
    /// Takes POST requests with JSON lines.
    pub url: Url,
    /// The bearer token.
    pub token: Option<Secret>,
    /// Whether the host may be on a private address.
    pub allow_private: bool,
}

impl Audit {
    pub(super) fn from_file(file: file::Audit) -> Result<Self, (String, String)> {
        let days = file.retention_days.unwrap_or(USUAL_DAYS);
        Ok(Self {
            retention: (days > 0).then(|| DAY * days),
            file: file.export.file.map(|file| file.path),
            http: file.export.http.map(Http::from_file).transpose()?,
        })
    }

    /// The same for the engine.
    ///
    /// # Errors
    /// One line that names the setting.
    pub(crate) fn open(&self, fetch: &Fetch) -> anyhow::Result<AuditConfig> {
        let mut sinks: Vec<Arc<dyn AuditSink>> = Vec::new();
        if let Some(path) = &self.file {
            sinks.push(Arc::new(FileSink::new(path)));
        }
        if let Some(http) = &self.http {
            sinks.push(Arc::new(http.open(fetch)?));
        }
        Ok(AuditConfig { retention: self.retention, sinks })
    }
}

impl Http {
    fn from_file(file: file::ExportHttp) -> Result<Self, (String, String)> {
        let wrong = |name: &str, problem: String| (format!("audit.export.http.{name}"), problem);
        let url = Url::parse(&file.url).map_err(|error| wrong("url", format!("is not a URL: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("url", "must not contain a user name; give a token".into()));
        }
        let token = match (file.token_file, file.token_env) {
            (None, None) => None,
            (path, variable) => Some(
                Secret::from_pair("token", path, variable)
                    .map_err(|(name, problem)| wrong(&name, problem))?,
            ),
        };
        Ok(Self { url, token, allow_private: file.allow_private })
    }

    fn open(&self, fetch: &Fetch) -> anyhow::Result<HttpSink> {
        let mut policy = FetchPolicy {
            allow_loopback: fetch.allow_loopback,
            allowed_hosts: fetch.allow_hosts.clone(),
            extra_trust_anchors: fetch.extra_trust_anchors.clone(),
        };
        if let Some(host) = self.url.host_str().filter(|_| self.allow_private) {
            policy.allowed_hosts.push(host.to_owned());
        }
        let token = match &self.token {
            Some(place) => {
                let bytes = Zeroizing::new(place.read().context("audit.export.http.token")?);
                let text = std::str::from_utf8(&bytes).context("audit.export.http.token: is not text")?;
                Some(Zeroizing::new(text.trim().to_owned()))
            }
            None => None,
        };
        HttpSink::new(self.url.as_str(), token, &policy).context("audit.export.http")
    }
}

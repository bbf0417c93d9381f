//! The one guarded client for everything that the server fetches because somebody outside named a URL (attack
//! W-13): client-ID metadata documents, key sets, request objects.
//!
//! Every hop is checked: the URL before it is used, and each address after the name was resolved and before
//! anybody connects. What is checked is what is connected to: the resolver below is the connection's own, so a
//! name that changes its address in between gains nothing.

mod resolver;
mod target;
mod told;

use crate::{EngineError, SPANS};
use bytes::{Bytes, BytesMut};
use protocol::network_address::Addresses;
use protocol::web_uri::Reach;
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Certificate, Client, Response};
use resolver::{CheckedResolver, DeniedAddress};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use target::Target;
use tokio::sync::OnceCell;
use tracing::{Instrument, Span};
use url::Url;

/// What may be fetched beyond the public internet. Empty by default.
#[derive(Clone, Debug, Default)]
pub struct FetchPolicy {
    /// Loopback addresses may be reached, also by plain `http`. For demonstrations and tests on one machine.
    pub allow_loopback: bool,
    /// `host` or `host:port`, written as in URLs: exempt from the rule against private addresses.
    pub allowed_hosts: Vec<String>,
    /// PEM files with certificates that are trusted beside those of the system.
    pub extra_trust_anchors: Vec<PathBuf>,
}

impl FetchPolicy {
    /// Which addresses a client may register (`protocol/src/client_addresses.rs`).
    pub fn reach(&self) -> Reach<'_> {
        Reach { allow_loopback: self.allow_loopback, allowed_hosts: &self.allowed_hosts }
    }
}

/// Bounds of one fetch, over all its redirects.
#[derive(Clone, Copy, Debug)]
struct Limits {
    total: Duration,
    body: usize,
    redirects: usize,
}

const JSON: &str = "application/json";

const LIMITS: Limits = Limits { total: Duration::from_secs(5), body: 1024 * 1024, redirects: 2 };

/// A document that was fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    pub status: u16,
    pub body: Bytes,
    /// The header `Content-Type` as sent.
    pub content_type: Option<String>,
    /// How long the answer may be reused (RFC 9111 §5.2.2.1); zero for `no-store` and `no-cache`, `None` if
    /// nothing was said.
    pub max_age: Option<Duration>,
}

/// Why a document could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("not a URL that can be fetched: {0}")]
    Url(&'static str),
    #[error("only https is fetched")]
    NotHttps,
    #[error("{host} has an address that must not be reached: {why}")]
    Address { host: String, why: &'static str },
    #[error("more than {0} redirects")]
    Redirects(usize),
    #[error("a redirect without a usable Location")]
    Location,
    #[error("no answer within {0:?}")]
    Slow(Duration),
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    #[error("trust anchors: {0}")]
    TrustAnchors(String),
    #[error("certificate: {0}")]
    Certificate(String),
    #[error("unreachable: {0}")]
    Unreachable(String),
    #[error("no HTTP answer: {0}")]
    NoAnswer(String),
    /// RFC 9112 §8: what ends without its length, its last chunk or the end of TLS may have lost its rest.
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
}

/// A text that is posted.
pub struct Post<'a> {
    pub url: &'a str,
    pub content_type: &'static str,
    /// Sent as a bearer token (RFC 6750 §2.1).
    pub token: Option<&'a str>,
    pub body: String,
}

/// The guarded client. Trust anchors and connections are made when first needed, not at start.
pub struct Fetch {
    allow_loopback: bool,
    allowed_hosts: Vec<String>,
    anchors: Vec<Certificate>,
    limits: Limits,
    /// For every host but the exempt ones.
    guarded: OnceCell<Client>,
    /// For exempt hosts: no rule about addresses.
    exempt: OnceCell<Client>,
}

impl Fetch {
    /// # Errors
    /// When an extra trust anchor cannot be read.
    pub fn new(policy: &FetchPolicy) -> Result<Self, EngineError> {
        let mut anchors = Vec::new();
        for path in &policy.extra_trust_anchors {
            let unusable = |why: String| EngineError::Internal(format!("{}: {why}", path.display()));
            let pem = std::fs::read(path).map_err(|e| unusable(e.to_string()))?;
            let found = Certificate::from_pem_bundle(&pem).map_err(|e| unusable(e.to_string()))?;
            if found.is_empty() {
                return Err(unusable("no PEM certificate in it".to_owned()));
            }
            anchors.extend(found);
        }
        Ok(Self {
            allow_loopback: policy.allow_loopback,
            allowed_hosts: policy.allowed_hosts.iter().map(|h| h.to_ascii_lowercase()).collect(),
            anchors,
            limits: LIMITS,
            guarded: OnceCell::new(),
            exempt: OnceCell::new(),
        })
    }

    /// Fetches `url` with GET, following at most two redirects; 5 s and 1 MiB in all. No cookies, no proxy
    /// from the environment, no referrer.
    ///
    /// # Errors
    /// When the URL or an address on the way is not allowed, or no complete answer came. Any final status is
    /// an answer.
    pub async fn get_json(&self, url: &str) -> Result<Fetched, FetchError> {
        self.get(url, JSON).await
    }

    /// The same for another media type, named as in the header `Accept`.
    ///
    /// # Errors
    /// As [`Fetch::get_json`].
    pub async fn get(&self, url: &str, accept: &'static str) -> Result<Fetched, FetchError> {
        let total = self.limits.total;
        let followed = tokio::time::timeout(total, self.follow(url, accept)).instrument(span(url));
        followed.await.unwrap_or(Err(FetchError::Slow(total)))
    }

    /// The same for a document whose address is its name: a redirect is an answer and not followed.
    ///
    /// # Errors
    /// As of [`Fetch::get_json`].
    pub async fn get_json_here(&self, url: &str) -> Result<Fetched, FetchError> {
        let total = self.limits.total;
        let target = url;
        let here = async {
            let url = Url::parse(url).map_err(|_| FetchError::Url("it does not parse"))?;
            self.read(self.send(&url, JSON).await?).await
        };
        let here = tokio::time::timeout(total, here).instrument(span(target));
        here.await.unwrap_or(Err(FetchError::Slow(total)))
    }

    /// Posts a form to `url`: the status of the answer. A redirect is an answer and not followed.
    ///
    /// # Errors
    /// As of [`Fetch::get_json`].
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<u16, FetchError> {
        let total = self.limits.total;
        let target = url;
        let posted = async {
            let url = Url::parse(url).map_err(|_| FetchError::Url("it does not parse"))?;
            let request = self.client_for(&url).await?.post(url).form(fields);
            let response = request.send().await.map_err(|error| failure(&error))?;
            Ok(response.status().as_u16())
        };
        let posted = tokio::time::timeout(total, posted).instrument(span(target));
        posted.await.unwrap_or(Err(FetchError::Slow(total)))
    }

    /// Posts a text: the status of the answer. A redirect is an answer and not followed.
    ///
    /// # Errors
    /// As of [`Fetch::get_json`].
    pub async fn post(&self, Post { url, content_type, token, body }: Post<'_>) -> Result<u16, FetchError> {
        let total = self.limits.total;
        let target = url;
        let posted = async {
            let url = Url::parse(url).map_err(|_| FetchError::Url("it does not parse"))?;
            let request =
                self.client_for(&url).await?.post(url).header(CONTENT_TYPE, content_type).body(body);
            let request = match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            let response = request.send().await.map_err(|error| failure(&error))?;
            Ok(response.status().as_u16())
        };
        let posted = tokio::time::timeout(total, posted).instrument(span(target));
        posted.await.unwrap_or(Err(FetchError::Slow(total)))
    }

    async fn follow(&self, url: &str, accept: &'static str) -> Result<Fetched, FetchError> {
        let mut url = Url::parse(url).map_err(|_| FetchError::Url("it does not parse"))?;
        for _ in 0..=self.limits.redirects {
            let response = self.send(&url, accept).await?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return self.read(response).await;
            }
            let next = location(&url, response.headers())?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(FetchError::NotHttps);
            }
            url = next;
        }
        Err(FetchError::Redirects(self.limits.redirects))
    }

    /// One hop: checks the target, then asks it.
    async fn send(&self, url: &Url, accept: &'static str) -> Result<Response, FetchError> {
        let request = self.client_for(url).await?.get(url.clone()).header(ACCEPT, accept);
        request.send().await.map_err(|error| failure(&error))
    }

    /// The client that may ask this target.
    async fn client_for(&self, url: &Url) -> Result<&Client, FetchError> {
        let target = Target::check(url, self.allow_loopback)?;
        let exempt = target.is_named_in(&self.allowed_hosts);
        if !exempt && let Some(ip) = target.literal() {
            self.addresses(false)
                .check(ip)
                .map_err(|why| FetchError::Address { host: ip.to_string(), why })?;
        }
        self.client(exempt).await
    }

    /// The answer. Of one that is no success nobody reads the body, so that what is wrong with it is no matter.
    async fn read(&self, mut response: Response) -> Result<Fetched, FetchError> {
        let body =
            if response.status().is_success() { self.body(&mut response).await? } else { Bytes::new() };
        let headers = response.headers();
        Ok(Fetched {
            status: response.status().as_u16(),
            content_type: headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned),
            max_age: max_age(headers),
            body,
        })
    }

    async fn body(&self, response: &mut Response) -> Result<Bytes, FetchError> {
        let most = self.limits.body;
        if response.content_length().is_some_and(|length| length > most as u64) {
            return Err(FetchError::TooLarge(most));
        }
        let mut body = BytesMut::new();
        let broken = |error: reqwest::Error| FetchError::BrokenOff(chain(&error));
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len().saturating_add(chunk.len()) > most {
                return Err(FetchError::TooLarge(most));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    const fn addresses(&self, exempt: bool) -> Addresses {
        match (exempt, self.allow_loopback) {
            (true, _) => Addresses::Any,
            (false, true) => Addresses::PublicAndLoopback,
            (false, false) => Addresses::Public,
        }
    }

    async fn client(&self, exempt: bool) -> Result<&Client, FetchError> {
        let cell = if exempt { &self.exempt } else { &self.guarded };
        cell.get_or_try_init(|| async {
            let (addresses, anchors) = (self.addresses(exempt), self.anchors.clone());
            // Reads and parses the system's trust anchors: milliseconds that no other request should wait for.
            tokio::task::spawn_blocking(move || build(addresses, anchors))
                .await
                .map_err(|error| FetchError::TrustAnchors(error.to_string()))?
        })
        .await
    }
}

/// The span of a fetch: the host, and nothing else of the URL.
fn span(url: &str) -> Span {
    tracing::info_span!(target: SPANS, "fetch", otel.kind = "client", server.address = host(url))
}

fn host(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// The trust anchors are the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured) and the extra ones.
fn build(addresses: Addresses, anchors: Vec<Certificate>) -> Result<Client, FetchError> {
    Client::builder()
        .user_agent(concat!("postern/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .tls_certs_merge(anchors)
        .dns_resolver(Arc::new(CheckedResolver::new(addresses)))
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(Duration::from_secs(30))
        .build()
        .map_err(|error| FetchError::TrustAnchors(chain(&error)))
}

fn location(from: &Url, headers: &HeaderMap) -> Result<Url, FetchError> {
    let text = headers.get(LOCATION).and_then(|v| v.to_str().ok()).ok_or(FetchError::Location)?;
    from.join(text).map_err(|_| FetchError::Location)
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut found = None;
    for header in headers.get_all(CACHE_CONTROL) {
        for directive in header.to_str().ok()?.split(',') {
            let directive = directive.trim().to_ascii_lowercase();
            if directive == "no-store" || directive == "no-cache" {
                return Some(Duration::ZERO);
            }
            if let Some(seconds) = directive.strip_prefix("max-age=") {
                found = seconds.trim_matches('"').parse().ok().map(Duration::from_secs);
            }
        }
    }
    found
}

fn failure(error: &reqwest::Error) -> FetchError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(denied) = inner.downcast_ref::<DeniedAddress>() {
            return FetchError::Address { host: denied.host.clone(), why: denied.why };
        }
        if is_about_certificate(inner) {
            return FetchError::Certificate(chain(error));
        }
        cause = inner.source();
    }
    if error.is_connect() {
        FetchError::Unreachable(chain(error))
    } else {
        FetchError::NoAnswer(chain(error))
    }
}

/// The TLS library's word stands inside I/O errors, which name it as no source of theirs.
fn is_about_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    match error.downcast_ref::<std::io::Error>() {
        Some(error) => error.get_ref().is_some_and(|inner| is_about_certificate(inner)),
        None => matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))),
    }
}

/// An error with its causes, on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;

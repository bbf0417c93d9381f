//! The headers that tell browsers to be strict, on every answer. Handlers may set their own
//! `Content-Security-Policy`, `Cache-Control` and `Cross-Origin-Opener-Policy`; everything else is the
//! gate's.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};

/// Nothing may be loaded, framed or submitted from an answer whose handler did not say otherwise.
const DEFAULT_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// Set on every response, whatever the handler said.
static ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Codes and states travel in URLs: they must not leave in a Referer (RFC 9700 §4.2.4).
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];

/// Pages of a login that runs in a pop-up need their opener; everything else does not.
static OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// What `Strict-Transport-Security` says (RFC 6797).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hsts {
    /// Two years, for a host of one's own.
    Strict,
    /// `max-age=0`, for loopback: the policy covers a host name with *all* its ports, and would turn
    /// every other `http://localhost` application of a developer into a broken one.
    Loopback,
}

/// Whether the handler's policy names who may hold the answer in a frame. Old browsers would heed the older header
/// alone, which can name nobody (CSP3 §6.4.2.2).
fn may_be_framed(headers: &HeaderMap) -> bool {
    let policy = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    let ancestors = policy.and_then(|policy| policy.split("frame-ancestors ").nth(1));
    ancestors.is_some_and(|ancestors| !ancestors.starts_with("'none'"))
}

/// Completes a response; `Cache-Control: no-store` unless the handler chose (RFC 6749 §5.1).
pub(super) fn apply(hsts: Hsts, response: &mut Response<Body>) {
    let headers = response.headers_mut();
    // All of them at once, and the trace id: growing step by step would move what is there each time.
    headers.reserve(ALWAYS.len() + 6);
    for (name, value) in &ALWAYS {
        headers.insert(name, value.clone());
    }
    if !may_be_framed(headers) {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    let transport = match hsts {
        Hsts::Strict => HeaderValue::from_static("max-age=63072000"),
        Hsts::Loopback => HeaderValue::from_static("max-age=0"),
    };
    headers.insert(header::STRICT_TRANSPORT_SECURITY, transport);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(DEFAULT_POLICY);
    headers.entry(&OPENER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

//! What the gate itself refuses, before or around the router: one table from reason to answer.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use protocol::error::Reason;
use web::{GateRefusal, Reader};

use super::trace_id::TraceId;

/// Why the gate answered instead of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// HTTP/1.1 without exactly one `Host`, or HTTP/2 whose `Host` contradicts `:authority`
    /// (RFC 9112 §3.2, RFC 9113 §8.3.1).
    Host,
    /// More than one `Authorization` line (RFC 9110 §5.3, §11.6.2: not a list field).
    AuthorizationRepeated,
    /// More than one `Content-Type` line (RFC 9110 §5.3, §8.3).
    ContentTypeRepeated,
    /// A path with dot segments, an encoded NUL, or a backslash (RFC 3986 §3.3, §5.2.4).
    Path,
    /// A compressed request body: nothing here decompresses (RFC 9110 §8.4, §15.5.16).
    ContentEncoding,
    /// `TRACE`, `CONNECT`, and methods that no standard names (RFC 9110 §9.3.8, §15.5.6).
    Method,
    /// The request target is longer than `limits.uri_bytes` (RFC 9110 §15.5.15).
    UriTooLong,
    /// The header fields are larger than `limits.header_bytes` (RFC 6585 §5).
    HeadersTooLarge,
    /// The body is larger than `limits.body_bytes` (RFC 9110 §15.5.14).
    BodyTooLarge,
    /// The body did not arrive within `limits.body_seconds` (RFC 9110 §15.5.9).
    BodyTimeout,
    /// The body ended early or was malformed.
    BodyBroken,
    /// More requests in flight than `limits.requests` (RFC 9110 §15.6.4).
    Overloaded,
    /// The store was not open yet since the start (RFC 9110 §15.6.4).
    StoreAwaited,
    /// One address sent more than `rate_limits.address` allows (RFC 6585 §4).
    TooManyRequests { retry_after: u32 },
    /// The handler panicked; the process lives on.
    Panicked,
}

impl Refusal {
    /// Status, OAuth error code (RFC 6749 §5.2 and the IANA registry), and a sentence for the developer.
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        const INVALID: &str = "invalid_request";
        match self {
            Self::Host => (StatusCode::BAD_REQUEST, INVALID, "send exactly one Host header"),
            Self::AuthorizationRepeated => {
                (StatusCode::BAD_REQUEST, INVALID, "send at most one Authorization header")
            }
            Self::ContentTypeRepeated => {
                (StatusCode::BAD_REQUEST, INVALID, "send at most one Content-Type header")
            }
            Self::Path => (
                StatusCode::BAD_REQUEST,
                INVALID,
                "the path must not contain dot segments, backslashes or control characters",
            ),
            Self::ContentEncoding => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                INVALID,
                "compressed request bodies are not accepted; send the body as it is",
            ),
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, INVALID, "this method is not supported by this server")
            }
            Self::UriTooLong => (
                StatusCode::URI_TOO_LONG,
                INVALID,
                "the request target is too long; send long requests by POST or as a pushed request",
            ),
            Self::HeadersTooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                INVALID,
                "the header fields are too large; clearing cookies of this host may help",
            ),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, INVALID, "the request body is too large"),
            Self::BodyTimeout => {
                (StatusCode::REQUEST_TIMEOUT, INVALID, "the request body did not arrive in time")
            }
            Self::BodyBroken => (StatusCode::BAD_REQUEST, INVALID, "the request body could not be read"),
            Self::Overloaded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "too many requests are in progress; try again shortly",
            ),
            Self::StoreAwaited => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                Reason::StoreUnavailable.entry().description,
            ),
            Self::TooManyRequests { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "too many requests from this address; wait as long as Retry-After says",
            ),
            Self::Panicked => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "something went wrong on this server; quote the trace id when reporting it",
            ),
        }
    }

    /// Name of the reason in the catalogue that has words for people; empty where nobody at a browser meets it.
    fn reason(self) -> &'static str {
        let reason = match self {
            Self::BodyTooLarge => Reason::BodyTooLarge,
            Self::Overloaded | Self::StoreAwaited => Reason::StoreUnavailable,
            Self::TooManyRequests { .. } => Reason::TenantRateLimited,
            Self::Panicked => Reason::Internal,
            _ => return "",
        };
        reason.entry().name
    }

    /// The answer: a page for a person, JSON for a program. Its body holds fixed text and the trace id, nothing of the
    /// request, so it may be read by any origin: a browser application then sees the reason instead of a CORS failure.
    pub(super) fn response(self, trace_id: &TraceId, reader: Reader) -> Response<Body> {
        let (status, error, description) = self.row();
        let trace_id = trace_id.as_str();
        let told = GateRefusal { status, error, reason: self.reason(), description, trace_id };
        let mut response = reader.page(&told).unwrap_or_else(|| self.json(trace_id));
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let exposed = HeaderValue::from_static("www-authenticate, x-trace-id, retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        match self {
            Self::Method => {
                let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
                headers.insert(header::ALLOW, methods);
            }
            Self::Overloaded | Self::StoreAwaited => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::TooManyRequests { retry_after } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
            }
            _ => {}
        }
        response
    }

    fn json(self, trace_id: &str) -> Response<Body> {
        let (status, error, description) = self.row();
        let body = serde_json::json!({
            "error": error,
            "error_description": description,
            "status_code": status.as_u16(),
            // The management API's error body has these members besides (contract §e).
            "error_code": error,
            "details": {},
            "trace_id": trace_id,
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

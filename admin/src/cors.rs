//! Which other sites' pages may call the management API: those that are configured, none by default (decisions 15).

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use engine::Engine;
use http::{HeaderValue, Method, StatusCode, header};
use std::sync::Arc;

/// How long a browser may remember the answer to a preflight request, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, DPoP, If-Match, X-Correlation-ID, X-Idempotency-Key",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "DPoP-Nonce, ETag, Location, WWW-Authenticate, X-Idempotent-Replayed, X-Trace-ID",
);

/// Adds the headers of the CORS protocol (Fetch standard §3.2) for origins on the list; credentials, that is
/// cookies, never count here (attack ADM-18).
pub(crate) async fn allow_configured_origins(
    State(engine): State<Arc<Engine>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| {
        engine.config().admin_origins.iter().any(|known| known.as_bytes() == origin.as_bytes())
    });
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match (&allowed, preflight) {
        (Some(_), true) => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    if let Some(origin) = allowed {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
    if !engine.config().admin_origins.is_empty() {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

//! `X-Idempotency-Key` on every POST of the OAuth endpoints: the same request with the same key gets the same
//! answer for a minute (contract §e). The management API does the same itself, once it knows the caller.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::Engine;
use engine::idempotency::{Begun, StoredAnswer, Ticket};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use protocol::error::Refusal;
use protocol::id::TenantId;
use protocol::params::Params;
use tower::ServiceExt;

const KEY: HeaderName = HeaderName::from_static("x-idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("x-idempotent-replayed");
/// The gate has bounded the body before; this only says that it is bounded.
const LONGEST: usize = 16 * 1024 * 1024;

/// Stands before the merged router. Requests without the header, and the pages, pass untouched: this is on the way of
/// every token. Not a layer of the router: each layer boxes every route once more, and axum clones all boxes below at
/// every level.
#[derive(Clone)]
pub struct Repeatable(pub Arc<Engine>);

impl Repeatable {
    /// Answers by the router, or by what it answered before.
    ///
    /// # Errors
    /// None.
    pub(super) async fn call(self, request: Request, router: Router) -> Result<Response, Infallible> {
        match subject(&request) {
            None => router.oneshot(request).await,
            Some((tenant, key)) => Box::pin(once(self.0, tenant, key, request, router)).await,
        }
    }
}

/// Answers the first request with a key by the router, and every later one by what it answered.
async fn once(
    engine: Arc<Engine>,
    tenant: TenantId,
    key: String,
    request: Request,
    inner: Router,
) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else { return Ok(StatusCode::BAD_REQUEST.into_response()) };
    let caller = caller(&parts.headers, &body);
    let asked = asked(&parts, &body);
    let begun = engine.idempotent_begin(&tenant, &key, &caller, &asked).await;
    let request = Request::from_parts(parts, Body::from(body));
    Ok(match begun {
        Ok(Begun::Replay(answer)) => replay(answer),
        Ok(Begun::NoTenant) => inner.oneshot(request).await?,
        Ok(Begun::First(ticket)) => keep(&engine, ticket, inner.oneshot(request).await?).await,
        Err(refusal) => refused(&refusal),
    })
}

/// The tenant and the key, if this is a POST to an OAuth endpoint with the header.
fn subject(request: &Request) -> Option<(TenantId, String)> {
    if request.method() != Method::POST {
        return None;
    }
    let key = request.headers().get(KEY)?;
    let mut path = request.uri().path().split('/').skip(1);
    let tenant = match (path.next()?, path.next()?, path.next()?) {
        // Where people go, cookies say who it is, and one answer fits one browser.
        (_, _, "oauth2") if path.clone().next() == Some("authorize") => return None,
        (tenant, _, "oauth2" | "par" | "device" | "backchannel") => tenant,
        _ => return None,
    };
    // A value that is not text is passed on as an empty key, which is refused.
    Some((TenantId::new(tenant), key.to_str().unwrap_or_default().to_owned()))
}

/// Hash of how the caller authenticates: the header, or who the form says it is.
fn caller(headers: &HeaderMap, body: &[u8]) -> [u8; 32] {
    let mut seen = headers.get(header::AUTHORIZATION).map_or(Vec::new(), |v| v.as_bytes().to_vec());
    if seen.is_empty()
        && let Ok(form) = Params::parse(body)
    {
        for name in ["client_id", "client_secret", "client_assertion"] {
            seen.extend_from_slice(form.get(name).unwrap_or_default().as_bytes());
            seen.push(0);
        }
    }
    jose::sha256(&seen)
}

/// Hash of what is asked: method, target, content type and body.
fn asked(parts: &Parts, body: &[u8]) -> [u8; 32] {
    let mut seen = format!("{} {}\n", parts.method, parts.uri).into_bytes();
    seen.extend_from_slice(parts.headers.get(header::CONTENT_TYPE).map_or(b"", |v| v.as_bytes()));
    seen.push(b'\n');
    seen.extend_from_slice(body);
    jose::sha256(&seen)
}

async fn keep(engine: &Engine, ticket: Ticket, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let answer =
        StoredAnswer { status: parts.status.as_u16(), headers: headers.collect(), body: body.to_vec() };
    engine.idempotent_finish(ticket, &answer).await;
    Response::from_parts(parts, Body::from(body))
}

fn replay(answer: StoredAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn refused(refusal: &Refusal) -> Response {
    let entry = refusal.entry();
    let body = serde_json::json!({
        "error": entry.code.name(),
        "error_code": entry.name,
        "error_description": entry.description,
        "status_code": refusal.status(),
    });
    let mut response = Response::new(Body::from(Bytes::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if refusal.status() == 503 {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

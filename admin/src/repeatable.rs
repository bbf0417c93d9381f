//! POST requests that may be sent again: `X-Idempotency-Key` (contract §e).

use crate::failure::{Failure, Why};
use axum::body::{Body, to_bytes};
use axum::response::Response;
use engine::idempotency::{Begun, StoredAnswer};
use engine::{Caller, Engine};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};
use protocol::id::TenantId;
use protocol::record::HandleHash;

const KEY: &str = "x-idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("x-idempotent-replayed");

/// Longest answer that is kept.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A POST with a key: its answer is kept for a minute, for the same caller and the same request.
pub(crate) struct Repeatable {
    key: String,
    caller: [u8; 32],
    request: [u8; 32],
}

impl Repeatable {
    /// # Errors
    /// 400 when the header is not text.
    pub(crate) fn read(parts: &Parts, caller: &Caller, body: &[u8]) -> Result<Option<Self>, Failure> {
        let Some(key) = parts.headers.get(KEY).filter(|_| parts.method == Method::POST) else {
            return Ok(None);
        };
        let unreadable =
            |_| Failure::new(Why::InvalidHeader).with("X-Idempotency-Key", "not printable ASCII");
        let key = key.to_str().map_err(unreadable)?.to_owned();
        // A body that is not UTF-8 is refused whatever it says, so that its exact bytes do not matter.
        let request = format!("{} {}\n{}", parts.method, parts.uri, String::from_utf8_lossy(body));
        let hash = |text: &str| HandleHash::of(text).0;
        Ok(Some(Self { key, caller: hash(caller.client_id.as_str()), request: hash(&request) }))
    }

    /// The answer that was given before, or the one that `work` gives now.
    ///
    /// # Errors
    /// When the key is malformed or was used for another request.
    pub(crate) async fn answer(
        self,
        engine: &Engine,
        tenant: &TenantId,
        work: impl Future<Output = Response>,
    ) -> Result<Response, Failure> {
        let ticket = match engine.idempotent_begin(tenant, &self.key, &self.caller, &self.request).await? {
            Begun::Replay(answer) => return Ok(replay(answer)),
            Begun::First(ticket) => ticket,
            Begun::NoTenant => return Ok(work.await),
        };
        let (parts, body) = work.await.into_parts();
        let body = to_bytes(body, MAX_ANSWER_BYTES).await.map_err(|_| Why::Internal)?;
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = parts.headers.iter().filter_map(text).collect();
        let answer = StoredAnswer { status: parts.status.as_u16(), headers, body: body.to_vec() };
        engine.idempotent_finish(ticket, &answer).await;
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

fn replay(answer: StoredAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

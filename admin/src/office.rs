//! From an HTTP request to an operation and back: who calls, what they sent, what they get.

use crate::etag::IfMatch;
use crate::failure::{Failure, Why};
use crate::operation::{Call, Operation};
use crate::query::Query;
use crate::strict_json;
use axum::RequestExt;
use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use engine::{Caller, Engine, TraceId};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use protocol::error::{Reason, Refusal};
use protocol::id::TenantId;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Longest body that is read, and how much more is taken off the wire so that the refusal can be heard.
const MAX_BODY_BYTES: usize = 1024 * 1024;
const MAX_DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// What every operation works with.
pub(crate) struct Office {
    pub(crate) engine: Arc<Engine>,
    /// Held from the check of a name's uniqueness to the commit of its document.
    pub(crate) names: tokio::sync::Mutex<()>,
}

impl Office {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, names: tokio::sync::Mutex::default() }
    }

    /// Answers one request to `operation`.
    pub(crate) async fn serve(self: Arc<Self>, operation: &'static Operation, request: Request) -> Response {
        match self.call(operation, request).await {
            Ok(call) => match (operation.run)(call).await {
                Ok(reply) => reply.into_response(),
                Err(failure) => failure.into_response(),
            },
            Err(failure) => failure.into_response(),
        }
    }

    /// Reads a request in the order in which strangers learn least: who calls, then what they sent.
    async fn call(self: Arc<Self>, operation: &Operation, mut request: Request) -> Result<Call, Failure> {
        let path = path_of(&mut request).await?;
        let tenant = TenantId::new(path.get("tid").cloned().unwrap_or_default());
        let trace_id = request.extensions().get::<TraceId>().map(|id| id.0.clone()).unwrap_or_default();
        let (parts, body) = request.into_parts();
        let caller = match self.caller(&tenant, &parts.headers).await {
            Ok(caller) => caller,
            Err(refusal) => {
                // The rest of the request is taken off the wire, so that the answer can be read.
                drain(body).await;
                let request = format!("{} {}", parts.method, parts.uri.path());
                let context = engine::Call { trace_id, request, source: String::new() };
                if matches!(self.engine.tenant(&tenant).await, Ok(Some(_))) {
                    self.engine.explain(&tenant, &refusal, &context);
                }
                return Err(refusal.into());
            }
        };
        let query = Query::parse(parts.uri.query().unwrap_or_default())?;
        let if_match = IfMatch::read(&parts.headers)?;
        let body = match operation.request {
            Some(_) => read(&parts.headers, body).await?,
            None => Map::new(),
        };
        Ok(Call { office: self, caller, trace_id, path, query, if_match, body })
    }

    /// Only the header `Authorization` counts: no cookie (attack ADM-19), no parameter.
    async fn caller(&self, tenant: &TenantId, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(Reason::TokenTwice.into());
        }
        let token = match first.map(|value| value.to_str()) {
            None => None,
            Some(Ok(text)) => Some(text),
            Some(Err(_)) => return Err(Reason::TokenMalformed.into()),
        };
        let caller = self.engine.admin_caller(tenant, token).await?;
        if caller.tenant == *tenant { Ok(caller) } else { Err(Reason::TokenSignature.into()) }
    }
}

async fn path_of(request: &mut Request) -> Result<HashMap<String, String>, Failure> {
    let segments: RawPathParams = request.extract_parts().await.map_err(|_| Why::NoSuchPath)?;
    Ok(segments.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The members of a JSON body. Another content type is refused, so that no plain form of another site can be a
/// command (attack ADM-17).
async fn read(headers: &HeaderMap, mut body: Body) -> Result<Map<String, Value>, Failure> {
    if !is_json(headers) {
        drain(body).await;
        return Err(Why::UnsupportedMediaType.into());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Failure::new(Why::MalformedJson).with("problem", "the body ended early"))?;
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > MAX_BODY_BYTES {
            drain(body).await;
            return Err(Failure::new(Why::ContentTooLarge)
                .with("expected", format!("at most {MAX_BODY_BYTES} bytes")));
        }
        bytes.extend_from_slice(data);
    }
    strict_json::object(&bytes)
}

/// Takes the rest of a refused body off the wire: a client that is still sending would never see the answer.
async fn drain(mut body: Body) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained += frame.data_ref().map_or(0, bytes::Bytes::len);
        if drained > MAX_DRAINED_BYTES {
            return;
        }
    }
}

/// `application/json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

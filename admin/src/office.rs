//! From an HTTP request to an operation and back: who calls, what they sent, what they get.

use crate::etag::IfMatch;
use crate::failure::{Failure, Why};
use crate::operation::{Call, Operation};
use crate::query::Query;
use crate::repeatable::Repeatable;
use crate::strict_json;
use axum::RequestExt;
use axum::body::to_bytes;
use axum::extract::{OriginalUri, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use engine::{Caller, Engine, Source, TraceId};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use protocol::client_auth::Presented;
use protocol::error::{Reason, Refusal};
use protocol::id::TenantId;
use protocol::protected_resource::metadata_url;
use protocol::resource_request::ResourceRequest;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Longest body that is read.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What every operation works with.
pub(crate) struct Office {
    pub(crate) engine: Arc<Engine>,
    /// Held from the check of a name's uniqueness to the commit of its document.
    pub(crate) names: tokio::sync::Mutex<()>,
    /// Held by changes that lost a race, until they are made.
    pub(crate) turns: tokio::sync::Mutex<()>,
}

impl Office {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, names: tokio::sync::Mutex::default(), turns: tokio::sync::Mutex::default() }
    }

    /// Answers one request to `operation`.
    pub(crate) async fn serve(self: Arc<Self>, operation: &'static Operation, request: Request) -> Response {
        self.answer(operation, request).await.unwrap_or_else(IntoResponse::into_response)
    }

    /// In the order in which strangers learn least: who calls, then whether it was asked before, then what is
    /// asked.
    async fn answer(
        self: Arc<Self>,
        operation: &'static Operation,
        mut request: Request,
    ) -> Result<Response, Failure> {
        let path = path_of(&mut request).await?;
        let (parts, body) = request.into_parts();
        let mut around = around(&parts);
        let tenant = operation.realm.caller(&path);
        let caller = match self.caller(&tenant, &parts, &around).await {
            Ok(caller) => caller,
            Err(refusal) => {
                self.explain(&tenant, &refusal, &around).await;
                return Ok(self.challenged(&tenant, refusal));
            }
        };
        around.actor = caller.client_id.as_str().to_owned();
        let too_large =
            || Failure::new(Why::ContentTooLarge).with("expected", format!("at most {MAX_BODY_BYTES} bytes"));
        let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| too_large())?;
        let repeatable = Repeatable::read(&parts, &caller, &body)?;
        let office = Arc::clone(&self);
        let work = async move {
            let query = Query::parse(parts.uri.query().unwrap_or_default())?;
            let if_match = IfMatch::read(&parts.headers)?;
            let body = match operation.request {
                Some(_) => read(&parts.headers, &body)?,
                None => Map::new(),
            };
            (operation.run)(Call { office, caller, around, path, query, if_match, body }).await
        };
        let work =
            async move { work.await.map_or_else(IntoResponse::into_response, IntoResponse::into_response) };
        match repeatable {
            None => Ok(work.await),
            Some(repeatable) => repeatable.answer(&self.engine, &tenant, work).await,
        }
    }

    /// Keeps the explanation of a refused call for the tenant's developers.
    async fn explain(&self, tenant: &TenantId, refusal: &Refusal, around: &engine::Call) {
        if matches!(self.engine.tenant(tenant).await, Ok(Some(_))) {
            self.engine.unauthorized(tenant, refusal, around);
            self.engine.explain(tenant, refusal, around);
        }
    }

    /// The refusal of a caller, with the way to the API's metadata in the challenge (RFC 9728 §5.1).
    fn challenged(&self, tenant: &TenantId, refusal: Refusal) -> Response {
        let mut response = Failure::from(refusal).into_response();
        let url = metadata_url(&self.engine.management_api(tenant));
        let told: Vec<_> = response.headers().get_all(header::WWW_AUTHENTICATE).iter().cloned().collect();
        response.headers_mut().remove(header::WWW_AUTHENTICATE);
        for challenge in told {
            let text = challenge.to_str().unwrap_or_default();
            let more = HeaderValue::try_from(format!("{text}, resource_metadata=\"{url}\""));
            response.headers_mut().append(header::WWW_AUTHENTICATE, more.unwrap_or(challenge));
        }
        response
    }

    /// Only the header `Authorization` counts: no cookie (attack ADM-19), no parameter.
    async fn caller(
        &self,
        tenant: &TenantId,
        parts: &Parts,
        around: &engine::Call,
    ) -> Result<Caller, Refusal> {
        const DPOP: HeaderName = HeaderName::from_static("dpop");
        let headers = &parts.headers;
        let authorization = one(headers, &header::AUTHORIZATION, Reason::TokenTwice, Reason::TokenMalformed)?;
        let dpop = one(headers, &DPOP, Reason::DpopProofTwice, Reason::DpopProofMalformed)?;
        // The router takes what comes before the tenant out of the other one.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let request = ResourceRequest {
            presented: Presented { authorization, dpop },
            token_in_body: None,
            method: parts.method.as_str(),
            url: format!("{}{}", self.engine.public_url(), uri.path()),
            identifier: Some(self.engine.management_api(tenant)),
        };
        let caller = self.engine.admin_caller(tenant, &request, around).await?;
        if caller.tenant == *tenant { Ok(caller) } else { Err(Reason::TokenSignature.into()) }
    }
}

/// What surrounds a request, from the extensions that the gate puts into it.
fn around(parts: &Parts) -> engine::Call {
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    // The router takes what comes before the tenant out of the other one.
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    engine::Call {
        trace_id: parts.extensions.get::<TraceId>().map(|id| id.0.clone()).unwrap_or_default(),
        request: format!("{} {}", parts.method, uri.path()),
        source: parts.extensions.get::<Source>().map(|source| source.0.clone()).unwrap_or_default(),
        user_agent: user_agent.unwrap_or_default().to_owned(),
        actor: String::new(),
    }
}

/// The value of a header that may stand once.
fn one<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    repeated: Reason,
    malformed: Reason,
) -> Result<Option<&'h str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| malformed.into()),
        (Some(_), Some(_)) => Err(repeated.into()),
    }
}

async fn path_of(request: &mut Request) -> Result<HashMap<String, String>, Failure> {
    let segments: RawPathParams = request.extract_parts().await.map_err(|_| Why::NoSuchPath)?;
    Ok(segments.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The members of a JSON body. Another content type is refused, so that no plain form of another site can be a
/// command (attack ADM-17).
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Failure> {
    if is_json(headers) { strict_json::object(body) } else { Err(Why::UnsupportedMediaType.into()) }
}

/// `application/json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

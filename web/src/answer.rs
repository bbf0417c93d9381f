//! Answers of the API endpoints: JSON, and refusals as JSON.

use crate::workspace_request::WorkspaceRequest;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::{Call, Engine};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use protocol::challenge::challenges;
use protocol::error::{ErrorCode, Reason, Refusal};
use protocol::explain::Explanation;
use protocol::id::TenantId;
use protocol::protected_resource::{OwnResource, metadata_url};
use serde::Serialize;

pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Said instead of the reason where that is not for the sender.
const ASK_THE_OPERATOR: &str = "The operator sees the reason with: postern explain <trace_id>";
/// Seconds until a request is worth sending again when we are at fault.
const SOON: HeaderValue = HeaderValue::from_static("1");

/// JSON that nobody keeps (RFC 6749 §5.1: `no-store`, and `no-cache` for old caches; attacks TOK-02, INT-09).
pub(crate) fn json(body: impl Into<Bytes>) -> Response {
    secret(JSON, body.into())
}

/// Any media type that nobody keeps.
pub(crate) fn secret(content_type: HeaderValue, body: Bytes) -> Response {
    let headers =
        [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, NO_STORE), (header::PRAGMA, NO_CACHE)];
    (headers, body).into_response()
}

/// JSON that everybody may keep for five minutes: discovery and keys.
pub(crate) fn public_json(body: Bytes) -> Response {
    const FIVE_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");
    ([(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, FIVE_MINUTES)], body).into_response()
}

/// Sends a browser elsewhere: 302 after a GET, 303 after a form, so that the form is not sent on (RFC 9700 §4.12), and
/// where the profile says so (FAPI 2.0 Security Profile §5.3.2.2).
pub(crate) fn redirect(method: &Method, see_other: bool, location: &str) -> Result<Response, Refusal> {
    // What could split the header is refused by the header's type (attack AUT-29).
    let location = HeaderValue::try_from(location).map_err(|_| Refusal::new(Reason::Internal))?;
    let status = if see_other || *method == Method::POST { StatusCode::SEE_OTHER } else { StatusCode::FOUND };
    Ok((status, [(header::LOCATION, location), (header::CACHE_CONTROL, NO_STORE)]).into_response())
}

/// The refusal as an API endpoint answers it: RFC 6749 §5.2, with the challenge of RFC 6749 §5.2 or
/// RFC 6750 §3. Keeps the explanation for `postern explain`.
pub(crate) fn refused(engine: &Engine, tenant: &TenantId, call: &Call, refusal: &Refusal) -> Response {
    let explanation = explain(engine, tenant, call, refusal);
    let document = ErrorDocument::new(refusal, &explanation, engine.demo());
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let mut response = json(body);
    *response.status_mut() = status(refusal);
    mark(response.headers_mut(), refusal);
    response
}

/// The refusal of one of our own APIs, with the way to its metadata in the challenge (RFC 9728 §5.1): a client that
/// knows nothing else finds the authorization server from there. Who sends no token learns what to ask for.
pub(crate) async fn refused_at(
    resource: &OwnResource,
    request: &WorkspaceRequest,
    refusal: &Refusal,
) -> Response {
    let mut response = refused(&request.engine, &request.tenant, &request.call, refusal);
    let Ok(workspace) = request.workspace().await else { return response };
    let metadata = metadata_url(&resource.identifier(&workspace.issuer));
    let challenges: Vec<_> = response.headers().get_all(header::WWW_AUTHENTICATE).iter().cloned().collect();
    response.headers_mut().remove(header::WWW_AUTHENTICATE);
    for challenge in challenges {
        let text = challenge.to_str().unwrap_or_default();
        let scope = match refusal.reason {
            Reason::TokenMissing => format!(", scope=\"{}\"", resource.first_scope()),
            _ => String::new(),
        };
        let more = HeaderValue::try_from(format!("{text}{scope}, resource_metadata=\"{metadata}\""));
        response.headers_mut().append(header::WWW_AUTHENTICATE, more.unwrap_or(challenge));
    }
    response
}

/// Explains a refusal. Where no tenant is known to exist nothing is kept.
pub(crate) fn explain(engine: &Engine, tenant: &TenantId, call: &Call, refusal: &Refusal) -> Explanation {
    match refusal.reason {
        Reason::UnknownWorkspace => Explanation::of(refusal, &call.trace_id, &call.request, engine.now()),
        _ if tenant.as_str().is_empty() => {
            Explanation::of(refusal, &call.trace_id, &call.request, engine.now())
        }
        _ => engine.explain(tenant, refusal, call),
    }
}

pub(crate) fn status(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Headers that a refusal needs beside its body.
pub(crate) fn mark(headers: &mut HeaderMap, refusal: &Refusal) {
    if let ErrorCode::TemporarilyUnavailable | ErrorCode::TooManyRequests = refusal.code() {
        let seconds = refusal.retry_after.map_or(SOON, HeaderValue::from);
        headers.entry(header::RETRY_AFTER).or_insert(seconds);
    }
    for challenge in challenges(refusal, "Postern") {
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            headers.append(header::WWW_AUTHENTICATE, challenge);
        }
    }
    if let Some(nonce) = &refusal.nonce {
        give_nonce(headers, nonce);
    }
}

/// The nonce for the next DPoP proof (RFC 9449 §8).
pub(crate) fn give_nonce(headers: &mut HeaderMap, nonce: &str) {
    const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
    if let Ok(nonce) = HeaderValue::try_from(nonce) {
        headers.insert(DPOP_NONCE, nonce);
    }
}

/// The error body. The first two members are RFC 6749's, the others are ours.
#[derive(Serialize)]
struct ErrorDocument<'a> {
    error: &'a str,
    error_description: &'a str,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_hint: Option<String>,
    /// Stable name of the reason, for tests and support.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    status_code: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    trace_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    developer: Option<Developer<'a>>,
}

/// The demonstration's view for the person who writes the client. Refusals hold no secrets and no tokens.
#[derive(Serialize)]
struct Developer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    rule: &'a str,
    fix: &'a str,
}

impl<'a> ErrorDocument<'a> {
    fn new(refusal: &Refusal, explanation: &'a Explanation, demo: bool) -> Self {
        let detailed = may_say_why(refusal.code(), demo);
        let hint = match &explanation.parameter {
            _ if !detailed => Some(ASK_THE_OPERATOR.to_owned()).filter(|_| !explanation.trace_id.is_empty()),
            Some(parameter) => Some(format!("{parameter}: {}", explanation.fix)),
            None => Some(explanation.fix.clone()),
        };
        let developer = (demo && detailed).then(|| Developer {
            parameter: explanation.parameter.as_deref(),
            received: explanation.received.as_deref(),
            expected: explanation.expected.as_deref(),
            rule: &explanation.clause,
            fix: &explanation.fix,
        });
        Self {
            error: refusal.code().name(),
            error_description: &explanation.description,
            error_hint: hint,
            cause: detailed.then_some(explanation.reason.as_str()),
            status_code: refusal.status(),
            trace_id: &explanation.trace_id,
            developer,
        }
    }
}

/// Whether the sender may learn why. A failed client authentication looks the same for an unknown client and a
/// wrong secret, in the demonstration too (attack CAU-16); why a code or token is not valid is told in the
/// demonstration only. The operator finds everything under the trace id.
fn may_say_why(code: ErrorCode, demo: bool) -> bool {
    match code {
        ErrorCode::InvalidClient => false,
        ErrorCode::InvalidGrant | ErrorCode::InvalidToken => demo,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::time::Timestamp;
    use serde_json::Value;

    fn document(refusal: &Refusal, demo: bool) -> Value {
        let explanation = Explanation::of(refusal, "t-1", "POST /x", Timestamp::from_seconds(1));
        serde_json::to_value(ErrorDocument::new(refusal, &explanation, demo)).unwrap()
    }

    fn challenge_of(refusal: &Refusal) -> Option<String> {
        let mut headers = HeaderMap::new();
        mark(&mut headers, refusal);
        headers.get(header::WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn cau_16_an_unknown_client_and_a_wrong_secret_look_the_same_even_in_the_demonstration() {
        let unknown = Refusal::new(Reason::ClientUnknown).parameter("client_id").received("nobody");
        let wrong = Refusal::new(Reason::ClientSecretWrong).expected("one of the client's secrets");
        for demo in [false, true] {
            assert_eq!(document(&unknown, demo), document(&wrong, demo));
        }
        assert_eq!((challenge_of(&unknown), status(&unknown)), (challenge_of(&wrong), status(&wrong)));
    }

    #[test]
    fn why_a_code_is_not_valid_is_told_in_the_demonstration_only() {
        let refusal = Refusal::new(Reason::CodeExpired).parameter("code");
        let (shipped, demo) = (document(&refusal, false), document(&refusal, true));
        assert_eq!(shipped["error_hint"], ASK_THE_OPERATOR);
        assert!(shipped.get("cause").is_none() && shipped.get("developer").is_none(), "{shipped}");
        assert_eq!(demo["cause"], "code_expired");
        assert_eq!(demo["developer"]["rule"], "RFC 6749 §4.1.2");
    }

    #[test]
    fn members_are_those_of_the_rfc_and_none_is_null() {
        let refusal = Refusal::new(Reason::ParameterMissing).parameter("token");
        let document = document(&refusal, false);
        assert_eq!(document["error"], "invalid_request");
        assert_eq!(document["error_hint"], "token: Add the parameter named here.");
        assert_eq!(document["trace_id"], "t-1");
        assert_eq!(document["status_code"], 400);
        assert!(document.as_object().unwrap().values().all(|member| !member.is_null()));
    }

    #[test]
    fn rfc6749_5_2_what_only_http_can_say_is_an_invalid_request() {
        for reason in [Reason::MethodNotAllowed, Reason::WrongContentType, Reason::BodyTooLarge] {
            assert_eq!(document(&reason.into(), false)["error"], "invalid_request");
        }
        assert_eq!(status(&Reason::WrongContentType.into()), 415);
    }

    #[test]
    fn aut_29_a_location_that_could_split_the_response_is_refused() {
        assert!(redirect(&Method::GET, false, "https://a.example/\r\nSet-Cookie: x=1").is_err());
        assert_eq!(redirect(&Method::GET, false, "/a").unwrap().status(), 302);
        assert_eq!(redirect(&Method::GET, true, "/a").unwrap().status(), 303);
        assert_eq!(redirect(&Method::POST, false, "/a").unwrap().status(), 303);
    }

    #[test]
    fn a_failure_of_ours_says_when_to_try_again() {
        let mut headers = HeaderMap::new();
        mark(&mut headers, &Reason::StoreUnavailable.into());
        assert_eq!(headers[header::RETRY_AFTER], "1");
    }
}

//! What the management API answers when it says no: one table from reason to status and text.

use axum::Json;
use axum::response::{IntoResponse, Response};
use engine::EngineError;
use http::{HeaderName, HeaderValue, StatusCode, header};
use protocol::challenge::challenges;
use protocol::error::{Reason, Refusal};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use utoipa::ToSchema;

macro_rules! table {
    ($($why:ident $status:literal $code:literal $text:literal)*) => {
        /// Every reason of the management API's own; those of the protocol come as a [`Refusal`].
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Why { $(#[doc = $text] $why,)* }

        impl Why {
            /// HTTP status, `error_code` and `error`.
            const fn row(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$why => ($status, $code, $text),)* }
            }
        }
    };
}

table! {
    MalformedJson 400 "malformed_json" "The body is not one well-formed JSON object."
    InvalidQuery 400 "invalid_query" "A query parameter has a value that is not allowed."
    InvalidHeader 400 "invalid_header" "A header cannot be read."
    KeyInUse 400 "key_in_use" "Only a rotated key can be revoked."
    Protected 403 "protected" "The server needs this; it cannot be deleted."
    NotFound 404 "not_found" "There is no such thing."
    NoSuchPath 404 "no_such_path" "The management API has no such path; see /api/swagger/{tid}."
    MethodNotAllowed 405 "method_not_allowed" "This method is not allowed here; see the header Allow."
    AlreadyExists 409 "already_exists" "The identifier or name is taken."
    PreconditionFailed 412 "precondition_failed" "It was changed since it was read; read it again."
    ContentTooLarge 413 "content_too_large" "The body is too large."
    UnsupportedMediaType 415 "unsupported_media_type" "The body must be application/json."
    Invalid 422 "invalid_members" "Some members have values that are not allowed."
    TooBusy 503 "concurrent_change" "Too many requests changed the same thing at once; send it again."
    Unavailable 503 "store_unavailable" "The server cannot reach its store at the moment; send it again."
    Internal 500 "internal" "The server met an unexpected condition; report the trace id to the operator."
}

/// The body of every error answer (contract: `Error`).
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    /// The HTTP status again.
    status_code: u16,
    /// What is wrong, in words.
    error: &'static str,
    /// More about it. For 422 one member per field, each with what was received and what was expected.
    #[schema(value_type = Object)]
    details: Value,
    /// Stable name of the reason.
    error_code: &'static str,
}

/// A typed no on its way out.
#[derive(Debug)]
pub(crate) enum Failure {
    Own { why: Why, details: Map<String, Value> },
    Refused(Refusal),
}

impl Failure {
    pub(crate) fn new(why: Why) -> Self {
        Self::Own { why, details: Map::new() }
    }

    /// Adds a member to `details`.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Self::Own { details, .. } = &mut self {
            details.insert(name.to_owned(), value.into());
        }
        self
    }

    /// A query parameter that is not as it should be.
    pub(crate) fn query(name: &str, received: &str, expected: impl Display) -> Self {
        Self::new(Why::InvalidQuery).with(
            name,
            json!({ "received": received.chars().take(128).collect::<String>(), "expected": expected.to_string() }),
        )
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(Why::NotFound).with(what, id)
    }
}

impl From<Why> for Failure {
    fn from(why: Why) -> Self {
        Self::new(why)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<EngineError> for Failure {
    /// A conflict that reaches this point was met again and again.
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Conflict { .. } => Self::new(Why::TooBusy),
            EngineError::Replayed(reason) => Self::Refused(reason.into()),
            EngineError::PasswordsBusy => Self::Refused(Reason::PasswordsBusy.into()),
            EngineError::NotFound => Self::new(Why::NotFound),
            EngineError::Unavailable(why) => {
                tracing::error!(%why, "store unavailable");
                Self::new(Why::Unavailable)
            }
            error => {
                tracing::error!(%error, "internal error");
                Self::new(Why::Internal)
            }
        }
    }
}

impl From<protocol::record::ImpossibleRow> for Failure {
    fn from(row: protocol::record::ImpossibleRow) -> Self {
        tracing::error!(%row, "impossible row");
        Self::new(Why::Internal)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, body, refusal) = match self {
            Self::Own { why, details } => {
                let (status_code, error_code, error) = why.row();
                (status_code, ErrorBody { status_code, error, details: details.into(), error_code }, None)
            }
            Self::Refused(refusal) => {
                let entry = refusal.entry();
                let body = ErrorBody {
                    status_code: refusal.status(),
                    error: entry.description,
                    details: json!({ "rule": entry.clause, "fix": entry.fix }),
                    error_code: entry.name,
                };
                (refusal.status(), body, Some(refusal))
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, no_store(), Json(body)).into_response();
        let retry_after = refusal.as_ref().and_then(|refusal| refusal.retry_after);
        if let Some(refusal) = refusal {
            let texts =
                challenges(&refusal, "admin").into_iter().map(|text| (header::WWW_AUTHENTICATE, text));
            let nonce = refusal
                .nonce
                .as_ref()
                .map(|nonce| (HeaderName::from_static("dpop-nonce"), nonce.to_string()));
            for (name, text) in texts.chain(nonce) {
                if let Ok(value) = HeaderValue::try_from(text) {
                    response.headers_mut().append(name, value);
                }
            }
        }
        if let StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS = status {
            let seconds = HeaderValue::from(retry_after.unwrap_or(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// Answers of the management API are for the caller alone.
pub(crate) fn no_store() -> [(HeaderName, HeaderValue); 1] {
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]
}

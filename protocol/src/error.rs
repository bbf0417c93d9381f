//! Why a request was refused, and what the outside may know of it: one catalogue (house rule 8).
//!
//! A rule refuses with a [`Refusal`]: a [`Reason`] and the values it saw. The catalogue turns the reason into
//! the RFC's error code, a safe description, the clause and the fix; [`ErrorCode::status`] turns the code into
//! the HTTP status. No endpoint writes a status for a protocol error.

use crate::confirmation::TokenType;
use std::fmt;

mod catalogue;

pub use catalogue::Reason;

/// Error codes registered with IANA (OAuth Extensions Error Registry) or defined by OpenID Connect.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidTarget,
    AccessDenied,
    UnsupportedResponseType,
    ServerError,
    TemporarilyUnavailable,
    LoginRequired,
    InteractionRequired,
    ConsentRequired,
    AccountSelectionRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    InvalidRequestUri,
    InvalidRequestObject,
    RegistrationNotSupported,
    InvalidRedirectUri,
    InvalidClientMetadata,
    InvalidToken,
    InsufficientScope,
    InsufficientUserAuthentication,
    UnmetAuthenticationRequirements,
    UnsupportedTokenType,
    InvalidDpopProof,
    UseDpopNonce,
    AuthorizationPending,
    SlowDown,
    ExpiredToken,
    NotFound,
    MethodNotAllowed,
    ContentTooLarge,
    UnsupportedMediaType,
    TooManyRequests,
}

impl ErrorCode {
    /// The `error` value on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            // For what HTTP alone can say the registry has no other code (RFC 6749 §5.2); the status tells the rest.
            Self::InvalidRequest
            | Self::MethodNotAllowed
            | Self::ContentTooLarge
            | Self::UnsupportedMediaType => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::ConsentRequired => "consent_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::NotFound => "not_found",
            Self::TooManyRequests => "too_many_requests",
        }
    }

    /// The HTTP status of a direct answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken | Self::InsufficientUserAuthentication => 401,
            Self::InsufficientScope => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::ContentTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyRequests => 429,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

/// One row of the catalogue.
#[derive(Debug)]
pub struct Entry {
    /// Stable name for logs, tests and `error_code` members.
    pub name: &'static str,
    pub code: ErrorCode,
    /// What the outside may read. ASCII without `"` and `\` (RFC 6749 §5.2).
    pub description: &'static str,
    /// Standard and section.
    pub clause: &'static str,
    /// What to do about it, for the developer.
    pub fix: &'static str,
}

/// A typed, precise no. The values it holds are for the developer's view; they never hold secrets, codes or
/// tokens.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusal {
    pub reason: Reason,
    pub parameter: Option<String>,
    pub received: Option<String>,
    pub expected: Option<String>,
    /// Set at a protected resource.
    pub challenge: Option<Box<Challenge>>,
    /// Whether the client authenticated by the `Authorization` header (RFC 6749 §5.2).
    pub by_header: bool,
    /// The nonce that the next DPoP proof has to have: the header `DPoP-Nonce` (RFC 9449 §8).
    pub nonce: Option<Box<str>>,
    /// Seconds until the same request may do better (RFC 9110 §10.2.3).
    pub retry_after: Option<u32>,
}

/// How a protected resource asks for another token or another proof (RFC 9110 §11.6.1).
#[derive(Clone, PartialEq, Debug)]
pub struct Challenge {
    /// The scheme that the request used.
    pub scheme: TokenType,
    /// Algorithms of DPoP proofs (RFC 9449 §7.1).
    pub algorithms: String,
}

impl Refusal {
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            parameter: None,
            received: None,
            expected: None,
            challenge: None,
            by_header: false,
            nonce: None,
            retry_after: None,
        }
    }

    pub fn nonce(self, nonce: String) -> Self {
        Self { nonce: Some(nonce.into_boxed_str()), ..self }
    }

    pub fn parameter(mut self, name: impl Into<String>) -> Self {
        self.parameter = Some(clip(name.into()));
        self
    }

    pub fn received(mut self, value: impl Into<String>) -> Self {
        self.received = Some(clip(value.into()));
        self
    }

    pub fn expected(mut self, value: impl Into<String>) -> Self {
        self.expected = Some(clip(value.into()));
        self
    }

    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub fn entry(&self) -> &'static Entry {
        self.reason.entry()
    }

    pub fn code(&self) -> ErrorCode {
        self.entry().code
    }

    /// The HTTP status of a direct answer. What is an error of the request at the token endpoint is one of
    /// authentication at a protected resource (RFC 9449 §5, §7.1).
    pub fn status(&self) -> u16 {
        match self.code() {
            ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce if self.challenge.is_some() => {
                ErrorCode::InvalidToken.status()
            }
            _ => self.reason.status(),
        }
    }
}

impl Reason {
    /// The HTTP status of a direct answer. Who may not log in at a page is denied access; a 401 would have to name an HTTP
    /// authentication scheme, and a form is none (RFC 9110 §15.5.2, §15.5.4).
    pub const fn status(self) -> u16 {
        match self {
            Self::CredentialsWrong | Self::LoginClosed => 403,
            other => other.entry().code.status(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.entry().name, self.entry().description)
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

/// Values from requests are kept short.
fn clip(mut value: String) -> String {
    const LONGEST: usize = 512;
    if value.len() > LONGEST {
        let cut = (0..=LONGEST).rev().find(|i| value.is_char_boundary(*i)).unwrap_or(0);
        value.truncate(cut);
        value.push('…');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_5_2_descriptions_keep_to_the_allowed_characters() {
        for reason in Reason::ALL {
            let entry = reason.entry();
            let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            assert!(entry.description.bytes().all(allowed), "{}", entry.name);
            assert!(!entry.clause.is_empty() && !entry.fix.is_empty(), "{}", entry.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Reason::ALL.iter().map(|r| r.entry().name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

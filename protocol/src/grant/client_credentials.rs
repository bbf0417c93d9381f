//! `client_credentials` (RFC 6749 §4.4): a client acts for itself.

use super::{Grant, TokenRequest};
use crate::decision::{Cx, Decision, Event};
use crate::error::{Reason, Refusal};
use crate::record::{Found, Lookup};
use crate::token::Issue;
use crate::token::access_token::{self, AccessTokenFacts, NewAccessToken};
use crate::{resource, scope_request};

/// The grant type `client_credentials`.
pub struct ClientCredentials;

impl Grant for ClientCredentials {
    fn grant_type(&self) -> &'static str {
        "client_credentials"
    }

    fn clause(&self) -> &'static str {
        "RFC 6749 §4.4"
    }

    fn params(&self) -> &'static [&'static str] {
        &["scope", "resource"]
    }

    /// Nothing: this is the hot path.
    fn wants(&self, _req: &TokenRequest<'_>, _cx: &mut Cx<'_>) -> Result<Vec<Lookup>, Refusal> {
        Ok(Vec::new())
    }

    fn decide(&self, req: &TokenRequest<'_>, _found: &[Found], cx: &mut Cx<'_>) -> Decision<Issue> {
        match issue(req, cx) {
            Ok(decision) => decision,
            Err(refusal) => Decision::refuse(refusal),
        }
    }
}

/// An access token and nothing else: no refresh token (RFC 6749 §4.4.3, attack TOK-19), no ID token. With a JWT there
/// is nothing to write.
fn issue(req: &TokenRequest<'_>, cx: &mut Cx<'_>) -> Result<Decision<Issue>, Refusal> {
    // RFC 6749 §4.4: "MUST only be used by confidential clients".
    if req.client.is_public() {
        return Err(Reason::PublicClientRefused.into());
    }
    let scope = match scope_request::requested(req.params)? {
        Some(scope) => {
            scope_request::check_allowed(&scope, req.client, cx)?;
            scope
        }
        None => scope_request::implicit(req.client, cx),
    };
    let resource = resource::requested(req.params, cx)?;
    let facts = AccessTokenFacts {
        client: req.client,
        scope: &scope,
        resource: &resource,
        grant: None,
        confirmation: req.confirmation,
    };
    let NewAccessToken { draft, token_type, write, expires_in } = access_token::make(&facts, cx);
    let issue = Issue {
        access_token: draft,
        token_type,
        id_token: None,
        refresh_token: None,
        scope,
        expires_in,
        issued_token_type: None,
    };
    let mut decision =
        Decision::reply(issue).and_event(Event::new("token", "issued").client(&req.client.client_id));
    decision.writes.extend(write);
    Ok(decision)
}

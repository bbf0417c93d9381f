//! `authorization_code` (RFC 6749 §4.1.3): a code is exchanged once.

use super::first_tokens::{FirstTokens, first_tokens};
use super::{Grant, TokenRequest, artifact, check_subject, impossible, required};
use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::decision::{Cx, Decision, Event};
use crate::error::{Reason, Refusal};
use crate::grant_record::GrantRecord;
use crate::id::{ClientId, Uid};
use crate::params::Params;
use crate::pkce::CodeChallenge;
use crate::record::{Artifact, ArtifactKind, Expect, Found, HandleHash, Lookup, Payload, Write};
use crate::resource;
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use crate::token::Issue;
use crate::token::id_token::{IdTokenDraft, Occasion};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A second use sooner than this after the first is a double submit of one request, not a replay.
const DOUBLE_SUBMIT: Duration = Duration::from_millis(800);

/// The grant type `authorization_code`.
pub struct AuthorizationCode;

/// Body of an authorization code's artifact. Its grant says the rest.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Code {
    pub client: ClientId,
    pub client_uid: Uid,
    pub server_uid: Uid,
    /// As sent in the authorization request; absent when it was left out there (RFC 6749 §4.1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<CodeChallenge>,
    /// Thumbprint of the key that redeems it (RFC 9449 §10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
    pub scope: ScopeSet,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The code is dead from then on; its row stays, so that a replay is noticed.
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
}

impl Payload for Code {
    const KIND: ArtifactKind = ArtifactKind::AuthorizationCode;
}

impl Grant for AuthorizationCode {
    fn grant_type(&self) -> &'static str {
        "authorization_code"
    }

    fn clause(&self) -> &'static str {
        "RFC 6749 §4.1.3"
    }

    fn params(&self) -> &'static [&'static str] {
        &["code", "redirect_uri", "code_verifier", "resource"]
    }

    fn wants(&self, req: &TokenRequest<'_>, _cx: &mut Cx<'_>) -> Result<Vec<Lookup>, Refusal> {
        let code = required(req.params, "code")?;
        Ok(vec![Lookup::Artifact(ArtifactKind::AuthorizationCode, HandleHash::of(code))])
    }

    fn decide(&self, req: &TokenRequest<'_>, found: &[Found], cx: &mut Cx<'_>) -> Decision<Issue> {
        let Some((row, grant)) = artifact(found, 0) else { return Decision::refuse(Reason::CodeUnknown) };
        let code: Code = match row.payload() {
            Ok(code) => code,
            Err(row) => return Decision::refuse(impossible(&row)),
        };
        // Attack COD-17: the tenant keeps codes of all its workspaces, and of deleted ones, in one place.
        if code.server_uid != cx.server.uid {
            return Decision::refuse(Reason::CodeUnknown);
        }
        if let Some(used_at) = code.used_at {
            return refuse_second_use(req, &code, used_at, grant, cx);
        }
        match exchange(req, row, &code, grant, cx) {
            Ok(decision) => decision,
            Err(refusal) => {
                let event = Event::new("code", "refused").client(&req.client.client_id).reason(&refusal);
                Decision::refuse(refusal).and_event(event)
            }
        }
    }
}

/// RFC 6749 §4.1.2: a code must not be used twice, and the tokens of the first use should be revoked (attacks COD-02,
/// COD-03, COD-04).
///
/// An impatient client that sends the same request twice at once is only refused: it is the right client with the
/// right proof, and its first request gets the tokens.
fn refuse_second_use(
    req: &TokenRequest<'_>,
    code: &Code,
    used_at: Timestamp,
    grant: Option<&GrantRecord>,
    cx: &Cx<'_>,
) -> Decision<Issue> {
    let is_double_submit = cx.arrived_at.since(used_at) < DOUBLE_SUBMIT && check_proof(req, code).is_ok();
    if is_double_submit {
        return Decision::refuse(Reason::CodeSubmittedTwice);
    }
    let refusal = Refusal::new(Reason::CodeReplayed).parameter("code");
    let mut event = Event::new("code", "replayed").client(&req.client.client_id).reason(&refusal);
    let mut decision = Decision::refuse(refusal);
    if let Some(grant) = grant {
        event = event.grant(grant);
        decision.writes.push(Write::RevokeGrant { id: grant.id.clone(), at: cx.now });
    }
    decision.and_event(event)
}

/// The first use.
fn exchange(
    req: &TokenRequest<'_>,
    row: &Artifact,
    code: &Code,
    grant: Option<&GrantRecord>,
    cx: &mut Cx<'_>,
) -> Result<Decision<Issue>, Refusal> {
    check_client(req.client, code)?;
    if cx.now >= code.expires_at {
        return Err(Reason::CodeExpired.into());
    }
    let grant = grant
        .filter(|grant| grant.is_live(cx.now) && grant.belongs_to(req.client, cx.server))
        .ok_or(Reason::GrantRevoked)?;
    check_proof(req, code)?;
    let resource = resource::narrow(req.params, &code.resource, &code.scope, cx)?;
    check_subject(grant.body.subject.as_ref(), cx)?;

    let FirstTokens { issue, grant, mut writes, event } =
        first_tokens(req, grant, &code.scope, &resource, cx);
    writes.push(mark_used(row, code, &grant, cx));
    Ok(Decision { writes, events: vec![event], reply: Ok(issue) })
}

/// Single use is a precondition of the commit. The row is kept as long as its tokens may live, so that a replay is
/// seen.
fn mark_used(row: &Artifact, code: &Code, grant: &GrantRecord, cx: &Cx<'_>) -> Write {
    let used = Code { used_at: Some(cx.now), ..code.clone() };
    let artifact = Artifact::after(row, row.hash, grant.expires_at, &used).with_grant(grant.id.clone());
    Write::PutArtifact { artifact, expect: Expect::Revision(row.revision) }
}

/// The event of new tokens.
pub(super) fn issued(action: &'static str, client: &Client, grant: &GrantRecord) -> Event {
    Event::new("token", action).client(&client.client_id).grant(grant)
}

/// "Ensure that the authorization code was issued to the authenticated client" (RFC 6749 §4.1.3).
fn check_client(client: &Client, code: &Code) -> Result<(), Refusal> {
    if code.client == client.client_id && code.client_uid == client.uid {
        Ok(())
    } else {
        Err(Reason::CodeOfOtherClient.into())
    }
}

/// That the one who redeems the code is the one who asked for it.
fn check_proof(req: &TokenRequest<'_>, code: &Code) -> Result<(), Refusal> {
    check_client(req.client, code)?;
    check_redirect_uri(req.params, req.client, code)?;
    check_code_verifier(req.params, code)?;
    check_key(req, code)
}

/// RFC 9449 §10: the key that the authorization request named, and no other (attack DPO-16).
fn check_key(req: &TokenRequest<'_>, code: &Code) -> Result<(), Refusal> {
    let Some(jkt) = &code.dpop_jkt else { return Ok(()) };
    match req.confirmation {
        Some(Confirmation::Jkt(own)) if own == jkt => Ok(()),
        Some(Confirmation::Jkt(other)) => {
            Err(Refusal::new(Reason::CodeOfOtherKey).received(other.as_str()).expected(jkt.as_str()))
        }
        None => Err(Refusal::new(Reason::CodeOfOtherKey).received("no DPoP proof").expected(jkt.as_str())),
    }
}

/// RFC 6749 §4.1.3: required if it was in the authorization request, and then identical (attack COD-08).
fn check_redirect_uri(params: &Params, client: &Client, code: &Code) -> Result<(), Refusal> {
    let sent = params.get("redirect_uri");
    let holds = match (&code.redirect_uri, sent) {
        (Some(asked), Some(sent)) => asked == sent,
        (Some(_), None) => false,
        // It was left out before: then it can only be the one that is registered.
        (None, Some(sent)) => client.redirect_uris.iter().any(|uri| uri == sent),
        (None, None) => true,
    };
    if holds {
        return Ok(());
    }
    let expected = code.redirect_uri.as_deref().unwrap_or("none, or the registered one");
    Err(Refusal::new(Reason::RedirectUriDiffers)
        .parameter("redirect_uri")
        .received(sent.unwrap_or("nothing"))
        .expected(expected))
}

/// RFC 7636 §4.6 (attacks PKC-03, PKC-05, PKC-17); and a verifier without a challenge means that somebody took the
/// challenge out of the request (RFC 9700 §4.8.2, attack PKC-07).
fn check_code_verifier(params: &Params, code: &Code) -> Result<(), Refusal> {
    match (&code.code_challenge, params.get("code_verifier")) {
        (Some(challenge), Some(verifier)) => challenge.verify(verifier),
        (Some(_), None) => Err(Refusal::new(Reason::CodeVerifierMissing).parameter("code_verifier")),
        (None, Some(_)) => Err(Refusal::new(Reason::CodeVerifierUnexpected).parameter("code_verifier")),
        (None, None) => Ok(()),
    }
}

/// The grant lives at least as long as the longest-lived token that is issued now.
pub(super) fn prolong(grant: &GrantRecord, client: &Client, refreshable: bool, cx: &Cx<'_>) -> GrantRecord {
    let access = client.ttl(|own| own.access_token_ttl, cx.server.access_token_ttl).0;
    let longest = if refreshable { access.max(refresh_ttl(client, cx)) } else { access };
    GrantRecord { expires_at: grant.expires_at.max(cx.now.plus(longest)), ..grant.clone() }
}

pub(super) fn refresh_ttl(client: &Client, cx: &Cx<'_>) -> Duration {
    client.ttl(|own| own.refresh_token_ttl, cx.server.refresh_token_ttl).0
}

/// An ID token is for requests with `openid` (OIDC Core §3.1.2.1, attack TOK-18).
pub(super) fn id_token(
    grant: &GrantRecord,
    scope: &ScopeSet,
    client: &Client,
    occasion: Occasion,
    cx: &Cx<'_>,
) -> Option<IdTokenDraft> {
    let subject = grant.body.subject.as_ref().filter(|_| scope.contains("openid"))?;
    Some(IdTokenDraft::new(grant, subject, client, occasion, cx))
}

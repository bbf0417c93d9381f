//! `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 §2.1): a client that vouches for a person by an assertion
//! signed with its own key (contract §e).
//!
//! Whoever may do this may be anybody in the workspace, so it is for clients that an administrator registered: one that
//! registered itself cannot vouch for others.

use super::first_tokens::{FirstTokens, first_tokens};
use super::{Grant, Need, TokenRequest, required};
use crate::assertion::{self, Fault, Flaw};
use crate::client::Client;
use crate::decision::{Cx, Decision, Event};
use crate::error::{Reason, Refusal};
use crate::grant_record::GrantRecord;
use crate::profile::Rules;
use crate::record::{Found, Lookup, Write};
use crate::token::Issue;
use crate::{client_id_metadata, resource, scope_request};
use jose::{Algorithm, UnverifiedJwt, VerifiedJwt};

pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What `typ` may say, if it is there: an assertion of client authentication is not one (RFC 8725 §3.11).
const TYPES: &[&str] = &["JWT", "authorization-grant+jwt"];

/// The JWT bearer grant.
pub struct JwtBearer;

impl Grant for JwtBearer {
    fn grant_type(&self) -> &'static str {
        GRANT_TYPE
    }

    fn clause(&self) -> &'static str {
        "RFC 7523 §2.1"
    }

    fn params(&self) -> &'static [&'static str] {
        &["assertion", "scope", "resource"]
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::ClientKeys("assertion")]
    }

    /// Whether its `jti` was seen; what stands in the assertion decides nothing else yet.
    fn wants(&self, req: &TokenRequest<'_>, cx: &mut Cx<'_>) -> Result<Vec<Lookup>, Refusal> {
        let assertion = required(req.params, "assertion")?;
        let claims = UnverifiedJwt::parse(assertion).and_then(|jwt| jwt.unverified_claims());
        let claims = claims.map_err(|why| refusal(why.into()))?;
        let jti = claims.get("jti").and_then(|jti| jti.as_str()).unwrap_or_default();
        Ok(vec![assertion::seen_jti(jti, &req.client.client_id, cx)])
    }

    fn decide(&self, req: &TokenRequest<'_>, found: &[Found], cx: &mut Cx<'_>) -> Decision<Issue> {
        issue(req, found, cx).unwrap_or_else(|refusal| {
            let event = Event::new("assertion", "refused").client(&req.client.client_id).reason(&refusal);
            Decision::refuse(refusal).and_event(event)
        })
    }
}

fn issue(req: &TokenRequest<'_>, found: &[Found], cx: &mut Cx<'_>) -> Result<Decision<Issue>, Refusal> {
    check_trusted(req.client)?;
    let (jwt, seen) = verify(req, found, cx)?;
    let person = jwt.str("sub").and_then(|name| cx.subjects.named(name, cx.now));
    let person = person.ok_or_else(|| {
        Refusal::new(Reason::AssertionSubjectUnknown).received(jwt.str("sub").unwrap_or("no sub"))
    })?;
    let scope = match scope_request::requested(req.params)? {
        Some(scope) => {
            scope_request::check_allowed(&scope, req.client, cx)?;
            scope
        }
        None => scope_request::implicit(req.client, cx),
    };
    // RFC 7521 §4.1: no refresh token; the client makes another assertion.
    let scope = scope.filtered(|name| name != "offline_access");
    let resource = resource::requested(req.params, cx)?;
    let mut grant = GrantRecord::outside_browser(req.client, person, scope.clone(), cx);
    grant.body.resource.clone_from(&resource);
    let tokens = first_tokens(req, &grant, &scope, &resource, cx);
    let FirstTokens { issue, mut writes, event, .. } = tokens;
    writes.push(seen);
    // Nobody logged in here: there is nothing that an ID token could tell.
    let issue = Issue { id_token: None, ..issue };
    Ok(Decision { writes, events: vec![event], reply: Ok(issue) })
}

fn check_trusted(client: &Client) -> Result<(), Refusal> {
    if client.is_public() {
        return Err(Reason::PublicClientRefused.into());
    }
    if client.dynamically_registered || client_id_metadata::is_url(client.client_id.as_str()) {
        return Err(Refusal::new(Reason::AssertionIssuerUntrusted).received(client.client_id.as_str()));
    }
    Ok(())
}

/// Every rule of RFC 7523 §3 (attack TEX-02).
fn verify(req: &TokenRequest<'_>, found: &[Found], cx: &Cx<'_>) -> Result<(VerifiedJwt, Write), Refusal> {
    let token = required(req.params, "assertion")?;
    // The proof of the client is none of the person.
    if req.params.get("client_assertion") == Some(token) {
        return Err(Reason::AssertionReplayed.into());
    }
    if req.evidence.client_keys.is_empty() {
        return Err(Reason::AssertionKeysUnavailable.into());
    }
    let rules = Rules::of(cx.server, req.client);
    let allowed: Vec<Algorithm> = cx
        .server
        .token_endpoint_auth_signing_alg_values
        .iter()
        .copied()
        .filter(|alg| !alg.is_symmetric() && rules.allows_algorithm(*alg))
        .collect();
    let jwt = assertion::verify(token, &req.evidence.client_keys, &allowed, TYPES).map_err(refusal)?;
    if jwt.str("iss") != Some(req.client.client_id.as_str()) {
        return Err(Refusal::new(Reason::AssertionIssuer)
            .received(jwt.str("iss").unwrap_or("no iss"))
            .expected(req.client.client_id.as_str()));
    }
    assertion::check_audience(&jwt, rules, cx).map_err(refusal)?;
    let dead_at = assertion::check_times(&jwt, cx.now).map_err(refusal)?;
    let seen = assertion::remember_jti(&jwt, &req.client.client_id, dead_at, cx).map_err(refusal)?;
    match found.first() {
        Some(Found::Artifact(None, _)) => Ok((jwt, seen)),
        Some(Found::Artifact(Some(_), _)) => Err(Reason::AssertionReplayed.into()),
        _ => Err(Reason::Internal.into()),
    }
}

/// The catalogue's row of a fault in an assertion that is a grant: always `invalid_grant` (RFC 7523 §3.1).
fn refusal(fault: Fault) -> Refusal {
    let reason = match fault.flaw {
        Flaw::Malformed => Reason::AssertionMalformed,
        Flaw::Algorithm | Flaw::Signature => Reason::AssertionSignature,
        Flaw::Audience => Reason::AssertionAudience,
        Flaw::Expired | Flaw::NotYetValid => Reason::AssertionTimes,
        Flaw::WithoutJti => Reason::AssertionWithoutJti,
    };
    let refusal = Refusal::new(reason).parameter("assertion").received(fault.received);
    match fault.expected {
        Some(expected) => refusal.expected(expected),
        None => refusal,
    }
}

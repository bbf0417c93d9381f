use super::{AccessTokenFacts, Life};
use crate::confirmation::Confirmation;
use crate::decision::Cx;
use crate::resource;
use crate::scope::ScopeSet;
use crate::subject::Subject;
use crate::token::subject_identifier::{subject_identifier, subject_type};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The claims of an access token, in alphabetical order as the contract's clients know them (contract §e).
///
/// Both profiles: `aid` … `tid` of the contract. Only `rfc9068` (RFC 9068 §2.2): `auth_time`, `client_id`, `grant_id`,
/// `scope`. No refresh token, no secret and no attribute of the person ever stands here.
#[derive(Serialize)]
pub(super) struct Claims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    /// Who acts for the person (RFC 8693 §4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Map<String, Value>>,
    /// The workspace.
    aid: &'a str,
    amr: &'a [String],
    aud: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    /// The key that it is bound to (RFC 7800 §3.1; attack DPO-18).
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<&'a Confirmation>,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<&'a str>,
    iat: i64,
    /// The identity provider; empty for a client acting for itself.
    idp: &'a str,
    iss: &'a str,
    jti: &'a str,
    /// That `aud` is what resource indicators asked for: the client's own audience may be the same, and opens more.
    #[serde(skip_serializing_if = "Option::is_none")]
    narrowed: Option<bool>,
    nbf: i64,
    /// Space-delimited (RFC 9068 §2.2.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<SpaceDelimited<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scp: Option<&'a ScopeSet>,
    /// Kind of `sub`: `public` or `pairwise`.
    st: &'static str,
    sub: Cow<'a, str>,
    /// The tenant.
    tid: &'a str,
}

impl<'a> Claims<'a> {
    pub(super) fn new<'x: 'a>(facts: &AccessTokenFacts<'a>, life: &Life, jti: &'a str, cx: &Cx<'x>) -> Self {
        let AccessTokenFacts { client, scope, grant, confirmation, .. } = *facts;
        let subject: Option<&Subject> = grant.and_then(|grant| grant.body.subject.as_ref());
        let rfc9068 = cx.server.access_token_profile != "acp";
        let has_format = |name: &str| cx.server.scope_claim_formats.iter().any(|format| format == name);
        Self {
            acr: subject.and_then(|s| s.acr.as_deref()).filter(|acr| !acr.is_empty()),
            act: grant.and_then(|grant| grant.body.act.as_ref()),
            aid: cx.server.id.as_str(),
            amr: subject.map_or(&[], |s| s.amr.as_slice()),
            aud: audience(facts, cx),
            auth_time: subject.filter(|_| rfc9068).map(|s| s.auth_time.seconds()),
            client_id: rfc9068.then_some(client.client_id.as_str()),
            cnf: confirmation,
            exp: life.exp,
            grant_id: grant.filter(|_| rfc9068).map(|grant| grant.id.as_str()),
            iat: life.iat,
            idp: subject.map_or("", |s| s.idp.as_str()),
            iss: cx.issuer,
            jti,
            narrowed: (!facts.resource.is_empty()).then_some(true),
            nbf: life.iat,
            scope: ((rfc9068 && !scope.is_empty()) || has_format("scope_space_separated"))
                .then_some(SpaceDelimited(scope)),
            scp: has_format("scp_array").then_some(scope),
            st: subject.map_or("public", |_| subject_type(client)),
            sub: match subject {
                Some(subject) => Cow::Owned(subject_identifier(client, subject, cx)),
                // RFC 9068 §2.2: without a resource owner, sub is the client.
                None => Cow::Borrowed(client.client_id.as_str()),
            },
            tid: cx.tenant.as_str(),
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(768);
        // Plain text and numbers always serialise, and a Vec takes every byte.
        let _ = serde_json::to_writer(&mut json, self);
        json
    }

    pub(super) fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(claims)) => claims,
            // Plain text and numbers always serialise.
            _ => Map::new(),
        }
    }
}

/// With resource indicators exactly those (RFC 8707 §2); else the client's own audience and one entry for each
/// service whose scopes are in the token (contract §e).
fn audience<'a>(facts: &AccessTokenFacts<'a>, cx: &Cx<'_>) -> Vec<Cow<'a, str>> {
    if !facts.resource.is_empty() {
        return facts.resource.iter().map(|resource| Cow::Borrowed(resource.as_str())).collect();
    }
    let mut audience: Vec<Cow<'a, str>> = Vec::with_capacity(4);
    match facts.client.audience.as_slice() {
        [] => audience.push(Cow::Borrowed(facts.client.client_id.as_str())),
        fixed => audience.extend(fixed.iter().map(|entry| Cow::Borrowed(entry.as_str()))),
    }
    for service in resource::audiences(facts.scope, cx) {
        if !audience.iter().any(|entry| *entry == service) {
            audience.push(Cow::Owned(service));
        }
    }
    audience
}

/// Writes a scope set as RFC 6749 §3.3 does, without an intermediate text.
struct SpaceDelimited<'a>(&'a ScopeSet);

impl Serialize for SpaceDelimited<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

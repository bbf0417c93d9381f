//! Token introspection (RFC 7662).

use crate::client::Client;
use crate::confirmation::TokenType;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::grant_record::GrantRecord;
use crate::params::Params;
use crate::record::Found;
use crate::subject::Subject;
use crate::token::presented::{Active, PresentedToken};
use crate::token::refresh_token::RefreshToken;
use crate::token::subject_identifier::{subject_identifier, subject_type};
use serde_json::{Map, Value, json};

/// The registered scope that lets a client introspect the tokens of others (decisions 7).
pub const INTROSPECT_TOKENS: &str = "introspect_tokens";

/// Reads the request. The requester must have proved who it is: an identifier alone would open token scanning
/// (RFC 7662 §2.1, §4; attacks INT-02, INT-03).
///
/// # Errors
/// A public client; no `token`.
pub fn read(params: &Params, requester: &Client, cx: &Cx<'_>) -> Result<PresentedToken, Refusal> {
    if requester.is_public() {
        return Err(Reason::ClientAuthenticationMissing.into());
    }
    let token =
        params.get("token").ok_or_else(|| Refusal::new(Reason::ParameterMissing).parameter("token"))?;
    Ok(PresentedToken::read(token, cx))
}

/// The answer (RFC 7662 §2.2). A token that does not count, or that is none of the requester's business, is answered
/// with `{"active":false}` and nothing else (attack INT-06).
///
/// `client` is the one that the token was issued to, if it exists.
pub fn answer(
    token: PresentedToken,
    requester: &Client,
    found: &[Found],
    client: Option<&Client>,
    cx: &Cx<'_>,
) -> Map<String, Value> {
    let members = client
        .filter(|client| may_see(requester, client))
        .and_then(|client| token.active(found, Some(client), cx).map(|active| describe(active, client, cx)));
    match members {
        Some(Value::Object(members)) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::from_iter([("active".to_owned(), Value::Bool(false))]),
    }
}

/// A client sees its own tokens; those of others only with the registered scope (decisions 7).
fn may_see(requester: &Client, owner: &Client) -> bool {
    requester.client_id == owner.client_id || requester.scopes.iter().any(|scope| scope == INTROSPECT_TOKENS)
}

fn describe(active: Active, client: &Client, cx: &Cx<'_>) -> Value {
    match active {
        Active::Access(token) => {
            let claim = |name: &str| token.claims.get(name).cloned().unwrap_or_default();
            let mut members = json!({
                "active": true,
                "token_type": TokenType::of(token.confirmation.as_ref()).name(),
                "scope": token.scope.to_string(),
                "client_id": token.client_id,
                "server_id": cx.server.id,
                "tenant_id": cx.tenant,
            });
            for name in [
                "acr",
                "act",
                "amr",
                "aud",
                "auth_time",
                "cnf",
                "exp",
                "iat",
                "iss",
                "jti",
                "nbf",
                "st",
                "sub",
            ] {
                add(&mut members, name, claim(name));
            }
            about_person(&mut members, token.subject());
            members
        }
        Active::Refresh { token, grant } => describe_refresh(&token, &grant, client, cx),
    }
}

fn describe_refresh(token: &RefreshToken, grant: &GrantRecord, client: &Client, cx: &Cx<'_>) -> Value {
    let subject = grant.body.subject.as_ref();
    let mut members = json!({
        "active": true,
        "token_type": "refresh_token",
        "scope": token.scope.to_string(),
        "client_id": token.client,
        "cnf": token.confirmation,
        "exp": token.expires_at.seconds(),
        "iat": token.issued_at.seconds(),
        "iss": cx.issuer,
        "sub": subject.map(|subject| subject_identifier(client, subject, cx)),
        "st": subject.map(|_| subject_type(client)),
        "server_id": cx.server.id,
        "tenant_id": cx.tenant,
    });
    about_person(&mut members, subject);
    members
}

/// Who it is at the identity provider.
fn about_person(members: &mut Value, subject: Option<&Subject>) {
    let Some(subject) = subject else { return };
    let preferred = subject.claims.get("preferred_username").and_then(Value::as_str);
    add(members, "username", json!(preferred.unwrap_or(&subject.idp_sub)));
    add(members, "idp", json!(subject.idp));
    add(members, "idp_sub", json!(subject.idp_sub));
}

fn add(members: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = members {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;

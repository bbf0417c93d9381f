//! The userinfo endpoint (OIDC Core §5.3).

use crate::client::Client;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::standard_claims;
use crate::step_up;
use crate::token::access_token::ActiveToken;
use crate::token::subject_identifier::subject_identifier;
use serde_json::{Map, Value, json};

/// The claims about the person, by the scopes of the token and the `claims` parameter of the authorization request; the
/// contract's `aid`, `tid`, `idp` and `idp_method` beside them. `client` is the one that the token was issued to.
///
/// A client that registered `userinfo_signed_response_alg` gets a JWT, which also says who made it for whom
/// (OIDC Core §5.3.2).
///
/// # Errors
/// The token is not one of a person (attack UIN-05) or lacks `openid` (decisions 7, attack UIN-06), or the login behind
/// it does not do (RFC 9470).
pub fn claims(active: &ActiveToken, client: &Client, cx: &Cx<'_>) -> Result<Map<String, Value>, Refusal> {
    let (Some(subject), Some(grant)) = (active.subject(), &active.grant) else {
        return Err(Reason::TokenWithoutUser.into());
    };
    if !active.scope.contains("openid") {
        return Err(Refusal::new(Reason::TokenWithoutOpenid)
            .received(active.scope.to_string())
            .expected("openid"));
    }
    step_up::check(subject, "openid", cx)?;
    let mut claims = Map::new();
    // OIDC Core §5.4, and nothing beyond (attack UIN-11).
    standard_claims::release(standard_claims::of_scope(&active.scope), &subject.claims, &mut claims);
    if let Some(requested) = &grant.body.claims {
        let names = requested.userinfo.keys().map(String::as_str);
        standard_claims::release(names, &subject.claims, &mut claims);
    }
    let mut put = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    // OIDC Core §5.3.2: always there, and the one of the ID token.
    put("sub", json!(subject_identifier(client, subject, cx)));
    put("aid", json!(cx.server.id));
    put("tid", json!(cx.tenant));
    put("idp", json!(subject.idp));
    put("idp_method", json!(subject.idp_method));
    if !matches!(client.userinfo_signed_response_alg.as_str(), "" | "none") {
        put("iss", json!(cx.issuer));
        put("aud", json!(client.client_id));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests;

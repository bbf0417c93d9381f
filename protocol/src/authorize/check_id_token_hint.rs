//! `id_token_hint` is an ID token that this workspace issued to this client; it may have expired (OIDC Core
//! §3.1.2.1). A forged one must not choose a session (attack AUT-18).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use jose::{Algorithm, UnverifiedJwt};

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let Some(hint) = draft.params.get("id_token_hint") else { return Ok(()) };
    let client_id = draft.client.client_id.as_str();
    let subject = subject(hint, client_id, cx).map_err(|expected| {
        // The token itself is personal data and stays out of the refusal.
        Refusal::new(Reason::IdTokenHintInvalid).parameter("id_token_hint").expected(expected)
    })?;
    draft.request.hinted_subject = Some(subject);
    Ok(())
}

/// The `sub` of a token that passes, else what it lacks.
fn subject(hint: &str, client_id: &str, cx: &Cx<'_>) -> Result<String, &'static str> {
    let unverified = UnverifiedJwt::parse(hint).map_err(|_| "a signed JWT")?;
    let token = unverified
        .verify_any(cx.keys, Algorithm::ASYMMETRIC)
        .map_err(|_| "a signature by a key of this workspace")?;
    // Access tokens are signed with the same keys (RFC 9068 §2.1, RFC 8725 §3.11); those of the profile `acp`
    // have `typ: JWT` and `scp`.
    let is_jwt = token.header.typ.is_none() || token.header.is_type("JWT");
    if !is_jwt || token.claims.contains_key("scp") || token.claims.contains_key("events") {
        return Err("an ID token");
    }
    if token.str("iss") != Some(cx.issuer) {
        return Err("iss of this workspace");
    }
    if !token.audiences().contains(&client_id) {
        return Err("an ID token issued to this client");
    }
    token.str("sub").map(str::to_owned).ok_or("sub")
}

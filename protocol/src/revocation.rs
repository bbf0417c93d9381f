//! Token revocation (RFC 7009).

use crate::client::Client;
use crate::decision::{Cx, Decision, Event};
use crate::error::{Reason, Refusal};
use crate::params::Params;
use crate::record::{Found, Write};
use crate::token::presented::{self, PresentedToken};

/// The registered scope that lets a client revoke any token of the workspace (contract §a.2).
pub const REVOKE_TOKENS: &str = "revoke_tokens";

/// Reads the request.
///
/// # Errors
/// No `token`.
pub fn read(params: &Params, cx: &Cx<'_>) -> Result<PresentedToken, Refusal> {
    let token =
        params.get("token").ok_or_else(|| Refusal::new(Reason::ParameterMissing).parameter("token"))?;
    Ok(PresentedToken::read(token, cx))
}

/// Revokes a token that is the requester's own, or any of the workspace with the registered scope.
///
/// An unknown token is success (RFC 7009 §2.2); one of somebody else is answered alike and stays, so that nobody learns
/// which tokens exist (RFC 7009 §2.1; attacks REV-02, REV-04). A refresh token ends its grant and with it every token
/// of it; an access token ends alone (RFC 7009 §2.1, attack RTK-12).
pub fn decide(token: &PresentedToken, requester: &Client, found: &[Found], cx: &Cx<'_>) -> Decision<()> {
    let unchanged = Decision::reply(());
    let Some(owner) = token.client_id(found) else { return unchanged };
    let any = !requester.is_public() && requester.scopes.iter().any(|scope| scope == REVOKE_TOKENS);
    if owner != requester.client_id && !any {
        return unchanged;
    }
    let event = Event::new("token", "revoked").client(&owner);
    match token {
        PresentedToken::Unknown => unchanged,
        PresentedToken::Access(reference) => unchanged.and_write(reference.revocation()).and_event(event),
        PresentedToken::Refresh(_) => match presented::refresh(found) {
            Some((_, grant)) if grant.is_of_server(cx.server) => unchanged
                .and_write(Write::RevokeGrant { id: grant.id.clone(), at: cx.now })
                .and_event(event.grant(grant)),
            _ => unchanged,
        },
    }
}

#[cfg(test)]
mod tests;

//! `scope` is well formed, known here and registered for the client (RFC 6749 §3.3; attack AUT-24).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::Refusal;
use crate::scope_request;

const OFFLINE_ACCESS: &str = "offline_access";

pub(super) fn check(draft: &mut Draft<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    draft.request.scope = match scope_request::requested(draft.params)? {
        // RFC 6749 §3.3: left out, it is the pre-defined default.
        None => scope_request::implicit(draft.client, cx),
        Some(sent) => {
            let scope = sent.filtered(|name| name != OFFLINE_ACCESS || may_stay_offline(draft, cx));
            scope_request::check_allowed(&scope, draft.client, cx)?;
            scope
        }
    };
    Ok(())
}

/// OIDC Core §11: where no refresh token can be given, the wish for one is ignored; it is no error.
fn may_stay_offline(draft: &Draft<'_>, cx: &Cx<'_>) -> bool {
    cx.server.allows_grant_type("refresh_token")
        && draft.client.registered_grant_type("refresh_token")
        && scope_request::is_allowed(OFFLINE_ACCESS, draft.client, cx)
}

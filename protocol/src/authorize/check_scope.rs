//! `scope` is well formed, known here and registered for the client (RFC 6749 §3.3; attack AUT-24).

use super::pipeline::Draft;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
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
    // OIDC Core §3.1.2.1: without openid it is no request for an ID token, whatever response_type says.
    if draft.request.response_type.has_id_token() && !draft.request.is_openid() {
        return Err(Refusal::new(Reason::OpenidScopeMissing).parameter("scope").expected("openid"));
    }
    Ok(())
}

/// OIDC Core §11: where no refresh token can be given, the wish for one is ignored; it is no error. A response type
/// without a code never leads to one (RFC 6749 §4.2.2).
fn may_stay_offline(draft: &Draft<'_>, cx: &Cx<'_>) -> bool {
    draft.request.response_type.has_code()
        && cx.server.allows_grant_type("refresh_token")
        && draft.client.registered_grant_type("refresh_token")
        && scope_request::is_allowed(OFFLINE_ACCESS, draft.client, cx)
}

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    fn granted(trial: &mut Trial, scope: &str) -> String {
        trial.run(&[("scope", scope)]).unwrap().scope.to_string()
    }

    #[test]
    fn aut_24_a_scope_beyond_registration_is_refused_at_the_client() {
        let mut trial = Trial::default();
        assert_eq!(granted(&mut trial, "email openid"), "email openid");
        for alien in ["openid revoke_tokens", "openid unheard_of", "openid OPENID"] {
            assert_eq!(trial.refused(&[("scope", alien)]), Reason::ScopeNotAllowed, "{alien}");
        }
        assert_eq!(trial.refused(&[("scope", "openid \"x")]), Reason::ScopeMalformed);
    }

    #[test]
    fn oidc_core_11_offline_access_is_ignored_where_there_is_no_refresh_token() {
        let mut trial = Trial::default();
        assert_eq!(granted(&mut trial, "openid offline_access"), "openid offline_access");
        trial.client.grant_types.retain(|grant_type| grant_type != "refresh_token");
        assert_eq!(granted(&mut trial, "openid offline_access"), "openid");
        let mut trial = Trial::default();
        trial.client.scopes.retain(|scope| scope != "offline_access");
        assert_eq!(granted(&mut trial, "openid offline_access"), "openid");
        let mut trial = Trial::default();
        trial.world.server.grant_types.retain(|grant_type| grant_type != "refresh_token");
        assert_eq!(granted(&mut trial, "openid offline_access"), "openid");
    }

    #[test]
    fn oidc_core_11_offline_access_is_ignored_without_a_code() {
        let mut trial = Trial::front_channel();
        let granted = |trial: &mut Trial, response_type: &str| {
            let sent = [("scope", "openid offline_access"), ("response_type", response_type), ("nonce", "n")];
            trial.run(&sent).unwrap().scope.to_string()
        };
        assert_eq!(granted(&mut trial, "id_token token"), "openid");
        assert_eq!(granted(&mut trial, "code id_token"), "openid offline_access");
    }

    #[test]
    fn oidc_core_3_1_2_1_an_id_token_needs_the_scope_openid() {
        let mut trial = Trial::front_channel();
        let without = [("response_type", "id_token token"), ("nonce", "n"), ("scope", "orders.read")];
        assert_eq!(trial.refused(&without), Reason::OpenidScopeMissing);
        assert!(trial.run(&[("response_type", "code token"), ("scope", "orders.read")]).is_ok());
    }

    #[test]
    fn rfc6749_3_3_without_scope_the_workspaces_implicit_ones_are_asked_for() {
        let mut trial = Trial::default();
        for scope in &mut trial.world.catalog.scopes {
            scope.implicit_request = ["email", "revoke_tokens"].contains(&scope.name.as_str());
        }
        assert_eq!(granted(&mut trial, ""), "email");
    }
}

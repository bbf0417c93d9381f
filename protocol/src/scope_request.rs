//! The `scope` parameter (RFC 6749 §3.3): what a client may ask for.

use crate::client::Client;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::params::Params;
use crate::scope::ScopeSet;

/// Reads `scope`; `None` when it was not sent.
///
/// # Errors
/// [`Reason::ScopeMalformed`] (attacks TOK-10, TOK-11).
pub fn requested(params: &Params) -> Result<Option<ScopeSet>, Refusal> {
    params
        .get("scope")
        .map(|text| {
            ScopeSet::parse(text).map_err(|offending| {
                Refusal::new(Reason::ScopeMalformed).parameter("scope").received(offending)
            })
        })
        .transpose()
}

/// Every scope must exist in the workspace and be one that the client is subscribed to (attack TOK-04).
///
/// # Errors
/// [`Reason::ScopeNotAllowed`], which names the scope.
pub fn check_allowed(scope: &ScopeSet, client: &Client, cx: &Cx<'_>) -> Result<(), Refusal> {
    match scope.iter().find(|name| !is_allowed(name, client, cx)) {
        None => Ok(()),
        Some(name) => Err(Refusal::new(Reason::ScopeNotAllowed)
            .parameter("scope")
            .received(name)
            .expected(client.scopes.join(" "))),
    }
}

/// Whether the client may ask for the scope value `name`.
pub fn is_allowed(name: &str, client: &Client, cx: &Cx<'_>) -> bool {
    cx.scope_document(name).is_some_and(|document| {
        client.scopes.iter().any(|subscribed| *subscribed == document.name || subscribed == name)
    })
}

/// What a request without `scope` asks for: the scopes of the client that the workspace marks as `implicit`.
pub fn implicit(client: &Client, cx: &Cx<'_>) -> ScopeSet {
    cx.catalog
        .scopes
        .iter()
        .filter(|scope| scope.implicit_request && is_allowed(&scope.name, client, cx))
        .map(|scope| &scope.name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::World;

    fn allowed(name: &str) -> bool {
        let mut world = World::default();
        world.add_scope("account.*", "account");
        let client = Client {
            scopes: vec!["openid".to_owned(), "account.*".to_owned(), "gone".to_owned()],
            ..world.confidential()
        };
        is_allowed(name, &client, &world.cx())
    }

    #[test]
    fn tok_04_a_scope_must_be_in_the_workspace_and_in_the_client() {
        assert!(allowed("openid"));
        // In the workspace, not in the client; in the client, not in the workspace; in neither.
        for name in ["email", "gone", "Openid", "unheard_of"] {
            assert!(!allowed(name), "{name}");
        }
        let world = World::default();
        let client = world.confidential();
        let scope = ScopeSet::parse("openid unheard_of").unwrap();
        let mut world = world;
        let refusal = check_allowed(&scope, &client, &world.cx()).err().unwrap();
        assert_eq!(refusal.reason, Reason::ScopeNotAllowed);
        assert_eq!(refusal.received.as_deref(), Some("unheard_of"));
    }

    #[test]
    fn dynamic_scopes_match_their_pattern_but_the_pattern_is_no_scope() {
        assert!(allowed("account.1"));
        assert!(allowed("account.1.read"));
        for name in ["account.*", "account.", "account", "accounts.1", "account*1", "account.1.*", "x.*"] {
            assert!(!allowed(name), "{name}");
        }
    }

    #[test]
    fn tok_10_tok_11_scope_explosion_and_alphabet() {
        let many = (0..200).map(|i| format!("s{i}")).collect::<Vec<_>>().join("+");
        for bad in [format!("scope={many}"), "scope=a%22b".to_owned(), "scope=a%5Cb".to_owned()] {
            let params = Params::parse(bad.as_bytes()).ok().unwrap();
            assert_eq!(requested(&params).err().unwrap().reason, Reason::ScopeMalformed, "{bad}");
        }
        assert_eq!(requested(&Params::default()).ok().unwrap(), None);
    }
}

//! Which resources an access token is for, and whether one of our own APIs is among them (RFC 9068 §4, RFC 8707 §2,
//! RFC 9700 §2.3).
//!
//! A token that was made without resource indicators names its client's audience (`token/access_token/claims.rs`) and
//! opens here whatever its scopes open. One that was made with them is for those alone: whoever runs another resource,
//! and gets it there, learns and does nothing with it here.

use crate::client::Client;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::token::ActiveToken;
use serde_json::{Map, Value};

/// The entries of `aud`, which is one text or several (RFC 7519 §4.1.3).
pub fn entries(claims: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match claims.get("aud") {
        Some(Value::String(one)) => (Some(one.as_str()), None),
        Some(Value::Array(many)) => (None, Some(many)),
        _ => (None, None),
    };
    one.into_iter().chain(many.into_iter().flatten().filter_map(Value::as_str))
}

/// The resources that a token of the client is narrowed to; none when it was made without resource indicators. A narrowed
/// one says so in the claim `narrowed`; one that an earlier version made is told by its audience alone.
pub(crate) fn narrowed(claims: &Map<String, Value>, client: &Client) -> Vec<String> {
    let has = |audience: &str| entries(claims).any(|entry| entry == audience);
    let fixed = &client.audience;
    let of_client =
        has(client.client_id.as_str()) || !fixed.is_empty() && fixed.iter().all(|audience| has(audience));
    let says_so = claims.get("narrowed") == Some(&Value::Bool(true));
    if of_client && !says_so { Vec::new() } else { entries(claims).map(str::to_owned).collect() }
}

/// That the token is for the API of ours that answers to `identifier`; one without an identifier takes no token that is
/// narrowed to a resource. The services that a workspace is made with stand for its own APIs.
///
/// # Errors
/// [`Reason::TokenForOtherResource`].
pub fn check(token: &ActiveToken, identifier: Option<&str>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let is_ours = |resource: &String| {
        identifier == Some(resource.as_str())
            || cx.catalog.services.iter().any(|service| {
                service.system
                    && service.custom_audience.is_empty()
                    && service.audience(&cx.catalog.host, cx.tenant) == *resource
            })
    };
    if token.resource.is_empty() || token.resource.iter().any(is_ours) {
        return Ok(());
    }
    Err(Refusal::new(Reason::TokenForOtherResource)
        .received(format!("aud {}", token.resource.join(" ")))
        .expected(identifier.map_or("a token without resource".to_owned(), |own| format!("aud {own}"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::World;
    use crate::scope::ScopeSet;
    use crate::time::Timestamp;
    use serde_json::json;

    const USERINFO: &str = "https://as.example/acme/shop/userinfo";

    fn aud(aud: Value) -> Map<String, Value> {
        Map::from_iter([("aud".to_owned(), aud)])
    }

    fn client(audience: &[&str]) -> Client {
        let audience = audience.iter().map(|entry| (*entry).to_owned()).collect();
        Client { client_id: "app".into(), audience, ..Client::default() }
    }

    fn token(claims: Map<String, Value>, client: &Client) -> ActiveToken {
        ActiveToken {
            client_id: client.client_id.clone(),
            scope: ScopeSet::default(),
            grant: None,
            resource: narrowed(&claims, client),
            claims,
            confirmation: None,
            expires_at: Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn rfc9068_4_only_what_is_for_us_is_let_in() {
        let mut world = World::default();
        world.catalog.services[0].system = true;
        let cx = world.cx();
        let system = cx.catalog.services[0].audience(&cx.catalog.host, cx.tenant);
        let orders = cx.catalog.services[2].audience(&cx.catalog.host, cx.tenant);
        let (free, fixed) = (client(&[]), client(&["one", "two"]));
        for (client, claims, expected) in [
            (&free, json!(["app", orders]), true),
            (&free, json!("app"), true),
            (&free, json!([orders]), false),
            (&free, json!(orders), false),
            (&free, json!([orders, USERINFO]), true),
            (&free, json!([USERINFO]), true),
            (&free, json!([format!("{USERINFO}/")]), false),
            (&free, json!([system]), true),
            (&fixed, json!(["one", "two", orders]), true),
            // Made before the client had an audience of its own.
            (&fixed, json!(["app"]), true),
            // A resource that is one of the client's audiences is not all of them.
            (&fixed, json!(["one"]), false),
        ] {
            let checked = check(&token(aud(claims.clone()), client), Some(USERINFO), &cx);
            assert_eq!(checked.is_ok(), expected, "{claims}");
        }
        // All of them, and asked for as resources.
        let mut asked_for = aud(json!(["one", "two"]));
        asked_for.insert("narrowed".to_owned(), json!(true));
        assert!(check(&token(asked_for, &fixed), Some(USERINFO), &cx).is_err());
        let refused = |own| check(&token(aud(json!([orders])), &free), own, &cx).unwrap_err();
        assert_eq!(refused(None).reason, Reason::TokenForOtherResource);
        assert_eq!(refused(Some(USERINFO)).expected, Some(format!("aud {USERINFO}")));
        assert_eq!(refused(Some(USERINFO)).received, Some(format!("aud {orders}")));
        let narrowed = token(aud(json!([USERINFO])), &free);
        assert_eq!(check(&narrowed, None, &cx).unwrap_err().reason, Reason::TokenForOtherResource);
    }
}

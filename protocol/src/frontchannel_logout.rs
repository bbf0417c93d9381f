//! Telling clients through the browser that a session is over (OIDC Front-Channel Logout 1.0): which addresses a client
//! may have, and which one is loaded.

use crate::client::Client;
use crate::session::Session;
use url::Url;

/// What is expected of a `frontchannel_logout_uri`.
pub const EXPECTED: &str =
    "an absolute URL without fragment, of the scheme, host and port of a redirect URI of the client";

/// Whether the client's `frontchannel_logout_uri`, if it has one, lies where one of its redirect URIs lies: the scheme,
/// host and port MUST be the same (OIDC Front-Channel Logout §2).
pub fn fits(client: &Client) -> bool {
    let uri = &client.frontchannel_logout_uri;
    if uri.is_empty() {
        return true;
    }
    let Some(url) = web(uri).filter(|url| url.fragment().is_none()) else { return false };
    client.redirect_uris.iter().filter_map(|uri| web(uri)).any(|redirect| redirect.origin() == url.origin())
}

/// The address to load in a frame, with `iss` and `sid` always: a client tells by them that it is meant (OIDC
/// Front-Channel Logout §3). Nothing for a client that does not want to know.
pub fn address(client: &Client, session: &Session, issuer: &str) -> Option<String> {
    if !client.is_active() || !fits(client) {
        return None;
    }
    let mut url = web(&client.frontchannel_logout_uri)?;
    url.query_pairs_mut().append_pair("iss", issuer).append_pair("sid", session.subject.sid.as_str());
    Some(url.into())
}

/// Scheme, host and port of an address, for the `frame-src` of a Content-Security-Policy.
pub fn origin(address: &str) -> Option<String> {
    web(address).map(|url| url.origin().ascii_serialization())
}

fn web(uri: &str) -> Option<Url> {
    Url::parse(uri).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{ISSUER, START, World};
    use crate::unknown_members::UnknownMembers;

    fn client(world: &World, uri: &str) -> Client {
        let redirect_uris = vec!["https://app.example/cb".to_owned(), "com.example.app:/cb".to_owned()];
        Client { frontchannel_logout_uri: uri.to_owned(), redirect_uris, ..world.confidential() }
    }

    #[test]
    fn oidc_front_channel_logout_2_the_uri_lies_where_a_redirect_uri_lies() {
        let world = World::default();
        for good in ["", "https://app.example/out", "https://app.example:443/out?x=1"] {
            assert!(fits(&client(&world, good)), "{good}");
        }
        for bad in [
            "https://other.example/out",
            "https://app.example:8443/out",
            "http://app.example/out",
            "https://app.example/out#x",
            "com.example.app:/out",
            "javascript:alert(1)",
            "/out",
        ] {
            assert!(!fits(&client(&world, bad)), "{bad}");
        }
    }

    #[test]
    fn oidc_front_channel_logout_3_issuer_and_session_go_with_it() {
        let world = World::default();
        let session = Session {
            server: world.server.id.clone(),
            server_uid: world.server.uid.clone(),
            idp_uid: "idp-uid".into(),
            subject: world.subject(),
            created_at: START,
            ends_at: START,
            last_used_at: START,
            ip_address: String::new(),
            user_agent: String::new(),
            unknown: UnknownMembers::default(),
        };
        let address = |client: &Client| address(client, &session, ISSUER);
        let encoded: String = form_urlencoded::byte_serialize(ISSUER.as_bytes()).collect();
        let plain = client(&world, "https://app.example/out");
        assert_eq!(
            address(&plain),
            Some(format!("https://app.example/out?iss={encoded}&sid={}", session.subject.sid))
        );
        let with_query = address(&client(&world, "https://app.example/out?x=1")).unwrap();
        assert!(with_query.starts_with("https://app.example/out?x=1&iss="), "{with_query}");
        assert_eq!(address(&client(&world, "")), None);
        assert_eq!(address(&client(&world, "https://other.example/out")), None);
        assert_eq!(address(&Client { client_status: "inactive".to_owned(), ..plain }), None);
    }
}

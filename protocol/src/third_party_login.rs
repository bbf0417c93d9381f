//! The way from us to an application, for a person who cannot go on here: where it begins a login itself (OIDC Core §4), else
//! where it is at home.

use crate::authorize::VerifiedRedirect;
use crate::client::Client;
use crate::redirect_uri::Destination;
use url::Url;

/// Where the application begins a login when another party asks it to, with who asks: `iss` (OIDC Core §4).
pub fn initiate_login(client: &Client, issuer: &str) -> Option<String> {
    let mut uri = web(&client.initiate_login_uri)?;
    uri.query_pairs_mut().append_pair("iss", issuer);
    Some(uri.into())
}

/// Where a person finds the application: where it begins a login, its home page, or the host that the verified redirect URI
/// leads to. Nothing of any request is in it.
pub fn way_to(client: &Client, redirect: &VerifiedRedirect, issuer: &str) -> Option<String> {
    let home = || web(&client.client_uri).map(String::from);
    let host = || {
        matches!(redirect.destination(), Some(Destination::Web)).then(|| format!("{}/", redirect.origin()))
    };
    initiate_login(client, issuer).or_else(home).or_else(host)
}

fn web(uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (plain && matches!(url.scheme(), "https" | "http")).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://as.example/acme/shop";

    fn redirect(uri: &str) -> VerifiedRedirect {
        serde_json::from_value(serde_json::json!(uri)).unwrap()
    }

    #[test]
    fn oidc_core_4_the_issuer_is_named_beside_what_the_address_has() {
        let client = |uri: &str| Client { initiate_login_uri: uri.to_owned(), ..Client::default() };
        let iss = "iss=https%3A%2F%2Fas.example%2Facme%2Fshop";
        for (registered, expected) in [
            ("https://app.example/start", Some(format!("https://app.example/start?{iss}"))),
            ("https://app.example/start?x=1", Some(format!("https://app.example/start?x=1&{iss}"))),
            ("", None),
            ("javascript:alert(1)", None),
            ("https://user:secret@app.example/", None),
        ] {
            assert_eq!(initiate_login(&client(registered), ISSUER), expected, "{registered}");
        }
    }

    #[test]
    fn the_nearest_place_of_the_application_that_there_is() {
        let mut client = Client::default();
        let to = |client: &Client, uri: &str| way_to(client, &redirect(uri), ISSUER);
        let host = Some("https://app.example:8443/".to_owned());
        assert_eq!(to(&client, "https://app.example:8443/cb?state=secret"), host);
        assert_eq!(to(&client, "http://127.0.0.1:4000/cb"), None, "nobody listens there any more");
        assert_eq!(to(&client, "com.example.app:/cb"), None);
        client.client_uri = "https://www.example/about".to_owned();
        assert_eq!(to(&client, "https://app.example/cb").as_deref(), Some("https://www.example/about"));
        client.initiate_login_uri = "https://app.example/start".to_owned();
        assert!(to(&client, "com.example.app:/cb").unwrap().starts_with("https://app.example/start?iss="));
    }
}

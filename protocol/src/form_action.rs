//! Where a form of ours may lead in the end (CSP3 §6.4.1, `form-action`).

use crate::client::Client;
use crate::redirect_uri::Parts;
use url::Url;

/// Most origins that are named; a header has its limits.
const MOST: usize = 20;

/// The origin of the verified redirect URI first, then the others that the client's registration names.
///
/// Browsers check every redirect after a form, those of the client included: one that passes the person on to another
/// place would leave them on a page that does nothing, with the code used up. So a client may pass on to each address of
/// its registration: its redirect URIs, its home page, its application, and where logins begin.
pub fn targets(verified: &str, client: &Client) -> Vec<String> {
    let redirect_uris = client.redirect_uris.iter().chain(&client.post_logout_redirect_uris);
    let redirects = redirect_uris.filter_map(|uri| Parts::read(uri).ok().map(|parts| parts.origin()));
    let pages = [&client.client_uri, &client.app_url, &client.initiate_login_uri];
    let pages =
        pages.into_iter().filter_map(|uri| Some(Url::parse(uri).ok()?.origin().ascii_serialization()));
    let mut targets = Vec::new();
    for origin in std::iter::once(verified.to_owned()).chain(pages).chain(redirects) {
        if targets.len() < MOST && !targets.contains(&origin) {
            targets.push(origin);
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verified_origin_and_those_of_the_registration() {
        let client = Client {
            redirect_uris: vec![
                "https://app.example/cb".to_owned(),
                "https://api.example:8443/cb?x=1".to_owned(),
                "com.example.app:/cb".to_owned(),
            ],
            post_logout_redirect_uris: vec!["https://app.example/bye".to_owned()],
            client_uri: "https://www.example/about".to_owned(),
            app_url: "https://app.example/".to_owned(),
            // Pictures and texts are nowhere that a login leads to.
            logo_uri: "https://cdn.example/logo.png".to_owned(),
            policy_uri: "https://legal.example/".to_owned(),
            ..Client::default()
        };
        assert_eq!(
            targets("http://127.0.0.1:4000", &client),
            [
                "http://127.0.0.1:4000",
                "https://www.example",
                "https://app.example",
                "https://api.example:8443",
                "com.example.app:",
            ]
        );
        assert_eq!(targets("https://app.example", &Client::default()), ["https://app.example"]);
    }

    #[test]
    fn the_list_has_an_end() {
        let redirect_uris = (0..100).map(|n| format!("https://app{n}.example/cb")).collect();
        let targets = targets("https://first.example", &Client { redirect_uris, ..Client::default() });
        assert_eq!((targets.len(), targets[0].as_str()), (MOST, "https://first.example"));
    }
}

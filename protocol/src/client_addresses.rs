//! The addresses of a client (RFC 7591 §2, OIDC Registration §2), by one rule however it is registered: those that people
//! follow, and those that the server itself calls.

use crate::client::Client;
use crate::frontchannel_logout;
use crate::web_uri::{self, Reach};

/// What is expected of `initiate_login_uri`: without an exception for loopback (OIDC Core §4).
const INITIATE: &str = "an absolute https URL without user information";

/// An address that cannot be registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// With its place in a list.
    pub member: String,
    pub received: String,
    pub expected: &'static str,
}

/// What is wrong with the client's addresses; `reach` is where the server may call. Redirect URIs have rules of their own
/// (`redirect_uri.rs`).
pub fn faults(client: &Client, reach: Reach<'_>) -> Vec<Fault> {
    pages(client).chain(called(client, reach)).collect()
}

/// Addresses that a browser opens (attack ADM-12).
fn pages(client: &Client) -> impl Iterator<Item = Fault> {
    let page = |uri: &String| (!web_uri::is_page(uri)).then_some(web_uri::PAGE);
    let initiate = &client.initiate_login_uri;
    let is_https = web_uri::is_page(initiate) && initiate.starts_with("https://");
    let front = &client.frontchannel_logout_uri;
    let in_place = (!frontchannel_logout::fits(client)).then_some(frontchannel_logout::EXPECTED);
    let found = [
        ("client_uri", &client.client_uri, page(&client.client_uri)),
        ("logo_uri", &client.logo_uri, page(&client.logo_uri)),
        ("policy_uri", &client.policy_uri, page(&client.policy_uri)),
        ("tos_uri", &client.tos_uri, page(&client.tos_uri)),
        ("app_url", &client.app_url, page(&client.app_url)),
        ("initiate_login_uri", initiate, (!is_https).then_some(INITIATE)),
        ("frontchannel_logout_uri", front, page(front).or(in_place)),
    ];
    found.into_iter().filter_map(|(member, uri, expected)| fault(member, uri, expected))
}

/// Addresses that the server asks or tells (attacks ADM-25, DCR-05 to DCR-09).
fn called(client: &Client, reach: Reach<'_>) -> impl Iterator<Item = Fault> {
    let one = [
        ("jwks_uri", &client.jwks_uri),
        ("sector_identifier_uri", &client.sector_identifier_uri),
        ("backchannel_logout_uri", &client.backchannel_logout_uri),
        ("backchannel_client_notification_endpoint", &client.backchannel_client_notification_endpoint),
    ];
    let one = one
        .into_iter()
        .filter_map(move |(member, uri)| fault(member, uri, web_uri::check_called(uri, reach).err()));
    let many = client.request_uris.iter().enumerate().filter_map(move |(index, uri)| {
        // A fragment may hold the hash of the content (OIDC Core §6.2).
        let address = uri.split('#').next().unwrap_or_default();
        let expected = web_uri::check_called(address, reach).err()?;
        Some(Fault { member: format!("request_uris[{index}]"), received: uri.clone(), expected })
    });
    one.chain(many)
}

/// What is empty is not there.
fn fault(member: &str, uri: &str, expected: Option<&'static str>) -> Option<Fault> {
    let expected = expected.filter(|_| !uri.is_empty())?;
    Some(Fault { member: member.to_owned(), received: uri.to_owned(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CALLED: [&str; 4] = [
        "jwks_uri",
        "sector_identifier_uri",
        "backchannel_logout_uri",
        "backchannel_client_notification_endpoint",
    ];
    const PAGES: [&str; 7] = [
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "app_url",
        "initiate_login_uri",
        "frontchannel_logout_uri",
    ];

    fn found(member: &str, uri: &str, reach: Reach<'_>) -> Vec<String> {
        let value = if member == "request_uris" { json!([uri]) } else { json!(uri) };
        let members = json!({"redirect_uris": ["https://app.example/cb"], member: value});
        let client: Client = serde_json::from_value(members).unwrap();
        faults(&client, reach).into_iter().map(|fault| fault.member).collect()
    }

    #[test]
    fn dcr_05_dcr_06_dcr_07_dcr_09_adm_25_what_the_server_calls_is_public() {
        let loopback = Reach { allow_loopback: true, ..Reach::default() };
        for (member, told) in
            CALLED.map(|name| (name, name)).into_iter().chain([("request_uris", "request_uris[0]")])
        {
            for inside in
                ["http://127.0.0.1:9000/", "https://localhost/", "https://10.0.0.1/", "http://app.example/"]
            {
                assert_eq!(found(member, inside, Reach::default()), [told], "{member} {inside}");
            }
            assert_eq!(found(member, "http://127.0.0.1:9000/", loopback), [""; 0], "{member}");
            assert_eq!(found(member, "https://10.0.0.1/", loopback), [told], "{member}");
            assert_eq!(found(member, "https://app.example/x", Reach::default()), [""; 0], "{member}");
        }
        assert_eq!(found("request_uris", "https://app.example/x#hash", Reach::default()), [""; 0]);
    }

    #[test]
    fn dcr_08_adm_12_pages_run_no_code() {
        for member in PAGES {
            for bad in ["javascript:alert(1)", "http://app.example/", "https://user@app.example/", "/x"] {
                assert_eq!(found(member, bad, Reach::default()), [member], "{member} {bad}");
            }
            assert_eq!(found(member, "https://app.example/x", Reach::default()), [""; 0], "{member}");
        }
        assert_eq!(
            found("initiate_login_uri", "http://localhost/x", Reach::default()),
            ["initiate_login_uri"]
        );
        let elsewhere = found("frontchannel_logout_uri", "https://other.example/", Reach::default());
        assert_eq!(elsewhere, ["frontchannel_logout_uri"]);
    }
}

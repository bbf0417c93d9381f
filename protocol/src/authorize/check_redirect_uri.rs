//! `redirect_uri` is one that the client registered (RFC 6749 §3.1.2.3, RFC 9700 §2.1). Only this file makes a
//! [`VerifiedRedirect`], so nothing can be sent anywhere before this check.

use super::pipeline::Arrival;
use crate::client::Client;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::profile::Rules;
use crate::redirect_uri::{Destination, Parts, matches};
use serde::{Deserialize, Serialize};

/// A redirect URI that is registered for the client of its request. It is read from JSON only where an
/// interaction is read back from the store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VerifiedRedirect(String);

impl VerifiedRedirect {
    /// The URI as the client sent it; as registered if the client sent none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it leads, for the consent page and for whether consent may be remembered.
    pub fn destination(&self) -> Option<Destination<'_>> {
        Parts::read(&self.0).ok().map(|parts| parts.destination)
    }

    /// What a Content-Security-Policy must allow as `form-action`: the origin, or `scheme:`.
    pub fn origin(&self) -> String {
        Parts::read(&self.0).map(|parts| parts.origin()).unwrap_or_default()
    }
}

pub(super) fn check(arrival: &mut Arrival<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let client = arrival.client.ok_or(Reason::Internal)?;
    let rules = Rules::of(cx.server, client);
    let sent = arrival.params.get("redirect_uri");
    let is_openid = arrival.params.get("scope").is_some_and(|scope| scope.split(' ').any(|s| s == "openid"));
    let uri = match (sent, client.redirect_uris.as_slice()) {
        (Some(sent), registered) => {
            Parts::read(sent)?;
            let is_registered = registered.iter().any(|uri| matches(uri, sent, client.is_native()));
            if !is_registered {
                return Err(not_registered(sent, client));
            }
            sent
        }
        // RFC 6749 §3.1.2.3: may be left out when exactly one is registered in full. OIDC Core §3.1.2.1: REQUIRED.
        (None, [only]) if !is_openid && !rules.requires_redirect_uri() => {
            Parts::read(only)?;
            only
        }
        (None, _) => return Err(Refusal::new(Reason::RedirectUriMissing).parameter("redirect_uri")),
    };
    let is_loopback = matches!(Parts::read(uri)?.destination, Destination::Loopback { .. });
    if is_loopback && rules.keeps_loopback_for_native() && !client.is_native() {
        let expected = "https, or a native application";
        return Err(not_registered(uri, client).expected(expected));
    }
    arrival.redirect = Some(VerifiedRedirect(uri.to_owned()));
    arrival.redirect_uri_sent = sent.is_some();
    Ok(())
}

/// Names the registered URI that comes closest and where the difference begins.
fn not_registered(sent: &str, client: &Client) -> Refusal {
    let shared = |uri: &str| uri.bytes().zip(sent.bytes()).take_while(|(a, b)| a == b).count();
    let nearest = client.redirect_uris.iter().max_by_key(|uri| shared(uri));
    let expected = match nearest {
        Some(uri) => format!("{uri} (differs from byte {} on)", shared(uri) + 1),
        None => "the client has no redirect_uris".to_owned(),
    };
    Refusal::new(Reason::RedirectUriNotRegistered).parameter("redirect_uri").received(sent).expected(expected)
}

#[cfg(test)]
mod tests {
    use crate::authorize::AuthorizeRefusal;
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    fn sent(trial: &mut Trial, uri: &str) -> Result<String, Reason> {
        let refusal = |refused: AuthorizeRefusal| match refused {
            AuthorizeRefusal::Page(refusal) => refusal.reason,
            AuthorizeRefusal::Respond(..) => panic!("an unverified URI got an answer"),
        };
        trial.run(&[("redirect_uri", uri)]).map(|r| r.target.redirect.as_str().to_owned()).map_err(refusal)
    }

    #[test]
    fn rdr_06_to_rdr_21_anything_but_the_registered_string_is_a_page() {
        let mut trial = Trial::default();
        assert_eq!(sent(&mut trial, "https://app.example/cb").as_deref(), Ok("https://app.example/cb"));
        for (attack, uri) in [
            ("RDR-06", "https://app.example/cb/"),
            ("RDR-07", "https://app.example/CB"),
            ("RDR-07", "HTTPS://app.example/cb"),
            ("RDR-07", "https://APP.example/cb"),
            ("RDR-08", "https://app.example@evil.example/cb"),
            ("RDR-09", "https://app.example@evil@app.example/cb"),
            ("RDR-11", "https://app.example/cb?code=1"),
            ("RDR-11", "https://app.example/cb?"),
            ("RDR-12", "https://app.example:8443/cb"),
            ("RDR-12", "https://app.example:443/cb"),
            ("RDR-13", "http://app.example/cb"),
            ("RDR-14", "https://app.example.evil.example/cb"),
            ("RDR-17", "https://app.еxample/cb"),
            ("RDR-17", "https://app.example%2f@evil.example/cb"),
            ("RDR-19", "JavaScript:alert(1)//https://app.example/cb"),
            ("RDR-20", "//app.example/cb"),
            ("RDR-20", "/cb"),
            ("RDR-20", "https:app.example/cb"),
            ("RDR-20", "https:\\\\app.example\\cb"),
            ("RDR-21", "https://*.example/cb"),
            ("RFC 6749 §3.1.2", "https://app.example/cb#"),
            ("RFC 3986 §6.2.2", "https://app.example/%63b"),
            ("RFC 3986 §6.2.2", "https://app.example/x/../cb"),
            ("CWE-113", "https://app.example/cb\r\nX: y"),
            ("CWE-20", " https://app.example/cb"),
        ] {
            let refused = sent(&mut trial, uri).expect_err(attack);
            let expected = [Reason::RedirectUriNotRegistered, Reason::RedirectUriInvalid];
            assert!(expected.contains(&refused), "{attack} {uri}");
        }
    }

    #[test]
    fn rdr_34_a_huge_uri_is_refused() {
        let uri = format!("https://app.example/{}", "a".repeat(5000));
        let mut trial = Trial::default();
        trial.client.redirect_uris.push(uri.clone());
        assert_eq!(sent(&mut trial, &uri), Err(Reason::RedirectUriInvalid));
    }

    #[test]
    fn rdr_19_a_dangerous_uri_is_refused_even_if_stored() {
        let mut trial = Trial::default();
        trial.client.redirect_uris.push("javascript:alert(1)".to_owned());
        assert_eq!(sent(&mut trial, "javascript:alert(1)"), Err(Reason::RedirectUriInvalid));
    }

    #[test]
    fn rdr_29_to_rdr_32_any_port_only_for_native_clients_as_registered() {
        let mut trial = Trial::default();
        trial.client.redirect_uris = vec!["http://127.0.0.1:4000/cb?a=1".to_owned()];
        assert!(sent(&mut trial, "http://127.0.0.1:4001/cb?a=1").is_err(), "RDR-32: a web client");
        trial.client.application_type = "native".to_owned();
        assert!(sent(&mut trial, "http://127.0.0.1:4001/cb?a=1").is_ok());
        assert!(sent(&mut trial, "http://127.0.0.1/cb?a=1").is_ok());
        for (attack, uri) in [
            ("RDR-30", "http://localhost:4000/cb?a=1"),
            ("RDR-30", "http://[::1]:4000/cb?a=1"),
            ("RDR-30", "http://2130706433:4000/cb?a=1"),
            ("RDR-29", "http://127.0.0.1:4000/cb"),
            ("RDR-29", "http://127.0.0.1:4000/cb/x?a=1"),
            ("RDR-29", "http://127.0.0.1:4000@evil.example/cb?a=1"),
            ("RDR-29", "http://127.0.0.1:4000.evil.example/cb?a=1"),
            ("RDR-29", "http://127.0.0.1:/cb?a=1"),
            ("RDR-29", "http://127.0.0.1:0/cb?a=1"),
            ("RDR-29", "http://127.0.0.1:65536/cb?a=1"),
            ("RDR-29", "https://127.0.0.1:4000/cb?a=1"),
        ] {
            assert!(sent(&mut trial, uri).is_err(), "{attack} {uri}");
        }
    }

    #[test]
    fn rdr_31_a_private_scheme_is_matched_as_a_string() {
        let mut trial = Trial::default();
        trial.client.application_type = "native".to_owned();
        trial.client.redirect_uris = vec!["com.example.app:/cb".to_owned()];
        assert!(sent(&mut trial, "com.example.app:/cb").is_ok());
        for uri in
            ["com.example.app:/CB", "COM.example.app:/cb", "com.example.app://cb", "com.example.app:/cb/x"]
        {
            assert_eq!(sent(&mut trial, uri), Err(Reason::RedirectUriNotRegistered), "{uri}");
        }
    }

    #[test]
    fn rfc6749_3_1_2_3_may_be_left_out_when_exactly_one_is_registered() {
        let mut trial = Trial::default();
        let without = [("redirect_uri", ""), ("scope", "orders.read")];
        let request = trial.run(&without).unwrap();
        assert_eq!(request.target.redirect.as_str(), "https://app.example/cb");
        assert_eq!(request.redirect_uri_as_sent(), None);
        // OIDC Core §3.1.2.1: REQUIRED with openid.
        assert_eq!(trial.page(&[("redirect_uri", "")]), Reason::RedirectUriMissing);
        trial.client.redirect_uris.push("https://app.example/other".to_owned());
        assert_eq!(trial.page(&without), Reason::RedirectUriMissing);
    }

    #[test]
    fn oidcc_ensure_redirect_uri_in_authorization_request() {
        let mut trial = Trial::default();
        trial.client.redirect_uris.push("https://app.example/other".to_owned());
        assert_eq!(trial.page(&[("redirect_uri", "")]), Reason::RedirectUriMissing);
    }

    #[test]
    fn keycloak_10528_the_refusal_says_where_the_difference_begins() {
        let mut trial = Trial::default();
        trial.client.redirect_uris.push("https://other.example/".to_owned());
        let refused = trial.run(&[("redirect_uri", "https://app.example/cd")]).unwrap_err();
        let expected = refused.refusal().expected.clone();
        assert_eq!(expected.as_deref(), Some("https://app.example/cb (differs from byte 22 on)"));
    }
}

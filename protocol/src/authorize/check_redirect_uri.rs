//! `redirect_uri` is one that the client registered (RFC 6749 §3.1.2.3, RFC 9700 §2.1). Only this file makes a
//! [`VerifiedRedirect`], so nothing can be sent anywhere before this check.

use super::pipeline::Arrival;
use crate::client::Client;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
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

pub(super) fn check(arrival: &mut Arrival<'_>, _cx: &Cx<'_>) -> Result<(), Refusal> {
    let client = arrival.client.ok_or(Reason::Internal)?;
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
        (None, [only]) if !is_openid => {
            Parts::read(only)?;
            only
        }
        (None, _) => return Err(Refusal::new(Reason::RedirectUriMissing).parameter("redirect_uri")),
    };
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

//! What a refusal says of a fetch that failed: to the operator and in the demonstration, never to the sender in `serve`
//! (attack AUT-31). Nothing of the network's own words is in it.

use super::FetchError;
use protocol::error::Refusal;
use protocol::network_address;
use protocol::web_uri::{HTTPS, LOOPBACK, PUBLIC};

impl FetchError {
    /// The refusal, with why `url` was not fetched and what would be.
    pub(crate) fn told_in(&self, refusal: Refusal, url: &str) -> Refusal {
        let (received, expected) = self.told();
        refusal.received(format!("{received}: {url}")).expected(expected)
    }

    fn told(&self) -> (String, &'static str) {
        match self {
            Self::Url(why) => (format!("an address that cannot be fetched ({why})"), "an https URL"),
            Self::NotHttps => ("an address that is not https".to_owned(), HTTPS),
            Self::Address { why, .. } => {
                let expected = if *why == network_address::LOOPBACK { LOOPBACK } else { PUBLIC };
                (format!("an address that is not allowed ({why})"), expected)
            }
            Self::Redirects(most) => {
                (format!("more than {most} redirects"), "an answer at the address itself")
            }
            Self::Location => ("a redirect that leads nowhere".to_owned(), "an answer at the address itself"),
            Self::Slow(limit) => {
                (format!("no complete answer within {limit:?}"), "a complete answer within that time")
            }
            Self::TooLarge(most) => (format!("more than {most} bytes"), "a shorter answer"),
            Self::TrustAnchors(_) => {
                ("no usable trust anchors here".to_owned(), "what the server's log says of them")
            }
            Self::Certificate(_) => (
                "a certificate that is not trusted here".to_owned(),
                "one for this very host, of an authority that this machine or extra_trust_anchors names",
            ),
            Self::Unreachable(_) => (
                "no connection".to_owned(),
                "a server that answers at this host and port, with TLS where it is https",
            ),
            Self::NoAnswer(_) => ("a connection without an HTTP answer".to_owned(), "an HTTP server there"),
            Self::BrokenOff(_) => (
                "an answer that broke off".to_owned(),
                "a whole one: with Content-Length, in chunks, or ended by a proper end of TLS (RFC 9112 §8)",
            ),
        }
    }
}

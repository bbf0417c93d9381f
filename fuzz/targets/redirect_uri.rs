//! Two redirect URIs on two lines: the registered one and the one that was sent. They match if they are equal, or if a
//! native application's differ in nothing but the port of a loopback host; and a browser reads them as we do.

use protocol::redirect_uri::{Destination, Parts, matches, validate_registered_uri};
use url::Url;

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (registered, sent) = text.split_once('\n').unwrap_or((text, text));
    assert_eq!(matches(registered, sent, false), registered == sent, "RFC 9700 §2.1");
    assert_eq!(matches(registered, sent, true), matches(sent, registered, true));
    if matches(registered, sent, true) && registered != sent {
        assert_eq!(without_port(registered), without_port(sent), "RFC 8252 §7.3");
    }
    for uri in [registered, sent] {
        if let Ok(parts) = Parts::read(uri) {
            read_as_a_browser_does(uri, &parts);
        }
        if validate_registered_uri(uri, "web").is_ok() {
            assert!(Parts::read(uri).is_ok());
            assert!(validate_registered_uri(uri, "native").is_ok());
        }
    }
}

/// Differential: what the URL Standard makes of it leads to the same place.
fn read_as_a_browser_does(uri: &str, parts: &Parts<'_>) {
    let url = Url::parse(uri).expect("what we accept, a browser can read");
    assert!(url.username().is_empty() && url.password().is_none(), "user information: {uri}");
    assert_eq!(url.fragment(), None, "{uri}");
    match parts.destination {
        Destination::Web => {
            assert_eq!(url.scheme(), "https", "{uri}");
            same_origin(&url, parts);
        }
        Destination::Loopback { host } => {
            assert_eq!((url.scheme(), url.host_str()), ("http", Some(host)), "{uri}");
            same_origin(&url, parts);
        }
        Destination::PrivateUse { scheme } => {
            assert_eq!(url.scheme(), scheme.to_ascii_lowercase(), "{uri}");
            let runs_code = ["javascript", "data", "vbscript", "file", "blob", "about", "http", "https"];
            assert!(!runs_code.contains(&url.scheme()), "{uri}");
        }
    }
}

/// `form-action` of the page is computed from our parts: it must name where the browser goes.
fn same_origin(url: &Url, parts: &Parts<'_>) {
    let ours = Url::parse(&parts.origin()).expect("an origin");
    assert_eq!(ours.origin(), url.origin(), "{url}");
}

/// The URL without its port, when it is `http` on a loopback host.
fn without_port(uri: &str) -> Option<Url> {
    let mut url = Url::parse(uri).ok()?;
    let is_loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.set_port(None).ok()?;
    (url.scheme() == "http" && is_loopback).then_some(url)
}

//! Addresses that a document may hold: those that people follow and those that the server itself calls.

use crate::network_address::Addresses;
use core::net::IpAddr;
use url::{Host, Url};

/// What is expected of a page that people are sent to.
pub const PAGE: &str = "an absolute https URL without user information (http on a loopback host only)";

/// What is expected of an address that the server itself calls.
pub const CALLED: &str = "an absolute https URL of a public host, without user information and fragment";

/// The same, of one on this machine.
pub const LOOPBACK: &str = "a public address; loopback is fetched with `demo --allow-loopback-fetch`, or allow_loopback in [fetch] of the configuration";

/// The same, of one inside some other network.
pub const PUBLIC: &str =
    "a public address, or a host that allowed_hosts in [fetch] of the configuration names";

/// The same, of one that is plain `http`.
pub const HTTPS: &str = "https; http is fetched on loopback alone, with `demo --allow-loopback-fetch`, or allow_loopback in [fetch] of the configuration";

/// Where the server may call beyond the public internet, as its operator said. Nowhere by default.
#[derive(Clone, Copy, Default, Debug)]
pub struct Reach<'a> {
    /// Loopback addresses, also by plain `http`.
    pub allow_loopback: bool,
    /// `host` or `host:port`, written as in URLs.
    pub allowed_hosts: &'a [String],
}

/// Whether `text` may be shown as a link or picture: never a scheme that runs code (attack ADM-12).
pub fn is_page(text: &str) -> bool {
    let Some(url) = parse(text) else { return false };
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    }
}

/// Whether the server may call `text` (attacks ADM-25, DCR-05 to DCR-09). It is asked here, so that a bad address is
/// heard of early, and again by whoever fetches, since names may lead elsewhere later.
///
/// # Errors
/// What is expected instead.
pub fn check_called(text: &str, reach: Reach<'_>) -> Result<(), &'static str> {
    let url = parse(text).filter(|_| !text.contains('#')).ok_or(CALLED)?;
    let is_https = url.scheme() == "https";
    let host = url.host_str().unwrap_or_default();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    let is_named =
        |entry: &String| entry.eq_ignore_ascii_case(host) || entry.eq_ignore_ascii_case(&with_port);
    let fault = if reach.allowed_hosts.iter().any(is_named) {
        (!is_https).then_some(HTTPS)
    } else if is_loopback(&url) {
        (!reach.allow_loopback).then_some(LOOPBACK)
    } else if !is_https {
        Some(HTTPS)
    } else {
        (!is_public(&url)).then_some(PUBLIC)
    };
    fault.map_or(Ok(()), Err)
}

/// An absolute URL that says what it seems to say: no user information, no backslash, no white space.
fn parse(text: &str) -> Option<Url> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    let after_scheme = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let authority = after_scheme.split(['/', '?', '#']).next()?;
    let url = Url::parse(text).ok()?;
    (plain && url.has_host() && !authority.contains('@')).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether a host is out on the Internet by its name or its number; where a name leads is seen when it is called.
fn is_public(url: &Url) -> bool {
    const INSIDE: [&str; 6] = [".local", ".internal", ".intranet", ".lan", ".home.arpa", ".corp"];
    let is_reached = |address: IpAddr| Addresses::Public.check(address).is_ok();
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.contains('.') && !INSIDE.iter().any(|suffix| name.ends_with(suffix))
        }
        Some(Host::Ipv4(address)) => is_reached(address.into()),
        Some(Host::Ipv6(address)) => is_reached(address.into()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adm_25_addresses_inside_are_not_called() {
        for inside in [
            "http://example.com/jwks",
            "https://localhost/jwks",
            "https://localhost./jwks",
            "https://a.localhost/jwks",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://192.168.1.1/",
            "https://172.31.0.1/",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[::]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:7f00:1::]/",
            "https://db.internal/",
            "https://intranet/",
            "https://user:pass@example.com/",
            "https://example.com/#fragment",
            "https://example.com\\@10.0.0.1/",
            "file:///etc/passwd",
            "gopher://example.com/",
            "/jwks",
            "",
        ] {
            assert!(check_called(inside, Reach::default()).is_err(), "{inside}");
        }
        let is_called = |text, reach| check_called(text, reach).is_ok();
        for public in ["https://rp.example.com/jwks?x=1", "https://1.1.1.1/jwks", "https://example.com/@app"]
        {
            assert!(is_called(public, Reach::default()), "{public}");
        }
        let loopback = Reach { allow_loopback: true, ..Reach::default() };
        assert!(is_called("https://127.0.0.1:9000/jwks", loopback));
        assert!(is_called("http://localhost:9000/", loopback));
        assert!(!is_called("https://10.0.0.1/", loopback));
        let named = ["db.internal".to_owned(), "10.0.0.1:8443".to_owned()];
        let exempt = Reach { allowed_hosts: &named, ..Reach::default() };
        assert!(is_called("https://DB.internal/jwks", exempt) && is_called("https://10.0.0.1:8443/", exempt));
        assert!(!is_called("https://10.0.0.1/", exempt) && !is_called("http://db.internal/", exempt));
    }

    #[test]
    fn what_is_expected_fits_what_was_said() {
        for (text, expected) in [
            ("/jwks", CALLED),
            ("https://user@example.com/", CALLED),
            ("http://example.com/", HTTPS),
            ("http://localhost:9000/", LOOPBACK),
            ("https://[::1]/", LOOPBACK),
            ("https://10.0.0.1/", PUBLIC),
            ("https://db.internal/", PUBLIC),
        ] {
            assert_eq!(check_called(text, Reach::default()), Err(expected), "{text}");
        }
    }

    #[test]
    fn adm_12_links_run_no_code() {
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://example.com",
            "//example.com",
            "https://",
            "https://a b",
        ] {
            assert!(!is_page(bad), "{bad}");
        }
        assert!(is_page("https://example.com/logo.svg#x") && is_page("http://localhost:3000/"));
    }
}

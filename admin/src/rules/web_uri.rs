//! Addresses that a document may hold: those that people follow and those that the server itself calls.

use engine::fetch::FetchPolicy;
use std::net::IpAddr;
use url::{Host, Url};

/// What is expected of a page that people are sent to.
pub(crate) const PAGE: &str = "an absolute https URL without user information (http on a loopback host only)";

/// What is expected of an address that the server itself calls.
pub(crate) const CALLED: &str =
    "an absolute https URL of a public host, without user information and fragment";

/// Whether `text` may be shown as a link or picture: never a scheme that runs code (attack ADM-12).
pub(crate) fn is_page(text: &str) -> bool {
    let Some(url) = parse(text) else { return false };
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    }
}

/// Whether the server may call `text` (attack ADM-25). It is asked here, so that a bad address is heard of early,
/// and again by whoever fetches, since names may lead elsewhere later.
pub(crate) fn is_called(text: &str, policy: &FetchPolicy) -> bool {
    let Some(url) = parse(text) else { return false };
    if url.fragment().is_some() || text.contains('#') {
        return false;
    }
    let host = url.host_str().unwrap_or_default();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    if policy
        .allowed_hosts
        .iter()
        .any(|exempt| exempt.eq_ignore_ascii_case(host) || exempt.eq_ignore_ascii_case(&with_port))
    {
        return url.scheme() == "https";
    }
    if is_loopback(&url) {
        return policy.allow_loopback && matches!(url.scheme(), "https" | "http");
    }
    url.scheme() == "https" && is_public(&url)
}

/// An absolute URL that says what it seems to say: no user information, no backslash, no white space.
fn parse(text: &str) -> Option<Url> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    let url = Url::parse(text).ok()?;
    let scheme_is_spelled_out = text.starts_with("https://") || text.starts_with("http://");
    let has_user = !url.username().is_empty() || url.password().is_some() || text.contains('@');
    (plain && scheme_is_spelled_out && url.has_host() && !has_user).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            matches!(name.trim_end_matches('.'), "localhost") || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_public(url: &Url) -> bool {
    const INSIDE: [&str; 6] = [".local", ".internal", ".intranet", ".lan", ".home.arpa", ".corp"];
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.contains('.') && !INSIDE.iter().any(|suffix| name.ends_with(suffix))
        }
        Some(Host::Ipv4(address)) => is_public_address(address.into()),
        Some(Host::Ipv6(address)) => is_public_address(address.into()),
        None => false,
    }
}

/// Whether an address is out on the Internet (IANA special-purpose registries).
fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let carrier_grade = a == 100 && (64..128).contains(&b);
            let benchmarking = a == 198 && (18..20).contains(&b);
            let protocol_assignments = a == 192 && b == 0 && c == 0;
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || carrier_grade
                || benchmarking
                || protocol_assignments)
        }
        IpAddr::V6(v6) => match (v6.to_ipv4_mapped(), v6.segments()) {
            (Some(v4), _) => is_public_address(v4.into()),
            // 6to4 and NAT64 carry an IPv4 address; nobody needs them here.
            (None, [0x2002 | 0x0064, ..]) => false,
            (None, [first, second, ..]) => {
                let documentation = first == 0x2001 && second == 0x0db8;
                (0x2000..0x4000).contains(&first) && !documentation
            }
        },
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
            assert!(!is_called(inside, &FetchPolicy::default()), "{inside}");
        }
        assert!(is_called("https://rp.example.com/jwks?x=1", &FetchPolicy::default()));
        assert!(is_called("https://1.1.1.1/jwks", &FetchPolicy::default()));
        let loopback = FetchPolicy { allow_loopback: true, ..FetchPolicy::default() };
        assert!(
            is_called("https://127.0.0.1:9000/jwks", &loopback)
                && is_called("http://localhost:9000/", &loopback)
        );
        assert!(!is_called("https://10.0.0.1/", &loopback));
        let exempt = FetchPolicy {
            allowed_hosts: vec!["db.internal".into(), "10.0.0.1:8443".into()],
            ..FetchPolicy::default()
        };
        assert!(
            is_called("https://DB.internal/jwks", &exempt) && is_called("https://10.0.0.1:8443/", &exempt)
        );
        assert!(!is_called("https://10.0.0.1/", &exempt) && !is_called("http://db.internal/", &exempt));
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

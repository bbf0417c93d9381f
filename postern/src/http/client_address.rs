//! Whose request it is, for logs and throttling only.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// The client's address: the peer's, or, when the peer is a configured proxy, the nearest address in
/// `X-Forwarded-For` that is not one itself. A value that does not parse ends the walk: what stands
/// left of it was written by a stranger.
pub(super) fn client_address(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> SocketAddr {
    let mut client = canonical(peer.ip());
    if trusted.is_empty() {
        return SocketAddr::new(client, peer.port());
    }
    let chain: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    for hop in chain.into_iter().rev() {
        if !trusted.iter().any(|network| network.contains(&client)) {
            break;
        }
        match address(hop) {
            Some(address) => client = canonical(address),
            None => break,
        }
    }
    SocketAddr::new(client, peer.port())
}

/// An address, also one with a port behind it and an IPv6 address in brackets, as some proxies write them.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()))
}

/// `::ffff:192.0.2.1` and `192.0.2.1` are one client.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn seen(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_str(forwarded).unwrap());
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(SocketAddr::new(peer.parse().unwrap(), 1), &headers, &trusted).ip().to_string()
    }

    #[test]
    fn w_29_a_stranger_cannot_choose_his_address() {
        assert_eq!(seen("192.0.2.9", "198.51.100.1", &[]), "192.0.2.9");
        assert_eq!(seen("192.0.2.9", "198.51.100.1", &["10.0.0.0/8"]), "192.0.2.9");
    }

    #[test]
    fn w_29_behind_trusted_proxies_the_first_untrusted_hop_from_the_right_counts() {
        let proxies = &["10.0.0.0/8", "::1/128"];
        assert_eq!(seen("10.0.0.1", "198.51.100.1", proxies), "198.51.100.1");
        assert_eq!(seen("::1", "6.6.6.6, 198.51.100.1, 10.0.0.2", proxies), "198.51.100.1");
        assert_eq!(seen("::ffff:10.0.0.1", "198.51.100.1", proxies), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", "198.51.100.1, nonsense", proxies), "10.0.0.1");
    }

    #[test]
    fn w_29_proxies_that_write_ports_and_brackets_are_understood() {
        let proxies = &["10.0.0.0/8"];
        assert_eq!(seen("10.0.0.1", "198.51.100.1:4711", proxies), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", "[2001:db8::1]:443, 10.0.0.2:80", proxies), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", "[2001:db8::1]", proxies), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", "2001:db8::1", proxies), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", "198.51.100.1:x", proxies), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", "[198.51.100.1", proxies), "10.0.0.1");
    }
}

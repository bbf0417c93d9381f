//! Which addresses on the network may be reached: those of the public internet, unless the operator says otherwise
//! (attacks W-13, ADM-25).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses that one client may connect to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Addresses {
    Public,
    PublicAndLoopback,
    /// For hosts that the operator exempted by name.
    Any,
}

impl Addresses {
    /// # Errors
    /// What kind of address it is that must not be reached.
    pub fn check(self, ip: IpAddr) -> Result<(), &'static str> {
        match self {
            Self::Any => Ok(()),
            Self::PublicAndLoopback if ip.is_loopback() => Ok(()),
            Self::Public | Self::PublicAndLoopback => match ip {
                IpAddr::V4(ip) => public_v4(ip),
                IpAddr::V6(ip) => public_v6(ip),
            },
        }
    }
}

/// What this machine's own addresses are called.
pub const LOOPBACK: &str = "loopback";

/// Networks that are not globally reachable (IANA IPv4 Special-Purpose Address Registry), and the one public
/// address at which a cloud answers its own machines.
const DENIED_V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a carrier (CGNAT)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, LOOPBACK),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "metadata"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignment"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 31, 196, 0), 24, "anycast of a name service"),
    (Ipv4Addr::new(192, 52, 193, 0), 24, "multicast tunnel"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(192, 175, 48, 0), 24, "anycast of a name service"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

fn public_v4(ip: Ipv4Addr) -> Result<(), &'static str> {
    let denied = DENIED_V4.iter().find(|(network, length, _)| {
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        ip.to_bits() & mask == network.to_bits()
    });
    denied.map_or(Ok(()), |(_, _, why)| Err(why))
}

/// Parts of the global unicast space that lead elsewhere (IANA IPv6 Special-Purpose Address Registry).
const DENIED_V6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol assignment or Teredo"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

/// Only global unicast addresses (`2000::/3`, RFC 4291 §2.4) are public; an address that carries an IPv4 address
/// by translation is as public as that one.
fn public_v6(ip: Ipv6Addr) -> Result<(), &'static str> {
    if let Some(inner) = ip.to_ipv4_mapped() {
        return public_v4(inner);
    }
    // The well-known prefix of NAT64 (RFC 6052 §2.1): how IPv6-only machines see the public IPv4 internet.
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = ip.segments() {
        return public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    }
    if ip.is_loopback() {
        return Err(LOOPBACK);
    }
    let bits = ip.to_bits();
    let in_network = |network: Ipv6Addr, length: u32| (bits ^ network.to_bits()) >> (128 - length) == 0;
    if !in_network(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3) {
        return Err("not global unicast");
    }
    let denied = DENIED_V6.iter().find(|(network, length, _)| in_network(*network, *length));
    denied.map_or(Ok(()), |(_, _, why)| Err(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w_13_public_addresses_may_be_reached() {
        for public in [
            "1.1.1.1",
            "93.184.215.14",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "198.17.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450:4001:81b::200e",
            "64:ff9b::101:101",
            "::ffff:1.1.1.1",
        ] {
            assert_eq!(Addresses::Public.check(public.parse().unwrap()), Ok(()), "{public}");
        }
    }

    #[test]
    fn w_13_special_addresses_may_not_be_reached() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(Addresses::Public.check(special.parse().unwrap()).is_err(), "{special}");
        }
    }

    #[test]
    fn loopback_alone_is_let_through_when_it_is_allowed() {
        for loopback in ["127.0.0.1", "127.8.9.1", "::1"] {
            assert_eq!(Addresses::PublicAndLoopback.check(loopback.parse().unwrap()), Ok(()));
        }
        for other in ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1", "0.0.0.0"] {
            assert!(Addresses::PublicAndLoopback.check(other.parse().unwrap()).is_err(), "{other}");
        }
    }
}

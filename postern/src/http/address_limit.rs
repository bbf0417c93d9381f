//! How many requests one address may send (RFC 6585 §4). Counted on each node for itself.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use engine::Clock;
use engine::rate_limits::Buckets;
use protocol::rate_limit::{RateLimit, retry_after};

use super::refusal::Refusal;

/// The limit of every address, and what each of them took of it.
pub struct AddressLimit {
    limit: RateLimit,
    taken: Buckets<IpAddr>,
    clock: Arc<dyn Clock>,
}

impl AddressLimit {
    /// Nothing is taken yet.
    pub fn new(limit: RateLimit, clock: Arc<dyn Clock>) -> Self {
        Self { limit, taken: Buckets::new(), clock }
    }

    /// Takes one request. Health is told to everybody: a balancer that is refused would take the node out.
    ///
    /// # Errors
    /// [`Refusal::TooManyRequests`].
    pub(super) fn take(&self, client: IpAddr, path: &str) -> Result<(), Refusal> {
        if let "/alive" | "/ready" = path {
            return Ok(());
        }
        let taken = self.taken.of(network(client)).take(self.limit, self.clock.now());
        taken.map_err(|wait| Refusal::TooManyRequests { retry_after: retry_after(wait) })
    }
}

/// What counts as one address. Of IPv6 a subscriber has at least 64 bits for himself (RFC 6177 §2), and could come from
/// a new address each time.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - 64)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6177_2_the_addresses_of_one_subscriber_are_one() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2:ffff:ffff:ffff:ffff"), of("2001:db8:1:2::"));
        assert_ne!(of("2001:db8:1:3::1"), of("2001:db8:1:2::1"));
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
    }
}

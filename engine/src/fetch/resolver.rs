//! Name resolution that hands on only addresses that may be reached.

use protocol::network_address::Addresses;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The connection's own resolver. One forbidden address among several spoils the name: an honest name has none.
#[derive(Debug)]
pub(super) struct CheckedResolver {
    addresses: Addresses,
}

impl CheckedResolver {
    pub(super) const fn new(addresses: Addresses) -> Self {
        Self { addresses }
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.addresses;
        Box::pin(async move {
            let found = lookup(name.as_str()).await?;
            for socket in &found {
                addresses
                    .check(socket.ip())
                    .map_err(|why| DeniedAddress { host: name.as_str().to_owned(), why })?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

async fn lookup(name: &str) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
    // `localhost` is loopback whatever a name server says (RFC 6761 §6.3).
    if is_localhost(name) {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(loopback.map(|ip| SocketAddr::new(ip, 0)).to_vec());
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// Whether the name is reserved for this machine.
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// The name has an address that must not be reached.
#[derive(Debug, thiserror::Error)]
#[error("{host}: {why}")]
pub(super) struct DeniedAddress {
    pub(super) host: String,
    pub(super) why: &'static str,
}

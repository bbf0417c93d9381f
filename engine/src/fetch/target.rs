//! What a URL must look like to be fetched, before anything is resolved.

use super::FetchError;
use super::resolver::is_localhost;
use std::net::IpAddr;
use url::{Host, Url};

/// A checked URL's host. The URL was parsed once, and the same value goes to the connection, so that all
/// spellings of an address (`0x7f.1`, `2130706433`, `[::ffff:127.0.0.1]`) are one here.
pub(super) struct Target<'a> {
    url: &'a Url,
    host: Host<&'a str>,
}

impl<'a> Target<'a> {
    /// `https` without credentials; `http` only to this machine, and only when `allow_loopback`.
    pub(super) fn check(url: &'a Url, allow_loopback: bool) -> Result<Self, FetchError> {
        let host = url.host().ok_or(FetchError::Url("it has no host"))?;
        let target = Self { url, host };
        match url.scheme() {
            "https" => {}
            "http" if allow_loopback && target.is_this_machine() => {}
            _ => return Err(FetchError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Url("it holds credentials"));
        }
        Ok(target)
    }

    /// The address, when the host is one and needs no resolving.
    pub(super) fn literal(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
            Host::Domain(_) => None,
        }
    }

    /// Whether the operator exempted it, as `host` or `host:port`.
    pub(super) fn is_named_in(&self, allowed: &[String]) -> bool {
        let host = self.host.to_string();
        let with_port =
            self.url.port_or_known_default().map(|port| format!("{host}:{port}")).unwrap_or_default();
        allowed.iter().any(|entry| *entry == host || *entry == with_port)
    }

    fn is_this_machine(&self) -> bool {
        match self.host {
            Host::Domain(name) => is_localhost(name),
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        }
    }
}

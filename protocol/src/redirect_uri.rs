//! Redirect URIs: which may be registered, and when one that was sent is one that was registered.
//!
//! The comparison is that of strings (RFC 9700 §2.1); nothing is normalised. Parsing here only refuses what
//! must never be redirected to and finds the port that RFC 8252 §7.3 leaves open to native applications.

use crate::error::{Reason, Refusal};

/// Longest redirect URI, in bytes (attack RDR-34).
pub const MAX_REDIRECT_URI_BYTES: usize = 2048;

/// The spellings of the loopback host; they are not interchangeable (decisions 11).
const LOOPBACK_HOSTS: &[&str] = &["localhost", "127.0.0.1", "[::1]"];

/// Schemes that run code, read files or leave the browser by themselves (attacks RDR-19, ADM-12). Any other
/// scheme but `https` and `http` is taken for an application's own (RFC 8252 §7.1).
const DANGEROUS_SCHEMES: &[&str] = &[
    "about",
    "blob",
    "chrome",
    "content",
    "cid",
    "data",
    "feed",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "mhtml",
    "ms-appx",
    "resource",
    "sms",
    "tel",
    "urn",
    "vbscript",
    "view-source",
    "wais",
    "ws",
    "wss",
];

/// Parameters of authorization responses: a registered query must not hold them already (attack RDR-11).
const RESPONSE_PARAMETERS: &[&str] = &[
    "access_token",
    "code",
    "error",
    "error_description",
    "error_uri",
    "id_token",
    "iss",
    "response",
    "state",
];

/// Where a redirect URI leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination<'a> {
    /// An `https` origin.
    Web,
    /// An `http` origin on this computer (RFC 8252 §7.3).
    Loopback { host: &'a str },
    /// An application that claimed the scheme (RFC 8252 §7.1).
    PrivateUse { scheme: &'a str },
}

/// The parts of a redirect URI, each as spelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts<'a> {
    pub destination: Destination<'a>,
    /// Scheme, colon, slashes, host: all before the port.
    before_port: &'a str,
    port: &'a str,
    /// Path and query.
    after_port: &'a str,
}

impl<'a> Parts<'a> {
    /// Reads a redirect URI strictly: absolute (RFC 6749 §3.1.2), only characters of RFC 3986, no fragment, no
    /// user information, no dangerous scheme, `http` only on loopback hosts.
    ///
    /// # Errors
    /// [`Reason::RedirectUriInvalid`] with what is wrong.
    pub fn read(uri: &'a str) -> Result<Self, Refusal> {
        check_characters(uri).map_err(|why| invalid(uri, why))?;
        let (scheme, rest) = uri.split_once(':').ok_or_else(|| invalid(uri, "an absolute URI"))?;
        if !is_scheme(scheme) {
            return Err(invalid(uri, "an absolute URI"));
        }
        if DANGEROUS_SCHEMES.iter().any(|dangerous| scheme.eq_ignore_ascii_case(dangerous)) {
            return Err(invalid(uri, "a scheme that leads back to the application"));
        }
        // What a browser cannot read, or reads otherwise, is nobody's address (CVE-2026-7504).
        if url::Url::parse(uri).is_err() {
            return Err(invalid(uri, "an absolute URI"));
        }
        let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        if is_web { Self::read_web(uri, scheme, rest) } else { Self::read_private_use(uri, scheme, rest) }
    }

    /// `scheme://host[:port]`, or `scheme:` of an application's own scheme.
    pub fn origin(&self) -> String {
        match self.destination {
            Destination::PrivateUse { scheme } => format!("{scheme}:"),
            Destination::Web | Destination::Loopback { .. } if self.port.is_empty() => {
                self.before_port.to_owned()
            }
            Destination::Web | Destination::Loopback { .. } => format!("{}:{}", self.before_port, self.port),
        }
    }

    fn read_web(uri: &'a str, scheme: &'a str, rest: &'a str) -> Result<Self, Refusal> {
        let authority = rest.strip_prefix("//").ok_or_else(|| invalid(uri, "// after the scheme"))?;
        let end = authority.find(['/', '?']).unwrap_or(authority.len());
        let (authority, after_port) = authority.split_at_checked(end).unwrap_or((authority, ""));
        if authority.contains('@') {
            return Err(invalid(uri, "no user information before the host"));
        }
        let (host, port) = split_port(authority).ok_or_else(|| invalid(uri, "a host and a port number"))?;
        if !is_host(host) {
            return Err(invalid(uri, "a host name"));
        }
        let destination = match (scheme, LOOPBACK_HOSTS.contains(&host)) {
            ("https", _) => Destination::Web,
            ("http", true) => Destination::Loopback { host },
            ("http", false) => return Err(invalid(uri, "https, or http on a loopback host")),
            _ => return Err(invalid(uri, "a scheme in lower case")),
        };
        let before_port = uri.get(..scheme.len() + "://".len() + host.len()).unwrap_or_default();
        Ok(Self { destination, before_port, port, after_port })
    }

    fn read_private_use(uri: &'a str, scheme: &'a str, rest: &'a str) -> Result<Self, Refusal> {
        let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
        if authority.is_some_and(|authority| authority.contains('@')) {
            return Err(invalid(uri, "no user information before the host"));
        }
        if rest.is_empty() || rest == "//" {
            return Err(invalid(uri, "a path after the scheme"));
        }
        Ok(Self {
            destination: Destination::PrivateUse { scheme },
            before_port: uri,
            port: "",
            after_port: "",
        })
    }
}

/// Whether `sent` is the registered URI `registered`.
///
/// Equality of strings (RFC 9700 §2.1). For a native application whose registered URI is on a loopback host the
/// port may differ (RFC 8252 §7.3), everything else may not: host as spelled at registration, path, query.
pub fn matches(registered: &str, sent: &str, native: bool) -> bool {
    if registered == sent {
        return true;
    }
    let (true, Ok(registered), Ok(sent)) = (native, Parts::read(registered), Parts::read(sent)) else {
        return false;
    };
    matches!(registered.destination, Destination::Loopback { .. })
        && registered.before_port == sent.before_port
        && registered.after_port == sent.after_port
}

/// Says whether a client of this `application_type` may register `uri` (RFC 7591 §5, RFC 8252 §8.4; attack
/// ADM-12).
///
/// # Errors
/// [`Reason::RedirectUriInvalid`] with what is wrong.
pub fn validate_registered_uri(uri: &str, application_type: &str) -> Result<(), Refusal> {
    let parts = Parts::read(uri)?;
    // A pattern would be taken literally here, and by others for a pattern (attack RDR-21).
    if uri.contains('*') {
        return Err(invalid(uri, "no wildcard: each URI is registered in full"));
    }
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    for name in names {
        if RESPONSE_PARAMETERS.contains(&name.as_ref()) {
            return Err(invalid(uri, "no parameter of authorization responses in the query"));
        }
    }
    match parts.destination {
        Destination::Web | Destination::Loopback { .. } => Ok(()),
        // RFC 8252 §8.4: a scheme without a period is nobody's in particular. Applications in wide use have such
        // ones (`cursor`, `vscode`), so a client that says it is native may.
        Destination::PrivateUse { scheme } if scheme.contains('.') || application_type == "native" => Ok(()),
        Destination::PrivateUse { .. } => {
            Err(invalid(uri, "https, or a scheme with a period, or application_type native"))
        }
    }
}

/// RFC 3986 §2: unreserved and reserved characters and whole percent-encodings; no `#`, no length for its own
/// sake.
fn check_characters(uri: &str) -> Result<(), &'static str> {
    if uri.len() > MAX_REDIRECT_URI_BYTES {
        return Err("at most 2048 bytes");
    }
    if uri.contains('#') {
        return Err("no fragment (RFC 6749 §3.1.2)");
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&b);
    if !uri.bytes().all(allowed) {
        return Err("only characters of RFC 3986, others percent-encoded");
    }
    let whole = |tail: &str| tail.get(..2).is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
    if !uri.split('%').skip(1).all(whole) {
        return Err("whole percent-encodings");
    }
    Ok(())
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// Host and port, the port empty when there is none; `None` when either is malformed.
fn split_port(authority: &str) -> Option<(&str, &str)> {
    let colon = match authority.rfind(']') {
        Some(bracket) => authority.get(bracket..)?.find(':').map(|colon| bracket + colon),
        None => authority.find(':'),
    };
    let Some(colon) = colon else { return Some((authority, "")) };
    let (host, port) = (authority.get(..colon)?, authority.get(colon + 1..)?);
    let is_port = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0);
    is_port.then_some((host, port))
}

/// A name of letters, digits, `.`, `-`, `_`, or an address in brackets.
fn is_host(host: &str) -> bool {
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    match host.strip_prefix('[') {
        Some(_) => matches!(url::Host::parse(host), Ok(url::Host::Ipv6(_))),
        None => !host.is_empty() && !host.starts_with('.') && host.bytes().all(name),
    }
}

fn invalid(uri: &str, expected: &str) -> Refusal {
    Refusal::new(Reason::RedirectUriInvalid).parameter("redirect_uri").received(uri).expected(expected)
}

#[cfg(test)]
mod tests;

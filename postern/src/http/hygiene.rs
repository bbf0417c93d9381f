//! Requests that no well-behaved client sends are refused before any parser could disagree about them.

use http::{HeaderMap, HeaderName, Method, Version, header, request::Parts};

use super::limits::Limits;
use super::refusal::Refusal;

/// Headers with which a proxy, or somebody pretending to be one, talks about another request than the
/// one that was sent. No handler ever sees them (HST-04 to HST-11); method overrides are ignored the
/// same way (HTP-09).
static STRIPPED: [&str; 11] = [
    "forwarded",
    "x-forwarded",
    "x-host",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    "x-real-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];
const FORWARDED_PREFIX: &str = "x-forwarded-";

/// Checks line, headers and path of a request.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub(super) fn check(parts: &Parts, limits: &Limits) -> Result<(), Refusal> {
    check_method(&parts.method)?;
    if parts.uri.path_and_query().map_or(0, |target| target.as_str().len()) > limits.uri_bytes {
        return Err(Refusal::UriTooLong);
    }
    check_path(parts.uri.path())?;
    check_headers(parts, limits)
}

/// Removes what must not influence anything, after the client's address was taken from it.
pub(super) fn strip(headers: &mut HeaderMap) {
    let stripped: Vec<HeaderName> = headers.keys().filter(|name| is_stripped(name)).cloned().collect();
    for name in stripped {
        headers.remove(name);
    }
}

fn is_stripped(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with(FORWARDED_PREFIX) || STRIPPED.contains(&name)
}

/// RFC 9110 §9.3.8: `TRACE` would reflect credentials; §9.3.6: this is no proxy.
fn check_method(method: &Method) -> Result<(), Refusal> {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => Ok(()),
        _ => Err(Refusal::Method),
    }
}

/// RFC 3986 §5.2.4: a client resolves dot segments itself. What still has them, plain or encoded, wants
/// two parties to see two paths (HTP-12).
fn check_path(path: &str) -> Result<(), Refusal> {
    if !path.contains(['%', '\\']) && !path.contains("/.") {
        return Ok(());
    }
    let lower = path.to_ascii_lowercase();
    let hostile = lower.contains('\\')
        || lower.contains("%5c")
        || lower.contains("%00")
        || lower.contains("%0a")
        || lower.contains("%0d")
        || lower.split('/').any(is_dot_segment);
    if hostile { Err(Refusal::Path) } else { Ok(()) }
}

fn is_dot_segment(segment: &str) -> bool {
    match segment {
        "." | ".." | "%2e" | "%2e." | ".%2e" | "%2e%2e" => true,
        _ => segment.starts_with("..;"),
    }
}

fn check_headers(parts: &Parts, limits: &Limits) -> Result<(), Refusal> {
    let (mut size, mut hosts, mut authorizations, mut content_types) = (0, 0, 0, 0);
    for (name, value) in &parts.headers {
        size += name.as_str().len() + value.len() + 32; // RFC 9113 §6.5.2 counts 32 per field
        match *name {
            header::HOST => hosts += 1,
            header::AUTHORIZATION => authorizations += 1,
            header::CONTENT_TYPE => content_types += 1,
            _ => {}
        }
    }
    if size > limits.header_bytes {
        return Err(Refusal::HeadersTooLarge);
    }
    check_host(parts, hosts)?;
    if authorizations > 1 {
        return Err(Refusal::AuthorizationRepeated);
    }
    if content_types > 1 {
        return Err(Refusal::ContentTypeRepeated);
    }
    check_content_encoding(&parts.headers)
}

/// RFC 9112 §3.2: a server MUST answer 400 to an HTTP/1.1 request that lacks `Host` or has more than one.
/// RFC 9113 §8.3.1: `Host` must not differ from `:authority`.
fn check_host(parts: &Parts, hosts: usize) -> Result<(), Refusal> {
    match parts.version {
        Version::HTTP_11 if hosts != 1 => Err(Refusal::Host),
        _ if hosts > 1 => Err(Refusal::Host),
        Version::HTTP_2 => {
            let (host, authority) = (parts.headers.get(header::HOST), parts.uri.authority());
            match (host, authority) {
                (Some(host), Some(authority))
                    if !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()) =>
                {
                    Err(Refusal::Host)
                }
                (None, None) => Err(Refusal::Host),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Nothing here decompresses, so nothing can be made to (HTP-15).
fn check_content_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let compressed = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if compressed { Err(Refusal::ContentEncoding) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(build: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Parts {
        build(Request::builder().uri("/x")).body(()).unwrap().into_parts().0
    }

    #[test]
    fn htp_12_dot_segments_in_any_spelling_are_refused() {
        for path in
            ["/a/../b", "/a/./b", "/a/%2e%2E/b", "/a/.%2e/b", "/a/..;/b", "/a%5Cb", "/a%00", "/a%0d%0ab"]
        {
            assert_eq!(check_path(path), Err(Refusal::Path), "{path}");
        }
        for path in ["/", "/a/b", "/.well-known/x", "/a/https%3A%2F%2Fclient.example%2Fmeta.json", "/a..b"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn hst_14_http_11_wants_exactly_one_host() {
        let limits = Limits::default();
        assert_eq!(check(&parts(|r| r), &limits), Err(Refusal::Host));
        assert_eq!(check(&parts(|r| r.header("host", "a").header("host", "a")), &limits), Err(Refusal::Host));
        assert_eq!(check(&parts(|r| r.header("host", "a")), &limits), Ok(()));
        assert_eq!(check(&parts(|r| r.version(Version::HTTP_10)), &limits), Ok(()));
    }

    #[test]
    fn hst_14_http_2_host_must_be_the_authority() {
        let two = |host: &'static str| {
            parts(|r| r.version(Version::HTTP_2).uri("https://a.example/x").header("host", host))
        };
        assert_eq!(check(&two("b.example"), &Limits::default()), Err(Refusal::Host));
        assert_eq!(check(&two("A.example"), &Limits::default()), Ok(()));
    }

    #[test]
    fn hst_04_to_11_forwarding_headers_and_overrides_never_reach_a_handler() {
        let mut parts = parts(|r| {
            let mut r = r.header("host", "a").header("x-correlation-id", "kept");
            for name in STRIPPED {
                r = r.header(name, "evil.example");
            }
            r.header("x-forwarded-proto", "http").header("x-forwarded-server", "evil.example")
        });
        strip(&mut parts.headers);
        let left: Vec<_> = parts.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["host", "x-correlation-id"]);
    }
}

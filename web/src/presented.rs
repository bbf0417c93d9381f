//! Credentials as a request presents them.

use http::{HeaderMap, HeaderName, header};
use protocol::client_auth::Presented;
use protocol::confirmation::TokenType;
use protocol::error::{Reason, Refusal};
use protocol::resource_request::in_header;

/// What a client presents beside its parameters.
///
/// # Errors
/// Two `Authorization` headers (RFC 9110 §11.6.2 knows one; attack CAU-19) or two proofs, or one that is not text.
pub(crate) fn presented(headers: &HeaderMap) -> Result<Presented<'_>, Refusal> {
    let authorization = authorization(headers, Reason::ClientAuthenticationTwice)?;
    Ok(Presented { authorization, dpop: dpop(headers)? })
}

/// What a request presents at a protected resource.
///
/// # Errors
/// As [`presented`].
pub(crate) fn presented_token(headers: &HeaderMap) -> Result<Presented<'_>, Refusal> {
    let authorization = authorization(headers, Reason::TokenTwice)?;
    Ok(Presented { authorization, dpop: dpop(headers)? })
}

/// The token of a `Bearer` header (RFC 6750 §2.1), if there is such a header.
///
/// # Errors
/// Two `Authorization` headers, or one that is not text.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let found = in_header(authorization(headers, Reason::TokenTwice)?);
    Ok(found.filter(|(scheme, _)| *scheme == TokenType::Bearer).map(|(_, token)| token))
}

fn authorization(headers: &HeaderMap, repeated: Reason) -> Result<Option<&str>, Refusal> {
    one(headers, &header::AUTHORIZATION, repeated, Reason::AuthorizationHeaderMalformed)
}

/// "There is not more than one DPoP HTTP request header field" (RFC 9449 §4.3 (1); attack DPO-11).
fn dpop(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    const DPOP: HeaderName = HeaderName::from_static("dpop");
    one(headers, &DPOP, Reason::DpopProofTwice, Reason::DpopProofMalformed)
}

fn one<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    repeated: Reason,
    malformed: Reason,
) -> Result<Option<&'h str>, Refusal> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Refusal::new(repeated).received("two headers").expected("one"));
    }
    line.to_str().map(Some).map_err(|_| malformed.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn cau_19_two_authorization_headers_are_refused_even_when_equal() {
        let twice = headers(&[b"Basic YTpi", b"Basic YTpi"]);
        assert_eq!(presented(&twice).err().unwrap().reason, Reason::ClientAuthenticationTwice);
        assert_eq!(bearer(&twice).unwrap_err().reason, Reason::TokenTwice);
    }

    #[test]
    fn cau_09_a_header_that_is_not_text_is_refused_not_a_crash() {
        let broken = headers(&[b"Basic \xff\xfe"]);
        assert_eq!(presented(&broken).err().unwrap().reason, Reason::AuthorizationHeaderMalformed);
        assert!(bearer(&broken).is_err());
    }

    #[test]
    fn rfc6750_2_1_only_the_bearer_scheme_carries_a_token() {
        for (line, token) in [
            (&b"Bearer abc"[..], Some("abc")),
            (b"bearer abc", Some("abc")),
            (b"BEARER  abc", Some("abc")),
            (b"Bearer", None),
            (b"Bearer ", None),
            (b"Basic YTpi", None),
            (b"DPoP abc", None),
        ] {
            assert_eq!(bearer(&headers(&[line])).unwrap(), token, "{}", line.escape_ascii());
        }
        assert_eq!(bearer(&HeaderMap::new()).unwrap(), None);
    }
}

//! Request parameters as sent: parsed once, duplicates refused (RFC 6749 §3.1, §3.2).

use crate::error::{Reason, Refusal};

/// Most parameters in one request (attack HTP-08) and longest single value, in bytes.
pub const MAX_PARAMS: usize = 200;
pub const MAX_VALUE_BYTES: usize = 128 * 1024;

/// Parameters that may be sent more than once (RFC 8707 §2, RFC 8693 §2.1).
const REPEATABLE: &[&str] = &["resource", "audience"];

/// The parameters of one request, in the order sent. Values may be secret: there is no `Debug`.
#[derive(Clone, Default, PartialEq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Parses `application/x-www-form-urlencoded` text, of a body or a query.
    ///
    /// Parameters sent without a value are treated as omitted (RFC 6749 §3.1).
    ///
    /// # Errors
    /// A parameter sent twice, broken percent-encoding or UTF-8, a NUL character, too many or too long ones.
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        let mut params = Self::default();
        for pair in text.split(|b| *b == b'&').filter(|p| !p.is_empty()) {
            if params.0.len() >= MAX_PARAMS {
                return Err(Refusal::new(Reason::TooManyParameters).expected(format!("at most {MAX_PARAMS}")));
            }
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = form_decode(halves.next().unwrap_or_default())?;
            let value = form_decode(halves.next().unwrap_or_default())?;
            if value.len() > MAX_VALUE_BYTES {
                return Err(Refusal::new(Reason::ParameterTooLong).parameter(&name));
            }
            params.push(name, value)?;
        }
        Ok(params)
    }

    /// Adds one decoded parameter under the same rules as [`Params::parse`].
    pub fn push(&mut self, name: String, value: String) -> Result<(), Refusal> {
        if self.0.iter().any(|(n, _)| *n == name) && !REPEATABLE.contains(&name.as_str()) {
            return Err(Refusal::new(Reason::ParameterRepeated).parameter(&name));
        }
        self.0.push((name, value));
        Ok(())
    }

    /// The value, if sent and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// Every non-empty value of a parameter that may be repeated.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The encoded form, for starting the same request again.
    pub fn to_query(&self) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.0 {
            out.append_pair(name, value);
        }
        out.finish()
    }
}

/// Decodes one `application/x-www-form-urlencoded` name or value (RFC 6749 appendix B).
///
/// # Errors
/// Broken percent-encoding or UTF-8, a NUL character.
pub fn form_decode(encoded: &[u8]) -> Result<String, Refusal> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = (bytes.next().and_then(hex), bytes.next().and_then(hex));
                let (Some(high), Some(low)) = digits else {
                    return Err(Refusal::new(Reason::BrokenEncoding));
                };
                out.push(high * 16 + low);
            }
            other => out.push(other),
        }
    }
    if out.contains(&0) {
        return Err(Refusal::new(Reason::BrokenEncoding));
    }
    String::from_utf8(out).map_err(|_| Refusal::new(Reason::BrokenEncoding))
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aut_05_cod_16_tok_09_a_parameter_sent_twice_is_refused() {
        let refusal = Params::parse(b"client_id=a&client_id=b").err().unwrap();
        assert_eq!(refusal.reason, Reason::ParameterRepeated);
        assert!(Params::parse(b"client_id=a&client_id=a").is_err());
        assert_eq!(Params::parse(b"resource=a&resource=b").ok().unwrap().all("resource").count(), 2);
    }

    #[test]
    fn rfc6749_3_1_empty_means_omitted_and_encoding_is_strict() {
        let params = Params::parse(b"a=&b=x%20y+z&=&c").ok().unwrap();
        assert_eq!(params.get("a"), None);
        assert_eq!(params.get("b"), Some("x y z"));
        for bad in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"a=%00"] {
            assert!(Params::parse(bad).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics_and_what_was_parsed_is_the_same_again(
            text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64),
            pairs in "([a-c]?=?(%[0-9a-f]{2}|x)?&){0,4}",
        ) {
            for text in [text.as_slice(), pairs.as_bytes()] {
                if let Ok(params) = Params::parse(text) {
                    proptest::prop_assert!(Params::parse(params.to_query().as_bytes()).ok() == Some(params));
                }
            }
        }
    }
}

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::cell::OnceCell;

use crate::{Algorithm, Error, Jwk, VerifyingKey, base64url, parse_object, sha256};

/// Bytes that a token may have.
pub const MAX_JWT_BYTES: usize = 64 * 1024;

/// Keys that [`UnverifiedJwt::verify_any`] tries at most.
pub const MAX_CANDIDATE_KEYS: usize = 16;

/// The JOSE header of a compact JWS (RFC 7515 §4.1), unverified.
///
/// `jku`, `jwk`, `x5u` and `x5c` are read so that protocols which define a use for them can look (RFC 9449 §4.2);
/// no key is ever taken from here to check the token itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Header {
    /// As it stands in the token; see [`Header::algorithm`].
    pub alg: String,
    pub kid: Option<String>,
    pub typ: Option<String>,
    pub cty: Option<String>,
    pub crit: Option<Vec<String>>,
    pub jku: Option<String>,
    pub jwk: Option<Jwk>,
    pub x5u: Option<String>,
    pub x5c: Option<Vec<String>>,
    pub x5t_s256: Option<String>,
}

impl Header {
    /// The algorithm that `alg` names, if it is implemented.
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::parse(&self.alg)
    }

    /// Whether `typ` is this media type. The prefix `application/` may be left out and case does not matter
    /// (RFC 7515 §4.1.9).
    pub fn is_type(&self, typ: &str) -> bool {
        self.typ.as_deref().is_some_and(|mine| subtype(mine).eq_ignore_ascii_case(subtype(typ)))
    }

    fn parse(json: &[u8]) -> Result<Header, Error> {
        let mut members = parse_object(json)?;
        Ok(Header {
            alg: take(&mut members, "alg")?.ok_or(Error::Header("alg"))?,
            kid: take(&mut members, "kid")?,
            typ: take(&mut members, "typ")?,
            cty: take(&mut members, "cty")?,
            crit: take(&mut members, "crit")?,
            jku: take(&mut members, "jku")?,
            jwk: take(&mut members, "jwk")?,
            x5u: take(&mut members, "x5u")?,
            x5c: take(&mut members, "x5c")?,
            x5t_s256: take(&mut members, "x5t#S256")?,
        })
    }
}

/// A token whose form is right and whose content nobody has vouched for.
pub struct UnverifiedJwt<'a> {
    token: &'a str,
    signing_input: &'a str,
    header: Header,
    payload: Vec<u8>,
    signature: Vec<u8>,
    digest: OnceCell<[u8; 32]>,
}

impl<'a> UnverifiedJwt<'a> {
    /// Reads a compact JWS (RFC 7515 §7.1): at most [`MAX_JWT_BYTES`], three parts in canonical base64url, a header
    /// that is a JSON object without repeated members. The signature part may be empty, as it is in an unsecured
    /// JWS; such a token can be looked at and never verified.
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::NotCompact`] before anything is allocated; [`Error::Base64Url`],
    /// [`Error::Json`], [`Error::DuplicateMember`], [`Error::TooDeep`] or [`Error::Header`] after.
    pub fn parse(token: &'a str) -> Result<Self, Error> {
        if token.len() > MAX_JWT_BYTES {
            return Err(Error::TooLarge);
        }
        if token.bytes().filter(|&byte| byte == b'.').count() != 2 {
            return Err(Error::NotCompact);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Error::NotCompact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Error::NotCompact)?;
        Ok(UnverifiedJwt {
            token,
            signing_input,
            header: Header::parse(&base64url::decode(header)?)?,
            payload: base64url::decode(payload)?,
            signature: base64url::decode(signature)?,
            digest: OnceCell::new(),
        })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The claims as they stand, to find out whose key to ask for. Nothing else may be decided by them.
    pub fn unverified_claims(&self) -> Result<Map<String, Value>, Error> {
        parse_object(&self.payload)
    }

    /// Checks the signature with `key`.
    ///
    /// # Errors
    /// - [`Error::UnsupportedAlgorithm`]: `alg` is `none` or unknown (RFC 8725 §3.2).
    /// - [`Error::AlgorithmNotAllowed`]: it is not in `allowed` (RFC 8725 §3.1).
    /// - [`Error::UnknownCritical`]: there is a `crit` (RFC 7515 §4.1.11).
    /// - [`Error::KeyMismatch`]: the key is for other algorithms.
    /// - [`Error::BadSignature`]: the signature does not hold.
    /// - [`Error::Json`] and its siblings: it holds, and the claims are not a strict JSON object.
    pub fn verify(&self, key: &VerifyingKey, allowed: &[Algorithm]) -> Result<VerifiedJwt, Error> {
        let algorithm = self.accepted_algorithm(allowed)?;
        key.verify(algorithm, self.signing_input.as_bytes(), &self.signature)?;
        self.verified()
    }

    /// Checks the signature with the one of `keys` that made it. A `kid` in the header is only compared with the
    /// keys' own; it must match one. Without `kid` every key that fits `alg` is tried, and in either case no more
    /// than [`MAX_CANDIDATE_KEYS`].
    ///
    /// # Errors
    /// Those of [`UnverifiedJwt::verify`], and [`Error::UnknownKey`] when no key has the `kid`.
    pub fn verify_any(&self, keys: &[VerifyingKey], allowed: &[Algorithm]) -> Result<VerifiedJwt, Error> {
        let algorithm = self.accepted_algorithm(allowed)?;
        let kid = self.header.kid.as_deref();
        let mut candidates = keys.iter().filter(|key| kid.is_none() || key.kid() == kid).peekable();
        if candidates.peek().is_none() {
            return Err(Error::UnknownKey);
        }
        let mut refusal = Error::KeyMismatch;
        let fitting = candidates.filter(|key| key.algorithms().contains(&algorithm));
        for key in fitting.take(MAX_CANDIDATE_KEYS) {
            match key.verify(algorithm, self.signing_input.as_bytes(), &self.signature) {
                Ok(()) => return self.verified(),
                Err(why) => refusal = why,
            }
        }
        Err(refusal)
    }

    /// SHA-256 of the token as it stands, signature included.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| sha256(self.token.as_bytes()))
    }

    /// [`UnverifiedJwt::verify_any`], and the proof of it: checking an ES256 signature costs 38 µs, remembering that
    /// it was checked two.
    ///
    /// # Errors
    /// Those of [`UnverifiedJwt::verify_any`].
    pub fn vouch(
        &self,
        keys: &[VerifyingKey],
        allowed: &[Algorithm],
    ) -> Result<(VerifiedJwt, Vouched), Error> {
        self.verify_any(keys, allowed).map(|verified| (verified, Vouched(self.digest())))
    }

    /// The same token again, whose signature held before. Whoever keeps the proof answers for the keys being the same.
    ///
    /// # Errors
    /// [`Error::BadSignature`] when the proof is for another token, be it by one character.
    pub fn accept(&self, proof: Vouched) -> Result<VerifiedJwt, Error> {
        if proof.0 == self.digest() { self.verified() } else { Err(Error::BadSignature) }
    }

    fn accepted_algorithm(&self, allowed: &[Algorithm]) -> Result<Algorithm, Error> {
        let algorithm = self.header.algorithm().ok_or(Error::UnsupportedAlgorithm)?;
        if !allowed.contains(&algorithm) {
            return Err(Error::AlgorithmNotAllowed);
        }
        // RFC 7515 §4.1.11: whoever does not implement a critical extension must refuse; none is implemented.
        if self.header.crit.is_some() {
            return Err(Error::UnknownCritical);
        }
        Ok(algorithm)
    }

    fn verified(&self) -> Result<VerifiedJwt, Error> {
        Ok(VerifiedJwt { header: self.header.clone(), claims: parse_object(&self.payload)? })
    }
}

impl std::fmt::Debug for UnverifiedJwt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedJwt").field("header", &self.header).finish_non_exhaustive()
    }
}

/// That the signature of one token held. Only [`UnverifiedJwt::vouch`] makes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vouched([u8; 32]);

impl Vouched {
    /// [`UnverifiedJwt::digest`] of the token.
    pub fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A token whose signature holds. Its times, issuer and audience are still to be judged.
///
/// Only this room can make one.
#[derive(Clone)]
#[non_exhaustive]
pub struct VerifiedJwt {
    pub header: Header,
    pub claims: Map<String, Value>,
}

impl VerifiedJwt {
    /// A claim that is a string; `None` when it is missing or of another type.
    pub fn str(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// A claim that is a whole number; `None` when it is missing or of another type. For `exp`, `nbf` and `iat`
    /// use [`VerifiedJwt::numeric_date`], which tells the two apart.
    pub fn i64(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim)?.as_i64()
    }

    /// A NumericDate in whole seconds since 1970, fractions cut off (RFC 7519 §2). `None` only when the claim is
    /// missing: a time that is no number must not pass for no time at all.
    ///
    /// # Errors
    /// [`Error::Claim`] when it is not a number, negative, or beyond the year 9999.
    pub fn numeric_date(&self, claim: &str) -> Result<Option<i64>, Error> {
        const END_OF_9999: f64 = 253_402_300_799.0;
        let Some(value) = self.claims.get(claim) else { return Ok(None) };
        match value.as_f64() {
            Some(seconds) if (0.0..=END_OF_9999).contains(&seconds) => Ok(Some(seconds as i64)),
            _ => Err(Error::Claim),
        }
    }

    /// The values of `aud`, which may be one string or an array of them (RFC 7519 §4.1.3). Empty when it is missing
    /// or anything else is in it.
    pub fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => {
                many.iter().map(Value::as_str).collect::<Option<Vec<_>>>().unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

impl std::fmt::Debug for VerifiedJwt {
    /// Without the claims, which are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedJwt").field("header", &self.header).finish_non_exhaustive()
    }
}

/// Takes a header parameter; of the wrong type it is an error, `null` included.
pub(crate) fn take<T: DeserializeOwned>(
    members: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<T>, Error> {
    let Some(value) = members.remove(name) else { return Ok(None) };
    serde_json::from_value(value).map(Some).map_err(|_| Error::Header(name))
}

/// A media type without its prefix `application/`, when nothing but the subtype follows.
fn subtype(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') => rest,
        _ => typ,
    }
}

#[cfg(test)]
mod tests;

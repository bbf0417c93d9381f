//! JSON Web Encryption in the compact serialization (RFC 7516), with the algorithms of RFC 7518 §4 and §5.
//!
//! Whoever decrypts says which keys and which algorithms may be used. A header with `zip` (RFC 8725 §3.6), with
//! `crit`, or with the parameters of a password (RFC 8725 §3.5: the sender would choose the work) is refused before
//! any key is touched. What fails afterwards fails as [`Error::NotDecrypted`], whatever the reason (RFC 7516 §11.5).

mod agreement;
mod algorithm;
mod content;
mod decryption_key;
mod encryption_key;
mod key_wrap;

pub use algorithm::{ContentEncryption, KeyManagement};
pub use decryption_key::DecryptionKey;
pub use encryption_key::{ContentType, EncryptionKey};

use crate::jwt::take;
use crate::{Error, Jwk, MAX_CANDIDATE_KEYS, base64url, parse_object};
use zeroize::Zeroizing;

/// Bytes that an encrypted token may have: room for a signed one of [`crate::MAX_JWT_BYTES`] inside.
pub const MAX_JWE_BYTES: usize = 96 * 1024;

/// The JOSE header of a compact JWE (RFC 7516 §4.1).
#[derive(Debug, Clone, PartialEq)]
pub struct JweHeader {
    /// As it stands in the token.
    pub alg: String,
    /// As it stands in the token.
    pub enc: String,
    pub kid: Option<String>,
    pub typ: Option<String>,
    pub cty: Option<String>,
    epk: Option<Jwk>,
    apu: Option<String>,
    apv: Option<String>,
}

impl JweHeader {
    /// A header with nothing but its algorithms.
    fn of(alg: KeyManagement, enc: ContentEncryption) -> JweHeader {
        JweHeader {
            alg: alg.name().to_owned(),
            enc: enc.name().to_owned(),
            kid: None,
            typ: None,
            cty: None,
            epk: None,
            apu: None,
            apv: None,
        }
    }

    fn parse(json: &[u8]) -> Result<JweHeader, Error> {
        let mut members = parse_object(json)?;
        for name in ["zip", "p2s", "p2c"] {
            if members.contains_key(name) {
                return Err(Error::Header(name));
            }
        }
        // RFC 7516 §4.1.13: no extension is implemented.
        if members.contains_key("crit") {
            return Err(Error::UnknownCritical);
        }
        Ok(JweHeader {
            alg: take(&mut members, "alg")?.ok_or(Error::Header("alg"))?,
            enc: take(&mut members, "enc")?.ok_or(Error::Header("enc"))?,
            kid: take(&mut members, "kid")?,
            typ: take(&mut members, "typ")?,
            cty: take(&mut members, "cty")?,
            epk: take(&mut members, "epk")?,
            apu: take(&mut members, "apu")?,
            apv: take(&mut members, "apv")?,
        })
    }
}

/// An encrypted token whose form is right.
pub struct Jwe<'a> {
    /// The additional authenticated data: the header as it was sent (RFC 7516 §5.1 step 14).
    protected: &'a str,
    header: JweHeader,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl<'a> Jwe<'a> {
    /// Whether `token` has the five parts of a compact JWE (RFC 7516 §9).
    pub fn is_jwe(token: &str) -> bool {
        token.bytes().filter(|&byte| byte == b'.').count() == 4
    }

    /// Reads a compact JWE (RFC 7516 §7.1): at most [`MAX_JWE_BYTES`], five parts in canonical base64url, a header
    /// that is a JSON object without repeated members.
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::NotCompact`] before anything is allocated; [`Error::Base64Url`],
    /// [`Error::Json`], [`Error::DuplicateMember`], [`Error::TooDeep`], [`Error::UnknownCritical`] or
    /// [`Error::Header`] after.
    pub fn parse(token: &'a str) -> Result<Self, Error> {
        if token.len() > MAX_JWE_BYTES {
            return Err(Error::TooLarge);
        }
        let mut parts = token.split('.');
        let mut part = || parts.next().ok_or(Error::NotCompact);
        let (protected, encrypted_key, iv, ciphertext, tag) = (part()?, part()?, part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(Error::NotCompact);
        }
        Ok(Jwe {
            protected,
            header: JweHeader::parse(&base64url::decode(protected)?)?,
            encrypted_key: base64url::decode(encrypted_key)?,
            iv: base64url::decode(iv)?,
            ciphertext: base64url::decode(ciphertext)?,
            tag: base64url::decode(tag)?,
        })
    }

    pub fn header(&self) -> &JweHeader {
        &self.header
    }

    /// The content, decrypted with one of `keys`: the one of the header's `kid`, or without a `kid` any that fits.
    ///
    /// # Errors
    /// [`Error::UnsupportedAlgorithm`], [`Error::AlgorithmNotAllowed`] and [`Error::UnknownKey`] by what the header
    /// says; else [`Error::NotDecrypted`].
    pub fn decrypt(
        &self,
        keys: &[DecryptionKey],
        algorithms: &[KeyManagement],
        encryptions: &[ContentEncryption],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let alg = KeyManagement::parse(&self.header.alg).ok_or(Error::UnsupportedAlgorithm)?;
        let enc = ContentEncryption::parse(&self.header.enc).ok_or(Error::UnsupportedAlgorithm)?;
        if !algorithms.contains(&alg) || !encryptions.contains(&enc) {
            return Err(Error::AlgorithmNotAllowed);
        }
        let named = |key: &&DecryptionKey| self.header.kid.as_deref().is_none_or(|kid| key.kid() == kid);
        let fitting = keys.iter().filter(named).filter(|key| key.fits(alg));
        let mut candidates = fitting.take(MAX_CANDIDATE_KEYS).peekable();
        if candidates.peek().is_none() {
            return Err(Error::UnknownKey);
        }
        candidates.find_map(|key| self.decrypt_with(key, alg, enc).ok()).ok_or(Error::NotDecrypted)
    }

    fn decrypt_with(
        &self,
        key: &DecryptionKey,
        alg: KeyManagement,
        enc: ContentEncryption,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let cek = key.content_key(&self.header, alg, enc, &self.encrypted_key)?;
        enc.open(&cek, &self.iv, self.protected.as_bytes(), &self.ciphertext, &self.tag)
    }
}

impl std::fmt::Debug for Jwe<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwe").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

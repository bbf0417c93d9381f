use aws_lc_rs::agreement::PrivateKey;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey, PublicEncryptingKey,
    PublicKeyComponents,
};
use serde::Serialize;
use zeroize::Zeroizing;

use super::agreement::{self, Curve};
use super::{ContentEncryption, JweHeader, KeyManagement, key_wrap};
use crate::{Error, Jwk, base64url};

/// A public key that one encrypts to, parsed once.
pub struct EncryptionKey {
    kid: Option<String>,
    /// `alg` of the key: it is for no other.
    pinned: Option<KeyManagement>,
    public: Public,
}

enum Public {
    Rsa(Box<OaepPublicEncryptingKey>),
    Ec(Curve, Box<Jwk>),
}

/// What is said about the content (RFC 7516 §4.1.11, §4.1.12).
#[derive(Debug, Clone, Copy, Default)]
pub struct ContentType<'a> {
    pub typ: Option<&'a str>,
    /// `JWT` for a nested one (RFC 7519 §5.2).
    pub cty: Option<&'a str>,
}

impl EncryptionKey {
    /// The public key of a JWK for encryption. An `alg` in it pins the key to that algorithm (RFC 7517 §4.4).
    ///
    /// # Errors
    /// Those of [`Jwk::validate`], and [`Error::InvalidKey`] when `use`, `key_ops` or `alg` say that the key is for
    /// something else (RFC 7517 §4.2, §4.3).
    pub fn from_jwk(jwk: &Jwk) -> Result<EncryptionKey, Error> {
        jwk.validate()?;
        if jwk.use_.as_deref().is_some_and(|use_| use_ != "enc") {
            return Err(Error::InvalidKey("use is not enc"));
        }
        let encrypts =
            |op: &String| matches!(op.as_str(), "encrypt" | "wrapKey" | "deriveKey" | "deriveBits");
        if jwk.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(encrypts)) {
            return Err(Error::InvalidKey("key_ops lack encryption"));
        }
        let pinned = match jwk.alg.as_deref() {
            None => None,
            Some(name) => {
                let known = KeyManagement::parse(name).filter(|alg| alg.key_type() == jwk.kty);
                Some(known.ok_or(Error::InvalidKey("alg is not for encryption with this key"))?)
            }
        };
        let public = match jwk.kty.as_str() {
            "RSA" => {
                let (n, e) = jwk.rsa_components()?;
                let key: PublicEncryptingKey = PublicKeyComponents { n, e }.try_into()?;
                Public::Rsa(Box::new(OaepPublicEncryptingKey::new(key)?))
            }
            _ => Public::Ec(Curve::of(jwk)?, Box::new(jwk.clone())),
        };
        Ok(EncryptionKey { kid: jwk.kid.clone(), pinned, public })
    }

    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether it may be used with `alg`.
    pub fn fits(&self, alg: KeyManagement) -> bool {
        let kty = match self.public {
            Public::Rsa(_) => "RSA",
            Public::Ec(..) => "EC",
        };
        alg.key_type() == kty && self.pinned.is_none_or(|pinned| pinned == alg)
    }

    /// A compact JWE of `plain` (RFC 7516 §5.1).
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] when the key is not for `alg`.
    pub fn encrypt(
        &self,
        alg: KeyManagement,
        enc: ContentEncryption,
        content: ContentType<'_>,
        plain: &[u8],
    ) -> Result<String, Error> {
        if !self.fits(alg) {
            return Err(Error::KeyMismatch);
        }
        let sent = self.send_key(alg, enc)?;
        let header = HeaderOut {
            alg,
            enc,
            kid: self.kid(),
            typ: content.typ,
            cty: content.cty,
            epk: sent.epk.as_ref(),
        };
        let protected = base64url::encode(&serde_json::to_vec(&header).map_err(|_| Error::Json)?);
        let sealed = enc.seal(&sent.content_key, protected.as_bytes(), plain)?;
        let mut token = protected;
        for part in [&sent.encrypted_key, &sealed.iv, &sealed.ciphertext, &sealed.tag] {
            token.push('.');
            base64url::encode_into(part, &mut token);
        }
        Ok(token)
    }

    /// Makes a content encryption key and what the recipient needs to have it too.
    fn send_key(&self, alg: KeyManagement, enc: ContentEncryption) -> Result<SentKey, Error> {
        match &self.public {
            Public::Rsa(key) => {
                let content_key = enc.random_key()?;
                let mut encrypted_key = vec![0; key.ciphertext_size()];
                key.encrypt(oaep(alg), &content_key, &mut encrypted_key, None)?;
                Ok(SentKey { content_key, encrypted_key, epk: None })
            }
            Public::Ec(curve, jwk) => {
                let ephemeral = PrivateKey::generate(curve.library())?;
                let epk = Some(agreement::public_jwk(*curve, &ephemeral)?);
                let derived = agreement::derive(*curve, &ephemeral, jwk, alg, enc, &JweHeader::of(alg, enc))?;
                if alg.wrapping_key_len().is_none() {
                    return Ok(SentKey { content_key: derived, encrypted_key: Vec::new(), epk });
                }
                let content_key = enc.random_key()?;
                let encrypted_key = key_wrap::wrap(&derived, &content_key)?;
                Ok(SentKey { content_key, encrypted_key, epk })
            }
        }
    }
}

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncryptionKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

struct SentKey {
    content_key: Zeroizing<Vec<u8>>,
    encrypted_key: Vec<u8>,
    epk: Option<Jwk>,
}

#[derive(Serialize)]
struct HeaderOut<'a> {
    alg: KeyManagement,
    enc: ContentEncryption,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cty: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epk: Option<&'a Jwk>,
}

/// The hash of RSA-OAEP: SHA-1 by its old name (RFC 7518 §4.3).
pub(super) fn oaep(alg: KeyManagement) -> &'static OaepAlgorithm {
    match alg {
        KeyManagement::RsaOaep => &OAEP_SHA1_MGF1SHA1,
        _ => &OAEP_SHA256_MGF1SHA256,
    }
}

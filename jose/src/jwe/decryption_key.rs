use aws_lc_rs::agreement::PrivateKey;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa;
use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::RsaKeyPair;
use zeroize::Zeroizing;

use super::agreement::{self, Curve};
use super::encryption_key::oaep;
use super::{ContentEncryption, JweHeader, KeyManagement, key_wrap};
use crate::signing_key::{private_member, random_kid, rejected, rsa_from_jwk, rsa_public_jwk};
use crate::{Error, Jwk, Secret};

/// A key that decrypts what was encrypted to it, parsed once. Shared freely between threads.
pub struct DecryptionKey {
    kid: String,
    public: Jwk,
    private: Private,
}

enum Private {
    Rsa(Box<OaepPrivateDecryptingKey>),
    Ec(Curve, Box<PrivateKey>),
    Secret(Secret<Vec<u8>>),
}

impl DecryptionKey {
    /// A new `kid` and PKCS#8 document for `alg`: RSA of 2048 bits, or P-256. Read it with
    /// [`DecryptionKey::from_pkcs8`].
    ///
    /// An RSA key takes tens of milliseconds or more: make it away from requests.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] for an algorithm of shared secrets.
    pub fn generate(alg: KeyManagement) -> Result<(String, Zeroizing<Vec<u8>>), Error> {
        let der: Pkcs8V1Der<'_> = match alg.key_type() {
            "RSA" => rsa::KeyPair::generate(KeySize::Rsa2048)?.as_der()?,
            "EC" => PrivateKey::generate(Curve::P256.library())?.as_der()?,
            _ => return Err(Error::KeyMismatch),
        };
        Ok((random_kid()?, Zeroizing::new(der.as_ref().to_vec())))
    }

    /// The key in a PKCS#8 document (RFC 5208), RSA or P-256 by the algorithm that it was made for.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] when it is malformed or for another algorithm.
    pub fn from_pkcs8(alg: KeyManagement, kid: &str, der: &[u8]) -> Result<DecryptionKey, Error> {
        match alg.key_type() {
            "RSA" => DecryptionKey::rsa(kid, der),
            "EC" => {
                let key = PrivateKey::from_private_key_der(Curve::P256.library(), der).map_err(rejected)?;
                DecryptionKey::ec(kid, Curve::P256, key)
            }
            _ => Err(Error::KeyMismatch),
        }
    }

    /// The key in a private JWK of any implemented kind; a secret is one of `dir` and `A*KW`. A `kid` is required.
    pub fn from_jwk(jwk: &Jwk) -> Result<DecryptionKey, Error> {
        let kid = jwk.kid.as_deref().ok_or(Error::InvalidKey("kid is missing"))?;
        match jwk.kty.as_str() {
            "RSA" => {
                let der: Pkcs8V1Der<'_> = rsa_from_jwk(jwk)?.as_der()?;
                DecryptionKey::rsa(kid, der.as_ref())
            }
            "EC" => {
                let (curve, d) = (Curve::of(jwk)?, private_member(&jwk.d)?);
                let key = PrivateKey::from_private_key(curve.library(), &d).map_err(rejected)?;
                DecryptionKey::ec(kid, curve, key)
            }
            "oct" => {
                let public = Jwk { kty: "oct".to_owned(), ..Jwk::default() };
                let private = Private::Secret(Secret::new(private_member(&jwk.k)?.to_vec()));
                Ok(DecryptionKey::new(kid, public, private))
            }
            _ => Err(Error::InvalidKey("not a kind of key for encryption")),
        }
    }

    fn rsa(kid: &str, der: &[u8]) -> Result<DecryptionKey, Error> {
        let public = rsa_public_jwk(&RsaKeyPair::from_pkcs8(der).map_err(rejected)?);
        let key = PrivateDecryptingKey::from_pkcs8(der).map_err(rejected)?;
        public.validate()?;
        Ok(DecryptionKey::new(kid, public, Private::Rsa(Box::new(OaepPrivateDecryptingKey::new(key)?))))
    }

    fn ec(kid: &str, curve: Curve, key: PrivateKey) -> Result<DecryptionKey, Error> {
        let public = agreement::public_jwk(curve, &key)?;
        Ok(DecryptionKey::new(kid, public, Private::Ec(curve, Box::new(key))))
    }

    fn new(kid: &str, mut public: Jwk, private: Private) -> DecryptionKey {
        public.kid = Some(kid.to_owned());
        public.use_ = Some("enc".to_owned());
        DecryptionKey { kid: kid.to_owned(), public, private }
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key with `kid` and `use: enc`. It has no `alg`: every algorithm of its kind may be used with it.
    pub fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    /// Whether it may be used with `alg`.
    pub fn fits(&self, alg: KeyManagement) -> bool {
        alg.key_type() == self.public.kty
    }

    /// The content encryption key of a token (RFC 7516 §5.2 steps 6 to 10).
    pub(super) fn content_key(
        &self,
        header: &JweHeader,
        alg: KeyManagement,
        enc: ContentEncryption,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let wrapping = match &self.private {
            Private::Rsa(_) => {
                // A key that does not decrypt is replaced by a random one, so that what follows takes its time and
                // fails the same way (RFC 7516 §11.5).
                let instead = enc.random_key()?;
                let sent = self.oaep_decrypt(alg, encrypted_key);
                return Ok(sent.ok().filter(|sent| sent.len() == enc.key_len()).unwrap_or(instead));
            }
            Private::Ec(curve, key) => {
                let epk = header.epk.as_ref().ok_or(Error::NotDecrypted)?;
                agreement::derive(*curve, key, epk, alg, enc, header)?
            }
            Private::Secret(secret) => Zeroizing::new(secret.expose().clone()),
        };
        let key = match alg.wrapping_key_len() {
            // RFC 7516 §5.2 step 10: nothing is wrapped, so nothing may be sent.
            None if encrypted_key.is_empty() => wrapping,
            Some(length) if wrapping.len() == length => key_wrap::unwrap(&wrapping, encrypted_key)?,
            _ => return Err(Error::NotDecrypted),
        };
        if key.len() == enc.key_len() { Ok(key) } else { Err(Error::NotDecrypted) }
    }

    /// RSA-OAEP (RFC 8017 §7.1.2) without a label.
    pub(super) fn oaep_decrypt(
        &self,
        alg: KeyManagement,
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Private::Rsa(key) = &self.private else { return Err(Error::KeyMismatch) };
        let mut decrypted = Zeroizing::new(vec![0; key.min_output_size()]);
        let length =
            key.decrypt(oaep(alg), encrypted, &mut decrypted, None).map_err(|_| Error::NotDecrypted)?.len();
        decrypted.truncate(length);
        Ok(decrypted)
    }
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecryptionKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

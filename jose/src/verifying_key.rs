use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{PublicKeyComponents, RsaParameters};
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};

use crate::algorithm::Hash;
use crate::{Algorithm, Error, Jwk, base64url};

/// A key that checks signatures, parsed once.
///
/// It knows the algorithms it may be used with, and no others: a public key never checks `HS*`, a shared secret
/// checks nothing else (RFC 8725 §2.1, §3.1).
pub struct VerifyingKey {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    verifiers: Vec<(Algorithm, Verifier)>,
}

enum Verifier {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

impl VerifyingKey {
    /// The public key of a JWK for signatures. An `alg` in it pins the key to that algorithm (RFC 7517 §4.4).
    ///
    /// # Errors
    /// Those of [`Jwk::validate`]: private keys and shared secrets are refused. Also [`Error::InvalidKey`] when
    /// `use`, `key_ops` or `alg` say that the key is for something else (RFC 7517 §4.2, §4.3).
    pub fn from_jwk(jwk: &Jwk) -> Result<VerifyingKey, Error> {
        if jwk.is_private() || jwk.is_symmetric() {
            return Err(Error::PrivateKey);
        }
        if jwk.use_.as_deref().is_some_and(|use_| use_ != "sig") {
            return Err(Error::InvalidKey("use is not sig"));
        }
        if jwk.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(|op| op == "verify")) {
            return Err(Error::InvalidKey("key_ops lack verify"));
        }
        let verifiers = match jwk.alg.as_deref() {
            None => parse_public(jwk, Algorithm::ASYMMETRIC)?,
            Some(name) => {
                let pinned = Algorithm::parse(name).ok_or(Error::InvalidKey("alg is not for signatures"))?;
                parse_public(jwk, &[pinned])?
            }
        };
        let verifiers = verifiers.into_iter().map(|(algorithm, key)| (algorithm, Verifier::Public(key)));
        Ok(VerifyingKey::new(jwk.kid.clone(), verifiers.collect()))
    }

    /// A shared secret for `HS*`. It fits the algorithms whose hash is no longer than the secret
    /// (RFC 7518 §3.2); a secret below 32 bytes fits none.
    pub fn from_secret(secret: &[u8]) -> VerifyingKey {
        let fitting = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]
            .into_iter()
            .filter(|algorithm| secret.len() >= algorithm.hash().len())
            .map(|algorithm| (algorithm, Verifier::Secret(Box::new(hmac_key(algorithm, secret)))));
        VerifyingKey::new(None, fitting.collect())
    }

    /// The same key under a `kid`, so that tokens with that `kid` find it.
    pub fn with_kid(self, kid: &str) -> VerifyingKey {
        VerifyingKey { kid: Some(kid.to_owned()), ..self }
    }

    fn new(kid: Option<String>, verifiers: Vec<(Algorithm, Verifier)>) -> VerifyingKey {
        let algorithms = verifiers.iter().map(|(algorithm, _)| *algorithm).collect();
        VerifyingKey { kid, algorithms, verifiers }
    }

    /// The algorithms that this key may be used with.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Checks `signature`, in the form of RFC 7518 §3 (`ES*`: R and S side by side), over `message`.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] when the key is not for `algorithm`, else [`Error::BadSignature`].
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let verifier = self.verifiers.iter().find(|(fitting, _)| *fitting == algorithm);
        match verifier {
            None => Err(Error::KeyMismatch),
            Some((_, Verifier::Public(key))) => {
                key.verify_sig(message, signature).map_err(|_| Error::BadSignature)
            }
            Some((_, Verifier::Secret(key))) => {
                hmac::verify(key, message, signature).map_err(|_| Error::BadSignature)
            }
        }
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let VerifyingKey { kid, algorithms, .. } = self;
        f.debug_struct("VerifyingKey")
            .field("kid", kid)
            .field("algorithms", algorithms)
            .finish_non_exhaustive()
    }
}

/// The public key in `jwk`, checked and parsed for each of `wanted` that fits its kind and curve.
pub(crate) fn parse_public(
    jwk: &Jwk,
    wanted: &[Algorithm],
) -> Result<Vec<(Algorithm, ParsedPublicKey)>, Error> {
    let fitting = wanted
        .iter()
        .copied()
        .filter(|algorithm| algorithm.key_type() == jwk.kty && algorithm.curve() == jwk.crv.as_deref());
    let rejected = |_| Error::InvalidKey("the key is not a valid public key");
    let rsa = if jwk.kty == "RSA" { Some(jwk.rsa_components()?) } else { None };
    let mut parsed = Vec::new();
    for algorithm in fitting {
        let key = match (rsa_parameters(algorithm), &rsa, curve_parameters(algorithm)) {
            (Some(parameters), Some((n, e)), _) => {
                PublicKeyComponents { n, e }.to_parsed_public_key(parameters).map_err(rejected)?
            }
            (_, _, Some(parameters)) => {
                let octets = algorithm.coordinate_len();
                let bytes = match algorithm {
                    Algorithm::EdDSA => ed25519_point(jwk)?,
                    _ => jwk.ec_point(octets)?,
                };
                ParsedPublicKey::new(parameters, bytes).map_err(rejected)?
            }
            _ => return Err(Error::KeyMismatch),
        };
        parsed.push((algorithm, key));
    }
    if parsed.is_empty() {
        return Err(Error::InvalidKey("unknown kind of key, or alg does not fit it"));
    }
    Ok(parsed)
}

/// The public key of Ed25519, unless it is one of the points of small order: for those one signature holds for
/// every message, and the library does not look (RFC 8725 §3.4).
fn ed25519_point(jwk: &Jwk) -> Result<Vec<u8>, Error> {
    let point = jwk.coordinate(&jwk.x, Algorithm::EdDSA.coordinate_len())?;
    let mut either_sign = point.clone();
    if let Some(last) = either_sign.last_mut() {
        *last &= 0x7f;
    }
    if ED25519_SMALL_ORDER.contains(&base64url::encode(&either_sign).as_str()) {
        return Err(Error::InvalidKey("an Ed25519 point of small order"));
    }
    Ok(point)
}

/// The y coordinates of the eight points whose order divides 8, and the spellings of 0 and 1 as p and p + 1.
const ED25519_SMALL_ORDER: [&str; 7] = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
    "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
    "7P_______________________________________38",
    "7f_______________________________________38",
    "7v_______________________________________38",
];

/// The HMAC key for one of `HS*`.
pub(crate) fn hmac_key(algorithm: Algorithm, secret: &[u8]) -> hmac::Key {
    let library = match algorithm.hash() {
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    hmac::Key::new(library, secret)
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn curve_parameters(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::ES512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::EdDSA => &signature::ED25519,
        _ => return None,
    })
}

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::{KeyPairComponents, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::verifying_key::hmac_key;
use crate::{Algorithm, Error, Jwk, Secret, SecretString, VerifyingKey, base64url};

/// A key that signs, parsed once and bound to one algorithm and one `kid`. Shared freely between threads.
pub struct SigningKey {
    algorithm: Algorithm,
    public: Jwk,
    kid: String,
    private: Private,
    signature_len: usize,
    random: SystemRandom,
    /// Encoded headers, each with its dot, of the two types that are signed all day.
    at_jwt_header: String,
    jwt_header: String,
}

enum Private {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
    Hmac(Box<hmac::Key>, Secret<Vec<u8>>),
}

impl SigningKey {
    /// A new key: RSA of 2048 bits, the curve of the algorithm, or a secret as long as the hash. Its `kid` is a
    /// random 128-bit number in decimal.
    ///
    /// An RSA key takes tens of milliseconds or more: make it away from requests.
    pub fn generate(algorithm: Algorithm) -> Result<SigningKey, Error> {
        let private = match ecdsa(algorithm) {
            Some(curve) => Private::Ecdsa(Box::new(EcdsaKeyPair::generate(curve)?)),
            None if algorithm == Algorithm::EdDSA => Private::Ed25519(Box::new(Ed25519KeyPair::generate()?)),
            None => match rsa_encoding(algorithm) {
                Some(encoding) => Private::Rsa(Box::new(rsa::KeyPair::generate(KeySize::Rsa2048)?), encoding),
                None => {
                    let mut secret = Secret::new(vec![0; algorithm.hash().len()]);
                    rand::fill(secret.expose_mut())?;
                    Private::Hmac(Box::new(hmac_key(algorithm, secret.expose())), secret)
                }
            },
        };
        SigningKey::new(algorithm, &random_kid()?, private)
    }

    /// The key in a PKCS#8 document (RFC 5208, RFC 5958).
    ///
    /// # Errors
    /// [`Error::InvalidKey`] when it is malformed, for another algorithm, or weaker than [`Jwk::validate`] allows;
    /// [`Error::KeyMismatch`] for `HS*`, whose keys have no such form.
    pub fn from_pkcs8(algorithm: Algorithm, kid: &str, der: &[u8]) -> Result<SigningKey, Error> {
        let private = match ecdsa(algorithm) {
            Some(curve) => Private::Ecdsa(Box::new(EcdsaKeyPair::from_pkcs8(curve, der).map_err(rejected)?)),
            None if algorithm == Algorithm::EdDSA => {
                Private::Ed25519(Box::new(Ed25519KeyPair::from_pkcs8(der).map_err(rejected)?))
            }
            None => {
                let encoding = rsa_encoding(algorithm).ok_or(Error::KeyMismatch)?;
                Private::Rsa(Box::new(RsaKeyPair::from_pkcs8(der).map_err(rejected)?), encoding)
            }
        };
        SigningKey::new(algorithm, kid, private)
    }

    /// The key in a private JWK; all members of RFC 7518 §6.3.2 are needed for RSA. A `kid` is required, and an
    /// `alg` in the JWK must be `algorithm`.
    pub fn from_jwk(algorithm: Algorithm, jwk: &Jwk) -> Result<SigningKey, Error> {
        if jwk.kty != algorithm.key_type() || jwk.crv.as_deref() != algorithm.curve() {
            return Err(Error::KeyMismatch);
        }
        if jwk.alg.as_deref().is_some_and(|alg| alg != algorithm.name()) {
            return Err(Error::KeyMismatch);
        }
        let kid = jwk.kid.as_deref().ok_or(Error::InvalidKey("kid is missing"))?;
        let private = match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                return SigningKey::from_secret(algorithm, kid, &private_member(&jwk.k)?);
            }
            Algorithm::EdDSA => {
                let public = jwk.coordinate(&jwk.x, algorithm.coordinate_len())?;
                let seed = private_member(&jwk.d)?;
                let key = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).map_err(rejected)?;
                Private::Ed25519(Box::new(key))
            }
            _ => match (ecdsa(algorithm), rsa_encoding(algorithm)) {
                (Some(curve), _) => {
                    let d = private_member(&jwk.d)?;
                    let point = jwk.ec_point(algorithm.coordinate_len())?;
                    let key = EcdsaKeyPair::from_private_key_and_public_key(curve, &d, &point);
                    Private::Ecdsa(Box::new(key.map_err(rejected)?))
                }
                (None, Some(encoding)) => Private::Rsa(Box::new(rsa_from_jwk(jwk)?), encoding),
                (None, None) => return Err(Error::KeyMismatch),
            },
        };
        SigningKey::new(algorithm, kid, private)
    }

    /// A shared secret for `HS*`, at least as long as the hash (RFC 7518 §3.2).
    pub fn from_secret(algorithm: Algorithm, kid: &str, secret: &[u8]) -> Result<SigningKey, Error> {
        if !algorithm.is_symmetric() {
            return Err(Error::KeyMismatch);
        }
        if secret.len() < algorithm.hash().len() {
            return Err(Error::InvalidKey("the secret is shorter than the hash"));
        }
        let private = Private::Hmac(Box::new(hmac_key(algorithm, secret)), Secret::new(secret.to_vec()));
        SigningKey::new(algorithm, kid, private)
    }

    fn new(algorithm: Algorithm, kid: &str, private: Private) -> Result<SigningKey, Error> {
        let mut public = private.public_jwk(algorithm)?;
        if !algorithm.is_symmetric() {
            public.validate()?;
        }
        public.kid = Some(kid.to_owned());
        public.alg = Some(algorithm.name().to_owned());
        public.use_ = Some("sig".to_owned());
        let signature_len = match &private {
            Private::Rsa(key, _) => key.public_modulus_len(),
            Private::Ecdsa(key) => key.public_key().as_ref().len() - 1,
            Private::Ed25519(_) => 64,
            Private::Hmac(..) => algorithm.hash().len(),
        };
        Ok(SigningKey {
            algorithm,
            public,
            kid: kid.to_owned(),
            private,
            signature_len,
            random: SystemRandom::new(),
            at_jwt_header: encoded_header(algorithm, kid, "at+jwt")?,
            jwt_header: encoded_header(algorithm, kid, "JWT")?,
        })
    }

    /// The private key as PKCS#8, to be sealed and stored. [`Error::KeyMismatch`] for `HS*`.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        match &self.private {
            Private::Rsa(key, _) => Ok(Zeroizing::new(key.as_der()?.as_ref().to_vec())),
            Private::Ecdsa(key) => Ok(Zeroizing::new(key.to_pkcs8v1()?.as_ref().to_vec())),
            Private::Ed25519(key) => Ok(Zeroizing::new(key.to_pkcs8v1()?.as_ref().to_vec())),
            Private::Hmac(..) => Err(Error::KeyMismatch),
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key with `use`, `alg` and `kid`. For `HS*` it has no key members at all.
    pub fn public_jwk(&self) -> Jwk {
        self.public.clone()
    }

    /// The key that checks what this one signs.
    pub fn verifying_key(&self) -> Result<VerifyingKey, Error> {
        match &self.private {
            Private::Hmac(_, secret) => Ok(VerifyingKey::from_secret(secret.expose()).with_kid(&self.kid)),
            _ => VerifyingKey::from_jwk(&self.public),
        }
    }

    /// The signature of `message` in the form of RFC 7518 §3 (`ES*`: R and S side by side).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.private {
            Private::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*encoding, &self.random, message, &mut signature)?;
                Ok(signature)
            }
            Private::Ecdsa(key) => Ok(key.sign(&self.random, message)?.as_ref().to_vec()),
            Private::Ed25519(key) => Ok(key.try_sign(message)?.as_ref().to_vec()),
            Private::Hmac(key, _) => Ok(hmac::sign(key, message).as_ref().to_vec()),
        }
    }

    /// A compact JWS of `claims` with the header `{"alg", "kid", "typ"}` in this order.
    pub fn sign_jwt(&self, typ: &str, claims: &impl Serialize) -> Result<String, Error> {
        let claims = serde_json::to_vec(claims).map_err(|_| Error::Json)?;
        self.sign_jwt_bytes(typ, &claims)
    }

    /// [`SigningKey::sign_jwt`] for claims that are JSON already. The headers for `at+jwt` and `JWT` are ready made,
    /// and the token is built in one allocation.
    pub fn sign_jwt_bytes(&self, typ: &str, claims_json: &[u8]) -> Result<String, Error> {
        match typ {
            "at+jwt" => self.sign_encoded(&self.at_jwt_header, claims_json),
            "JWT" => self.sign_encoded(&self.jwt_header, claims_json),
            _ => self.sign_encoded(&encoded_header(self.algorithm, &self.kid, typ)?, claims_json),
        }
    }

    /// A compact JWS with a header of the caller's making, such as the one of a DPoP proof (RFC 9449 §4.2). Its
    /// `alg` is the caller's to get right.
    pub fn sign_with_header(&self, header: &impl Serialize, payload: &[u8]) -> Result<String, Error> {
        let header = serde_json::to_vec(header).map_err(|_| Error::Json)?;
        self.sign_encoded(&(base64url::encode(&header) + "."), payload)
    }

    /// `header` is encoded and ends with its dot.
    fn sign_encoded(&self, header: &str, payload: &[u8]) -> Result<String, Error> {
        let payload_len = base64url::encoded_len(payload.len());
        let signature_len = base64url::encoded_len(self.signature_len);
        let mut token = String::with_capacity(header.len() + payload_len + 1 + signature_len);
        token.push_str(header);
        base64url::encode_into(payload, &mut token);
        self.append_signature(&mut token)?;
        Ok(token)
    }

    /// Signs what `token` holds and appends the signature with its dot.
    fn append_signature(&self, token: &mut String) -> Result<(), Error> {
        match &self.private {
            Private::Ecdsa(key) => {
                let signature = key.sign(&self.random, token.as_bytes())?;
                token.push('.');
                base64url::encode_into(signature.as_ref(), token);
            }
            _ => {
                let signature = self.sign(token.as_bytes())?;
                token.push('.');
                base64url::encode_into(&signature, token);
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let SigningKey { algorithm, kid, .. } = self;
        f.debug_struct("SigningKey").field("algorithm", algorithm).field("kid", kid).finish_non_exhaustive()
    }
}

impl Private {
    fn public_jwk(&self, algorithm: Algorithm) -> Result<Jwk, Error> {
        let mut jwk = Jwk {
            kty: algorithm.key_type().to_owned(),
            crv: algorithm.curve().map(str::to_owned),
            ..Jwk::default()
        };
        match self {
            Private::Rsa(key, _) => {
                return Ok(rsa_public_jwk(key));
            }
            Private::Ecdsa(key) => {
                let point = key.public_key().as_ref();
                let (form, coordinates) = point.split_first().ok_or(Error::Crypto)?;
                if *form != 4 {
                    return Err(Error::Crypto);
                }
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                jwk.x = Some(base64url::encode(x));
                jwk.y = Some(base64url::encode(y));
            }
            Private::Ed25519(key) => jwk.x = Some(base64url::encode(key.public_key().as_ref())),
            Private::Hmac(..) => {}
        }
        Ok(jwk)
    }
}

fn ecdsa(algorithm: Algorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::ES384 => Some(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::ES512 => Some(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        _ => None,
    }
}

fn rsa_encoding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    match algorithm {
        Algorithm::RS256 => Some(&signature::RSA_PKCS1_SHA256),
        Algorithm::RS384 => Some(&signature::RSA_PKCS1_SHA384),
        Algorithm::RS512 => Some(&signature::RSA_PKCS1_SHA512),
        Algorithm::PS256 => Some(&signature::RSA_PSS_SHA256),
        Algorithm::PS384 => Some(&signature::RSA_PSS_SHA384),
        Algorithm::PS512 => Some(&signature::RSA_PSS_SHA512),
        _ => None,
    }
}

/// The public half with `kty`, `n` and `e` alone.
pub(crate) fn rsa_public_jwk(key: &RsaKeyPair) -> Jwk {
    let public = key.public_key();
    Jwk {
        kty: "RSA".to_owned(),
        n: Some(base64url::encode(public.modulus().big_endian_without_leading_zero())),
        e: Some(base64url::encode(public.exponent().big_endian_without_leading_zero())),
        ..Jwk::default()
    }
}

pub(crate) fn rsa_from_jwk(jwk: &Jwk) -> Result<RsaKeyPair, Error> {
    let (n, e) = jwk.rsa_components()?;
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: n.as_slice(), e: e.as_slice() },
        d: private_member(&jwk.d)?,
        p: private_member(&jwk.p)?,
        q: private_member(&jwk.q)?,
        dP: private_member(&jwk.dp)?,
        dQ: private_member(&jwk.dq)?,
        qInv: private_member(&jwk.qi)?,
    };
    RsaKeyPair::from_components(&components).map_err(rejected)
}

pub(crate) fn private_member(member: &Option<SecretString>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = member.as_ref().ok_or(Error::InvalidKey("a private member is missing"))?;
    base64url::decode(text.expose()).map(Zeroizing::new)
}

pub(crate) fn rejected(_: aws_lc_rs::error::KeyRejected) -> Error {
    Error::InvalidKey("the private key is malformed or not for this algorithm")
}

pub(crate) fn random_kid() -> Result<String, Error> {
    let mut number = [0; 16];
    rand::fill(&mut number)?;
    Ok(u128::from_be_bytes(number).to_string())
}

/// The base64url of `{"alg":..,"kid":..,"typ":..}` and a dot.
fn encoded_header(algorithm: Algorithm, kid: &str, typ: &str) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Header<'a> {
        alg: Algorithm,
        kid: &'a str,
        typ: &'a str,
    }
    let json = serde_json::to_vec(&Header { alg: algorithm, kid, typ }).map_err(|_| Error::Json)?;
    Ok(base64url::encode(&json) + ".")
}

#[cfg(test)]
mod tests;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{
    Algorithm, EncryptionKey, Error, KeyManagement, SecretString, VerifyingKey, base64url, sha256,
    verifying_key,
};

/// Bytes of JSON that [`JwkSet::parse`] reads at most.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;

/// Keys that a set may have.
pub const MAX_JWKS_KEYS: usize = 100;

/// A JSON Web Key (RFC 7517 §4, members of RFC 7518 §6 and RFC 8037 §2).
///
/// It reads private members, so that they can be noticed and refused, but never writes them: what is serialized
/// is always the public key (RFC 7517 §9.2). Unknown members are kept as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "use")]
    pub use_: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_ops: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "x5t#S256")]
    pub x5t_s256: Option<String>,

    #[serde(default, skip_serializing)]
    pub d: Option<SecretString>,
    #[serde(default, skip_serializing)]
    pub p: Option<SecretString>,
    #[serde(default, skip_serializing)]
    pub q: Option<SecretString>,
    #[serde(default, skip_serializing)]
    pub dp: Option<SecretString>,
    #[serde(default, skip_serializing)]
    pub dq: Option<SecretString>,
    #[serde(default, skip_serializing)]
    pub qi: Option<SecretString>,
    #[serde(default, skip_serializing)]
    pub k: Option<SecretString>,
    /// Further primes of RSA (RFC 7518 §6.3.2.7): noticed, never kept.
    #[serde(default, skip_serializing)]
    pub oth: Option<IgnoredAny>,
    /// The private key of kind `AKP` (RFC 9964 §3): noticed, never kept.
    #[serde(default, skip_serializing, rename = "priv")]
    pub priv_: Option<IgnoredAny>,

    #[serde(flatten, deserialize_with = "without_null")]
    pub extra: Map<String, Value>,
}

/// A JSON Web Key Set (RFC 7517 §5).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}

impl Jwk {
    /// Whether it holds a private or secret member; such a key is refused wherever keys come in from outside.
    pub fn is_private(&self) -> bool {
        [&self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi, &self.k]
            .iter()
            .any(|member| member.is_some())
            || self.oth.is_some()
            || self.priv_.is_some()
    }

    /// Whether it is a shared secret (RFC 7518 §6.4).
    pub fn is_symmetric(&self) -> bool {
        self.kty == "oct" || self.k.is_some()
    }

    /// The thumbprint with SHA-256 (RFC 7638 §3), base64url: `jkt` of RFC 9449 and RFC 7800.
    ///
    /// Only canonical member values are accepted, so that one public key has one thumbprint. It does not check the
    /// key itself: see [`Jwk::validate`].
    pub fn thumbprint(&self) -> Result<String, Error> {
        // The required members in lexicographic order, without white space (RFC 7638 §3.2, RFC 8037 §2).
        let text = match self.kty.as_str() {
            "RSA" => {
                let (e, n) = (canonical(&self.e)?, canonical(&self.n)?);
                format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)
            }
            "EC" => {
                let (crv, x, y) = (curve_name(&self.crv)?, canonical(&self.x)?, canonical(&self.y)?);
                format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            "OKP" => {
                let (crv, x) = (curve_name(&self.crv)?, canonical(&self.x)?);
                format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#)
            }
            _ => return Err(Error::InvalidKey("no thumbprint for this kty")),
        };
        Ok(base64url::encode(&sha256(text.as_bytes())))
    }

    /// Whether this is a public key strong enough to be registered or trusted.
    ///
    /// # Errors
    /// - [`Error::PrivateKey`]: it has private members or is a shared secret (RFC 7517 §9.2).
    /// - [`Error::InvalidKey`]: unknown kind, RSA below 2048 or above 8192 bits (RFC 7518 §3.3), a public exponent
    ///   that is even or below 65537 (FIPS 186-5 §A.1.1), a point that is not on its curve (RFC 8725 §3.4), or an
    ///   `alg` that is for other keys.
    /// - [`Error::Base64Url`]: a member is not in its canonical spelling.
    pub fn validate(&self) -> Result<(), Error> {
        if self.is_private() || self.is_symmetric() {
            return Err(Error::PrivateKey);
        }
        if let Some(algorithm) = self.alg.as_deref().and_then(Algorithm::parse)
            && (algorithm.key_type() != self.kty || algorithm.curve() != self.crv.as_deref())
        {
            return Err(Error::InvalidKey("alg does not fit the key"));
        }
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("OKP", Some("X25519")) => self.coordinate(&self.x, 32).map(|_| ()),
            _ => verifying_key::parse_public(self, Algorithm::ASYMMETRIC).map(|_| ()),
        }
    }

    /// Whether its kind and curve are implemented. Others are ignored in a set (RFC 7517 §5).
    pub fn is_known(&self) -> bool {
        matches!(
            (self.kty.as_str(), self.crv.as_deref()),
            ("RSA" | "oct", _)
                | ("EC", Some("P-256" | "P-384" | "P-521"))
                | ("OKP", Some("Ed25519" | "X25519"))
        )
    }

    /// Modulus and exponent, checked.
    pub(crate) fn rsa_components(&self) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let n = base64url::decode(self.n.as_deref().ok_or(Error::InvalidKey("n is missing"))?)?;
        let e = base64url::decode(self.e.as_deref().ok_or(Error::InvalidKey("e is missing"))?)?;
        let (Some(&first), Some(&last)) = (n.first(), n.last()) else {
            return Err(Error::InvalidKey("n is empty"));
        };
        // RFC 7518 §6.3.1.1: no leading zero octets, or one key would have several thumbprints.
        if first == 0 || e.first() == Some(&0) {
            return Err(Error::InvalidKey("leading zero octet"));
        }
        let bits = n.len() * 8 - first.leading_zeros() as usize;
        if !(2048..=8192).contains(&bits) || last % 2 == 0 {
            return Err(Error::InvalidKey("RSA modulus is too small, too large or even"));
        }
        let exponent = match e.len() {
            0..=5 => e.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte)),
            _ => u64::MAX,
        };
        if !(65_537..1 << 33).contains(&exponent) || exponent % 2 == 0 {
            return Err(Error::InvalidKey("RSA exponent is too small, too large or even"));
        }
        Ok((n, e))
    }

    /// The point in uncompressed form (SEC 1 §2.3.3); the library checks that it lies on the curve.
    pub(crate) fn ec_point(&self, octets: usize) -> Result<Vec<u8>, Error> {
        let mut point = vec![4];
        point.extend(self.coordinate(&self.x, octets)?);
        point.extend(self.coordinate(&self.y, octets)?);
        Ok(point)
    }

    /// A coordinate of exactly the length that its curve asks for (RFC 7518 §6.2.1.2, RFC 8037 §2).
    pub(crate) fn coordinate(&self, member: &Option<String>, octets: usize) -> Result<Vec<u8>, Error> {
        let bytes =
            base64url::decode(member.as_deref().ok_or(Error::InvalidKey("a coordinate is missing"))?)?;
        if bytes.len() != octets {
            return Err(Error::InvalidKey("a coordinate has the wrong length"));
        }
        Ok(bytes)
    }
}

impl JwkSet {
    /// A set from the JSON of a remote party: members and keys that are not understood are ignored (RFC 7517 §5),
    /// known ones are kept whether valid or not.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`MAX_JWKS_BYTES`] or [`MAX_JWKS_KEYS`], [`Error::Json`] without a `keys` array.
    pub fn parse(json: &[u8]) -> Result<JwkSet, Error> {
        if json.len() > MAX_JWKS_BYTES {
            return Err(Error::TooLarge);
        }
        let mut object = crate::parse_object(json)?;
        let Some(Value::Array(keys)) = object.remove("keys") else { return Err(Error::Json) };
        if keys.len() > MAX_JWKS_KEYS {
            return Err(Error::TooLarge);
        }
        let keys = keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(JwkSet { keys: keys.filter(Jwk::is_known).collect() })
    }

    /// Whether the set may be registered: no private members anywhere (RFC 7517 §9.2), every key of a known kind
    /// valid, no two keys that a `kid` cannot tell apart (RFC 7517 §4.5).
    pub fn validate(&self) -> Result<(), Error> {
        if self.keys.len() > MAX_JWKS_KEYS {
            return Err(Error::TooLarge);
        }
        for (at, key) in self.keys.iter().enumerate() {
            if key.is_private() || key.is_known() {
                key.validate()?;
            }
            let same = |other: &Jwk| {
                key.kid.is_some() && other.kid == key.kid && other.kty == key.kty && other.use_ == key.use_
            };
            if self.keys.iter().skip(at + 1).any(same) {
                return Err(Error::AmbiguousKid);
            }
        }
        Ok(())
    }

    /// The usable signature keys, parsed. Keys for encryption, of unknown kinds, with private members or too weak
    /// ones are left out.
    pub fn verifying_keys(&self) -> Vec<VerifyingKey> {
        self.keys.iter().take(MAX_JWKS_KEYS).filter_map(|key| VerifyingKey::from_jwk(key).ok()).collect()
    }

    /// The key to encrypt to with `alg`: one that says so by `use` and `alg`, else by `use`, else any that fits
    /// (RFC 7517 §4.2; OIDC Registration §2: `use` is required where a set has both kinds).
    pub fn encryption_key(&self, alg: KeyManagement) -> Option<EncryptionKey> {
        let says = |key: &&Jwk| (key.use_.is_none(), key.alg.is_none());
        let mut keys: Vec<&Jwk> = self.keys.iter().take(MAX_JWKS_KEYS).collect();
        keys.sort_by_key(says);
        keys.into_iter().filter_map(|key| EncryptionKey::from_jwk(key).ok()).find(|key| key.fits(alg))
    }

    /// The key with this `kid`.
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid.as_deref() == Some(kid))
    }
}

/// A member of a thumbprint: base64url, so that nothing in it can break out of the JSON it is put into.
fn canonical(member: &Option<String>) -> Result<&str, Error> {
    let text = member.as_deref().ok_or(Error::InvalidKey("a required member is missing"))?;
    base64url::decode(text).map(|_| text)
}

/// The curve of a thumbprint, one of the registered names.
fn curve_name(member: &Option<String>) -> Result<&str, Error> {
    match member.as_deref() {
        Some(
            name @ ("P-256" | "P-384" | "P-521" | "secp256k1" | "Ed25519" | "Ed448" | "X25519" | "X448"),
        ) => Ok(name),
        _ => Err(Error::InvalidKey("unknown curve")),
    }
}

fn without_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let mut members = Map::deserialize(deserializer)?;
    members.retain(|_, value| !value.is_null());
    Ok(members)
}

#[cfg(test)]
mod tests;

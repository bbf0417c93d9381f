//! Signing and encryption keys of a workspace and their life: next, current, rotated, revoked.

use crate::id::ServerId;
use crate::time::Timestamp;
use jose::{Algorithm, Jwk, KeyManagement};
use serde::{Deserialize, Serialize};

/// Where a key stands in its life (contract: one active key, the next pre-published, rotated keys verify,
/// revoked ones do not).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "at")]
pub enum KeyState {
    /// Published, not yet used.
    Next,
    /// Signs; clients encrypt to it.
    Current,
    /// Signs no more, still verifies; still decrypts.
    Rotated(Timestamp),
    /// Neither signs nor verifies nor decrypts.
    Revoked(Timestamp),
}

/// What a key is for. One for encryption does for every algorithm of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyAlgorithm {
    Signature(Algorithm),
    Encryption(KeyManagement),
}

impl KeyAlgorithm {
    pub fn name(self) -> &'static str {
        match self {
            Self::Signature(algorithm) => algorithm.name(),
            Self::Encryption(algorithm) => algorithm.name(),
        }
    }

    /// `use` of its JWK (RFC 7517 §4.2).
    pub fn key_use(self) -> &'static str {
        match self {
            Self::Signature(_) => "sig",
            Self::Encryption(_) => "enc",
        }
    }
}

impl From<Algorithm> for KeyAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        Self::Signature(algorithm)
    }
}

impl From<KeyManagement> for KeyAlgorithm {
    fn from(algorithm: KeyManagement) -> Self {
        Self::Encryption(algorithm)
    }
}

/// Body of a key document. Document id: the `kid`; parent: the workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyDocument {
    pub kid: String,
    pub server: ServerId,
    pub alg: KeyAlgorithm,
    #[serde(flatten)]
    pub state: KeyState,
    pub created_at: Timestamp,
    pub public: Jwk,
    /// PKCS#8, sealed with the key file's key; base64url.
    pub sealed: String,
}

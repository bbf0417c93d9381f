//! The secrets of a client, as they are stored.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A secret as stored: only hashed.
///
/// `sha256:<base64url>` for secrets that the server made (256 random bits), a PHC string (Argon2id) for those
/// that somebody chose.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HashedSecret(pub String);

impl std::fmt::Debug for HashedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashedSecret(..)")
    }
}

/// The secret itself, sealed with the key file's key: kept only for clients of `client_secret_jwt`, whose secret is an
/// HMAC key (OIDC Core §9).
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(pub String);

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedSecret(..)")
    }
}

/// A previous secret that is still accepted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RotatedSecret {
    pub hash: HashedSecret,
    /// Beside the hash, for `client_secret_jwt` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedSecret>,
    /// Refused from then on, if set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

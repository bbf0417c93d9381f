//! Signing keys of a workspace and their life: next, current, rotated, revoked.

use crate::id::ServerId;
use crate::time::Timestamp;
use jose::{Algorithm, Jwk};
use serde::{Deserialize, Serialize};

/// Where a key stands in its life (contract: one active key, the next pre-published, rotated keys verify,
/// revoked ones do not).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "at")]
pub enum KeyState {
    /// Published, not yet used.
    Next,
    /// Signs.
    Current,
    /// Signs no more, still verifies.
    Rotated(Timestamp),
    /// Neither signs nor verifies.
    Revoked(Timestamp),
}

/// Body of a key document. Document id: the `kid`; parent: the workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyDocument {
    pub kid: String,
    pub server: ServerId,
    pub alg: Algorithm,
    #[serde(flatten)]
    pub state: KeyState,
    pub created_at: Timestamp,
    pub public: Jwk,
    /// PKCS#8, sealed with the key file's key; base64url.
    pub sealed: String,
}

//! The person, as an identity provider authenticated them.

use crate::id::{IdpId, SessionId};
use crate::time::Timestamp;
use crate::unknown_members::UnknownMembers;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// An authenticated end-user.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Subject {
    /// Local subject identifier inside the workspace: a hash of identity provider and its subject.
    pub sub: String,
    pub idp: IdpId,
    /// Kind of identity provider (`static`, `oidc`, …).
    pub idp_method: String,
    /// The identity provider's own name of the person.
    pub idp_sub: String,
    pub auth_time: Timestamp,
    /// RFC 8176 values.
    #[serde(default)]
    pub amr: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The authentication context: every attribute the identity provider gave, by claim name. Shared by a session and
    /// what is issued within it.
    #[serde(default)]
    pub claims: Arc<Map<String, Value>>,
    pub sid: SessionId,
    /// With which credential the person logged in; absent when the identity provider keeps it, and in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialMark>,
    /// What a newer version wrote.
    #[serde(flatten)]
    pub unknown: UnknownMembers,
}

/// Tells one credential of a person from the next, so that a changed password ends what the old one began (attack
/// W-10). It stays in the store: no token, answer or log holds it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialMark(String);

impl CredentialMark {
    /// 96 bits of the SHA-256 of the stored hash, which is salted: nothing about the password follows from it.
    pub fn of(stored_hash: &str) -> Self {
        let mut digest = jose::base64url::encode(&jose::sha256(stored_hash.as_bytes()));
        digest.truncate(16);
        Self(digest)
    }
}

impl std::fmt::Debug for CredentialMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CredentialMark(..)")
    }
}

//! Refresh tokens as stored, and how one leads to the next (RFC 6749 §6, RFC 9700 §4.14.2).

use crate::decision::{Cx, Handle};
use crate::id::{ClientId, GrantId};
use crate::record::{Artifact, ArtifactKind, HandleHash, Payload};
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use jose::base64url;
use serde::{Deserialize, Serialize};

/// What a refresh token begins with, so that a leaked one is recognised for what it is.
pub const PREFIX: &str = "rt_";

/// Body of a refresh token's artifact. Its grant says the rest.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RefreshToken {
    pub client: ClientId,
    /// The same through the whole family, however narrow a single access token was (RFC 6749 §6).
    pub scope: ScopeSet,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was exchanged for its successor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
}

impl Payload for RefreshToken {
    const KIND: ArtifactKind = ArtifactKind::RefreshToken;
}

impl RefreshToken {
    /// The row that keeps it. A token that was rotated stays until it would have expired, so that a replay is seen.
    pub fn artifact(&self, hash: HandleHash, grant: &GrantId) -> Artifact {
        Artifact::new(hash, self.expires_at, self).with_grant(grant.clone())
    }
}

/// The first refresh token of a grant: 256 random bits (attack RTK-14).
pub fn first(cx: &mut Cx<'_>) -> Handle {
    Handle::new(format!("{PREFIX}{}", cx.handle().expose()))
}

/// The only successor of `parent`. It is derived, so that a client that lost the answer gets the same one again while
/// the store keeps nothing but hashes.
pub fn successor(parent: &str, cx: &Cx<'_>) -> Handle {
    let derived = cx.deriver.derive("refresh_token successor", parent);
    Handle::new(format!("{PREFIX}{}", base64url::encode(&derived)))
}

//! Refresh tokens as stored, and how one leads to the next (RFC 6749 §6, RFC 9700 §4.14.2).

use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::decision::{Cx, Handle};
use crate::error::{Reason, Refusal};
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
    /// The key of a public client: only its holder may use it (RFC 9449 §5; attack DPO-15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// Whether the access tokens beside it are bound: then the next ones are too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sender_constrained: bool,
}

impl Payload for RefreshToken {
    const KIND: ArtifactKind = ArtifactKind::RefreshToken;
}

impl RefreshToken {
    /// Bound to a key that the client proves to hold. A confidential client proves by its authentication who it is, and
    /// may come with another key each time (RFC 9449 §5).
    pub fn bound(self, client: &Client, proven: Option<&Confirmation>) -> Self {
        let confirmation = match proven {
            Some(key) if client.is_public() => Some(key.clone()),
            _ => self.confirmation,
        };
        Self { confirmation, sender_constrained: self.sender_constrained || proven.is_some(), ..self }
    }

    /// That it is used by whom it is bound to.
    ///
    /// # Errors
    /// No proof, or one of another key.
    pub fn check_sender(&self, proven: Option<&Confirmation>) -> Result<(), Refusal> {
        if proven.is_none() && self.sender_constrained {
            return Err(Reason::DpopProofMissing.into());
        }
        if self.confirmation.is_some() && self.confirmation.as_ref() != proven {
            return Err(Refusal::new(Reason::RefreshTokenOfOtherKey).parameter("refresh_token"));
        }
        Ok(())
    }

    /// The row that takes the place of `before`, or that of its successor. What a newer version wrote of the one goes over
    /// to the other: it speaks of the family.
    pub fn artifact_after(&self, before: &Artifact, hash: HandleHash, grant: &GrantId) -> Artifact {
        Artifact::after(before, hash, self.expires_at, self).with_grant(grant.clone())
    }

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

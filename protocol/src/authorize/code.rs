//! What an authorization code stands for (RFC 6749 §4.1.2).

use crate::id::{ClientId, Uid};
use crate::pkce::CodeChallenge;
use crate::record::{ArtifactKind, Payload};
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Body of an authorization code's artifact.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Code {
    pub client: ClientId,
    pub server_uid: Uid,
    pub client_uid: Uid,
    /// As the request sent it; `None` if it sent none (RFC 6749 §4.1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<CodeChallenge>,
    pub scope: ScopeSet,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The code is dead from then on; its row stays, so that a replay is noticed.
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
}

impl Payload for Code {
    const KIND: ArtifactKind = ArtifactKind::AuthorizationCode;
}

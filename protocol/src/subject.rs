//! The person, as an identity provider authenticated them.

use crate::id::{IdpId, SessionId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
    /// The authentication context: every attribute the identity provider gave, by claim name.
    #[serde(default)]
    pub claims: Map<String, Value>,
    pub sid: SessionId,
}

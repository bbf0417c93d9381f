//! Identity providers of a workspace. The Sandbox (`static`) provider holds its users itself.

use crate::id::{IdpId, ServerId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An identity provider.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Idp {
    pub id: IdpId,
    pub authorization_server_id: ServerId,
    pub name: String,
    /// Kind: `static` in this release.
    pub method: String,
    pub disabled: bool,
    pub hidden: bool,
    pub display_order: i64,
    /// RFC 8176 values given to every login through it; default `["pwd"]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub static_amr: Vec<String>,
    pub users: Vec<StaticUser>,
}

/// A user of the Sandbox identity provider.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StaticUser {
    pub username: String,
    /// PHC string; the password itself is never stored.
    pub password_hash: String,
    /// Standard OIDC claims and any others, by claim name (OIDC Core §5.1).
    pub authentication_context: Map<String, Value>,
}

impl std::fmt::Debug for StaticUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticUser").field("username", &self.username).finish_non_exhaustive()
    }
}

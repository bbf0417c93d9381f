//! Services: groups of scopes that become audiences of tokens.

use crate::id::{ServerId, ServiceId, TenantId};
use crate::step_up::StepUp;
use serde::{Deserialize, Serialize};

/// A service, as the admin API reads and writes it (contract: `Service`).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Service {
    #[schema(value_type = String)]
    pub id: ServiceId,
    #[schema(value_type = String)]
    pub authorization_server_id: ServerId,
    /// Display name; required.
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// `oauth2`, `oidc`, `system`, `user` (default) or `openbanking`.
    #[serde(rename = "type")]
    pub service_type: String,
    /// Made by the server itself; read-only.
    pub system: bool,
    /// Replaces the SPIFFE audience, and is what clients name as `resource` (RFC 8707).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub custom_audience: String,
    /// What it wants of the login behind an access token.
    #[serde(skip_serializing_if = "StepUp::is_empty")]
    pub step_up: StepUp,
}

impl Service {
    /// The audience its tokens carry: `custom_audience`, else `spiffe://{host}/{tid}/{aid}/{service_id}`.
    pub fn audience(&self, host: &str, tenant: &TenantId) -> String {
        if self.custom_audience.is_empty() {
            format!("spiffe://{host}/{tenant}/{}/{}", self.authorization_server_id, self.id)
        } else {
            self.custom_audience.clone()
        }
    }
}

//! Discovery (RFC 8414, OIDC Discovery) and the key set, rendered once per workspace.

use crate::entropy::SystemEntropy;
use crate::{Engine, Workspace};
use bytes::Bytes;
use protocol::discovery;

impl Engine {
    /// The discovery document; the same for OpenID Connect and RFC 8414.
    pub fn discovery(&self, workspace: &Workspace, ui_locales: &[&str]) -> Bytes {
        workspace
            .discovery
            .get_or_init(|| {
                let mut entropy = SystemEntropy::default();
                let cx = workspace.cx(self.now(), &mut entropy);
                let document = discovery::document(&cx, ui_locales);
                Bytes::from(serde_json::to_vec(&document).unwrap_or_default())
            })
            .clone()
    }

    /// The published key set (RFC 7517 §5): next, current and rotated keys.
    pub fn jwks(&self, workspace: &Workspace) -> Bytes {
        workspace
            .jwks
            .get_or_init(|| Bytes::from(serde_json::to_vec(workspace.keys.published()).unwrap_or_default()))
            .clone()
    }
}

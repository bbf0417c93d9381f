//! Protected resource metadata (RFC 9728) of our own APIs and of the services of a workspace.

use crate::administration::ADMIN_WORKSPACE;
use crate::entropy::SystemEntropy;
use crate::{Engine, Workspace};
use bytes::Bytes;
use protocol::error::{Reason, Refusal};
use protocol::id::{ServiceId, TenantId, is_valid_chosen_id};
use protocol::protected_resource::{self, OWN_RESOURCES};
use serde_json::{Map, Value};

impl Engine {
    /// The document of the workspace's API of that path.
    ///
    /// # Errors
    /// [`Reason::UnknownPath`].
    pub fn own_resource(&self, workspace: &Workspace, path: &str) -> Result<Bytes, Refusal> {
        let resource = OWN_RESOURCES.iter().find(|resource| resource.path == path);
        let resource = resource.ok_or(Reason::UnknownPath)?;
        let mut entropy = SystemEntropy::default();
        render(&resource.metadata(&workspace.cx(self.now(), &mut entropy)))
    }

    /// The document of the workspace's service of that id.
    ///
    /// # Errors
    /// [`Reason::UnknownPath`].
    pub fn service_resource(&self, workspace: &Workspace, id: &str) -> Result<Bytes, Refusal> {
        let service = workspace.catalog.service(&ServiceId::new(id)).ok_or(Reason::UnknownPath)?;
        let mut entropy = SystemEntropy::default();
        render(&protected_resource::of_service(service, &workspace.cx(self.now(), &mut entropy)))
    }

    /// The document of a tenant's management API.
    ///
    /// # Errors
    /// [`Reason::UnknownPath`] when there is no such tenant.
    pub async fn management_resource(&self, tenant: &TenantId) -> Result<Bytes, Refusal> {
        if !is_valid_chosen_id(tenant.as_str()) {
            return Err(Reason::UnknownPath.into());
        }
        let workspace = self.workspace(tenant.as_str(), ADMIN_WORKSPACE).await?.ok_or(Reason::UnknownPath)?;
        render(&protected_resource::of_management(&self.management_api(tenant), &workspace.issuer))
    }

    /// The resource identifier of a tenant's management API.
    pub fn management_api(&self, tenant: &TenantId) -> String {
        protected_resource::management(self.public_url(), tenant)
    }
}

fn render(document: &Map<String, Value>) -> Result<Bytes, Refusal> {
    serde_json::to_vec(document).map(Bytes::from).map_err(|_| Reason::Internal.into())
}

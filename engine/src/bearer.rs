//! Bearer tokens at our own APIs: from the text to the living token.

use crate::entropy::SystemEntropy;
use crate::{Engine, Workspace};
use protocol::client::Client;
use protocol::error::{Reason, Refusal};
use protocol::token::access_token::{self, ActiveToken};
use std::sync::Arc;

impl Engine {
    /// The living access token behind `token`, and its client.
    ///
    /// # Errors
    /// Why the token is not valid here and now.
    pub(crate) async fn active_token(
        &self,
        workspace: &Workspace,
        token: &str,
    ) -> Result<(ActiveToken, Arc<Client>), Refusal> {
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let reference = access_token::read(token, &cx)?;
        let found = self.load_with_ancestors(&workspace.tenant, &reference.lookups()).await?;
        let client = match reference.client_id(&found) {
            Some(id) => self.known_client(workspace, &id).await?,
            None => None,
        };
        let active = reference.resolve(&found, client.as_deref(), &cx)?;
        let client = client.ok_or(Reason::TokenRevoked)?;
        Ok((active, client))
    }
}

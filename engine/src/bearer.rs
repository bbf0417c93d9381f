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
        self.judge_token(workspace, token, Facts::Known).await
    }

    /// The same with its grant as it stands in the store, for a decision that writes by it.
    ///
    /// # Errors
    /// Those of [`Engine::active_token`].
    pub(crate) async fn fresh_token(
        &self,
        workspace: &Workspace,
        token: &str,
    ) -> Result<(ActiveToken, Arc<Client>), Refusal> {
        self.judge_token(workspace, token, Facts::Stored).await
    }

    async fn judge_token(
        &self,
        workspace: &Workspace,
        token: &str,
        facts: Facts,
    ) -> Result<(ActiveToken, Arc<Client>), Refusal> {
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let reference = access_token::read(token, &cx)?;
        let (tenant, lookups) = (&workspace.tenant, reference.lookups());
        let found = match facts {
            Facts::Known => self.known_with_ancestors(tenant, &lookups).await?,
            Facts::Stored => self.load_with_ancestors(tenant, &lookups).await?,
        };
        let client = match reference.client_id(&found) {
            Some(id) => self.known_client(workspace, &id).await?,
            None => None,
        };
        let active = reference.resolve(&found, client.as_deref(), &cx)?;
        let client = client.ok_or(Reason::TokenRevoked)?;
        Ok((active, client))
    }
}

/// Where the records on which a token rests come from.
enum Facts {
    Known,
    Stored,
}

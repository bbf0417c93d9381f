//! Access tokens at our own protected resources: from the text to the living token, used by whom it is bound to.

use crate::entropy::SystemEntropy;
use crate::{Call, Engine, Workspace};
use protocol::audience;
use protocol::client::Client;
use protocol::dpop::nonce;
use protocol::error::{Reason, Refusal};
use protocol::resource_request::ResourceRequest;
use protocol::token::access_token::{self, ActiveToken};
use std::sync::Arc;

impl Engine {
    /// The living access token that a request may use, and its client.
    ///
    /// # Errors
    /// None, one that is not valid here and now, one for another resource, or one that is bound to a key that the
    /// request does not prove (RFC 6750 §3.1, RFC 9068 §4, RFC 9449 §7).
    pub(crate) async fn resource_access(
        &self,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        call: &Call,
    ) -> Result<(ActiveToken, Arc<Client>), Refusal> {
        let access = self.used_by_its_sender(workspace, request, call).await;
        access.map_err(|refusal| {
            let mut entropy = SystemEntropy::default();
            request.challenge(refusal, &workspace.cx(self.now(), &mut entropy))
        })
    }

    async fn used_by_its_sender(
        &self,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        call: &Call,
    ) -> Result<(ActiveToken, Arc<Client>), Refusal> {
        let (_, token) = request.token()?;
        let (active, client) = self.active_token(workspace, token).await?;
        let once = {
            let mut entropy = SystemEntropy::default();
            let cx = workspace.cx(self.now(), &mut entropy);
            audience::check(&active, request.identifier.as_deref(), &cx)?;
            request.check_sender(&active, &client, &cx)?
        };
        // A bearer token has nothing that counts once, and nothing is written for it.
        self.commit_once(workspace, &once, Vec::new(), Vec::new(), call).await?;
        Ok((active, client))
    }

    /// The living access token behind `token`, and its client. Whether the sender may use it is not asked.
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

    /// The nonce for the next DPoP proof, where the workspace gives nonces (RFC 9449 §8.2).
    pub fn dpop_nonce(&self, workspace: &Workspace) -> Option<String> {
        let mut entropy = SystemEntropy::default();
        workspace.server.dpop_nonce_required.then(|| nonce::current(&workspace.cx(self.now(), &mut entropy)))
    }
}

/// Where the records on which a token rests come from.
enum Facts {
    Known,
    Stored,
}

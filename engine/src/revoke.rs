//! Token revocation (RFC 7009).

use crate::entropy::SystemEntropy;
use crate::{Call, Engine, EngineError, Workspace};
use protocol::client_auth::Presented;
use protocol::error::Refusal;
use protocol::params::Params;
use protocol::revocation;

impl Engine {
    /// Revokes the token, and with a refresh token its whole grant.
    ///
    /// # Errors
    /// Failed client authentication or a missing token; an unknown token is success (RFC 7009 §2.2).
    pub async fn revoke(
        &self,
        workspace: &Workspace,
        presented: &Presented<'_>,
        params: &Params,
        call: &Call,
    ) -> Result<(), Refusal> {
        let authenticated = self.authenticate_client(workspace, presented, params, call).await?;
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let token = revocation::read(params, &cx)?;
        let found = self.store.load(&workspace.tenant, &token.lookups()).await.map_err(EngineError::from)?;
        let decision = revocation::decide(&token, &authenticated.client, &found, &cx);
        self.commit_once(workspace, &authenticated.once, decision.writes, decision.events, call).await?;
        decision.reply
    }
}

//! Token introspection (RFC 7662).

use crate::entropy::SystemEntropy;
use crate::{Call, Engine, Workspace};
use protocol::client_auth::Presented;
use protocol::error::{Reason, Refusal};
use protocol::introspection;
use protocol::params::Params;
use std::sync::Arc;

impl Engine {
    /// The JSON body of an introspection answer.
    ///
    /// # Errors
    /// Failed client authentication or a missing token; an unknown token is an answer, not an error.
    pub async fn introspect(
        &self,
        workspace: &Workspace,
        presented: &Presented<'_>,
        params: &Params,
        call: &Call,
    ) -> Result<Vec<u8>, Refusal> {
        let authenticated = self.authenticate_client(workspace, presented, params, call).await?;
        self.commit_once(workspace, &authenticated.once, Vec::new(), Vec::new(), call).await?;
        let requester = authenticated.client;
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let token = introspection::read(params, &requester, &cx)?;
        let found = self.known_with_ancestors(&workspace.tenant, &token.lookups()).await?;
        let client = match token.client_id(&found) {
            // Mostly a client asks about its own tokens, and was looked up a moment ago.
            Some(id) if id == requester.client_id => Some(Arc::clone(&requester)),
            Some(id) => self.known_client(workspace, &id).await?,
            None => None,
        };
        let answer = introspection::answer(token, &requester, &found, client.as_deref(), &cx);
        serde_json::to_vec(&answer).map_err(|_| Reason::Internal.into())
    }
}

//! The userinfo endpoint (OIDC Core §5.3).

use crate::entropy::SystemEntropy;
use crate::{Call, Engine, Workspace};
use jose::Algorithm;
use protocol::error::{Reason, Refusal};
use protocol::resource_request::ResourceRequest;
use protocol::userinfo;

/// A userinfo answer: JSON, or a JWT for clients that registered `userinfo_signed_response_alg`.
pub enum UserinfoAnswer {
    Json(Vec<u8>),
    Jwt(String),
}

impl Engine {
    /// Claims about the user of an access token.
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn userinfo(
        &self,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        call: &Call,
    ) -> Result<UserinfoAnswer, Refusal> {
        let (active, client) = self.resource_access(workspace, request, call).await?;
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let claims = userinfo::claims(&active, &client, &cx)?;
        // Only keys of our own can sign: a client's secret is not kept.
        let alg = Algorithm::parse(&client.userinfo_signed_response_alg).filter(|alg| !alg.is_symmetric());
        let Some(alg) = alg else {
            return serde_json::to_vec(&claims)
                .map(UserinfoAnswer::Json)
                .map_err(|_| Reason::Internal.into());
        };
        let claims = serde_json::to_vec(&claims).map_err(|_| Refusal::new(Reason::Internal))?;
        Ok(UserinfoAnswer::Jwt(self.sign_jwt(workspace, alg, "JWT", &claims).await?))
    }
}

//! The userinfo endpoint (OIDC Core §5.3).

use crate::entropy::SystemEntropy;
use crate::{Engine, Workspace};
use jose::Algorithm;
use protocol::error::{Reason, Refusal};
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
    pub async fn userinfo(&self, workspace: &Workspace, token: &str) -> Result<UserinfoAnswer, Refusal> {
        let (active, client) = self.active_token(workspace, token).await?;
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let mut claims = userinfo::claims(&active, &client, &cx)?;
        let Some(alg) = Algorithm::parse(&client.userinfo_signed_response_alg) else {
            return serde_json::to_vec(&claims)
                .map(UserinfoAnswer::Json)
                .map_err(|_| Reason::Internal.into());
        };
        // A signed answer names its issuer and its audience (OIDC Core §5.3.2).
        claims.insert("iss".to_owned(), workspace.issuer.clone().into());
        claims.insert("aud".to_owned(), client.client_id.as_str().into());
        let claims = serde_json::to_vec(&claims).map_err(|_| Refusal::new(Reason::Internal))?;
        Ok(UserinfoAnswer::Jwt(self.sign_jwt(workspace, alg, "JWT", &claims).await?))
    }
}

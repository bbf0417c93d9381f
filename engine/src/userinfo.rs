//! The userinfo endpoint (OIDC Core §5.3).

use crate::encryption::{CLAIMS, NESTED};
use crate::entropy::SystemEntropy;
use crate::{Call, Engine, Workspace};
use jose::Algorithm;
use protocol::encryption::Encryption;
use protocol::error::{Reason, Refusal};
use protocol::resource_request::ResourceRequest;
use protocol::userinfo;

/// A userinfo answer: JSON, or a JWT for clients that registered `userinfo_signed_response_alg` or
/// `userinfo_encrypted_response_alg`.
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
        let claims = serde_json::to_vec(&claims).map_err(|_| Refusal::new(Reason::Internal))?;
        let signed = match alg {
            Some(alg) => Some(self.sign_jwt(workspace, alg, "JWT", &claims).await?),
            None => None,
        };
        // Signed first, if both are registered (OIDC Core §5.3.2).
        let Some(encryption) = Encryption::of_userinfo(&client) else {
            return Ok(signed.map_or(UserinfoAnswer::Json(claims), UserinfoAnswer::Jwt));
        };
        let encrypted = match signed {
            Some(signed) => self.encrypt_to(&client, encryption, NESTED, signed.as_bytes()).await?,
            None => self.encrypt_to(&client, encryption, CLAIMS, &claims).await?,
        };
        Ok(UserinfoAnswer::Jwt(encrypted))
    }
}

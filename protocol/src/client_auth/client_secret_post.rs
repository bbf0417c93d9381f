use super::{ClientAuthMethod, Credential, Presented, Proof, Verdict, check_secret_in_force};
use crate::client::{Client, TokenEndpointAuthMethod};
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::params::Params;
use jose::{SecretString, VerifyingKey};

/// `client_secret_post`: id and secret in the body (RFC 6749 §2.3.1).
pub struct ClientSecretPost;

impl ClientAuthMethod for ClientSecretPost {
    fn method(&self) -> TokenEndpointAuthMethod {
        TokenEndpointAuthMethod::ClientSecretPost
    }

    fn clause(&self) -> &'static str {
        "RFC 6749 §2.3.1"
    }

    fn find(&self, presented: &Presented<'_>, params: &Params) -> Result<Option<Credential>, Refusal> {
        let Some(secret) = params.get("client_secret") else { return Ok(None) };
        let client_id = match params.get("client_id") {
            Some(client_id) => client_id,
            // A secret beside another method is a second method, whether it names a client or not.
            None if presented.authorization.is_some() => "",
            None => return Err(Refusal::new(Reason::ParameterMissing).parameter("client_id")),
        };
        Ok(Some(Credential {
            client_id: client_id.into(),
            method: TokenEndpointAuthMethod::ClientSecretPost,
            proof: Proof::Secret(vec![SecretString::from(secret)]),
        }))
    }

    fn check(
        &self,
        _credential: &Credential,
        client: &Client,
        _keys: &[VerifyingKey],
        cx: &mut Cx<'_>,
    ) -> Result<Verdict, Refusal> {
        check_secret_in_force(client, cx.now)
    }
}

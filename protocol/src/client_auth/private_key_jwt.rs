use super::{ClientAuthMethod, Credential, Presented, Verdict, assertion};
use crate::client::{Client, TokenEndpointAuthMethod};
use crate::decision::Cx;
use crate::error::Refusal;
use crate::params::Params;
use crate::profile::Rules;
use jose::{Algorithm, VerifyingKey};

/// `private_key_jwt`: a JWT signed with a key of the client (RFC 7523 §2.2, OIDC Core §9).
pub struct PrivateKeyJwt;

impl ClientAuthMethod for PrivateKeyJwt {
    fn method(&self) -> TokenEndpointAuthMethod {
        TokenEndpointAuthMethod::PrivateKeyJwt
    }

    fn clause(&self) -> &'static str {
        "RFC 7523 §2.2"
    }

    fn find(&self, _presented: &Presented<'_>, params: &Params) -> Result<Option<Credential>, Refusal> {
        Ok(assertion::find(params)?.filter(|credential| credential.method == self.method()))
    }

    fn check(
        &self,
        credential: &Credential,
        client: &Client,
        keys: &[VerifyingKey],
        cx: &mut Cx<'_>,
    ) -> Result<Verdict, Refusal> {
        let rules = Rules::of(cx.server, client);
        let pinned = client.token_endpoint_auth_signing_alg;
        let allowed: Vec<Algorithm> = cx
            .server
            .token_endpoint_auth_signing_alg_values
            .iter()
            .copied()
            .filter(|alg| !alg.is_symmetric() && rules.allows_algorithm(*alg))
            .filter(|alg| pinned.is_none_or(|pinned| pinned == *alg))
            .collect();
        assertion::check(credential, client, keys, &allowed, cx)
    }
}

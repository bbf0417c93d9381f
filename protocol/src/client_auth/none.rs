use super::{ClientAuthMethod, Credential, Presented, Proof, Verdict};
use crate::client::{Client, TokenEndpointAuthMethod};
use crate::decision::Cx;
use crate::error::Refusal;
use crate::params::Params;
use jose::VerifyingKey;

/// `none`: a public client names itself and proves nothing (RFC 6749 §3.2.1).
pub struct NoAuthentication;

impl ClientAuthMethod for NoAuthentication {
    fn method(&self) -> TokenEndpointAuthMethod {
        TokenEndpointAuthMethod::None
    }

    fn clause(&self) -> &'static str {
        "RFC 6749 §3.2.1"
    }

    /// Only a request that shows nothing else uses this method: a public client that sends a secret is refused, so
    /// that a made-up secret never stands in for PKCE (attack PKC-19).
    fn find(&self, presented: &Presented<'_>, params: &Params) -> Result<Option<Credential>, Refusal> {
        let shows_more = presented.authorization.is_some()
            || ["client_secret", "client_assertion", "client_assertion_type"]
                .iter()
                .any(|name| params.get(name).is_some());
        Ok(params.get("client_id").filter(|_| !shows_more).map(|client_id| Credential {
            client_id: client_id.into(),
            method: TokenEndpointAuthMethod::None,
            proof: Proof::None,
        }))
    }

    fn check(
        &self,
        _credential: &Credential,
        _client: &Client,
        _keys: &[VerifyingKey],
        _cx: &mut Cx<'_>,
    ) -> Result<Verdict, Refusal> {
        Ok(Verdict::Holds(Vec::new()))
    }
}

use super::{ClientAuthMethod, Credential, Presented, Verdict, assertion};
use crate::client::{Client, TokenEndpointAuthMethod};
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::params::Params;
use jose::{Algorithm, VerifyingKey};

/// The algorithm of [`ClientSecretJwt`]. A secret that the server makes has 256 bits: enough for this one and for no
/// other (RFC 7518 §3.2).
pub const SECRET_ALGORITHM: Algorithm = Algorithm::HS256;

/// `client_secret_jwt`: a JWT authenticated with the client's secret as HMAC key (RFC 7523 §2.2, OIDC Core §9).
pub struct ClientSecretJwt;

impl ClientAuthMethod for ClientSecretJwt {
    fn method(&self) -> TokenEndpointAuthMethod {
        TokenEndpointAuthMethod::ClientSecretJwt
    }

    fn clause(&self) -> &'static str {
        "OIDC Core §9"
    }

    fn find(&self, _presented: &Presented<'_>, params: &Params) -> Result<Option<Credential>, Refusal> {
        Ok(assertion::find(params)?.filter(|credential| credential.method == self.method()))
    }

    /// `keys` are the client's secrets and nothing else: a public key is never an HMAC key (attack CAJ-24).
    fn check(
        &self,
        credential: &Credential,
        client: &Client,
        keys: &[VerifyingKey],
        cx: &mut Cx<'_>,
    ) -> Result<Verdict, Refusal> {
        let end = client.client_secret_expires_at;
        if end != 0 && cx.now.seconds() >= end {
            return Err(Reason::ClientSecretExpired.into());
        }
        let pinned = client.token_endpoint_auth_signing_alg;
        let allowed: &[Algorithm] =
            if pinned.is_none_or(|pinned| pinned == SECRET_ALGORITHM) { &[SECRET_ALGORITHM] } else { &[] };
        assertion::check(credential, client, keys, allowed, cx)
    }
}

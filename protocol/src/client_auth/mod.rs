//! Client authentication (RFC 6749 §2.3): one file per method, one line of [`CLIENT_AUTH_METHODS`] each.

mod assertion;
mod client_secret_basic;
mod client_secret_jwt;
mod client_secret_post;
mod none;
mod private_key_jwt;

pub use client_secret_basic::ClientSecretBasic;
pub use client_secret_jwt::{ClientSecretJwt, SECRET_ALGORITHM};
pub use client_secret_post::ClientSecretPost;
pub use none::NoAuthentication;
pub use private_key_jwt::PrivateKeyJwt;

use crate::client::{Client, HashedSecret, TokenEndpointAuthMethod};
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::id::ClientId;
use crate::params::Params;
use crate::profile::Rules;
use crate::single_use::SingleUse;
use crate::time::Timestamp;
use jose::{SecretString, VerifyingKey};

/// What a request shows beside its parameters.
#[derive(Clone, Copy, Default)]
pub struct Presented<'a> {
    /// The value of the `Authorization` header. More than one header is refused before this point.
    pub authorization: Option<&'a str>,
    /// The value of the `DPoP` header (RFC 9449 §4.1), likewise.
    pub dpop: Option<&'a str>,
}

/// What a client shows to prove who it is. Secret: there is no `Debug`.
pub enum Proof {
    None,
    /// A secret, as the standard reads it; more than one when it can also be read otherwise.
    Secret(Vec<SecretString>),
    /// A compact JWS (RFC 7523 §2.2), unverified.
    Assertion(String),
}

/// Who a request says it comes from, and how it proves that. Nothing is verified yet.
pub struct Credential {
    pub client_id: ClientId,
    pub method: TokenEndpointAuthMethod,
    pub proof: Proof,
}

/// The outcome of a check that did not fail.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// The client is authenticated once these are committed, together with whatever the request writes.
    Holds(Vec<SingleUse>),
    /// The engine still has to compare [`Proof::Secret`] with [`accepted_hashes`]: a slow hash does not belong on
    /// a request thread.
    CheckSecret,
}

/// One method of client authentication.
pub trait ClientAuthMethod: Sync {
    fn method(&self) -> TokenEndpointAuthMethod;

    /// Standard and section.
    fn clause(&self) -> &'static str;

    /// Looks for this method in a request; `None` when the request does not use it.
    ///
    /// # Errors
    /// When it is used and cannot be read.
    fn find(&self, presented: &Presented<'_>, params: &Params) -> Result<Option<Credential>, Refusal>;

    /// Whether the proof holds. `keys` are those of the client, for methods that use keys.
    ///
    /// # Errors
    /// Why it does not.
    fn check(
        &self,
        credential: &Credential,
        client: &Client,
        keys: &[VerifyingKey],
        cx: &mut Cx<'_>,
    ) -> Result<Verdict, Refusal>;
}

/// Every method that is implemented. `none` stands last: it is what is left when no other method was used.
pub static CLIENT_AUTH_METHODS: &[&dyn ClientAuthMethod] =
    &[&ClientSecretBasic, &ClientSecretPost, &ClientSecretJwt, &PrivateKeyJwt, &NoAuthentication];

/// Who a request says it comes from. A client must not use more than one method (RFC 6749 §2.3).
///
/// # Errors
/// No method, more than one, one that cannot be read, or a `client_id` that is another than the one of the proof
/// (RFC 6749 §3.2.1, attack CAU-08).
pub fn identify(presented: &Presented<'_>, params: &Params) -> Result<Credential, Refusal> {
    let mut found: Option<Credential> = None;
    for method in CLIENT_AUTH_METHODS {
        let Some(credential) = method.find(presented, params)? else { continue };
        if let Some(first) = &found {
            return Err(Refusal::new(Reason::ClientAuthenticationTwice).received(format!(
                "{} and {}",
                first.method.name(),
                credential.method.name()
            )));
        }
        found = Some(credential);
    }
    let credential = found.ok_or(Reason::ClientAuthenticationMissing)?;
    match params.get("client_id") {
        Some(named) if named != credential.client_id.as_str() => {
            Err(Refusal::new(Reason::ClientIdMismatch).parameter("client_id").received(named))
        }
        _ => Ok(credential),
    }
}

/// Whether `credential` authenticates `client`, which is `None` when no such client is registered.
///
/// All refusals for reasons of the client are `invalid_client` with one description, so that the outside cannot
/// tell an unknown client from a wrong secret (attack CAU-16). The engine makes both equally slow.
///
/// # Errors
/// Unknown, inactive (attack CAU-12), a method other than the registered one (decisions 6, attack CAU-03) or one that
/// the workspace or a profile does not allow, an expired secret, an assertion that does not hold.
pub fn check(
    credential: &Credential,
    client: Option<&Client>,
    keys: &[VerifyingKey],
    cx: &mut Cx<'_>,
) -> Result<Verdict, Refusal> {
    let client = client.ok_or_else(|| {
        Refusal::new(Reason::ClientUnknown).parameter("client_id").received(credential.client_id.as_str())
    })?;
    if !client.is_active() {
        return Err(Refusal::new(Reason::ClientInactive).received(client.client_id.as_str()));
    }
    if !is_registered(credential.method, client) {
        return Err(Refusal::new(Reason::ClientAuthenticationMethodMismatch)
            .received(credential.method.name())
            .expected(client.token_endpoint_auth_method.name()));
    }
    let in_workspace = cx.server.token_endpoint_auth_methods.iter().any(|m| m == credential.method.name());
    if !in_workspace || !Rules::of(cx.server, client).allows_auth_method(credential.method) {
        return Err(Refusal::new(Reason::ClientAuthenticationMethodNotAllowed)
            .received(credential.method.name())
            .expected(cx.server.token_endpoint_auth_methods.join(" or ")));
    }
    let method = CLIENT_AUTH_METHODS
        .iter()
        .find(|m| m.method() == credential.method)
        .ok_or(Reason::ClientAuthenticationMethodNotAllowed)?;
    method.check(credential, client, keys, cx)
}

/// The hashes that a secret of `client` is compared with: the current one, then rotated ones that still count.
pub fn accepted_hashes(client: &Client, now: Timestamp) -> impl Iterator<Item = &HashedSecret> {
    let rotated = client
        .hashed_rotated_secrets
        .iter()
        .filter(move |rotated| rotated.expires_at.is_none_or(|end| now < end))
        .map(|rotated| &rotated.hash);
    client.hashed_secret.iter().chain(rotated)
}

/// The registered method is the only one (RFC 9700 §2.5); `unspecified` means Basic or body (decisions 6).
fn is_registered(method: TokenEndpointAuthMethod, client: &Client) -> bool {
    use TokenEndpointAuthMethod as Method;
    match client.token_endpoint_auth_method {
        Method::Unspecified => matches!(method, Method::ClientSecretBasic | Method::ClientSecretPost),
        registered => registered == method,
    }
}

/// The check of both methods that send a secret: it exists and has not expired (RFC 7591 §3.2.1).
fn check_secret_in_force(client: &Client, now: Timestamp) -> Result<Verdict, Refusal> {
    let end = client.client_secret_expires_at;
    if end != 0 && now.seconds() >= end {
        return Err(Reason::ClientSecretExpired.into());
    }
    if accepted_hashes(client, now).next().is_none() {
        return Err(Reason::ClientSecretWrong.into());
    }
    Ok(Verdict::CheckSecret)
}

#[cfg(test)]
mod tests;

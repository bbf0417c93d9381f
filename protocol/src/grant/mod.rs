//! Grants (RFC 6749 §1.3): one file per grant type, one line of [`GRANTS`] each.

pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
mod evidence;
mod first_tokens;
pub mod jwt_bearer;
pub mod password;
pub mod refresh_token;
pub mod token_exchange;

pub use evidence::{Evidence, Need, Person};

use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::decision::{Cx, Decision};
use crate::error::{Reason, Refusal};
use crate::params::Params;
use crate::profile::Rules;
use crate::record::{Artifact, Found, Lookup};
use crate::server::Server;
use crate::token::Issue;
use crate::{grant_record::GrantRecord, subject::Subject};

/// A token request whose client is authenticated.
pub struct TokenRequest<'a> {
    pub params: &'a Params,
    pub client: &'a Client,
    /// The key that the request proves to hold: what is issued is bound to it.
    pub confirmation: Option<&'a Confirmation>,
    /// What the grant said it needs.
    pub evidence: &'a Evidence,
}

/// One grant type.
pub trait Grant: Sync {
    /// The value of `grant_type`.
    fn grant_type(&self) -> &'static str;

    /// Standard and section.
    fn clause(&self) -> &'static str;

    /// The parameters that it reads, beside `grant_type` and those of client authentication.
    fn params(&self) -> &'static [&'static str];

    /// What must be gathered beside stored records.
    fn needs(&self) -> &'static [Need] {
        &[]
    }

    /// What must be loaded, in one round.
    ///
    /// # Errors
    /// The request lacks what would name it.
    fn wants(&self, req: &TokenRequest<'_>, cx: &mut Cx<'_>) -> Result<Vec<Lookup>, Refusal>;

    /// Decides by what was loaded. After a conflict of the commit it is loaded and decided once more.
    fn decide(&self, req: &TokenRequest<'_>, found: &[Found], cx: &mut Cx<'_>) -> Decision<Issue>;
}

/// Every grant type that is implemented.
pub static GRANTS: &[&dyn Grant] = &[
    &authorization_code::AuthorizationCode,
    &client_credentials::ClientCredentials,
    &device_code::DeviceCodeGrant,
    &jwt_bearer::JwtBearer,
    &password::PasswordGrant,
    &refresh_token::RefreshTokenGrant,
    &token_exchange::TokenExchange,
];

/// Grant types of the contract; those that are not implemented may be registered and have no effect (decisions 2).
pub const CONTRACT_GRANT_TYPES: &[&str] = &[
    "authorization_code",
    "implicit",
    "client_credentials",
    "refresh_token",
    "password",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:openid:params:grant-type:ciba",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:device_code",
];

/// Whether a client may be registered for it: one of the contract's, or one that the registry knows beside.
pub fn may_be_registered(grant_type: &str) -> bool {
    CONTRACT_GRANT_TYPES.contains(&grant_type) || GRANTS.iter().any(|grant| grant.grant_type() == grant_type)
}

/// The grant type that a token request names, if the workspace and the client may use it.
///
/// # Errors
/// Missing, unknown (compared case-sensitively, attack TOK-08), not allowed in the workspace or by a profile, not registered for the
/// client (RFC 6749 §5.2).
pub fn select(params: &Params, client: &Client, server: &Server) -> Result<&'static dyn Grant, Refusal> {
    let refuse = |reason| Refusal::new(reason).parameter("grant_type");
    let name = params.get("grant_type").ok_or_else(|| refuse(Reason::GrantTypeMissing))?;
    let grant = GRANTS.iter().find(|grant| grant.grant_type() == name).ok_or_else(|| {
        let known: Vec<_> = GRANTS.iter().map(|grant| grant.grant_type()).collect();
        refuse(Reason::GrantTypeUnsupported).received(name).expected(known.join(" or "))
    })?;
    if !server.allows_grant_type(name) || !Rules::of(server, client).allows_grant_type(name) {
        return Err(refuse(Reason::GrantTypeNotAllowedHere)
            .received(name)
            .expected(server.grant_types.join(" or ")));
    }
    if !client.registered_grant_type(name) {
        return Err(refuse(Reason::GrantTypeNotRegistered)
            .received(name)
            .expected(client.grant_types.join(" or ")));
    }
    Ok(*grant)
}

/// A required parameter.
fn required<'a>(params: &'a Params, name: &str) -> Result<&'a str, Refusal> {
    params.get(name).ok_or_else(|| Refusal::new(Reason::ParameterMissing).parameter(name))
}

/// The artifact at `index` and its grant, as [`Grant::wants`] asked for them.
fn artifact(found: &[Found], index: usize) -> Option<(&Artifact, Option<&GrantRecord>)> {
    match found.get(index) {
        Some(Found::Artifact(Some(artifact), grant)) => Some((artifact, grant.as_deref())),
        _ => None,
    }
}

/// The person of a grant must still exist and be allowed to log in (attack W-10).
fn check_subject(subject: Option<&Subject>, cx: &Cx<'_>) -> Result<(), Refusal> {
    match subject {
        Some(subject) if !cx.subjects.still_exists(subject) => Err(Reason::SubjectGone.into()),
        _ => Ok(()),
    }
}

/// The row contradicts the rules: an error, never a guess (house rule 12).
fn impossible(row: &crate::record::ImpossibleRow) -> Refusal {
    Refusal::new(Reason::Internal).received(row.to_string())
}

#[cfg(test)]
mod tests;

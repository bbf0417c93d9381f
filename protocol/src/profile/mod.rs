//! Security profiles: how strict a workspace, or one client in it, has to be. Plain data, one file per profile, one
//! line of [`PROFILES`] each.
//!
//! A profile only ever narrows: what the settings of a workspace and a client allow holds as far as both their profiles
//! allow it too, so the stricter of the two wins. Checks that only some profiles need are rows of the table of the
//! authorization endpoint like any other; the data says whether they bite.

mod default;
mod fapi1_advanced;
mod fapi1_baseline;
mod fapi_20_message_signing;
mod fapi_20_security;
mod rules;

pub use rules::Rules;

use crate::client::TokenEndpointAuthMethod;
use crate::duration::Span;
use crate::pkce::CodeChallengeMethod;
use crate::response_mode::ResponseMode;
use crate::response_type::ResponseType;
use jose::Algorithm;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What a profile allows, demands and bounds.
#[derive(PartialEq, Debug)]
pub struct SecurityProfile {
    /// Under which it is chosen: its own name, then names of the contract for profiles that have it as their base.
    /// What regions add to a base is not there.
    pub names: &'static [&'static str],
    /// The standard.
    pub clause: &'static str,
    /// Grant types that nobody gets a token by, whatever the workspace lists.
    pub forbidden_grant_types: &'static [&'static str],
    pub response_types: &'static [ResponseType],
    pub forbidden_response_modes: &'static [ResponseMode],
    /// Algorithms of ID tokens, client assertions, request objects and DPoP proofs.
    pub signing_algorithms: &'static [Algorithm],
    /// `none` among them allows public clients.
    pub client_auth_methods: &'static [TokenEndpointAuthMethod],
    pub assertion_audience: AssertionAudience,
    /// By every client, for every code.
    pub pkce_required: bool,
    pub code_challenge_methods: &'static [CodeChallengeMethod],
    pub pushed_requests_required: bool,
    /// Authorization requests come in request objects only.
    pub signed_requests_required: bool,
    pub request_objects: RequestObjects,
    pub redirect_uris: RedirectUris,
    pub sender_constraint: SenderConstraint,
    /// Longest life of an authorization code.
    pub longest_code_ttl: Span,
    /// Longest life of a pushed request.
    pub longest_pushed_request_ttl: Span,
    /// A rotated refresh token is answered again for at least so long.
    pub shortest_retry_window: Span,
    /// Browsers are sent on with 303, never 302.
    pub see_other: bool,
}

/// Whom a client assertion may name as its audience.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AssertionAudience {
    /// The issuer, the token endpoint, or an array of these (RFC 7523 §3 (3)).
    IssuerOrTokenEndpoint,
    /// The issuer as a single string.
    IssuerAlone,
}

/// What a request object must say about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestObjects {
    /// `iss`, `aud`, `exp` and `nbf` are required.
    pub claims_required: bool,
    /// From `nbf` to `exp`; only counts where both are required.
    pub longest_life: Span,
}

/// Rules about redirect URIs beyond exact equality.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RedirectUris {
    /// Each request names its own, though only one is registered.
    pub must_be_sent: bool,
    /// `http` on loopback hosts is for native applications alone.
    pub loopback_for_native_only: bool,
}

/// What an access token must be bound to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SenderConstraint {
    /// As the client wishes.
    Optional,
    /// A DPoP key or a certificate of the client.
    DpopOrMtls,
    /// A certificate of the client.
    Mtls,
}

/// Every profile.
pub static PROFILES: &[&SecurityProfile] = &[
    &default::PROFILE,
    &fapi_20_security::PROFILE,
    &fapi_20_message_signing::PROFILE,
    &fapi1_baseline::PROFILE,
    &fapi1_advanced::PROFILE,
];

/// A profile that was chosen, under the name by which it was chosen.
#[derive(Clone, Copy)]
pub struct Profile {
    name: &'static str,
    pub(crate) rules: &'static SecurityProfile,
}

impl Profile {
    /// The profile of that name.
    pub fn named(name: &str) -> Option<Self> {
        PROFILES.iter().find_map(|rules| {
            rules.names.iter().find(|known| **known == name).map(|name| Self { name, rules })
        })
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PROFILES.iter().flat_map(|profile| profile.names).copied()
    }

    pub const fn name(self) -> &'static str {
        self.name
    }

    /// What it allows, demands and bounds.
    pub const fn rules(self) -> &'static SecurityProfile {
        self.rules
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self { name: "default", rules: &default::PROFILE }
    }
}

impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// There is no profile of that name. A row that names one cannot be read: it would be taken for a laxer one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownProfile(String);

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = Profile::names().collect();
        write!(f, "{}, expected one of {}", self.0, known.join(", "))
    }
}

impl std::error::Error for UnknownProfile {}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        Self::named(name).ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;

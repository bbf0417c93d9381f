//! Which values the members of a document may have.

pub(crate) mod client;
pub(crate) mod secret;
pub(crate) mod server;

use protocol::client_auth::CLIENT_AUTH_METHODS;
use protocol::grant::{CONTRACT_GRANT_TYPES, GRANTS};
use std::sync::LazyLock;

/// Grant types that may be registered: those of the contract, of which the ones that are not implemented have no
/// effect (decisions 2), and whatever else the registry knows.
pub(crate) static GRANT_TYPES: LazyLock<Vec<&str>> =
    LazyLock::new(|| with(CONTRACT_GRANT_TYPES, GRANTS.iter().map(|grant| grant.grant_type())));

/// Client authentication methods that may be registered: those of the contract and of the registry.
pub(crate) static AUTH_METHODS: LazyLock<Vec<&str>> =
    LazyLock::new(|| with(CONTRACT_AUTH_METHODS, CLIENT_AUTH_METHODS.iter().map(|m| m.method().name())));

/// Response types of the contract; the order of their parts does not matter (OAuth Multiple Response Types §5).
pub(crate) const RESPONSE_TYPES: &[&str] = &[
    "code",
    "token",
    "id_token",
    "code id_token",
    "code token",
    "id_token token",
    "code id_token token",
    "none",
];

const CONTRACT_AUTH_METHODS: &[&str] = &[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "self_signed_tls_client_auth",
    "tls_client_auth",
    "none",
    "unspecified",
];

/// Algorithms that the server signs with.
pub(crate) const SIGNING_ALGORITHMS: &[&str] = &["ES256", "RS256", "PS256", "EdDSA"];

fn with(contract: &[&'static str], registry: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut values = contract.to_vec();
    for value in registry {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

//! What a client may look like (RFC 7591 §2, contract §1).

use super::{GRANT_TYPES, RESPONSE_TYPES, SIGNING_ALGORITHMS};
use crate::members::Problems;
use engine::fetch::FetchPolicy;
use protocol::client::{Client, TokenEndpointAuthMethod, TokenTtls};
use protocol::client_addresses;
use protocol::duration::Span;
use protocol::encryption;
use protocol::id::is_valid_chosen_id;
use protocol::redirect_uri;
use protocol::scope::{Scope, is_scope_token};
use serde_json::Value;

/// Longest life of a token that a client may be given.
const LONGEST_TTL: Span = Span::hours(24 * 366);

/// Everything that is wrong with `client` whatever else exists.
pub(crate) fn check(client: &Client, policy: &FetchPolicy, problems: &mut Problems) {
    problems.require(
        is_valid_chosen_id(client.client_id.as_str()),
        "client_id",
        client.client_id.as_str(),
        "1 to 128 characters of A-Z a-z 0-9 . _ ~ -",
    );
    check_enumerations(client, problems);
    check_redirect_uris(client, problems);
    check_addresses(client, policy, problems);
    check_keys(client, problems);
    check_numbers(client, problems);
    problems.distinct("audience", &client.audience);
    problems.distinct("contacts", &client.contacts);
    problems.distinct("default_acr_values", &client.default_acr_values);
}

fn check_enumerations(client: &Client, problems: &mut Problems) {
    problems.one_of("client_status", &client.client_status, &["active", "inactive"]);
    problems.one_of("client_type", &client.client_type, &["oauth2", "saml"]);
    problems.one_of("application_type", &client.application_type, &["web", "native"]);
    problems.one_of("subject_type", &client.subject_type, &["public", "pairwise"]);
    problems.each_of("grant_types", &client.grant_types, &GRANT_TYPES);
    for (index, value) in client.response_types.iter().enumerate() {
        problems.one_of(&format!("response_types[{index}]"), &in_order(value), RESPONSE_TYPES);
    }
    problems.distinct("response_types", &client.response_types);
    let optional: [(&str, &str, &[&str]); 4] = [
        (
            "userinfo_signed_response_alg",
            &client.userinfo_signed_response_alg,
            &["none", "RS256", "ES256", "PS256", "EdDSA"],
        ),
        (
            "request_object_signing_alg",
            &client.request_object_signing_alg,
            &["any", "none", "RS256", "ES256", "PS256", "EdDSA"],
        ),
        ("authorization_signed_response_alg", &client.authorization_signed_response_alg, SIGNING_ALGORITHMS),
        ("backchannel_token_delivery_mode", &client.backchannel_token_delivery_mode, &["poll", "ping"]),
    ];
    for (member, value, allowed) in optional.into_iter().filter(|(_, value, _)| !value.is_empty()) {
        problems.one_of(member, value, allowed);
    }
    for fault in encryption::faults(client) {
        problems.add(fault.member, fault.received, fault.expected);
    }
    if let Some(alg) = client.id_token_signed_response_alg {
        problems.one_of("id_token_signed_response_alg", alg.name(), SIGNING_ALGORITHMS);
    }
    if let Some(alg) = client.token_endpoint_auth_signing_alg {
        let with_secret = client.token_endpoint_auth_method == TokenEndpointAuthMethod::ClientSecretJwt;
        problems.require(
            alg.is_symmetric() == with_secret,
            "token_endpoint_auth_signing_alg",
            alg.name(),
            "HS256 with client_secret_jwt, an asymmetric algorithm with any other method",
        );
    }
}

/// The parts of a response type in the order of the list.
fn in_order(response_type: &str) -> String {
    let mut parts: Vec<&str> = response_type.split(' ').collect();
    parts.sort_unstable();
    parts.join(" ")
}

fn check_redirect_uris(client: &Client, problems: &mut Problems) {
    let lists = [
        ("redirect_uris", &client.redirect_uris),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
    ];
    for (member, uris) in lists {
        for (index, uri) in uris.iter().enumerate() {
            if let Err(refusal) = redirect_uri::validate_registered_uri(uri, &client.application_type) {
                let expected = refusal.expected.unwrap_or_else(|| refusal.reason.entry().fix.to_owned());
                problems.add(format!("{member}[{index}]"), uri, expected);
            }
        }
        problems.distinct(member, uris);
    }
}

fn check_addresses(client: &Client, policy: &FetchPolicy, problems: &mut Problems) {
    for fault in client_addresses::faults(client, policy.reach()) {
        problems.add(fault.member, fault.received, fault.expected);
    }
    problems.distinct("request_uris", &client.request_uris);
}

/// Only public keys, and only by one way (RFC 7591 §2; attack ADM-24).
fn check_keys(client: &Client, problems: &mut Problems) {
    let Some(jwks) = &client.jwks else { return };
    problems.require(
        client.jwks_uri.is_empty(),
        "jwks_uri",
        "jwks and jwks_uri",
        "only one of jwks and jwks_uri",
    );
    problems.require(jwks.keys.len() <= 100, "jwks", jwks.keys.len(), "at most 100 keys");
    for (index, key) in jwks.keys.iter().enumerate() {
        let member = format!("jwks.keys[{index}]");
        if key.is_private() || key.is_symmetric() {
            problems.add(
                member,
                "a private or symmetric key",
                "a public key; replace the pair, it has travelled",
            );
        } else if let Err(error) = key.validate() {
            problems.add(member, error, "a public RSA key of 2048 bits or more, an EC key or an Ed25519 key");
        }
    }
}

fn check_numbers(client: &Client, problems: &mut Problems) {
    problems.require(
        client.client_secret_expires_at >= 0,
        "client_secret_expires_at",
        client.client_secret_expires_at,
        "seconds since 1970, or 0 for never",
    );
    problems.require(
        client.default_max_age >= 0,
        "default_max_age",
        client.default_max_age,
        "seconds, 0 or more",
    );
    let TokenTtls { access_token_ttl, id_token_ttl, refresh_token_ttl, authorization_code_ttl } =
        &client.token_ttls;
    let ttls = [
        ("token_ttls.access_token_ttl", access_token_ttl, LONGEST_TTL),
        ("token_ttls.id_token_ttl", id_token_ttl, LONGEST_TTL),
        ("token_ttls.refresh_token_ttl", refresh_token_ttl, LONGEST_TTL),
        ("token_ttls.authorization_code_ttl", authorization_code_ttl, super::server::LONGEST_CODE_TTL),
    ];
    for (member, ttl, longest) in ttls {
        if let Some(ttl) = ttl {
            super::server::check_ttl(member, *ttl, longest, problems);
        }
    }
}

/// A client may subscribe to scopes that the workspace has: by name, or by a value that a wildcard scope such as
/// `account.*` covers. Scopes that it had before may stay although the workspace lost them.
pub(crate) fn check_scopes(
    client: &Client,
    before: Option<&Client>,
    known: &[Scope],
    problems: &mut Problems,
) {
    problems.distinct("scopes", &client.scopes);
    let exists = |name: &str| {
        known.iter().any(|scope| {
            let prefix = scope.name.strip_suffix('*').filter(|prefix| !prefix.is_empty());
            scope.name == name
                || prefix.is_some_and(|prefix| name.len() > prefix.len() && name.starts_with(prefix))
        })
    };
    for (index, name) in client.scopes.iter().enumerate() {
        let member = format!("scopes[{index}]");
        let kept = before.is_some_and(|before| before.scopes.contains(name));
        problems.require(is_scope_token(name), &member, name, "a scope-token of RFC 6749 §3.3");
        problems.require(kept || exists(name), &member, name, "a scope of the workspace");
    }
}

/// The list that was meant when both spellings of the scopes were sent (contract: `scopes`, `scope`).
pub(crate) fn merge_scopes(
    scopes: Option<&Value>,
    scope: Option<&str>,
    listed: Vec<String>,
    before: Option<&Client>,
    problems: &mut Problems,
) -> Vec<String> {
    let Some(text) = scope else { return listed };
    let spaced: Vec<String> = text.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let current = before.map(|client| &client.scopes);
    if scopes.is_none() || current == Some(&listed) {
        return spaced;
    }
    let contradict = spaced.len() != listed.len() || spaced.iter().any(|name| !listed.contains(name));
    if contradict && current != Some(&spaced) {
        problems.add("scope", text, "the same scopes as `scopes`, or only one of the two");
    }
    listed
}

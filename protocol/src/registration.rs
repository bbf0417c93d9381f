//! Dynamic client registration (RFC 7591, OIDC Registration) and its management (RFC 7592): what a client may say
//! about itself. Who may register, secrets and storage are the engine's.

use crate::client::{Client, TokenEndpointAuthMethod};
use crate::client_addresses;
use crate::client_auth::CLIENT_AUTH_METHODS;
use crate::decision::Catalog;
use crate::duration::Span;
use crate::encryption;
use crate::error::{Reason, Refusal};
use crate::json_type::name_of_type;
use crate::profile::Rules;
use crate::record::HandleHash;
use crate::redirect_uri::{Destination, Parts, validate_registered_uri};
use crate::scope::{Scope, is_scope_token};
use crate::server::Server;
use crate::time::Timestamp;
use crate::web_uri::Reach;
use jose::Algorithm;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

mod grant_types;
mod member;
mod sector;

pub use grant_types::Registrant;
use member::Kind;
pub use sector::check_sector;

/// Longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Most entries of any list.
const MAX_ENTRIES: usize = 100;
/// Longest text of one member, in bytes.
const MAX_TEXT_BYTES: usize = 2048;

/// What the server says of a registration and no client: an update MUST NOT include it (RFC 7592 §2.2).
const ANSWERED_ONLY: &[&str] = &[
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

const SIGNING_ALGORITHMS: &[&str] = &["RS256", "ES256", "PS256", "EdDSA"];

/// How a client manages its own registration (RFC 7592 §3); stored with it, never shown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RegistrationToken {
    pub hash: HandleHash,
    pub expires_at: Timestamp,
}

/// Settings of a workspace (contract: `dynamic_client_registration`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct DynamicClientRegistration {
    pub enabled: bool,
    pub initial_access_token: InitialAccessToken,
    /// Scopes that such clients may ask for, beside those of the workspace's own services.
    pub default_scopes: Vec<String>,
    /// Life of a registration access token.
    #[schema(value_type = String)]
    pub registration_access_token_ttl: Span,
    /// An update keeps the registration access token.
    pub disable_registration_token_rotation: bool,
    /// From so many clients of the workspace on, however made, nobody registers by himself.
    pub max_clients: usize,
    /// Registrations from one address within an hour.
    pub max_registrations_per_source: u32,
    /// A client that nobody ever logged in to is deleted after this time; 0 means never.
    #[schema(value_type = String)]
    pub unused_client_ttl: Span,
}

/// Whether registering needs a token with the scope `dcr_register` (RFC 7591 §1.2).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct InitialAccessToken {
    pub required: bool,
}

impl Default for DynamicClientRegistration {
    fn default() -> Self {
        let scopes = ["openid", "profile", "email", "phone", "address", "offline_access"];
        Self {
            enabled: false,
            initial_access_token: InitialAccessToken::default(),
            default_scopes: scopes.map(str::to_owned).to_vec(),
            registration_access_token_ttl: Span::hours(720),
            disable_registration_token_rotation: false,
            max_clients: 1_000,
            max_registrations_per_source: 600,
            unused_client_ttl: Span::hours(720),
        }
    }
}

/// Reads the body of a registration request: an object with each member once, `null` counting as absent.
///
/// # Errors
/// [`Reason::RegistrationMalformed`] (attack DCR-14).
pub fn parse(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let refuse = |why: String| Refusal::new(Reason::RegistrationMalformed).received(why);
    if body.len() > MAX_BODY_BYTES {
        return Err(refuse("too many bytes".to_owned()));
    }
    let mut members = jose::parse_object(body).map_err(|why| refuse(why.to_string()))?;
    members.retain(|_, value| !value.is_null());
    Ok(members)
}

/// Reads the body of an update (RFC 7592 §2.2): the metadata as it is to be, with the `client_id` that there is.
///
/// # Errors
/// [`Reason::RegistrationMalformed`], [`Reason::RegistrationAnswerMember`], or [`Reason::RegistrationMetadata`] for another
/// `client_id` or none.
pub fn parse_update(body: &[u8], client_id: &str) -> Result<Map<String, Value>, Refusal> {
    let members = parse(body)?;
    for name in ANSWERED_ONLY {
        if let Some(value) = members.get(*name) {
            let refusal = Refusal::new(Reason::RegistrationAnswerMember).parameter(*name);
            return Err(refusal.received(name_of_type(value)).expected("an update without it"));
        }
    }
    if members.get("client_id").and_then(Value::as_str) != Some(client_id) {
        let sent = members.get("client_id").map_or_else(|| "nothing".to_owned(), Value::to_string);
        return Err(metadata("client_id", &sent, "the client_id of the registration (RFC 7592 §2.2)"));
    }
    Ok(members)
}

/// The client that the members describe; identity, secret and storage are for the caller. `reach` is where the server may
/// call.
///
/// # Errors
/// [`Reason::RegistrationRedirectUri`] or [`Reason::RegistrationMetadata`] with the member (RFC 7591 §3.2.2).
pub fn client(
    members: &Map<String, Value>,
    registrant: Registrant<'_>,
    server: &Server,
    catalog: &Catalog,
    reach: Reach<'_>,
) -> Result<Client, Refusal> {
    let (mut client, said) = member::read(members)?;
    if !said.contains_key("application_type") && is_local(&client) {
        "native".clone_into(&mut client.application_type);
    }
    if !said.contains_key("subject_type") {
        settle_subject_type(&mut client, server);
    }
    grant_types::settle(&mut client, &said, registrant)?;
    settle_scopes(&mut client, members, registrant, server, catalog)?;
    check_redirect_uris(&client)?;
    check_authentication(&client, server)?;
    check_values(&client, server)?;
    if let Some(fault) = client_addresses::faults(&client, reach).first() {
        return Err(metadata(&fault.member, &fault.received, fault.expected));
    }
    sector::check_one_sector(&client)?;
    // OIDC Registration §2 (decisions 5).
    if Rules::of_workspace(server).allows_algorithm(Algorithm::RS256) {
        client.id_token_signed_response_alg.get_or_insert(Algorithm::RS256);
    }
    encryption::settle(&mut client);
    client.dynamically_registered = true;
    Ok(client)
}

/// The client information response (RFC 7591 §3.2.1): all that is registered, and nothing that has no value. A list is
/// empty where the client `said` so just now, and where its absence would mean another one (RFC 7591 §2:
/// `response_types`).
pub fn shown(client: &Client, said: &Map<String, Value>) -> Map<String, Value> {
    let mut shown = Map::new();
    if let Ok(Value::Object(stored)) = serde_json::to_value(client) {
        let is_said = |(name, _): &(String, Value)| member::is_said(name);
        shown.extend(stored.into_iter().filter(is_said).filter(|(name, value)| has_value(name, value)));
    }
    for (name, value) in said.iter().filter(|(name, value)| member::is_said(name) && is_empty_list(value)) {
        shown.entry(name).or_insert_with(|| value.clone());
    }
    shown.insert("client_id".to_owned(), json!(client.client_id));
    if client.client_id_issued_at > 0 {
        shown.insert("client_id_issued_at".to_owned(), json!(client.client_id_issued_at));
    }
    if client.token_endpoint_auth_method.uses_secret() {
        // RFC 7591 §3.2.1, RFC 7592 §3: REQUIRED beside a secret; 0 means never.
        shown.insert("client_secret_expires_at".to_owned(), json!(client.client_secret_expires_at));
    }
    if !client.scopes.is_empty() {
        shown.insert("scope".to_owned(), json!(client.scopes.join(" ")));
    }
    shown
}

fn has_value(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        value => !is_empty_list(value) || name == "response_types",
    }
}

fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn check_size(name: &str, value: &Value) -> Result<(), Refusal> {
    let entries = value.as_array().map_or(0, Vec::len);
    let longest = |value: &Value| value.as_str().map_or(0, str::len);
    let texts = value.as_array().into_iter().flatten().chain([value]).map(longest).max();
    if entries > MAX_ENTRIES || texts.unwrap_or(0) > MAX_TEXT_BYTES {
        return Err(metadata(name, "too much", "at most 100 entries of 2048 bytes"));
    }
    Ok(())
}

/// Whether every redirect URI leads to an application on somebody's computer (RFC 8252 §7).
fn is_local(client: &Client) -> bool {
    let uris = &client.redirect_uris;
    let local = |uri: &String| Parts::read(uri).is_ok_and(|parts| parts.destination != Destination::Web);
    !uris.is_empty() && uris.iter().all(local)
}

/// `public`, unless the workspace has pairwise identifiers only (OIDC Core §8).
fn settle_subject_type(client: &mut Client, server: &Server) {
    let supported = &server.subject_identifier_types;
    if !supported.contains(&client.subject_type) {
        client.subject_type = supported.first().cloned().unwrap_or_default();
    }
}

/// `scope`, within what the workspace gives to such clients; all of that if nothing is asked (RFC 7591 §2). A client that
/// has none is shown none, and asks for nothing more by saying none again.
fn settle_scopes(
    client: &mut Client,
    members: &Map<String, Value>,
    registrant: Registrant<'_>,
    server: &Server,
    catalog: &Catalog,
) -> Result<(), Refusal> {
    let has_none = matches!(registrant, Registrant::Itself(before) if before.scopes.is_empty());
    if has_none && !members.contains_key("scope") {
        return Ok(());
    }
    let defaults = &server.dynamic_client_registration.default_scopes;
    let is_own = |scope: &Scope| catalog.service(&scope.service_id).is_some_and(|service| !service.system);
    let given = catalog.scopes.iter().filter(|scope| defaults.contains(&scope.name) || is_own(scope));
    client.scopes = given.map(|scope| scope.name.clone()).collect();
    let Some(scope) = members.get("scope") else { return Ok(()) };
    member::check("scope", Kind::Text, scope)?;
    let asked: Vec<&str> =
        scope.as_str().unwrap_or_default().split(' ').filter(|name| !name.is_empty()).collect();
    if let Some(odd) = asked.iter().find(|name| !is_scope_token(name)) {
        return Err(metadata("scope", odd, "scope-tokens of RFC 6749 §3.3"));
    }
    let mut given = std::mem::take(&mut client.scopes);
    for name in asked {
        let place = given.iter().position(|known| known == name);
        client.scopes.extend(place.map(|place| given.swap_remove(place)));
    }
    Ok(())
}

/// RFC 7591 §5; attack DCR-17. `oidcc-registration-regfrag`.
fn check_redirect_uris(client: &Client) -> Result<(), Refusal> {
    let redirects =
        client.registered_grant_type("authorization_code") || client.registered_grant_type("implicit");
    if redirects && client.redirect_uris.is_empty() {
        return Err(Refusal::new(Reason::RegistrationRedirectUri).parameter("redirect_uris"));
    }
    for (member, uris) in [
        ("redirect_uris", &client.redirect_uris),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
    ] {
        for uri in uris {
            validate_registered_uri(uri, &client.application_type).map_err(|refusal| Refusal {
                reason: Reason::RegistrationRedirectUri,
                parameter: Some(member.to_owned()),
                ..refusal
            })?;
        }
    }
    Ok(())
}

fn check_authentication(client: &Client, server: &Server) -> Result<(), Refusal> {
    let method = client.token_endpoint_auth_method;
    let works = CLIENT_AUTH_METHODS.iter().any(|known| known.method() == method);
    let allowed = server.token_endpoint_auth_methods.iter().any(|name| name == method.name());
    if !works || !allowed || !Rules::of_workspace(server).allows_auth_method(method) {
        let expected = "one of token_endpoint_auth_methods_supported";
        return Err(metadata("token_endpoint_auth_method", method.name(), expected));
    }
    if client.jwks.is_some() && !client.jwks_uri.is_empty() {
        return Err(metadata("jwks_uri", "jwks and jwks_uri", "only one of them"));
    }
    for key in client.jwks.iter().flat_map(|set| &set.keys) {
        if key.is_private() || key.is_symmetric() || key.validate().is_err() {
            return Err(metadata("jwks", "another key", "public keys only"));
        }
    }
    let has_key = client.jwks.iter().any(|set| !set.keys.is_empty()) || !client.jwks_uri.is_empty();
    if method == TokenEndpointAuthMethod::PrivateKeyJwt && !has_key {
        return Err(metadata("jwks", "none", "jwks with a key, or jwks_uri, with private_key_jwt"));
    }
    let with_secret = method == TokenEndpointAuthMethod::ClientSecretJwt;
    let supported = &server.token_endpoint_auth_signing_alg_values;
    match client.token_endpoint_auth_signing_alg {
        Some(alg) if alg.is_symmetric() != with_secret || !supported.contains(&alg) => {
            Err(metadata("token_endpoint_auth_signing_alg", alg.name(), "an algorithm of the method"))
        }
        _ => Ok(()),
    }
}

/// Values that the workspace does not support would be registered and never work.
fn check_values(client: &Client, server: &Server) -> Result<(), Refusal> {
    let one_of = |member: &str, value: &str, allowed: &[&str]| {
        let fits = value.is_empty() || allowed.contains(&value);
        if fits { Ok(()) } else { Err(metadata(member, value, &allowed.join(", "))) }
    };
    let rules = Rules::of_workspace(server);
    let supported = |name: &&str| Algorithm::parse(name).is_some_and(|alg| rules.allows_algorithm(alg));
    let signing: Vec<&str> = SIGNING_ALGORITHMS.iter().copied().filter(supported).collect();
    let or = |special: &'static str| [&[special], &signing[..]].concat();
    let alg = client.id_token_signed_response_alg.map_or("", Algorithm::name);
    one_of("id_token_signed_response_alg", alg, &signing)?;
    one_of("userinfo_signed_response_alg", &client.userinfo_signed_response_alg, &or("none"))?;
    // An unsigned request object is never accepted (RFC 9101 §10.5).
    one_of("request_object_signing_alg", &client.request_object_signing_alg, &or("any"))?;
    one_of("application_type", &client.application_type, &["web", "native"])?;
    let subject_types: Vec<&str> = server.subject_identifier_types.iter().map(String::as_str).collect();
    one_of("subject_type", &client.subject_type, &subject_types)?;
    if let Some(fault) = encryption::faults(client).first() {
        return Err(metadata(fault.member, &fault.received, &fault.expected));
    }
    if client.default_max_age < 0 {
        return Err(metadata("default_max_age", "less than 0", "seconds, 0 or more"));
    }
    Ok(())
}

fn metadata(member: &str, received: &str, expected: &str) -> Refusal {
    Refusal::new(Reason::RegistrationMetadata).parameter(member).received(received).expected(expected)
}

//! Clients that are known by a document at their `client_id` (OAuth Client ID Metadata Document): which URLs may be
//! such ids, and what a document says. Fetching it is the engine's.
//!
//! Members that are not known here are passed over; where a document gives a list of what the client can do
//! (OpenID Connect RP Metadata Choices §2), the first that is supported here counts.

use crate::client::{Client, TokenEndpointAuthMethod};
use crate::decision::Catalog;
use crate::encryption::{self, Encryption};
use crate::error::{Reason, Refusal};
use crate::frontchannel_logout;
use crate::id::{ClientId, Uid};
use crate::redirect_uri::{Destination, Parts, validate_registered_uri};
use crate::scope::Scope;
use crate::server::Server;
use crate::web_uri::HTTPS;
use jose::{Algorithm, JwkSet};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

/// Longest `client_id` that is taken for the URL of a document, in bytes.
const MAX_URL_BYTES: usize = 1024;
/// Longest document, in bytes; those in use have one or two thousand.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;
const MAX_REDIRECT_URIS: usize = 100;
/// Longest name, in characters.
const MAX_NAME: usize = 200;

/// Scopes of every workspace that such a client may ask for, beside those of the workspace's own services.
const SCOPES: &[&str] = &["openid", "profile", "email", "offline_access"];
/// Grant types that such a client may have; without a list in its document, the first two.
const GRANT_TYPES: &[&str] =
    &["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];

/// Whether a `client_id` looks like the URL of a document. No registered client's id holds a colon.
pub fn is_url(client_id: &str) -> bool {
    client_id.starts_with("https://") || client_id.starts_with("http://")
}

/// Whether the URL may be a client identifier in this workspace (OAuth Client ID Metadata Document §3; attack
/// AUT-31): spelled exactly as it is fetched, `https`, with a path and without dot segments, fragment or credentials,
/// on a host that the workspace trusts. `http` on loopback only if the operator allows fetching there.
///
/// # Errors
/// [`Reason::ClientDocumentUrl`] with what is wrong.
pub fn check_url(client_id: &str, server: &Server, allow_loopback: bool) -> Result<(), Refusal> {
    let refuse = |expected: &str| {
        Refusal::new(Reason::ClientDocumentUrl).parameter("client_id").received(client_id).expected(expected)
    };
    if client_id.len() > MAX_URL_BYTES {
        return Err(refuse("at most 1024 bytes"));
    }
    let url = Url::parse(client_id).map_err(|_| refuse("a URL"))?;
    let is_loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback && allow_loopback) {
        return Err(refuse(if is_loopback { HTTPS } else { "an https URL" }));
    }
    if url.fragment().is_some() {
        return Err(refuse("no fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("no user name and password"));
    }
    // Dot segments, upper case, default ports, backslashes: whatever the parser had to mend.
    if url.as_str() != client_id {
        return Err(refuse(url.as_str()));
    }
    if url.path() == "/" {
        return Err(refuse("a path"));
    }
    let allowed = &server.client_id_metadata_documents.allowed_hosts;
    let host = url.host_str().unwrap_or_default();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    let is_named =
        |entry: &String| entry.eq_ignore_ascii_case(host) || entry.eq_ignore_ascii_case(&with_port);
    if !allowed.is_empty() && !allowed.iter().any(is_named) {
        return Err(refuse("a host that the workspace trusts"));
    }
    Ok(())
}

/// The refusal as the authorization endpoint tells it, where no client authenticates.
pub fn at_authorization(refusal: Refusal) -> Refusal {
    let reason = match refusal.reason {
        Reason::ClientDocumentUrl => Reason::AuthorizeClientDocumentUrl,
        _ => Reason::AuthorizeClientDocument,
    };
    Refusal { reason, ..refusal }
}

/// The client that the document at `client_id` describes, without what a workspace adds.
///
/// # Errors
/// [`Reason::ClientDocumentInvalid`] with the member and what was expected.
pub fn read(client_id: &str, document: &[u8]) -> Result<Client, Refusal> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(invalid("document", "more", "at most 64 KiB"));
    }
    let members = jose::parse_object(document)
        .map_err(|why| invalid("document", &why.to_string(), "a JSON object with each member once"))?;
    // §4.1: compared as strings, so that no other site can lend its name.
    if text(&members, "client_id") != Some(client_id) {
        let received = text(&members, "client_id").unwrap_or("none");
        return Err(invalid("client_id", received, client_id));
    }
    // §4.1: a document that everybody reads holds no secret.
    if members.contains_key("client_secret") || members.contains_key("client_secret_expires_at") {
        return Err(invalid("client_secret", "a secret", "none: everybody can read the document"));
    }
    let redirect_uris = redirect_uris(&members)?;
    let application_type = application_type(&members, &redirect_uris);
    for uri in &redirect_uris {
        validate_registered_uri(uri, application_type).map_err(|refusal| {
            invalid("redirect_uris", uri, refusal.expected.as_deref().unwrap_or("a redirect URI"))
        })?;
    }
    let mut client = Client {
        client_id: ClientId::new(client_id),
        client_name: name(&members)?,
        application_type: application_type.to_owned(),
        redirect_uris,
        grant_types: grant_types(&members),
        ..Client::default()
    };
    authentication(&members, &mut client)?;
    pages(&members, &mut client);
    choices(&members, &mut client);
    encryption(&members, &mut client)?;
    Ok(client)
}

/// The client in one workspace: its scopes, and an incarnation that is the same at each fetch (attack W-09).
pub fn in_workspace(described: &Client, server: &Server, catalog: &Catalog) -> Client {
    let is_own = |scope: &Scope| catalog.service(&scope.service_id).is_some_and(|service| !service.system);
    let scopes = catalog.scopes.iter();
    let scopes = scopes.filter(|scope| SCOPES.contains(&scope.name.as_str()) || is_own(scope));
    let digest = jose::sha256(format!("{}\n{}", server.uid, described.client_id).as_bytes());
    Client {
        tenant_id: server.tenant_id.clone(),
        authorization_server_id: server.id.clone(),
        scopes: scopes.map(|scope| scope.name.clone()).collect(),
        uid: Uid::new(jose::base64url::encode(&digest)),
        ..described.clone()
    }
}

/// REQUIRED here: people must be able to read who asks. No control characters, none that turn the text around.
fn name(members: &Map<String, Value>) -> Result<String, Refusal> {
    let name = text(members, "client_name").map(str::trim).unwrap_or_default();
    let turns =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(|c| c.is_control() || turns(c))
    {
        return Err(invalid("client_name", name, "1 to 200 characters, none of them for control"));
    }
    Ok(name.to_owned())
}

fn redirect_uris(members: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let uris: Option<Vec<String>> = member(members, "redirect_uris");
    uris.filter(|uris| (1..=MAX_REDIRECT_URIS).contains(&uris.len()))
        .ok_or_else(|| invalid("redirect_uris", "another value", "an array of 1 to 100 URIs"))
}

/// Native, with any port on loopback (RFC 8252 §7.3), is who says so, and who has a redirect URI that only an
/// application on this computer answers: such documents rarely say it.
fn application_type(members: &Map<String, Value>, redirect_uris: &[String]) -> &'static str {
    let is_local = |uri: &String| {
        let parts = Parts::read(uri);
        parts.is_ok_and(|parts| parts.destination != Destination::Web)
    };
    let is_native = text(members, "application_type") == Some("native") || redirect_uris.iter().any(is_local);
    if is_native { "native" } else { "web" }
}

fn grant_types(members: &Map<String, Value>) -> Vec<String> {
    let listed: Option<Vec<String>> = member(members, "grant_types");
    let has = |name: &str| match &listed {
        Some(listed) => listed.iter().any(|grant_type| grant_type == name),
        None => name == "authorization_code" || name == "refresh_token",
    };
    GRANT_TYPES.iter().filter(|name| has(name)).map(|name| (*name).to_owned()).collect()
}

/// `none` or `private_key_jwt`: §4.1 forbids whatever rests on a shared secret.
fn authentication(members: &Map<String, Value>, client: &mut Client) -> Result<(), Refusal> {
    const METHODS: &[&str] = &["private_key_jwt", "none"];
    let one = text(members, "token_endpoint_auth_method");
    let many = choice(members, "token_endpoint_auth_methods_supported", |name| METHODS.contains(&name));
    client.token_endpoint_auth_method = match one.or(many.as_deref()).unwrap_or("none") {
        "none" => TokenEndpointAuthMethod::None,
        "private_key_jwt" => TokenEndpointAuthMethod::PrivateKeyJwt,
        _ if many.as_deref() == Some("private_key_jwt") => TokenEndpointAuthMethod::PrivateKeyJwt,
        _ if many.is_some() => TokenEndpointAuthMethod::None,
        other => {
            return Err(invalid("token_endpoint_auth_method", other, "none or private_key_jwt"));
        }
    };
    if client.token_endpoint_auth_method == TokenEndpointAuthMethod::None {
        return Ok(());
    }
    keys(members, client)?;
    let usable = |name: &str| Algorithm::parse(name).is_some_and(|alg| !alg.is_symmetric());
    let alg = text(members, "token_endpoint_auth_signing_alg").filter(|name| usable(name)).map(str::to_owned);
    let alg = alg.or_else(|| choice(members, "token_endpoint_auth_signing_alg_values_supported", usable));
    client.token_endpoint_auth_signing_alg = alg.as_deref().and_then(Algorithm::parse);
    Ok(())
}

/// The keys of the document, by one way: those that verify assertions, and those that tokens are encrypted to.
fn keys(members: &Map<String, Value>, client: &mut Client) -> Result<(), Refusal> {
    client.jwks = member::<JwkSet>(members, "jwks");
    client.jwks_uri = text(members, "jwks_uri").filter(|uri| is_url(uri)).unwrap_or_default().to_owned();
    if client.jwks.is_some() != client.jwks_uri.is_empty() {
        let expected = "either jwks or jwks_uri with private_key_jwt or encryption";
        return Err(invalid("jwks", "both or neither", expected));
    }
    let shown = client.jwks.iter().flat_map(|set| &set.keys);
    if shown.into_iter().any(|key| key.is_private() || key.is_symmetric() || key.validate().is_err()) {
        return Err(invalid("jwks", "another key", "public keys only"));
    }
    Ok(())
}

/// Addresses that people are shown. Logo and home page count only on the document's own origin: anybody may write a
/// document, but not on somebody else's site.
fn pages(members: &Map<String, Value>, client: &mut Client) {
    let own = Url::parse(client.client_id.as_str()).ok().map(|url| url.origin());
    let https = |name: &str| {
        let url = Url::parse(text(members, name)?).ok()?;
        let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
        plain.then_some(url)
    };
    let page = |name: &str| https(name).map(String::from).unwrap_or_default();
    let own_page = |name: &str| {
        let url = https(name).filter(|url| Some(url.origin()) == own);
        url.map(String::from).unwrap_or_default()
    };
    client.client_uri = own_page("client_uri");
    client.logo_uri = own_page("logo_uri");
    client.policy_uri = page("policy_uri");
    client.tos_uri = page("tos_uri");
    client.initiate_login_uri = own_page("initiate_login_uri");
    client.backchannel_logout_uri = own_page("backchannel_logout_uri");
    client.frontchannel_logout_uri = page("frontchannel_logout_uri");
    if !frontchannel_logout::fits(client) {
        client.frontchannel_logout_uri.clear();
    }
    let is_set = |name: &str| member(members, name).unwrap_or(false);
    client.backchannel_logout_session_required = is_set("backchannel_logout_session_required");
    client.frontchannel_logout_session_required = is_set("frontchannel_logout_session_required");
}

/// The ID token's algorithm: what the document says or lists; else RS256, the default of registration (OIDC
/// Registration §2; decisions 5).
fn choices(members: &Map<String, Value>, client: &mut Client) {
    let usable = |name: &str| Algorithm::parse(name).is_some_and(|alg| !alg.is_symmetric());
    let one = text(members, "id_token_signed_response_alg").filter(|name| usable(name)).map(str::to_owned);
    let alg = one.or_else(|| choice(members, "id_token_signing_alg_values_supported", usable));
    client.dpop_bound_access_tokens = member(members, "dpop_bound_access_tokens").unwrap_or_default();
    client.id_token_signed_response_alg =
        alg.as_deref().and_then(Algorithm::parse).or(Some(Algorithm::RS256));
}

/// Encryption that a client asks for is never left out: it would get in the open what it wanted hidden.
fn encryption(members: &Map<String, Value>, client: &mut Client) -> Result<(), Refusal> {
    let said = |name: &str| text(members, name).unwrap_or_default().to_owned();
    client.id_token_encrypted_response_alg = said("id_token_encrypted_response_alg");
    client.id_token_encrypted_response_enc = said("id_token_encrypted_response_enc");
    client.userinfo_encrypted_response_alg = said("userinfo_encrypted_response_alg");
    client.userinfo_encrypted_response_enc = said("userinfo_encrypted_response_enc");
    client.request_object_encryption_alg = said("request_object_encryption_alg");
    client.request_object_encryption_enc = said("request_object_encryption_enc");
    let encrypted = Encryption::of_id_token(client).or(Encryption::of_userinfo(client));
    if encrypted.is_some() && client.is_public() {
        keys(members, client)?;
    }
    match encryption::faults(client).first() {
        Some(fault) => Err(invalid(fault.member, &fault.received, &fault.expected)),
        None => Ok(()),
    }
}

/// The first entry of a list that is supported here (OpenID Connect RP Metadata Choices §2).
fn choice(members: &Map<String, Value>, name: &str, supported: impl Fn(&str) -> bool) -> Option<String> {
    let listed: Vec<String> = member(members, name)?;
    listed.into_iter().find(|value| supported(value))
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str()
}

fn member<T: DeserializeOwned>(members: &Map<String, Value>, name: &str) -> Option<T> {
    serde_json::from_value(members.get(name)?.clone()).ok()
}

fn invalid(member: &str, received: &str, expected: &str) -> Refusal {
    Refusal::new(Reason::ClientDocumentInvalid).parameter(member).received(received).expected(expected)
}

#[cfg(test)]
mod tests;

//! Discovery: what this workspace can do, computed from the registries and the workspace's settings, never typed
//! by hand (OIDC Discovery §3, RFC 8414 §2). Both well-known paths serve the same document.

use crate::authorize::prompt::PROMPT_VALUES;
use crate::client::TokenEndpointAuthMethod;
use crate::client_auth::{CLIENT_AUTH_METHODS, SECRET_ALGORITHM};
use crate::decision::Cx;
use crate::dpop;
use crate::encryption::{CONTENT_ENCRYPTION, KEY_MANAGEMENT};
use crate::grant::{GRANTS, device_code};
use crate::jar;
use crate::pkce::CodeChallengeMethod;
use crate::profile::Rules;
use crate::response_mode;
use crate::response_type::ResponseType;
use crate::session_management::CHECK_SESSION_PATH;
use crate::standard_claims::STANDARD_CLAIMS;
use jose::{Algorithm, KeyManagement};
use serde_json::{Map, Value, json};

/// An endpoint of a workspace.
struct Endpoint {
    /// Name of the member.
    member: &'static str,
    /// Path below the issuer.
    path: &'static str,
    /// How clients authenticate there.
    authentication: Authentication,
}

/// Who may call an endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Authentication {
    /// Not a client's business.
    Elsewhere,
    /// Any client.
    Client,
    /// Only clients that can prove who they are.
    ConfidentialClient,
}

const ENDPOINTS: &[Endpoint] = &[
    endpoint("authorization_endpoint", "/oauth2/authorize", Authentication::Elsewhere),
    endpoint("token_endpoint", "/oauth2/token", Authentication::Client),
    // RFC 9126 §5: clients authenticate there as at the token endpoint.
    endpoint("pushed_authorization_request_endpoint", "/par", Authentication::Elsewhere),
    endpoint("introspection_endpoint", "/oauth2/introspect", Authentication::ConfidentialClient),
    endpoint("revocation_endpoint", "/oauth2/revoke", Authentication::Client),
    endpoint("userinfo_endpoint", "/userinfo", Authentication::Elsewhere),
    endpoint("end_session_endpoint", "/oidc/logout", Authentication::Elsewhere),
    endpoint("jwks_uri", "/.well-known/jwks.json", Authentication::Elsewhere),
];

const fn endpoint(member: &'static str, path: &'static str, authentication: Authentication) -> Endpoint {
    Endpoint { member, path, authentication }
}

/// Claims of ID tokens beside those about the person (OIDC Core §2).
const PROTOCOL_CLAIMS: &[&str] = &["sub", "iss", "auth_time", "acr", "amr"];

/// The discovery document. `ui_locales` are the BCP 47 tags of the pages' languages.
pub fn document(cx: &Cx<'_>, ui_locales: &[&str]) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("issuer".to_owned(), json!(cx.issuer));
    for endpoint in ENDPOINTS {
        document.insert(endpoint.member.to_owned(), json!(format!("{}{}", cx.issuer, endpoint.path)));
    }
    // RFC 8414 §2: only where somebody may register.
    if cx.server.dynamic_client_registration.enabled {
        document.insert("registration_endpoint".to_owned(), json!(format!("{}/oauth2/register", cx.issuer)));
    }
    if cx.server.allows_grant_type(device_code::GRANT_TYPE) {
        // RFC 8628 §4.
        let address = format!("{}/device/authorization", cx.issuer);
        document.insert("device_authorization_endpoint".to_owned(), json!(address));
    }
    if cx.server.sso.session_management {
        // OIDC Session Management §3.3.
        let address = format!("{}{CHECK_SESSION_PATH}", cx.issuer);
        document.insert("check_session_iframe".to_owned(), json!(address));
    }
    client_authentication(cx, &mut document);
    flows(cx, &mut document);
    claims(cx, &mut document);
    put_list(&mut document, "ui_locales_supported", ui_locales);
    document
}

/// `<endpoint>_auth_methods_supported` and their algorithms (RFC 8414 §2).
fn client_authentication(cx: &Cx<'_>, document: &mut Map<String, Value>) {
    let rules = Rules::of_workspace(cx.server);
    let allowed = |method: TokenEndpointAuthMethod| {
        let in_workspace = cx.server.token_endpoint_auth_methods.iter().any(|name| name == method.name());
        in_workspace && rules.allows_auth_method(method)
    };
    // RFC 8414 §2: never `none`. A shared secret fits `client_secret_jwt` and nothing else.
    let algorithms: Vec<_> = cx
        .server
        .token_endpoint_auth_signing_alg_values
        .iter()
        .filter(|algorithm| !algorithm.is_symmetric() && rules.allows_algorithm(**algorithm))
        .map(|algorithm| algorithm.name())
        .collect();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.authentication != Authentication::Elsewhere) {
        let methods: Vec<_> = CLIENT_AUTH_METHODS
            .iter()
            .map(|method| method.method())
            .filter(|method| allowed(*method))
            .filter(|method| {
                *method != TokenEndpointAuthMethod::None || endpoint.authentication == Authentication::Client
            })
            .collect();
        let names: Vec<_> = methods.iter().map(|method| method.name()).collect();
        put_list(document, &format!("{}_auth_methods_supported", endpoint.member), &names);
        let mut fitting = Vec::new();
        if methods.contains(&TokenEndpointAuthMethod::PrivateKeyJwt) {
            fitting.extend(algorithms.iter().copied());
        }
        if methods.contains(&TokenEndpointAuthMethod::ClientSecretJwt) {
            fitting.push(SECRET_ALGORITHM.name());
        }
        put_list(document, &format!("{}_auth_signing_alg_values_supported", endpoint.member), &fitting);
    }
    // RFC 9449 §5.1.
    let proofs: Vec<_> =
        dpop::algorithms(Rules::of_workspace(cx.server)).iter().map(|algorithm| algorithm.name()).collect();
    put_list(document, "dpop_signing_alg_values_supported", &proofs);
}

/// Grants, response types and modes, and the parameters of the authorization endpoint.
fn flows(cx: &Cx<'_>, document: &mut Map<String, Value>) {
    let rules = Rules::of_workspace(cx.server);
    let grants = GRANTS.iter().map(|grant| grant.grant_type());
    // The implicit grant is the authorization endpoint's alone (RFC 6749 §4.2).
    let grants = grants.chain(["implicit"]);
    let grants: Vec<_> = grants.filter(|grant_type| cx.server.allows_grant_type(grant_type)).collect();
    let response_types: Vec<_> = ResponseType::allowed(cx.server, rules).map(ResponseType::name).collect();
    let modes: Vec<_> = response_mode::allowed(cx.server, rules).map(response_mode::Mode::name).collect();
    let challenges: Vec<_> = CodeChallengeMethod::ALL
        .iter()
        .filter(|method| rules.allows_challenge_method(**method))
        .map(|method| method.name())
        .filter(|name| cx.server.code_challenge_methods.iter().any(|allowed| allowed == name))
        .collect();
    put_list(document, "grant_types_supported", &grants);
    // REQUIRED, be it empty (RFC 8414 §2).
    document.insert("response_types_supported".to_owned(), json!(response_types));
    put_list(document, "response_modes_supported", &modes);
    put_list(document, "code_challenge_methods_supported", &challenges);
    put_list(document, "prompt_values_supported", PROMPT_VALUES);
    for (member, supported) in [
        // RFC 9207 §3 (attack DSC-09).
        ("authorization_response_iss_parameter_supported", true),
        ("claims_parameter_supported", true),
        // OIDC Back-Channel Logout §2.1.
        ("backchannel_logout_supported", true),
        ("backchannel_logout_session_supported", true),
        // OIDC Front-Channel Logout §3.
        ("frontchannel_logout_supported", true),
        ("frontchannel_logout_session_supported", true),
        (
            "require_pushed_authorization_requests",
            cx.server.require_pushed_authorization_requests || rules.requires_pushed_requests(),
        ),
        ("request_parameter_supported", true),
        ("request_uri_parameter_supported", true),
        ("require_request_uri_registration", true),
    ] {
        document.insert(member.to_owned(), json!(supported));
    }
    let objects: Vec<_> = jar::algorithms(rules).map(Algorithm::name).collect();
    put_list(document, "request_object_signing_alg_values_supported", &objects);
    let key_management: Vec<_> = jar::encryption_algorithms(cx).map(KeyManagement::name).collect();
    if !key_management.is_empty() {
        put_list(document, "request_object_encryption_alg_values_supported", &key_management);
        put_list(document, "request_object_encryption_enc_values_supported", &content_encryption());
    }
    if cx.server.client_id_metadata_documents.enabled {
        document.insert("client_id_metadata_document_supported".to_owned(), json!(true));
    }
}

/// Scopes, claims, subjects and the algorithms of ID tokens and userinfo.
fn claims(cx: &Cx<'_>, document: &mut Map<String, Value>) {
    let server = cx.server;
    let scopes = cx.catalog.scopes.iter().map(|scope| scope.name.as_str());
    // A pattern of dynamic scopes is no scope value itself.
    let scopes = scopes.filter(|name| cx.scope_document(name).is_some());
    let scopes = scopes.filter(|name| *name != "offline_access" || server.allows_grant_type("refresh_token"));
    put_list(document, "scopes_supported", &scopes.collect::<Vec<_>>());
    let claims = STANDARD_CLAIMS.iter().map(|claim| claim.name);
    put_list(
        document,
        "claims_supported",
        &PROTOCOL_CLAIMS.iter().copied().chain(claims).collect::<Vec<_>>(),
    );
    let subject_types = ["public", "pairwise"].into_iter();
    let subject_types =
        subject_types.filter(|name| server.subject_identifier_types.iter().any(|allowed| allowed == name));
    put_list(document, "subject_types_supported", &subject_types.collect::<Vec<_>>());
    put_list(document, "acr_values_supported", &strs(&server.acr_values_supported));
    let algorithms: Vec<_> = id_token_algorithms(cx).into_iter().map(Algorithm::name).collect();
    let key_management: Vec<_> = KEY_MANAGEMENT.iter().map(|alg| alg.name()).collect();
    for kind in ["id_token", "userinfo"] {
        put_list(document, &format!("{kind}_signing_alg_values_supported"), &algorithms);
        put_list(document, &format!("{kind}_encryption_alg_values_supported"), &key_management);
        put_list(document, &format!("{kind}_encryption_enc_values_supported"), &content_encryption());
    }
}

fn content_encryption() -> Vec<&'static str> {
    CONTENT_ENCRYPTION.iter().map(|enc| enc.name()).collect()
}

/// The algorithms of the workspace's keys, the current one first. RS256 is always among them (OIDC Core §15.1;
/// decisions 5), unless the profile forbids it.
fn id_token_algorithms(cx: &Cx<'_>) -> Vec<Algorithm> {
    let rules = Rules::of_workspace(cx.server);
    let of_keys = cx.keys.iter().flat_map(|key| key.algorithms().iter().copied());
    let mut algorithms = Vec::new();
    for algorithm in [cx.default_alg].into_iter().chain(of_keys).chain([Algorithm::RS256]) {
        let usable = !algorithm.is_symmetric() && rules.allows_algorithm(algorithm);
        if usable && !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    algorithms
}

fn strs(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

/// An empty list is left out (RFC 8414 §3.2).
fn put_list(document: &mut Map<String, Value>, member: &str, values: &[&str]) {
    if !values.is_empty() {
        document.insert(member.to_owned(), json!(values));
    }
}

#[cfg(test)]
mod tests;

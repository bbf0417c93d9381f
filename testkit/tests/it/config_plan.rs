//! `oidcc-config-certification-test-plan`: the discovery document and the keys, as the suite judges them, in every kind of
//! workspace.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::{ORIGIN, TestServer};

/// Names of the IANA registry "OAuth Authorization Server Metadata", those of OIDC Discovery §3 and the logout
/// specifications among them, and the one that client ID metadata documents bring.
const KNOWN: &str = "issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint scopes_supported \
    response_types_supported response_modes_supported grant_types_supported token_endpoint_auth_methods_supported \
    token_endpoint_auth_signing_alg_values_supported service_documentation ui_locales_supported op_policy_uri op_tos_uri \
    revocation_endpoint revocation_endpoint_auth_methods_supported \
    revocation_endpoint_auth_signing_alg_values_supported introspection_endpoint \
    introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported \
    code_challenge_methods_supported signed_metadata device_authorization_endpoint \
    tls_client_certificate_bound_access_tokens mtls_endpoint_aliases nfv_token_signing_alg_values_supported \
    userinfo_endpoint acr_values_supported subject_types_supported id_token_signing_alg_values_supported \
    id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported \
    userinfo_signing_alg_values_supported userinfo_encryption_alg_values_supported \
    userinfo_encryption_enc_values_supported request_object_signing_alg_values_supported \
    request_object_encryption_alg_values_supported request_object_encryption_enc_values_supported \
    display_values_supported claim_types_supported claims_supported claims_locales_supported \
    claims_parameter_supported request_parameter_supported request_uri_parameter_supported \
    require_request_uri_registration require_signed_request_object pushed_authorization_request_endpoint \
    require_pushed_authorization_requests introspection_signing_alg_values_supported \
    introspection_encryption_alg_values_supported introspection_encryption_enc_values_supported \
    authorization_response_iss_parameter_supported check_session_iframe frontchannel_logout_supported \
    backchannel_logout_supported backchannel_logout_session_supported end_session_endpoint \
    frontchannel_logout_session_supported backchannel_token_delivery_modes_supported \
    backchannel_authentication_endpoint backchannel_authentication_request_signing_alg_values_supported \
    backchannel_user_code_parameter_supported dpop_signing_alg_values_supported client_registration_types_supported \
    authorization_details_types_supported authorization_signing_alg_values_supported \
    authorization_encryption_alg_values_supported authorization_encryption_enc_values_supported \
    prompt_values_supported protected_resources native_sso_supported client_id_metadata_document_supported \
    authorization_grant_profiles_supported";

/// A workspace with everything switched on, and its document.
async fn open_workspace() -> (TestServer, Value) {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let mut workspace = administrator.get("/servers/default").await.expect(200).json();
    let more = ["implicit", "password"].map(Value::from);
    workspace["grant_types"].as_array_mut().unwrap().extend(more);
    workspace["dynamic_client_registration"]["enabled"] = json!(true);
    administrator.put("/servers/default", &workspace).await.expect(200);
    let document = document(&server, "/default/default").await;
    (server, document)
}

async fn document(server: &TestServer, workspace: &str) -> Value {
    let answer = server.get(&format!("{workspace}/.well-known/openid-configuration")).await.expect(200);
    assert!(answer.header("content-type").starts_with("application/json"));
    answer.json()
}

fn strings<'a>(document: &'a Value, member: &str) -> Vec<&'a str> {
    let list = document[member].as_array().unwrap_or_else(|| panic!("{member} is no array"));
    list.iter().map(|value| value.as_str().unwrap_or_else(|| panic!("{member}: {value}"))).collect()
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification_has_what_it_needs() {
    let (server, document) = open_workspace().await;
    assert_eq!(document["issuer"], format!("{ORIGIN}/default/default"));
    for (member, values) in [
        ("response_types_supported", &["code", "id_token", "id_token token"][..]),
        ("subject_types_supported", &["public", "pairwise"]),
        ("id_token_signing_alg_values_supported", &["RS256"]),
        ("request_object_signing_alg_values_supported", &["RS256"]),
        ("scopes_supported", &["openid", "profile", "email", "address", "phone", "offline_access"]),
        ("code_challenge_methods_supported", &["S256"]),
        ("claims_supported", &["sub", "name", "email", "updated_at"]),
        ("grant_types_supported", &["authorization_code", "implicit", "refresh_token"]),
        ("response_modes_supported", &["query", "fragment", "form_post"]),
        ("prompt_values_supported", &["none", "login", "consent"]),
    ] {
        let offered = strings(&document, member);
        let missing = values.iter().find(|value| !offered.contains(*value));
        assert_eq!(missing, None, "{member}: {offered:?}");
    }
    for member in
        ["request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"]
    {
        assert!(document[member].is_boolean(), "{member}");
    }
    // Each workspace is an issuer of its own, with the same kind of document.
    for workspace in ["/default/second", "/acme/default", "/default/admin"] {
        let other = self::document(&server, workspace).await;
        assert_eq!(other["issuer"], format!("{ORIGIN}{workspace}"));
        is_clean(&other);
    }
    is_clean(&document);
}

/// What the suite warns about in any document.
fn is_clean(document: &Value) {
    let known: BTreeSet<&str> = KNOWN.split(' ').filter(|name| !name.is_empty()).collect();
    for (name, value) in document.as_object().unwrap() {
        assert!(known.contains(name.as_str()), "{name} is registered nowhere");
        assert!(!value.is_null() && *value != json!([]), "RFC 8414 §3.2: {name}");
        if name.ends_with("_endpoint")
            || ["jwks_uri", "check_session_iframe", "issuer"].contains(&name.as_str())
        {
            let url = url::Url::parse(value.as_str().unwrap()).unwrap();
            assert_eq!((url.scheme(), url.query(), url.fragment()), ("https", None, None), "{name}");
        }
        if let Some(list) = value.as_array() {
            let distinct: BTreeSet<String> = list.iter().map(Value::to_string).collect();
            assert_eq!(distinct.len(), list.len(), "{name}: {value}");
        }
        if name.ends_with("_locales_supported") {
            for tag in strings(document, name) {
                assert_eq!(tag, canonical(tag), "RFC 5646 §2.1.1: {name}");
            }
        }
        if name.contains("_alg") {
            assert!(!strings(document, name).contains(&"none"), "{name}");
        }
    }
    let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    for scope in strings(document, "scopes_supported") {
        assert!(!scope.is_empty() && scope.bytes().all(token), "RFC 6749 §3.3: {scope:?}");
    }
}

/// A language tag in the case that RFC 5646 §2.1.1 recommends.
fn canonical(tag: &str) -> String {
    let part = |(at, part): (usize, &str)| match (at, part.len()) {
        (0, _) => part.to_ascii_lowercase(),
        (_, 2) => part.to_ascii_uppercase(),
        (_, 4) => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
        _ => part.to_ascii_lowercase(),
    };
    tag.split('-').enumerate().map(part).collect::<Vec<_>>().join("-")
}

#[test]
fn language_tags_have_one_case() {
    assert_eq!(
        ["DE", "en-us", "zh-hant-TW", "es-419"].map(canonical),
        ["de", "en-US", "zh-Hant-TW", "es-419"]
    );
}

#[tokio::test]
async fn c0_1_discovery_and_keys() {
    let (server, document) = open_workspace().await;
    let answer = server.get(document["jwks_uri"].as_str().unwrap()).await.expect(200);
    let media_type = answer.header("content-type");
    assert!(media_type.starts_with("application/json") || media_type.starts_with("application/jwk-set+json"));
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    let mut kids = BTreeSet::new();
    for key in &keys {
        assert!(kids.insert(key["kid"].as_str().expect("kid").to_owned()), "two keys named {}", key["kid"]);
        let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
        assert!(private.iter().all(|member| key[*member].is_null()), "{key}");
        let key: jose::Jwk = serde_json::from_value(key.clone()).unwrap();
        assert_eq!(key.validate(), Ok(()), "an unusable key");
    }
    // Every algorithm that is promised has a key.
    let set = jose::JwkSet::parse(&answer.body).unwrap().verifying_keys();
    for name in strings(&document, "id_token_signing_alg_values_supported") {
        let algorithm = jose::Algorithm::parse(name).unwrap();
        assert!(set.iter().any(|key| key.algorithms().contains(&algorithm)), "{name} has no key");
    }
}

#[tokio::test]
async fn c0_3_clients_authenticate_as_discovery_says() {
    let (server, document) = open_workspace().await;
    let methods = strings(&document, "token_endpoint_auth_methods_supported");
    for client in ["client", "other", "post", "app"] {
        let administrator = server.administrator().await;
        let client = administrator.get(&format!("/clients/{client}")).await.expect(200).json();
        let method = client["token_endpoint_auth_method"].as_str().unwrap();
        assert!(methods.contains(&method), "{method} is not among {methods:?}");
    }
    let of_jwt = strings(&document, "token_endpoint_auth_signing_alg_values_supported");
    assert!(
        of_jwt.contains(&"RS256") && of_jwt.contains(&"ES256") && of_jwt.contains(&"PS256"),
        "{of_jwt:?}"
    );
}

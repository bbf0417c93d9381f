use super::*;
use crate::fixtures::World;

fn published(world: &mut World) -> Value {
    Value::Object(document(&world.cx(), &["en", "de"]))
}

#[test]
fn the_document_is_the_one_that_was_reviewed() {
    let mut world = World::default();
    world.add_scope("account.*", "account");
    let mut expected = json!({
        "issuer": "https://as.example/acme/shop",
        "authorization_endpoint": "https://as.example/acme/shop/oauth2/authorize",
        "token_endpoint": "https://as.example/acme/shop/oauth2/token",
        "pushed_authorization_request_endpoint": "https://as.example/acme/shop/par",
        "require_pushed_authorization_requests": false,
        "introspection_endpoint": "https://as.example/acme/shop/oauth2/introspect",
        "revocation_endpoint": "https://as.example/acme/shop/oauth2/revoke",
        "userinfo_endpoint": "https://as.example/acme/shop/userinfo",
        "end_session_endpoint": "https://as.example/acme/shop/oidc/logout",
        "device_authorization_endpoint": "https://as.example/acme/shop/device/authorization",
        "jwks_uri": "https://as.example/acme/shop/.well-known/jwks.json",
        "token_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported":
            ["ES256", "RS256", "PS256", "EdDSA", "HS256"],
        "introspection_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"],
        "introspection_endpoint_auth_signing_alg_values_supported":
            ["ES256", "RS256", "PS256", "EdDSA", "HS256"],
        "revocation_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
        "revocation_endpoint_auth_signing_alg_values_supported":
            ["ES256", "RS256", "PS256", "EdDSA", "HS256"],
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "PS256", "ES384", "ES512", "RS256"],
        "grant_types_supported": ["authorization_code", "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer", "refresh_token",
            "urn:ietf:params:oauth:grant-type:token-exchange"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "request_object_signing_alg_values_supported": ["RS256", "ES256", "PS256", "EdDSA"],
        "scopes_supported": ["openid", "profile", "email", "address", "phone", "offline_access",
            "introspect_tokens", "revoke_tokens", "orders.read", "orders.write"],
        "claims_supported": ["sub", "iss", "auth_time", "acr", "amr", "name", "family_name", "given_name",
            "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender",
            "birthdate", "zoneinfo", "locale", "updated_at", "email", "email_verified", "address",
            "phone_number", "phone_number_verified"],
        "subject_types_supported": ["public", "pairwise"],
        "acr_values_supported": ["1"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "ui_locales_supported": ["en", "de"],
    });
    expected["userinfo_signing_alg_values_supported"] = json!(["ES256", "RS256"]);
    for kind in ["id_token", "userinfo", "request_object"] {
        // The workspace has no RSA key that request objects could be encrypted to.
        let algorithms = match kind {
            "request_object" => json!(["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"]),
            _ => json!(["RSA-OAEP-256", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"]),
        };
        expected[format!("{kind}_encryption_alg_values_supported")] = algorithms;
        expected[format!("{kind}_encryption_enc_values_supported")] =
            json!(["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"]);
    }
    for member in [
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
    ] {
        expected[member] = json!(true);
    }
    assert_eq!(published(&mut world), expected);
}

#[test]
fn oidc_session_management_3_3_only_where_the_workspace_says_so() {
    let mut world = World::default();
    assert!(published(&mut world).get("check_session_iframe").is_none());
    world.server.sso.session_management = true;
    let expected = "https://as.example/acme/shop/oidc/check-session";
    assert_eq!(published(&mut world)["check_session_iframe"], expected);
}

#[test]
fn dsc_10_what_the_workspace_does_not_allow_is_not_advertised() {
    let mut world = World::default();
    world.server.grant_types = ["client_credentials", "implicit", "password"].map(str::to_owned).to_vec();
    world.server.token_endpoint_auth_methods = vec!["tls_client_auth".to_owned(), "none".to_owned()];
    world.server.advanced.disallowed_response_modes = vec!["form_post".to_owned()];
    let document = published(&mut world);
    assert_eq!(document["grant_types_supported"], json!(["client_credentials", "password", "implicit"]));
    assert_eq!(document["response_types_supported"], json!(["token", "id_token", "id_token token"]));
    assert_eq!(document["response_modes_supported"], json!(["query", "fragment"]));
    assert_eq!(document["token_endpoint_auth_methods_supported"], json!(["none"]));
    assert_eq!(document.get("introspection_endpoint_auth_methods_supported"), None);
    assert_eq!(document.get("token_endpoint_auth_signing_alg_values_supported"), None);
    assert!(!document["scopes_supported"].as_array().unwrap().contains(&json!("offline_access")));
}

#[test]
fn oidcc_discovery_endpoint_verification_with_implicit_every_response_type() {
    let mut world = World::default();
    world.server.grant_types.push("implicit".to_owned());
    let all = json!([
        "code",
        "token",
        "id_token",
        "id_token token",
        "code id_token",
        "code token",
        "code id_token token"
    ]);
    assert_eq!(published(&mut world)["response_types_supported"], all);
}

#[test]
fn dsc_05_no_none_algorithm_and_mcp_7_no_null_member() {
    let mut world = World::default();
    world.server.token_endpoint_auth_signing_alg_values = Algorithm::ALL.to_vec();
    world.server.acr_values_supported.clear();
    let document = published(&mut world);
    for (member, value) in document.as_object().unwrap() {
        assert!(!value.to_string().contains("null"), "{member}");
        if member.contains("alg_values") {
            let algorithms = value.as_array().unwrap();
            // A shared secret signs client assertions and nothing else.
            let shared = member.ends_with("endpoint_auth_signing_alg_values_supported");
            let weak = |name: &Value| {
                name == "none" || name.as_str().unwrap().starts_with("HS") && !(shared && name == "HS256")
            };
            assert!(!algorithms.iter().any(weak), "{member}");
        }
        if let Some(url) = value.as_str() {
            assert!(url.starts_with(world.cx().issuer), "DSC-07: {member}");
        }
    }
}

#[test]
fn dsc_08_plain_only_where_the_workspace_says_so() {
    let mut world = World::default();
    world.server.code_challenge_methods.push("plain".to_owned());
    assert_eq!(published(&mut world)["code_challenge_methods_supported"], json!(["S256", "plain"]));
}

#[test]
fn decisions_5_rs256_but_for_fapi() {
    let mut world = World::default();
    let algorithms = |world: &mut World| published(world)["id_token_signing_alg_values_supported"].clone();
    assert_eq!(algorithms(&mut world), json!(["ES256", "RS256"]));
    world.server.profile = "fapi_20_security".parse().unwrap();
    assert_eq!(algorithms(&mut world), json!(["ES256"]));
}

#[test]
fn opencode_47743_metadata_documents_are_advertised_together_with_none() {
    let mut world = World::default();
    assert_eq!(published(&mut world).get("client_id_metadata_document_supported"), None);
    world.server.client_id_metadata_documents.enabled = true;
    let document = published(&mut world);
    assert_eq!(document["client_id_metadata_document_supported"], json!(true));
    assert!(document["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!("none")));
}

//! What a profile does to the settings of workspaces and clients, and the profiles beside FAPI 2.0 Security.

use std::time::Duration;

use jose::Algorithm;
use serde_json::{Value, json};
use testkit::{Ask, REDIRECT_URI, VERIFIER, s256, signer};

use super::{Bank, ISSUER, JWT_BEARER, WORKSPACE};

/// Passwords, secrets and public clients do not get in, whatever the settings say.
#[tokio::test]
async fn fapi2_settings_cannot_widen_the_profile() {
    let bank = Bank::start("fapi_20_security").await;
    let wide = json!({
        "grant_types": ["authorization_code", "refresh_token", "password", "implicit", "client_credentials"],
        "token_endpoint_auth_methods": ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values": ["RS256", "ES256"],
        "enforce_pkce": false, "require_pushed_authorization_requests": false,
        "authorization_code_ttl": "10m0s", "refresh_token_retry_window": "0s",
    });
    bank.administrator.change("/servers/bank", &wide).await;
    fapi2_pushes_without_pkce_are_refused(&bank).await;
    let weak = json!({
        "authorization_server_id": "bank", "client_id": "weak", "grant_types": ["client_credentials", "password"],
        "response_types": [], "client_secret": "Serv-ice-secret-abcdefghijklmnopqrstuvwxyz-0",
    });
    bank.administrator.post("/clients", &weak).await.expect(201);
    let weak = bank.server.party_at(WORKSPACE, "weak", Some("Serv-ice-secret-abcdefghijklmnopqrstuvwxyz-0"));
    weak.client_credentials("").await.expect_error(401, "invalid_client");
    let public = json!({
        "authorization_server_id": "bank", "client_id": "public", "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
    });
    bank.administrator.post("/clients", &public).await.expect(201);
    let public = bank.server.party_at(WORKSPACE, "public", None);
    let challenge = s256(VERIFIER);
    let fields = Bank::request("public", &challenge, &[]);
    bank.server.send(public.authenticated("/par", &fields)).await.expect_error(401, "invalid_client");
    let fields = [("grant_type", "password"), ("username", "user"), ("password", "user")];
    let refused = bank.token(bank.asserted("/oauth2/token", "first", &fields)).await;
    assert!(refused.status.is_client_error() && refused.json()["access_token"].is_null());
    let document = bank.server.get("/default/bank/.well-known/openid-configuration").await.json();
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert_eq!(document["token_endpoint_auth_methods_supported"], json!(["private_key_jwt"]));
    assert_eq!(document["token_endpoint_auth_signing_alg_values_supported"], json!(["ES256"]));
    let code = bank.code("first").await;
    bank.server.clock().advance(Duration::from_secs(61));
    bank.redeem("first", &code).await.expect_error(400, "invalid_grant");
}

async fn fapi2_pushes_without_pkce_are_refused(bank: &Bank) {
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(bank.refused("first", &without).await, "invalid_request");
}

/// One tenant, both worlds at once: what OpenID Connect demands leniently holds in the ordinary workspace while the
/// bank refuses it.
#[tokio::test]
async fn lenient_and_strict_workspaces_stand_side_by_side() {
    let bank = Bank::start("fapi_20_security").await;
    let rsa = signer(Algorithm::RS256);
    let grants = json!({"grant_types": ["authorization_code", "refresh_token", "implicit"]});
    bank.administrator.change("/servers/default", &grants).await;
    let lenient = json!({
        "authorization_server_id": "default", "client_id": "lenient", "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "implicit"], "response_types": ["code", "id_token token"],
        "scopes": ["openid"], "id_token_signed_response_alg": "RS256",
        "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [rsa.public_jwk()]},
    });
    bank.administrator.post("/clients", &lenient).await.expect(201);
    let party = bank.server.party_at("/default/default", "lenient", None);
    // RS256 and the token endpoint as audience; without PAR, and the code is redeemed after two minutes.
    let code = party.code().await;
    bank.server.clock().advance(Duration::from_secs(120));
    let mut claims = bank.claims("lenient");
    claims["aud"] = json!("https://localhost:8443/default/default/oauth2/token");
    let assertion = rsa.sign_jwt("JWT", &claims).expect("a signature");
    let mut fields = party.redemption(&code).to_vec();
    fields.extend([("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())]);
    let tokens =
        bank.server.send(Ask::form("/default/default/oauth2/token", &fields)).await.expect(200).json();
    assert_eq!(testkit::header(tokens["id_token"].as_str().expect("id_token"))["alg"], "RS256");
    // Implicit.
    let url = party.authorize_url(&[("response_type", "id_token token"), ("nonce", "n")]);
    let answer = bank.server.browser().authorize(&url).await;
    assert!(answer.response_parameter("access_token").is_some());
    let document = bank.server.get("/default/default/.well-known/openid-configuration").await.json();
    assert!(document["id_token_signing_alg_values_supported"].as_array().unwrap().contains(&json!("RS256")));
    // The bank, at the same moment.
    let code = bank.code("first").await;
    bank.redeem("first", &code).await.expect(200);
    bank.refuses_assertion(&bank.changed("aud", json!(format!("{ISSUER}/oauth2/token")))).await;
    assert_eq!(
        bank.refused("first", &[("response_type", "id_token token")]).await,
        "unsupported_response_type"
    );
}

/// A client of an ordinary workspace may be held to a profile of its own.
#[tokio::test]
async fn a_client_may_be_stricter_than_its_workspace() {
    let bank = Bank::start("default").await;
    let members = json!({"profile": "fapi_20_security"});
    let shown = bank.administrator.change("/clients/first", &members).await.json();
    assert_eq!(shown["profile"], "fapi_20_security");
    bank.administrator.put("/clients/first", &shown).await.expect(200);
    bank.refuses_assertion(&bank.changed("aud", json!(format!("{ISSUER}/oauth2/token")))).await;
    fapi2_pushes_without_pkce_are_refused(&bank).await;
    // Its neighbour is not.
    let mut claims = bank.claims("second");
    claims["aud"] = json!(format!("{ISSUER}/oauth2/token"));
    let code = bank.code("second").await;
    let fields = Bank::redemption("second", &code);
    bank.token(bank.asserted_with("/oauth2/token", "second", &claims, &fields)).await.expect(200);
    let unknown = json!({"profile": "unheard_of"});
    let mut document = bank.administrator.get("/clients/first").await.json();
    document["profile"] = unknown["profile"].clone();
    bank.administrator.put("/clients/first", &document).await.expect(422);
}

/// `fapi2-message-signing-final-…` with `signed_non_repudiation`: unsigned at PAR is refused, bad objects too.
#[tokio::test]
async fn fapi2_message_signing_wants_signed_requests() {
    let bank = Bank::start("fapi_20_message_signing").await;
    assert_eq!(bank.refused("first", &[]).await, "invalid_request");
    let challenge = s256(VERIFIER);
    let now = bank.now();
    let object = |changes: &[(&str, Value)]| {
        let mut claims = json!({"iss": "first", "aud": ISSUER, "exp": now + 300, "nbf": now});
        for (name, value) in Bank::request("first", &challenge, &[]) {
            claims[name] = json!(value);
        }
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|_, value| !value.is_null());
        }
        bank.keys[0].sign_jwt("oauth-authz-req+jwt", &claims).expect("a signature")
    };
    let push = async |object: &str| {
        let fields = [("client_id", "first"), ("request", object)];
        bank.server.send(bank.asserted("/par", "first", &fields)).await
    };
    for wrong in [
        ("aud", json!("https://other.example.com")),
        ("aud", Value::Null),
        ("nbf", Value::Null),
        ("nbf", json!(now - 4000)),
        ("exp", Value::Null),
        ("exp", json!(now + 4000)),
        ("iss", Value::Null),
    ] {
        push(&object(std::slice::from_ref(&wrong))).await.expect_error(400, "invalid_request_object");
    }
    for fine in [("nbf", json!(now + 8)), ("aud", json!([ISSUER, "https://other.example.com"]))] {
        push(&object(&[fine])).await.expect(201);
    }
    let uri = push(&object(&[])).await.expect(201).json()["request_uri"].as_str().unwrap().to_owned();
    let answer = bank.server.browser().authorize(&Bank::opening("first", &uri, &[])).await;
    let code = answer.response_parameter("code").expect("a code");
    bank.redeem("first", &code).await.expect(200);
}

/// FAPI 1.0 Part 2: Advanced: signed requests, `code id_token`, no RS256.
#[tokio::test]
async fn fapi1_advanced_wants_signed_requests_and_the_hybrid_flow() {
    let bank = Bank::start("fapi1_advanced").await;
    assert_eq!(bank.refused("first", &[]).await, "invalid_request");
    let document = bank.server.get("/default/bank/.well-known/openid-configuration").await.json();
    // Nothing is offered that the workspace does not allow: the hybrid flow needs `implicit`.
    assert_eq!(document["response_types_supported"], json!([]));
    let grants = json!({"grant_types": ["authorization_code", "refresh_token", "implicit"]});
    bank.administrator.change("/servers/bank", &grants).await;
    let document = bank.server.get("/default/bank/.well-known/openid-configuration").await.json();
    assert_eq!(document["response_types_supported"], json!(["code id_token"]));
    assert_eq!(document["response_modes_supported"], json!(["fragment", "form_post"]));
    let rsa = json!({"id": "rsa", "profile": "fapi1_advanced", "key_type": "rsa"});
    let refused = bank.administrator.post("/servers", &rsa).await.expect(422).json();
    assert!(refused["details"]["key_type"].is_object(), "{refused}");
}

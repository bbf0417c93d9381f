//! Request objects by reference, refresh tokens, and the last of the assertions.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Browser, claims};

use super::{Client, Plan, RESPONSE_TYPES};

/// Skipped by the suite: `none` is not listed. What is not supported is refused, never passed over.
#[tokio::test]
async fn oidcc_request_uri_unsigned() {
    let plan = Plan::start().await;
    let listed = plan.discovery().await["request_object_signing_alg_values_supported"].clone();
    assert!(!listed.as_array().expect("a list").contains(&json!("none")), "{listed}");
    for response_type in RESPONSE_TYPES {
        let uri = plan.site.url("/unsigned");
        let client = plan.register(response_type, &json!({"request_uris": [uri]})).await;
        let object = testkit::unsigned(&json!({"alg": "none"}), &plan.object(&client, response_type));
        plan.site.put("/unsigned", "", &object);
        let parameters = [
            ("request_uri", uri.as_str()),
            ("response_type", response_type),
            ("nonce", "n0nce"),
            ("state", "st4te"),
        ];
        let answer = plan.server.browser().load(&client.party.authorize_url(&parameters)).await;
        let error = answer.response_parameter("error");
        assert_eq!(error.as_deref(), Some("request_uri_not_supported"), "{response_type}");
        assert_eq!(answer.response_parameter("state").as_deref(), Some("st4te"));
    }
}

#[tokio::test]
async fn oidcc_request_uri_signed_rs256() {
    let plan = Plan::start().await;
    let discovery = plan.discovery().await;
    assert_eq!(discovery["request_uri_parameter_supported"], true);
    for response_type in RESPONSE_TYPES {
        let base = plan.site.url("/object");
        // The fragment is the hash of the content (OIDC Core §6.2).
        let registered =
            format!("{base}#{}", jose::base64url::encode(&jose::sha256(response_type.as_bytes())));
        let members = json!({"request_uris": [registered], "request_object_signing_alg": "RS256"});
        let client = plan.register(response_type, &members).await;
        assert_eq!(client.metadata["request_uris"], json!([registered]));
        let object = plan.object(&client, response_type);
        plan.site.put("/object", "", &client.key.sign_jwt("JWT", &object).expect("a signature"));
        // state and nonce stand inside alone.
        let parameters = [("request_uri", registered.as_str()), ("response_type", response_type)];
        let answer = plan.server.browser().authorize(&client.party.authorize_url(&parameters)).await;
        let received = plan.received(&client, response_type, &answer).await;
        plan.check(&client, &received).await;
    }
}

/// `redirect_uri` inside is registered, the one outside is not: the inner one counts (OIDC Core §6.1).
#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let plan = Plan::start().await;
    for response_type in RESPONSE_TYPES {
        let client = plan.register(response_type, &json!({})).await;
        let object = client.key.sign_jwt("JWT", &plan.object(&client, response_type)).expect("a signature");
        let parameters = [
            ("request", object.as_str()),
            ("response_type", response_type),
            ("redirect_uri", "https://rp.example/test/a/postern/callback/other"),
        ];
        let answer = plan.server.browser().authorize(&client.party.authorize_url(&parameters)).await;
        let received = plan.received(&client, response_type, &answer).await;
        plan.check(&client, &received).await;
        // The other way round nothing is sent to where nobody registered.
        let mut object = plan.object(&client, response_type);
        object["redirect_uri"] = json!("https://rp.example/evil");
        let object = client.key.sign_jwt("JWT", &object).expect("a signature");
        let parameters = [("request", object.as_str()), ("response_type", response_type)];
        let answer = plan.server.browser().load(&client.party.authorize_url(&parameters)).await;
        answer.expect_error_page("invalid_request");
    }
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let plan = Plan::start().await;
    let grants = plan.discovery().await["grant_types_supported"].clone();
    assert!(grants.as_array().expect("a list").contains(&json!("refresh_token")), "{grants}");
    for response_type in ["code", "code id_token", "code token", "code id_token token"] {
        let browsers = [plan.server.browser(), plan.server.browser()];
        let (first, first_tokens) = refreshable(&plan, response_type, &browsers[0]).await;
        let (second, second_tokens) = refreshable(&plan, response_type, &browsers[1]).await;
        let refresh = async |client: &Client, token: &Value, more: &[(&str, &str)]| {
            let token = token["refresh_token"].as_str().expect("refresh_token");
            let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
            fields.extend(more);
            plan.token(client, &fields).await
        };
        plan.server.clock().advance(Duration::from_secs(1));
        let without_scope = refresh(&first, &first_tokens, &[]).await.expect(200);
        assert!(without_scope.header("cache-control").contains("no-store"));
        let refreshed = without_scope.json();
        assert!(refreshed["token_type"].as_str().expect("token_type").eq_ignore_ascii_case("bearer"));
        assert_ne!(refreshed["access_token"], first_tokens["access_token"]);
        if let Some(id_token) = refreshed["id_token"].as_str() {
            let (old, new) = (claims(first_tokens["id_token"].as_str().expect("id_token")), claims(id_token));
            for name in ["iss", "sub", "aud", "azp", "auth_time"] {
                assert_eq!(old[name], new[name], "{name}");
            }
            assert_ne!(old["iat"], new["iat"]);
        }
        let scope = [("scope", "openid offline_access")];
        refresh(&first, &refreshed, &scope).await.expect(200);
        refresh(&first, &second_tokens, &[]).await.expect_error(400, "invalid_grant");
        refresh(&second, &second_tokens, &[]).await.expect(200);
    }
}

/// A new client with a refresh token.
async fn refreshable(plan: &Plan, response_type: &str, browser: &Browser) -> (Client, Value) {
    let mut client = plan.register(response_type, &json!({})).await;
    client.party.scope = "openid offline_access".to_owned();
    let parameters =
        [("response_type", response_type), ("state", "st4te"), ("nonce", "n0nce"), ("prompt", "consent")];
    let answer = browser.authorize(&client.party.authorize_url(&parameters)).await;
    let received = plan.received(&client, response_type, &answer).await;
    (client, received.tokens)
}

/// Ordinary assertions name the token endpoint, which every flow here does; the issuer is as good (RFC 7523 §3).
#[tokio::test]
async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds() {
    let plan = Plan::start().await;
    for response_type in ["code", "code id_token", "code token", "code id_token token"] {
        let client = plan.register(response_type, &json!({})).await;
        let parameters = [("response_type", response_type), ("state", "st4te"), ("nonce", "n0nce")];
        for audience in [
            json!(client.party.issuer()),
            json!([client.party.issuer()]),
            json!(client.party.issuer() + "/oauth2/token"),
        ] {
            let answer = plan.server.browser().authorize(&client.party.authorize_url(&parameters)).await;
            let code = answer.response_parameter("code").expect("code");
            plan.token_for(&client, &audience, &client.party.redemption(&code)).await.expect(200);
        }
        let elsewhere = json!("https://elsewhere.example/token");
        let answer = plan.token_for(&client, &elsewhere, &client.party.redemption("x")).await;
        answer.expect_error(401, "invalid_client");
    }
}

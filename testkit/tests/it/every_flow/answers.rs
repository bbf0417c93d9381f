//! What the answers hold.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use testkit::{Ask, header};

use super::stage::Stage;

const PROFILE: [&str; 14] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];

/// Bits of a text as the suite counts them: Shannon's entropy of its characters, times its length.
fn entropy(text: &str) -> f64 {
    let mut counts: BTreeMap<char, f64> = BTreeMap::new();
    for character in text.chars() {
        *counts.entry(character).or_default() += 1.0;
    }
    let length = text.chars().count() as f64;
    counts.values().map(|count| -(count / length).log2() * count).sum()
}

// shows: c0-4, c0-5, c0-6, c0-7
#[tokio::test]
async fn oidcc_server() {
    for stage in Stage::every().await {
        let answer = stage.authorize(&[]).await;
        let outcome = stage.outcome(&answer).await;
        outcome.releases(&[], &stage);
        let handles = [answer["code"].as_str(), outcome.access_tokens.last().map(String::as_str)];
        for handle in handles.into_iter().flatten() {
            assert!(handle.len() * 6 >= 128 && entropy(handle) > 96.0, "{handle}");
        }
        let known = [
            "code",
            "state",
            "iss",
            "session_state",
            "access_token",
            "token_type",
            "expires_in",
            "scope",
            "id_token",
        ];
        let names = answer.as_object().unwrap().keys();
        assert!(names.clone().all(|name| known.contains(&name.as_str())), "{}: {answer}", stage.told());
        if let Some(tokens) = &outcome.tokens {
            assert!(tokens.0["expires_in"].as_u64().unwrap() > 0);
        }
    }
}

// shows: c0-2
#[tokio::test]
async fn oidcc_idtoken_signature() {
    for mut stage in Stage::every().await {
        let body = json!({
            "client_name": "Suite",
            "redirect_uris": [stage.party.redirect_uri],
            "response_types": [stage.response_type],
            "grant_types": ["authorization_code", "implicit"],
            "contacts": ["certification@example.com"],
            "token_endpoint_auth_method": "client_secret_basic",
            "jwks": {"keys": [testkit::signer(jose::Algorithm::ES256).public_jwk()]},
        });
        let ask = Ask::json(Method::POST, &stage.party.path("/oauth2/register"), &body);
        let client = stage.server.send(ask).await.expect(201);
        assert_eq!(client.header("content-type"), "application/json");
        let client = client.json();
        assert!(client["error"].is_null() && client["client_secret_expires_at"].is_u64(), "{client}");
        let text = |member: &str| client[member].as_str().unwrap().to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        stage.party = stage.server.party_at("/default/default", &id, Some(&secret));
        let outcome = stage.flow(&[]).await;
        let head = header(&outcome.id_token);
        assert_eq!(head["alg"], "RS256", "{}", stage.told());
        assert!(head["kid"].is_string());
        let (uri, token) = (text("registration_client_uri"), text("registration_access_token"));
        assert!(uri.starts_with("https://") && !token.is_empty());
        let end = Ask::new(Method::DELETE, &uri).bearer(&token);
        stage.server.send(end).await.expect(204);
    }
}

// shows: oidcc-userinfo-get, oidcc-userinfo-post-header, oidcc-userinfo-post-body
#[tokio::test]
async fn userinfo_by_get_by_post_with_header_and_by_post_with_body() {
    for stage in Stage::every().await.into_iter().filter(Stage::has_access_token) {
        let outcome = stage.flow(&[]).await;
        let path = stage.party.path("/userinfo");
        for token in &outcome.access_tokens {
            for ask in [
                Ask::get(&path).bearer(token),
                Ask::new(Method::POST, &path).bearer(token),
                Ask::form(&path, &[("access_token", token)]),
            ] {
                let answer = stage.server.send(ask).await.expect(200);
                assert!(answer.header("content-type").starts_with("application/json"));
                assert_eq!(answer.json()["sub"], outcome.last()["sub"], "{}", stage.told());
            }
        }
    }
}

#[tokio::test]
async fn oidcc_scope_profile() {
    for mut stage in Stage::every().await {
        stage.scope("openid profile");
        let outcome = stage.flow(&[]).await;
        outcome.releases(&PROFILE, &stage);
    }
}

// shows: oidcc-scope-email, oidcc-scope-address, oidcc-scope-phone
#[tokio::test]
async fn each_scope_releases_its_claims_where_they_can_be_fetched() {
    for mut stage in Stage::every().await {
        for (scope, claims) in [
            ("openid email", &["email", "email_verified"][..]),
            ("openid address", &["address"]),
            ("openid phone", &["phone_number", "phone_number_verified"]),
        ] {
            stage.scope(scope);
            stage.flow(&[]).await.releases(claims, &stage);
        }
    }
}

#[tokio::test]
async fn oidcc_scope_all() {
    for mut stage in Stage::every().await {
        stage.scope("openid profile email address phone");
        let more = ["email", "email_verified", "address", "phone_number", "phone_number_verified"];
        stage.flow(&[]).await.releases(&[&PROFILE[..], &more].concat(), &stage);
    }
}

#[tokio::test]
async fn oidcc_claims_essential() {
    for stage in Stage::every().await {
        // Without an access token there is no userinfo: then the suite asks for it in the ID token.
        let member = if stage.has_access_token() { "userinfo" } else { "id_token" };
        let asked = json!({member: {"name": {"essential": true}}}).to_string();
        stage.flow(&[("claims", &asked)]).await.releases(&["name"], &stage);
        let asked = json!({"id_token": {"email": null, "auth_time": {"essential": true}}}).to_string();
        let outcome = stage.flow(&[("claims", &asked)]).await;
        for claims in &outcome.id_tokens {
            assert_eq!(claims["email"], "user@example.com", "{}", stage.told());
            assert!(claims["auth_time"].is_i64() && claims["name"].is_null());
        }
    }
}

#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds() {
    for stage in Stage::every().await {
        let discovery = stage.server.get(&stage.party.path("/.well-known/openid-configuration")).await.json();
        let offered: Vec<&str> =
            discovery["acr_values_supported"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for asked in [offered.join(" ").as_str(), "1 2", "unheard-of"] {
            let outcome = stage.flow(&[("acr_values", asked)]).await;
            for claims in &outcome.id_tokens {
                let acr = claims["acr"].as_str().expect("acr");
                assert!(offered.contains(&acr), "{acr}: {}", stage.told());
            }
        }
    }
}

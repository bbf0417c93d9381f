//! Settings of workspaces, clients and scopes do what they say.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Administrator, Ask, RelyingParty, TestServer, Tokens, claims, header};

async fn start() -> (TestServer, Administrator) {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    (server, administrator)
}

/// Adds scopes to the client `client`.
async fn subscribe(administrator: &Administrator, scopes: &[&str]) {
    let mut document = administrator.get("/clients/client").await.expect(200).json();
    document.as_object_mut().unwrap().remove("scope");
    document["scopes"] = json!(scopes);
    administrator.put("/clients/client", &document).await.expect(200);
}

async fn scope(administrator: &Administrator, name: &str, members: Value) {
    let mut body = json!({
        "authorization_server_id": "default",
        "service_id": "default-profile",
        "name": name,
        "display_name": format!("The scope {name}")
    });
    for (member, value) in members.as_object().unwrap() {
        body[member] = value.clone();
    }
    administrator.post("/scopes", &body).await.expect(201);
}

async fn id_token(party: &RelyingParty) -> Value {
    claims(party.tokens().await.id_token())
}

#[tokio::test]
async fn default_max_age_asks_for_a_new_login_after_its_time() {
    let (server, administrator) = start().await;
    let party = server.party("client");
    administrator.change("/clients/client", &json!({"default_max_age": 60})).await;
    let browser = server.browser();
    let first = claims(party.tokens_in(&browser).await.id_token());
    server.clock().advance(Duration::from_secs(61));
    let page = browser.open(&party.authorize_url(&[])).await;
    assert!(page.has_form("login-form"), "{} {}", page.asked, page.text());
    let answer = browser.log_in(&page).await;
    let code = answer.response_parameter("code").expect("consent is remembered");
    let tokens = party.redeem(&code).await.expect(200).json();
    let second = claims(tokens["id_token"].as_str().expect("an ID token"));
    assert_eq!(second["auth_time"].as_i64(), first["auth_time"].as_i64().map(|first| first + 61));
}

/// OIDC Registration §2: kept for those who read it; the claim is always there.
#[tokio::test]
async fn require_auth_time_is_kept_and_auth_time_is_there_anyway() {
    let (server, administrator) = start().await;
    let party = server.party("client");
    let login_at = server.engine().now().seconds();
    assert_eq!(id_token(&party).await["auth_time"], login_at);
    administrator.change("/clients/client", &json!({"require_auth_time": true})).await;
    assert_eq!(administrator.get("/clients/client").await.json()["require_auth_time"], true);
    assert_eq!(id_token(&party).await["auth_time"], login_at);
}

#[tokio::test]
async fn lifetimes_of_the_workspace_and_of_the_client() {
    let (server, administrator) = start().await;
    let party = server.party("client").with_scope("openid offline_access");
    let lifetimes = json!({"access_token_ttl": "10m", "id_token_ttl": "5m", "refresh_token_ttl": "1h", "authorization_code_ttl": "30s"});
    administrator.change("/servers/default", &lifetimes).await;
    let tokens = party.tokens().await;
    assert_eq!(tokens.0["expires_in"], 600);
    let life = |token: &str| claims(token)["exp"].as_i64().unwrap() - claims(token)["iat"].as_i64().unwrap();
    assert_eq!(life(tokens.access_token()), 600);
    assert_eq!(life(tokens.id_token()), 300);
    let code = party.code().await;
    server.clock().advance(Duration::from_secs(31));
    party.redeem(&code).await.expect_error(400, "invalid_grant");
    server.clock().advance(Duration::from_secs(3600));
    party.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    let administrator = server.administrator().await;
    let own = json!({"use_custom_token_ttls": true, "token_ttls": {"access_token_ttl": "1m"}});
    administrator.change("/clients/client", &own).await;
    assert_eq!(party.tokens().await.0["expires_in"], 60);
}

#[tokio::test]
async fn enforce_pkce_covers_confidential_clients() {
    let (server, administrator) = start().await;
    administrator.change("/servers/default", &json!({"enforce_pkce": true})).await;
    let party = server.party("client");
    let url = party.authorize_url(&[("code_challenge", ""), ("code_challenge_method", "")]);
    let answer = server.browser().load(&url).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("invalid_request"));
    party.tokens().await;
}

#[tokio::test]
async fn pkc_03_a_confidential_client_that_sent_a_challenge_must_send_the_verifier() {
    let (server, _) = start().await;
    let party = server.party("client");
    let code = party.code().await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", party.redirect_uri.as_str()),
    ];
    party.token(&fields).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn pairwise_subjects_differ_between_sectors() {
    let (server, administrator) = start().await;
    let public = id_token(&server.party("client")).await;
    administrator.change("/clients/client", &json!({"subject_type": "pairwise"})).await;
    let pairwise = id_token(&server.party("client")).await;
    assert_ne!(public["sub"], pairwise["sub"]);
    let again = id_token(&server.party("client")).await;
    assert_eq!(pairwise["sub"], again["sub"]);
    let other = json!({"subject_type": "pairwise", "redirect_uris": ["https://other.example/callback"]});
    administrator.change("/clients/other", &other).await;
    let other = server.party("other").with_redirect_uri("https://other.example/callback");
    assert_ne!(id_token(&other).await["sub"], pairwise["sub"]);
    let tokens = server.party("client").tokens().await;
    assert_eq!(claims(tokens.access_token())["st"], "pairwise");
    let info = server.party("client").userinfo(tokens.access_token()).await.expect(200).json();
    assert_eq!(info["sub"], pairwise["sub"]);
}

#[tokio::test]
async fn audiences_name_client_and_services() {
    let (server, administrator) = start().await;
    let tokens = server.party("client").with_scope("openid email").tokens().await;
    let audience = claims(tokens.access_token())["aud"].clone();
    let audience: Vec<&str> = audience.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(audience.contains(&"client"), "{audience:?}");
    assert!(audience.contains(&"spiffe://localhost:8443/default/default/default-profile"), "{audience:?}");
    administrator.change("/clients/client", &json!({"audience": ["https://api.example"]})).await;
    let tokens = server.party("client").tokens().await;
    let audience = claims(tokens.access_token())["aud"].to_string();
    assert!(audience.contains("https://api.example"), "{audience}");
}

#[tokio::test]
async fn dynamic_scopes_grant_their_values_and_never_the_pattern() {
    let (server, administrator) = start().await;
    scope(&administrator, "account.*", json!({})).await;
    subscribe(&administrator, &["openid", "account.*"]).await;
    let party = server.party("client").with_scope("openid account.1");
    let tokens = party.tokens().await;
    assert_eq!(claims(tokens.access_token())["scp"], json!(["openid", "account.1"]));
    let browser = server.browser();
    party.tokens_in(&browser).await;
    let other = party.clone().with_scope("openid account.2");
    let page = browser.open(&other.authorize_url(&[])).await;
    assert!(page.has_form("consent-form"), "another account is another consent");
    for scope in ["openid account.*", "openid account.", "openid account", "openid other.1"] {
        let party = party.clone().with_scope(scope);
        let answer = server.browser().load(&party.authorize_url(&[])).await;
        assert_eq!(answer.response_parameter("error").as_deref(), Some("invalid_scope"), "{scope}");
    }
}

#[tokio::test]
async fn transient_scopes_are_asked_for_each_time_and_implicit_grants_never() {
    let (server, administrator) = start().await;
    scope(&administrator, "pay", json!({"transient": true})).await;
    scope(&administrator, "look", json!({"implicit_grant": true})).await;
    subscribe(&administrator, &["openid", "pay", "look"]).await;
    let browser = server.browser();
    let paying = server.party("client").with_scope("openid pay");
    paying.tokens_in(&browser).await;
    let page = browser.open(&paying.authorize_url(&[])).await;
    assert!(page.has_form("consent-form"), "transient: {} {}", page.asked, page.status);
    let looking = server.party("client").with_scope("openid look");
    let answer = browser.load(&looking.authorize_url(&[])).await;
    assert!(answer.response_parameter("code").is_some(), "{}", answer.location());
}

#[tokio::test]
async fn implicit_scopes_are_added_by_default() {
    let (server, administrator) = start().await;
    scope(&administrator, "always", json!({"implicit": true})).await;
    subscribe(&administrator, &["openid", "email", "always"]).await;
    let own = server.party("client").client_credentials("").await.expect(200).json();
    let scopes = claims(own["access_token"].as_str().unwrap())["scp"].clone();
    assert!(scopes.as_array().unwrap().contains(&json!("always")), "{scopes}");
}

#[tokio::test]
async fn signing_keys_of_each_type() {
    let (server, administrator) = start().await;
    for (id, key_type, alg) in
        [("w-rsa", "rsa", "RS256"), ("w-ps", "ps", "PS256"), ("w-ec", "ecdsa", "ES256")]
    {
        administrator
            .post("/servers", &json!({"id": id, "name": id, "key_type": key_type}))
            .await
            .expect(201);
        let client = json!({"authorization_server_id": id, "client_id": format!("c-{id}"), "grant_types": ["client_credentials"], "response_types": []});
        let made = administrator.post("/clients", &client).await.expect(201).json();
        let party =
            server.party_at(&format!("/default/{id}"), &format!("c-{id}"), made["client_secret"].as_str());
        let tokens = Tokens(party.client_credentials("").await.expect(200).json());
        assert_eq!(header(tokens.access_token())["alg"], alg);
    }
}

#[tokio::test]
async fn grant_types_of_the_workspace_bind_every_client() {
    let (server, administrator) = start().await;
    administrator.change("/servers/default", &json!({"grant_types": ["client_credentials"]})).await;
    let party = server.party("client");
    let answer = server.browser().load(&party.authorize_url(&[])).await;
    let error = answer.response_parameter("error");
    assert!(
        matches!(error.as_deref(), Some("unsupported_response_type" | "unauthorized_client")),
        "{error:?}"
    );
    party.refresh("x").await.expect_error(400, "unauthorized_client");
    party.client_credentials("").await.expect(200);
    let document = server.get("/default/default/.well-known/openid-configuration").await.expect(200).json();
    assert_eq!(document["grant_types_supported"], json!(["client_credentials"]));
}

#[tokio::test]
async fn auth_methods_of_the_workspace_bind_every_client() {
    let (server, administrator) = start().await;
    let methods = json!({"token_endpoint_auth_methods": ["private_key_jwt", "none"]});
    administrator.change("/servers/default", &methods).await;
    server.party("client").client_credentials("").await.expect_error(401, "invalid_client");
    server.party("app").tokens().await;
    let document = server.get("/default/default/.well-known/openid-configuration").await.expect(200).json();
    let offered = document["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(!offered.contains(&json!("client_secret_basic")), "{offered:?}");
}

#[tokio::test]
async fn an_expired_secret_is_refused() {
    let (server, administrator) = start().await;
    let end = server.engine().now().seconds() + 60;
    administrator.change("/clients/client", &json!({"client_secret_expires_at": end})).await;
    server.party("client").client_credentials("").await.expect(200);
    server.clock().advance(Duration::from_secs(61));
    server.party("client").client_credentials("").await.expect_error(401, "invalid_client");
}

#[tokio::test]
async fn scope_claim_formats() {
    let (server, administrator) = start().await;
    let both =
        json!({"scope_claim_formats": ["scp_array", "scope_space_separated"], "access_token_profile": "acp"});
    administrator.change("/servers/default", &both).await;
    let tokens = server.party("client").with_scope("openid email").tokens().await;
    let access = claims(tokens.access_token());
    assert_eq!(access["scope"], "openid email");
    assert_eq!(access["scp"], json!(["openid", "email"]));
}

#[tokio::test]
async fn a_refresh_token_stays_where_cycling_is_off_and_rotates_for_public_clients_even_there() {
    let (server, administrator) = start().await;
    let mut document = administrator.get("/servers/default").await.expect(200).json();
    document["advanced"]["disable_refresh_token_cycling"] = json!(true);
    administrator.put("/servers/default", &document).await.expect(200);
    for (client, rotates) in [("client", false), ("app", true)] {
        let party = server.party(client).with_scope("openid offline_access");
        let tokens = party.tokens().await;
        let next = Tokens(party.refresh(tokens.refresh_token()).await.expect(200).json());
        assert_eq!(next.refresh_token() != tokens.refresh_token(), rotates, "{client}");
    }
}

#[tokio::test]
async fn the_retry_window_is_a_setting() {
    let (server, administrator) = start().await;
    administrator.change("/servers/default", &json!({"refresh_token_retry_window": "0s"})).await;
    let party = server.party("client").with_scope("openid offline_access");
    let tokens = party.tokens().await;
    party.refresh(tokens.refresh_token()).await.expect(200);
    server.clock().advance(Duration::from_millis(1));
    party.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn head_requests_answer_like_get_without_a_body() {
    let (server, _) = start().await;
    for path in [
        "/default/default/.well-known/openid-configuration",
        "/default",
        "/default/default/.well-known/jwks.json",
    ] {
        let answer = server.send(Ask::new(http::Method::HEAD, path)).await.expect(200);
        assert!(answer.body.is_empty(), "{path}");
    }
}

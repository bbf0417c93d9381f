//! What the token endpoint issues, and what it does not.

use std::collections::BTreeSet;

use http::Method;
use serde_json::json;
use testkit::{Answer, Ask, SERVICE_SECRET, TestServer, claims, urlencoded};

const TOKEN: &str = "/default/default/oauth2/token";

#[track_caller]
fn never_cached(answer: &Answer) {
    assert!(answer.header("cache-control").contains("no-store"), "{:?}", answer.headers);
}

#[tokio::test]
async fn tok_02_tok_03_neither_tokens_nor_errors_are_cached() {
    let server = TestServer::start().await;
    let client = server.party("client");
    never_cached(&client.client_credentials("").await.expect(200));
    never_cached(&client.client_credentials("nonsense").await.expect(400));
    let wrong = Ask::form(TOKEN, &[("grant_type", "client_credentials")]).basic("client", "wrong");
    never_cached(&server.send(wrong).await.expect(401));
    never_cached(&server.get(TOKEN).await);
}

#[tokio::test]
async fn tok_04_client_credentials_get_registered_scopes_only() {
    let server = TestServer::start().await;
    let client = server.party("client");
    for scope in ["introspect_tokens", "email admin", "nonsense", "*", "openid.*"] {
        client.client_credentials(scope).await.expect_error(400, "invalid_scope");
    }
    let tokens = client.client_credentials("email").await.expect(200).json();
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["scp"], json!(["email"]));
}

#[tokio::test]
async fn tok_08_grant_types_are_exact() {
    let server = TestServer::start().await;
    let client = server.party("client");
    client.token(&[]).await.expect_error(400, "invalid_request");
    for grant_type in ["", "CLIENT_CREDENTIALS", "client-credentials", " client_credentials", "x", "implicit"]
    {
        let error = if grant_type.is_empty() { "invalid_request" } else { "unsupported_grant_type" };
        client.token(&[("grant_type", grant_type)]).await.expect_error(400, error);
    }
    let twice = [("grant_type", "client_credentials"), ("grant_type", "client_credentials")];
    client.token(&twice).await.expect_error(400, "invalid_request");
}

/// An empty `POST` carries no `Content-Type` either: what is missing is a parameter (RFC 6749 §5.2).
#[tokio::test]
async fn tok_08_a_post_without_any_body_misses_a_parameter() {
    let server = TestServer::start().await;
    for path in [TOKEN, "/default/default/oauth2/introspect", "/default/default/oauth2/revoke"] {
        let ask = Ask::new(Method::POST, path).basic("client", engine::demo::DEMO_CLIENT_SECRET);
        server.send(ask).await.expect_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn tok_09_a_repeated_scope_parameter_is_refused() {
    let server = TestServer::start().await;
    let fields = [("grant_type", "client_credentials"), ("scope", "email"), ("scope", "profile")];
    server.party("client").token(&fields).await.expect_error(400, "invalid_request");
}

#[tokio::test]
async fn tok_10_scope_explosions_are_refused() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let many = (0..5_000).map(|i| format!("s{i}")).collect::<Vec<_>>().join(" ");
    client.client_credentials(&many).await.expect(400);
    let same = vec!["email"; 3_000].join(" ");
    let answer = client.client_credentials(&same).await;
    if answer.status == 200 {
        assert_eq!(answer.json()["scope"], "email");
    } else {
        answer.expect(400);
    }
}

#[tokio::test]
async fn tok_11_the_scope_alphabet_is_kept() {
    let server = TestServer::start().await;
    let client = server.party("client");
    client.client_credentials("email\u{0}").await.expect_error(400, "invalid_request");
    for scope in ["email\"", "em\\ail", "émail", "email\nprofile", "email\tprofile"] {
        client.client_credentials(scope).await.expect_error(400, "invalid_scope");
    }
}

#[tokio::test]
async fn tok_12_tokens_are_not_issued_by_get() {
    let server = TestServer::start().await;
    let query = urlencoded(&[
        ("grant_type", "client_credentials"),
        ("client_id", "post"),
        ("client_secret", SERVICE_SECRET),
    ]);
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = server.send(Ask::new(method, &format!("{TOKEN}?{query}"))).await.expect(405);
        assert!(answer.header("allow").contains("POST"), "{:?}", answer.headers);
        assert!(!answer.text().contains("access_token"));
    }
}

#[tokio::test]
async fn tok_13_only_form_bodies_count() {
    let server = TestServer::start().await;
    let json = json!({"grant_type": "client_credentials"});
    let form = urlencoded(&[("grant_type", "client_credentials")]);
    for ask in [
        Ask::json(Method::POST, TOKEN, &json),
        Ask::new(Method::POST, TOKEN).body("text/plain", form.clone()),
        Ask::new(Method::POST, TOKEN).body("multipart/form-data; boundary=x", form.clone()),
        Ask::new(Method::POST, TOKEN).body("application/xml", form.clone()),
    ] {
        let answer = server.send(ask.basic("client", engine::demo::DEMO_CLIENT_SECRET)).await;
        assert!(matches!(answer.status.as_u16(), 400 | 415), "{}", answer.status);
        assert!(answer.json()["error"].is_string());
    }
    let charset =
        Ask::new(Method::POST, TOKEN).body("application/x-www-form-urlencoded; charset=UTF-8", form);
    server.send(charset.basic("client", engine::demo::DEMO_CLIENT_SECRET)).await.expect(200);
}

#[tokio::test]
async fn tok_14_tokens_are_never_the_same() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let (mut tokens, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..30 {
        let token = client.client_credentials("").await.expect(200).json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(ids.insert(claims(&token)["jti"].as_str().unwrap().to_owned()));
        assert!(tokens.insert(token));
    }
}

#[tokio::test]
async fn tok_15_every_token_ends() {
    let server = TestServer::start().await;
    let tokens = server.party("client").tokens().await;
    let now = server.engine().now().seconds();
    for token in [tokens.access_token(), tokens.id_token()] {
        let claims = claims(token);
        assert_eq!(claims["exp"], now + 3600);
        assert_eq!(claims["iat"], now);
    }
    assert_eq!(tokens.0["expires_in"], 3600);
}

#[tokio::test]
async fn tok_18_no_id_token_without_openid() {
    let server = TestServer::start().await;
    let app = server.party("app").with_scope("email");
    let tokens = app.tokens().await;
    assert!(tokens.0["id_token"].is_null(), "{}", tokens.0);
}

#[tokio::test]
async fn tok_20_query_and_body_are_not_mixed() {
    let server = TestServer::start().await;
    let client = server.party("client");
    for path in ["/oauth2/token?scope=email", "/oauth2/token?grant_type=client_credentials"] {
        let ask = client.authenticated(path, &[("grant_type", "client_credentials")]);
        server.send(ask).await.expect_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn parameters_without_a_value_count_as_absent() {
    // RFC 6749 §3.2.
    let server = TestServer::start().await;
    let client = server.party("client");
    let fields = [("grant_type", "client_credentials"), ("scope", ""), ("resource", "")];
    client.token(&fields).await.expect(200);
}

#[tokio::test]
async fn rfc8707_resources_are_services_of_the_workspace() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let service = json!({
        "authorization_server_id": "default",
        "id": "payments",
        "name": "Payments",
        "custom_audience": "https://payments.example/api"
    });
    administrator.post("/services", &service).await.expect(201);
    let client = server.party("client");
    let with = |resource: &'static str| {
        let client = client.clone();
        async move { client.token(&[("grant_type", "client_credentials"), ("resource", resource)]).await }
    };
    let good = with("https://payments.example/api").await.expect(200).json();
    let audience = &claims(good["access_token"].as_str().unwrap())["aud"];
    assert!(audience.to_string().contains("https://payments.example/api"), "{audience}");
    for wrong in [
        "https://other.example/",
        "payments",
        "https://payments.example/api#x",
        "/api",
        "https://payments.example/API",
    ] {
        with(wrong).await.expect_error(400, "invalid_target");
    }
}

#[tokio::test]
async fn rfc8707_a_code_is_bound_to_the_resources_of_its_request() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    for (id, audience) in [("one", "https://one.example"), ("two", "https://two.example")] {
        let service =
            json!({"authorization_server_id": "default", "id": id, "name": id, "custom_audience": audience});
        administrator.post("/services", &service).await.expect(201);
    }
    let app = server.party("app");
    let browser = server.browser();
    let code = app.code_with(&browser, &[("resource", "https://one.example")]).await;
    let mut fields = app.redemption(&code).to_vec();
    fields.push(("resource", "https://two.example"));
    app.token(&fields).await.expect_error(400, "invalid_target");
    let code = app.code_with(&browser, &[("resource", "https://one.example")]).await;
    let tokens = app.redeem(&code).await.expect(200).json();
    let audience = claims(tokens["access_token"].as_str().unwrap())["aud"].to_string();
    assert!(audience.contains("https://one.example") && !audience.contains("two"), "{audience}");
    let refused = server.browser().load(&app.authorize_url(&[("resource", "https://three.example")])).await;
    assert_eq!(refused.response_parameter("error").as_deref(), Some("invalid_target"));
}

#[tokio::test]
async fn opaque_access_tokens_work_like_jwts() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    administrator.change("/servers/default", &json!({"access_token_strategy": "opaque"})).await;
    let client = server.party("client");
    let tokens = client.tokens().await;
    assert!(!tokens.access_token().contains('.'), "{}", tokens.access_token());
    client.userinfo(tokens.access_token()).await.expect(200);
    let answer = client.introspect(tokens.access_token()).await;
    assert_eq!(answer["active"], true, "{answer}");
    client.revoke(tokens.access_token()).await.expect(200);
    client.userinfo(tokens.access_token()).await.expect(401);
}

#[tokio::test]
async fn the_contracts_own_token_profile() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    administrator.change("/servers/default", &json!({"access_token_profile": "acp"})).await;
    let tokens = server.party("client").tokens().await;
    assert_eq!(testkit::header(tokens.access_token())["typ"], "JWT");
    let access = claims(tokens.access_token());
    assert!(access["scope"].is_null() && access["client_id"].is_null(), "{access}");
    assert_eq!(access["scp"], json!(["openid"]));
    server.party("client").userinfo(tokens.access_token()).await.expect(200);
}

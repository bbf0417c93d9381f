//! A store that does not answer is never read as "no such thing", nor as success (W-31).

use testkit::{Answer, Ask, TestServer, Tokens};

/// Said to be ours, said to pass, and nothing given away.
#[track_caller]
fn unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{} {}", answer.asked, answer.text());
    assert!(!answer.header("retry-after").is_empty(), "{:?}", answer.headers);
    assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
    assert!(!answer.text().contains("a test said so"), "WEB-20: {}", answer.text());
}

#[tokio::test]
async fn w_31_a_store_that_cannot_be_read_is_neither_success_nor_invalid() {
    let server = TestServer::start().await;
    let client = server.party("client").with_scope("openid offline_access");
    let administrator = server.administrator().await;
    let browser = server.browser();
    let tokens = client.tokens_in(&browser).await;
    let code = client.code_in(&browser).await;
    let page = browser.open(&client.authorize_url(&[("prompt", "login")])).await;
    server.fail_store(true, true);
    unavailable(&client.redeem(&code).await);
    unavailable(&client.refresh(tokens.refresh_token()).await);
    unavailable(&client.revoke(tokens.refresh_token()).await);
    unavailable(&client.userinfo(tokens.access_token()).await);
    let ask = client.authenticated("/oauth2/introspect", &[("token", tokens.access_token())]);
    unavailable(&server.send(ask).await);
    unavailable(&administrator.get("/clients/client").await);
    unavailable(&administrator.delete("/clients/client").await);
    unavailable(&browser.load(&client.authorize_url(&[])).await);
    unavailable(
        &browser.post(&page.form("login-form").with("username", "user").with("password", "user")).await,
    );
    server.fail_store(false, false);
    // Nothing was used up, nobody was logged out.
    client.redeem(&code).await.expect(200);
    client.refresh(tokens.refresh_token()).await.expect(200);
    assert!(browser.load(&client.authorize_url(&[])).await.response_parameter("code").is_some());
}

#[tokio::test]
async fn w_31_what_was_not_stored_is_not_answered() {
    let server = TestServer::start().await;
    let client = server.party("client").with_scope("openid offline_access");
    let administrator = server.administrator().await;
    let browser = server.browser();
    let tokens = client.tokens_in(&browser).await;
    let code = client.code_in(&browser).await;
    let login = browser.open(&client.authorize_url(&[("prompt", "login")])).await;
    server.fail_store(false, true);
    unavailable(&client.redeem(&code).await);
    unavailable(&client.refresh(tokens.refresh_token()).await);
    unavailable(&client.revoke(tokens.refresh_token()).await);
    unavailable(&browser.load(&client.authorize_url(&[])).await);
    unavailable(
        &browser.post(&login.form("login-form").with("username", "user").with("password", "user")).await,
    );
    unavailable(&administrator.delete("/clients/client").await);
    // What needs no write goes on.
    client.userinfo(tokens.access_token()).await.expect(200);
    client.client_credentials("").await.expect(200);
    server.get("/default/default/.well-known/openid-configuration").await.expect(200);
    server.fail_store(false, false);
    let redeemed = Tokens(client.redeem(&code).await.expect(200).json());
    client.refresh(redeemed.refresh_token()).await.expect(200);
    client.refresh(tokens.refresh_token()).await.expect(200);
}

#[tokio::test]
async fn what_is_published_goes_on_without_a_store() {
    const DOCUMENTS: [&str; 4] = [
        "/default/default/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/default/default",
        "/default/default/.well-known/jwks.json",
        "/api/swagger/default",
    ];
    let server = TestServer::start().await;
    let mut before = Vec::new();
    for path in DOCUMENTS {
        before.push(server.get(path).await.expect(200).text());
    }
    server.fail_store(true, true);
    server.clock().advance(std::time::Duration::from_secs(3600));
    for (path, before) in DOCUMENTS.iter().zip(before) {
        assert_eq!(server.get(path).await.expect(200).text(), before);
    }
    unavailable(&server.get("/default/unknown/.well-known/jwks.json").await);
}

#[tokio::test]
async fn w_31_a_failed_replay_check_lets_no_assertion_through() {
    // The seen `jti` is a write with the precondition that it is new: without a store there is no proof.
    let server = TestServer::start().await;
    let key = testkit::signer(jose::Algorithm::ES256);
    let administrator = server.administrator().await;
    let body = serde_json::json!({
        "authorization_server_id": "default",
        "client_id": "signed",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.public_jwk()]}
    });
    administrator.post("/clients", &body).await.expect(201);
    let now = server.engine().now().seconds();
    let claims = serde_json::json!({
        "iss": "signed", "sub": "signed", "aud": "https://localhost:8443/default/default", "jti": "1", "exp": now + 60
    });
    let assertion = key.sign_jwt("JWT", &claims).unwrap();
    let ask = Ask::form(
        "/default/default/oauth2/token",
        &[
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ],
    );
    server.fail_store(false, true);
    unavailable(&server.send(ask.clone()).await);
    server.fail_store(false, false);
    server.send(ask.clone()).await.expect(200);
    server.send(ask).await.expect_error(401, "invalid_client");
}

/// Whoever writes out what is buffered, to stop or to look at it, waits for the one who has it in hand.
#[tokio::test]
async fn what_is_being_written_out_is_waited_for() {
    let server = TestServer::start().await;
    let refused = server.send(Ask::get("/default/default/oauth2/authorize")).await;
    let held = server.hold_writes().await;
    let engine = std::sync::Arc::clone(server.engine());
    let first = tokio::spawn(async move { engine.flush().await });
    tokio::task::yield_now().await;
    let (engine, trace_id) =
        (std::sync::Arc::clone(server.engine()), refused.header("x-trace-id").to_owned());
    let second = tokio::spawn(async move {
        engine.flush().await;
        engine.explanation(&trace_id).await.unwrap()
    });
    tokio::task::yield_now().await;
    drop(held);
    assert!(second.await.unwrap().is_some());
    first.await.unwrap();
}

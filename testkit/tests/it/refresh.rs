//! Refresh tokens: rotation that survives retries and notices theft.

use std::time::Duration;

use serde_json::json;
use testkit::{Ask, RelyingParty, SERVICE_SECRET, TestServer, Tokens, claims};

fn app(server: &TestServer) -> RelyingParty {
    server.party("app").with_scope("openid offline_access")
}

async fn next(party: &RelyingParty, refresh_token: &str) -> Tokens {
    Tokens(party.refresh(refresh_token).await.expect(200).json())
}

// shows: mcp-8
#[tokio::test]
async fn rtk_02_a_public_clients_token_rotates() {
    let server = TestServer::start().await;
    let app = app(&server);
    let first = app.tokens().await;
    let second = next(&app, first.refresh_token()).await;
    assert_ne!(first.refresh_token(), second.refresh_token());
    let third = next(&app, second.refresh_token()).await;
    assert_ne!(second.refresh_token(), third.refresh_token());
}

#[tokio::test]
async fn a_retry_inside_the_window_gets_the_same_successor() {
    let server = TestServer::start().await;
    let app = app(&server);
    let first = app.tokens().await;
    let second = next(&app, first.refresh_token()).await;
    for _ in 0..3 {
        server.clock().advance(Duration::from_secs(9));
        let retry = next(&app, first.refresh_token()).await;
        assert_eq!(retry.refresh_token(), second.refresh_token(), "never a fork");
    }
    next(&app, second.refresh_token()).await;
}

#[tokio::test]
async fn rtk_03_after_the_window_the_parent_is_a_replay() {
    let server = TestServer::start().await;
    let app = app(&server);
    let first = app.tokens().await;
    let second = next(&app, first.refresh_token()).await;
    server.clock().advance(Duration::from_secs(31));
    app.refresh(first.refresh_token()).await.expect_error(400, "invalid_grant");
    app.refresh(second.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn rtk_03_once_the_successor_was_used_the_parent_is_a_replay() {
    let server = TestServer::start().await;
    let app = app(&server);
    let first = app.tokens().await;
    let second = next(&app, first.refresh_token()).await;
    let third = next(&app, second.refresh_token()).await;
    app.refresh(first.refresh_token()).await.expect_error(400, "invalid_grant");
    app.refresh(third.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn rtk_04_access_tokens_die_with_the_family() {
    let server = TestServer::start().await;
    let app = app(&server);
    let first = app.tokens().await;
    let second = next(&app, first.refresh_token()).await;
    let third = next(&app, second.refresh_token()).await;
    for tokens in [&first, &second, &third] {
        app.userinfo(tokens.access_token()).await.expect(200);
    }
    app.refresh(first.refresh_token()).await.expect_error(400, "invalid_grant");
    for tokens in [&first, &second, &third] {
        app.userinfo(tokens.access_token()).await.expect(401);
    }
}

#[tokio::test]
async fn an_unused_token_lives_as_long_as_the_workspace_says() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    server.clock().advance(Duration::from_secs(719 * 3600));
    let tokens = next(&app, tokens.refresh_token()).await;
    server.clock().advance(Duration::from_secs(721 * 3600));
    app.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn rtk_06_another_client_cannot_use_it_and_does_not_hurt_it() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    server.party("other-app").refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    server.party("other").refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    let elsewhere = server.party_at("/default/second", "second-app", None);
    elsewhere.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    let acme = server.party_at("/acme/default", "app", None);
    acme.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    next(&app, tokens.refresh_token()).await;
}

#[tokio::test]
async fn rtk_07_a_confidential_client_must_authenticate() {
    let server = TestServer::start().await;
    let client = server.party("client").with_scope("openid offline_access");
    let tokens = client.tokens().await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token())];
    let naked = Ask::form("/default/default/oauth2/token", &fields);
    server.send(naked).await.expect_error(401, "invalid_client");
    let named = [fields[0], fields[1], ("client_id", "client")];
    let ask = Ask::form("/default/default/oauth2/token", &named);
    server.send(ask).await.expect_error(401, "invalid_client");
    let wrong = Ask::form("/default/default/oauth2/token", &fields).basic("client", SERVICE_SECRET);
    server.send(wrong).await.expect_error(401, "invalid_client");
    next(&client, tokens.refresh_token()).await;
}

#[tokio::test]
async fn rtk_10_near_misses_and_foreign_kinds_are_refused() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    let tokens = app.tokens().await;
    let good = tokens.refresh_token().to_owned();
    let mut flipped = good.clone();
    let last = if flipped.pop() == Some('A') { 'B' } else { 'A' };
    flipped.push(last);
    let session = {
        let browser = server.browser();
        app.code_in(&browser).await;
        browser.cookie("__Host-postern-session-default+default").expect("a session cookie")
    };
    for wrong in [
        &flipped,
        &good[1..],
        &format!("{good} "),
        &format!(" {good}"),
        &format!("{good}A"),
        &good.to_ascii_uppercase(),
        &format!("{good}\u{0}"),
        &code,
        &session,
        tokens.access_token(),
        tokens.id_token(),
        "x",
        "",
        "' OR 1=1 --",
        "../../../etc/passwd",
    ] {
        let answer = app.refresh(wrong).await.expect(400).json();
        let unreadable = wrong.is_empty() || wrong.contains('\0');
        let error = if unreadable { "invalid_request" } else { "invalid_grant" };
        assert_eq!(answer["error"], error, "{wrong:?}");
    }
    next(&app, &good).await;
    app.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn rtk_11_it_is_no_access_token() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    app.userinfo(tokens.refresh_token()).await.expect(401);
    let admin = Ask::get("/api/admin/default/servers/default").bearer(tokens.refresh_token());
    server.send(admin).await.expect(401);
}

#[tokio::test]
async fn rtk_14_tokens_are_43_unpredictable_characters() {
    let server = TestServer::start().await;
    let app = app(&server);
    let mut seen = std::collections::BTreeSet::new();
    let mut tokens = app.tokens().await;
    for _ in 0..20 {
        let token = tokens.refresh_token().to_owned();
        assert!(token.len() >= 43, "{token}");
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)), "{token}");
        assert!(seen.insert(token.clone()));
        tokens = next(&app, &token).await;
    }
}

#[tokio::test]
async fn rtk_15_the_token_twice_is_refused() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    let token = tokens.refresh_token();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("refresh_token", token)];
    app.token(&fields).await.expect_error(400, "invalid_request");
    next(&app, token).await;
}

#[tokio::test]
async fn the_scope_may_shrink_but_not_grow() {
    let server = TestServer::start().await;
    let app = server.party("app").with_scope("openid email offline_access");
    let tokens = app.tokens().await;
    let with = |scope: &'static str, token: String| {
        let app = app.clone();
        async move {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", &token), ("scope", scope)];
            app.token(&fields).await
        }
    };
    let grown = with("openid email profile", tokens.refresh_token().to_owned()).await;
    grown.expect_error(400, "invalid_scope");
    let narrow = with("openid", tokens.refresh_token().to_owned()).await.expect(200).json();
    assert_eq!(claims(narrow["access_token"].as_str().unwrap())["scp"], json!(["openid"]));
}

#[tokio::test]
async fn w_10_refresh_ends_when_the_client_is_disabled_or_deleted() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    administrator.change("/clients/app", &json!({"client_status": "inactive"})).await;
    app.refresh(tokens.refresh_token()).await.expect(401);
    administrator.change("/clients/app", &json!({"client_status": "active"})).await;
    let tokens = next(&app, tokens.refresh_token()).await;
    administrator.delete("/clients/app").await.expect(204);
    app.refresh(tokens.refresh_token()).await.expect_error(401, "invalid_client");
}

#[tokio::test]
async fn tok_19_no_refresh_token_without_grant_or_offline_access() {
    let server = TestServer::start().await;
    let without_scope = server.party("app").tokens().await;
    assert!(without_scope.0["refresh_token"].is_null());
    let administrator = server.administrator().await;
    administrator.change("/clients/app", &json!({"grant_types": ["authorization_code"]})).await;
    let tokens = app(&server).tokens().await;
    assert!(tokens.0["refresh_token"].is_null(), "{}", tokens.0);
}

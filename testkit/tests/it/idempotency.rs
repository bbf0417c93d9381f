//! `X-Idempotency-Key`: the same request with the same key gets the same answer, and nobody else does.

use std::time::Duration;

use http::Method;
use serde_json::json;
use testkit::{Answer, Ask, SERVICE_SECRET, TestServer, Tokens};
use tokio::task::JoinSet;

const HEADER: &str = "x-idempotency-key";
const KEY: &str = "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f";

fn replayed(answer: &Answer) -> bool {
    answer.header("x-idempotent-replayed") == "true"
}

#[tokio::test]
async fn a_lost_answer_to_a_redemption_can_be_fetched_again() {
    let server = TestServer::on_sqlite().await;
    let app = server.party("app").with_scope("openid offline_access");
    let code = app.code().await;
    let ask = app.authenticated("/oauth2/token", &app.redemption(&code)).header(HEADER, KEY);
    let first = server.send(ask.clone()).await.expect(200);
    assert!(!replayed(&first));
    server.clock().advance(Duration::from_secs(59));
    let second = server.send(ask.clone()).await.expect(200);
    assert!(replayed(&second));
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("content-type"), second.header("content-type"));
    assert!(second.header("cache-control").contains("no-store"));
    let tokens = Tokens(second.json());
    app.userinfo(tokens.access_token()).await.expect(200);
    // After the window the code is what it is: used.
    server.clock().advance(Duration::from_secs(2));
    server.send(ask).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_client_is_created_once_however_often_it_is_asked() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let body = json!({"authorization_server_id": "default", "client_name": "Once", "redirect_uris": ["https://example.com/"]});
    let ask = Ask::json(Method::POST, "/api/admin/default/clients", &body).bearer(&administrator.token);
    let ask = ask.header(HEADER, KEY);
    let first = server.send(ask.clone()).await.expect(201);
    let second = server.send(ask).await.expect(201);
    assert!(replayed(&second));
    assert_eq!(first.json()["client_id"], second.json()["client_id"]);
    assert_eq!(first.json()["client_secret"], second.json()["client_secret"]);
    assert_eq!(first.header("etag"), second.header("etag"));
}

#[tokio::test]
async fn another_body_with_the_same_key_is_refused() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let ask = |fields: &[(&str, &str)]| client.authenticated("/oauth2/token", fields).header(HEADER, KEY);
    server.send(ask(&[("grant_type", "client_credentials")])).await.expect(200);
    let other = server.send(ask(&[("grant_type", "client_credentials"), ("scope", "email")])).await;
    assert!(other.status.is_client_error(), "{}", other.status);
    assert!(!other.text().contains("access_token"));
    let elsewhere = client.authenticated("/oauth2/introspect", &[("token", "x")]).header(HEADER, KEY);
    assert!(server.send(elsewhere).await.status.is_client_error(), "another path");
}

#[tokio::test]
async fn another_caller_with_the_same_key_and_body_sees_nothing_of_it() {
    let server = TestServer::start().await;
    let fields = [("grant_type", "client_credentials")];
    let path = "/default/default/oauth2/token";
    let secret = engine::demo::DEMO_CLIENT_SECRET;
    let first =
        server.send(Ask::form(path, &fields).basic("client", secret).header(HEADER, KEY)).await.expect(200);
    let other = server
        .send(Ask::form(path, &fields).basic("other", SERVICE_SECRET).header(HEADER, KEY))
        .await
        .expect(200);
    assert!(!replayed(&other));
    assert_ne!(first.body, other.body);
    server.send(Ask::form(path, &fields).basic("client", "wrong").header(HEADER, KEY)).await.expect(401);
    server.send(Ask::form(path, &fields).header(HEADER, KEY)).await.expect(401);
    // The other tenant has a client of the same name.
    let acme = Ask::form("/acme/default/oauth2/token", &fields).basic("client", testkit::ACME_SECRET);
    let acme = server.send(acme.header(HEADER, KEY)).await.expect(200);
    assert!(!replayed(&acme));
}

#[tokio::test]
async fn keys_have_32_to_255_printable_characters() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let fields = [("grant_type", "client_credentials")];
    for key in ["x", &"x".repeat(31), &"x".repeat(256)] {
        let ask = client.authenticated("/oauth2/token", &fields).header(HEADER, key);
        let answer = server.send(ask).await.expect(400);
        assert_eq!(answer.json()["error"], "invalid_request");
        assert!(!answer.header("x-trace-id").is_empty());
    }
    for key in ["x".repeat(32), "x".repeat(255)] {
        server.send(client.authenticated("/oauth2/token", &fields).header(HEADER, &key)).await.expect(200);
    }
}

#[tokio::test]
async fn a_refusal_is_an_answer_but_a_401_is_not_kept() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let nonsense = [("grant_type", "client_credentials"), ("scope", "nonsense")];
    let ask = client.authenticated("/oauth2/token", &nonsense).header(HEADER, KEY);
    server.send(ask.clone()).await.expect(400);
    assert!(replayed(&server.send(ask).await.expect(400)));
    let wrong =
        Ask::form("/default/default/oauth2/token", &nonsense).basic("client", "x").header(HEADER, KEY);
    for _ in 0..2 {
        assert!(!replayed(&server.send(wrong.clone()).await.expect(401)));
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_an_unknown_tenant() {
    let server = TestServer::start().await;
    let ask = Ask::form("/nobody/default/oauth2/token", &[("grant_type", "x")]).header(HEADER, KEY);
    server.send(ask).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twins_at_once_do_the_work_once() {
    let server = TestServer::on_sqlite().await;
    let app = server.party("app");
    let code = app.code().await;
    let ask = app.authenticated("/oauth2/token", &app.redemption(&code)).header(HEADER, KEY);
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (server, ask) = (server.clone(), ask.clone());
        tasks.spawn(async move { server.send(ask).await });
    }
    let answers = tasks.join_all().await;
    let first = answers[0].body.clone();
    for answer in &answers {
        assert_eq!(answer.clone().expect(200).body, first);
    }
    assert_eq!(answers.iter().filter(|answer| !replayed(answer)).count(), 1);
}

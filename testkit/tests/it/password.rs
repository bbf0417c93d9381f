//! The password grant (RFC 6749 §4.3): two switches, both off, and the same counter as every other door.

use serde_json::json;
use testkit::{Answer, RelyingParty, TestServer, Tokens, claims};

async fn ask(party: &RelyingParty, username: &str, password: &str) -> Answer {
    let scope = ("scope", "openid email offline_access");
    party.token(&[("grant_type", "password"), ("username", username), ("password", password), scope]).await
}

async fn switch_workspace(server: &TestServer) {
    let grants = ["authorization_code", "client_credentials", "refresh_token", "password"];
    server.administrator().await.change("/servers/default", &json!({ "grant_types": grants })).await;
}

async fn switch_client(server: &TestServer) {
    let grants = ["authorization_code", "client_credentials", "refresh_token", "password"];
    server.administrator().await.change("/clients/client", &json!({ "grant_types": grants })).await;
}

#[tokio::test]
async fn tok_07_both_switches_are_off_and_both_are_needed() {
    let server = TestServer::start().await;
    let client = server.party("client");
    ask(&client, "user", "user").await.expect_error(400, "unauthorized_client");
    switch_client(&server).await;
    ask(&client, "user", "user").await.expect_error(400, "unauthorized_client");
    switch_workspace(&server).await;
    ask(&client, "user", "user").await.expect(200);
    ask(&server.party("other"), "user", "user").await.expect_error(400, "unauthorized_client");
    let document = server.get("/default/default/.well-known/openid-configuration").await.expect(200).json();
    assert!(document["grant_types_supported"].as_array().unwrap().contains(&json!("password")));
}

#[tokio::test]
async fn rfc6749_4_3_the_persons_tokens() {
    let server = TestServer::start().await;
    switch_workspace(&server).await;
    switch_client(&server).await;
    let client = server.party("client");
    let tokens = Tokens(ask(&client, "user", "user").await.expect(200).json());
    let person = client.tokens().await;
    let id_token = claims(tokens.id_token());
    assert_eq!(id_token["sub"], claims(person.id_token())["sub"]);
    assert_eq!((&id_token["amr"], &id_token["sid"]), (&json!(["pwd"]), &json!(null)));
    client.userinfo(tokens.access_token()).await.expect(200);
    client.refresh(tokens.refresh_token()).await.expect(200);
    for (username, password) in [
        ("user", "wrong"),
        ("user", ""),
        ("", "user"),
        ("nobody", "user"),
        ("user ", "user"),
        ("user", "user "),
    ] {
        let error =
            if username.is_empty() || password.is_empty() { "invalid_request" } else { "invalid_grant" };
        ask(&client, username, password).await.expect_error(400, error);
    }
}

#[tokio::test]
async fn w_17_failures_count_with_those_of_the_login_page() {
    let server = TestServer::start().await;
    switch_workspace(&server).await;
    switch_client(&server).await;
    let client = server.party("client");
    for _ in 0..20 {
        ask(&client, "user", "wrong").await.expect_error(400, "invalid_grant");
    }
    let answer = ask(&client, "user", "user").await.expect(429);
    assert!(answer.json()["access_token"].is_null());
    let browser = server.browser();
    let page = browser.open(&client.authorize_url(&[])).await;
    let answer = browser.log_in(&page).await;
    assert_eq!(answer.status, 429, "the other door");
}

/// A provider that is switched off takes no password here either, and the developer is told which it is.
#[tokio::test]
async fn rfc6749_5_2_where_no_provider_is_switched_on_the_grant_is_invalid() {
    let server = TestServer::start().await;
    switch_workspace(&server).await;
    switch_client(&server).await;
    let client = server.party("client");
    ask(&client, "user", "user").await.expect(200);
    let administrator = server.administrator().await;
    let id = administrator.get("/servers/default/idps").await.expect(200).json()["idps"][0]["id"].clone();
    let path = format!("/servers/default/idps/static/{}", id.as_str().unwrap());
    administrator.change(&path, &json!({"disabled": true})).await;
    let refused = ask(&client, "user", "user").await.expect_error(400, "invalid_grant");
    server.engine().flush().await;
    let told =
        server.engine().explanation(refused.header("x-trace-id")).await.unwrap().expect("an explanation");
    assert!(told.received.is_some_and(|text| text.contains("no identity provider")), "{:?}", told.expected);
}

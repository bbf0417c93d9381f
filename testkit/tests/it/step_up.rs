//! Step-up authentication (RFC 9470): a service wants a better or newer login, and the client brings one.

use std::time::Duration;

use serde_json::json;
use testkit::{Ask, TestServer, claims};

#[tokio::test]
async fn rfc9470_max_age_a_login_that_is_too_old_is_repeated() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let wanted = json!({"step_up": {"max_age": 300}});
    let shown = administrator.change("/services/default-profile", &wanted).await.json();
    assert_eq!(shown["step_up"], wanted["step_up"]);
    let (party, browser) = (server.party("client"), server.browser());
    let first = party.tokens_in(&browser).await;
    party.userinfo(first.access_token()).await.expect(200);
    server.clock().advance(Duration::from_secs(301));
    let refused = party.userinfo(first.access_token()).await;
    let refused = refused.expect_error(401, "insufficient_user_authentication");
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_user_authentication\""), "{challenge}");
    assert!(challenge.contains("max_age=\"300\"") && !challenge.contains("acr_values"), "{challenge}");
    assert!(challenge.contains("resource_metadata=\""), "{challenge}");
    // The client sends the person again: without max_age nothing would change, with it there is a login page.
    let same = party.tokens_in(&browser).await;
    party.userinfo(same.access_token()).await.expect(401);
    let page = browser.open(&party.authorize_url(&[("max_age", "300")])).await;
    assert!(page.has_form("login-form"), "{}", page.text());
    let answer = browser.log_in(&page).await;
    let code = answer.response_parameter("code").expect("a code");
    let tokens = party.redeem(&code).await.expect(200).json();
    let newer = tokens["access_token"].as_str().expect("a token");
    party.userinfo(newer).await.expect(200);
    // RFC 9470 §6: what other resource servers decide by.
    let (old, new) = (claims(first.access_token()), claims(newer));
    assert!(new["auth_time"].as_i64() > old["auth_time"].as_i64());
    assert_eq!(new["acr"], "1");
    let seen = party.introspect(newer).await;
    assert_eq!((&seen["acr"], &seen["auth_time"]), (&new["acr"], &new["auth_time"]));
}

#[tokio::test]
async fn rfc9470_acr_values_a_weaker_login_is_repeated() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let (party, browser) = (server.party("client"), server.browser());
    let weak = party.tokens_in(&browser).await;
    // The workspace's logins are worth more from now on, and the service wants that.
    administrator.change("/servers/default", &json!({"acr_values_supported": ["urn:acr:2", "1"]})).await;
    let wanted = json!({"step_up": {"acr_values": ["urn:acr:2", "urn:acr:3"]}});
    administrator.change("/services/default-profile", &wanted).await;
    let refused = party.userinfo(weak.access_token()).await;
    let refused = refused.expect_error(401, "insufficient_user_authentication");
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains("acr_values=\"urn:acr:2 urn:acr:3\""), "{challenge}");
    let document = server.get("/default/default/.well-known/openid-configuration").await.json();
    assert_eq!(document["acr_values_supported"], json!(["urn:acr:2", "1"]));
    let page = browser.open(&party.authorize_url(&[("acr_values", "urn:acr:2 urn:acr:3")])).await;
    assert!(page.has_form("login-form"), "{}", page.text());
    let answer = browser.log_in(&page).await;
    let tokens = party.redeem(&answer.response_parameter("code").expect("a code")).await.expect(200).json();
    let strong = tokens["access_token"].as_str().expect("a token");
    assert_eq!(claims(strong)["acr"], "urn:acr:2");
    party.userinfo(strong).await.expect(200);
    // `oidcc-ensure-request-with-acr-values-succeeds`: what no login reaches is a wish and no error.
    let answer = browser.authorize(&party.authorize_url(&[("acr_values", "gold platinum")])).await;
    assert!(answer.response_parameter("code").is_some());
    // RFC 9470 §5: as an essential claim it is one.
    let essential = r#"{"id_token":{"acr":{"essential":true,"value":"gold"}}}"#;
    let answer = browser.authorize(&party.authorize_url(&[("claims", essential)])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("unmet_authentication_requirements"));
}

#[tokio::test]
async fn rfc9470_the_end_user_api_is_a_resource_too() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let scopes = administrator.get("/clients/client").await.expect(200).json()["scopes"].clone();
    let mut scopes = scopes.as_array().expect("scopes").clone();
    scopes.push(json!("list_clients_with_access"));
    administrator.change("/clients/client", &json!({"scopes": scopes})).await;
    administrator.change("/services/default-oauth2", &json!({"step_up": {"max_age": 60}})).await;
    let party = server.party("client").with_scope("openid list_clients_with_access");
    let tokens = party.tokens().await;
    let ask = || Ask::get("/default/default/clients").bearer(tokens.access_token());
    server.send(ask()).await.expect(200);
    server.clock().advance(Duration::from_secs(61));
    server.send(ask()).await.expect_error(401, "insufficient_user_authentication");
    // The demand is one service's: userinfo belongs to another.
    party.userinfo(tokens.access_token()).await.expect(200);
}

#[tokio::test]
async fn the_demand_is_checked_when_it_is_set() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let mut document = administrator.get("/services/default-profile").await.expect(200).json();
    assert!(document["step_up"].is_null(), "nothing is wanted, nothing is shown");
    for bad in [json!({"max_age": -1}), json!({"acr_values": ["a\" b"]}), json!({"acr_values": ["1", "1"]})] {
        document["step_up"] = bad.clone();
        administrator.put("/services/default-profile", &document).await.expect(422);
    }
}

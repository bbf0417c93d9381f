//! Two tenants: what belongs to one does not exist for the other.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::{ACME_SECRET, Administrator, Answer, Ask, SERVICE_SECRET, TestServer, claims};

/// Everything that differs between two answers although the same thing was said.
fn comparable(answer: &Answer) -> (u16, Value) {
    let mut body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    if let Some(object) = body.as_object_mut() {
        object.remove("trace_id");
    }
    (answer.status.as_u16(), body)
}

async fn call(administrator: &Administrator, method: &Method, path: &str) -> Answer {
    let body = json!({"authorization_server_id": "default", "name": "x", "client_name": "x"});
    match *method {
        Method::GET => administrator.get(path).await,
        Method::DELETE => administrator.delete(path).await,
        Method::POST => administrator.post(path, &body).await,
        _ => administrator.put(path, &body).await,
    }
}

/// The operations of the API's own description, so that a new route is covered the day it appears.
async fn operations(server: &TestServer) -> Vec<(Method, String)> {
    let description = server.get("/api/swagger/default/openapi.json").await.expect(200).json();
    let paths = description["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, methods) in paths {
        let Some(rest) = path.strip_prefix("/api/admin/{tid}") else { continue };
        for method in methods.as_object().unwrap().keys() {
            if let Ok(method) = Method::from_bytes(method.to_ascii_uppercase().as_bytes()) {
                operations.push((method, rest.to_owned()));
            }
        }
    }
    assert!(operations.len() >= 20, "{operations:?}");
    operations
}

/// Ids of tenant `default` that stand for each name in a path.
fn filled(path: &str, kid: &str, user: &str) -> String {
    path.replace("{cid}", "other")
        .replace("{wid}", "second")
        .replace("{aid}", "second")
        .replace("{sid}", "second-profile")
        .replace("{scp}", "second-openid")
        .replace("{kid}", kid)
        .replace("{sub}", user)
}

/// The same path with ids that exist nowhere.
fn absent(path: &str) -> String {
    filled(path, "0", "nobody")
        .replace("second-profile", "absent-profile")
        .replace("second-openid", "absent-openid")
        .replace("/other", "/absent")
        .replace("second", "absent")
}

#[tokio::test]
async fn w_08_adm_08_over_the_route_table_the_other_tenants_ids_look_like_no_ids() {
    let server = TestServer::start().await;
    let (ours, acme) = (server.administrator().await, server.acme_administrator().await);
    let kid = ours.get("/servers/second/keys").await.expect(200).text();
    let kid = kid.split("\"kid\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let tokens = server.party("client").tokens().await;
    let user = claims(tokens.access_token())["sub"].as_str().unwrap().to_owned();
    for (method, path) in operations(&server).await {
        if !path.contains('{') {
            continue;
        }
        let foreign = call(&acme, &method, &filled(&path, &kid, &user)).await;
        let nothing = call(&acme, &method, &absent(&path)).await;
        let (foreign, nothing) = (comparable(&foreign), comparable(&nothing));
        assert_eq!(foreign.0, nothing.0, "{method} {path}: {foreign:?} {nothing:?}");
        assert!(foreign.0 >= 400 || foreign.1 == nothing.1, "{method} {path}: {foreign:?}");
        let text = foreign.1.to_string().replace("second", "absent").replace("/other", "/absent");
        assert!(
            !text.contains("Application other") && !text.contains("default second"),
            "{method} {path}: {text}"
        );
    }
    // And nothing happened to them.
    ours.get("/clients/other").await.expect(200);
    ours.get("/servers/second").await.expect(200);
    ours.get("/services/second-profile").await.expect(200);
    server.party("other").client_credentials("").await.expect(200);
}

#[tokio::test]
async fn w_08_adm_08_a_token_of_one_tenant_opens_no_path_of_the_other() {
    let server = TestServer::start().await;
    let acme = server.acme_administrator().await;
    for (method, path) in operations(&server).await {
        let path = format!("/api/admin/default{}", filled(&path, "0", "user"));
        let ask = match method {
            Method::GET | Method::DELETE => Ask::new(method.clone(), &path),
            _ => Ask::json(method.clone(), &path, &json!({"authorization_server_id": "default"})),
        };
        let answer = server.send(ask.bearer(&acme.token)).await;
        assert!(matches!(answer.status.as_u16(), 401 | 403), "{method} {path}: {}", answer.status);
    }
}

#[tokio::test]
async fn w_08_lists_and_page_keys_show_nothing_of_the_other() {
    let server = TestServer::start().await;
    let acme = server.acme_administrator().await;
    for path in [
        "/servers",
        "/servers?limit=100",
        "/workspaces",
        "/servers/default/clients?limit=100",
        "/servers/default/clients?after_client_id=a",
        "/servers/default/clients?before_client_id=zzz",
        "/servers/default/services",
        "/servers/default/scopes",
        "/servers/second/clients",
    ] {
        let text = acme.get(path).await.text();
        for foreign in
            ["second-app", "Application other", "default second", "native", "other-app", "client-pkce"]
        {
            assert!(!text.contains(foreign), "{path}: {foreign}");
        }
    }
}

#[tokio::test]
async fn adm_09_the_tenant_in_a_body_changes_nothing() {
    let server = TestServer::start().await;
    let acme = server.acme_administrator().await;
    let body = json!({
        "tenant_id": "default",
        "authorization_server_id": "default",
        "client_id": "smuggled",
        "redirect_uris": ["https://example.com/"]
    });
    let answer = acme.post("/clients", &body).await;
    if answer.status == 201 {
        assert_eq!(answer.json()["tenant_id"], "acme");
    } else {
        answer.expect(422);
    }
    server.administrator().await.get("/clients/smuggled").await.expect(404);
}

#[tokio::test]
async fn w_08_everything_handed_out_is_worthless_next_door() {
    let server = TestServer::start().await;
    let ours = server.party("client").with_scope("openid offline_access");
    let acme =
        server.party_at("/acme/default", "client", Some(ACME_SECRET)).with_scope("openid offline_access");
    let second =
        server.party_at("/default/second", "second-client", Some(SERVICE_SECRET)).with_scope("openid");
    let tokens = ours.tokens().await;
    let code = ours.code().await;
    for stranger in [&acme, &second] {
        stranger.redeem(&code).await.expect_error(400, "invalid_grant");
        stranger.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
        stranger.userinfo(tokens.access_token()).await.expect(401);
        assert!(!stranger.is_active(tokens.access_token()).await);
        assert!(!stranger.is_active(tokens.refresh_token()).await);
        stranger.revoke(tokens.refresh_token()).await.expect(200);
    }
    assert!(ours.is_active(tokens.refresh_token()).await);
    ours.redeem(&code).await.expect(200);
    // A login in progress, too.
    let browser = server.browser();
    let page = browser.open(&ours.authorize_url(&[])).await;
    let elsewhere = page.asked.replace("/default/default/", "/acme/default/");
    let answer = browser.open(&elsewhere).await;
    assert!(!answer.has_form("login-form"), "{}", answer.text());
    let form = page.form("login-form").with("username", "user").with("password", "user");
    let moved = testkit::Form {
        action: form.action.as_str().replace("/default/default/", "/acme/default/").parse().unwrap(),
        ..form
    };
    let answer = browser.submit(&moved).await;
    assert!(!answer.is_redirect() || answer.response_parameter("code").is_none());
}

#[tokio::test]
async fn the_same_person_is_another_subject_in_every_workspace() {
    let server = TestServer::start().await;
    let mut subjects = Vec::new();
    for (workspace, client, secret) in [
        ("/default/default", "client", engine::demo::DEMO_CLIENT_SECRET),
        ("/default/second", "second-client", SERVICE_SECRET),
        ("/acme/default", "client", ACME_SECRET),
    ] {
        let tokens = server.party_at(workspace, client, Some(secret)).tokens().await;
        subjects.push(claims(tokens.id_token())["sub"].as_str().unwrap().to_owned());
    }
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 3);
}

// Recycled identifiers (W-09) and deletion (ADM-26).

fn again() -> Value {
    json!({
        "authorization_server_id": "default",
        "client_id": "app",
        "redirect_uris": ["https://example.com/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "scopes": ["openid", "offline_access"]
    })
}

#[tokio::test]
async fn w_09_adm_13_adm_26_a_recycled_client_id_inherits_nothing() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let app = server.party("app").with_scope("openid offline_access");
    let browser = server.browser();
    let tokens = app.tokens_in(&browser).await;
    let code = app.code_in(&browser).await;
    let page = browser.open(&app.authorize_url(&[("prompt", "login")])).await;
    administrator.delete("/clients/app").await.expect(204);
    app.userinfo(tokens.access_token()).await.expect(401);
    app.refresh(tokens.refresh_token()).await.expect_error(401, "invalid_client");
    server.browser().load(&app.authorize_url(&[])).await.expect(400);
    server.clock().advance(Duration::from_secs(1));
    administrator.post("/clients", &again()).await.expect(201);
    app.userinfo(tokens.access_token()).await.expect(401);
    app.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    app.redeem(&code).await.expect_error(400, "invalid_grant");
    let answer = browser.log_in(&page).await;
    assert!(!answer.is_redirect() || answer.response_parameter("code").is_none());
    let silent = browser.load(&app.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(
        silent.response_parameter("error").as_deref(),
        Some("consent_required"),
        "consent is not inherited"
    );
    // The new client works.
    app.tokens().await;
}

#[tokio::test]
async fn w_09_a_recycled_workspace_id_inherits_nothing() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let second = server
        .party_at("/default/second", "second-client", Some(SERVICE_SECRET))
        .with_scope("openid offline_access");
    let browser = server.browser();
    let tokens = second.tokens_in(&browser).await;
    let own = second.client_credentials("").await.expect(200).json();
    administrator.delete("/servers/second").await.expect(204);
    server.get("/default/second/.well-known/openid-configuration").await.expect(404);
    second.userinfo(tokens.access_token()).await.expect(404);
    administrator.get("/clients/second-client").await.expect(404);
    administrator.post("/servers", &json!({"id": "second", "name": "Second again"})).await.expect(201);
    let body = json!({
        "authorization_server_id": "second",
        "client_id": "second-client",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "redirect_uris": ["https://example.com/callback"],
        "scopes": ["openid", "offline_access"]
    });
    let created = administrator.post("/clients", &body).await.expect(201).json();
    let secret = created["client_secret"].as_str().expect("a secret");
    let reborn =
        server.party_at("/default/second", "second-client", Some(secret)).with_scope("openid offline_access");
    reborn.userinfo(tokens.access_token()).await.expect(401);
    reborn.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    assert!(!reborn.is_active(own["access_token"].as_str().unwrap()).await);
    let silent = browser.load(&reborn.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(
        silent.response_parameter("error").as_deref(),
        Some("login_required"),
        "sessions are not inherited"
    );
}

#[tokio::test]
async fn w_08_an_unknown_tenant_and_an_unknown_workspace_look_the_same() {
    let server = TestServer::start().await;
    for rest in ["/.well-known/openid-configuration", "/.well-known/jwks.json", "/oauth2/token", "/userinfo"]
    {
        let tenant = server.get(&format!("/nobody/default{rest}")).await;
        let workspace = server.get(&format!("/default/nobody{rest}")).await;
        assert_eq!(comparable(&tenant).0, comparable(&workspace).0, "{rest}");
    }
}

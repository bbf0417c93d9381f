//! Clients, from the quick start to what an attacker would register.

use super::world::World;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

fn quick_start() -> Value {
    json!({
        "authorization_server_id": "default",
        "client_id": "client-pkce",
        "client_name": "My app",
        "grant_types": ["authorization_code"],
        "public": true,
        "redirect_uris": ["https://example.com/callback"],
        "token_endpoint_auth_method": "none",
        "response_types": ["token", "id_token", "code"],
        "scopes": ["email", "openid"],
    })
}

/// A client with one member as given.
fn with(member: &str, value: Value) -> Value {
    let mut client = json!({"authorization_server_id": "default"});
    client[member] = value;
    client
}

#[tokio::test]
async fn the_quick_start_creates_its_client() {
    let world = World::new().await;
    let made = world.post("/clients", quick_start()).await.is(201);
    assert_eq!(made.header("location"), "/api/admin/default/clients/client-pkce");
    assert_eq!(made.header("cache-control"), "no-store");
    for (member, value) in [
        ("tenant_id", json!("default")),
        ("client_id", json!("client-pkce")),
        ("scope", json!("email openid")),
        ("application_types", json!(["single_page"])),
        ("introspection_endpoint_auth_method", json!("none")),
        ("subject_type", json!("public")),
        ("audience", json!(["client-pkce"])),
        ("server_issuer_url", json!("https://localhost:8443/default/default")),
        ("response_types", json!(["token", "id_token", "code"])),
    ] {
        assert_eq!(made.body[member], value, "{member}");
    }
    assert!(made.body.get("client_secret").is_none() && made.body.get("public").is_none());
    let again = world.post("/clients", quick_start()).await.is(409);
    assert_eq!(again.body["details"]["client"], "client-pkce");
    world.delete("/clients/client-pkce").await.is(204);
    world.get("/clients/client-pkce").await.is(404);
    world.delete("/clients/client-pkce").await.is(404);
}

#[tokio::test]
async fn adm_22_a_secret_is_shown_once_and_kept_as_a_hash() {
    let world = World::new().await;
    let made = world.post("/clients", json!({"authorization_server_id": "default"})).await.is(201);
    let id = made.body["client_id"].as_str().unwrap().to_owned();
    assert_eq!(made.body["client_secret"].as_str().unwrap().len(), 43);
    let secret = "wPeimtcljkdBeG19Xc3OXD41iZo0zxdg";
    let mut own = with("client_secret", json!(secret));
    own["client_id"] = "client".into();
    assert_eq!(world.post("/clients", own).await.is(201).body["client_secret"], secret);
    for path in [format!("/clients/{id}"), "/clients/client".into(), "/servers/default/clients".into()] {
        let text = world.get(&path).await.is(200).body.to_string();
        assert!(!text.contains("secret\":") && !text.contains("hashed"), "{text}");
        assert!(!text.contains(secret));
    }
    let weak = world.post("/clients", with("client_secret", json!("hunter2"))).await.is(422);
    assert!(!weak.body.to_string().contains("hunter2"));
    let rotated = world.post("/clients/client/rotateSecret?auto_revoke_after=24h", json!({})).await.is(200);
    assert_eq!(rotated.body["secret"].as_str().unwrap().len(), 43);
    world.post("/clients/client/rotateSecret?auto_revoke_after=soon", json!({})).await.is(400);
    world.post("/clients/client/revokeRotatedSecrets", json!({})).await.is(204);
    world.post("/clients/nobody/rotateSecret", json!({})).await.is(404);
}

#[tokio::test]
async fn a_public_client_becomes_confidential_and_back() {
    let world = World::new().await;
    world.post("/clients", quick_start()).await.is(201);
    let mut client = world.get("/clients/client-pkce").await.body;
    client["token_endpoint_auth_method"] = "client_secret_basic".into();
    let put = world.put("/clients/client-pkce", client.clone()).await.is(200);
    assert_eq!(put.body["client_secret"].as_str().unwrap().len(), 43);
    assert_eq!(put.body["introspection_endpoint_auth_method"], "client_secret_basic");
    client["token_endpoint_auth_method"] = "none".into();
    let back = world.put("/clients/client-pkce", client).await.is(200);
    assert!(back.body.get("client_secret").is_none());
    world.post("/clients/client-pkce/rotateSecret", json!({})).await.is(422);
}

#[tokio::test]
async fn adm_09_11_a_client_stays_in_its_tenant_and_workspace() {
    let world = World::new().await;
    world.post("/clients", with("tenant_id", json!("other"))).await.is(422);
    world.post("/clients", with("tenant_id", json!(["default"]))).await.is(422);
    world.post("/clients", with("tenant_id", json!("default"))).await.is(201);
    world.post("/clients", json!({"authorization_server_id": "nowhere"})).await.is(422);
    world.post("/clients", json!({})).await.is(422);
    world.post("/clients", quick_start()).await.is(201);
    for (member, value) in [
        ("authorization_server_id", json!("admin")),
        ("tenant_id", json!("other")),
        ("client_id", json!("another")),
        ("system", json!(true)),
        ("dynamically_registered", json!(true)),
        ("hashed_secret", json!("sha256:AAAA")),
        ("rotated_secrets", json!(["x"])),
        ("created_at", json!("2001-01-01T00:00:00Z")),
        ("client_id_issued_at", json!(1)),
        ("application_types", json!(["service"])),
    ] {
        let mut client = world.get("/clients/client-pkce").await.body;
        client[member] = value;
        let answer = world.put("/clients/client-pkce", client).await.is(422);
        assert!(answer.body["details"].get(member).is_some(), "{member}: {:#}", answer.body);
    }
    for member in ["system", "dynamically_registered"] {
        world.post("/clients", with(member, json!(true))).await.is(422);
    }
    world.post("/clients", with("hashed_secret", json!("sha256:AAAA"))).await.is(422);
}

#[tokio::test]
async fn adm_12_14_24_25_what_an_attacker_would_register_is_refused_by_name() {
    let world = World::new().await;
    let private =
        json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "c2VjcmV0LWtleQ"}]});
    for (member, value, named) in [
        ("redirect_uris", json!(["javascript:alert(1)"]), "redirect_uris[0]"),
        ("redirect_uris", json!(["https://example.com/cb", "http://example.com/cb"]), "redirect_uris[1]"),
        ("redirect_uris", json!(["https://example.com/cb#f"]), "redirect_uris[0]"),
        ("redirect_uris", json!(["https://*.example.com/cb"]), "redirect_uris[0]"),
        ("redirect_uris", json!(["/cb"]), "redirect_uris[0]"),
        ("post_logout_redirect_uris", json!(["data:text/html,x"]), "post_logout_redirect_uris[0]"),
        ("client_id", json!("../admin"), "client_id"),
        ("client_id", json!("<script>"), "client_id"),
        ("client_id", json!("a\u{0}b"), "client_id"),
        ("client_id", json!("x".repeat(129)), "client_id"),
        ("client_name", json!("\u{1b}[31m"), "client_name"),
        ("logo_uri", json!("javascript:alert(1)"), "logo_uri"),
        ("jwks_uri", json!("https://169.254.169.254/latest"), "jwks_uri"),
        ("sector_identifier_uri", json!("https://localhost/x"), "sector_identifier_uri"),
        ("backchannel_logout_uri", json!("http://example.com/out"), "backchannel_logout_uri"),
        ("jwks", private, "jwks.keys[0]"),
        ("jwks", json!({"keys": [{"kty": "oct", "k": "AAAA"}]}), "jwks.keys[0]"),
        ("grant_types", json!(["authorization_code", "magic"]), "grant_types[1]"),
        ("response_types", json!(["code magic"]), "response_types[0]"),
        ("token_endpoint_auth_method", json!("magic"), "token_endpoint_auth_method"),
        ("token_endpoint_auth_signing_alg", json!("none"), "token_endpoint_auth_signing_alg"),
        ("token_endpoint_auth_signing_alg", json!("HS256"), "token_endpoint_auth_signing_alg"),
        ("id_token_signed_response_alg", json!("HS256"), "id_token_signed_response_alg"),
        ("application_type", json!("tv"), "application_type"),
        ("subject_type", json!("secret"), "subject_type"),
        ("scopes", json!(["openid", "admin"]), "scopes[1]"),
        ("scopes", json!(["account."]), "scopes[0]"),
        ("token_ttls", json!({"authorization_code_ttl": "1h"}), "token_ttls.authorization_code_ttl"),
        ("client_status", json!(true), "client_status"),
    ] {
        let answer = world.post("/clients", with(member, value)).await.is(422);
        let problem = &answer.body["details"][named];
        assert!(
            problem["received"].is_string() && problem["expected"].is_string(),
            "{named}: {:#}",
            answer.body
        );
        assert!(!answer.body.to_string().contains("c2VjcmV0"), "{:#}", answer.body);
    }
    for (member, value) in [
        ("redirect_uris", json!("https://example.com/one")),
        ("scope", json!("openid account.7")),
        ("response_types", json!(["id_token code", "token code id_token"])),
        ("grant_types", json!(["password", "urn:openid:params:grant-type:ciba"])),
        ("client_secret_expires_at", json!(0)),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
    ] {
        world.post("/clients", with(member, value)).await.is(201);
    }
}

#[tokio::test]
async fn adm_27_concurrent_changes_lose_nothing() {
    let world = World::new().await;
    world.post("/clients", quick_start()).await.is(201);
    let first = world.get("/clients/client-pkce").await;
    let mut changed = first.body.clone();
    changed["client_name"] = "Renamed".into();
    let put = world.put_if("/clients/client-pkce", first.header("etag"), changed.clone()).await.is(200);
    assert_ne!(put.header("etag"), first.header("etag"));
    changed["client_name"] = "Lost".into();
    world.put_if("/clients/client-pkce", first.header("etag"), changed).await.is(412);
    assert_eq!(world.get("/clients/client-pkce").await.body["client_name"], "Renamed");
    // A document that was read earlier can be put back.
    world.put("/clients/client-pkce", first.body).await.is(200);
    assert_eq!(world.get("/clients/client-pkce").await.body["client_name"], "My app");
}

#[tokio::test]
async fn both_spellings_of_the_scopes_are_understood() {
    let world = World::new().await;
    world.post("/clients", quick_start()).await.is(201);
    let put = async |scopes: Option<Value>, scope: Option<Value>| {
        let mut client = world.get("/clients/client-pkce").await.body;
        if let Some(scopes) = scopes {
            client["scopes"] = scopes;
        }
        if let Some(scope) = scope {
            client["scope"] = scope;
        }
        world.put("/clients/client-pkce", client).await
    };
    assert_eq!(put(Some(json!(["openid"])), None).await.is(200).body["scope"], "openid");
    assert_eq!(
        put(None, Some(json!("openid email"))).await.is(200).body["scopes"],
        json!(["openid", "email"])
    );
    assert_eq!(put(Some(json!([])), None).await.is(200).body["scope"], "");
    put(Some(json!(["openid"])), Some(json!("email"))).await.is(422);
}

#[tokio::test]
async fn a_repeated_request_with_its_key_gets_the_same_answer() {
    let world = World::new().await;
    let key = "9d2c7b8e-5a44-4f0f-b1a6-0f3a6f1f7c11";
    let body = json!({"authorization_server_id": "default", "client_id": "once"});
    let first = world.post_with_key("/clients", key, body.clone()).await.is(201);
    let again = world.post_with_key("/clients", key, body.clone()).await.is(201);
    assert_eq!(again.header("x-idempotent-replayed"), "true");
    assert_eq!(first.header("x-idempotent-replayed"), "");
    assert_eq!((&again.body, again.header("etag")), (&first.body, first.header("etag")));
    assert!(again.body["client_secret"].is_string());
    world
        .post_with_key("/clients", key, json!({"authorization_server_id": "default", "client_id": "two"}))
        .await
        .is(400);
    world.post_with_key("/clients", "short", body.clone()).await.is(400);
    world.post("/clients", body).await.is(409);
}

/// A client that gets tokens for itself, and its secret.
async fn machine(world: &World, workspace: &str, id: &str) -> String {
    let body = json!({"authorization_server_id": workspace, "client_id": id, "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_post"});
    world.post("/clients", body).await.is(201).body["client_secret"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn adm_13_26_a_deleted_client_is_dead_and_its_name_inherits_nothing() {
    let world = World::new().await;
    let secret = machine(&world, "admin", "robot").await;
    let token = world.token("admin", "robot", &secret).await.unwrap();
    world.get_with("/tenant", &token).await.is(200);
    world.delete("/clients/robot").await.is(204);
    world.get_with("/tenant", &token).await.is(401);
    assert!(world.token("admin", "robot", &secret).await.is_none());
    let again = machine(&world, "admin", "robot").await;
    world.get_with("/tenant", &token).await.is(401);
    assert!(world.token("admin", "robot", &secret).await.is_none());
    let token = world.token("admin", "robot", &again).await.unwrap();
    world.get_with("/tenant", &token).await.is(200);
    let mut client = world.get("/clients/robot").await.body;
    client["client_status"] = "inactive".into();
    world.put("/clients/robot", client).await.is(200);
    world.get_with("/tenant", &token).await.is(401);
}

#[tokio::test]
async fn adm_04_a_token_of_another_workspace_opens_nothing() {
    let world = World::new().await;
    let secret = machine(&world, "default", "robot").await;
    let token = world.token("default", "robot", &secret).await.unwrap();
    world.get_with("/tenant", &token).await.is(401);
}

#[tokio::test]
async fn secrets_rotate_without_a_gap_and_concurrent_changes_lose_none() {
    let world = Arc::new(World::new().await);
    let mut secrets = vec![machine(&world, "default", "robot").await];
    let read = world.get("/clients/robot").await.body;
    let mut running = JoinSet::new();
    for n in 0..40 {
        let (world, mut renamed) = (Arc::clone(&world), read.clone());
        renamed["client_name"] = format!("Robot {n}").into();
        running.spawn(async move {
            let rotated = world.post("/clients/robot/rotateSecret", json!({})).await.is(200);
            world.put("/clients/robot", renamed).await.is(200);
            rotated.body["secret"].as_str().unwrap().to_owned()
        });
    }
    secrets.extend(running.join_all().await);
    assert_eq!(
        (secrets.len(), valid(&world, &secrets).await),
        (41, 3),
        "the newest secret and two before it"
    );
    world.post("/clients/robot/revokeRotatedSecrets", json!({})).await.is(204);
    assert_eq!(valid(&world, &secrets).await, 1);
}

/// How many of the secrets still open the client `robot`.
async fn valid(world: &World, secrets: &[String]) -> usize {
    let mut valid = 0;
    for secret in secrets {
        valid += usize::from(world.token("default", "robot", secret).await.is_some());
    }
    valid
}

#[tokio::test]
async fn of_many_that_take_a_name_at_once_one_gets_it() {
    let world = Arc::new(World::new().await);
    let taken = [
        ("/clients", json!({"authorization_server_id": "default", "client_id": "mine"})),
        ("/scopes", json!({"service_id": "default-profile", "name": "mine"})),
        (
            "/services",
            json!({"authorization_server_id": "default", "name": "x", "custom_audience": "https://a.example"}),
        ),
    ];
    for (path, body) in taken {
        let mut running = JoinSet::new();
        for _ in 0..8 {
            let (world, body) = (Arc::clone(&world), body.clone());
            running.spawn(async move { world.post(path, body).await.status.as_u16() });
        }
        let mut statuses = running.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409], "{path}");
    }
}

//! What holds for every operation: who may call, what a body may look like, lists, unknown paths.

use super::world::World;
use axum::body::Body;
use http::Request;
use serde_json::json;

fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path)
}

#[tokio::test]
async fn adm_02_07_19_only_a_bearer_token_of_the_tenant_counts() {
    let world = World::new().await;
    let path = "/api/admin/default/servers/default/clients";
    let plain = world.raw(request("GET", path).body(Body::empty()).unwrap()).await.is(401);
    // RFC 6750 §3.1: without a token no error code.
    let challenge = plain.header("www-authenticate");
    assert!(challenge.starts_with("Bearer realm=\"admin\", resource_metadata="), "{challenge}");
    let (mine, theirs) = (world.bearer("default"), world.bearer("other"));
    let unsigned = format!("Bearer eyJhbGciOiJub25lIn0.{}.", mine.split('.').nth(1).unwrap());
    for (name, value) in [
        ("cookie", mine.replace("Bearer ", "__Host-session=x; access_token=").as_str()),
        ("authorization", "Basic Ym9zczpzZWNyZXQ="),
        ("authorization", "Bearer forged"),
        ("authorization", "Bearer \u{e9}"),
        ("authorization", &theirs),
        ("authorization", &unsigned),
        ("authorization", &format!("{mine}x")),
        ("x-access-token", &mine),
    ] {
        let answer = world
            .raw(request("GET", path).header(name, value.as_bytes()).body(Body::empty()).unwrap())
            .await
            .is(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{value}");
    }
    let twice = request("GET", path)
        .header("authorization", world.bearer("default"))
        .header("authorization", world.bearer("default"));
    world.raw(twice.body(Body::empty()).unwrap()).await.is(400);
    let unknown =
        request("GET", "/api/admin/nobody/servers").header("authorization", world.bearer("default"));
    world.raw(unknown.body(Body::empty()).unwrap()).await.is(401);
    world.get("/servers/default/clients?access_token=x&limit=1").await.is(200);
}

#[tokio::test]
async fn adm_08_another_tenant_sees_nothing() {
    let world = World::new().await;
    world.post("/clients", json!({"authorization_server_id": "default", "client_id": "mine"})).await.is(201);
    for (method, path) in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/rotateSecret")] {
        let theirs = request(method, &format!("/api/admin/other/clients/mine{path}"))
            .header("authorization", world.bearer("other"))
            .header("content-type", "application/json");
        world.raw(theirs.body(Body::from("{}")).unwrap()).await.is(404);
        let through = request(method, &format!("/api/admin/default/clients/mine{path}"))
            .header("authorization", world.bearer("other"))
            .header("content-type", "application/json");
        world.raw(through.body(Body::from("{}")).unwrap()).await.is(401);
    }
    world.get("/clients/mine").await.is(200);
}

#[tokio::test]
async fn adm_15_16_17_bodies_that_are_not_strict_json_are_refused() {
    let world = World::new().await;
    let send = async |kind: Option<&str>, body: Vec<u8>| {
        let mut builder =
            request("POST", "/api/admin/default/clients").header("authorization", world.bearer("default"));
        if let Some(kind) = kind {
            builder = builder.header("content-type", kind);
        }
        world.raw(builder.body(Body::from(body)).unwrap()).await
    };
    let good = br#"{"authorization_server_id":"default"}"#;
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some(""),
    ] {
        send(kind, good.to_vec()).await.is(415);
    }
    send(Some("Application/JSON; charset=utf-8"), good.to_vec()).await.is(201);
    let json = Some("application/json");
    let answer = send(json, b"{\"a\":\n }".to_vec()).await.is(400);
    assert_eq!(answer.body["details"]["line"], 2);
    send(json, br#"{"client_id":"a","client_id":"b"}"#.to_vec()).await.is(400);
    send(json, b"[]".to_vec()).await.is(400);
    send(json, Vec::new()).await.is(400);
    send(json, "[".repeat(500_000).into_bytes()).await.is(400);
    send(json, format!("{{\"a\":\"{}\"}}", "x".repeat(5_000_000)).into_bytes()).await.is(413);
    send(json, good.to_vec()).await.is(201);
}

#[tokio::test]
async fn adm_20_unknown_paths_methods_and_overrides() {
    let world = World::new().await;
    for path in ["/nothing", "/clients/a/b", "/clients/", "//clients", "/clients/%ff", "/Clients"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let answer = world.delete("/clients").await.is(405);
    assert_eq!(answer.header("allow"), "POST");
    world.post("/clients", json!({"authorization_server_id": "default", "client_id": "kept"})).await.is(201);
    let overridden = request("GET", "/api/admin/default/clients/kept?_method=DELETE")
        .header("authorization", world.bearer("default"))
        .header("x-http-method-override", "DELETE");
    world.raw(overridden.body(Body::empty()).unwrap()).await.is(200);
    world.get("/clients/..%2fservers%2fadmin").await.is(404);
    world.get("/clients/kept").await.is(200);
}

#[tokio::test]
async fn adm_18_cors_is_for_configured_origins_only() {
    let world = World::new().await;
    let preflight = request("OPTIONS", "/api/admin/default/clients")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let answer = world.raw(preflight.body(Body::empty()).unwrap()).await.is(405);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let theirs = World::with(|config| config.admin_origins = vec!["https://console.example".into()]).await;
    for (origin, allowed) in
        [("https://console.example", "https://console.example"), ("https://console.example.evil", "")]
    {
        let preflight = request("OPTIONS", "/api/admin/default/clients")
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        let answer = theirs.raw(preflight.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        let refused = request("GET", "/api/admin/default/clients/x").header("origin", origin);
        let answer = theirs.raw(refused.body(Body::empty()).unwrap()).await.is(401);
        assert_eq!(
            (answer.header("access-control-allow-origin"), answer.header("vary")),
            (allowed, "Origin")
        );
    }
    let simple = request("GET", "/api/admin/default/servers").header("origin", "null");
    let answer = world.raw(simple.body(Body::empty()).unwrap()).await.is(401);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn lists_are_walked_by_key_in_both_directions() {
    let world = World::new().await;
    for n in 0..7 {
        let body = json!({"authorization_server_id": "default", "client_id": format!("c{n}"), "client_name": format!("Name {}", n % 2)});
        world.post("/clients", body).await.is(201);
    }
    let ids = async |query: &str| {
        let answer = world.get(&format!("/servers/default/clients?{query}")).await.is(200);
        let clients = answer.body["clients"].as_array().unwrap().clone();
        clients
            .iter()
            .map(|client| client["client_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(ids("limit=3").await, "c0 c1 c2");
    assert_eq!(ids("limit=3&after_client_id=c2").await, "c3 c4 c5");
    assert_eq!(ids("limit=3&after_client_id=c5").await, "c6");
    assert_eq!(ids("limit=2&before_client_id=c5").await, "c3 c4");
    assert_eq!(ids("limit=3&order=desc").await, "c6 c5 c4");
    assert_eq!(ids("limit=3&order=desc&after_client_id=c4").await, "c3 c2 c1");
    assert_eq!(ids("limit=2&search_phrase=NAME+1").await, "c1 c3");
    assert_eq!(ids("limit=2&search_phrase=name+1&after_client_id=c3").await, "c5");
    assert_eq!(ids("limit=1&search_phrase=name+1&before_client_id=c5").await, "c3");
    assert_eq!(ids("search_phrase='+OR+1=1").await, "");
    world.get("/servers/default/clients?limit=0").await.is(400);
    world.get("/servers/nowhere/clients").await.is(404);
}

#[tokio::test]
async fn every_document_that_was_read_can_be_put_back() {
    let world = World::new().await;
    let client = json!({"authorization_server_id": "default", "client_id": "c", "scopes": ["openid"],
        "redirect_uris": ["https://example.com/cb"], "metadata": {"a": {"b": [1]}}});
    world.post("/clients", client).await.is(201);
    for path in [
        "/clients/c",
        "/servers/default",
        "/services/default-profile",
        "/scopes/default-openid",
        "/servers/admin",
    ] {
        let read = world.get(path).await.is(200);
        assert!(!read.body.to_string().contains("null"), "{path}");
        let put = world.put(path, read.body.clone()).await.is(200);
        assert_eq!(put.body, read.body, "{path}");
        assert_eq!(put.header("etag"), read.header("etag"), "{path}");
        assert!(read.header("etag").starts_with('"'), "{path}");
        world.put_if(path, "\"0-0\"", read.body.clone()).await.is(412);
    }
}

#[tokio::test]
async fn workspaces_live_and_die_but_the_admin_workspace_stays() {
    let world = World::new().await;
    let made = world.post("/servers", json!({"id": "shop", "profile": "fapi_20_security"})).await.is(201);
    assert_eq!(made.body["issuer_url"], "https://localhost:8443/default/shop");
    assert_eq!(
        (&made.body["authorization_code_ttl"], &made.body["enforce_pkce"]),
        (&json!("1m0s"), &json!(true))
    );
    world.post("/servers", json!({"id": "shop"})).await.is(409);
    for (member, value) in [
        ("id", json!("a/b")),
        ("type", json!("admin")),
        ("profile", json!("lax")),
        ("grant_types", json!(["magic"])),
        ("code_challenge_methods", json!(["plain"])),
        ("authorization_code_ttl", json!("11m")),
        ("access_token_ttl", json!("0s")),
        ("custom_issuer_url", json!("http://issuer.example")),
        ("access_token_ttl", json!("soon")),
        ("custom_issuer_url", json!("https://localhost:8443/other/admin")),
    ] {
        let answer = world.post("/servers", json!({ member: value })).await.is(422);
        let named = answer.body["details"].as_object().unwrap().keys().any(|key| key.starts_with(member));
        assert!(named, "{member}: {:#}", answer.body);
    }
    world.put("/servers/shop", json!({"name": "Shop", "type": "admin"})).await.is(422);
    world.put("/workspaces/shop/metadata", json!({"payload": {"a": 1}})).await.is(200);
    assert_eq!(world.get("/workspaces/shop").await.is(200).body["metadata"], json!({"a": 1}));
    let listed = world.get("/workspaces?search_phrase=sho").await.is(200);
    assert_eq!(listed.body["workspaces"][0]["id"], "shop");
    let regular = world.get("/servers?server_types=regular,developer").await.is(200).body;
    let ids: Vec<&str> =
        regular["servers"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["default", "shop"]);
    world.get("/workspaces?workspace_types=lax").await.is(400);
    world.delete("/servers/shop").await.is(204);
    world.get("/servers/shop").await.is(404);
    world.delete("/servers/admin").await.is(403);
    assert_eq!(world.get("/tenant").await.is(200).body["id"], "default");
    world.get("/environment").await.is(200);
}

#[tokio::test]
async fn keys_are_listed_rotated_and_revoked_and_never_shown_whole() {
    let world = World::new().await;
    let keys = world.get("/servers/default/keys").await.is(200).body;
    assert_eq!((&keys["current_key"]["alg"], &keys["next_key"]["alg"]), (&json!("ES256"), &json!("ES256")));
    assert_eq!(keys["other_keys"].as_array().unwrap().len(), 2);
    for private in ["\"d\"", "sealed", "\"p\"", "null"] {
        assert!(!keys.to_string().contains(private), "{keys:#}");
    }
    let (current, next) =
        (keys["current_key"]["kid"].as_str().unwrap(), keys["next_key"]["kid"].as_str().unwrap());
    assert_eq!(world.get(&format!("/servers/default/keys/{current}/raw")).await.is(200).body["kid"], current);
    world.post(&format!("/servers/default/keys/revoke/{current}"), json!({})).await.is(400);
    let rotated = world.post("/servers/default/keys/rotate?key_type=ecdsa", json!({})).await.is(200);
    assert_eq!(rotated.body["kid"], next);
    let keys = world.get("/servers/default/keys").await.is(200).body;
    assert_eq!(keys["rotated_keys"][0]["kid"], current);
    assert!(keys["rotated_keys"][0]["rotated_at"].is_string());
    let revoked = world.post(&format!("/servers/default/keys/revoke/{current}"), json!({})).await.is(200);
    assert!(revoked.body["revoked_at"].is_string());
    for path in ["/servers/default/keys/revoke/unknown", "/servers/nowhere/keys/rotate"] {
        world.post(path, json!({})).await.is(404);
    }
    world.get("/servers/default/keys/unknown/raw").await.is(404);
    world.post("/servers/default/keys/rotate?key_type=rot13", json!({})).await.is(400);
    world.post("/servers/default/keys/rotate?use=other", json!({})).await.is(400);
    // Those that one encrypts to are listed and rotated apart.
    let before = world.get("/servers/default/keys?use=enc").await.is(200).body;
    let rotated = world.post("/servers/default/keys/rotate?use=enc", json!({})).await.is(200);
    assert_eq!((&rotated.body["use"], &rotated.body["alg"]), (&json!("enc"), &json!("RSA-OAEP-256")));
    let after = world.get("/servers/default/keys?use=enc").await.is(200).body;
    assert_eq!(after["current_key"]["kid"], rotated.body["kid"]);
    assert_eq!(after["rotated_keys"][0]["kid"], before["current_key"]["kid"]);
    world.post("/servers/default/keys/rotate?use=enc&key_type=ps", json!({})).await.is(400);
}

#[tokio::test]
async fn services_and_scopes_have_unique_names_and_audiences() {
    let world = World::new().await;
    let service = |audience: &str| json!({"authorization_server_id": "default", "name": "Orders", "custom_audience": audience});
    let made = world.post("/services", service("https://api.example.com/orders")).await.is(201);
    assert_eq!(made.body["audience"], "https://api.example.com/orders");
    let plain = world.post("/services", service("")).await.is(201);
    let id = plain.body["id"].as_str().unwrap();
    assert_eq!(plain.body["audience"], format!("spiffe://localhost:8443/default/default/{id}"));
    world.post("/services", service("https://api.example.com/orders")).await.is(409);
    for bad in ["orders", "https://api.example.com/#x", "https://a b"] {
        world.post("/services", service(bad)).await.is(422);
    }
    // The computed audience of another service is taken too.
    world.post("/services", service(&format!("spiffe://localhost:8443/default/default/{id}"))).await.is(409);
    let scope = json!({"service_id": id, "name": "orders:read"});
    assert_eq!(world.post("/scopes", scope.clone()).await.is(201).body["id"], "default-orders~3Aread");
    world.post("/scopes", scope).await.is(409);
    world.post("/scopes", json!({"service_id": id, "name": "openid", "id": "another"})).await.is(409);
    for bad in [json!("a b"), json!("a\"b"), json!(""), json!("*"), json!("a*b"), json!(7)] {
        world.post("/scopes", json!({"service_id": id, "name": bad})).await.is(422);
    }
    world.post("/scopes", json!({"service_id": "nowhere", "name": "x"})).await.is(422);
    let read = world.get(&format!("/services/{id}")).await.is(200);
    assert_eq!(read.body["scopes"][0]["name"], "orders:read");
    world.delete(&format!("/services/{id}")).await.is(204);
    world.get("/scopes/default-orders~3Aread").await.is(404);
    world.get("/scopes/default-openid").await.is(200);
}

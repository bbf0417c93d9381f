//! The description says what is served, and what is served is described.

use super::world::World;
use crate::resource::RESOURCES;
use axum::body::Body;
use http::Request;
use serde_json::Value;
use std::collections::BTreeSet;

/// Operations that the contract names under the tags of this API and that a first release needs.
const CONTRACT: &str = include_str!("../../operations_contract.txt");

/// Those of them that are not there yet.
const MISSING: &str = include_str!("../../operations_missing.txt");

/// Operations that the contract does not name.
const OWN: &str = include_str!("../../operations_own.txt");

fn lines(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

async fn description() -> Value {
    let world = World::new().await;
    world
        .raw(Request::get("/api/swagger/default/openapi.json").body(Body::empty()).unwrap())
        .await
        .is(200)
        .body
}

/// (method, path, operation) of everything described.
fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let paths = description["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
    });
    all.collect()
}

#[test]
fn the_difference_to_the_contract_is_written_down() {
    let served =
        RESOURCES.iter().flat_map(|resource| resource.operations.iter().map(|operation| operation.id));
    let served: BTreeSet<&str> = served.collect();
    let contract = lines(CONTRACT);
    let own: BTreeSet<&str> = served.difference(&contract).copied().collect();
    assert_eq!(own, lines(OWN), "bring admin/operations_own.txt up to date");
    let missing: BTreeSet<&str> = contract.difference(&served).copied().collect();
    assert_eq!(missing, lines(MISSING), "bring admin/operations_missing.txt up to date");
}

#[tokio::test]
async fn every_described_operation_is_routed() {
    let world = World::new().await;
    let described = operations(&description().await);
    let ours = described.iter().filter(|(_, path, _)| path.starts_with("/api/"));
    let mut count = 0;
    for (method, path, _) in ours {
        let path = path.replace("{tid}", "default").replace(['{', '}'], "");
        let request = Request::builder().method(method.as_str()).uri(&path).body(Body::empty()).unwrap();
        // Without a token a route says 401; what is no route says 404 or 405.
        let answer = world.raw(request).await;
        assert_eq!(answer.status, 401, "{method} {path}");
        count += 1;
    }
    let table: usize = RESOURCES.iter().map(|resource| resource.operations.len()).sum();
    assert_eq!(count, table, "two rows share a method and a path");
}

#[tokio::test]
async fn the_description_is_whole() {
    let description = description().await;
    assert_eq!(description["openapi"], "3.1.0");
    let schemas = description["components"]["schemas"].as_object().unwrap();
    let text = description.to_string();
    assert!(!text.contains("null"), "no null members");
    assert!(!text.contains("hashed_secret"), "stored hashes are not described");
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is not described");
    }
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&description) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id.clone()), "{id} twice");
        assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{method} {path}");
        let named: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
        let parameters = operation["parameters"].as_array().unwrap();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(named, in_path.map(|parameter| parameter["name"].as_str().unwrap()).collect(), "{path}");
    }
}

#[tokio::test]
async fn the_quick_start_finds_what_it_needs() {
    let description = description().await;
    let create = &description["paths"]["/api/admin/{tid}/clients"]["post"];
    assert_eq!(create["operationId"], "createClient");
    assert_eq!(create["tags"][0], "clients");
    assert_eq!(create["parameters"][0]["schema"]["default"], "default");
    assert_eq!(create["requestBody"]["content"]["application/json"]["example"]["client_id"], "client-pkce");
    let flow = &description["components"]["securitySchemes"]["admin"]["flows"]["clientCredentials"];
    assert_eq!(flow["tokenUrl"], "/default/admin/oauth2/token");
}

#[tokio::test]
async fn adm_29_the_page_ships_no_secret_and_loads_nothing_from_elsewhere() {
    let world = World::new().await;
    let get = async |path: &str| world.raw(Request::get(path).body(Body::empty()).unwrap()).await;
    for path in [
        "/api/swagger/default",
        "/api/swagger/default/",
        "/api/swagger/default/shop",
        "/api/swagger/default/shop/",
    ] {
        let page = get(path).await.is(200);
        assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
        assert!(page.header("content-type").starts_with("text/html"));
        let html = page.body.as_str().unwrap();
        assert!(!html.contains("://") && !html.contains("{{") && !html.contains("secret"), "{html}");
        for link in html.split(['"', '<', '>']).filter(|part| part.starts_with("/api/")) {
            get(link).await.is(200);
        }
    }
    let initializer = get("/api/swagger-ui/initializer.js").await.is(200);
    assert!(!initializer.body.as_str().unwrap().contains("ecret"));
    get("/api/swagger/nobody").await.is(404);
    get("/api/swagger/%3Cscript%3E").await.is(404);
    get("/api/swagger-ui/oauth2-redirect.html").await.is(404);
    get("/api/swagger-ui/..%2f..%2fCargo.toml").await.is(404);
}

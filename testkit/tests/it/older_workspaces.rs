//! Workspaces that were made before every workspace had encryption keys and all of today's scopes.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::id::TenantId;
use protocol::record::{Document, DocumentKind, Expect, Write};
use serde_json::{Value, json};
use store::{Batch, Page};
use testkit::TestServer;

const NEWER_SCOPES: [&str; 4] = ["view_sessions", "manage_sessions", "manage_tokens", "dcr_register"];
const JWKS: &str = "/default/default/.well-known/jwks.json";
const DISCOVERY: &str = "/default/default/.well-known/openid-configuration";

/// Takes away from the workspace `default` what was not there in older versions.
async fn make_older(server: &TestServer) {
    let tenant = TenantId::new("default");
    let list = async |kind| {
        let page = Page::first(1000);
        server.store().documents(&tenant, kind, Some("default"), &page).await.expect("documents")
    };
    let is_newer = |document: &Document| {
        let body: Value = serde_json::from_str(&document.body).expect("JSON");
        let is_scope = NEWER_SCOPES.iter().any(|name| body["name"] == *name);
        is_scope
            || body["alg"].as_str().is_some_and(|alg| alg.starts_with("RSA-OAEP") || alg.starts_with("ECDH"))
    };
    let newer = [list(DocumentKind::Scope).await, list(DocumentKind::Key).await].concat();
    let newer: Vec<Document> = newer.into_iter().filter(is_newer).collect();
    assert_eq!(newer.len(), 6, "four scopes and two keys");
    let taken = newer.into_iter().map(|document| Write::DeleteDocument {
        kind: document.kind,
        id: document.id,
        expect: Expect::Revision(document.revision),
    });
    let mut writes: Vec<Write> = taken.collect();
    let mut document = stored(server).await;
    let mut body: Value = serde_json::from_str(&document.body).expect("JSON");
    body.as_object_mut().expect("an object").remove("version").expect("a version");
    document.body = body.to_string();
    let expect = Expect::Revision(document.revision);
    writes.push(Write::PutDocument { document, expect });
    server.store().commit(&tenant, Batch { writes, events: Vec::new() }).await.expect("a commit");
    server.clock().advance(Duration::from_secs(1));
}

/// The document of the workspace.
async fn stored(server: &TestServer) -> Document {
    let page = Page::first(100);
    let tenant = TenantId::new("default");
    let servers =
        server.store().documents(&tenant, DocumentKind::Server, None, &page).await.expect("documents");
    servers.into_iter().find(|document| document.id == "default").expect("the workspace")
}

async fn encryption_kids(server: &TestServer) -> BTreeSet<String> {
    let jwks = server.get(JWKS).await.expect(200).json();
    let keys = jwks["keys"].as_array().expect("keys").iter().filter(|key| key["use"] == "enc");
    keys.map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

async fn scopes(server: &TestServer) -> Vec<String> {
    let document = server.get(DISCOVERY).await.expect(200).json();
    serde_json::from_value(document["scopes_supported"].clone()).expect("texts")
}

#[tokio::test]
async fn what_is_missing_is_there_at_the_first_look() {
    for server in [TestServer::start().await, TestServer::on_sqlite().await] {
        make_older(&server).await;
        assert_eq!(encryption_kids(&server).await.len(), 2);
        let scopes = scopes(&server).await;
        for name in NEWER_SCOPES {
            assert_eq!(scopes.iter().filter(|scope| *scope == name).count(), 1, "{name}");
        }
        let administrator = server.administrator().await;
        assert_eq!(administrator.get("/servers/default").await.expect(200).json()["version"], 1);
        administrator.change("/clients/client", &json!({"scopes": ["openid", "view_sessions"]})).await;
        server.party("client").with_scope("openid view_sessions").tokens().await;
        // Another look adds nothing.
        let revision = stored(&server).await.revision;
        server.clock().advance(Duration::from_secs(1));
        let kids = encryption_kids(&server).await;
        administrator.change("/servers/default", &json!({"description": "another look"})).await;
        assert_eq!(encryption_kids(&server).await, kids);
        assert_eq!(stored(&server).await.revision, revision + 1, "the change alone");
    }
}

#[tokio::test]
async fn of_two_nodes_exactly_one_adds() {
    let server = TestServer::on_sqlite().await;
    make_older(&server).await;
    let nodes = [server.restart(), server.restart(), server.restart()];
    let (a, b, c, d) = tokio::join!(
        encryption_kids(&nodes[0]),
        encryption_kids(&nodes[1]),
        encryption_kids(&nodes[2]),
        encryption_kids(&nodes[0]),
    );
    assert_eq!(a.len(), 2);
    assert!(a == b && b == c && c == d, "{a:?} {b:?} {c:?} {d:?}");
    let events = server.store().events(&TenantId::new("default"), None, 1000).await.expect("events");
    let told = events.iter().filter(|event| format!("{event:?}").contains("default to version"));
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn what_an_administrator_takes_away_afterwards_stays_away() {
    let server = TestServer::on_sqlite().await;
    make_older(&server).await;
    assert!(scopes(&server).await.contains(&"view_sessions".to_owned()));
    let administrator = server.administrator().await;
    administrator.delete("/scopes/default-view_sessions").await.expect(204);
    // Reading and putting back keeps the version, whatever is said about it.
    let mut workspace = administrator.get("/servers/default").await.expect(200).json();
    administrator.put("/servers/default", &workspace).await.expect(200);
    workspace["version"] = json!(0);
    administrator.put("/servers/default", &workspace).await.expect(422);
    let later = server.restart();
    assert!(!scopes(&later).await.contains(&"view_sessions".to_owned()));
}

#[tokio::test]
async fn a_store_that_takes_nothing_stops_nobody() {
    let server = TestServer::on_sqlite().await;
    make_older(&server).await;
    let browser = server.browser();
    server.fail_store(false, true);
    assert_eq!(encryption_kids(&server).await.len(), 0, "as it was");
    let page = browser.open(&server.party("client").authorize_url(&[("prompt", "none")])).await;
    assert!(page.status != 404);
    server.fail_store(false, false);
    assert_eq!(encryption_kids(&server.restart()).await.len(), 2);
}

//! Rows that a later version wrote (E7, E23): what this one does not know it keeps, and what it cannot read it refuses
//! alone.

use protocol::id::TenantId;
use protocol::record::{Document, DocumentKind, Expect, Write};
use serde_json::{Value, json};
use store::{Batch, Page};
use testkit::TestServer;

async fn documents(server: &TestServer, kind: DocumentKind) -> Vec<Document> {
    let page = Page::first(1000);
    server.store().documents(&TenantId::new("default"), kind, None, &page).await.unwrap()
}

async fn document(server: &TestServer, kind: DocumentKind, id: &str) -> Document {
    let all = documents(server, kind).await;
    all.into_iter().find(|document| document.id == id).unwrap_or_else(|| panic!("no {kind:?} {id}"))
}

/// Changes a body as a later version would; the server that comes from it knows nothing of caches.
async fn written_later(
    server: &TestServer,
    document: Document,
    change: impl FnOnce(&mut Value),
) -> TestServer {
    let mut body: Value = serde_json::from_str(&document.body).unwrap();
    change(&mut body);
    let expect = Expect::Revision(document.revision);
    let write = Write::PutDocument { document: Document { body: body.to_string(), ..document }, expect };
    let batch = Batch { writes: vec![write], events: Vec::new() };
    server.store().commit(&TenantId::new("default"), batch).await.unwrap();
    server.node(0)
}

fn body(document: &Document) -> Value {
    serde_json::from_str(&document.body).unwrap()
}

#[tokio::test]
async fn e_07_members_that_only_a_later_version_knows_survive_a_change() {
    let server = TestServer::start().await;
    for (kind, id, path) in
        [(DocumentKind::Client, "app", "/clients/app"), (DocumentKind::Server, "default", "/servers/default")]
    {
        let before = document(&server, kind, id).await;
        let server = written_later(&server, before, |body| {
            body["a_later_member"] = json!({"deep": ["x"], "on": true});
            if kind == DocumentKind::Server {
                body["token_exchange"]["a_later_member"] = json!(7);
            }
        })
        .await;
        let administrator = server.administrator().await;
        let mut shown = administrator.get(path).await.expect(200).json();
        assert!(shown.get("a_later_member").is_none(), "{shown}");
        let name = if kind == DocumentKind::Client { "client_name" } else { "name" };
        shown[name] = json!("Changed");
        administrator.put(path, &shown).await.expect(200);
        let after = body(&document(&server, kind, id).await);
        assert_eq!(after[name], "Changed");
        assert_eq!(after["a_later_member"], json!({"deep": ["x"], "on": true}), "{after}");
    }
}

#[tokio::test]
async fn e_07_a_consent_keeps_what_a_later_version_wrote() {
    let server = TestServer::start().await;
    let browser = server.browser();
    server.party("client").code_in(&browser).await;
    let consent = documents(&server, DocumentKind::Consent).await.pop().expect("a consent");
    let id = consent.id.clone();
    let server = written_later(&server, consent, |body| body["a_later_member"] = json!("kept")).await;
    server.party("client").with_scope("openid profile").code_in(&browser.at(&server)).await;
    let consent = document(&server, DocumentKind::Consent, &id).await;
    assert_eq!((&body(&consent)["a_later_member"], consent.revision > 2), (&json!("kept"), true));
}

#[tokio::test]
async fn e_23_a_value_that_only_a_later_version_knows_refuses_one_object() {
    let server = TestServer::start().await;
    let client = document(&server, DocumentKind::Client, "other").await;
    let server = written_later(&server, client, |body| {
        body["token_endpoint_auth_method"] = json!("a_later_method");
    })
    .await;
    // By itself it is refused, wherever it is asked for.
    let answer = server.party("other").client_credentials("").await;
    assert!(answer.status.is_server_error(), "{} {}", answer.status, answer.text());
    assert!(answer.json()["error"].is_string() && !answer.header("x-trace-id").is_empty());
    let administrator = server.administrator().await;
    assert!(administrator.get("/clients/other").await.status.is_server_error());
    // Everything else goes on.
    let listed = administrator.get("/servers/default/clients?limit=100").await.expect(200).text();
    assert!(listed.contains("\"client\"") && !listed.contains("a_later_method"), "{listed}");
    server.party("client").tokens().await;
}

#[tokio::test]
async fn e_23_a_key_of_a_later_algorithm_stops_no_other_key() {
    let server = TestServer::start().await;
    let published = server.get("/default/default/.well-known/jwks.json").await.expect(200).json();
    let key = documents(&server, DocumentKind::Key).await;
    let key = key.into_iter().find(|key| key.parent.as_deref() == Some("default")).expect("a key");
    let later = Document { id: "later".to_owned(), revision: 0, ..key };
    let write = Write::PutDocument { document: later, expect: Expect::Absent };
    let batch = Batch { writes: vec![write], events: Vec::new() };
    server.store().commit(&TenantId::new("default"), batch).await.unwrap();
    let later = document(&server, DocumentKind::Key, "later").await;
    let server = written_later(&server, later, |body| body["alg"] = json!("ML-DSA-44")).await;
    let now = server.get("/default/default/.well-known/jwks.json").await.expect(200).json();
    assert_eq!(now, published);
    server.party("client").tokens().await;
}

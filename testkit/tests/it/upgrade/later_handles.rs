//! Members of artifacts and grants that a later version wrote (E7): this one carries them on wherever it writes the row
//! again, or what descends from it.

use std::sync::Arc;
use std::time::Duration;

use protocol::grant_record::GrantRecord;
use protocol::id::TenantId;
use protocol::record::{Artifact, ArtifactKind, Expect, Found, HandleHash, Lookup, Write};
use serde_json::{Value, json};
use store::Batch;
use testkit::TestServer;

const CODE: ArtifactKind = ArtifactKind::AuthorizationCode;
const REFRESH: ArtifactKind = ArtifactKind::RefreshToken;

async fn row(server: &TestServer, kind: ArtifactKind, handle: &str) -> (Artifact, Option<Arc<GrantRecord>>) {
    let lookup = [Lookup::Artifact(kind, HandleHash::of(handle))];
    match server.store().load(&TenantId::new("default"), &lookup).await.unwrap().pop() {
        Some(Found::Artifact(Some(artifact), grant)) => (artifact, grant),
        other => panic!("{kind:?}: {other:?}"),
    }
}

fn later() -> Value {
    json!({"deep": ["x"], "on": true})
}

/// Changes an artifact and its grant as a later version would.
async fn write_later(server: &TestServer, kind: ArtifactKind, handle: &str) {
    let (artifact, grant) = row(server, kind, handle).await;
    let mut body: Value = serde_json::from_str(&artifact.body).unwrap();
    body["a_later_member"] = later();
    let expect = Expect::Revision(artifact.revision);
    let artifact = Artifact { body: body.to_string(), ..artifact };
    let mut writes = vec![Write::PutArtifact { artifact, expect }];
    if let Some(grant) = grant {
        let mut body = serde_json::to_value(&grant.body).unwrap();
        body["a_later_member"] = later();
        body["subject"]["a_later_member"] = later();
        let body = serde_json::from_value(body).unwrap();
        let expect = Expect::Revision(grant.revision);
        writes.push(Write::PutGrant { grant: GrantRecord { body, ..(*grant).clone() }, expect });
    }
    server.store().commit(&TenantId::new("default"), Batch { writes, events: Vec::new() }).await.unwrap();
}

/// That the row was written since, and still says what the later version wrote; so does its grant.
async fn assert_kept(server: &TestServer, kind: ArtifactKind, handle: &str) -> Artifact {
    let (artifact, grant) = row(server, kind, handle).await;
    let body: Value = serde_json::from_str(&artifact.body).unwrap();
    assert_eq!(body["a_later_member"], later(), "{kind:?} {body}");
    if let Some(grant) = grant {
        let body = serde_json::to_value(&grant.body).unwrap();
        assert!(grant.revision > 2, "the grant of {kind:?} was written");
        assert_eq!(body["a_later_member"], later(), "the grant of {kind:?} {body}");
        assert_eq!(body["subject"]["a_later_member"], later(), "the grant of {kind:?} {body}");
    }
    artifact
}

#[tokio::test]
async fn e_07_a_family_carries_on_what_a_later_version_wrote() {
    let server = TestServer::start().await;
    let party = server.party("client").with_scope("openid offline_access");
    let first = party.tokens().await;
    write_later(&server, REFRESH, first.refresh_token()).await;
    // Long after, so that the grant is prolonged.
    server.clock().advance(Duration::from_secs(24 * 3600));
    let second = party.refresh(first.refresh_token()).await.expect(200).json();
    let second = second["refresh_token"].as_str().unwrap();
    assert!(assert_kept(&server, REFRESH, first.refresh_token()).await.revision > 2, "rotated");
    assert_kept(&server, REFRESH, second).await;
}

#[tokio::test]
async fn e_07_a_used_code_keeps_what_a_later_version_wrote() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let code = party.code().await;
    write_later(&server, CODE, &code).await;
    party.redeem(&code).await.expect(200);
    let (used, _) = row(&server, CODE, &code).await;
    let body: Value = serde_json::from_str(&used.body).unwrap();
    assert!(used.revision > 2 && body["used_at"].is_number(), "{body}");
    assert_eq!(body["a_later_member"], later(), "{body}");
}

#[tokio::test]
async fn e_07_a_login_and_its_session_keep_what_a_later_version_wrote() {
    let server = TestServer::start().await;
    let (party, browser) = (server.party("client"), server.browser());
    let login = browser.open(&party.authorize_url(&[])).await;
    let action = login.form("login-form").action;
    let login_id = action.query_pairs().find(|(name, _)| name == "login_id").unwrap().1.into_owned();
    write_later(&server, ArtifactKind::Interaction, &login_id).await;
    let consent = browser.log_in(&login).await;
    let there = assert_kept(&server, ArtifactKind::Interaction, &login_id).await;
    assert!(there.revision > 2, "the login went on");

    let session = browser.cookie("__Host-postern-session-default+default").expect("a session");
    write_later(&server, ArtifactKind::Session, &session).await;
    server.clock().advance(Duration::from_secs(120));
    browser.allow(&consent).await;
    party.code_in(&browser).await;
    assert!(assert_kept(&server, ArtifactKind::Session, &session).await.revision > 2, "its use was noted");
    assert_kept(&server, ArtifactKind::Interaction, &login_id).await;
}

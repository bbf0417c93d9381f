//! What a node remembers of tokens never outlives a revocation (decisions 8).

use std::time::Duration;

use jose::Algorithm;
use protocol::id::{ServerId, TenantId};
use protocol::key::KeyAlgorithm;
use testkit::{RelyingParty, TestServer, Tokens, header};

fn client(server: &TestServer) -> RelyingParty {
    server.party("client").with_scope("openid email offline_access")
}

/// Tokens that the node knows by heart.
async fn known_tokens(server: &TestServer) -> Tokens {
    let tokens = client(server).tokens().await;
    remember(server, &tokens).await;
    tokens
}

async fn remember(server: &TestServer, tokens: &Tokens) {
    for _ in 0..2 {
        assert!(client(server).is_active(tokens.access_token()).await);
        client(server).userinfo(tokens.access_token()).await.expect(200);
    }
}

async fn counts_for_nothing(server: &TestServer, tokens: &Tokens) {
    assert!(!client(server).is_active(tokens.access_token()).await);
    client(server).userinfo(tokens.access_token()).await.expect_error(401, "invalid_token");
}

#[tokio::test]
async fn decisions_8_a_known_token_is_revoked_at_once_where_it_is_revoked() {
    let server = TestServer::start().await;
    let tokens = known_tokens(&server).await;
    client(&server).revoke(tokens.access_token()).await.expect(200);
    counts_for_nothing(&server, &tokens).await;

    let tokens = known_tokens(&server).await;
    client(&server).revoke(tokens.refresh_token()).await.expect(200);
    counts_for_nothing(&server, &tokens).await;

    // RTK-03: a replay ends the family, known or not.
    let tokens = known_tokens(&server).await;
    let next = client(&server).refresh(tokens.refresh_token()).await.expect(200).json();
    client(&server).refresh(next["refresh_token"].as_str().unwrap()).await.expect(200);
    client(&server).refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    counts_for_nothing(&server, &tokens).await;
}

#[tokio::test]
async fn decisions_8_a_known_token_is_revoked_on_every_node_within_a_second() {
    let one = TestServer::on_sqlite().await;
    let two = one.restart();
    let tokens = known_tokens(&one).await;
    remember(&two, &tokens).await;
    client(&two).revoke(tokens.refresh_token()).await.expect(200);
    counts_for_nothing(&two, &tokens).await;
    one.clock().advance(Duration::from_secs(1));
    counts_for_nothing(&one, &tokens).await;
}

#[tokio::test]
async fn a_known_token_expires_to_the_second() {
    let server = TestServer::start().await;
    let tokens = known_tokens(&server).await;
    server.clock().advance(Duration::from_secs(3601));
    counts_for_nothing(&server, &tokens).await;
}

#[tokio::test]
async fn a_signature_is_remembered_no_longer_than_its_key() {
    let server = TestServer::start().await;
    let tokens = known_tokens(&server).await;
    let (tenant, workspace) = (TenantId::new("default"), ServerId::new("default"));
    let kid = header(tokens.access_token())["kid"].as_str().unwrap().to_owned();
    let engine = server.engine();
    let algorithm = KeyAlgorithm::Signature(Algorithm::ES256);
    engine.rotate_key(&tenant, &workspace, algorithm, &engine::Call::default()).await.unwrap();
    remember(&server, &tokens).await;
    engine.revoke_key(&tenant, &workspace, &kid, &engine::Call::default()).await.unwrap();
    counts_for_nothing(&server, &tokens).await;
}

#[tokio::test]
async fn a_grant_that_was_prolonged_is_not_remembered_as_over() {
    let server = TestServer::start().await;
    let tokens = known_tokens(&server).await;
    // Shortly before the end of the grant, which is that of its refresh token.
    server.clock().advance(Duration::from_secs(30 * 24 * 3600 - 60));
    let next = client(&server).refresh(tokens.refresh_token()).await.expect(200).json();
    let access_token = next["access_token"].as_str().unwrap();
    assert!(client(&server).is_active(access_token).await);
    server.clock().advance(Duration::from_secs(120));
    assert!(client(&server).is_active(access_token).await);
}

//! Authorization codes and PKCE at the token endpoint.

use std::collections::BTreeSet;
use std::time::Duration;

use testkit::{REDIRECT_URI, RelyingParty, TestServer, Tokens, VERIFIER, s256};

const OTHER_VERIFIER: &str = "another-verifier-another-verifier-another-verifier";

fn app(server: &TestServer) -> RelyingParty {
    server.party("app").with_scope("openid offline_access")
}

#[tokio::test]
async fn cod_02_a_second_use_within_a_second_is_refused_and_revokes_nothing() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    let tokens = Tokens(app.redeem(&code).await.expect(200).json());
    server.clock().advance(Duration::from_millis(700));
    app.redeem(&code).await.expect_error(400, "invalid_grant");
    app.userinfo(tokens.access_token()).await.expect(200);
    app.refresh(tokens.refresh_token()).await.expect(200);
}

#[tokio::test]
async fn cod_03_cod_04_a_later_replay_revokes_access_and_refresh_token() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    let tokens = Tokens(app.redeem(&code).await.expect(200).json());
    server.clock().advance(Duration::from_millis(900));
    app.redeem(&code).await.expect_error(400, "invalid_grant");
    app.userinfo(tokens.access_token()).await.expect(401);
    app.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn cod_03_a_quick_replay_without_the_verifier_revokes_too() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    let tokens = Tokens(app.redeem(&code).await.expect(200).json());
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", OTHER_VERIFIER),
    ];
    app.token(&fields).await.expect_error(400, "invalid_grant");
    app.userinfo(tokens.access_token()).await.expect(401);
    app.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn cod_03_a_quick_replay_by_another_client_revokes_too() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    let tokens = Tokens(app.redeem(&code).await.expect(200).json());
    server.party("other-app").redeem(&code).await.expect_error(400, "invalid_grant");
    app.userinfo(tokens.access_token()).await.expect(401);
}

#[tokio::test]
async fn a_code_lives_ten_minutes_and_no_longer() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    server.clock().advance(Duration::from_secs(599));
    app.redeem(&code).await.expect(200);
    let code = app.code().await;
    server.clock().advance(Duration::from_secs(601));
    app.redeem(&code).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn cod_08_the_redirect_uri_must_be_the_one_of_the_request() {
    let server = TestServer::start().await;
    let app = app(&server);
    for wrong in [
        "https://example.com/callback/",
        "https://example.com/Callback",
        "https://example.com/callback?",
        "https://example.com/other",
        "https://evil.example/callback",
        "",
    ] {
        let code = app.code().await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", wrong),
            ("code_verifier", VERIFIER),
        ];
        app.token(&fields).await.expect_error(400, "invalid_grant");
    }
    let code = app.code().await;
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    app.token(&fields).await.expect(400);
}

#[tokio::test]
async fn cod_11_cod_12_kinds_do_not_mix() {
    let server = TestServer::start().await;
    let app = app(&server);
    let browser = server.browser();
    let page = browser.open(&app.authorize_url(&[])).await;
    let login_id = page
        .form("login-form")
        .action
        .query_pairs()
        .find(|(name, _)| name == "login_id")
        .map(|(_, value)| value.into_owned())
        .expect("login_id");
    let tokens = app.tokens_in(&browser).await;
    let session = browser.cookie("__Host-postern-session-default+default").expect("a session");
    // Nothing else is a code …
    for wrong in [&login_id, &session, tokens.refresh_token(), tokens.access_token(), tokens.id_token()] {
        app.redeem(wrong).await.expect_error(400, "invalid_grant");
    }
    // … and a code is nothing else.
    let code = app.code().await;
    app.refresh(&code).await.expect_error(400, "invalid_grant");
    app.userinfo(&code).await.expect(401);
    assert!(!server.party("client").is_active(&code).await);
    app.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn cod_15_codes_are_43_characters_of_256_random_bits() {
    let server = TestServer::start().await;
    let app = app(&server);
    let browser = server.browser();
    let mut seen = BTreeSet::new();
    let mut positions = vec![BTreeSet::new(); 43];
    for _ in 0..50 {
        let code = app.code_in(&browser).await;
        assert_eq!(code.len(), 43);
        for (position, byte) in code.bytes().enumerate() {
            assert!(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_', "{code}");
            positions[position].insert(byte);
        }
        assert!(seen.insert(code));
    }
    // The last character of 256 bits holds four of them; every other position takes many values.
    assert!(positions[..42].iter().all(|values| values.len() > 8), "every position varies");
}

#[tokio::test]
async fn cod_16_the_code_twice_is_refused() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    let mut fields = app.redemption(&code).to_vec();
    fields.push(("code", &code));
    app.token(&fields).await.expect_error(400, "invalid_request");
    app.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn cod_17_a_code_is_worth_nothing_in_another_workspace_or_tenant() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    for (workspace, client) in [("/default/second", "second-app"), ("/acme/default", "app")] {
        let elsewhere = server.party_at(workspace, client, None);
        elsewhere.redeem(&code).await.expect_error(400, "invalid_grant");
    }
    app.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn another_clients_attempt_does_not_use_up_a_fresh_code() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    server.party("other-app").redeem(&code).await.expect_error(400, "invalid_grant");
    app.redeem(&code).await.expect(200);
}

/// Redeems with a verifier of choice, in a request whose challenge was of [`VERIFIER`].
async fn redeem_with(app: &RelyingParty, verifier: &str) -> testkit::Answer {
    let code = app.code().await;
    let mut fields =
        vec![("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT_URI)];
    if !verifier.is_empty() {
        fields.push(("code_verifier", verifier));
    }
    app.token(&fields).await
}

#[tokio::test]
async fn pkc_03_a_missing_verifier_is_refused() {
    let server = TestServer::start().await;
    redeem_with(&app(&server), "").await.expect(400);
}

#[tokio::test]
async fn pkc_05_pkc_06_pkc_13_to_16_only_the_exact_verifier_counts() {
    let server = TestServer::start().await;
    let app = app(&server);
    let challenge = s256(VERIFIER);
    let short = "a".repeat(42);
    let long = "a".repeat(129);
    let padded = format!("{VERIFIER}=");
    let spaced = format!(" {VERIFIER} ");
    let line = format!("{VERIFIER}\n");
    let shorter = &VERIFIER[..VERIFIER.len() - 1];
    let upper = VERIFIER.to_ascii_uppercase();
    let foreign = "é".repeat(43);
    let huge = "a".repeat(4096);
    for (verifier, error) in [
        (OTHER_VERIFIER, "invalid_grant"),
        (challenge.as_str(), "invalid_grant"),
        (upper.as_str(), "invalid_grant"),
        (short.as_str(), "invalid_grant"),
        (long.as_str(), "invalid_grant"),
        (padded.as_str(), "invalid_grant"),
        (spaced.as_str(), "invalid_grant"),
        (line.as_str(), "invalid_grant"),
        (shorter, "invalid_grant"),
        (foreign.as_str(), "invalid_grant"),
    ] {
        redeem_with(&app, verifier).await.expect_error(400, error);
    }
    redeem_with(&app, &huge).await.expect(400);
    redeem_with(&app, VERIFIER).await.expect(200);
}

#[tokio::test]
async fn pkc_07_a_stripped_challenge_is_noticed_when_the_verifier_comes() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let url = client.authorize_url(&[("code_challenge", ""), ("code_challenge_method", "")]);
    let answer = server.browser().authorize(&url).await;
    let code = answer.response_parameter("code").expect("a confidential client may leave PKCE out");
    client.redeem(&code).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn pkc_17_a_code_injected_into_another_session_needs_that_sessions_verifier() {
    let server = TestServer::start().await;
    let app = app(&server);
    let challenge = s256(OTHER_VERIFIER);
    let victims = app.code_with(&server.browser(), &[("code_challenge", &challenge)]).await;
    // The attacker's client session sends its own verifier.
    app.redeem(&victims).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn pkc_18_the_verifier_twice_is_refused() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    let mut fields = app.redemption(&code).to_vec();
    fields.push(("code_verifier", VERIFIER));
    app.token(&fields).await.expect_error(400, "invalid_request");
}

#[tokio::test]
async fn pkc_19_a_made_up_secret_does_not_replace_pkce() {
    let server = TestServer::start().await;
    let app = app(&server);
    let code = app.code().await;
    let fields =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT_URI)];
    let ask = testkit::Ask::form("/default/default/oauth2/token", &fields).basic("app", "made-up");
    server.send(ask).await.expect_error(401, "invalid_client");
    let mut with_secret = fields.to_vec();
    with_secret.extend([("client_id", "app"), ("client_secret", "made-up")]);
    let answer = server.send(testkit::Ask::form("/default/default/oauth2/token", &with_secret)).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    app.redeem(&code).await.expect(200);
}

//! DPoP (RFC 9449) where tokens are issued: attacks DPO-* and modules `fapi2-security-profile-final-…`.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Ask, DpopKey, RelyingParty, TestServer, Tokens, VERIFIER, claims, s256};

const SCOPE: &str = "openid profile offline_access";

fn party(server: &TestServer, id: &str, key: &DpopKey) -> RelyingParty {
    server.party(id).with_scope(SCOPE).with_dpop(key)
}

/// Changes members of a client.
async fn change(server: &TestServer, client: &str, members: Value) {
    server.administrator().await.change(&format!("/clients/{client}"), &members).await;
}

async fn nonces(server: &TestServer) {
    let settings = json!({"dpop_nonce_required": true});
    server.administrator().await.change("/servers/default", &settings).await;
}

/// A pushed request with changes to its parameters and its headers.
fn push(party: &RelyingParty, more: &[(&str, &str)]) -> Ask {
    let challenge = s256(VERIFIER);
    let mut fields = vec![
        ("scope", party.scope.as_str()),
        ("redirect_uri", party.redirect_uri.as_str()),
        ("response_type", "code"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    fields.extend(more);
    party.without_proof("/par", &fields)
}

async fn code_of(server: &TestServer, party: &RelyingParty, pushed: Answer) -> String {
    let uri = pushed.expect(201).json()["request_uri"].as_str().unwrap().to_owned();
    let fields = [("client_id", party.client_id.as_str()), ("request_uri", uri.as_str())];
    let url = party.path(&format!("/oauth2/authorize?{}", testkit::urlencoded(&fields)));
    server.browser().authorize(&url).await.response_parameter("code").expect("a code")
}

/// MCP line 11: the `dpop()` hook of the TypeScript client, for a public client with `resource`.
#[tokio::test]
async fn mcp_11_dpo_18_tokens_are_bound_and_everybody_can_see_it() {
    let server = TestServer::start().await;
    for id in ["app", "client"] {
        let key = DpopKey::new(&server);
        let party = party(&server, id, &key);
        let answer = party.redeem(&party.code().await).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.json()["token_type"], "DPoP", "{id}");
        let tokens = Tokens(answer.json());
        assert_eq!(claims(tokens.access_token())["cnf"], json!({"jkt": key.jkt()}));
        assert!(claims(tokens.id_token()).get("cnf").is_none());
        party.userinfo(tokens.access_token()).await.expect(200);
        let info = server.party("service").introspect(tokens.access_token()).await;
        assert_eq!((&info["token_type"], &info["cnf"]), (&json!("DPoP"), &json!({"jkt": key.jkt()})));
        let refreshed = Tokens(party.refresh(tokens.refresh_token()).await.expect(200).json());
        assert_eq!(refreshed.0["token_type"], "DPoP");
        party.userinfo(refreshed.access_token()).await.expect(200);
    }
    // Without a proof everything is as before.
    let tokens = server.party("app").tokens().await;
    assert_eq!(tokens.0["token_type"], "bearer");
    assert!(claims(tokens.access_token()).get("cnf").is_none());
}

#[tokio::test]
async fn dpo_18_opaque_tokens_are_bound_too() {
    let server = TestServer::start().await;
    server
        .administrator()
        .await
        .change("/servers/default", &json!({"access_token_strategy": "opaque"}))
        .await;
    let key = DpopKey::new(&server);
    let party = party(&server, "client", &key);
    let tokens = party.tokens().await;
    assert_eq!(tokens.0["token_type"], "DPoP");
    assert_eq!(party.introspect(tokens.access_token()).await["cnf"]["jkt"], key.jkt().as_str());
    party.userinfo(tokens.access_token()).await.expect(200);
    server.party("client").userinfo(tokens.access_token()).await.expect(401);
}

#[tokio::test]
async fn rfc9449_5_1_discovery_and_registration() {
    let server = TestServer::start().await;
    let document = server.get("/default/default/.well-known/openid-configuration").await.json();
    let algorithms = document["dpop_signing_alg_values_supported"].as_array().unwrap();
    for alg in ["ES256", "PS256", "EdDSA", "RS256"] {
        assert!(algorithms.contains(&json!(alg)), "{alg}");
    }
    assert!(!algorithms.iter().any(|alg| alg == "none" || alg.as_str().unwrap().starts_with("HS")));
    let administrator = server.administrator().await;
    let open = json!({"dynamic_client_registration": {"enabled": true}});
    administrator.change("/servers/default", &open).await;
    let metadata = json!({
        "redirect_uris": [testkit::REDIRECT_URI], "token_endpoint_auth_method": "none",
        "dpop_bound_access_tokens": true,
    });
    let path = "/default/default/oauth2/register";
    let made = server.send(Ask::json(Method::POST, path, &metadata)).await.expect(201).json();
    assert_eq!(made["dpop_bound_access_tokens"], true);
    let id = made["client_id"].as_str().unwrap();
    let client = server.party_at("/default/default", id, None);
    let answer = client.redeem(&client.code().await).await;
    answer.expect_error(400, "invalid_dpop_proof");
    let client = client.with_dpop(&DpopKey::new(&server));
    client.redeem(&client.code().await).await.expect(200);
    // A strict profile leaves fewer algorithms.
    let strict = json!({"id": "strict", "name": "Strict", "profile": "fapi_20_security"});
    administrator.post("/servers", &strict).await.expect(201);
    let document = server.get("/default/strict/.well-known/openid-configuration").await.json();
    let mut algorithms = document["dpop_signing_alg_values_supported"].as_array().unwrap().clone();
    algorithms.sort_by_key(Value::to_string);
    assert_eq!(algorithms, [json!("ES256"), json!("EdDSA"), json!("PS256")]);
}

/// RFC 9449 §5.2, for every grant: a client that must bind its tokens gets none without a proof.
#[tokio::test]
async fn dpop_bound_access_tokens_holds_for_every_grant() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let mut document = administrator.get("/servers/default").await.expect(200).json();
    for more in ["password", "implicit"] {
        document["grant_types"].as_array_mut().unwrap().push(json!(more));
    }
    administrator.put("/servers/default", &document).await.expect(200);
    let grants = [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ];
    let responses = ["code", "code id_token", "code token"];
    let bound = json!({"grant_types": grants, "response_types": responses, "dpop_bound_access_tokens": true});
    change(&server, "client", bound).await;
    let key = DpopKey::new(&server);
    let bound = party(&server, "client", &key);
    let bare = server.party("client").with_scope(SCOPE);
    let code = bare.code().await;
    bare.redeem(&code).await.expect_error(400, "invalid_dpop_proof");
    let tokens = Tokens(bound.redeem(&code).await.expect(200).json());
    bare.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_dpop_proof");
    for grant in &grants[2..] {
        let answer = bare.token(&[("grant_type", grant), ("username", "user"), ("password", "user")]).await;
        answer.expect_error(400, "invalid_dpop_proof");
    }
    let answer = bound.client_credentials("").await.expect(200).json();
    assert_eq!(claims(answer["access_token"].as_str().unwrap())["cnf"]["jkt"], key.jkt().as_str());
    let fields =
        [("grant_type", "password"), ("username", "user"), ("password", "user"), ("scope", "openid")];
    assert_eq!(bound.token(&fields).await.expect(200).json()["token_type"], "DPoP");
    let url = bare.authorize_url(&[("response_type", "code token"), ("nonce", "n")]);
    let refused = server.browser().open(&url).await;
    assert_eq!(refused.response_parameter("error").as_deref(), Some("unauthorized_client"));
}

#[tokio::test]
async fn rfc8628_a_device_binds_its_tokens() {
    let server = TestServer::start().await;
    let (key, thief) = (DpopKey::new(&server), DpopKey::new(&server));
    let tv = party(&server, "tv", &key);
    let begun = server.send(tv.authenticated("/device/authorization", &[("scope", SCOPE)])).await.expect(200);
    let begun = begun.json();
    let code = begun["device_code"].as_str().unwrap().to_owned();
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    let fields = [grant, ("device_code", code.as_str())];
    tv.token(&fields).await.expect_error(400, "authorization_pending");
    let browser = server.browser();
    let page = browser.open(begun["verification_uri_complete"].as_str().unwrap()).await;
    let page = browser.log_in(&page).await;
    browser.submit(&page.form("device-confirm-form").with("decision", "allow")).await;
    server.clock().advance(Duration::from_secs(60));
    let tokens = Tokens(tv.token(&fields).await.expect(200).json());
    assert_eq!(claims(tokens.access_token())["cnf"]["jkt"], key.jkt().as_str());
    // A device is a public client: its refresh token is bound too.
    let stolen = party(&server, "tv", &thief).refresh(tokens.refresh_token()).await;
    stolen.expect_error(400, "invalid_grant");
    tv.refresh(tokens.refresh_token()).await.expect(200);
}

#[tokio::test]
async fn dpo_15_a_stolen_refresh_token_of_a_public_client_is_worth_nothing() {
    let server = TestServer::start().await;
    let (key, thief) = (DpopKey::new(&server), DpopKey::new(&server));
    let app = party(&server, "app", &key);
    let first = app.tokens().await;
    let stolen = party(&server, "app", &thief).refresh(first.refresh_token()).await;
    stolen.expect_error(400, "invalid_grant");
    server.party("app").refresh(first.refresh_token()).await.expect_error(400, "invalid_dpop_proof");
    // Settled points: a retry gets the same successor, as long as it comes with the same key.
    let second = Tokens(app.refresh(first.refresh_token()).await.expect(200).json());
    let again = Tokens(app.refresh(first.refresh_token()).await.expect(200).json());
    assert_eq!(second.refresh_token(), again.refresh_token());
    party(&server, "app", &thief).refresh(first.refresh_token()).await.expect_error(400, "invalid_grant");
    app.userinfo(again.access_token()).await.expect(200);
    app.refresh(second.refresh_token()).await.expect(200);
}

/// `fapi2-security-profile-final-refresh-token`.
#[tokio::test]
async fn fapi2_refresh_token_of_a_confidential_client_goes_with_a_brand_new_key() {
    let server = TestServer::start().await;
    let strict = json!({"refresh_token_retry_window": "60s"});
    server.administrator().await.change("/servers/default", &strict).await;
    change(&server, "client", json!({"dpop_bound_access_tokens": true})).await;
    let client = party(&server, "client", &DpopKey::new(&server));
    let tokens = client.tokens().await;
    let fresh = party(&server, "client", &DpopKey::new(&server));
    let answer = fresh.refresh(tokens.refresh_token()).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let next = Tokens(answer.json());
    fresh.userinfo(next.access_token()).await.expect(200);
    client.userinfo(next.access_token()).await.expect(401);
    // "The previous refresh token must still work 30 s later."
    server.clock().advance(Duration::from_secs(30));
    let again = Tokens(fresh.refresh(tokens.refresh_token()).await.expect(200).json());
    assert_eq!(next.refresh_token(), again.refresh_token());
    let fields = [("grant_type", "refresh_token"), ("refresh_token", next.refresh_token())];
    server.send(client.without_proof("/oauth2/token", &fields)).await.expect_error(400, "invalid_dpop_proof");
    let mut nobody = fresh.clone();
    nobody.secret = None;
    let answer = nobody.refresh(next.refresh_token()).await;
    assert!([400, 401].contains(&answer.status.as_u16()), "{}", answer.status);
    let other = party(&server, "other", &DpopKey::new(&server));
    other.refresh(next.refresh_token()).await.expect_error(400, "invalid_grant");
    fresh.refresh(next.refresh_token()).await.expect(200);
}

/// `…-dpopproof-with-iat-10seconds-before-succeeds`, `…-after-succeeds`, `…-check-dpop-proof-nbf-exp`.
// shows: fapi2-check-dpop-proof-nbf-exp, fapi2-dpopproof-with-iat-10seconds-before-succeeds
// shows: fapi2-dpopproof-with-iat-10seconds-after-succeeds
#[tokio::test]
async fn fapi2_dpop_proof_iat_nbf_and_exp_at_par_token_and_resource() {
    let server = TestServer::start().await;
    let key = DpopKey::new(&server);
    let client = server.party("client").with_dpop(&key);
    let now = server.engine().now().seconds();
    for moved in [-10, 8] {
        let proof = |method: &str, path: &str| {
            let proof = key.proof(method, &client.path(path)).moved(moved);
            proof.claim("nbf", json!(now - 10)).claim("exp", json!(now + 60))
        };
        let pushed = server.send(push(&client, &[]).proof(&proof("POST", "/par"))).await;
        let code = code_of(&server, &client, pushed).await;
        let ask = client.without_proof("/oauth2/token", &client.redemption(&code));
        let tokens = Tokens(server.send(ask.proof(&proof("POST", "/oauth2/token"))).await.expect(200).json());
        let token = tokens.access_token();
        let ask = Ask::get("/default/default/userinfo").header("authorization", &format!("DPoP {token}"));
        server.send(ask.proof(&proof("GET", "/userinfo").of_token(token))).await.expect(200);
    }
    for moved in [-3600, 3600] {
        let proof = key.proof("POST", "/default/default/par").moved(moved);
        server.send(push(&client, &[]).proof(&proof)).await.expect_error(400, "invalid_dpop_proof");
        let ask = client.without_proof("/oauth2/token", &[("grant_type", "client_credentials")]);
        let proof = key.proof("POST", "/default/default/oauth2/token").moved(moved);
        server.send(ask.proof(&proof)).await.expect_error(400, "invalid_dpop_proof");
    }
}

/// `…-mismatched-dpop-jkt-fails`, `…-token-endpoint-fails-with-mismatched-dpop-proof-jkt`, `…-mismatched-dpop-jkt`,
/// `…-dpopproof-at-par-endpoint-binding-success`, `…-dpop-auth-code-binding-success`.
// shows: fapi2-mismatched-dpop-jkt-fails, fapi2-token-endpoint-fails-with-mismatched-dpop-proof-jkt
// shows: fapi2-mismatched-dpop-jkt, fapi2-dpopproof-at-par-endpoint-binding-success
// shows: fapi2-dpop-auth-code-binding-success
#[tokio::test]
async fn dpo_16_fapi2_codes_are_bound_by_dpop_jkt_or_by_a_proof_at_par() {
    let server = TestServer::start().await;
    let (key, other) = (DpopKey::new(&server), DpopKey::new(&server));
    let bound = server.party("client").with_dpop(&key);
    let stranger = server.party("client").with_dpop(&other);
    let (jkt, foreign) = (key.jkt(), other.jkt());
    let at_par = || key.proof("POST", "/default/default/par");
    let mismatch = push(&bound, &[("dpop_jkt", &foreign)]).proof(&at_par());
    server.send(mismatch).await.expect_error(400, "invalid_dpop_proof");
    server.send(push(&bound, &[("dpop_jkt", "x")])).await.expect_error(400, "invalid_request");
    let wrong = push(&bound, &[]).proof(&key.proof("POST", "/default/default/oauth2/token"));
    server.send(wrong).await.expect_error(400, "invalid_dpop_proof");
    for ask in [
        push(&bound, &[]).proof(&at_par()),
        push(&bound, &[("dpop_jkt", &jkt)]),
        push(&bound, &[("dpop_jkt", &jkt)]).proof(&at_par()),
    ] {
        let pushed = server.send(ask).await;
        let code = code_of(&server, &bound, pushed).await;
        stranger.redeem(&code).await.expect_error(400, "invalid_grant");
        server.party("client").redeem(&code).await.expect_error(400, "invalid_grant");
        let tokens = Tokens(bound.redeem(&code).await.expect(200).json());
        bound.userinfo(tokens.access_token()).await.expect(200);
    }
    // The parameter of the authorization endpoint itself (RFC 9449 §10).
    let code = bound.code_with(&server.browser(), &[("dpop_jkt", &jkt)]).await;
    stranger.redeem(&code).await.expect_error(400, "invalid_grant");
    bound.redeem(&code).await.expect(200);
    let refused = server.browser().open(&bound.authorize_url(&[("dpop_jkt", "no thumbprint")])).await;
    assert_eq!(refused.response_parameter("error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn dpo_02_to_11_bad_proofs_at_the_token_endpoint() {
    let server = TestServer::start().await;
    let key = DpopKey::new(&server);
    let client = server.party("client");
    let path = "/default/default/oauth2/token";
    let ask = || client.without_proof("/oauth2/token", &[("grant_type", "client_credentials")]);
    let good = || key.proof("POST", path);
    let mut private = serde_json::to_value(key.key.public_jwk()).unwrap();
    private["d"] = json!("AAAA");
    let other = serde_json::to_value(DpopKey::new(&server).key.public_jwk()).unwrap();
    for bad in [
        good().header("typ", json!("JWT")),
        good().header("alg", json!("none")),
        good().header("jwk", json!(null)),
        good().header("jwk", private),
        good().header("jwk", other),
        good().claim("jti", json!(null)),
        good().claim("htm", json!("GET")),
        good().claim("htu", json!(format!("https://evil.example{path}"))),
        good().claim("htu", json!(format!("https://127.0.0.1:8443{path}"))),
        good().claim("iat", json!(null)),
    ] {
        server.send(ask().proof(&bad)).await.expect_error(400, "invalid_dpop_proof");
    }
    let twice = server.send(ask().proof(&good()).proof(&good())).await;
    twice.expect_error(400, "invalid_dpop_proof");
    server.send(ask().header("dpop", "")).await.expect_error(400, "invalid_dpop_proof");
    // DPO-10: once, whatever the first one was answered.
    let proof = good();
    server.send(ask().proof(&proof)).await.expect(200);
    server.send(ask().proof(&proof)).await.expect_error(400, "invalid_dpop_proof");
    let refused = good();
    let wrong = client.without_proof("/oauth2/token", &[("grant_type", "authorization_code"), ("code", "x")]);
    server.send(wrong.proof(&refused)).await.expect_error(400, "invalid_grant");
    server.send(ask().proof(&refused)).await.expect_error(400, "invalid_dpop_proof");
    // By configuration: what the request says of its host does not count.
    let elsewhere = ask().host("127.0.0.1:8443").proof(&good());
    server.send(elsewhere).await.expect(200);
    server
        .send(ask().proof(&good().claim("htu", json!(format!("HTTPS://LOCALHOST:8443{path}?a#b")))))
        .await
        .expect(200);
}

#[tokio::test]
async fn dpo_10_a_used_proof_stays_used_after_a_restart() {
    let server = TestServer::on_sqlite().await;
    let key = DpopKey::new(&server);
    let proof = key.proof("POST", "/default/default/oauth2/token");
    let ask = |server: &TestServer| {
        let client = server.party("client");
        client.without_proof("/oauth2/token", &[("grant_type", "client_credentials")]).proof(&proof)
    };
    server.send(ask(&server)).await.expect(200);
    let restarted = server.restart();
    restarted.send(ask(&restarted)).await.expect_error(400, "invalid_dpop_proof");
}

/// RFC 9449 §8: asked for, given, renewed with each answer.
#[tokio::test]
async fn rfc9449_8_nonces_at_the_token_endpoint_and_at_par() {
    let server = TestServer::start().await;
    nonces(&server).await;
    let key = DpopKey::new(&server);
    let client = server.party("client");
    let ask = || client.without_proof("/oauth2/token", &[("grant_type", "client_credentials")]);
    let proof = || key.proof("POST", "/default/default/oauth2/token");
    let answer = server.send(ask().proof(&proof())).await.expect_error(400, "use_dpop_nonce");
    assert!(answer.header("access-control-expose-headers").contains("dpop-nonce"));
    assert_eq!(answer.header("www-authenticate"), "");
    let nonce = answer.header("dpop-nonce").to_owned();
    let answer = server.send(ask().proof(&proof().claim("nonce", json!(nonce)))).await.expect(200);
    assert_eq!(answer.header("dpop-nonce"), nonce);
    server.send(ask().proof(&proof().claim("nonce", json!("x")))).await.expect_error(400, "use_dpop_nonce");
    server.clock().advance(Duration::from_secs(120));
    let old = server.send(ask().proof(&proof().claim("nonce", json!(nonce)))).await.expect(200);
    assert_ne!(old.header("dpop-nonce"), nonce);
    server.clock().advance(Duration::from_secs(300));
    let gone = server.send(ask().proof(&proof().claim("nonce", json!(nonce)))).await;
    let nonce = gone.expect_error(400, "use_dpop_nonce").header("dpop-nonce").to_owned();
    let at_par = key.proof("POST", "/default/default/par");
    server.send(push(&client, &[]).proof(&at_par)).await.expect_error(400, "use_dpop_nonce");
    let at_par = key.proof("POST", "/default/default/par").claim("nonce", json!(nonce));
    let pushed = server.send(push(&client, &[]).proof(&at_par)).await.expect(201);
    assert!(!pushed.header("dpop-nonce").is_empty());
    // Without a proof nothing is asked for.
    server.send(ask()).await.expect(200);
    // An idempotency key does not hold on to the question.
    let repeatable = || ask().header("x-idempotency-key", &"k".repeat(36));
    server.send(repeatable().proof(&proof())).await.expect_error(400, "use_dpop_nonce");
    server.send(repeatable().proof(&proof().claim("nonce", json!(nonce)))).await.expect(200);
}

/// DPO-13: whoever stole a bound token does not get rid of the binding by exchanging it.
#[tokio::test]
async fn dpo_13_tex_03_a_bound_token_is_not_exchanged_for_a_bearer_token() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    let grants = json!(["authorization_code", "refresh_token", grant]);
    let members = json!({"grant_types": grants, "audience": ["client", "other"]});
    administrator.change("/clients/client", &members).await;
    administrator.change("/clients/other", &json!({"grant_types": grants})).await;
    let (key, new) = (DpopKey::new(&server), DpopKey::new(&server));
    let client = server.party("client").with_dpop(&key);
    let token = client.tokens().await.access_token().to_owned();
    let fields = [
        ("grant_type", grant),
        ("subject_token", token.as_str()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    server.party("client").token(&fields).await.expect_error(400, "invalid_request");
    server.party("other").token(&fields).await.expect_error(400, "invalid_request");
    server.party("client").with_dpop(&new).token(&fields).await.expect_error(400, "invalid_request");
    assert_eq!(client.token(&fields).await.expect(200).json()["token_type"], "DPoP");
    let backend = server.party("other").with_dpop(&new);
    let answer = backend.token(&fields).await.expect(200).json();
    assert_eq!(claims(answer["access_token"].as_str().unwrap())["cnf"]["jkt"], new.jkt().as_str());
}

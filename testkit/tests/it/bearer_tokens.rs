//! Introspection, revocation, userinfo, and forged bearer tokens at all of them.

use std::time::Duration;

use http::Method;
use jose::{Algorithm, SigningKey};
use serde_json::{Value, json};
use testkit::{
    Ask, RelyingParty, SERVICE_SECRET, TestServer, Tokens, claims, header, signer, unsigned, urlencoded,
};

fn app(server: &TestServer) -> RelyingParty {
    server.party("app").with_scope("openid email offline_access")
}

fn client(server: &TestServer) -> RelyingParty {
    server.party("client").with_scope("openid email offline_access")
}

// Introspection (RFC 7662).

#[tokio::test]
async fn introspection_tells_what_a_token_is_worth() {
    let server = TestServer::start().await;
    let client = client(&server);
    let tokens = client.tokens().await;
    let access = claims(tokens.access_token());
    let answer = client.introspect(tokens.access_token()).await;
    assert_eq!(answer["active"], true);
    for member in ["sub", "iss", "exp", "iat", "jti", "aud"] {
        assert_eq!(answer[member], access[member], "{member}");
    }
    assert_eq!(answer["client_id"], "client");
    assert_eq!(answer["scope"].as_str().map(|s| s.split(' ').count()), Some(3), "{answer}");
    assert!(client.is_active(tokens.refresh_token()).await);
    server.clock().advance(Duration::from_secs(3601));
    assert!(!client.is_active(tokens.access_token()).await);
    assert!(client.is_active(tokens.refresh_token()).await);
}

#[tokio::test]
async fn int_02_int_03_introspection_needs_an_authenticated_client() {
    let server = TestServer::start().await;
    let tokens = app(&server).tokens().await;
    let path = "/default/default/oauth2/introspect";
    let fields = [("token", tokens.access_token())];
    server.send(Ask::form(path, &fields)).await.expect_error(401, "invalid_client");
    server.send(Ask::form(path, &fields).basic("client", "wrong")).await.expect_error(401, "invalid_client");
    server.send(Ask::form(path, &fields).bearer(tokens.access_token())).await.expect(401);
    let acme = Ask::form(path, &fields).basic("client", testkit::ACME_SECRET);
    server.send(acme).await.expect_error(401, "invalid_client");
}

#[tokio::test]
async fn int_02_a_client_introspects_its_own_tokens_unless_it_may_more() {
    let server = TestServer::start().await;
    let tokens = app(&server).tokens().await;
    assert!(!server.party("other").is_active(tokens.access_token()).await);
    assert!(server.party("service").is_active(tokens.access_token()).await, "has introspect_tokens");
}

#[tokio::test]
async fn int_06_inactive_answers_are_all_the_same() {
    let server = TestServer::start().await;
    let client = client(&server);
    let other = app(&server).tokens().await;
    let elsewhere = server.party_at("/acme/default", "client", Some(testkit::ACME_SECRET)).tokens().await;
    let second = server.party_at("/default/second", "second-client", Some(SERVICE_SECRET)).tokens().await;
    for token in [
        other.access_token(),
        elsewhere.access_token(),
        second.access_token(),
        "nonsense",
        "a.b.c",
        &"x".repeat(9000),
    ] {
        let ask = client.authenticated("/oauth2/introspect", &[("token", token)]);
        let answer = server.send(ask).await.expect(200);
        assert_eq!(answer.text(), "{\"active\":false}", "{token:.40}");
    }
}

#[tokio::test]
async fn int_07_revocation_is_seen_at_once() {
    let server = TestServer::start().await;
    let client = client(&server);
    let tokens = client.tokens().await;
    assert!(client.is_active(tokens.access_token()).await);
    client.revoke(tokens.access_token()).await.expect(200);
    assert!(!client.is_active(tokens.access_token()).await);
    client.userinfo(tokens.access_token()).await.expect(401);
}

#[tokio::test]
async fn int_08_int_09_int_11_int_12_int_13_how_it_is_asked() {
    let server = TestServer::start().await;
    let client = client(&server);
    let tokens = client.tokens().await;
    let token = tokens.access_token();
    let path = "/default/default/oauth2/introspect";
    let secret = engine::demo::DEMO_CLIENT_SECRET;
    let query = format!("{path}?{}", urlencoded(&[("token", token)]));
    server.send(Ask::get(&query).basic("client", secret)).await.expect(405);
    server.send(Ask::form(&query, &[]).basic("client", secret)).await.expect_error(400, "invalid_request");
    let twice = client.authenticated("/oauth2/introspect", &[("token", token), ("token", token)]);
    server.send(twice).await.expect_error(400, "invalid_request");
    let none = client.authenticated("/oauth2/introspect", &[]);
    server.send(none).await.expect_error(400, "invalid_request");
    let json = Ask::json(Method::POST, path, &json!({"token": token})).basic("client", secret);
    assert!(matches!(server.send(json).await.status.as_u16(), 400 | 415));
    for hint in ["refresh_token", "access_token", "nonsense"] {
        let ask = client.authenticated("/oauth2/introspect", &[("token", token), ("token_type_hint", hint)]);
        let answer = server.send(ask).await.expect(200);
        assert_eq!(answer.json()["active"], true, "a hint is only a hint: {hint}");
        assert!(answer.header("cache-control").contains("no-store"));
    }
}

// Revocation (RFC 7009).

#[tokio::test]
async fn rtk_12_revoking_the_refresh_token_ends_the_whole_grant() {
    let server = TestServer::start().await;
    let app = app(&server);
    let first = app.tokens().await;
    let second = Tokens(app.refresh(first.refresh_token()).await.expect(200).json());
    app.revoke(second.refresh_token()).await.expect(200);
    app.refresh(second.refresh_token()).await.expect_error(400, "invalid_grant");
    app.refresh(first.refresh_token()).await.expect_error(400, "invalid_grant");
    for tokens in [&first, &second] {
        app.userinfo(tokens.access_token()).await.expect(401);
    }
}

#[tokio::test]
async fn revoking_an_old_refresh_token_ends_the_grant_too() {
    let server = TestServer::start().await;
    let app = app(&server);
    let first = app.tokens().await;
    let second = Tokens(app.refresh(first.refresh_token()).await.expect(200).json());
    app.revoke(first.refresh_token()).await.expect(200);
    app.refresh(second.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn revoking_an_access_token_ends_that_token() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    app.revoke(tokens.access_token()).await.expect(200);
    app.userinfo(tokens.access_token()).await.expect(401);
    // A second time is no error (RFC 7009 §2.2).
    app.revoke(tokens.access_token()).await.expect(200);
}

#[tokio::test]
async fn rev_02_a_stranger_revokes_nothing() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    for party in [server.party("other"), server.party("other-app")] {
        for token in [tokens.access_token(), tokens.refresh_token()] {
            party.revoke(token).await.expect(200);
        }
    }
    let acme = server.party_at("/acme/default", "client", Some(testkit::ACME_SECRET));
    acme.revoke(tokens.refresh_token()).await.expect(200);
    app.userinfo(tokens.access_token()).await.expect(200);
    app.refresh(tokens.refresh_token()).await.expect(200);
}

#[tokio::test]
async fn a_client_with_revoke_tokens_revokes_any_token_of_the_workspace() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    server.party("service").revoke(tokens.refresh_token()).await.expect(200);
    app.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn rev_03_rev_05_revocation_needs_a_client_and_a_post() {
    let server = TestServer::start().await;
    let client = client(&server);
    let tokens = client.tokens().await;
    let path = "/default/default/oauth2/revoke";
    let fields = [("token", tokens.refresh_token())];
    server.send(Ask::form(path, &fields)).await.expect_error(401, "invalid_client");
    let named = [fields[0], ("client_id", "client")];
    server.send(Ask::form(path, &named)).await.expect_error(401, "invalid_client");
    let query =
        format!("{path}?{}", urlencoded(&[("token", tokens.refresh_token()), ("client_id", "client")]));
    server.send(Ask::get(&query)).await.expect(405);
    client.refresh(tokens.refresh_token()).await.expect(200);
}

#[tokio::test]
async fn rev_04_unknown_tokens_are_revoked_like_known_ones() {
    let server = TestServer::start().await;
    let client = client(&server);
    let tokens = client.tokens().await;
    let strangers = app(&server).tokens().await;
    let mut answers = Vec::new();
    for token in [tokens.access_token(), strangers.refresh_token(), "nonsense"] {
        let answer = client.revoke(token).await.expect(200);
        answers.push((answer.text(), answer.header("content-type").to_owned()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    client.revoke("").await.expect_error(400, "invalid_request");
}

// Userinfo (OIDC Core §5.3).

#[tokio::test]
async fn userinfo_answers_by_get_by_post_header_and_by_post_body() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    let token = tokens.access_token();
    let get = app.userinfo(token).await.expect(200).json();
    let header = Ask::new(Method::POST, &app.path("/userinfo")).bearer(token);
    let header = server.send(header).await.expect(200).json();
    let body = Ask::form(&app.path("/userinfo"), &[("access_token", token)]);
    let body = server.send(body).await.expect(200).json();
    assert_eq!(get, header);
    assert_eq!(get, body);
    assert_eq!(get["sub"], claims(tokens.id_token())["sub"]);
    assert_eq!(get["email"], "user@example.com");
}

#[tokio::test]
async fn uin_02_uin_08_without_a_token_or_in_the_wrong_place() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    let token = tokens.access_token();
    let path = app.path("/userinfo");
    let missing = server.get(&path).await.expect(401);
    let challenge = missing.header("www-authenticate");
    assert!(challenge.starts_with("Bearer") && !challenge.contains("error="), "RFC 6750 §3: {challenge}");
    let query = format!("{path}?{}", urlencoded(&[("access_token", token)]));
    assert!(server.get(&query).await.status.is_client_error(), "never in the URL (RFC 9700 §4.3.2)");
    let both = Ask::form(&path, &[("access_token", token)]).bearer(token);
    server.send(both).await.expect(400);
    for value in
        ["Bearer", "Bearer ", "Basic eDp5", &format!("Bearer {token} {token}"), &format!("Token {token}")]
    {
        let answer = server.send(Ask::get(&path).header("authorization", value)).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{value:.20}: {}", answer.status);
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        server.send(Ask::new(method, &path).bearer(token)).await.expect(405);
    }
    // The scheme's case does not matter (RFC 9110 §11.1).
    server.send(Ask::get(&path).header("authorization", &format!("bearer {token}"))).await.expect(200);
}

#[tokio::test]
async fn uin_05_a_clients_own_token_is_no_user() {
    let server = TestServer::start().await;
    let client = client(&server);
    let own = client.client_credentials("openid").await;
    let token = match own.status.as_u16() {
        200 => own.json(),
        _ => client.client_credentials("").await.expect(200).json(),
    };
    let answer = client.userinfo(token["access_token"].as_str().unwrap()).await;
    assert!(matches!(answer.status.as_u16(), 401 | 403), "{}", answer.status);
}

#[tokio::test]
async fn uin_06_without_openid_there_is_no_userinfo() {
    let server = TestServer::start().await;
    let app = server.party("app").with_scope("email");
    let tokens = app.tokens().await;
    let answer = app.userinfo(tokens.access_token()).await.expect(403);
    assert!(answer.header("www-authenticate").contains("insufficient_scope"));
}

#[tokio::test]
async fn uin_07_an_expired_token_is_refused_to_the_second() {
    let server = TestServer::start().await;
    let app = app(&server);
    let tokens = app.tokens().await;
    server.clock().advance(Duration::from_secs(3599));
    app.userinfo(tokens.access_token()).await.expect(200);
    server.clock().advance(Duration::from_secs(2));
    let answer = app.userinfo(tokens.access_token()).await.expect(401);
    assert!(answer.header("www-authenticate").contains("invalid_token"));
}

#[tokio::test]
async fn uin_10_cookies_do_not_authorize() {
    let server = TestServer::start().await;
    let app = app(&server);
    let browser = server.browser();
    app.tokens_in(&browser).await;
    browser.load(&app.path("/userinfo")).await.expect(401);
    browser.load("/api/admin/default/clients/app").await.expect(401);
}

#[tokio::test]
async fn uin_11_claims_follow_the_scopes() {
    let server = TestServer::start().await;
    for (scope, present, absent) in [
        ("openid", &["sub"][..], &["email", "name", "phone_number", "address", "birthdate"][..]),
        ("openid email", &["email", "email_verified"], &["name", "phone_number", "address"]),
        ("openid profile", &["name", "given_name", "updated_at", "birthdate"], &["email", "phone_number"]),
        ("openid phone", &["phone_number", "phone_number_verified"], &["email", "name"]),
        ("openid address", &["address"], &["email", "name"]),
    ] {
        let app = server.party("app").with_scope(scope);
        let tokens = app.tokens().await;
        let info = app.userinfo(tokens.access_token()).await.expect(200).json();
        for claim in present {
            assert!(!info[claim].is_null(), "{scope}: {claim} in {info}");
        }
        for claim in absent {
            assert!(info[claim].is_null(), "{scope}: {claim} in {info}");
        }
        assert!(info["password"].is_null() && info["password_hash"].is_null());
    }
}

#[tokio::test]
async fn oidc_core_5_5_single_claims_can_be_asked_for() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let asked = json!({"userinfo": {"nickname": null, "email": {"essential": true}}}).to_string();
    let code = app.code_with(&server.browser(), &[("claims", &asked)]).await;
    let tokens = Tokens(app.redeem(&code).await.expect(200).json());
    let info = app.userinfo(tokens.access_token()).await.expect(200).json();
    assert_eq!(info["nickname"], "Uli");
    assert_eq!(info["email"], "user@example.com");
    assert!(info["birthdate"].is_null());
}

// Forged bearer tokens (JWT): at userinfo, introspection, revocation and the admin API.

async fn nobody_believes(server: &TestServer, forged: &str) {
    let client = client(server);
    let short: String = forged.chars().take(60).collect();
    let userinfo = server.send(Ask::get("/default/default/userinfo").bearer(forged)).await;
    assert_eq!(userinfo.status, 401, "userinfo: {short}");
    let admin = server.send(Ask::get("/api/admin/default/clients/app").bearer(forged)).await;
    assert_eq!(admin.status, 401, "admin: {short}");
    let ask = client.authenticated("/oauth2/introspect", &[("token", forged)]);
    assert_eq!(server.send(ask).await.expect(200).json(), json!({"active": false}), "introspect: {short}");
    client.revoke(forged).await.expect(200);
}

#[tokio::test]
async fn jwt_03_adm_06_an_id_token_is_no_access_token() {
    let server = TestServer::start().await;
    let tokens = client(&server).tokens().await;
    nobody_believes(&server, tokens.id_token()).await;
}

#[tokio::test]
async fn jwt_04_to_07_adm_07_forged_tokens_are_refused() {
    let server = TestServer::start().await;
    let tokens = client(&server).tokens().await;
    let (head, body) = (header(tokens.access_token()), claims(tokens.access_token()));
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        nobody_believes(&server, &unsigned(&json!({"alg": alg, "typ": "at+jwt"}), &body)).await;
    }
    let jwks = server.get("/default/default/.well-known/jwks.json").await.expect(200);
    let kid = head["kid"].as_str().unwrap();
    let published =
        jwks.json()["keys"].as_array().unwrap().iter().find(|k| k["kid"] == kid).cloned().unwrap();
    for secret in
        [jwks.body.to_vec(), published.to_string().into_bytes(), kid.as_bytes().repeat(2), vec![0; 32]]
    {
        let hmac = SigningKey::from_secret(Algorithm::HS256, kid, &secret).unwrap();
        nobody_believes(&server, &hmac.sign_jwt("at+jwt", &body).unwrap()).await;
    }
    let evil = signer(Algorithm::ES256);
    let payload = body.to_string();
    for header in [
        json!({"alg": "ES256", "typ": "at+jwt", "kid": kid}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": evil.public_jwk()}),
        json!({"alg": "ES256", "typ": "at+jwt", "jwk": evil.public_jwk()}),
        json!({"alg": "ES256", "typ": "at+jwt", "jku": "https://evil.example/jwks"}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": "../../dev/null"}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": "0 OR 1=1"}),
        json!({"alg": "ES256", "typ": "at+jwt"}),
    ] {
        nobody_believes(&server, &evil.sign_with_header(&header, payload.as_bytes()).unwrap()).await;
    }
    client(&server).userinfo(tokens.access_token()).await.expect(200);
}

#[tokio::test]
async fn jwt_08_jwt_09_edited_claims_and_empty_signatures() {
    let server = TestServer::start().await;
    let tokens = client(&server).tokens().await;
    let parts: Vec<&str> = tokens.access_token().split('.').collect();
    let edited = |change: fn(&mut Value)| {
        let mut body = claims(tokens.access_token());
        change(&mut body);
        unsigned(&header(tokens.access_token()), &body) + parts[2]
    };
    for forged in [
        edited(|c| c["exp"] = json!(4_000_000_000_i64)),
        edited(|c| c["scp"] = json!(["openid", "admin"])),
        edited(|c| c["aid"] = json!("admin")),
        edited(|c| c["sub"] = json!("somebody")),
        edited(|_| {}),
    ]
    .into_iter()
    .filter(|forged| forged != tokens.access_token())
    {
        nobody_believes(&server, &forged).await;
    }
    let zero = jose::base64url::encode(&[0; 64]);
    for signature in ["", zero.as_str(), &parts[2][..20], &format!("{}A", parts[2])] {
        nobody_believes(&server, &format!("{}.{}.{signature}", parts[0], parts[1])).await;
    }
}

#[tokio::test]
async fn jwt_10_jwt_11_garbage_costs_little_and_breaks_nothing() {
    let server = TestServer::start().await;
    let dots = ".".repeat(10_000);
    let deep = jose::base64url::encode("[".repeat(5_000).as_bytes());
    let nested = format!("{deep}.{deep}.{deep}");
    for garbage in [
        "x",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c.d.e",
        "eyJ.eyJ.x",
        "null.null.null",
        &dots,
        &nested,
        "%00",
        "\u{7f}",
    ] {
        if garbage.bytes().all(|b| (0x21..0x7f).contains(&b)) {
            nobody_believes(&server, garbage).await;
        }
    }
}

#[tokio::test]
async fn adm_04_tokens_of_other_workspaces_and_tenants_do_not_administer() {
    let server = TestServer::start().await;
    let user = client(&server).tokens().await;
    let service = server.party("service").client_credentials("").await.expect(200).json();
    let acme = server.acme_administrator().await;
    let system = server.party_at("/default/system", "system-swagger", Some(engine::demo::DEMO_SECRET));
    let system = system.client_credentials("").await.expect(200).json();
    for token in [
        user.access_token(),
        user.id_token(),
        user.refresh_token(),
        service["access_token"].as_str().unwrap(),
        system["access_token"].as_str().unwrap(),
        &acme.token,
    ] {
        let answer = server.send(Ask::get("/api/admin/default/clients/app").bearer(token)).await;
        assert!(matches!(answer.status.as_u16(), 401 | 403), "{}: {}", answer.status, answer.text());
    }
}

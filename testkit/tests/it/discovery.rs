//! Discovery, keys, cross-origin access, and JSON without nulls.

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Ask, ORIGIN, TestServer, urlencoded, verified};

const SHAPES: [&str; 3] = [
    "/default/default/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/default/default",
    "/.well-known/openid-configuration/default/default",
];

async fn document(server: &TestServer) -> Value {
    server.get(SHAPES[0]).await.expect(200).json()
}

fn list<'a>(document: &'a Value, member: &str) -> Vec<&'a str> {
    document[member].as_array().map(|v| v.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

// shows: mcp-1, mcp-2
#[tokio::test]
async fn discovery_in_all_three_shapes() {
    let server = TestServer::start().await;
    let first = document(&server).await;
    for shape in SHAPES {
        let answer = server.get(shape).await.expect(200);
        assert_eq!(answer.json(), first, "{shape}");
        assert!(answer.header("content-type").starts_with("application/json"));
    }
    assert_eq!(first["issuer"], format!("{ORIGIN}/default/default"));
    for shape in [
        "/nobody/default/.well-known/openid-configuration",
        "/.well-known/openid-configuration/default/nobody",
    ] {
        server.get(shape).await.expect(404);
    }
}

#[tokio::test]
async fn dsc_07_what_discovery_says_is_there_is_there_and_over_https() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    for member in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "introspection_endpoint",
        "revocation_endpoint",
    ] {
        let url = document[member].as_str().unwrap_or_else(|| panic!("{member}"));
        assert!(url.starts_with(&format!("{ORIGIN}/default/default/")), "DSC-07: {member} {url}");
        let answer = server.get(url).await;
        assert!(![404, 500].contains(&answer.status.as_u16()), "{member}: {}", answer.status);
    }
    for grant in list(&document, "grant_types_supported") {
        let answer = server.party("client").token(&[("grant_type", grant)]).await;
        assert_ne!(answer.json()["error"], "unsupported_grant_type", "{grant}");
    }
    for response_type in list(&document, "response_types_supported") {
        let url = server.party("client").authorize_url(&[("response_type", response_type)]);
        let answer = server.browser().load(&url).await;
        assert!(answer.location().path().ends_with("/login"), "{response_type}: {}", answer.location());
    }
}

// shows: mcp-3, mcp-4
#[tokio::test]
async fn dsc_05_dsc_08_dsc_09_dsc_10_nothing_weak_is_advertised() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    for member in document.as_object().unwrap().keys().filter(|name| name.contains("_alg")) {
        assert!(!list(&document, member).iter().any(|alg| alg.eq_ignore_ascii_case("none")), "{member}");
    }
    assert!(list(&document, "id_token_signing_alg_values_supported").contains(&"RS256"), "OIDC Discovery §3");
    assert_eq!(list(&document, "code_challenge_methods_supported"), ["S256"]);
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let grants = list(&document, "grant_types_supported");
    assert!(!grants.contains(&"implicit") && !grants.contains(&"password"), "{grants:?}");
    assert_eq!(list(&document, "response_types_supported"), ["code"]);
}

#[tokio::test]
async fn dsc_03_dsc_04_adm_24_published_keys_are_public_strong_and_distinct() {
    let server = TestServer::start().await;
    for workspace in ["/default/default", "/default/admin", "/acme/default"] {
        let answer = server.get(&format!("{workspace}/.well-known/jwks.json")).await.expect(200);
        assert!(answer.header("cache-control").contains("max-age"), "{:?}", answer.headers);
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        let mut kids = Vec::new();
        for key in &keys {
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert!(key[private].is_null(), "{private} in {key}");
            }
            // Those that one encrypts to fit every algorithm of their kind.
            let pinned = if key["use"] == "sig" { key["alg"].is_string() } else { key["use"] == "enc" };
            assert!(pinned, "{key}");
            assert_ne!(key["kty"], "oct");
            if key["kty"] == "RSA" {
                assert!(key["n"].as_str().unwrap().len() >= 342, "2048 bits or more");
                assert_eq!(key["e"], "AQAB");
            }
            kids.push(key["kid"].as_str().unwrap().to_owned());
        }
        kids.sort();
        kids.dedup();
        assert_eq!(kids.len(), keys.len(), "every kid once");
        let algorithms: Vec<&str> = keys.iter().filter_map(|key| key["alg"].as_str()).collect();
        assert!(algorithms.contains(&"ES256"), "{algorithms:?}");
        // Workspaces of machines make an RSA key when a client asks for one.
        assert!(workspace.ends_with("admin") || algorithms.contains(&"RS256"), "{algorithms:?}");
    }
}

// shows: oidcc-server-rotate-keys
/// As the description of `rotateKey` says: without `key_type` the workspace's own keys alone.
#[tokio::test]
async fn a_rotation_changes_the_keys_of_one_algorithm() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let current = async || {
        let keys = administrator.get("/servers/default/keys").await.expect(200).json();
        let next = keys["next_key"]["kid"].clone();
        let others: Vec<_> =
            keys["other_keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
        (keys["current_key"]["kid"].clone(), next, others)
    };
    let before = current().await;
    administrator.post("/servers/default/keys/rotate", &json!({})).await.expect(200);
    let own = current().await;
    assert_eq!((&own.0, &own.2), (&before.1, &before.2));
    administrator.post("/servers/default/keys/rotate?key_type=rsa", &json!({})).await.expect(200);
    let rsa = current().await;
    assert_eq!((&rsa.0, &rsa.1), (&own.0, &own.1));
    assert_ne!(rsa.2, own.2);
    let description = server.get("/api/swagger/default/openapi.json").await.text();
    assert!(description.contains("those of the workspace's own key_type alone"), "{description:.200}");
}

#[tokio::test]
async fn w_07_rotation_publishes_the_next_key_before_it_signs_and_revocation_is_at_once() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let client = server.party("client");
    let before = client.tokens().await;
    let old_kid = testkit::header(before.access_token())["kid"].clone();
    let published = |server: &TestServer| {
        let server = server.clone();
        async move { server.get("/default/default/.well-known/jwks.json").await.expect(200).body }
    };
    let pre_published = published(&server).await;
    let rotated = administrator.post("/servers/default/keys/rotate", &json!({})).await;
    assert!(rotated.status.is_success(), "{} {}", rotated.status, rotated.text());
    let after = client.tokens().await;
    assert_ne!(testkit::header(after.access_token())["kid"], old_kid);
    verified(after.access_token(), &pre_published);
    client.userinfo(before.access_token()).await.expect(200);
    verified(before.access_token(), &published(&server).await);
    let path = format!("/servers/default/keys/revoke/{}", old_kid.as_str().unwrap());
    let revoked = administrator.post(&path, &json!({})).await;
    assert!(revoked.status.is_success(), "{} {}", revoked.status, revoked.text());
    client.userinfo(before.access_token()).await.expect(401);
    assert!(!client.is_active(before.access_token()).await);
    assert!(!String::from_utf8_lossy(&published(&server).await).contains(old_kid.as_str().unwrap()));
    client.userinfo(after.access_token()).await.expect(200);
}

// Cross-origin access: every OAuth and discovery route, whatever the status (decisions 15).

const OAUTH: [&str; 4] = ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/userinfo"];

#[track_caller]
fn readable(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), "*", "{} {}", answer.asked, answer.status);
    assert_eq!(answer.header("access-control-allow-credentials"), "", "{}", answer.asked);
    let exposed = answer.header("access-control-expose-headers").to_ascii_lowercase();
    assert!(exposed.contains("www-authenticate") && exposed.contains("x-trace-id"), "{exposed}");
}

#[tokio::test]
async fn cors_on_every_oauth_route_and_every_status() {
    let server = TestServer::start().await;
    let from_elsewhere = |ask: Ask| server.send(ask.header("origin", "https://app.example"));
    for path in SHAPES.into_iter().chain(["/default/default/.well-known/jwks.json"]) {
        readable(&from_elsewhere(Ask::get(path)).await.expect(200));
        readable(
            &from_elsewhere(Ask::get(&path.replace("default/default", "default/nobody"))).await.expect(404),
        );
        readable(&from_elsewhere(Ask::new(Method::DELETE, path)).await.expect(405));
    }
    for path in OAUTH {
        let full = format!("/default/default{path}");
        readable(&from_elsewhere(Ask::form(&full, &[])).await);
        readable(&from_elsewhere(Ask::form(&full, &[("token", "x")]).basic("client", "wrong")).await);
        readable(&from_elsewhere(Ask::new(Method::PUT, &full)).await.expect(405));
        readable(&from_elsewhere(Ask::form(&format!("/default/nobody{path}"), &[])).await.expect(404));
        let huge = Ask::form(&full, &[("x", &"y".repeat(400_000))]);
        readable(&from_elsewhere(huge).await.expect(413));
        let text = Ask::new(Method::POST, &full).body("text/plain", "x=y");
        readable(&from_elsewhere(text).await);
    }
    let app = server.party("app");
    let good = app.tokens().await;
    let token = Ask::get("/default/default/userinfo").bearer(good.access_token());
    readable(&from_elsewhere(token).await.expect(200));
}

// shows: mcp-10
#[tokio::test]
async fn cors_preflights_allow_what_clients_send() {
    let server = TestServer::start().await;
    for path in OAUTH.map(|path| format!("/default/default{path}")).iter().map(String::as_str).chain(SHAPES) {
        let ask = Ask::new(Method::OPTIONS, path)
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,x-idempotency-key");
        let answer = server.send(ask).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        let headers = answer.header("access-control-allow-headers").to_ascii_lowercase();
        for header in ["authorization", "content-type", "x-idempotency-key"] {
            assert!(headers.contains(header), "{path}: {headers}");
        }
    }
}

#[tokio::test]
async fn adm_18_the_admin_api_is_closed_to_other_origins() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    for origin in ["https://evil.example", "null", ORIGIN] {
        let ask =
            Ask::get("/api/admin/default/clients/app").bearer(&administrator.token).header("origin", origin);
        let answer = server.send(ask).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        let preflight = Ask::new(Method::OPTIONS, "/api/admin/default/clients")
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        let answer = server.send(preflight).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
    }
}

// JSON without nulls.

#[track_caller]
fn no_nulls(value: &Value, at: &str) {
    match value {
        Value::Null => panic!("null at {at}"),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| no_nulls(v, &format!("{at}[{i}]"))),
        Value::Object(members) => members.iter().for_each(|(k, v)| no_nulls(v, &format!("{at}.{k}"))),
        _ => {}
    }
}

// shows: mcp-7
#[tokio::test]
async fn no_json_answer_has_a_null_member() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let client = server.party("client").with_scope("openid profile email phone address offline_access");
    let tokens = client.tokens().await;
    let mut answers = vec![
        server.get(SHAPES[0]).await,
        server.get("/default/default/.well-known/jwks.json").await,
        server.get("/api/swagger/default/openapi.json").await,
        client.userinfo(tokens.access_token()).await,
        client.userinfo("x").await,
        client.refresh(tokens.refresh_token()).await,
        client.client_credentials("").await,
        client.client_credentials("nonsense").await,
        client.token(&[]).await,
        client.revoke("").await,
        server.send(client.authenticated("/oauth2/introspect", &[("token", tokens.access_token())])).await,
        server.send(client.authenticated("/oauth2/introspect", &[("token", "x")])).await,
        administrator.post("/clients", &json!({"authorization_server_id": "default"})).await,
        administrator.post("/clients", &json!({"authorization_server_id": "nobody"})).await,
        administrator.post("/clients", &json!([])).await,
    ];
    for path in [
        "/tenant",
        "/clients/client",
        "/clients/app",
        "/clients/nobody",
        "/servers",
        "/servers/default",
        "/servers/default/clients",
        "/servers/default/services",
        "/servers/default/scopes",
        "/servers/default/keys",
        "/services/default-profile",
        "/scopes/default-openid",
        "/workspaces",
        "/nowhere",
    ] {
        answers.push(administrator.get(path).await);
    }
    for answer in answers {
        if answer.header("content-type").starts_with("application/json") && !answer.body.is_empty() {
            no_nulls(&answer.json(), &answer.asked);
        } else {
            assert_ne!(answer.status, 500, "{}", answer.asked);
        }
    }
    for token in [tokens.access_token(), tokens.id_token()] {
        no_nulls(&testkit::claims(token), "token");
    }
}

#[tokio::test]
async fn every_answer_has_a_trace_id_and_errors_tell_it() {
    let server = TestServer::start().await;
    let query = urlencoded(&[("client_id", "nobody")]);
    for (path, status) in [
        ("/default/default/oauth2/token", 405),
        ("/default/default/userinfo", 401),
        ("/nowhere", 404),
        (&format!("/default/default/oauth2/authorize?{query}"), 400),
        (SHAPES[0], 200),
        ("/api/admin/default/clients/app", 401),
    ] {
        let answer = server.get(path).await.expect(status);
        let trace_id = answer.header("x-trace-id").to_owned();
        assert_eq!(trace_id.len(), 32, "{path}");
        if status >= 400 && answer.header("content-type").starts_with("text/html") {
            assert!(answer.text().contains(&trace_id), "{path}");
        }
    }
    let denied = server.party("client").client_credentials("nonsense").await.expect(400);
    assert_eq!(denied.json()["trace_id"], denied.header("x-trace-id"));
    let body = denied.json();
    for member in ["error", "error_description", "error_hint", "cause", "status_code"] {
        assert!(!body[member].is_null(), "{member}");
    }
}

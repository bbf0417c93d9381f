//! Dynamic client registration and management (RFC 7591, RFC 7592, OIDC Registration).

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Ask, REDIRECT_URI, Site, TestServer};

const REGISTER: &str = "/default/default/oauth2/register";

async fn open() -> TestServer {
    let server = TestServer::reaching_loopback().await;
    settings(&server, &json!({"enabled": true})).await;
    server
}

async fn settings(server: &TestServer, settings: &Value) {
    let members = json!({"dynamic_client_registration": settings});
    server.administrator().await.change("/servers/default", &members).await;
}

async fn register(server: &TestServer, metadata: &Value) -> Answer {
    server.send(Ask::json(Method::POST, REGISTER, metadata)).await
}

async fn refused(server: &TestServer, error: &str, metadata: &Value) {
    let answer = register(server, metadata).await;
    assert_eq!(answer.status, 400, "{metadata}: {}", answer.text());
    assert_eq!(answer.json()["error"], error, "{metadata}");
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body[member].as_str().unwrap_or_else(|| panic!("{member} in {body}"))
}

#[tokio::test]
async fn dcr_02_nobody_registers_unless_the_workspace_says_so() {
    let server = TestServer::start().await;
    let answer = register(&server, &json!({"redirect_uris": [REDIRECT_URI]})).await;
    assert_eq!(answer.status, 404, "{}", answer.text());
    let discovery = "/default/default/.well-known/openid-configuration";
    assert!(server.get(discovery).await.json()["registration_endpoint"].is_null());
    settings(&server, &json!({"enabled": true})).await;
    let endpoint = server.get(discovery).await.json()["registration_endpoint"].clone();
    assert_eq!(endpoint, format!("{}{REGISTER}", testkit::ORIGIN));
}

// shows: mcp-7, mcp-9
#[tokio::test]
async fn a_registered_client_gets_tokens() {
    let server = open().await;
    let metadata =
        json!({"redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code", "refresh_token"]});
    let answer = register(&server, &metadata).await.expect(201);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let client = answer.json();
    assert_eq!(client["redirect_uris"], json!([REDIRECT_URI]));
    assert_eq!(client["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(client["id_token_signed_response_alg"], "RS256", "decisions 5");
    assert_eq!(client["client_secret_expires_at"], 0);
    assert!(!answer.text().contains("null"), "{}", answer.text());
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    // DCR-16, and the TypeScript SDK does not encode them.
    for made in [id, secret, text(&client, "registration_access_token")] {
        assert!(made.len() >= 32 && made.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    }
    let party = server.party_at("/default/default", id, Some(secret)).with_scope("openid offline_access");
    let tokens = party.tokens().await;
    assert_eq!(testkit::header(tokens.id_token())["alg"], "RS256");
    party.refresh(tokens.refresh_token()).await.expect(200);
}

// shows: mcp-6
#[tokio::test]
async fn mcp_clients_register_as_public_native_applications() {
    let server = open().await;
    let metadata = json!({
        "client_name": "MCP client",
        "redirect_uris": ["http://localhost:33418/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "unknown_member": {"x": null},
    });
    let client = register(&server, &metadata).await.expect(201).json();
    assert_eq!(client["application_type"], "native");
    assert!(client["client_secret"].is_null() && client["client_secret_expires_at"].is_null(), "{client}");
    let party = server.party_at("/default/default", text(&client, "client_id"), None);
    party.with_redirect_uri("http://localhost:50123/callback").tokens().await;
}

// shows: oidcc-redirect-uri-regfrag
#[tokio::test]
async fn oidcc_registration_regfrag_and_dcr_17_redirect_uris_are_checked() {
    let server = open().await;
    for uris in [
        json!(["https://example.com/cb#fragment"]),
        json!(["http://example.com/cb"]),
        json!(["javascript:alert(1)"]),
        json!(["https://*.example.com/"]),
        json!([]),
    ] {
        refused(&server, "invalid_redirect_uri", &json!({"redirect_uris": uris})).await;
    }
    refused(&server, "invalid_redirect_uri", &json!({})).await;
}

#[tokio::test]
async fn every_member_is_checked() {
    let server = open().await;
    for (member, value) in [
        ("redirect_uris", json!(7)),
        ("token_endpoint_auth_method", json!("magic")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("token_endpoint_auth_signing_alg", json!("HS256")),
        ("id_token_signed_response_alg", json!("none")),
        ("id_token_signed_response_alg", json!("HS256")),
        ("userinfo_signed_response_alg", json!("HS256")),
        ("application_type", json!("toaster")),
        ("subject_type", json!("secret")),
        ("response_types", json!(["magic"])),
        ("grant_types", json!(["password"])),
        ("logo_uri", json!("javascript:alert(1)")),
        ("client_uri", json!("http://example.com")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("backchannel_logout_uri", json!("gopher://127.0.0.1/")),
        ("request_uris", json!(["http://169.254.169.254/"])),
        ("default_max_age", json!(-1)),
        ("client_name", json!("x".repeat(3000))),
        ("scope", json!(["openid"])),
        ("jwks", json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})),
    ] {
        let mut metadata = json!({"redirect_uris": [REDIRECT_URI]});
        metadata[member] = value;
        if metadata["grant_types"] == json!(["password"]) {
            metadata["response_types"] = json!([]);
        }
        refused(&server, "invalid_client_metadata", &metadata).await;
    }
}

#[tokio::test]
async fn dcr_10_dcr_11_nobody_gives_himself_privileges() {
    let server = open().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "client_id": "admin-swagger",
        "client_secret": "chosen-chosen-chosen-chosen-chosen-chosen",
        "trusted": true,
        "system": true,
        "tenant_id": "acme",
        "authorization_server_id": "admin",
        "audience": ["https://api.example"],
        "scopes": ["introspect_tokens"],
        "scope": "openid introspect_tokens revoke_tokens",
        "grant_types": ["authorization_code", "client_credentials", "password"],
        "registration_token": {"hash": "x", "expires_at": 0},
        "predecessor_deleted_at": 1,
    });
    let client = register(&server, &metadata).await.expect(201).json();
    assert_ne!(client["client_id"], "admin-swagger");
    assert_eq!(client["scope"], "openid");
    assert_eq!(client["grant_types"], json!(["authorization_code"]));
    let path = format!("/clients/{}", text(&client, "client_id"));
    let stored = server.administrator().await.get(&path).await.expect(200).json();
    assert_eq!((&stored["trusted"], &stored["system"]), (&json!(false), &json!(false)));
    assert_eq!(stored["dynamically_registered"], true);
    assert!(stored["registration_token"].is_null());
}

#[tokio::test]
async fn dcr_14_bombs_are_a_clean_400() {
    let server = open().await;
    let deep = format!("{{\"jwks\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let long = format!("{{\"client_name\":\"{}\"}}", "x".repeat(100_000));
    for body in ["", "{", "[]", "null", r#"{"client_name":"a","client_name":"b"}"#, &deep, &long] {
        let ask = Ask::new(Method::POST, REGISTER).body("application/json", body.to_owned());
        server.send(ask).await.expect_error(400, "invalid_client_metadata");
    }
    let form = Ask::form(REGISTER, &[("redirect_uris", REDIRECT_URI)]);
    assert_eq!(server.send(form).await.status, 415);
}

#[tokio::test]
async fn rfc7592_a_client_manages_its_own_registration() {
    let server = open().await;
    let client = register(&server, &json!({"redirect_uris": [REDIRECT_URI]})).await.expect(201).json();
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    let address = text(&client, "registration_client_uri");
    assert_eq!(address, format!("{}{REGISTER}/{id}", testkit::ORIGIN));
    let token = text(&client, "registration_access_token");
    let read = server.send(Ask::get(address).bearer(token)).await.expect(200).json();
    assert_eq!(read["redirect_uris"], json!([REDIRECT_URI]));
    for ask in
        [Ask::get(address), Ask::get(address).bearer("x"), Ask::get(&format!("{REGISTER}/app")).bearer(token)]
    {
        assert_eq!(server.send(ask).await.status, 401, "RFC 7592 §2.1");
    }
    // The update: the id is fixed, the token is new, the secret stays.
    let other = json!({"client_id": "other", "redirect_uris": [REDIRECT_URI]});
    let answer = server.send(Ask::json(Method::PUT, address, &other).bearer(token)).await;
    answer.expect_error(400, "invalid_client_metadata");
    let change = json!({"client_id": id, "client_name": "New", "redirect_uris": ["https://example.com/new"]});
    let updated =
        server.send(Ask::json(Method::PUT, address, &change).bearer(token)).await.expect(200).json();
    assert_eq!(
        (&updated["client_name"], &updated["redirect_uris"]),
        (&json!("New"), &json!(["https://example.com/new"]))
    );
    let newer = text(&updated, "registration_access_token");
    assert_ne!(newer, token);
    assert_eq!(server.send(Ask::get(address).bearer(token)).await.status, 401, "rotated");
    let party = server.party_at("/default/default", id, Some(secret));
    party.with_redirect_uri("https://example.com/new").tokens().await;
    // C0.2: DELETE answers 204, and everything of it is gone.
    server.send(Ask::new(Method::DELETE, address).bearer(newer)).await.expect(204);
    assert_eq!(server.send(Ask::get(address).bearer(newer)).await.status, 401);
    server.administrator().await.get(&format!("/clients/{id}")).await.expect(404);
}

#[tokio::test]
async fn dcr_13_an_update_revives_nobody() {
    let server = open().await;
    let client = register(&server, &json!({"redirect_uris": [REDIRECT_URI]})).await.expect(201).json();
    let id = text(&client, "client_id");
    let status = json!({"client_status": "inactive"});
    server.administrator().await.change(&format!("/clients/{id}"), &status).await;
    let change = json!({"client_id": id, "client_status": "active", "redirect_uris": [REDIRECT_URI]});
    let ask = Ask::json(Method::PUT, text(&client, "registration_client_uri"), &change);
    let token = text(&client, "registration_access_token");
    assert_eq!(server.send(ask.bearer(token)).await.status, 401);
}

// shows: oidcc-registration-sector-bad
#[tokio::test]
async fn oidcc_registration_sector_uri_and_sector_bad() {
    let server = open().await;
    let site = Site::start().await;
    site.put("/good", "", &json!([REDIRECT_URI, "https://example.com/b"]).to_string());
    site.put("/bad", "", &json!(["https://example.com/b"]).to_string());
    let metadata = |uri: &str| json!({"redirect_uris": [REDIRECT_URI], "subject_type": "pairwise", "sector_identifier_uri": uri});
    register(&server, &metadata(&site.url("/good"))).await.expect(201);
    refused(&server, "invalid_client_metadata", &metadata(&site.url("/bad"))).await;
    refused(&server, "invalid_client_metadata", &metadata(&site.url("/nothing"))).await;
    // DCR-06: not where the operator does not allow it.
    let strict = TestServer::start().await;
    settings(&strict, &json!({"enabled": true})).await;
    let visits = site.visits();
    refused(&strict, "invalid_client_metadata", &metadata(&site.url("/good"))).await;
    assert_eq!(site.visits(), visits);
}

/// The workspace asks for initial access tokens from now on, and gives this one.
async fn initial_access_token(server: &TestServer) -> String {
    settings(server, &json!({"enabled": true, "initial_access_token": {"required": true}})).await;
    let scopes = json!({"scopes": ["introspect_tokens", "revoke_tokens", "dcr_register"]});
    server.administrator().await.change("/clients/service", &scopes).await;
    let answer = server.party("service").client_credentials("dcr_register").await.expect(200).json();
    text(&answer, "access_token").to_owned()
}

#[tokio::test]
async fn an_initial_access_token_counts_once() {
    let server = open().await;
    let metadata = json!({"redirect_uris": [REDIRECT_URI]});
    let initial = initial_access_token(&server).await;
    assert_eq!(register(&server, &metadata).await.status, 401);
    let ask = |token: &str| Ask::json(Method::POST, REGISTER, &metadata).bearer(token);
    let other = server.party("service").client_credentials("introspect_tokens").await.expect(200).json();
    assert_eq!(server.send(ask(text(&other, "access_token"))).await.status, 403);
    server.send(ask(&initial)).await.expect(201);
    assert_eq!(server.send(ask(&initial)).await.status, 401, "used up");
}

#[tokio::test]
async fn oidcc_3rdparty_init_login_the_address_is_kept_and_returned() {
    let server = open().await;
    let initiate = "https://app.example/login/start?x=1";
    let metadata = json!({"redirect_uris": [REDIRECT_URI], "initiate_login_uri": initiate});
    let client = register(&server, &metadata).await.expect(201).json();
    assert_eq!(client["initiate_login_uri"], initiate);
    let uri = text(&client, "registration_client_uri").strip_prefix(testkit::ORIGIN).expect("our own");
    let ask = Ask::get(uri).bearer(text(&client, "registration_access_token"));
    assert_eq!(server.send(ask).await.expect(200).json()["initiate_login_uri"], initiate);
}

#[tokio::test]
async fn oidcc_3rdparty_init_login_nohttps_is_refused() {
    let server = open().await;
    for plain in ["http://app.example/start", "http://localhost:8080/start", "app.example:/start"] {
        let metadata = json!({"redirect_uris": [REDIRECT_URI], "initiate_login_uri": plain});
        refused(&server, "invalid_client_metadata", &metadata).await;
    }
}

/// RFC 7591 §5: neither a workspace nor an address is filled without end.
#[tokio::test]
async fn quotas_say_when_to_come_again() {
    let server = open().await;
    settings(&server, &json!({"enabled": true, "max_registrations_per_source": 2})).await;
    let metadata = json!({"redirect_uris": [REDIRECT_URI]});
    for _ in 0..2 {
        register(&server, &metadata).await.expect(201);
    }
    let refused = register(&server, &metadata).await.expect(429);
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=3600).contains(&wait), "{wait}");
    // Another address is not affected, and the hour passes.
    let other = std::net::Ipv4Addr::new(192, 0, 2, 7);
    server.send_from(Ask::json(Method::POST, REGISTER, &metadata), other).await.expect(201);
    server.clock().advance(Duration::from_secs(wait));
    register(&server, &metadata).await.expect(201);
    settings(&server, &json!({"enabled": true, "max_clients": 1})).await;
    let full = register(&server, &metadata).await.expect(429);
    assert!(full.header("retry-after").parse::<u64>().is_ok());
}

/// What a stranger makes us fetch counts, whatever comes of it.
#[tokio::test]
async fn dcr_06_attempts_with_an_address_are_counted_before_we_ask_there() {
    let server = open().await;
    settings(&server, &json!({"enabled": true, "max_registrations_per_source": 2})).await;
    let site = Site::start().await;
    site.put("/sector", "", &json!([REDIRECT_URI]).to_string());
    let with = |path: &str| json!({"redirect_uris": [REDIRECT_URI], "sector_identifier_uri": site.url(path)});
    refused(&server, "invalid_client_metadata", &with("/nothing")).await;
    register(&server, &with("/sector")).await.expect(201);
    let visits = site.visits();
    register(&server, &with("/sector")).await.expect(429);
    assert_eq!(site.visits(), visits);
}

/// A client that nobody logged in to goes by itself; one that was used stays.
#[tokio::test]
async fn clients_that_nobody_used_go_after_their_time() {
    let server = open().await;
    settings(&server, &json!({"enabled": true, "unused_client_ttl": "24h0m0s"})).await;
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    let mut made = Vec::new();
    for _ in 0..3 {
        let client = register(&server, &metadata).await.expect(201).json();
        made.push(text(&client, "client_id").to_owned());
    }
    let [used, unused, late] = &made[..] else { panic!("three clients") };
    let party = |id: &str| server.party_at("/default/default", id, None).with_scope("openid offline_access");
    let tokens = party(used).tokens().await;
    // A token of the administrator lives for an hour.
    let status = async |id: &str| {
        let administrator = server.administrator().await;
        administrator.get(&format!("/clients/{id}")).await.status.as_u16()
    };
    server.clock().advance(Duration::from_secs(23 * 3600));
    server.engine().delete_unused_clients().await.expect("a store");
    assert_eq!([status(used).await, status(unused).await], [200, 200], "not yet");
    // In the last hour somebody comes.
    party(late).tokens().await;
    server.clock().advance(Duration::from_secs(3601));
    server.engine().delete_unused_clients().await.expect("a store");
    assert_eq!([status(used).await, status(unused).await, status(late).await], [200, 404, 200]);
    let refused = server.browser().open(&party(unused).authorize_url(&[])).await;
    refused.expect_error_page("invalid_request");
    party(used).refresh(tokens.refresh_token()).await.expect(200);
    // Long after, the one that is used is still there; and a workspace may keep them all.
    server.clock().advance(Duration::from_secs(30 * 24 * 3600));
    server.engine().delete_unused_clients().await.expect("a store");
    settings(&server, &json!({"enabled": true, "unused_client_ttl": "0s"})).await;
    let kept = register(&server, &metadata).await.expect(201).json();
    server.clock().advance(Duration::from_secs(400 * 24 * 3600));
    server.engine().delete_unused_clients().await.expect("a store");
    assert_eq!([status(used).await, status(text(&kept, "client_id")).await], [200, 200]);
}

/// C0.2: a registration as the conformance suite sends it, its answer, and its end.
#[tokio::test]
async fn oidcc_c0_2_the_registration_of_the_conformance_suite() {
    let server = open().await;
    let key = testkit::signer(jose::Algorithm::RS256);
    let metadata = json!({
        "client_name": "OIDF conformance", "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "redirect_uris": [REDIRECT_URI], "contacts": ["certification@example.com"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.public_jwk()]},
        "initiate_login_uri": "https://example.com/login", "subject_type": "public",
    });
    let answer = register(&server, &metadata).await.expect(201);
    assert!(answer.header("content-type").starts_with("application/json"));
    let client = answer.json();
    assert!(client["error"].is_null() && client["client_secret"].is_null());
    for member in ["client_name", "contacts", "redirect_uris", "initiate_login_uri", "jwks"] {
        assert_eq!(client[member], metadata[member], "{member}");
    }
    let (address, token) =
        (text(&client, "registration_client_uri"), text(&client, "registration_access_token"));
    assert!(address.starts_with("https://"));
    let read = server.send(Ask::get(address).bearer(token)).await.expect(200).json();
    assert_eq!(read["initiate_login_uri"], metadata["initiate_login_uri"]);
    server.send(Ask::new(Method::DELETE, address).bearer(token)).await.expect(204);
}

/// RFC 7591 §3.2.1 and decisions 2: what is asked is registered, and works once the workspace allows it.
#[tokio::test]
async fn rfc7591_3_2_1_grant_and_response_types_are_those_that_were_asked_for() {
    let server = open().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "grant_types": [
            "authorization_code", "implicit", "refresh_token", "urn:openid:params:grant-type:ciba",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "response_types": ["code", "id_token", "code id_token"],
        "token_endpoint_auth_method": "none",
    });
    let client = register(&server, &metadata).await.expect(201).json();
    let read =
        Ask::get(text(&client, "registration_client_uri")).bearer(text(&client, "registration_access_token"));
    let read = server.send(read).await.expect(200).json();
    for member in ["grant_types", "response_types"] {
        assert_eq!(client[member], metadata[member]);
        assert_eq!(read[member], metadata[member]);
    }
    let party = server.party_at("/default/default", text(&client, "client_id"), None);
    party.tokens().await;
    let url = party.authorize_url(&[("response_type", "id_token"), ("nonce", "n-1")]);
    let answer = server.browser().authorize(&url).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("unsupported_response_type"));
    let administrator = server.administrator().await;
    let mut workspace = administrator.get("/servers/default").await.expect(200).json();
    workspace["grant_types"].as_array_mut().unwrap().push(json!("implicit"));
    administrator.put("/servers/default", &workspace).await.expect(200);
    let answer = server.browser().authorize(&url).await;
    assert!(answer.response_parameter("id_token").is_some(), "{}", answer.location());
    // What contradicts itself or is in no list is refused, not mended in silence (RFC 7591 §2.1).
    for (grant_types, response_types) in [
        (json!(["authorization_code"]), json!(["id_token"])),
        (json!(["implicit"]), json!(["code"])),
        (json!(["authorization_code", "magic"]), json!(["code"])),
    ] {
        let odd = json!({
            "redirect_uris": [REDIRECT_URI], "grant_types": grant_types, "response_types": response_types,
        });
        refused(&server, "invalid_client_metadata", &odd).await;
    }
}

#[tokio::test]
async fn rfc7591_2_1_a_device_registers_without_a_redirect_uri() {
    let server = open().await;
    let grant_types = json!(["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]);
    let metadata = json!({"grant_types": grant_types, "token_endpoint_auth_method": "none"});
    let client = register(&server, &metadata).await.expect(201).json();
    assert_eq!((&client["grant_types"], &client["response_types"]), (&grant_types, &json!([])));
    let fields = [("client_id", text(&client, "client_id")), ("scope", "openid")];
    let started = server.send(Ask::form("/default/default/device/authorization", &fields)).await;
    assert!(started.expect(200).json()["user_code"].is_string());
}

/// Whom an administrator gave an initial access token may register a client that acts for itself; it cannot take more
/// by an update, and it keeps that.
#[tokio::test]
async fn dcr_11_a_client_that_somebody_vouched_for_may_act_for_itself() {
    let server = open().await;
    let metadata = json!({"grant_types": ["client_credentials"], "response_types": []});
    refused(&server, "invalid_client_metadata", &metadata).await;
    let initial = initial_access_token(&server).await;
    let ask = Ask::json(Method::POST, REGISTER, &metadata).bearer(&initial);
    let client = server.send(ask).await.expect(201).json();
    assert_eq!(client["grant_types"], metadata["grant_types"]);
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    server.party_at("/default/default", id, Some(secret)).client_credentials("").await.expect(200);
    let update = json!({"client_id": id, "grant_types": ["client_credentials", "password"]});
    let ask = Ask::json(Method::PUT, text(&client, "registration_client_uri"), &update);
    let updated =
        server.send(ask.bearer(text(&client, "registration_access_token"))).await.expect(200).json();
    assert_eq!(updated["grant_types"], json!(["client_credentials"]));
}

/// Every member of RFC 7591 §2 and OIDC Registration §2 that a client may say comes back as it was said: from the
/// registration, from reading, and from putting back what was read.
#[tokio::test]
async fn rfc7591_3_2_1_every_member_comes_back_as_it_was_said() {
    let server = open().await;
    let site = Site::start().await;
    site.put("/sector", "", &json!([REDIRECT_URI]).to_string());
    let key = testkit::signer(jose::Algorithm::ES256);
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI], "response_types": ["code", "none"],
        "grant_types": ["authorization_code", "refresh_token"], "application_type": "web",
        "contacts": ["ada@example.com", "bob@example.com"], "client_name": "Ada's \u{2764} application",
        "client_uri": "https://example.com/", "logo_uri": "https://example.com/logo.png",
        "policy_uri": "https://example.com/policy", "tos_uri": "https://example.com/tos",
        "jwks": {"keys": [key.public_jwk()]}, "sector_identifier_uri": site.url("/sector"),
        "subject_type": "pairwise", "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "RS256", "request_object_signing_alg": "ES256",
        "request_uris": ["https://example.com/request#hash"], "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256", "default_max_age": 3600, "require_auth_time": true,
        "default_acr_values": ["1"], "initiate_login_uri": "https://example.com/start",
        "post_logout_redirect_uris": ["https://example.com/bye"],
        "frontchannel_logout_uri": "https://example.com/front", "frontchannel_logout_session_required": true,
        "backchannel_logout_uri": "https://example.com/back", "backchannel_logout_session_required": true,
        "require_pushed_authorization_requests": true, "dpop_bound_access_tokens": true,
        "software_id": "4NRB1-0XZABZI9E6-5SM3R", "software_version": "2.1", "scope": "openid email",
    });
    let made = register(&server, &metadata).await.expect(201).json();
    let address = text(&made, "registration_client_uri").to_owned();
    let read = Ask::get(&address).bearer(text(&made, "registration_access_token"));
    let read = server.send(read).await.expect(200).json();
    let mut metadata_alone = read.clone();
    // RFC 7592 §2.2: what only the server says is left out.
    let answered_only = ["registration_access_token", "registration_client_uri", "client_id_issued_at"];
    metadata_alone.as_object_mut().unwrap().retain(|name, _| !answered_only.contains(&name.as_str()));
    let update =
        Ask::json(Method::PUT, &address, &metadata_alone).bearer(text(&made, "registration_access_token"));
    let updated = server.send(update).await.expect(200).json();
    for (name, value) in metadata.as_object().unwrap() {
        for shown in [&made, &read, &updated] {
            assert_eq!(&shown[name], value, "{name}");
        }
    }
    let keyless = json!({
        "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []},
    });
    refused(&server, "invalid_client_metadata", &keyless).await;
    // What the workspace does not do is not registered as if it did.
    server
        .administrator()
        .await
        .change("/servers/default", &json!({"subject_identifier_types": ["pairwise"]}))
        .await;
    let plain = json!({"redirect_uris": [REDIRECT_URI]});
    assert_eq!(register(&server, &plain).await.expect(201).json()["subject_type"], "pairwise");
    for (member, value) in [("subject_type", "public"), ("request_object_signing_alg", "none")] {
        refused(&server, "invalid_client_metadata", &json!({"redirect_uris": [REDIRECT_URI], member: value}))
            .await;
    }
}

/// RFC 7592 §2.2: the secret may be repeated and not chosen.
#[tokio::test]
async fn rfc7592_2_2_an_update_cannot_choose_the_secret() {
    let server = open().await;
    let client = register(&server, &json!({"redirect_uris": [REDIRECT_URI]})).await.expect(201).json();
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    let token = text(&client, "registration_access_token");
    let update = async |sent: &Value| {
        let body = json!({"client_id": id, "client_secret": sent, "redirect_uris": [REDIRECT_URI]});
        server
            .send(Ask::json(Method::PUT, text(&client, "registration_client_uri"), &body).bearer(token))
            .await
    };
    for chosen in [json!("chosen-chosen-chosen-chosen-chosen-chosen"), json!(""), json!(7)] {
        update(&chosen).await.expect_error(400, "invalid_client_metadata");
    }
    update(&json!(secret)).await.expect(200);
    server.party_at("/default/default", id, Some(secret)).tokens().await;
}

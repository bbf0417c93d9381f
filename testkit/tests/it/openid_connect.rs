//! The modules of the OpenID Foundation's basic, config and form_post plans, each under its own name.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::{
    Answer, Ask, Browser, ORIGIN, RelyingParty, TestServer, Tokens, claims, header, unsigned, urlencoded,
    verified,
};

const ALL_SCOPES: &str = "openid profile email address phone";

fn client(server: &TestServer, scope: &str) -> RelyingParty {
    server.party("client").with_scope(scope)
}

async fn redeem(party: &RelyingParty, answer: &Answer) -> Tokens {
    let code =
        answer.response_parameter("code").unwrap_or_else(|| panic!("no code in {}", answer.location()));
    Tokens(party.redeem(&code).await.expect(200).json())
}

async fn flow(party: &RelyingParty, browser: &Browser, more: &[(&str, &str)]) -> Tokens {
    let answer = browser.authorize(&party.authorize_url(more)).await;
    redeem(party, &answer).await
}

/// What runs inside almost every module.
async fn baseline(server: &TestServer, party: &RelyingParty, tokens: &Tokens, nonce: Option<&str>) -> Value {
    let jwks = server.get(&party.path("/.well-known/jwks.json")).await.expect(200).body;
    let id_token = Value::Object(verified(tokens.id_token(), &jwks));
    let now = server.engine().now().seconds();
    assert!(header(tokens.id_token())["kid"].is_string());
    assert_eq!(id_token["iss"], party.issuer());
    assert_eq!(id_token["aud"], json!(party.client_id));
    assert!(id_token["exp"].as_i64().unwrap() > now);
    assert!((id_token["iat"].as_i64().unwrap() - now).abs() <= 300);
    let sub = id_token["sub"].as_str().unwrap();
    assert!(!sub.is_empty() && sub.len() <= 255 && sub.bytes().all(|b| (0x20..0x7f).contains(&b)));
    assert_eq!(id_token["nonce"].as_str(), nonce);
    assert_ne!(id_token["acr"], "");
    // The left half of the hash that belongs to the algorithm: SHA-512 for Ed25519, SHA-256 for the others.
    let is_ed25519 = header(tokens.id_token())["alg"] == "EdDSA";
    let half = jose::base64url::encode(&jose::sha256(tokens.access_token().as_bytes())[..16]);
    match id_token["at_hash"].as_str() {
        Some(at_hash) if is_ed25519 => assert_eq!(at_hash.len(), 43),
        Some(at_hash) => assert_eq!(at_hash, half),
        None => {}
    }
    // Claims that nobody asked for do not belong into the ID token of the code flow.
    for claim in ["name", "email", "address", "phone_number", "birthdate", "given_name"] {
        assert!(id_token[claim].is_null(), "{claim}");
    }
    let info = party.userinfo(tokens.access_token()).await.expect(200);
    assert!(info.header("content-type").starts_with("application/json"));
    assert_eq!(info.json()["sub"], id_token["sub"]);
    id_token
}

#[tokio::test]
async fn oidcc_server() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let answer =
        server.browser().authorize(&party.authorize_url(&[("state", "abc"), ("nonce", "n-1")])).await;
    let names: Vec<String> = answer.location().query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert!(
        names.iter().all(|n| ["code", "state", "iss", "session_state"].contains(&n.as_str())),
        "{names:?}"
    );
    let tokens = redeem(&party, &answer).await;
    assert!(tokens.0["expires_in"].is_u64());
    baseline(&server, &party, &tokens, Some("n-1")).await;
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let answer = server.browser().load(&party.authorize_url(&[("response_type", ""), ("state", "s")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("invalid_request"));
    assert_eq!(answer.response_parameter("state").as_deref(), Some("s"));
}

#[tokio::test]
async fn oidcc_idtoken_signature() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    for alg in ["RS256", "ES256", "PS256", "EdDSA"] {
        let changed = json!({"id_token_signed_response_alg": alg});
        administrator.change("/clients/client", &changed).await;
        let party = client(&server, "openid");
        let tokens = party.tokens().await;
        assert_eq!(header(tokens.id_token())["alg"], alg);
        baseline(&server, &party, &tokens, None).await;
    }
}

#[tokio::test]
async fn oidcc_userinfo_get_post_header_post_body() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let tokens = party.tokens().await;
    let path = party.path("/userinfo");
    for ask in [
        Ask::get(&path).bearer(tokens.access_token()),
        Ask::new(Method::POST, &path).bearer(tokens.access_token()),
        Ask::form(&path, &[("access_token", tokens.access_token())]),
    ] {
        let answer = server.send(ask).await.expect(200);
        assert!(answer.header("content-type").starts_with("application/json"));
        assert_eq!(answer.json()["sub"], claims(tokens.id_token())["sub"]);
    }
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let tokens = party.tokens().await;
    baseline(&server, &party, &tokens, None).await;
}

#[tokio::test]
async fn oidcc_scope_profile_email_address_phone_all() {
    let server = TestServer::start().await;
    let profile = [
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ];
    let browser = server.browser();
    for (scope, expected) in [
        ("openid profile", &profile[..]),
        ("openid email", &["email", "email_verified"]),
        ("openid address", &["address"]),
        ("openid phone", &["phone_number", "phone_number_verified"]),
        (ALL_SCOPES, &["name", "email", "address", "phone_number"]),
    ] {
        let party = client(&server, scope);
        let tokens = flow(&party, &browser, &[("nonce", "n")]).await;
        baseline(&server, &party, &tokens, Some("n")).await;
        let info = party.userinfo(tokens.access_token()).await.expect(200).json();
        for claim in expected {
            assert!(!info[claim].is_null(), "{scope}: {claim}");
        }
        for (claim, value) in info.as_object().unwrap() {
            assert!(value != "" && value != "null", "{claim}");
        }
        if scope == ALL_SCOPES {
            assert!(info["email_verified"].is_boolean() && info["phone_number_verified"].is_boolean());
            assert!(info["address"].is_object() && info["updated_at"].is_u64());
        }
    }
}

#[tokio::test]
async fn oidcc_alternate_happy_flow() {
    let server = TestServer::start().await;
    let party = client(&server, "phone address email profile openid");
    let url = party.authorize_url(&[("state", "s")]);
    let (path, query) = url.split_once('?').unwrap();
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.reverse();
    let answer = server.browser().authorize(&format!("{path}?{}", parameters.join("&"))).await;
    let tokens = redeem(&party, &answer).await;
    baseline(&server, &party, &tokens, None).await;
}

#[tokio::test]
async fn oidcc_display_page_popup_locales_and_unknown_parameters() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let browser = server.browser();
    for more in [
        ("display", "page"),
        ("display", "popup"),
        ("display", "touch"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("login_hint", "user"),
        ("extra", "foobar"),
    ] {
        let tokens = flow(&party, &browser, &[more]).await;
        baseline(&server, &party, &tokens, None).await;
    }
}

#[tokio::test]
async fn oidcc_prompt_login() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let browser = server.browser();
    let first = flow(&party, &browser, &[("max_age", "10000")]).await;
    server.clock().advance(Duration::from_secs(2));
    let page = browser.open(&party.authorize_url(&[("prompt", "login"), ("max_age", "10000")])).await;
    assert!(page.has_form("login-form"));
    let answer = browser.log_in(&page).await;
    let second = redeem(&party, &answer).await;
    let (first, second) = (claims(first.id_token()), claims(second.id_token()));
    assert!(second["auth_time"].as_i64() > first["auth_time"].as_i64());
    assert_eq!(second["sub"], first["sub"]);
}

#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let state = "s".repeat(128);
    let answer = server.browser().load(&party.authorize_url(&[("prompt", "none"), ("state", &state)])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("login_required"));
    assert_eq!(answer.response_parameter("state"), Some(state));
    let description = answer.response_parameter("error_description").unwrap_or_default();
    let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    assert!(description.bytes().all(allowed), "{description}");
}

#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let browser = server.browser();
    let first = claims(flow(&party, &browser, &[("max_age", "10000")]).await.id_token());
    server.clock().advance(Duration::from_secs(5));
    let answer = browser.load(&party.authorize_url(&[("prompt", "none"), ("max_age", "10000")])).await;
    let second = claims(redeem(&party, &answer).await.id_token());
    assert_eq!((&second["sub"], &second["auth_time"]), (&first["sub"], &first["auth_time"]));
}

#[tokio::test]
async fn oidcc_max_age_1() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let browser = server.browser();
    flow(&party, &browser, &[]).await;
    server.clock().advance(Duration::from_secs(2));
    let page = browser.open(&party.authorize_url(&[("max_age", "1")])).await;
    assert!(page.has_form("login-form"));
    let answer = browser.log_in(&page).await;
    let second = claims(redeem(&party, &answer).await.id_token());
    assert_eq!(second["auth_time"], server.engine().now().seconds());
}

#[tokio::test]
async fn oidcc_max_age_10000() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let browser = server.browser();
    let first = claims(flow(&party, &browser, &[("max_age", "15000")]).await.id_token());
    server.clock().advance(Duration::from_secs(2));
    let answer = browser.load(&party.authorize_url(&[("max_age", "10000")])).await;
    let second = claims(redeem(&party, &answer).await.id_token());
    assert!(first["auth_time"].is_i64());
    assert_eq!((&second["sub"], &second["auth_time"]), (&first["sub"], &first["auth_time"]));
}

#[tokio::test]
async fn oidcc_id_token_hint() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let browser = server.browser();
    let first = flow(&party, &browser, &[]).await;
    let url = party.authorize_url(&[("prompt", "none"), ("id_token_hint", first.id_token())]);
    let answer = browser.load(&url).await;
    let second = redeem(&party, &answer).await;
    assert_eq!(claims(second.id_token())["sub"], claims(first.id_token())["sub"]);
}

#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let discovery = server.get(&party.path("/.well-known/openid-configuration")).await.json();
    let offered: Vec<&str> =
        discovery["acr_values_supported"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for asked in [offered.join(" ").as_str(), "1 2", "unheard-of"] {
        let tokens = flow(&party, &server.browser(), &[("acr_values", asked)]).await;
        let acr = claims(tokens.id_token())["acr"].clone();
        assert!(acr.is_null() || offered.contains(&acr.as_str().unwrap()), "{acr}");
    }
}

#[tokio::test]
async fn oidcc_codereuse_and_codereuse_30seconds() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let code = party.code().await;
    let tokens = Tokens(party.redeem(&code).await.expect(200).json());
    party.redeem(&code).await.expect_error(400, "invalid_grant");
    server.clock().advance(Duration::from_secs(30));
    party.redeem(&code).await.expect_error(400, "invalid_grant");
    party.userinfo(tokens.access_token()).await.expect(401);
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    let server = TestServer::start().await;
    let party = client(&server, "openid").with_redirect_uri("https://example.com/another");
    server.browser().load(&party.authorize_url(&[])).await.expect_error_page("invalid_request");
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let url = party.authorize_url(&[("state", "s")]);
    let path = party.path("/oauth2/authorize");
    let ask = Ask::new(Method::POST, &path)
        .body("application/x-www-form-urlencoded", url.split_once('?').unwrap().1.to_owned())
        .header("origin", "https://example.com")
        .header("sec-fetch-site", "cross-site");
    let browser = server.browser();
    let answer = browser.send(ask, &path).await;
    let login = browser.follow(answer).await;
    let consent = browser.log_in(&login).await;
    let tokens = redeem(&party, &browser.allow(&consent).await).await;
    baseline(&server, &party, &tokens, None).await;
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let server = TestServer::start().await;
    let party = server.party_at("/default/default", "post", None);
    let code = party.code().await;
    let mut fields = party.redemption(&code).to_vec();
    fields.push(("client_secret", testkit::SERVICE_SECRET));
    let tokens = Tokens(party.token(&fields).await.expect(200).json());
    baseline(&server, &party, &tokens, None).await;
}

#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let object = unsigned(&json!({"alg": "none"}), &json!({"client_id": "client", "state": "inner"}));
    let answer = server.browser().load(&party.authorize_url(&[("request", &object)])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("request_not_supported"));
    // By reference: tests/it/jar.rs, with a server that answers.
    let answer =
        server.browser().load(&party.authorize_url(&[("request_uri", "https://example.com/r")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("invalid_request_uri"));
}

#[tokio::test]
async fn oidcc_claims_essential() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let asked = json!({"userinfo": {"name": {"essential": true}}}).to_string();
    let tokens = flow(&party, &server.browser(), &[("claims", &asked)]).await;
    baseline(&server, &party, &tokens, None).await;
    let info = party.userinfo(tokens.access_token()).await.expect(200).json();
    assert!(info["name"].is_string());
    assert!(info["email"].is_null());
    let asked = json!({"id_token": {"email": null, "auth_time": {"essential": true}}}).to_string();
    let tokens = flow(&party, &server.browser(), &[("claims", &asked)]).await;
    let id_token = claims(tokens.id_token());
    assert_eq!(id_token["email"], "user@example.com");
    assert!(id_token["auth_time"].is_i64());
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let server = TestServer::start().await;
    let party = client(&server, "openid offline_access");
    let browser = server.browser();
    let first = flow(&party, &browser, &[("prompt", "consent"), ("nonce", "n"), ("max_age", "10000")]).await;
    server.clock().advance(Duration::from_secs(2));
    let answer = party.refresh(first.refresh_token()).await.expect(200);
    assert!(answer.header("cache-control").contains("no-store"));
    let second = Tokens(answer.json());
    assert!(second.0["token_type"].as_str().unwrap().eq_ignore_ascii_case("bearer"));
    let (before, after) = (claims(first.id_token()), claims(second.id_token()));
    for claim in ["iss", "sub", "aud", "azp", "auth_time"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_ne!(before["iat"], after["iat"]);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", second.refresh_token()),
        ("scope", "openid offline_access"),
    ];
    let third = Tokens(party.token(&fields).await.expect(200).json());
    server.party("other").refresh(third.refresh_token()).await.expect_error(400, "invalid_grant");
    let discovery = server.get(&party.path("/.well-known/openid-configuration")).await.json();
    assert!(discovery["grant_types_supported"].as_array().unwrap().contains(&json!("refresh_token")));
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let tokens = flow(&party, &server.browser(), &[]).await;
    baseline(&server, &party, &tokens, None).await;
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let server = TestServer::start().await;
    let path = "/default/default/.well-known/openid-configuration";
    let answer = server.get(path).await.expect(200);
    assert!(answer.header("content-type").starts_with("application/json"));
    let document = answer.json();
    assert_eq!(document["issuer"], format!("{ORIGIN}/default/default"));
    for (name, value) in document.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            assert!(value.as_str().unwrap().starts_with("https://"), "{name}");
        }
    }
    let has = |member: &str, value: &str| document[member].as_array().unwrap().contains(&json!(value));
    for (member, value) in [
        ("response_types_supported", "code"),
        ("subject_types_supported", "public"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("scopes_supported", "openid"),
        ("scopes_supported", "offline_access"),
        ("code_challenge_methods_supported", "S256"),
        ("claims_supported", "sub"),
        ("token_endpoint_auth_methods_supported", "none"),
        ("token_endpoint_auth_methods_supported", "private_key_jwt"),
        ("response_modes_supported", "form_post"),
        ("prompt_values_supported", "none"),
    ] {
        assert!(has(member, value), "{member} ∌ {value}: {}", document[member]);
    }
    for locale in document["ui_locales_supported"].as_array().into_iter().flatten() {
        assert!(locale.as_str().unwrap().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{locale}");
    }
}

#[tokio::test]
async fn oidcc_formpost_basic_answers_and_errors_are_posted() {
    let server = TestServer::start().await;
    let party = client(&server, "openid");
    let browser = server.browser();
    let page =
        browser.authorize(&party.authorize_url(&[("response_mode", "form_post"), ("state", "s")])).await;
    let form = page.expect(200).form("form-post");
    assert_eq!(form.action.as_str(), "https://example.com/callback");
    let names: BTreeSet<&str> = form.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["code", "iss", "state"]));
    party.redeem(form.value("code").unwrap()).await.expect(200);
    let fresh = server.browser();
    for (more, error) in [
        (&[("prompt", "none")][..], "login_required"),
        (&[("scope", "openid nonsense")], "invalid_scope"),
        (&[("response_type", "")], "invalid_request"),
    ] {
        let mut parameters = vec![("response_mode", "form_post"), ("state", "s")];
        parameters.extend_from_slice(more);
        let form = fresh.load(&party.authorize_url(&parameters)).await.expect(200).form("form-post");
        assert_eq!(form.value("error"), Some(error));
        assert_eq!(form.value("state"), Some("s"));
        assert!(form.value("iss").is_some());
        assert!(form.action.query().is_none() && form.action.fragment().is_none());
    }
}

#[tokio::test]
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let two = json!({"redirect_uris": ["https://example.com/callback", "https://example.com/second"]});
    administrator.change("/clients/client", &two).await;
    let party = client(&server, "openid");
    let answer = server.browser().load(&party.authorize_url(&[("redirect_uri", "")])).await;
    answer.expect_error_page("invalid_request");
}

#[tokio::test]
async fn oidcc_redirect_uri_query_ok_mismatch_added() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let registered = "https://example.com/callback?dummy1=lorem&dummy2=ipsum";
    administrator.change("/clients/client", &json!({"redirect_uris": [registered]})).await;
    let party = client(&server, "openid").with_redirect_uri(registered);
    let answer = server.browser().authorize(&party.authorize_url(&[])).await;
    assert!(answer.location().as_str().starts_with(registered), "{}", answer.location());
    redeem(&party, &answer).await;
    for other in [
        "https://example.com/callback?dummy1=lorem&dummy2=other",
        "https://example.com/callback?dummy1=lorem&dummy2=ipsum&x=y",
    ] {
        let other = party.clone().with_redirect_uri(other);
        server.browser().load(&other.authorize_url(&[])).await.expect_error_page("invalid_request");
    }
}

#[tokio::test]
async fn oidcc_registration_logo_policy_tos_uri() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let uris = json!({
        "logo_uri": "https://example.com/logo.png",
        "policy_uri": "https://example.com/policy",
        "tos_uri": "https://example.com/terms"
    });
    administrator.change("/clients/client", &uris).await;
    let page = server.browser().open(&client(&server, "openid").authorize_url(&[])).await.expect(200);
    let text = page.text();
    for (id, uri) in [("client-logo", "logo.png"), ("client-policy", "policy"), ("client-tos", "terms")] {
        assert!(text.contains(&format!("id=\"{id}\"")), "{id}");
        assert!(text.contains(&format!("https://example.com/{uri}")), "{uri}");
    }
    assert!(page.header("content-security-policy").contains("img-src"), "the logo may be loaded");
}

// What MCP clients and others check besides (acceptance of the first issue).

#[tokio::test]
async fn mcp_5_a_registered_resource_is_taken_verbatim_on_every_leg() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let resource = "https://mcp.example/server/";
    let service = json!({"authorization_server_id": "default", "id": "mcp", "name": "MCP", "custom_audience": resource});
    administrator.post("/services", &service).await.expect(201);
    let party = server.party("app").with_scope("openid offline_access");
    let code = party.code_with(&server.browser(), &[("resource", resource)]).await;
    let mut fields = party.redemption(&code).to_vec();
    fields.push(("resource", resource));
    let tokens = Tokens(party.token(&fields).await.expect(200).json());
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token()), ("resource", resource)];
    let refreshed = Tokens(party.token(&refresh).await.expect(200).json());
    for tokens in [&tokens, &refreshed] {
        let audience = claims(tokens.access_token())["aud"].to_string();
        assert!(audience.contains(&format!("\"{resource}\"")), "{audience}");
    }
    let twice = party.authorize_url(&[("resource", resource)]) + "&" + &urlencoded(&[("resource", resource)]);
    let answer = server.browser().load(&twice).await;
    assert!(
        answer.is_redirect(),
        "RFC 8707 §2: resource may be repeated: {} {}",
        answer.status,
        answer.text()
    );
    assert!(answer.location().path().ends_with("/login"), "{}", answer.location());
}

#[tokio::test]
async fn mcp_10_error_codes_that_make_clients_do_the_right_thing() {
    let server = TestServer::start().await;
    let unknown = server.party_at("/default/default", "nobody", None);
    unknown.redeem("x").await.expect_error(401, "invalid_client");
    let app = server.party("app");
    app.redeem("x").await.expect_error(400, "invalid_grant");
    app.refresh("x").await.expect_error(400, "invalid_grant");
    app.client_credentials("").await.expect_error(400, "unauthorized_client");
    server.party("service").redeem("x").await.expect_error(400, "unauthorized_client");
}

#[tokio::test]
async fn w_10_a_person_who_is_gone_has_no_session_refresh_or_userinfo() {
    let server = TestServer::start().await;
    let party = client(&server, "openid offline_access");
    let browser = server.browser();
    let tokens = flow(&party, &browser, &[]).await;
    let unused = party.code_in(&browser).await;
    let tenant = protocol::id::TenantId::new("default");
    let kind = protocol::record::DocumentKind::Idp;
    let found =
        server.engine().document(&tenant, kind, "default-sandbox").await.unwrap().expect("the provider");
    let mut idp: Value = serde_json::from_str(&found.body).unwrap();
    idp["users"] = json!([]);
    let expect = protocol::record::Expect::Revision(found.revision);
    let document = protocol::record::Document { body: idp.to_string(), ..found };
    let write = protocol::record::Write::PutDocument { document, expect };
    server.engine().commit(&tenant, vec![write], Vec::new(), None, "").await.unwrap();
    party.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    party.redeem(&unused).await.expect_error(400, "invalid_grant");
    party.userinfo(tokens.access_token()).await.expect(401);
    assert!(!party.is_active(tokens.access_token()).await);
    let silent = browser.load(&party.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(silent.response_parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_scope_taken_from_the_client_is_not_refreshed() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let party = client(&server, "openid email offline_access");
    let tokens = party.tokens().await;
    let mut document = administrator.get("/clients/client").await.expect(200).json();
    document.as_object_mut().unwrap().remove("scope");
    document["scopes"] = json!(["openid", "offline_access"]);
    administrator.put("/clients/client", &document).await.expect(200);
    let answer = party.refresh(tokens.refresh_token()).await;
    if answer.status == 200 {
        let scopes = claims(answer.json()["access_token"].as_str().unwrap())["scp"].clone();
        assert!(!scopes.as_array().unwrap().contains(&json!("email")), "{scopes}");
    } else {
        answer.expect(400);
    }
}

#[tokio::test]
async fn a_grant_type_taken_from_the_client_ends_its_refresh() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let party = client(&server, "openid offline_access");
    let tokens = party.tokens().await;
    administrator.change("/clients/client", &json!({"grant_types": ["authorization_code"]})).await;
    party.refresh(tokens.refresh_token()).await.expect_error(400, "unauthorized_client");
}

//! OpenID Connect beside the plans of `every_flow` and `config_plan`: registered algorithms, redirect URIs and pages, and
//! what takes a grant away.

use serde_json::{Value, json};
use testkit::{Answer, Browser, RelyingParty, TestServer, Tokens, claims, header, urlencoded, verified};

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

// shows: oidcc-idtoken-rs256
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
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let two = json!({"redirect_uris": ["https://example.com/callback", "https://example.com/second"]});
    administrator.change("/clients/client", &two).await;
    let party = client(&server, "openid");
    let answer = server.browser().load(&party.authorize_url(&[("redirect_uri", "")])).await;
    answer.expect_error_page("invalid_request");
}

// shows: oidcc-redirect-uri-query-OK, oidcc-redirect-uri-query-mismatch, oidcc-redirect-uri-query-added
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

// shows: oidcc-registration-logo-uri, oidcc-registration-policy-uri, oidcc-registration-tos-uri
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
    server.engine().commit(&tenant, vec![write], Vec::new(), None, &engine::Call::default()).await.unwrap();
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

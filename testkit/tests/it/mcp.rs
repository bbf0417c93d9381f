//! What clients of the Model Context Protocol demand of an authorization server, line by line, as such a client acts: it
//! knows nothing but the address of an MCP server and what that one says.

use base64::Engine as _;
use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Ask, ORIGIN, RelyingParty, Site, TestServer, claims, signer, urlencoded};

const ISSUER: &str = "https://localhost:8443/default/default";
/// Where a client of RFC 8414 and OpenID Connect looks, in this order.
const SHAPES: [&str; 3] = [
    "/.well-known/oauth-authorization-server/default/default",
    "/.well-known/openid-configuration/default/default",
    "/default/default/.well-known/openid-configuration",
];
const RESOURCE: &str = "https://mcp.example.com/mcp";
const WITH_SLASH: &str = "https://files.example.com/";
const CALLBACK: &str = "http://127.0.0.1:33418/callback";

/// A server with open registration and two MCP servers as its resources.
async fn start() -> TestServer {
    let server = TestServer::reaching_loopback().await;
    let administrator = server.administrator().await;
    let members = json!({"dynamic_client_registration": {"enabled": true}});
    administrator.change("/servers/default", &members).await;
    for (id, audience) in [("mcp", RESOURCE), ("files", WITH_SLASH)] {
        let service = json!({
            "authorization_server_id": "default", "id": id, "name": id, "custom_audience": audience,
        });
        administrator.post("/services", &service).await.expect(201);
        let name = format!("{id}:use");
        let scope = json!({"authorization_server_id": "default", "service_id": id, "name": name});
        administrator.post("/scopes", &scope).await.expect(201);
    }
    server
}

async fn register(server: &TestServer, metadata: &Value) -> Answer {
    let document = server.get(SHAPES[0]).await.expect(200).json();
    let endpoint = document["registration_endpoint"].as_str().expect("registration_endpoint").to_owned();
    server.send(Ask::json(Method::POST, &endpoint, metadata)).await
}

/// As deployed clients register themselves.
fn metadata() -> Value {
    json!({
        "client_name": "MCP client",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    })
}

/// A client that registered itself.
async fn registered(server: &TestServer) -> RelyingParty {
    let client = register(server, &metadata()).await.expect(201).json();
    let id = client["client_id"].as_str().expect("client_id");
    let party = server.party_at("/default/default", id, None).with_redirect_uri(CALLBACK);
    party.with_scope("openid offline_access mcp:use")
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

#[tokio::test]
async fn mcp_1_discovery_at_three_addresses_and_4xx_for_what_is_unknown() {
    let server = start().await;
    let first = server.get(SHAPES[0]).await.expect(200).json();
    for shape in SHAPES {
        let answer = server.get(shape).await.expect(200);
        assert_eq!(answer.json(), first, "{shape}");
        assert!(!answer.is_redirect());
    }
    for unknown in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-authorization-server/default",
        "/.well-known/oauth-authorization-server/nobody/default",
        "/.well-known/openid-configuration/default/nothing",
        "/nobody/nothing/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource/default/default/nothing",
        "/.well-known/oauth-protected-resource/nobody/default/userinfo",
        "/.well-known/oauth-protected-resource/default/default/services/nothing",
        "/.well-known/oauth-protected-resource/api/admin/nobody",
        "/.well-known/oauth-protected-resource/a%00b/%ff/userinfo",
    ] {
        let answer = server.get(unknown).await;
        assert!(answer.status.is_client_error(), "{unknown}: {}", answer.status);
    }
}

#[tokio::test]
async fn mcp_2_the_issuer_is_the_advertised_url_character_for_character() {
    let server = start().await;
    let resource = "/.well-known/oauth-protected-resource/default/default/services/mcp";
    let resource = server.get(resource).await.expect(200).json();
    let advertised = resource["authorization_servers"][0].as_str().expect("an authorization server");
    assert_eq!(advertised, ISSUER);
    for shape in SHAPES {
        assert_eq!(server.get(shape).await.json()["issuer"], advertised, "{shape}");
    }
    let tokens = registered(&server).await.tokens().await;
    assert_eq!(claims(tokens.access_token())["iss"], advertised);
}

#[tokio::test]
async fn mcp_3_s256_and_the_code_flow_are_in_every_document() {
    let server = start().await;
    for shape in SHAPES {
        let document = server.get(shape).await.expect(200).json();
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]), "{shape}");
        let types = document["response_types_supported"].as_array().expect("response types");
        assert!(types.contains(&json!("code")), "{shape}");
    }
}

#[tokio::test]
async fn mcp_4_iss_is_in_success_and_error() {
    let server = start().await;
    let document = server.get(SHAPES[0]).await.json();
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let party = registered(&server).await;
    let browser = server.browser();
    let success = browser.authorize(&party.authorize_url(&[("state", "s")])).await;
    assert!(success.response_parameter("code").is_some());
    let denied = browser.open(&party.authorize_url(&[("prompt", "consent")])).await;
    let denied = browser.submit(&denied.form("consent-form").with("decision", "deny")).await;
    let early = server.browser().open(&party.authorize_url(&[("prompt", "none")])).await;
    let wrong =
        server.browser().open(&party.authorize_url(&[("resource", "https://unknown.example/")])).await;
    for (answer, error) in [
        (&success, None),
        (&denied, Some("access_denied")),
        (&early, Some("login_required")),
        (&wrong, Some("invalid_target")),
    ] {
        assert_eq!(answer.response_parameter("error").as_deref(), error);
        assert_eq!(answer.response_parameter("iss").as_deref(), Some(ISSUER), "{error:?}");
    }
}

#[tokio::test]
async fn mcp_5_resources_are_audiences_verbatim() {
    let server = start().await;
    let party = registered(&server).await;
    for resource in [RESOURCE, WITH_SLASH] {
        let code = party.code_with(&server.browser(), &[("resource", resource)]).await;
        let mut fields = party.redemption(&code).to_vec();
        fields.push(("resource", resource));
        let tokens = party.token(&fields).await.expect(200).json();
        let audience =
            |tokens: &Value| claims(tokens["access_token"].as_str().expect("a token"))["aud"].clone();
        assert_eq!(audience(&tokens), json!([resource]));
        let refresh = tokens["refresh_token"].as_str().expect("a refresh token");
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("resource", resource)];
        assert_eq!(audience(&party.token(&refresh).await.expect(200).json()), json!([resource]));
    }
    // Several at once, each alone afterwards.
    let both = format!("&{}", urlencoded(&[("resource", RESOURCE), ("resource", WITH_SLASH)]));
    let answer = server.browser().authorize(&(party.authorize_url(&[]) + &both)).await;
    let code = answer.response_parameter("code").expect("a code");
    let tokens = party.redeem(&code).await.expect(200).json();
    let access = tokens["access_token"].as_str().expect("a token");
    assert_eq!(claims(access)["aud"], json!([RESOURCE, WITH_SLASH]));
    let refresh = tokens["refresh_token"].as_str().expect("a refresh token");
    let unlike = ["https://mcp.example.com/mcp/", "https://files.example.com", "https://MCP.example.com/mcp"];
    for other in unlike {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("resource", other)];
        party.token(&fields).await.expect_error(400, "invalid_target");
        let refused = server.browser().open(&party.authorize_url(&[("resource", other)])).await;
        assert_eq!(refused.response_parameter("error").as_deref(), Some("invalid_target"), "{other}");
    }
    let alone = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("resource", WITH_SLASH)];
    let narrowed = party.token(&alone).await.expect(200).json();
    let access = narrowed["access_token"].as_str().expect("a token");
    assert_eq!(claims(access)["aud"], json!([WITH_SLASH]));
}

/// The second half of line 5: what our own APIs say about themselves.
#[tokio::test]
async fn mcp_5_our_own_apis_have_metadata_and_lead_to_it() {
    let server = start().await;
    let party = registered(&server).await;
    let tokens = party.tokens().await;
    for (path, document, realm) in [
        ("/default/default/userinfo", "/default/default/userinfo", ISSUER),
        ("/default/default/clients", "/default/default/clients", ISSUER),
        ("/api/admin/default/servers", "/api/admin/default", "https://localhost:8443/default/admin"),
    ] {
        let url = format!("{ORIGIN}/.well-known/oauth-protected-resource{document}");
        for ask in [Ask::get(path), Ask::get(path).bearer("nonsense")] {
            let answer = server.send(ask).await.expect(401);
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains(&format!("resource_metadata=\"{url}\"")), "{path}: {challenge}");
        }
        let answer = server.get(&url).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(answer.header("cache-control").contains("max-age"));
        let metadata = answer.json();
        assert_eq!(metadata["resource"], format!("{ORIGIN}{document}"));
        assert_eq!(metadata["authorization_servers"], json!([realm]));
        assert!(metadata["bearer_methods_supported"].as_array().expect("methods").contains(&json!("header")));
        assert!(metadata["resource_name"].is_string() && !has_null(&metadata), "{metadata}");
    }
    let unasked = server.get("/default/default/userinfo").await;
    assert!(unasked.header("www-authenticate").contains("scope=\"openid\""), "what to ask for");
    // Step up: the scope that is missing.
    let ask = Ask::get("/default/default/clients").bearer(tokens.access_token());
    let refused = server.send(ask).await.expect_error(403, "insufficient_scope");
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"list_clients_with_access\""), "{challenge}");
    assert!(challenge.contains("resource_metadata=\""), "{challenge}");
}

#[tokio::test]
async fn mcp_6_registered_beforehand_by_itself_or_by_a_document() {
    let server = start().await;
    server.party("native").with_redirect_uri("http://127.0.0.1:9/callback").tokens().await;
    let client = register(&server, &metadata()).await.expect(201).json();
    assert_eq!(client["application_type"], "native");
    assert!(client["client_secret"].is_null());
    registered(&server).await.tokens().await;
    let document = server.get(SHAPES[0]).await.json();
    assert_eq!(document["client_id_metadata_document_supported"], true);
    let site = Site::start().await;
    let id = site.url("/oauth/client.json");
    let mut own = metadata();
    own["client_id"] = json!(id);
    site.put("/oauth/client.json", "Cache-Control: max-age=60\r\n", &own.to_string());
    let party = server.party_at("/default/default", &id, None).with_redirect_uri(CALLBACK);
    party.tokens().await;
    let moved = server.party_at("/default/default", &id, None).with_redirect_uri("https://evil.example/cb");
    server.browser().open(&moved.authorize_url(&[])).await.expect_error_page("invalid_request");
    // A document that says it is somebody else's.
    own["client_id"] = json!(site.url("/oauth/other.json"));
    site.put("/oauth/liar.json", "", &own.to_string());
    let liar = server.party_at("/default/default", &site.url("/oauth/liar.json"), None);
    let refused = server.browser().open(&liar.with_redirect_uri(CALLBACK).authorize_url(&[])).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn mcp_7_no_member_is_null_and_types_are_right() {
    let server = start().await;
    for shape in SHAPES {
        let document = server.get(shape).await.json();
        assert!(!has_null(&document), "{document}");
        for (name, value) in document.as_object().expect("an object") {
            if name.ends_with("_endpoint") || name.ends_with("_uri") || name == "issuer" {
                url::Url::parse(value.as_str().expect(name)).expect(name);
            }
        }
    }
    let mut sparse = metadata();
    sparse["client_uri"] = Value::Null;
    sparse["contacts"] = Value::Null;
    let client = register(&server, &sparse).await.expect(201).json();
    assert!(!has_null(&client), "{client}");
    assert_eq!(client["redirect_uris"], json!([CALLBACK]));
    assert!(client["client_id_issued_at"].is_i64());
    let party = registered(&server).await;
    let tokens = party.tokens().await.0;
    assert!(!has_null(&tokens) && tokens["expires_in"].is_u64(), "{tokens}");
    let refreshed =
        party.refresh(tokens["refresh_token"].as_str().expect("a token")).await.expect(200).json();
    assert!(!has_null(&refreshed), "{refreshed}");
}

#[tokio::test]
async fn mcp_8_native_public_clients_any_port_and_rotation() {
    let server = start().await;
    let party = registered(&server).await.with_redirect_uri("http://127.0.0.1:50999/callback");
    let document = server.get(SHAPES[0]).await.json();
    let scopes = document["scopes_supported"].as_array().expect("scopes");
    assert!(scopes.contains(&json!("offline_access")), "then clients ask for it with prompt=consent");
    let code = party.code_with(&server.browser(), &[("prompt", "consent")]).await;
    let tokens = party.redeem(&code).await.expect(200).json();
    assert!(tokens["expires_in"].as_u64().expect("expires_in") <= 3600, "short-lived");
    let first = tokens["refresh_token"].as_str().expect("a refresh token");
    let second = party.refresh(first).await.expect(200).json();
    let second = second["refresh_token"].as_str().expect("a refresh token");
    assert_ne!(first, second);
    party.refresh(second).await.expect(200);
    party.refresh(first).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn mcp_9_basic_works_without_encoding() {
    let server = start().await;
    let mut confidential = metadata();
    confidential["token_endpoint_auth_method"] = json!("client_secret_basic");
    let client = register(&server, &confidential).await.expect(201).json();
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    for made in [id, secret] {
        assert!(made.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{made}");
    }
    let party = server.party_at("/default/default", id, Some(secret)).with_redirect_uri(CALLBACK);
    let code = party.code().await;
    let raw = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    let ask = Ask::form(&party.path("/oauth2/token"), &party.redemption(&code));
    server.send(ask.header("authorization", &format!("Basic {raw}"))).await.expect(200);
}

#[tokio::test]
async fn mcp_10_browsers_may_call_and_errors_are_exact() {
    let server = start().await;
    let paths = [
        SHAPES[0],
        SHAPES[1],
        SHAPES[2],
        "/.well-known/oauth-protected-resource/default/default/services/mcp",
        "/default/default/oauth2/register",
        "/default/default/oauth2/token",
        "/default/default/oauth2/revoke",
    ];
    for path in paths {
        let ask = Ask::new(Method::OPTIONS, path)
            .header("origin", "https://inspector.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,mcp-protocol-version");
        let answer = server.send(ask).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        let allowed = answer.header("access-control-allow-headers").to_ascii_lowercase();
        assert!(allowed.contains("mcp-protocol-version"), "{path}: {allowed}");
        let real = Ask::get(path).header("mcp-protocol-version", "2025-11-25");
        assert_eq!(server.send(real).await.header("access-control-allow-origin"), "*", "{path}");
    }
    let party = registered(&server).await;
    party.redeem("wrong").await.expect_error(400, "invalid_grant");
    party.refresh("wrong").await.expect_error(400, "invalid_grant");
    let stranger = server.party_at("/default/default", "nobody-knows-me", None);
    stranger.redeem("wrong").await.expect_error(401, "invalid_client");
    party.client_credentials("").await.expect_error(400, "unauthorized_client");
    party.token(&[("grant_type", "magic")]).await.expect_error(400, "unsupported_grant_type");
}

#[tokio::test]
async fn mcp_11_extensions_that_clients_have() {
    let server = start().await;
    let document = server.get(SHAPES[0]).await.json();
    let grants = document["grant_types_supported"].as_array().expect("grants");
    for grant in [
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        assert!(grants.contains(&json!(grant)), "{grant}");
    }
    let methods = document["token_endpoint_auth_methods_supported"].as_array().expect("methods");
    assert!(methods.contains(&json!("private_key_jwt")));
    let key = signer(jose::Algorithm::ES256);
    let client = json!({
        "authorization_server_id": "default", "client_id": "machine", "grant_types": ["client_credentials"],
        "response_types": [], "scopes": ["mcp:use"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.public_jwk()]},
    });
    server.administrator().await.post("/clients", &client).await.expect(201);
    let now = engine::Clock::now(server.clock()).seconds();
    let assertion = json!({"iss": "machine", "sub": "machine", "aud": ISSUER, "exp": now + 60, "jti": "1"});
    let assertion = key.sign_jwt("JWT", &assertion).expect("a signature");
    let fields = [
        ("grant_type", "client_credentials"),
        ("scope", "mcp:use"),
        ("resource", RESOURCE),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    let tokens = server.send(Ask::form("/default/default/oauth2/token", &fields)).await.expect(200).json();
    let access = claims(tokens["access_token"].as_str().expect("a token"));
    assert_eq!((&access["aud"], &access["scope"]), (&json!([RESOURCE]), &json!("mcp:use")));
}

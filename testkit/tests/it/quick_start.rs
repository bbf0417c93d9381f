//! The quick start, over HTTP and step by step, exactly as its page tells it.

use serde_json::{Value, json};
use testkit::{Ask, ORIGIN, TestServer, VERIFIER, claims, header, s256, urlencoded, verified};

/// The body of step 2.
fn my_app() -> Value {
    json!({
        "authorization_server_id": "default",
        "client_id": "client-pkce",
        "client_name": "My app",
        "grant_types": ["authorization_code"],
        "public": true,
        "redirect_uris": ["https://example.com/callback"],
        "token_endpoint_auth_method": "none",
        "response_types": ["token", "id_token", "code"],
        "scopes": ["email", "openid"]
    })
}

fn authorize_url() -> String {
    let challenge = s256(VERIFIER);
    let query = urlencoded(&[
        ("client_id", "client-pkce"),
        ("scope", "openid"),
        ("redirect_uri", "https://example.com/callback"),
        ("response_type", "code"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    format!("/default/default/oauth2/authorize?{query}")
}

#[tokio::test]
async fn the_quick_start_from_swagger_to_the_tokens() {
    let server = TestServer::on_sqlite().await;

    // 1. Swagger UI, authorized with the demo's client by client_credentials.
    let swagger = server.browser().open("/api/swagger/default").await.expect(200);
    assert!(swagger.text().to_ascii_lowercase().contains("swagger"), "{}", swagger.text());
    let administrator = server.administrator().await;

    // 2. The client; a second one of the same id is refused.
    let created = administrator.post("/clients", &my_app()).await.expect(201).json();
    for (member, expected) in my_app().as_object().unwrap() {
        if member != "public" {
            assert_eq!(&created[member], expected, "{member}");
        }
    }
    assert_eq!(created["tenant_id"], "default");
    let again = administrator.post("/clients", &my_app()).await.expect(409).json();
    assert_eq!(again["status_code"], 409);
    assert!(again["error"].is_string(), "{again}");

    // 3. The browser: no state, no nonce.
    let browser = server.browser();
    let login = browser.open(&authorize_url()).await.expect(200);
    assert!(login.asked.starts_with("/default/default/login"), "{}", login.asked);
    let consent = browser.log_in(&login).await.expect(200);
    assert!(consent.asked.starts_with("/default/default/consent"), "{}", consent.asked);
    assert!(consent.text().contains("My app"), "the client is named");
    assert_eq!(consent.element("consent-destination").as_deref(), Some("example.com"));
    let arrived = browser.allow(&consent).await;
    let location = arrived.location();
    assert!(location.as_str().starts_with("https://example.com/callback?"), "{location}");
    let code = arrived.response_parameter("code").expect("a code");
    assert_eq!(code.len(), 43);
    assert_eq!(arrived.response_parameter("iss").unwrap(), format!("{ORIGIN}/default/default"));
    assert_eq!(arrived.response_parameter("state"), None);

    // 4. The page's curl command.
    let body = format!(
        "grant_type=authorization_code&client_id=client-pkce\
         &redirect_uri=https%3A%2F%2Fexample.com%2Fcallback&code={code}&code_verifier={VERIFIER}"
    );
    let ask = Ask::new(http::Method::POST, "/default/default/oauth2/token")
        .body("application/x-www-form-urlencoded", body)
        .header("accept", "*/*")
        .header("user-agent", "curl/8.5.0");
    let answer = server.send(ask).await.expect(200);
    let tokens = answer.json();
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], "openid");
    assert_eq!(tokens["token_type"], "bearer");
    let members: Vec<&String> = tokens.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "id_token", "scope", "token_type"]);
    assert!(answer.text().starts_with("{\"access_token\":"), "alphabetical: {}", answer.text());

    // What the tokens say, by the published keys.
    let jwks = server.get("/default/default/.well-known/jwks.json").await.expect(200).body;
    let id_token = verified(tokens["id_token"].as_str().unwrap(), &jwks);
    assert_eq!(id_token["iss"], format!("{ORIGIN}/default/default"));
    assert_eq!(id_token["aud"], json!(["client-pkce"]).get(0).cloned().unwrap());
    let access_token = verified(tokens["access_token"].as_str().unwrap(), &jwks);
    assert_eq!(access_token["scp"], json!(["openid"]));
    assert_eq!(access_token["tid"], "default");
    assert_eq!(access_token["aid"], "default");
    assert_eq!(access_token["sub"], id_token["sub"]);
}

#[tokio::test]
async fn the_confidential_sibling_with_basic() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let tokens = client.tokens().await;
    assert_eq!(tokens.0["token_type"], "bearer");
    assert_eq!(tokens.0["scope"], "openid");
    assert!(tokens.0["refresh_token"].is_null(), "no refresh token without offline_access");
}

#[tokio::test]
async fn the_confidential_sibling_without_pkce() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let url = client.authorize_url(&[("code_challenge", ""), ("code_challenge_method", "")]);
    let answer = server.browser().authorize(&url).await;
    let code = answer.response_parameter("code").expect("a code");
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", &client.redirect_uri)];
    client.token(&fields).await.expect(200);
}

#[tokio::test]
async fn client_credentials_and_refresh_with_offline_access() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let own = client.client_credentials("").await.expect(200).json();
    assert!(own["id_token"].is_null() && own["refresh_token"].is_null(), "{own}");
    let access = claims(own["access_token"].as_str().unwrap());
    assert_eq!(access["sub"], "client");
    assert_eq!(access["client_id"], "client");

    let tokens = client.clone().with_scope("openid offline_access").tokens().await;
    let refreshed = client.refresh(tokens.refresh_token()).await.expect(200).json();
    assert_ne!(refreshed["refresh_token"], tokens.0["refresh_token"]);
    assert_ne!(refreshed["access_token"], tokens.0["access_token"]);
    assert_eq!(refreshed["scope"], tokens.0["scope"]);
}

#[tokio::test]
async fn access_tokens_carry_both_claim_sets() {
    let server = TestServer::start().await;
    let tokens = server.party("client").with_scope("openid email").tokens().await;
    let head = header(tokens.access_token());
    assert_eq!((&head["typ"], &head["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let access = claims(tokens.access_token());
    for member in ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "scp", "tid", "aid", "st", "idp", "amr"] {
        assert!(!access[member].is_null(), "{member} in {access:#}");
    }
    assert_eq!(access["client_id"], "client");
    assert_eq!(access["scope"], "openid email");
    assert_eq!(access["amr"], json!(["pwd"]));
    assert_eq!(access["sub"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn landing_pages_and_a_404_that_helps() {
    let server = TestServer::start().await;
    for path in ["/", "/default"] {
        let page = server.browser().open(path).await.expect(200);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
    }
    for path in ["/nowhere/at/all", "/default/default/nowhere", "/nobody", "/nobody/default/oauth2/authorize"]
    {
        let ask = Ask::get(path).header("accept", "text/html");
        let page = server.send(ask).await.expect(404);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
    }
    for path in ["/alive", "/ready"] {
        // Health is the binary's own; the rooms must not answer in its place with a page.
        let answer = server.get(path).await;
        assert_ne!(answer.status, 500, "{path}");
    }
}

//! Clients that are known by a document at their `client_id` (decisions 13).

use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Ask, RelyingParty, Site, TestServer};

/// A document as Claude Code publishes it: loopback without a port, more members than anybody knows (B10, B11).
fn claude_code(id: &str) -> Value {
    json!({
        "client_id": id,
        "client_name": "Claude Code",
        "client_uri": "https://claude.ai",
        "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

/// As VS Code publishes it: web and loopback redirects side by side.
fn vs_code(id: &str) -> Value {
    json!({
        "client_id": id,
        "client_name": "Visual Studio Code",
        "application_type": "native",
        "client_uri": "https://code.visualstudio.com",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "response_types": ["code"],
        "redirect_uris": ["https://vscode.dev/redirect", "http://127.0.0.1:33418/", "http://127.0.0.1/"],
        "token_endpoint_auth_method": "none",
    })
}

/// As ChatGPT publishes it: a list of what it can do (RP Metadata Choices), and members that are new.
fn chat_gpt(id: &str) -> Value {
    json!({
        "client_id": id,
        "client_name": "ChatGPT",
        "application_type": "web",
        "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_post",
        "token_endpoint_auth_methods_supported": ["private_key_jwt_v2", "none"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "contacts": null,
        "x_future": {"a": [1, {"b": 2}]},
    })
}

async fn start() -> (TestServer, Site) {
    (TestServer::reaching_loopback().await, Site::start().await)
}

fn party(server: &TestServer, id: &str, redirect_uri: &str) -> RelyingParty {
    let party = server.party_at("/default/default", id, None).with_redirect_uri(redirect_uri);
    party.with_scope("openid offline_access")
}

// shows: mcp-6
#[tokio::test]
async fn b_10_b_11_documents_in_the_wild_lead_to_tokens() {
    let (server, site) = start().await;
    let id = site.url("/oauth/client.json");
    for (document, redirect_uri) in [
        (claude_code(&id), "http://localhost:52341/callback"),
        (claude_code(&id), "http://127.0.0.1:8123/callback"),
        (vs_code(&id), "http://127.0.0.1:40000/"),
        (vs_code(&id), "https://vscode.dev/redirect"),
        (chat_gpt(&id), "https://chatgpt.com/connector_platform_oauth_redirect"),
    ] {
        site.put("/oauth/client.json", "Cache-Control: no-store\r\n", &document.to_string());
        server.clock().advance(Duration::from_secs(61));
        let party = party(&server, &id, redirect_uri);
        let tokens = party.tokens().await;
        party.userinfo(tokens.access_token()).await.expect(200);
        let again = party.refresh(tokens.refresh_token()).await.expect(200).json();
        assert_ne!(again["refresh_token"], tokens.refresh_token(), "{redirect_uri}: public clients rotate");
    }
}

#[tokio::test]
async fn the_consent_page_shows_the_hosts() {
    let (server, site) = start().await;
    let id = site.url("/client.json");
    site.put("/client.json", "", &chat_gpt(&id).to_string());
    let browser = server.browser();
    let party = party(&server, &id, "https://chatgpt.com/connector_platform_oauth_redirect");
    let login = browser.open(&party.authorize_url(&[])).await;
    let page = browser.log_in(&login).await;
    assert!(page.has_form("consent-form"), "{}", page.text());
    let host = id.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap();
    assert!(page.text().contains(host), "the host of the document");
    assert_eq!(page.element("consent-destination").as_deref(), Some("chatgpt.com"));
}

#[tokio::test]
async fn a_login_in_progress_keeps_the_document_that_was_shown() {
    let (server, site) = start().await;
    let id = site.url("/client.json");
    site.put("/client.json", "Cache-Control: no-store\r\n", &chat_gpt(&id).to_string());
    let browser = server.browser();
    let party = party(&server, &id, "https://chatgpt.com/connector_platform_oauth_redirect");
    let login = browser.open(&party.authorize_url(&[])).await;
    let mut other = chat_gpt(&id);
    other["client_name"] = json!("Your bank");
    site.put("/client.json", "", &other.to_string());
    server.clock().advance(Duration::from_secs(61));
    let page = browser.log_in(&login).await;
    assert!(page.text().contains("ChatGPT") && !page.text().contains("Your bank"));
    assert!(browser.allow(&page).await.response_parameter("code").is_some());
}

#[tokio::test]
async fn a_document_is_kept_as_its_headers_say_and_its_end_ends_the_refresh() {
    let (server, site) = start().await;
    let id = site.url("/client.json");
    site.put("/client.json", "Cache-Control: max-age=600\r\n", &claude_code(&id).to_string());
    let party = party(&server, &id, "http://localhost:1234/callback");
    let tokens = party.tokens().await;
    assert_eq!(site.visits(), 1, "kept");
    site.remove("/client.json");
    let tokens = party.refresh(tokens.refresh_token()).await.expect(200).json();
    server.clock().advance(Duration::from_secs(601));
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let answer = party.refresh(refresh_token).await.expect_error(401, "invalid_client");
    assert!(answer.text().contains("metadata document"), "{}", answer.text());
    let visits = site.visits();
    party.refresh(refresh_token).await.expect_error(401, "invalid_client");
    assert_eq!(site.visits(), visits, "a failure is kept for a moment");
    // It comes back, and so does the client: it is the same one.
    site.put("/client.json", "", &claude_code(&id).to_string());
    server.clock().advance(Duration::from_secs(31));
    party.refresh(refresh_token).await.expect(200);
}

#[tokio::test]
async fn aut_31_only_trusted_public_addresses_are_fetched() {
    let server = TestServer::start().await;
    let site = Site::start().await;
    let inside = site.url("/client.json");
    site.put("/client.json", "", &claude_code(&inside).to_string());
    for id in [
        inside.as_str(),
        &inside.replace("http://", "https://"),
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/client.json",
        "https://10.0.0.1/client.json",
        "https://[::1]/client.json",
        "https://user@example.com/client.json",
        "https://example.com/a/../client.json",
        "https://example.com",
        "file:///etc/passwd",
    ] {
        let party = party(&server, id, "http://localhost:1234/callback");
        let answer = server.browser().load(&party.authorize_url(&[])).await;
        assert_eq!(answer.status, 400, "{id}: {}", answer.text());
        let answer = party.refresh("x").await;
        assert!(answer.status.is_client_error(), "{id}");
        assert_eq!(answer.json()["error"], "invalid_client", "{id}");
    }
    assert_eq!(site.visits(), 0);
}

#[tokio::test]
async fn aut_31_redirects_are_not_followed_and_documents_speak_for_themselves() {
    let (server, site) = start().await;
    let id = site.url("/client.json");
    let target = site.url("/target.json");
    site.put("/target.json", "", &claude_code(&id).to_string());
    site.redirect("/client.json", &target);
    let party = party(&server, &id, "http://localhost:1234/callback");
    assert_eq!(server.browser().load(&party.authorize_url(&[])).await.status, 400);
    assert_eq!(site.visits(), 1, "the target was not asked");
    // A document about another address.
    let other = server.party_at("/default/default", &target, None);
    assert_eq!(server.browser().load(&other.authorize_url(&[])).await.status, 400);
}

#[tokio::test]
async fn a_workspace_that_trusts_no_documents_knows_no_such_client() {
    let (server, site) = start().await;
    let id = site.url("/client.json");
    site.put("/client.json", "", &claude_code(&id).to_string());
    let administrator = server.administrator().await;
    let metadata = server.get("/default/default/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("none")), "opencode#47743: clients look for both");
    let policy = json!({"client_id_metadata_documents": {"enabled": false}});
    administrator.change("/servers/default", &policy).await;
    let party = party(&server, &id, "http://localhost:1234/callback");
    assert_eq!(server.browser().load(&party.authorize_url(&[])).await.status, 400);
    let metadata = server.get("/default/default/.well-known/oauth-authorization-server").await.json();
    assert!(metadata["client_id_metadata_document_supported"].is_null());
    let policy = json!({"client_id_metadata_documents": {"enabled": true, "allowed_hosts": ["example.com"]}});
    administrator.change("/servers/default", &policy).await;
    assert_eq!(server.browser().load(&party.authorize_url(&[])).await.status, 400);
    assert_eq!(site.visits(), 0);
}

#[tokio::test]
async fn the_client_authenticates_as_its_document_says() {
    let (server, site) = start().await;
    let id = site.url("/client.json");
    site.put("/client.json", "", &claude_code(&id).to_string());
    let party = party(&server, &id, "http://localhost:1234/callback");
    let code = party.code().await;
    let ask = Ask::form("/default/default/oauth2/token", &party.redemption(&code)).basic(&id, "a-secret");
    server.send(ask).await.expect_error(401, "invalid_client");
}

//! Tokens that were narrowed to a resource, at our own APIs (RFC 8707 §2, RFC 9068 §4, RFC 9700 §2.3, RFC 9728 §2).

use serde_json::{Value, json};
use testkit::{Answer, Ask, ORIGIN, RelyingParty, TestServer, claims};

const FOREIGN: &str = "https://mcp.example/mcp";
const SCOPE: &str = "openid profile offline_access view_sessions list_clients_with_access";
const USERINFO: &str = "/default/default/userinfo";
const CLIENTS: &str = "/default/default/clients";
const SESSIONS: &str = "/default/default/sso/sessions";
const SERVERS: &str = "/api/admin/default/servers";

/// A server with a foreign resource, and an application that may use every API of a workspace.
async fn start(form: Value) -> (TestServer, RelyingParty) {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    administrator.change("/servers/default", &form).await;
    let service =
        json!({"authorization_server_id": "default", "id": "mcp", "name": "MCP", "custom_audience": FOREIGN});
    administrator.post("/services", &service).await.expect(201);
    let scopes: Vec<&str> = SCOPE.split(' ').collect();
    administrator.change("/clients/client", &json!({"scopes": scopes, "grant_types": GRANTS})).await;
    let party = server.party("client").with_scope(SCOPE);
    (server, party)
}

const GRANTS: [&str; 4] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:token-exchange",
];

/// The identifier of an API of ours, as its own metadata says it.
async fn identifier(server: &TestServer, path: &str) -> String {
    let document =
        server.get(&format!("/.well-known/oauth-protected-resource{path}")).await.expect(200).json();
    document["resource"].as_str().expect("a resource").to_owned()
}

async fn at(server: &TestServer, path: &str, token: &str) -> Answer {
    server.send(Ask::get(path).bearer(token)).await
}

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().expect("an access token")
}

/// Tokens of a code that was asked for with the resources.
async fn tokens(server: &TestServer, party: &RelyingParty, resource: &str) -> Value {
    let code = party.code_with(&server.browser(), &[("resource", resource)]).await;
    party.redeem(&code).await.expect(200).json()
}

/// Refreshed tokens, with the resource or without.
async fn refreshed(party: &RelyingParty, before: &Value, resource: Option<&str>) -> Answer {
    let token = before["refresh_token"].as_str().expect("a refresh token");
    let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    fields.extend(resource.map(|resource| ("resource", resource)));
    party.token(&fields).await
}

#[tokio::test]
async fn rfc9068_4_a_token_for_another_resource_is_refused_at_every_api_of_ours() {
    for form in
        [json!({}), json!({"access_token_strategy": "opaque"}), json!({"access_token_profile": "acp"})]
    {
        let (server, party) = start(form.clone()).await;
        let narrowed = tokens(&server, &party, FOREIGN).await;
        let again = refreshed(&party, &narrowed, None).await.expect(200).json();
        for token in [access(&narrowed), access(&again)] {
            for path in [USERINFO, CLIENTS, SESSIONS] {
                let refused = at(&server, path, token).await.expect_error(401, "invalid_token");
                let challenge = refused.header("www-authenticate");
                assert!(challenge.contains("error=\"invalid_token\""), "{form} {path}: {challenge}");
                assert!(refused.text().contains("another resource"), "{form} {path}: {}", refused.text());
            }
            // The resource server's view of it is as before.
            let seen = party.introspect(token).await;
            assert_eq!((&seen["active"], &seen["aud"]), (&json!(true), &json!([FOREIGN])), "{form}");
        }
        let free = party.tokens().await;
        for path in [USERINFO, CLIENTS, SESSIONS] {
            at(&server, path, free.access_token()).await.expect(200);
        }
    }
}

#[tokio::test]
async fn rfc8707_2_2_what_was_narrowed_at_the_token_endpoint_stays_so_through_an_exchange() {
    let (server, party) = start(json!({})).await;
    let before = tokens(&server, &party, "").await;
    at(&server, USERINFO, access(&before)).await.expect(200);
    let own = identifier(&server, USERINFO).await;
    let narrowed = refreshed(&party, &before, Some(&own)).await.expect(200).json();
    assert_eq!(claims(access(&narrowed))["aud"], json!([own]));
    let exchange = [
        ("grant_type", GRANTS[3]),
        ("subject_token", access(&narrowed)),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    let exchanged = party.token(&exchange).await.expect(200).json();
    assert_eq!(claims(access(&exchanged))["aud"], json!([own]));
    at(&server, USERINFO, access(&exchanged)).await.expect(200);
    at(&server, CLIENTS, access(&exchanged)).await.expect_error(401, "invalid_token");
}

#[tokio::test]
async fn mcp_5_what_our_own_metadata_names_is_taken_as_a_resource_and_opens_that_api_alone() {
    let (server, party) = start(json!({})).await;
    for (path, other) in [(USERINFO, CLIENTS), (CLIENTS, USERINFO)] {
        let own = identifier(&server, path).await;
        assert_eq!(own, format!("{ORIGIN}{path}"));
        let first = tokens(&server, &party, &own).await;
        let again = refreshed(&party, &first, Some(&own)).await.expect(200).json();
        for tokens in [&first, &again] {
            assert_eq!(claims(access(tokens))["aud"], json!([own]));
            at(&server, path, access(tokens)).await.expect(200);
            for elsewhere in [other, SESSIONS] {
                at(&server, elsewhere, access(tokens)).await.expect_error(401, "invalid_token");
            }
        }
        refreshed(&party, &again, Some(FOREIGN)).await.expect_error(400, "invalid_target");
    }
}

#[tokio::test]
async fn mcp_5_the_management_api_is_a_resource_of_workspace_admin_alone() {
    let server = TestServer::start().await;
    let own = identifier(&server, "/api/admin/default").await;
    let ask = |workspace: &'static str, resource: String| {
        let party = server.party_at(workspace, "admin-swagger", Some(engine::demo::DEMO_SECRET));
        async move { party.token(&[("grant_type", "client_credentials"), ("resource", &resource)]).await }
    };
    let narrowed = ask("/default/admin", own.clone()).await.expect(200).json();
    assert_eq!(claims(access(&narrowed))["aud"], json!([own]));
    at(&server, SERVERS, access(&narrowed)).await.expect(200);
    // A token for workspace admin's userinfo is not one for the management API.
    let userinfo = ask("/default/admin", format!("{ORIGIN}/default/admin/userinfo")).await.expect(200).json();
    let refused = at(&server, SERVERS, access(&userinfo)).await.expect(401);
    let challenge = refused.header("www-authenticate");
    assert!(
        challenge.contains("error=\"invalid_token\"") && challenge.contains("another resource"),
        "{challenge}"
    );
    assert!(challenge.contains("resource_metadata="), "{challenge}");
    // Neither another tenant's nor another workspace's.
    for foreign in [format!("{ORIGIN}/api/admin/acme"), format!("{ORIGIN}{USERINFO}")] {
        ask("/default/admin", foreign).await.expect_error(400, "invalid_target");
    }
    let client = server.party("client");
    let fields = [("grant_type", "client_credentials"), ("resource", own.as_str())];
    client.token(&fields).await.expect_error(400, "invalid_target");
}

/// A client whose own audience is the resource that it narrows a token to has narrowed it all the same.
#[tokio::test]
async fn rfc8707_2_a_token_for_the_clients_own_audience_alone_opens_none_of_our_apis() {
    for form in
        [json!({}), json!({"access_token_strategy": "opaque"}), json!({"access_token_profile": "acp"})]
    {
        let (server, party) = start(form.clone()).await;
        let administrator = server.administrator().await;
        administrator.change("/clients/client", &json!({"audience": [FOREIGN]})).await;
        let free = tokens(&server, &party, "").await;
        let at_first = tokens(&server, &party, FOREIGN).await;
        let later = refreshed(&party, &at_first, None).await.expect(200).json();
        for narrowed in [&at_first, &later] {
            for path in [USERINFO, CLIENTS, SESSIONS] {
                at(&server, path, access(narrowed)).await.expect_error(401, "invalid_token");
            }
            let exchange = [
                ("grant_type", GRANTS[3]),
                ("subject_token", access(narrowed)),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ];
            let exchanged = party.token(&exchange).await.expect(200).json();
            at(&server, USERINFO, access(&exchanged)).await.expect_error(401, "invalid_token");
            let seen = party.introspect(access(narrowed)).await;
            assert_eq!((&seen["active"], &seen["aud"]), (&json!(true), &json!([FOREIGN])), "{form}");
        }
        for path in [USERINFO, CLIENTS, SESSIONS] {
            at(&server, path, access(&free)).await.expect(200);
        }
    }
}

//! The management API under attack, and its promises to honest callers.

use http::Method;
use serde_json::{Value, json};
use testkit::{Administrator, Answer, Ask, TestServer, signer};

async fn start() -> (TestServer, Administrator) {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    (server, administrator)
}

fn client(id: &str) -> Value {
    json!({
        "authorization_server_id": "default",
        "client_id": id,
        "client_name": "A client",
        "redirect_uris": ["https://example.com/callback"]
    })
}

/// The error body of the contract.
#[track_caller]
fn refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status.as_u16(), status, "{} {}", answer.asked, answer.text());
    let body = answer.json();
    assert_eq!(body["status_code"], status, "{body}");
    assert!(body["error"].is_string() && body["error_code"].is_string(), "{body}");
    assert!(body["cause"].is_null(), "the admin API has no `cause`: {body}");
}

#[tokio::test]
async fn adm_02_without_a_token_nothing_is_told() {
    let server = TestServer::start().await;
    for path in
        ["/clients/client", "/servers/default", "/servers/default/clients", "/clients/nobody", "/tenant"]
    {
        for authorization in ["", "Bearer", "Bearer x", "Basic YWRtaW4tc3dhZ2dlcjpuOEhG", "bearer null"] {
            let mut ask = Ask::get(&format!("/api/admin/default{path}"));
            if !authorization.is_empty() {
                ask = ask.header("authorization", authorization);
            }
            let answer = server.send(ask).await;
            refused(&answer, 401);
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path}");
        }
    }
    let write = Ask::json(Method::POST, "/api/admin/default/clients", &client("x"));
    refused(&server.send(write).await, 401);
}

#[tokio::test]
async fn adm_11_a_client_cannot_be_moved() {
    let (server, administrator) = start().await;
    administrator.post("/clients", &client("fixed")).await.expect(201);
    let document = administrator.get("/clients/fixed").await.expect(200).json();
    for (member, value) in [
        ("authorization_server_id", json!("second")),
        ("authorization_server_id", json!("admin")),
        ("tenant_id", json!("acme")),
        ("client_id", json!("moved")),
    ] {
        let mut changed = document.clone();
        changed[member] = value;
        let answer = administrator.put("/clients/fixed", &changed).await;
        assert_eq!(answer.status, 422, "{member}: {}", answer.text());
    }
    let after = administrator.get("/clients/fixed").await.expect(200).json();
    assert_eq!(after["authorization_server_id"], "default");
    server.acme_administrator().await.get("/clients/fixed").await.expect(404);
}

#[tokio::test]
async fn adm_12_dangerous_redirect_uris_cannot_be_registered() {
    let (_server, administrator) = start().await;
    for uri in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://example.com/x",
        "https://example.com/#fragment",
        "https://user:pass@example.com/",
        "http://example.com/",
        "/relative",
        "//example.com/",
        "https://",
        "https://*.example.com/",
        "https://exa mple.com/",
        "https://example.com/\nx",
        "https://example.com\\evil",
        "",
        "urn:x",
    ] {
        let mut body = client("dangerous");
        body["redirect_uris"] = json!([uri]);
        let answer = administrator.post("/clients", &body).await;
        refused(&answer, 422);
        body["application_type"] = json!("native");
        if !uri.starts_with("urn:") {
            refused(&administrator.post("/clients", &body).await, 422);
        }
    }
}

#[tokio::test]
async fn adm_14_ids_are_neither_paths_nor_markup() {
    let (_server, administrator) = start().await;
    for id in [
        "../x",
        "..",
        ".",
        "a/b",
        "a\\b",
        "<script>alert(1)</script>",
        "a b",
        "a\u{0}",
        "é",
        "a%2fb",
        "a?b",
        "a#b",
        "\u{202e}x",
        &"a".repeat(129),
    ] {
        refused(&administrator.post("/clients", &client(id)).await, 422);
    }
}

#[tokio::test]
async fn adm_15_adm_16_malformed_json_is_a_clean_400() {
    let (server, administrator) = start().await;
    let deep = format!("{{\"metadata\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    for body in [
        "",
        "{",
        "[]",
        "null",
        "3",
        "\"x\"",
        "{\"client_id\":}",
        "{\"client_id\":\"a\",\"client_id\":\"b\"}",
        "{}{}",
        "{\"client_id\":\"\\ud800\"}",
        "\u{feff}{}",
        "client_id=x",
        &deep,
        &objects,
    ] {
        let ask = Ask::new(Method::POST, "/api/admin/default/clients")
            .body("application/json", body.to_owned())
            .bearer(&administrator.token);
        let answer = server.send(ask).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 422),
            "{body:.40}: {} {}",
            answer.status,
            answer.text()
        );
    }
    for body in [&b"\xff\xfe"[..], b"{\"client_name\":\"\xff\"}", b"\0"] {
        let ask = Ask::new(Method::POST, "/api/admin/default/clients")
            .body("application/json", body.to_vec())
            .bearer(&administrator.token);
        assert_eq!(server.send(ask).await.status, 400);
    }
    let huge = json!({"client_name": "x".repeat(5_000_000)});
    let ask = Ask::json(Method::POST, "/api/admin/default/clients", &huge).bearer(&administrator.token);
    assert_eq!(server.send(ask).await.status, 413);
    for (member, value) in [
        ("redirect_uris", json!({"a": "b"})),
        ("redirect_uris", json!([1])),
        ("client_name", json!(["x"])),
        ("grant_types", json!("authorization_code ".repeat(1000))),
        ("token_endpoint_auth_method", json!("telepathy")),
        ("trusted", json!("yes")),
        ("grant_types", json!(["nonsense"])),
        ("response_types", json!(["nonsense"])),
        ("subject_type", json!("secret")),
        ("application_type", json!("toaster")),
        ("client_status", json!("asleep")),
        ("jwks", json!({"keys": [{"kty": "RSA"}]})),
    ] {
        let mut body = client("typed");
        body[member] = value;
        refused(&administrator.post("/clients", &body).await, 422);
    }
}

#[tokio::test]
async fn adm_17_adm_19_cookies_and_simple_requests_do_not_administer() {
    let (server, administrator) = start().await;
    let body = client("forged").to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let ask = Ask::new(Method::POST, "/api/admin/default/clients")
            .body(content_type, body.clone())
            .bearer(&administrator.token);
        refused(&server.send(ask).await, 415);
    }
    let browser = server.browser();
    server.party("app").code_in(&browser).await;
    let path = "/api/admin/default/clients";
    let ask = Ask::json(Method::POST, path, &client("forged")).header("origin", "https://evil.example");
    refused(&browser.send(ask, path).await, 401);
    administrator.get("/clients/forged").await.expect(404);
}

#[tokio::test]
async fn adm_20_overrides_and_path_tricks_lead_nowhere() {
    let (server, administrator) = start().await;
    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-url", "/api/admin/acme/clients/client"),
        ("x-rewrite-url", "/api/admin/acme/clients/client"),
    ] {
        let ask =
            Ask::get("/api/admin/default/clients/client").bearer(&administrator.token).header(name, value);
        let answer = server.send(ask).await.expect(200).json();
        assert_eq!(answer["tenant_id"], "default", "{name}");
    }
    administrator.get("/clients/client").await.expect(200);
    for path in [
        "/api/admin/default/../acme/clients/client",
        "/api/admin/default/%2e%2e/acme/clients/client",
        "/api/admin/default/..;/acme/clients/client",
        "/api/admin/default%2f..%2facme/clients/client",
        "/api/admin//acme/clients/client",
        "/api/admin/acme/clients/client",
        "/api/admin/ACME/clients/client",
        "/api//admin/acme/clients/client",
    ] {
        let answer = server.send(Ask::get(path).bearer(&administrator.token)).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(!answer.text().contains("\"tenant_id\":\"acme\""), "{path}");
    }
    for suffix in ["/", "%00", "%20", ".json", ";x=y"] {
        let path = format!("/api/admin/default/clients/client{suffix}");
        let answer = server.send(Ask::new(Method::DELETE, &path).bearer(&administrator.token)).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    administrator.get("/clients/client").await.expect(200);
}

#[tokio::test]
async fn adm_21_a_tenant_administrator_has_no_system_api() {
    let (server, administrator) = start().await;
    for path in [
        "/api/admin/tenants",
        "/api/system/tenants",
        "/api/system/default/clients",
        "/api/admin/system/clients/system",
        "/api/system/configuration",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let answer = server.send(Ask::new(method.clone(), path).bearer(&administrator.token)).await;
            assert!(
                matches!(answer.status.as_u16(), 401 | 403 | 404 | 405),
                "{method} {path}: {}",
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn adm_22_weak_secrets_are_refused() {
    let (_server, administrator) = start().await;
    for secret in [
        "",
        "secret",
        "password123",
        &"a".repeat(64),
        "short-but-mixed-1A",
        "with spaces with spaces with spaces 1",
    ] {
        let mut body = client("weak");
        body["client_secret"] = json!(secret);
        let answer = administrator.post("/clients", &body).await;
        if secret.is_empty() && answer.status == 201 {
            // None was chosen: one was made.
            assert_eq!(answer.json()["client_secret"].as_str().map(str::len), Some(43));
            administrator.delete("/clients/weak").await.expect(204);
            continue;
        }
        refused(&answer, 422);
        let repeated = answer.text().matches(secret).count() > answer.text().matches("client_secret").count();
        assert!(secret.is_empty() || !repeated, "a refusal does not repeat the secret: {}", answer.text());
    }
}

#[tokio::test]
async fn dcr_16_generated_secrets_are_long_and_shown_once() {
    let (server, administrator) = start().await;
    let created = administrator.post("/clients", &client("fresh")).await.expect(201).json();
    let secret = created["client_secret"].as_str().expect("a secret").to_owned();
    assert_eq!(secret.len(), 43);
    for path in ["/clients/fresh", "/servers/default/clients?limit=100"] {
        let text = administrator.get(path).await.expect(200).text();
        assert!(
            !text.contains(&secret) && !text.contains("hashed_secret") && !text.contains("$argon2"),
            "{path}"
        );
    }
    let body = json!({"authorization_server_id": "default", "client_id": "fresh2", "grant_types": ["client_credentials"], "response_types": []});
    let other = administrator.post("/clients", &body).await.expect(201).json();
    let other = other["client_secret"].as_str().unwrap();
    assert_ne!(other, secret);
    server.party_at("/default/default", "fresh2", Some(other)).client_credentials("").await.expect(200);
}

#[tokio::test]
async fn secrets_rotate_and_the_old_one_lives_until_it_is_revoked() {
    let (server, administrator) = start().await;
    let body = json!({"authorization_server_id": "default", "client_id": "rotating", "grant_types": ["client_credentials"], "response_types": []});
    let created = administrator.post("/clients", &body).await.expect(201).json();
    let mut secrets = vec![created["client_secret"].as_str().unwrap().to_owned()];
    for _ in 0..3 {
        let answer =
            administrator.post("/clients/rotating/rotateSecret", &json!({})).await.expect(200).json();
        secrets.push(answer["secret"].as_str().unwrap().to_owned());
    }
    let works = |secret: &str| {
        let party = server.party_at("/default/default", "rotating", Some(secret));
        async move { party.client_credentials("").await.status == 200 }
    };
    assert!(!works(&secrets[0]).await, "two old ones are kept, the third is dropped");
    for secret in &secrets[1..] {
        assert!(works(secret).await);
    }
    administrator.post("/clients/rotating/revokeRotatedSecrets", &json!({})).await.expect(204);
    assert!(works(&secrets[3]).await);
    for secret in &secrets[..3] {
        assert!(!works(secret).await);
    }
}

#[tokio::test]
async fn adm_24_private_keys_are_not_taken() {
    let (_server, administrator) = start().await;
    let public = signer(jose::Algorithm::ES256).public_jwk();
    let mut private = serde_json::to_value(&public).unwrap();
    private["d"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let mut body = client("keys");
    body["token_endpoint_auth_method"] = json!("private_key_jwt");
    for keys in [json!({"keys": [private]}), json!({"keys": [{"kty": "oct", "k": "AAAA"}]})] {
        body["jwks"] = keys;
        let answer = administrator.post("/clients", &body).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert!(!answer.text().contains("AAAAAAAAAA"));
    }
    body["jwks"] = json!({"keys": [public]});
    administrator.post("/clients", &body).await.expect(201);
}

#[tokio::test]
async fn adm_25_dcr_05_to_09_stored_urls_are_web_urls_and_are_not_fetched() {
    let (_server, administrator) = start().await;
    for member in [
        "jwks_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "client_uri",
        "sector_identifier_uri",
        "backchannel_logout_uri",
    ] {
        for uri in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "nonsense",
            "https://user:pw@example.com/",
        ] {
            let mut body = client("urls");
            body[member] = json!(uri);
            if member == "jwks_uri" {
                body["token_endpoint_auth_method"] = json!("private_key_jwt");
            }
            let answer = administrator.post("/clients", &body).await;
            assert_eq!(answer.status, 422, "{member} {uri}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn adm_27_lost_updates_are_prevented_by_if_match() {
    let (server, administrator) = start().await;
    let read = administrator.get("/clients/client").await.expect(200);
    let (etag, document) = (read.header("etag").to_owned(), read.json());
    assert!(!etag.is_empty());
    let put = |etag: &str, name: &str| {
        let mut document = document.clone();
        document["client_name"] = json!(name);
        Ask::json(Method::PUT, "/api/admin/default/clients/client", &document)
            .bearer(&administrator.token)
            .header("if-match", etag)
    };
    server.send(put(&etag, "first")).await.expect(200);
    refused(&server.send(put(&etag, "second")).await, 412);
    assert_eq!(administrator.get("/clients/client").await.json()["client_name"], "first");
    let delete = Ask::new(Method::DELETE, "/api/admin/default/clients/client").bearer(&administrator.token);
    refused(&server.send(delete.header("if-match", &etag)).await, 412);
}

#[tokio::test]
async fn adm_28_list_parameters_inject_nothing() {
    let (_server, administrator) = start().await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=abc",
        "limit=1e9",
        "limit=999999999999999999999",
        "sort=password",
        "order=sideways",
        "limit=1&limit=2",
        "after_client_id=a&before_client_id=b",
    ] {
        let answer = administrator.get(&format!("/servers/default/clients?{query}")).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{query}: {}", answer.status);
    }
    for query in [
        "after_client_id=%27%20OR%201%3D1--",
        "search_phrase=%25%27%3B%20DROP%20TABLE%20documents%3B--",
        "search_phrase=%00",
        "after_client_id=%ff",
        "before_client_id=%F0%9F%92%A9",
    ] {
        let answer = administrator.get(&format!("/servers/default/clients?{query}")).await;
        assert!(answer.status.as_u16() < 500, "{query}: {}", answer.status);
    }
    administrator.get("/clients/client").await.expect(200);
}

#[tokio::test]
async fn lists_are_paged_by_key_and_bounded() {
    let (_server, administrator) = start().await;
    for index in 0..30 {
        administrator.post("/clients", &client(&format!("page-{index:02}"))).await.expect(201);
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let answer =
            administrator.get(&format!("/servers/default/clients?limit=7{after}")).await.expect(200).json();
        let clients = answer["clients"].as_array().unwrap().clone();
        assert!(clients.len() <= 7);
        let Some(last) = clients.last() else { break };
        after = format!("&after_client_id={}", last["client_id"].as_str().unwrap());
        seen.extend(clients.iter().map(|c| c["client_id"].as_str().unwrap().to_owned()));
    }
    let mut unique = seen.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), seen.len());
    assert!(seen.len() >= 38, "{seen:?}");
    let default = administrator.get("/servers/default/clients").await.expect(200).json();
    assert_eq!(default["clients"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn adm_29_swagger_ships_no_secret_and_loads_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let page = server.browser().open("/api/swagger/default").await.expect(200);
    let text = page.text();
    assert!(!text.contains(engine::demo::DEMO_SECRET));
    for remote in ["src=\"http", "href=\"http", "src=\"//", "@import url(http"] {
        assert!(!text.contains(remote), "{remote}");
    }
    let description = server.get("/api/swagger/default/openapi.json").await.expect(200).text();
    for secret in [engine::demo::DEMO_SECRET, engine::demo::DEMO_CLIENT_SECRET] {
        assert!(!description.contains(secret));
    }
}

#[tokio::test]
async fn any_document_that_was_read_can_be_put_back() {
    let (_server, administrator) = start().await;
    for path in [
        "/clients/client",
        "/clients/app",
        "/clients/native",
        "/servers/default",
        "/services/default-profile",
        "/scopes/default-openid",
    ] {
        let document = administrator.get(path).await.expect(200).json();
        let answer = administrator.put(path, &document).await.expect(200);
        let mut after = answer.json();
        let mut before = document.clone();
        for document in [&mut before, &mut after] {
            document.as_object_mut().unwrap().remove("updated_at");
        }
        assert_eq!(before, after, "{path}");
    }
}

#[tokio::test]
async fn w_27_dcr_10_dcr_11_read_only_members_cannot_be_set() {
    let (_server, administrator) = start().await;
    for (member, value) in [
        ("hashed_secret", json!("sha256:AAAA")),
        ("system", json!(true)),
        ("rotated_secrets", json!(["x"])),
        ("created_at", json!("1999-01-01T00:00:00Z")),
        ("dynamically_registered", json!(true)),
    ] {
        let mut document = administrator.get("/clients/app").await.expect(200).json();
        let before = document[member].clone();
        document[member] = value;
        let answer = administrator.put("/clients/app", &document).await;
        assert_eq!(answer.status, 422, "{member}: {}", answer.text());
        assert_eq!(administrator.get("/clients/app").await.json()[member], before);
    }
}

#[tokio::test]
async fn w_21_an_access_token_of_a_deleted_or_disabled_admin_client_ends_at_once() {
    let (server, administrator) = start().await;
    let body = json!({"authorization_server_id": "admin", "client_id": "second-admin", "grant_types": ["client_credentials"], "response_types": []});
    let created = administrator.post("/clients", &body).await.expect(201).json();
    let party = server.party_at("/default/admin", "second-admin", created["client_secret"].as_str());
    let token =
        party.client_credentials("").await.expect(200).json()["access_token"].as_str().unwrap().to_owned();
    let probe = || server.send(Ask::get("/api/admin/default/clients/app").bearer(&token));
    probe().await.expect(200);
    administrator.change("/clients/second-admin", &json!({"client_status": "inactive"})).await;
    refused(&probe().await, 401);
    administrator.change("/clients/second-admin", &json!({"client_status": "active"})).await;
    probe().await.expect(200);
    administrator.delete("/clients/second-admin").await.expect(204);
    refused(&probe().await, 401);
}

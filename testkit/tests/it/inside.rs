//! What only somebody inside could look at: the database, the log, the audit trail.

use std::cell::RefCell;
use std::io;
use std::sync::Once;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Ask, SERVICE_SECRET, TestServer, Tokens, VERIFIER, claims};
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::prelude::*;

/// Runs every flow of this release; everything secret that was seen on the way.
async fn every_flow(server: &TestServer) -> Vec<(&'static str, String)> {
    let mut secrets = vec![
        ("password", "correct-horse-battery-staple-9".to_owned()),
        ("verifier", VERIFIER.to_owned()),
        ("demo secret", engine::demo::DEMO_SECRET.to_owned()),
        ("demo client secret", engine::demo::DEMO_CLIENT_SECRET.to_owned()),
        ("chosen secret", SERVICE_SECRET.to_owned()),
    ];
    let administrator = server.administrator().await;
    secrets.push(("admin token", administrator.token.clone()));
    let body = json!({"authorization_server_id": "default", "client_id": "made", "redirect_uris": ["https://example.com/"]});
    let made = administrator.post("/clients", &body).await.expect(201).json();
    secrets.push(("made secret", made["client_secret"].as_str().unwrap().to_owned()));
    let chosen = "Chosen-by-a-person-0123456789-abcdefghij";
    let body = json!({"authorization_server_id": "default", "client_id": "chosen", "client_secret": chosen, "grant_types": ["client_credentials"], "response_types": []});
    administrator.post("/clients", &body).await.expect(201);
    secrets.push(("secret of a person", chosen.to_owned()));
    server.party_at("/default/default", "chosen", Some(chosen)).client_credentials("").await.expect(200);
    let rotated = administrator.post("/clients/made/rotateSecret", &json!({})).await.expect(200).json();
    secrets.push(("rotated secret", rotated["secret"].as_str().unwrap().to_owned()));

    let client = server.party("client").with_scope("openid email offline_access");
    let browser = server.browser();
    let login =
        browser.open(&client.authorize_url(&[("state", "state-state"), ("nonce", "nonce-nonce")])).await;
    let form =
        login.form("login-form").with("username", "user").with("password", "correct-horse-battery-staple-9");
    let login = browser.submit(&form).await;
    let consent = browser.log_in(&login).await;
    let login_id = |form: &testkit::Form| {
        form.action.query_pairs().find(|(n, _)| n == "login_id").map(|(_, v)| v.into_owned()).unwrap()
    };
    secrets.push(("login_id", login_id(&consent.form("consent-form"))));
    secrets.push(("anti-forgery value", consent.form("consent-form").value("csrf").unwrap().to_owned()));
    let answer = browser.allow(&consent).await;
    let code = answer.response_parameter("code").unwrap();
    secrets.push(("code", code.clone()));
    for name in browser.cookie_names() {
        secrets.push(("cookie", browser.cookie(&name).unwrap()));
    }
    let unused = client.code_in(&browser).await;
    secrets.push(("unused code", unused));
    let ask = client.authenticated("/oauth2/token", &client.redemption(&code));
    let ask = ask.header("x-idempotency-key", "an-idempotency-key-an-idempotency-key");
    secrets.push(("idempotency key", "an-idempotency-key-an-idempotency-key".to_owned()));
    let mut tokens = Tokens(server.send(ask).await.expect(200).json());
    for _ in 0..2 {
        secrets.push(("access token", tokens.access_token().to_owned()));
        secrets.push(("ID token", tokens.id_token().to_owned()));
        secrets.push(("refresh token", tokens.refresh_token().to_owned()));
        tokens = Tokens(client.refresh(tokens.refresh_token()).await.expect(200).json());
    }
    client.userinfo(tokens.access_token()).await.expect(200);
    client.introspect(tokens.refresh_token()).await;
    client.redeem(&code).await.expect(400);
    client.revoke(tokens.refresh_token()).await.expect(200);
    administrator.change("/servers/second", &json!({"access_token_strategy": "opaque"})).await;
    let opaque = server.party_at("/default/second", "second-client", Some(SERVICE_SECRET)).tokens().await;
    secrets.push(("opaque token", opaque.access_token().to_owned()));
    server.engine().flush().await;
    // A token's signature alone is as good a needle as the whole.
    let signatures: Vec<_> = secrets
        .iter()
        .filter(|(_, secret)| secret.split('.').count() == 3)
        .map(|(name, secret)| (*name, secret.rsplit('.').next().unwrap().to_owned()))
        .collect();
    secrets.extend(signatures);
    secrets
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn w_01_a_stolen_database_holds_no_usable_secret() {
    let server = TestServer::on_sqlite().await;
    let secrets = every_flow(&server).await;
    let files = server.files();
    assert!(
        files.iter().any(|(path, bytes)| path.ends_with(".db") && !bytes.is_empty()),
        "{:?}",
        files.len()
    );
    for (name, secret) in &secrets {
        for (path, bytes) in &files {
            assert!(!contains(bytes, secret.as_bytes()), "{name} in {path}");
        }
    }
    // Private keys are sealed: no PKCS#8 header and no private member of a JWK in clear.
    for (path, bytes) in &files {
        for marker in [&b"PRIVATE KEY"[..], b"\"d\":\"", b"\"pkcs8\""] {
            assert!(!contains(bytes, marker), "{} in {path}", String::from_utf8_lossy(marker));
        }
    }
}

thread_local! {
    /// What is logged on this thread, while somebody asks for it.
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.get_or_insert_default().extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that `work` logs on this thread. One subscriber for the whole process: one per thread loses lines
/// when other threads meet a place in the code first.
fn logged_by<T>(work: impl FnOnce() -> T) -> (T, Vec<u8>) {
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        let asked = dynamic_filter_fn(|_, _| LOGGED.with_borrow(Option::is_some));
        let lines = tracing_subscriber::fmt::layer().with_writer(|| Log).with_filter(asked);
        // Not `init`, which would add what the HTML parser of the tests says through the crate `log`.
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines)).unwrap();
    });
    LOGGED.set(Some(Vec::new()));
    let done = work();
    (done, LOGGED.take().unwrap_or_default())
}

#[test]
fn w_02_the_most_verbose_log_holds_no_secret() {
    let (secrets, written) = logged_by(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { every_flow(&TestServer::start().await).await })
    });
    assert!(written.len() > 1_000, "something is logged: {}", String::from_utf8_lossy(&written));
    for (name, secret) in &secrets {
        assert!(!contains(&written, secret.as_bytes()), "{name} in the log");
    }
}

#[tokio::test]
async fn w_30_every_step_leaves_one_record() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    administrator.change("/clients/client", &json!({"client_name": "Renamed"})).await;
    let browser = server.browser();
    let client = server.party("client");
    let page = browser.open(&client.authorize_url(&[])).await;
    browser.mistype(&page).await;
    let tokens = client.tokens_in(&browser).await;
    client.client_credentials("").await.expect(200);
    client.client_credentials("nonsense").await.expect(400);
    client.revoke(tokens.access_token()).await.expect(200);
    server.engine().flush().await;
    let tenant = protocol::id::TenantId::new("default");
    let events = server.store().events(&tenant, None, 1_000).await.expect("events");
    let has = |subject: &str, action: &str| {
        events.iter().any(|event| {
            let body: Value = serde_json::from_str(&event.body).unwrap();
            body["event_subject"] == subject && body["action"] == action && !event.trace_id.is_empty()
        })
    };
    for (subject, action) in [
        ("client", "updated"),
        ("login", "failed"),
        ("login", "succeeded"),
        ("token", "issued"),
        ("token", "refused"),
    ] {
        let seen: Vec<&String> = events.iter().map(|event| &event.body).collect();
        assert!(has(subject, action), "{subject} {action} in {seen:#?}");
    }
    let consents = events.iter().filter(|event| event.body.contains("\"consent\"")).count();
    assert!(consents >= 1, "the consent");
    let revocations = events.iter().filter(|event| event.body.contains("revoked")).count();
    assert!(revocations >= 1, "the revocation");
}

#[tokio::test]
async fn w_19_taking_consent_back_ends_refresh_and_introspection_at_once() {
    let server = TestServer::start().await;
    let client = server.party("client").with_scope(
        "openid offline_access view_consents manage_consents revoke_client_access list_clients_with_access",
    );
    let administrator = server.administrator().await;
    let mut document = administrator.get("/clients/client").await.expect(200).json();
    document.as_object_mut().unwrap().remove("scope");
    document["scopes"] = json!([
        "openid",
        "offline_access",
        "view_consents",
        "manage_consents",
        "revoke_client_access",
        "list_clients_with_access"
    ]);
    administrator.put("/clients/client", &document).await.expect(200);
    let tokens = client.tokens().await;
    let path = client.path("/clients/client");
    let answer = server.send(Ask::new(http::Method::DELETE, &path).bearer(tokens.access_token())).await;
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.text());
    client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    assert!(!client.is_active(tokens.access_token()).await);
    assert!(!client.is_active(tokens.refresh_token()).await);
}

#[tokio::test]
async fn w_26_no_claim_of_a_user_replaces_a_reserved_one() {
    let server = TestServer::start().await;
    let app = server.party("app").with_scope("openid profile");
    let asked = json!({"id_token": {"iss": {"value": "https://evil.example"}, "aud": {"value": "evil"}, "exp": {"value": 9_999_999_999_i64}, "scp": null, "sub": null}}).to_string();
    let browser = server.browser();
    let code = app.code_with(&browser, &[("claims", &asked)]).await;
    let tokens = Tokens(app.redeem(&code).await.expect(200).json());
    let id_token = claims(tokens.id_token());
    assert_eq!(id_token["iss"], app.issuer());
    assert_eq!(id_token["exp"], server.engine().now().seconds() + 3600);
    assert!(id_token["scp"].is_null());
}

#[tokio::test]
async fn w_32_a_restart_loses_nothing() {
    let server = TestServer::on_sqlite().await;
    let app = server.party("app").with_scope("openid offline_access");
    let browser = server.browser();
    let tokens = app.tokens_in(&browser).await;
    let code = app.code_in(&browser).await;
    let page = browser.open(&app.authorize_url(&[("prompt", "login"), ("state", "s")])).await;
    let revoked = app.tokens().await;
    app.revoke(revoked.refresh_token()).await.expect(200);
    let server = server.restart();
    server.clock().advance(Duration::from_secs(5));
    let app = server.party("app").with_scope("openid offline_access");
    let browser = browser.at(&server);
    app.userinfo(tokens.access_token()).await.expect(200);
    app.refresh(tokens.refresh_token()).await.expect(200);
    app.redeem(&code).await.expect(200);
    app.refresh(revoked.refresh_token()).await.expect_error(400, "invalid_grant");
    app.userinfo(revoked.access_token()).await.expect(401);
    let answer = browser.log_in(&page).await;
    assert_eq!(answer.response_parameter("state").as_deref(), Some("s"));
    let silent = browser.load(&app.authorize_url(&[("prompt", "none")])).await;
    assert!(silent.response_parameter("code").is_some(), "{}", silent.location());
}

#[tokio::test]
async fn w_06_a_backup_is_as_unreadable_and_revives_nothing() {
    let server = TestServer::on_sqlite().await;
    let client = server.party("client").with_scope("openid offline_access");
    let (live, revoked) = (client.tokens().await, client.tokens().await);
    let secrets = every_flow(&server).await;
    client.revoke(revoked.refresh_token()).await.expect(200);
    let restored = server.from_backup().await;
    for (path, bytes) in restored.files() {
        for (name, secret) in &secrets {
            assert!(!contains(&bytes, secret.as_bytes()), "{name} in {path}");
        }
    }
    let client = restored.party("client").with_scope("openid offline_access");
    client.refresh(revoked.refresh_token()).await.expect_error(400, "invalid_grant");
    client.userinfo(revoked.access_token()).await.expect(401);
    client.refresh(live.refresh_token()).await.expect(200);
}

#[tokio::test]
async fn lgn_07_passwords_are_hashed_slowly() {
    let server = TestServer::start().await;
    let tenant = protocol::id::TenantId::new("default");
    let kind = protocol::record::DocumentKind::Idp;
    let documents = server.store().documents(&tenant, kind, None, &store::Page::first(100)).await.unwrap();
    let mut hashes = 0;
    for document in &documents {
        let idp: Value = serde_json::from_str(&document.body).unwrap();
        for user in idp["users"].as_array().into_iter().flatten() {
            let hash = user["password_hash"].as_str().unwrap();
            assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash:.40}");
            hashes += 1;
        }
    }
    assert!(hashes >= 2);
}

#[tokio::test]
async fn w_28_signed_userinfo_says_no_more_than_the_json() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let client = server.party("client").with_scope("openid email");
    let tokens = client.tokens().await;
    let json = client.userinfo(tokens.access_token()).await.expect(200).json();
    administrator.change("/clients/client", &json!({"userinfo_signed_response_alg": "ES256"})).await;
    let answer = client.userinfo(tokens.access_token()).await.expect(200);
    assert!(answer.header("content-type").starts_with("application/jwt"));
    let jwks = server.get("/default/default/.well-known/jwks.json").await.expect(200).body;
    let mut signed = testkit::verified(&answer.text(), &jwks);
    assert_eq!(signed.remove("iss"), Some(json!(client.issuer())));
    assert_eq!(signed.remove("aud"), Some(json!("client")));
    assert_eq!(Value::Object(signed), json);
    client.userinfo(&answer.text()).await.expect(401);
}

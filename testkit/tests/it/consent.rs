//! Consent: what was allowed, by whom, and to whom.

use serde_json::json;
use testkit::{Answer, Ask, Browser, RelyingParty, TestServer, claims};

async fn consent_page(server: &TestServer, party: &RelyingParty) -> (Browser, Answer) {
    let browser = server.browser();
    let login = browser.open(&party.authorize_url(&[("state", "s")])).await;
    let consent = browser.log_in(&login).await;
    assert!(consent.has_form("consent-form"), "{} {}", consent.asked, consent.text());
    (browser, consent)
}

#[tokio::test]
async fn cns_02_a_refusal_is_a_refusal() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let (browser, page) = consent_page(&server, &app).await;
    let answer = browser.submit(&page.form("consent-form").with("decision", "deny")).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("access_denied"));
    assert!(answer.response_parameter("code").is_none());
    // It is not remembered as a consent.
    let answer = browser.load(&app.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("consent_required"));
}

/// RFC 8707 §2: who allows something knows where it will count.
#[tokio::test]
async fn rfc8707_2_the_consent_page_names_the_resources_that_were_asked_for() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let resource = "https://mcp.example:8443/notes";
    let service = json!({
        "authorization_server_id": "default", "id": "notes", "name": "<i>Notes</i>", "custom_audience": resource,
    });
    administrator.post("/services", &service).await.expect(201);
    let app = server.party("app");
    let own = format!("{}/userinfo", app.issuer());
    let url = format!(
        "{}&{}",
        app.authorize_url(&[]),
        testkit::urlencoded(&[("resource", resource), ("resource", &own)])
    );
    let browser = server.browser();
    let page = browser.log_in(&browser.open(&url).await).await;
    let shown = page.element("consent-resources").expect("the resources");
    for part in ["<i>Notes</i>", "mcp.example:8443", "Userinfo", "localhost:8443"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!page.text().contains("<i>Notes"), "{}", page.text());
    let (_, without) = consent_page(&server, &app).await;
    assert_eq!(without.element("consent-resources"), None);
}

#[tokio::test]
async fn cns_02_only_allow_is_allow() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let (browser, page) = consent_page(&server, &app).await;
    for decision in ["", "ALLOW", "yes", "true", "1", "allow deny", "allow\u{0}"] {
        let answer = browser.submit(&page.form("consent-form").with("decision", decision)).await;
        assert!(answer.has_form("consent-form") || answer.status == 400, "{decision:?}: {}", answer.status);
    }
    let form = page.form("consent-form").with("decision", "allow");
    let mut fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    fields.push(("decision", "deny"));
    let path = form.action.as_str().strip_prefix(testkit::ORIGIN).unwrap();
    let twice = browser.send(Ask::form(path, &fields), path).await;
    assert!(!twice.is_redirect() || twice.response_parameter("code").is_none(), "{:?}", twice.headers);
}

#[tokio::test]
async fn cns_03_prompt_none_never_skips_consent() {
    let server = TestServer::start().await;
    let (browser, _) = consent_page(&server, &server.party("app")).await;
    let answer = browser.load(&server.party("app").authorize_url(&[("prompt", "none")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn cns_04_ses_06_a_strangers_form_counts_nothing() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let (victim, page) = consent_page(&server, &app).await;
    let stranger = server.browser();
    let answer = stranger.submit(&page.form("consent-form").with("decision", "allow")).await;
    assert!(!answer.is_redirect() || answer.response_parameter("code").is_none(), "{:?}", answer.headers);
    // A stranger who is logged in himself.
    let (other, own) = consent_page(&server, &app).await;
    let answer = other.submit(&page.form("consent-form").with("decision", "allow")).await;
    assert!(!answer.is_redirect() || answer.response_parameter("code").is_none(), "{:?}", answer.headers);
    let mixed = page.form("consent-form").with("csrf", own.form("consent-form").value("csrf").unwrap());
    let answer = other.submit(&mixed.with("decision", "allow")).await;
    assert!(!answer.is_redirect() || answer.response_parameter("code").is_none(), "{:?}", answer.headers);
    let done = victim.allow(&page).await;
    assert!(done.response_parameter("code").is_some());
}

#[tokio::test]
async fn cns_06_cns_07_forged_forms_are_refused() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let (browser, page) = consent_page(&server, &app).await;
    let form = page.form("consent-form").with("decision", "allow");
    assert!(form.value("csrf").is_some_and(|value| value.len() >= 43), "an anti-forgery field");
    for forged in [
        form.clone().without("csrf"),
        form.clone().with("csrf", ""),
        form.clone().with("csrf", &"A".repeat(43)),
    ] {
        let answer = browser.submit(&forged).await;
        assert_eq!(answer.status.as_u16(), 400, "{:?}", answer.headers);
    }
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let path = form.action.as_str().strip_prefix(testkit::ORIGIN).unwrap();
    for (name, value) in
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")]
    {
        let answer = browser.send(Ask::form(path, &fields).header(name, value), path).await;
        assert!(answer.status.is_client_error(), "{name}: {value}: {}", answer.status);
    }
    // By GET it decides nothing.
    let query = format!("{path}&decision=allow&csrf={}", form.value("csrf").unwrap());
    let answer = browser.load(&query).await;
    assert!(!answer.is_redirect() || answer.response_parameter("code").is_none());
    let done = browser.allow(&page).await;
    assert!(done.response_parameter("code").is_some());
}

#[tokio::test]
async fn cns_08_scopes_smuggled_into_the_form_are_ignored() {
    let server = TestServer::start().await;
    let app = server.party("app").with_scope("openid");
    let (browser, page) = consent_page(&server, &app).await;
    let form = page.form("consent-form").with("decision", "allow").with("scope", "openid email profile");
    let form = form.with("scopes", "email").with("grant_scope", "profile");
    let answer = browser.submit(&form).await;
    let code = answer.response_parameter("code").expect("a code");
    let tokens = app.redeem(&code).await.expect(200).json();
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["scp"], json!(["openid"]));
}

#[tokio::test]
async fn cns_09_consent_is_remembered_and_asked_again_when_scopes_grow() {
    let server = TestServer::start().await;
    let client = server.party("client").with_scope("openid email");
    let browser = server.browser();
    client.code_in(&browser).await;
    let again = browser.load(&client.authorize_url(&[])).await;
    assert!(again.response_parameter("code").is_some(), "remembered: {}", again.location());
    let fewer = client.clone().with_scope("openid");
    assert!(browser.load(&fewer.authorize_url(&[])).await.response_parameter("code").is_some());
    let more = client.clone().with_scope("openid email profile");
    let silent = browser.load(&more.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(silent.response_parameter("error").as_deref(), Some("consent_required"));
    let page = browser.open(&more.authorize_url(&[])).await;
    assert!(page.has_form("consent-form"));
    browser.allow(&page).await;
    assert!(browser.load(&more.authorize_url(&[])).await.response_parameter("code").is_some());
}

#[tokio::test]
async fn cns_09_consent_belongs_to_one_client_and_one_person() {
    let server = TestServer::start().await;
    let browser = server.browser();
    server.party("client").code_in(&browser).await;
    let page = browser.open(&server.party("other").authorize_url(&[])).await;
    assert!(page.has_form("consent-form"), "another client asks");
    let second = server.party_at("/default/second", "second-client", Some(testkit::SERVICE_SECRET));
    let page = browser.open(&second.authorize_url(&[])).await;
    assert!(page.has_form("login-form"), "another workspace has its own people");
}

#[tokio::test]
async fn cns_10_the_page_names_client_scopes_and_destination() {
    let server = TestServer::start().await;
    let app = server.party("app").with_scope("openid email offline_access");
    let (_, page) = consent_page(&server, &app).await;
    assert!(page.text().contains("Application app"));
    for scope in ["openid", "email", "offline_access"] {
        assert!(page.text().contains(&format!("data-scope=\"{scope}\"")), "{scope}");
    }
    assert_eq!(page.element("consent-destination").as_deref(), Some("example.com"));
    assert!(page.element("consent-allow").is_some() && page.element("consent-deny").is_some());
}

#[tokio::test]
async fn prompt_consent_asks_again() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let browser = server.browser();
    client.code_in(&browser).await;
    let page = browser.open(&client.authorize_url(&[("prompt", "consent")])).await;
    assert!(page.has_form("consent-form"), "{} {}", page.asked, page.text());
    let done = browser.allow(&page).await;
    assert!(done.response_parameter("code").is_some());
}

#[tokio::test]
async fn rfc8252_8_6_native_applications_are_asked_each_time() {
    let server = TestServer::start().await;
    for redirect_uri in ["com.example.app:/callback", "http://127.0.0.1:4711/callback"] {
        let native = server.party("native").with_redirect_uri(redirect_uri);
        let browser = server.browser();
        native.code_in(&browser).await;
        let page = browser.open(&native.authorize_url(&[])).await;
        assert!(page.has_form("consent-form"), "{redirect_uri}");
        let silent = browser.load(&native.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(silent.response_parameter("error").as_deref(), Some("consent_required"));
    }
}

#[tokio::test]
async fn trusted_clients_are_not_asked() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    administrator.change("/clients/client", &json!({"trusted": true})).await;
    let browser = server.browser();
    let login = browser.open(&server.party("client").authorize_url(&[])).await;
    let answer = browser.log_in(&login).await;
    assert!(answer.response_parameter("code").is_some(), "{}", answer.text());
}

/// Who looks at a consent page whose application was deleted, or switched off, is told which of the two.
#[tokio::test]
async fn adm_26_an_application_that_is_gone_is_told_from_one_that_is_switched_off() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let off = json!({"client_status": "inactive"});
    let app = server.party("app");
    let (browser, page) = consent_page(&server, &app).await;
    let form = page.form("consent-form").with("decision", "allow");
    administrator.change("/clients/app", &off).await;
    for shown in [browser.load(&page.asked).await, browser.post(&form).await] {
        let shown = shown.expect_error_page("unauthorized_client");
        assert!(shown.text().contains("switched off"), "{}", shown.text());
    }
    let document = administrator.get("/clients/app").await.expect(200).json();
    administrator.delete("/clients/app").await.expect(204);
    let gone = async || {
        for shown in [browser.load(&page.asked).await, browser.post(&form).await] {
            let shown = shown.expect_error_page("invalid_request");
            let description = shown.element("error-description").expect("why");
            assert!(description.contains("does not exist"), "{description}");
            assert!(!shown.text().contains("switched off"), "{}", shown.text());
        }
    };
    gone().await;
    // Another one of the same name is not the one that asked.
    let mut another = document.clone();
    for member in ["system", "dynamically_registered"] {
        another.as_object_mut().unwrap().remove(member);
    }
    another["client_status"] = json!("active");
    administrator.post("/clients", &another).await.expect(201);
    gone().await;
}

//! What counts as asked for, beside the scopes, and what a late answer to the question is worth.

use serde_json::json;
use testkit::{RelyingParty, TestServer, urlencoded};

const CLAIMS: &str = r#"{"userinfo":{"name":null},"id_token":{"nickname":null}}"#;

fn asked(party: &RelyingParty, parameters: &[(&str, &str)]) -> String {
    format!("{}&{}", party.authorize_url(&[]), urlencoded(parameters))
}

/// OIDC Core §3.1.2.4, §5.5: claims that are asked for one by one are asked of the user as those of a scope are.
#[tokio::test]
async fn cns_03_cns_09_single_claims_are_asked_for_like_their_scope() {
    let server = TestServer::start().await;
    let party = server.party("client").with_scope("openid");
    let browser = server.browser();
    party.code_in(&browser).await;
    let silent = browser.load(&asked(&party, &[("claims", CLAIMS), ("prompt", "none")])).await;
    assert_eq!(silent.response_parameter("error").as_deref(), Some("consent_required"));
    let page = browser.open(&asked(&party, &[("claims", CLAIMS)])).await;
    assert!(page.has_form("consent-form"), "{}", page.text());
    let answer = browser.allow(&page).await;
    let tokens = party.redeem(&answer.response_parameter("code").unwrap()).await.expect(200).json();
    let userinfo = party.userinfo(tokens["access_token"].as_str().unwrap()).await.expect(200).json();
    assert!(userinfo["name"].is_string(), "{userinfo}");
    assert_eq!(tokens["scope"], "openid");
    let again = browser.load(&asked(&party, &[("claims", CLAIMS), ("prompt", "none")])).await;
    assert!(again.response_parameter("code").is_some(), "remembered: {}", again.location());
}

/// RFC 8707 §2: what was allowed for one resource says nothing of another.
#[tokio::test]
async fn rfc8707_2_cns_09_a_new_resource_is_asked_for() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let resource = "https://secret.example/";
    let service = json!({
        "authorization_server_id": "default", "id": "secret", "name": "Secret", "custom_audience": resource,
    });
    administrator.post("/services", &service).await.expect(201);
    let party = server.party("client").with_scope("openid");
    let browser = server.browser();
    party.code_in(&browser).await;
    let silently = asked(&party, &[("resource", resource), ("prompt", "none")]);
    let silent = browser.load(&silently).await;
    assert_eq!(silent.response_parameter("error").as_deref(), Some("consent_required"));
    let page = browser.open(&asked(&party, &[("resource", resource)])).await;
    assert!(
        page.element("consent-resources").is_some_and(|shown| shown.contains("Secret")),
        "{}",
        page.text()
    );
    browser.allow(&page).await;
    assert!(browser.load(&silently).await.response_parameter("code").is_some(), "remembered");
}

/// No on a page that stayed open is no, whatever was allowed in another tab meanwhile.
#[tokio::test]
async fn cns_02_a_refusal_never_becomes_a_code() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let browser = server.browser();
    // One login, its page in two tabs.
    let page = browser.log_in(&browser.open(&party.authorize_url(&[])).await).await;
    let answer = browser.allow(&page).await;
    assert!(answer.response_parameter("code").is_some());
    let no = page.form("consent-form").with("decision", "deny");
    let late = browser.submit(&no).await;
    assert!(late.has_form("consent-form"), "asked once more: {} {}", late.asked, late.text());
    let refused = browser.submit(&late.form("consent-form").with("decision", "deny")).await;
    assert_eq!(refused.response_parameter("error").as_deref(), Some("access_denied"));
    // Two logins, each with a page of its own.
    let more = party.clone().with_scope("openid email profile");
    let [one, other] =
        [browser.open(&more.authorize_url(&[])).await, browser.open(&more.authorize_url(&[])).await];
    assert!(browser.allow(&one).await.response_parameter("code").is_some());
    let refused = browser.submit(&other.form("consent-form").with("decision", "deny")).await;
    assert_eq!(refused.response_parameter("error").as_deref(), Some("access_denied"));
}

/// Somebody new under the name of somebody who was removed is somebody else (OIDC Core §2, `sub`).
#[tokio::test]
async fn w_09_who_comes_after_a_removed_person_inherits_nothing() {
    const IDP: &str = "/servers/default/idps/static/people";
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let people = |users| json!({ "id": "people", "name": "People", "users": users });
    let gina = |password: &str| json!([{ "username": "gina", "password": password }]);
    administrator.post("/servers/default/idps/static", &people(json!([]))).await.expect(201);
    administrator.put(IDP, &people(gina("first"))).await.expect(200);
    let party = server.party("client");
    let mut seen = Vec::new();
    for password in ["first", "second"] {
        let browser = server.browser();
        let page = browser.open(&party.authorize_url(&[])).await;
        let form = page.form("login-form").with("username", "gina").with("password", password);
        let consent = browser.submit(&form).await;
        assert!(consent.has_form("consent-form"), "{password}: {} {}", consent.asked, consent.text());
        let answer = browser.allow(&consent).await;
        let tokens = party.redeem(&answer.response_parameter("code").unwrap()).await.expect(200).json();
        seen.push(testkit::claims(tokens["access_token"].as_str().unwrap())["sub"].clone());
        administrator.put(IDP, &people(json!([]))).await.expect(200);
        administrator.put(IDP, &people(gina("second"))).await.expect(200);
    }
    assert_ne!(seen[0], seen[1]);
}

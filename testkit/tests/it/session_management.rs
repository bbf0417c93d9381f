//! What a script of an application can ask about the session (OIDC Session Management 1.0):
//! `oidcc-session-management-certification-test-plan`. Off unless a workspace says so.

use serde_json::json;
use testkit::{Answer, Browser, RelyingParty, TestServer};

const STATE: &str = "__Host-postern-state-default+default";

async fn start() -> (TestServer, Browser, RelyingParty) {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    admin.change("/servers/default", &json!({"sso": {"session_management": true}})).await;
    let (browser, app) = (server.browser(), server.party("app"));
    (server, browser, app)
}

/// What the frame's script answers to `client_id session_state` (OIDC Session Management §3.2).
fn asked(browser: &Browser, app: &RelyingParty, origin: &str, session_state: &str) -> &'static str {
    let state = browser.cookie(STATE).unwrap_or_default();
    let Some((hash, salt)) = session_state.split_once('.') else { return "error" };
    let digest = jose::sha256(format!("{} {origin} {state} {salt}", app.client_id).as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if hex == hash { "unchanged" } else { "changed" }
}

fn session_state(answer: &Answer) -> String {
    answer.response_parameter("session_state").expect("session_state")
}

#[tokio::test]
async fn oidcc_session_management_discovery_endpoint_verification() {
    let (server, _, app) = start().await;
    let document = server.get(&app.path("/.well-known/openid-configuration")).await.json();
    assert_eq!(document["check_session_iframe"], format!("{}/oidc/check-session", app.issuer()));
}

#[tokio::test]
async fn oidcc_session_management_rp_initiated_logout_the_state_changes_with_the_session() {
    let (server, browser, app) = start().await;
    let first = session_state(&browser.authorize(&app.authorize_url(&[])).await);
    assert!(!first.contains(' '));
    assert_eq!(asked(&browser, &app, "https://example.com", &first), "unchanged");
    assert_eq!(asked(&browser, &app, "https://evil.example", &first), "changed");
    // Another answer in the same session has another salt and says the same.
    let silent = browser.load(&app.authorize_url(&[("prompt", "none")])).await;
    let second = session_state(&silent);
    assert_ne!(first, second);
    assert_eq!(asked(&browser, &app, "https://example.com", &second), "unchanged");
    // Scripts read it, frames of other sites too; it is not the session and leads to nothing.
    let line = silent.header("set-cookie").to_owned();
    assert!(line.starts_with(STATE) && line.contains("SameSite=None") && line.contains("Secure"), "{line}");
    assert!(!line.contains("HttpOnly"), "{line}");
    let state = browser.cookie(STATE).expect("the state");
    assert_ne!(Some(&state), browser.cookie("__Host-postern-session-default+default").as_ref());
    let thief = server.browser();
    thief.set_cookie("__Host-postern-session-default+default", &state);
    let answer = thief.load(&app.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("login_required"));
    let question = browser.load(&app.path("/logout")).await;
    browser.post(&question.form("logout-form").with("decision", "confirm")).await.expect(200);
    assert_eq!(browser.cookie(STATE), None);
    for before in [&first, &second] {
        assert_eq!(asked(&browser, &app, "https://example.com", before), "changed");
    }
}

#[tokio::test]
async fn web_03_only_the_check_session_page_may_be_framed() {
    let (server, _, app) = start().await;
    let page = server.get(&app.path("/oidc/check-session")).await.expect(200);
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("frame-ancestors https: "), "{policy}");
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.headers.contains_key("x-frame-options"));
    assert!(page.text().contains(STATE) && !page.headers.contains_key("set-cookie"));
    for other in ["/logout", "/sessions", "/login"] {
        let page = server.get(&app.path(other)).await;
        assert_eq!(page.header("x-frame-options"), "DENY", "{other}");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{other}");
    }
}

#[tokio::test]
async fn without_the_setting_there_is_no_session_management() {
    let server = TestServer::start().await;
    let (browser, app) = (server.browser(), server.party("app"));
    let answer = browser.authorize(&app.authorize_url(&[])).await;
    assert_eq!(answer.response_parameter("session_state"), None);
    assert_eq!(browser.cookie(STATE), None);
    let document = server.get(&app.path("/.well-known/openid-configuration")).await.json();
    assert!(document.get("check_session_iframe").is_none());
    server.get(&app.path("/oidc/check-session")).await.expect(404);
}

//! How long sessions live, who sees them and who ends them (contract: `sso`, `sso/sessions`, `tokens`).

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::{Administrator, Answer, Ask, Browser, RelyingParty, TestServer, claims};

const SCOPE: &str = "openid view_sessions manage_sessions manage_tokens";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

async fn is_logged_in(party: &RelyingParty, browser: &Browser) -> bool {
    let silent = browser.load(&party.authorize_url(&[("prompt", "none"), ("scope", "openid")])).await;
    silent.response_parameter("error").as_deref() != Some("login_required")
}

/// A server on which `app` may see and end its user's sessions.
async fn start() -> (TestServer, Administrator, RelyingParty) {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    let mut scopes = admin.get("/clients/app").await.expect(200).json()["scopes"].clone();
    let list = scopes.as_array_mut().expect("scopes");
    list.extend(["view_sessions", "manage_sessions", "manage_tokens"].map(Value::from));
    admin.change("/clients/app", &json!({ "scopes": scopes })).await;
    let app = server.party("app").with_scope(SCOPE);
    (server, admin, app)
}

async fn own(server: &TestServer, token: &str) -> Vec<Value> {
    let answer = server.send(Ask::get("/default/default/sso/sessions").bearer(token)).await.expect(200);
    answer.json()["sessions"].as_array().expect("sessions").clone()
}

fn id(session: &Value) -> &str {
    session["id"].as_str().expect("id")
}

async fn delete(server: &TestServer, path: &str, token: &str) -> Answer {
    server.send(Ask::new(Method::DELETE, path).bearer(token)).await
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_and_one_that_is_used_lives_on() {
    let (server, admin, app) = start().await;
    admin.change("/servers/default", &json!({"sso": {"max_idle": "10m0s"}})).await;
    let browser = server.browser();
    app.code_in(&browser).await;
    for _ in 0..3 {
        server.clock().advance(minutes(9));
        assert!(is_logged_in(&app, &browser).await, "each use counts");
    }
    server.clock().advance(minutes(10));
    assert!(!is_logged_in(&app, &browser).await);
}

#[tokio::test]
async fn a_session_ends_however_much_it_is_used_and_a_lower_limit_counts_at_once() {
    let (server, admin, app) = start().await;
    admin.change("/servers/default", &json!({"sso": {"max_age": "1h0m0s", "max_idle": "10m0s"}})).await;
    let (browser, other) = (server.browser(), server.browser());
    app.code_in(&browser).await;
    for _ in 0..6 {
        assert!(is_logged_in(&app, &browser).await);
        server.clock().advance(minutes(9));
    }
    assert!(is_logged_in(&app, &browser).await, "54 minutes");
    server.clock().advance(minutes(6));
    assert!(!is_logged_in(&app, &browser).await, "60 minutes");
    app.code_in(&other).await;
    server.clock().advance(minutes(5));
    assert!(is_logged_in(&app, &other).await);
    let shorter = json!({"sso": {}, "cookie_max_age": "5m0s"});
    server.administrator().await.change("/servers/default", &shorter).await;
    assert!(!is_logged_in(&app, &other).await);
}

#[tokio::test]
async fn limits_are_checked_and_come_back_as_they_were() {
    let (_server, admin, _) = start().await;
    let mut document = admin.get("/servers/default").await.expect(200).json();
    assert_eq!(document["sso"], json!({"session_management": false}), "no null members");
    for bad in [json!({"max_idle": "0s"}), json!({"max_age": "9000h0m0s"})] {
        document["sso"] = bad;
        admin.put("/servers/default", &document).await.expect(422);
    }
    let limits = json!({"max_age": "8h0m0s", "max_idle": "30m0s", "session_management": false});
    document["sso"] = limits.clone();
    let stored = admin.put("/servers/default", &document).await.expect(200).json();
    assert_eq!(stored["sso"], limits);
    admin.put("/servers/default", &stored).await.expect(200);
}

#[tokio::test]
async fn lgo_02_w_01_the_user_lists_sessions_and_ends_one() {
    let (server, _, app) = start().await;
    let (here, there) = (server.browser(), server.browser());
    let tokens = app.tokens_in(&here).await;
    server.clock().advance(minutes(5));
    let theirs = app.tokens_in(&there).await;
    let sessions = own(&server, tokens.access_token()).await;
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        assert_eq!(session["type"], "sso");
        for member in ["auth_time", "issue_time", "active_time"] {
            assert!(session[member].is_string(), "{member}: {session}");
        }
    }
    let raw = there.cookie("__Host-postern-session-default+default").expect("a session");
    let text = json!(sessions).to_string();
    assert!(!text.contains(&raw), "W-01: the cookie is not shown");
    // Which of the two is the other one?
    let latest = sessions.iter().max_by_key(|session| session["issue_time"].as_str()).expect("two");
    let path = format!("/default/default/sso/sessions/{}", id(latest));
    delete(&server, &path, tokens.access_token()).await.expect(204);
    assert!(!is_logged_in(&app, &there).await && is_logged_in(&app, &here).await);
    app.userinfo(theirs.access_token()).await.expect(401);
    assert_eq!(own(&server, tokens.access_token()).await.len(), 1);
    for nothing in [path.as_str(), "/default/default/sso/sessions/x"] {
        delete(&server, nothing, tokens.access_token()).await.expect(404);
    }
}

#[tokio::test]
async fn sessions_need_their_scope_and_their_owner() {
    let (server, _, app) = start().await;
    let plain = app.clone().with_scope("openid").tokens_in(&server.browser()).await;
    let answer = server.send(Ask::get("/default/default/sso/sessions").bearer(plain.access_token())).await;
    assert_eq!(answer.expect(403).json()["error"], "insufficient_scope");
    server.get("/default/default/sso/sessions").await.expect(401);
    delete(&server, "/default/default/tokens", plain.access_token()).await.expect(403);
    // Somebody of the same name in another tenant and in another workspace has sessions of their own.
    let tokens = app.tokens_in(&server.browser()).await;
    let mine = own(&server, tokens.access_token()).await;
    let acme = server.acme_administrator().await;
    let victim = id(&mine[0]);
    acme.delete(&format!("/servers/default/sessions/{victim}")).await.expect(404);
    server.administrator().await.delete(&format!("/servers/second/sessions/{victim}")).await.expect(404);
    assert_eq!(own(&server, tokens.access_token()).await.len(), mine.len());
}

#[tokio::test]
async fn the_user_takes_back_every_token_but_the_one_that_asks() {
    let (server, _, app) = start().await;
    let (here, there) = (server.browser(), server.browser());
    let offline = app.clone().with_scope(&format!("{SCOPE} offline_access"));
    let (tokens, theirs) = (app.tokens_in(&here).await, offline.tokens_in(&there).await);
    delete(&server, "/default/default/tokens", tokens.access_token()).await.expect(204);
    assert!(is_logged_in(&app, &here).await && !is_logged_in(&app, &there).await);
    offline.refresh(theirs.refresh_token()).await.expect(400);
    app.userinfo(tokens.access_token()).await.expect(200);
    let path = "/default/default/tokens?revoke_current_token=true";
    delete(&server, path, tokens.access_token()).await.expect(204);
    app.userinfo(tokens.access_token()).await.expect(401);
    assert!(!is_logged_in(&app, &here).await);
}

#[tokio::test]
async fn the_administrator_pages_through_sessions_and_ends_them() {
    let (server, admin, app) = start().await;
    let browsers = [server.browser(), server.browser(), server.browser()];
    let mut tokens = Vec::new();
    for browser in &browsers {
        tokens.push(app.tokens_in(browser).await);
    }
    let sub = claims(tokens[0].id_token())["sub"].as_str().expect("sub").to_owned();
    let list = async |query: &str| {
        let path = format!("/servers/default/sessions?subject={sub}{query}");
        admin.get(&path).await.expect(200).json()["sessions"].as_array().expect("sessions").clone()
    };
    let first = list("&limit=2").await;
    // What a token or an audit event names the session by leads to it.
    let sids: Vec<_> = list("").await.iter().map(|session| session["sid"].clone()).collect();
    assert!(tokens.iter().all(|tokens| sids.contains(&claims(tokens.id_token())["sid"])), "{sids:?}");
    let rest = list(&format!("&limit=2&after_session_id={}", id(&first[1]))).await;
    let mut ids: Vec<String> = first.iter().chain(&rest).map(|session| id(session).to_owned()).collect();
    ids.dedup();
    assert_eq!((first.len(), rest.len(), ids.len()), (2, 1, 3));
    admin.get("/servers/default/sessions").await.expect(400);
    admin.get("/servers/nowhere/sessions?subject=x").await.expect(404);
    admin.delete(&format!("/servers/default/sessions/{}", ids[0])).await.expect(204);
    admin.delete(&format!("/servers/default/sessions/{}", ids[0])).await.expect(404);
    assert_eq!(list("").await.len(), 2);
    admin.delete(&format!("/servers/default/sessions?subject={sub}")).await.expect(204);
    for (browser, tokens) in browsers.iter().zip(&tokens) {
        assert!(!is_logged_in(&app, browser).await);
        app.userinfo(tokens.access_token()).await.expect(401);
    }
}

#[tokio::test]
async fn the_administrator_takes_back_all_that_a_subject_has() {
    let (server, admin, app) = start().await;
    let offline = app.clone().with_scope("openid offline_access");
    let browser = server.browser();
    let tokens = offline.tokens_in(&browser).await;
    let sub = claims(tokens.id_token())["sub"].clone();
    let revoke = async |body: &Value| {
        let path = "/api/admin/default/servers/default/tokens";
        server.send(Ask::json(Method::DELETE, path, body).bearer(&admin.token)).await
    };
    for bad in [json!({}), json!({"subjects": []}), json!({"subjects": [sub], "idp_id": "x"})] {
        revoke(&bad).await.expect(422);
    }
    // With an identity provider the subjects are those that it names.
    revoke(&json!({"subjects": [sub], "idp_id": "default-sandbox"})).await.expect(204);
    revoke(&json!({"subjects": ["user"]})).await.expect(204);
    assert!(is_logged_in(&app, &browser).await);
    revoke(&json!({"subjects": ["user"], "idp_id": "default-sandbox"})).await.expect(204);
    assert!(!is_logged_in(&app, &browser).await);
    let tokens = offline.tokens_in(&browser).await;
    revoke(&json!({"subjects": ["nobody", sub]})).await.expect(204);
    assert!(!is_logged_in(&app, &browser).await);
    offline.refresh(tokens.refresh_token()).await.expect(400);
    app.userinfo(tokens.access_token()).await.expect(401);
    // What was allowed is asked again.
    let page = browser.open(&offline.authorize_url(&[])).await;
    assert!(browser.log_in(&page).await.has_form("consent-form"));
}

/// Logs in as a browser that says what it is.
async fn log_in_as(server: &TestServer, app: &RelyingParty, user_agent: &str) -> Browser {
    let browser = server.browser();
    let page = browser.open(&app.authorize_url(&[])).await;
    let form = page.form("login-form").with("username", "user").with("password", "user");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let ask = Ask::form(form.action.as_str(), &fields).header("user-agent", user_agent);
    let path = form.action.path().to_owned();
    browser.send(ask, &path).await;
    browser
}

#[tokio::test]
async fn lgo_04_ses_06_the_page_of_sessions_ends_them_by_its_own_form_only() {
    let (server, _, app) = start().await;
    let here = log_in_as(&server, &app, FIREFOX).await;
    server.clock().advance(minutes(1));
    let there = log_in_as(&server, &app, "\"><script>alert(1)</script>").await;
    let page = here.load("/default/default/sessions").await.expect(200);
    let text = page.text();
    assert!(text.contains("Firefox on Linux") && text.contains("Unknown browser"), "{text}");
    assert!(!text.contains("alert(1)"));
    assert_eq!(text.matches("session-current").count(), 1);
    // A form of another session, or of another site, ends nothing.
    let form = page.form("sessions-form");
    // The page says so, and its form works.
    let refused = here.post(&form.clone().with("csrf", "x").with("end", "others")).await.expect(200);
    assert!(refused.element("form-outdated").is_some() && refused.has_form("sessions-form"));
    let refused = there.post(&form.clone().with("end", "others")).await.expect(200);
    assert!(refused.element("form-outdated").is_some());
    assert!(page.element("form-outdated").is_none());
    assert!(is_logged_in(&app, &there).await && is_logged_in(&app, &here).await);
    here.post(&form.clone().with("end", "others")).await.expect(303);
    assert!(!is_logged_in(&app, &there).await && is_logged_in(&app, &here).await);
    let page = here.load("/default/default/sessions").await.expect(200);
    assert!(page.element("sessions-end-others").is_none());
    let own = page
        .text()
        .split("name=\"end\" value=\"")
        .nth(1)
        .and_then(|t| t.split('"').next())
        .map(str::to_owned);
    let done = here.post(&form.with("end", &own.expect("a button"))).await.expect(200);
    assert!(done.element("logged-out").is_some());
    assert!(!is_logged_in(&app, &here).await);
    let nobody = here.load("/default/default/sessions").await.expect(200);
    assert!(nobody.element("sessions-nobody").is_some() && !nobody.has_form("sessions-form"));
}

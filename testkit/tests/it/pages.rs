//! Pages against clickjacking, scripts, leaks and strangers' content.

use serde_json::json;
use testkit::{Answer, Ask, TestServer};

/// Every page of a walk through login and consent, and the error pages beside it.
async fn walk(server: &TestServer) -> Vec<Answer> {
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    let wrong = browser.mistype(&login).await;
    let consent = browser.log_in(&login).await;
    let posted = {
        let page = browser.open(&app.authorize_url(&[("response_mode", "form_post")])).await;
        browser.allow(&page).await
    };
    let error = browser.load(&app.authorize_url(&[("redirect_uri", "https://evil.example/")])).await;
    let html = |path: &str| server.send(Ask::get(path).header("accept", "text/html"));
    let missing = html("/nowhere").await;
    let landing = html("/default").await;
    let logout = browser.open(&app.path("/logout")).await;
    vec![login, wrong, consent, posted, error, missing, landing, logout]
}

#[tokio::test]
async fn web_02_web_03_web_08_w_34_pages_are_framed_by_nobody_and_run_no_foreign_script() {
    let server = TestServer::start().await;
    for page in walk(&server).await {
        assert!(page.header("content-type").starts_with("text/html"), "{}", page.asked);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{}: {policy}", page.asked);
        assert!(policy.contains("default-src 'none'"), "{}: {policy}", page.asked);
        assert!(policy.contains("base-uri 'none'"), "{}: {policy}", page.asked);
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"),
            "{}: {policy}",
            page.asked
        );
        assert!(!policy.contains("https:") || policy.contains("form-action"), "{}: {policy}", page.asked);
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(
            page.header("cache-control").contains("no-store") || page.asked == "/default",
            "{}",
            page.asked
        );
        let text = page.text();
        for foreign in ["src=\"http", "src=\"//", "<iframe", " onclick=", " onload=", "javascript:"] {
            assert!(!text.contains(foreign), "{}: {foreign}", page.asked);
        }
        let styles = text.matches("<link ").count();
        assert_eq!(styles, text.matches("href=\"/static/").count().min(styles), "{}", page.asked);
    }
}

#[tokio::test]
async fn web_04_no_page_leaks_its_address() {
    let server = TestServer::start().await;
    for page in walk(&server).await {
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{}", page.asked);
    }
    let app = server.party("app");
    let answer = server.browser().authorize(&app.authorize_url(&[])).await;
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "the redirect with the code, too");
    assert!(answer.header("cache-control").contains("no-store"));
    assert_eq!(answer.status, 303, "a POST becomes a GET (RFC 9700 §4.12)");
}

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'\"/><svg/onload=alert(1)>",
    "{{7*7}}{% raw %}",
    "javascript:alert(1)",
    "\u{202e}<b>x</b>\u{0}",
];

#[track_caller]
fn harmless(page: &Answer) {
    let text = page.text();
    for raw in ["<script>alert", "<img src=x", "<svg/onload", "<b>x</b>", "49{%", "href=\"javascript:"] {
        assert!(!text.contains(raw), "{}: {raw}", page.asked);
    }
    assert!(page.status.as_u16() < 500, "{}", page.status);
}

#[tokio::test]
async fn web_11_web_12_w_25_lgo_09_hostile_parameters_stay_text() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let names = [
        "state",
        "nonce",
        "scope",
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "prompt",
        "display",
        "ui_locales",
        "login_hint",
        "acr_values",
        "claims",
        "max_age",
        "code_challenge",
        "id_token_hint",
        "resource",
    ];
    for name in names {
        for value in HOSTILE {
            let browser = server.browser();
            let page = browser.open(&app.authorize_url(&[(name, value)])).await;
            harmless(&page);
            if page.has_form("login-form") {
                harmless(&browser.log_in(&page).await);
            }
        }
    }
    for path in ["/login", "/consent", "/logout", "/error", "/select-account"] {
        for value in HOSTILE {
            let query =
                testkit::urlencoded(&[("login_id", value), ("error", value), ("error_description", value)]);
            harmless(&server.get(&app.path(&format!("{path}?{query}"))).await);
        }
    }
}

#[tokio::test]
async fn web_16_w_25_hostile_names_of_users_and_clients_stay_text() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let app = server.party("app");
    for value in HOSTILE.map(|value| value.replace('\0', "")) {
        let browser = server.browser();
        let login = browser.open(&app.authorize_url(&[])).await;
        let form = login.form("login-form").with("username", &value).with("password", "x");
        harmless(&browser.submit(&form).await);
        let members = json!({"client_name": value, "description": value});
        let mut document = administrator.get("/clients/app").await.expect(200).json();
        document["client_name"] = members["client_name"].clone();
        let changed = administrator.put("/clients/app", &document).await;
        if changed.status == 200 {
            let login = browser.open(&app.authorize_url(&[])).await;
            harmless(&login);
            harmless(&browser.log_in(&login).await);
        }
    }
}

#[tokio::test]
async fn form_post_pages_escape_what_they_carry() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for state in HOSTILE {
        let browser = server.browser();
        let page =
            browser.authorize(&app.authorize_url(&[("response_mode", "form_post"), ("state", state)])).await;
        if page.has_form("form-post") {
            harmless(&page);
            assert_eq!(page.form("form-post").value("state"), Some(state));
            let policy = page.header("content-security-policy");
            assert!(policy.contains("form-action") && policy.contains("https://example.com"), "{policy}");
        }
    }
}

#[tokio::test]
async fn the_error_page_explains_to_developers_in_the_demo() {
    let server = TestServer::start().await;
    let app = server.party("app").with_redirect_uri("https://example.com/callbakc");
    let page = server.browser().load(&app.authorize_url(&[])).await.expect_error_page("invalid_request");
    let text = page.text();
    assert!(text.contains("https://example.com/callbakc"), "the received value");
    assert!(page.element("error-description").is_some());
    assert_eq!(page.element("trace-id").as_deref(), Some(page.header("x-trace-id")));
}

#[tokio::test]
async fn lgo_04_logging_out_takes_a_page_of_ours_and_a_yes() {
    let server = TestServer::start().await;
    let app = server.party("client");
    let browser = server.browser();
    app.code_in(&browser).await;
    let logged_in = || async {
        let silent = browser.load(&app.authorize_url(&[("prompt", "none")])).await;
        silent.response_parameter("code").is_some()
    };
    let page = browser.open(&app.path("/logout")).await.expect(200);
    assert!(page.element("logout-confirm").is_some(), "{}", page.text());
    assert!(logged_in().await, "a GET logs nobody out");
    let form = page.form("logout-form");
    browser.submit(&form.clone().with("decision", "cancel")).await.expect(200);
    assert!(logged_in().await, "cancelled");
    browser.submit(&form.clone().without("csrf").with("decision", "confirm")).await;
    browser.submit(&form.clone().with("csrf", &"A".repeat(43)).with("decision", "confirm")).await;
    assert!(logged_in().await, "forged");
    let path = app.path("/logout");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let ask = Ask::form(&path, &fields).header("origin", "https://evil.example");
    assert!(browser.send(ask, &path).await.status.is_client_error());
    assert!(logged_in().await, "sent from another site");
}

#[tokio::test]
async fn lgo_02_logging_out_ends_the_session_and_not_only_the_cookie() {
    let server = TestServer::start().await;
    let app = server.party("client").with_scope("openid email");
    let browser = server.browser();
    let tokens = app.tokens_in(&browser).await;
    let stolen = browser.copy();
    let page = browser.open(&app.path("/logout")).await.expect(200);
    let done = browser.submit(&page.form("logout-form").with("decision", "confirm")).await.expect(200);
    assert!(done.element("logged-out").is_some(), "{}", done.text());
    for profile in [&browser, &stolen] {
        let silent = profile.load(&app.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(silent.response_parameter("error").as_deref(), Some("login_required"));
    }
    app.userinfo(tokens.access_token()).await.expect(401);
}

#[tokio::test]
async fn a_second_language_is_complete() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let ask = Ask::get(&app.authorize_url(&[("ui_locales", "de")]));
    let start = server.send(ask).await;
    assert!(start.is_redirect());
    let browser = server.browser();
    let german = browser.open(&app.authorize_url(&[("ui_locales", "de")])).await;
    assert!(german.text().contains("lang=\"de\""), "{}", german.text());
    assert!(german.text().contains("Kennwort") && !german.text().contains("Password"), "{}", german.text());
}

/// What a person reads on an error page is in the page's language; what is for developers is marked as English.
#[tokio::test]
async fn error_pages_speak_the_language_of_the_person() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let german = |path: &str| Ask::get(path).header("accept-language", "de");
    let evil = [("redirect_uri", "https://evil.example/")];
    for (path, text) in [
        (app.path("/login?login_id=x"), "läuft nicht mehr"),
        (app.path("/error"), "läuft nicht mehr"),
        (app.authorize_url(&evil), "nicht für sie eingetragen"),
        (app.authorize_url(&[("client_id", "nobody")]), "kennt die Anwendung nicht"),
        (
            app.path("/oidc/logout?client_id=app&post_logout_redirect_uri=https://evil.example/"),
            "noch nicht abgemeldet",
        ),
    ] {
        let page = server.send(german(&path)).await.expect(400);
        assert!(page.text().contains("lang=\"de\"") && page.text().contains(text), "{path}: {}", page.text());
        assert!(page.element("error-advice").is_some(), "{path}");
        let plain = server.get(&path).await.expect(400);
        assert_ne!(page.element("error-description"), plain.element("error-description"), "{path}");
        assert_eq!(page.element("error-code"), plain.element("error-code"), "{path}");
    }
    // What has no words for people is said in general ones, and in English for the developer.
    let page = server.send(german(&app.authorize_url(&[("redirect_uri", "")]))).await.expect(400);
    assert!(page.text().contains("kann nicht ausgeführt werden"), "{}", page.text());
    assert!(page.text().contains("<p id=\"error-description\" lang=\"en\">"), "{}", page.text());
}

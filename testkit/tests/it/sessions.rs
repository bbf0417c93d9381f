//! Sessions and the login form.

use std::net::Ipv4Addr;
use std::time::Duration;

use http::Method;
use serde_json::json;
use testkit::{Answer, Ask, Browser, RelyingParty, TestServer, urlencoded};

const SESSION: &str = "__Host-postern-session-default+default";

async fn login_page(server: &TestServer, browser: &Browser) -> Answer {
    browser.open(&server.party("app").authorize_url(&[("state", "s")])).await.expect(200)
}

async fn try_login(browser: &Browser, page: &Answer, username: &str, password: &str) -> Answer {
    let form = page.form("login-form").with("username", username).with("password", password);
    browser.submit(&form).await
}

/// Still on the login page, nobody logged in.
#[track_caller]
fn stays(answer: &Answer, browser: &Browser) {
    assert!(answer.has_form("login-form"), "{} {}", answer.status, answer.text());
    assert!(browser.cookie(SESSION).is_none(), "a session cookie");
}

#[tokio::test]
async fn ses_02_a_login_makes_a_new_session_and_ends_the_old_one() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    // Fixation: a value planted before the login is not adopted.
    browser.set_cookie(SESSION, &"A".repeat(43));
    let page = browser.open(&app.authorize_url(&[])).await;
    browser.log_in(&page).await;
    let first = browser.cookie(SESSION).expect("a session");
    assert_ne!(first, "A".repeat(43));
    let page = browser.open(&app.authorize_url(&[("prompt", "login")])).await;
    browser.log_in(&page).await;
    let second = browser.cookie(SESSION).expect("a session");
    assert_ne!(first, second);
    let old = server.browser();
    old.set_cookie(SESSION, &first);
    let answer = old.load(&app.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("login_required"));
}

/// The contract's login form: without `remember_me` a session ends with the browser, with it when its time is over.
#[tokio::test]
async fn remember_me_lets_the_session_outlive_the_browser() {
    let server = TestServer::start().await;
    for (chosen, expected) in [(None, None), (Some("true"), Some("43200"))] {
        let browser = server.browser();
        let page = login_page(&server, &browser).await;
        let mut form = page.form("login-form").with("username", "user").with("password", "wrong");
        assert_eq!(form.value("remember_me"), None, "nobody is remembered unasked");
        if let Some(chosen) = chosen {
            form = form.with("remember_me", chosen);
        }
        // The choice survives a mistyped password.
        let again = browser.submit(&form).await.expect(403);
        assert_eq!(again.text().contains("value=\"true\" checked"), chosen.is_some());
        let answer = browser.post(&form.with("password", "user")).await;
        let lines = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
        let line = lines.into_iter().find(|line| line.starts_with(SESSION)).expect("a session");
        let life = line.split("Max-Age=").nth(1).map(|rest| rest.split(';').next().unwrap());
        assert_eq!(life, expected, "{line}");
    }
}

#[tokio::test]
async fn ses_02_cookies_are_host_bound_secure_and_http_only() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = login_page(&server, &browser).await;
    let answer =
        browser.post(&page.form("login-form").with("username", "user").with("password", "user")).await;
    let mut cookies = 0;
    for header in page.headers.get_all("set-cookie").iter().chain(answer.headers.get_all("set-cookie")) {
        let text = header.to_str().unwrap();
        assert!(text.starts_with("__Host-"), "{text}");
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(text.contains(attribute), "{attribute}: {text}");
        }
        assert!(!text.to_ascii_lowercase().contains("domain="), "{text}");
        cookies += 1;
    }
    assert!(cookies > 0);
}

#[tokio::test]
async fn ses_03_ses_06_a_login_page_is_bound_to_its_browser() {
    let server = TestServer::start().await;
    let attacker = server.browser();
    let page = login_page(&server, &attacker).await;
    // The victim follows the attacker's link to the login page …
    let victim = server.browser();
    let shown = victim.load(&page.asked).await;
    assert!(!shown.has_form("login-form"), "{}", shown.text());
    // … or completes the attacker's form.
    let answer = victim.log_in(&page).await;
    assert!(answer.status.is_client_error() || answer.has_form("login-form"), "{}", answer.status);
    assert!(victim.cookie(SESSION).is_none());
    // Neither gives the attacker a code.
    let answer = attacker.open(&page.asked).await;
    assert!(answer.has_form("login-form"));
}

#[tokio::test]
async fn ses_04_ses_05_forms_from_other_sites_are_refused() {
    let server = TestServer::start().await;
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "cross-site")],
        &[("origin", "http://localhost:8443")],
    ] {
        let browser = server.browser();
        let page = login_page(&server, &browser).await;
        let form = page.form("login-form").with("username", "user").with("password", "user");
        let fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let path = form.action.as_str();
        let mut ask = Ask::form(path, &fields);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        let answer = browser.send(ask, path.strip_prefix(testkit::ORIGIN).unwrap()).await;
        assert!(answer.status.is_client_error(), "{headers:?}: {}", answer.status);
        assert!(browser.cookie(SESSION).is_none(), "{headers:?}");
    }
}

#[tokio::test]
async fn ses_05_a_login_needs_the_anti_forgery_value() {
    let server = TestServer::start().await;
    for value in ["", "x", &"A".repeat(43)] {
        let browser = server.browser();
        let page = login_page(&server, &browser).await;
        let form = page.form("login-form").with("username", "user").with("password", "user");
        for form in [
            form.clone().with("csrf", value),
            form.clone().without("csrf"),
            form.clone().without("csrf").without("resume"),
        ] {
            let answer = browser.submit(&form).await;
            assert_eq!(answer.status.as_u16(), 400);
            assert!(browser.cookie(SESSION).is_none(), "{value:?}");
        }
    }
}

#[tokio::test]
async fn ses_07_half_of_the_cookies_are_no_login() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    app.code_in(&browser).await;
    let session = browser.cookie(SESSION).unwrap();
    // Only the browser's own cookie.
    let half = browser.copy();
    half.forget_cookie(SESSION);
    let answer = half.load(&app.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("login_required"));
    // A session of another workspace under this one's name.
    let elsewhere = server.browser();
    elsewhere.set_cookie("__Host-postern-session-default+second", &session);
    let second = server.party_at("/default/second", "second-app", None);
    let answer = elsewhere.load(&second.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("login_required"));
    let stranger = server.browser();
    stranger.set_cookie("__Host-postern-session-acme+default", &session);
    let acme = server.party_at("/acme/default", "app", None);
    let answer = stranger.load(&acme.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn ses_08_cookie_garbage_harms_nobody() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let many = "a=b; ".repeat(4_000) + "c=d";
    for cookie in ["=", ";;;", "a=b=c=d", "\"", "__Host-postern-browser=", &many, "a", "é=ü"] {
        let ask = Ask::get(&app.authorize_url(&[])).header("cookie", cookie);
        let answer = server.send(ask).await;
        assert!(answer.is_redirect(), "{:.30}: {}", cookie, answer.status);
    }
    let twice = format!("{SESSION}={}; {SESSION}={}", "A".repeat(43), "B".repeat(43));
    let answer = server.send(Ask::get(&app.authorize_url(&[])).header("cookie", &twice)).await;
    assert!(answer.location().path().ends_with("/login"));
}

#[tokio::test]
async fn ses_09_what_the_form_carries_cannot_be_changed() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let other = server.party("other-app");
    let browser = server.browser();
    let one = browser.open(&app.authorize_url(&[("state", "one")])).await;
    let two = browser.open(&other.authorize_url(&[("state", "two")])).await;
    // The sealed request of one page in the form of another changes nothing.
    let resume = two.form("login-form").value("resume").unwrap().to_owned();
    let form = one.form("login-form").with("username", "user").with("password", "user");
    let answer = browser.submit(&form.clone().with("resume", &resume)).await;
    let answer = if answer.has_form("consent-form") { browser.allow(&answer).await } else { answer };
    assert_eq!(answer.response_parameter("state").as_deref(), Some("one"));
    // Nor does what stands beside it.
    let page = browser.open(&app.authorize_url(&[("prompt", "login"), ("state", "s")])).await;
    let form = page.form("login-form").with("username", "user").with("password", "user");
    let form =
        form.with("redirect_uri", "https://evil.example/").with("client_id", "other").with("scope", "admin");
    let answer = browser.submit(&form).await;
    assert!(answer.location().as_str().starts_with("https://example.com/callback?"), "{}", answer.location());
    let mut broken = resume.clone();
    broken.replace_range(10..11, if &resume[10..11] == "A" { "B" } else { "A" });
    server.clock().advance(Duration::from_secs(100_000));
    let stale = server.browser();
    let answer = stale.submit(&one.form("login-form").with("resume", &broken)).await;
    assert!(!answer.is_redirect() || answer.response_parameter("code").is_none());
}

#[tokio::test]
async fn a_session_ends_after_its_time() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    app.code_in(&browser).await;
    server.clock().advance(Duration::from_secs(12 * 3600 + 1));
    let answer = browser.load(&app.authorize_url(&[("prompt", "none")])).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn lgn_02_only_the_exact_password_logs_in() {
    let server = TestServer::start().await;
    for (username, password) in [
        ("user", ""),
        ("user", " user"),
        ("user", "user "),
        ("user", "use"),
        ("user", "User"),
        ("user", "userX"),
        ("user", "user\u{0}"),
        ("user", "*"),
        ("", ""),
        ("", "user"),
        ("nobody", "user"),
        ("user' --", "user"),
        ("*", "user"),
        ("user\u{0}", "user"),
    ] {
        let browser = server.browser();
        let page = login_page(&server, &browser).await;
        let answer = try_login(&browser, &page, username, password).await;
        assert!(browser.cookie(SESSION).is_none(), "{username:?} {password:?}");
        assert!(answer.status.as_u16() < 500, "{username:?} {password:?}: {}", answer.status);
    }
}

#[tokio::test]
async fn lgn_08_w_24_long_passwords_cost_nothing() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = login_page(&server, &browser).await;
    for length in [1_025, 60_000, 200_000] {
        let answer = try_login(&browser, &page, "user", &"x".repeat(length)).await;
        assert!(answer.status.as_u16() < 500, "{length}: {}", answer.status);
        assert!(browser.cookie(SESSION).is_none());
    }
}

#[tokio::test]
async fn lgn_11_the_password_is_never_echoed() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = login_page(&server, &browser).await;
    let answer = try_login(&browser, &page, "user", "wrong-and-secret-password").await;
    stays(&answer, &browser);
    assert!(!answer.text().contains("wrong-and-secret-password"));
    assert_eq!(answer.form("login-form").value("username"), Some("user"), "the name is kept");
    assert_eq!(answer.form("login-form").value("password"), Some(""));
}

#[tokio::test]
async fn unknown_user_and_wrong_password_look_the_same() {
    let server = TestServer::start().await;
    let mut pages = Vec::new();
    for username in ["user", "nobody-of-this-name"] {
        let browser = server.browser();
        let page = login_page(&server, &browser).await;
        let answer = try_login(&browser, &page, username, "wrong").await;
        stays(&answer, &browser);
        pages.push((answer.status, answer.element("login-problem")));
    }
    assert_eq!(pages[0], pages[1]);
    assert!(pages[0].1.is_some());
}

async fn from(
    browser: &Browser,
    server: &TestServer,
    page: &Answer,
    password: &str,
    source: Ipv4Addr,
) -> Answer {
    let form = page.form("login-form").with("username", "user").with("password", password);
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let cookie = format!(
        "__Host-postern-browser={}",
        browser.cookie("__Host-postern-browser").expect("the browser's cookie")
    );
    let ask = Ask::new(Method::POST, form.action.as_str())
        .body("application/x-www-form-urlencoded", urlencoded(&fields))
        .header("cookie", &cookie);
    let answer = server.send_from(ask, source).await;
    // Where the form did not lead on, the page says why.
    if !answer.is_redirect() || answer.location().query().is_none_or(|query| !query.contains("notice=")) {
        return answer;
    }
    server.send_from(Ask::get(answer.location().as_str()).header("cookie", &cookie), source).await
}

#[tokio::test]
async fn w_17_w_18_failures_slow_their_source_down_and_never_the_owner() {
    let server = TestServer::start().await;
    let (attacker, owner) = (server.browser(), server.browser());
    let page = login_page(&server, &attacker).await;
    let thief = Ipv4Addr::new(203, 0, 113, 9);
    for attempt in 0..20 {
        let answer = from(&attacker, &server, &page, "wrong", thief).await;
        assert_ne!(answer.status, 429, "attempt {attempt}");
    }
    // From now on even the right password is not looked at, from there.
    let answer = from(&attacker, &server, &page, "user", thief).await;
    assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), "1");
    assert!(answer.element("login-problem").unwrap().contains("in one second"), "{}", answer.text());
    // X-Forwarded-For of a stranger changes nothing.
    let form = page.form("login-form").with("username", "user").with("password", "user");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let cookie = format!("__Host-postern-browser={}", attacker.cookie("__Host-postern-browser").unwrap());
    let ask = Ask::form(form.action.as_str(), &fields)
        .header("cookie", &cookie)
        .header("x-forwarded-for", "10.1.1.1");
    let answer = server.send_from(ask, thief).await;
    assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
    let page = server.send_from(Ask::get(answer.location().as_str()).header("cookie", &cookie), thief).await;
    assert_eq!(page.status, 429);
    // The owner, elsewhere, logs in.
    let page = login_page(&server, &owner).await;
    let answer = from(&owner, &server, &page, "user", Ipv4Addr::new(198, 51, 100, 7)).await;
    assert!(answer.headers.contains_key("set-cookie"), "{} {}", answer.status, answer.text());
    // After the pause the source may try again.
    server.clock().advance(Duration::from_secs(120));
    let page = login_page(&server, &attacker).await;
    let answer = from(&attacker, &server, &page, "user", thief).await;
    assert!(answer.headers.contains_key("set-cookie"), "{} {}", answer.status, answer.text());
}

#[tokio::test]
async fn lgn_13_spellings_of_a_name_share_one_counter() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = login_page(&server, &browser).await;
    for spelling in ["user", "User", "USER", " user", "user "].iter().cycle().take(20) {
        try_login(&browser, &page, spelling, "wrong").await;
    }
    let form = page.form("login-form").with("username", "user").with("password", "user");
    assert_eq!(browser.submit(&form).await.status, 429);
}

/// RFC 9110 §15.4.4: what was typed wrong is told by a page of its own, so that going back sends nothing again.
#[tokio::test]
async fn lgn_11_a_wrong_password_leads_to_a_page_that_can_be_loaded_again() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = login_page(&server, &browser).await;
    let typed = "ada.lovelace@example.com";
    let wrong = page.form("login-form").with("username", typed).with("password", "wrong");
    let answer = browser.post(&wrong).await.expect(303);
    let location = answer.location();
    for readable in ["ada", "example.com", "credentials", "wrong"] {
        assert!(!location.as_str().contains(readable), "{location}");
    }
    for _ in 0..2 {
        let told = browser.load(location.as_str()).await.expect(403);
        assert_eq!(told.form("login-form").value("username"), Some(typed));
        assert!(told.element("login-problem").is_some());
        assert!(!told.form("login-form").action.as_str().contains("notice="), "a form of its own");
    }
    // What the page itself is, it stays.
    let fresh = browser.load(&page.asked).await.expect(200);
    assert!(fresh.element("login-problem").is_none());
    let told = browser.load(location.as_str()).await.expect(403);
    assert!(browser.log_in(&told).await.has_form("consent-form"));
}

#[tokio::test]
async fn ses_09_a_notice_of_another_login_of_long_ago_or_made_up_says_nothing() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = login_page(&server, &browser).await;
    let told = browser.mistype(&page).await.expect(403);
    let (_, notice) = told.asked.split_once("notice=").expect("a notice");
    let other = login_page(&server, &browser).await;
    let mut changed = notice.to_owned();
    changed.replace_range(20..21, if &changed[20..21] == "A" { "B" } else { "A" });
    for (page, notice) in
        [(&other, notice), (&page, changed.as_str()), (&page, "x"), (&page, "%22%3E%3Cb%3E")]
    {
        let shown = browser.load(&format!("{}&notice={notice}", page.asked)).await.expect(200);
        assert!(shown.element("login-problem").is_none(), "{}", shown.text());
        assert_eq!(shown.form("login-form").value("username"), Some(""));
    }
    // Another browser sees nothing at all of it.
    assert!(!server.browser().load(&told.asked).await.has_form("login-form"));
    server.clock().advance(Duration::from_secs(16 * 60));
    let shown = browser.load(&told.asked).await.expect(200);
    assert!(shown.element("login-problem").is_none(), "{}", shown.text());
}

#[tokio::test]
async fn rfc9110_10_2_3_the_time_to_wait_is_told_and_runs_out() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = login_page(&server, &browser).await;
    let mut told = page.clone();
    for _ in 0..26 {
        server.clock().advance(Duration::from_secs(40));
        told = browser.mistype(&page).await;
    }
    let told = {
        assert_eq!(told.status, 403, "looked at");
        browser.mistype(&page).await.expect(429)
    };
    assert_eq!(told.header("retry-after"), "64");
    assert!(told.element("login-problem").unwrap().contains("in 64 seconds"), "{}", told.text());
    server.clock().advance(Duration::from_millis(23_500));
    let later = browser.load(&told.asked).await.expect(429);
    assert_eq!(later.header("retry-after"), "41");
    server.clock().advance(Duration::from_secs(41));
    let over = browser.load(&told.asked).await.expect(200);
    assert!(over.element("login-problem").is_none(), "{}", over.text());
    assert_eq!(over.form("login-form").value("username"), Some("user"));
    assert!(browser.log_in(&over).await.has_form("consent-form"));
}

#[tokio::test]
async fn a_success_resets_the_counter() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        let browser = server.browser();
        let page = login_page(&server, &browser).await;
        for _ in 0..15 {
            try_login(&browser, &page, "user", "wrong").await;
        }
        browser.log_in(&page).await;
        assert!(browser.cookie(SESSION).is_some());
    }
}

#[tokio::test]
async fn adm_30_the_demo_user_is_nobody_in_the_admin_workspace() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let body = json!({
        "authorization_server_id": "admin",
        "client_id": "admin-browser",
        "redirect_uris": ["https://example.com/callback"],
        "token_endpoint_auth_method": "none",
        "scopes": ["openid"]
    });
    administrator.post("/clients", &body).await.expect(201);
    let party: RelyingParty = server.party_at("/default/admin", "admin-browser", None);
    let browser = server.browser();
    let page = browser.open(&party.authorize_url(&[])).await;
    let answer = browser.log_in(&page).await;
    assert!(answer.has_form("login-form"), "{}", answer.text());
}

//! Several tabs, back buttons, double clicks and stale pages: always to the client or to a fresh login, never to a
//! dead end, never a 5xx.

use std::time::Duration;

use testkit::{Answer, Browser, RelyingParty, TestServer};

/// Whether a person can go on from here.
#[track_caller]
fn goes_on(answer: &Answer) -> &Answer {
    assert!(answer.status.as_u16() < 500, "{} {}", answer.status, answer.text());
    let to_client = answer.is_redirect() && answer.location().host_str() == Some("example.com");
    let asks = answer.has_form("login-form") || answer.has_form("consent-form");
    assert!(to_client || asks, "a dead end: {} {} {}", answer.asked, answer.status, answer.text());
    answer
}

/// Goes on as a patient person would, until the client is reached.
async fn finish(browser: &Browser, mut answer: Answer) -> Answer {
    for _ in 0..6 {
        goes_on(&answer);
        answer = match &answer {
            page if page.has_form("login-form") => browser.log_in(page).await,
            page if page.has_form("consent-form") => browser.allow(page).await,
            _ => return answer,
        };
    }
    panic!("no end at {}", answer.asked);
}

async fn arrives(party: &RelyingParty, browser: &Browser, answer: Answer, state: &str) {
    let answer = finish(browser, answer).await;
    assert_eq!(answer.response_parameter("state").as_deref(), Some(state), "{}", answer.location());
    let code = answer.response_parameter("code").unwrap_or_else(|| panic!("{}", answer.location()));
    party.redeem(&code).await.expect(200);
}

/// Eight tabs; `order` says which comes when it is time to send its form.
async fn eight_tabs(order: [usize; 8]) {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let mut pages = Vec::new();
    for tab in 0..8 {
        let state = format!("tab-{tab}");
        pages.push(browser.open(&app.authorize_url(&[("state", &state)])).await);
    }
    for tab in order {
        let state = format!("tab-{tab}");
        arrives(&app, &browser, pages[tab].clone(), &state).await;
    }
}

#[tokio::test]
async fn eight_tabs_finish_in_the_order_they_were_opened() {
    eight_tabs([0, 1, 2, 3, 4, 5, 6, 7]).await;
}

#[tokio::test]
async fn eight_tabs_finish_in_the_opposite_order() {
    eight_tabs([7, 6, 5, 4, 3, 2, 1, 0]).await;
}

#[tokio::test]
async fn eight_tabs_finish_in_any_order() {
    eight_tabs([3, 0, 6, 1, 7, 2, 5, 4]).await;
}

#[tokio::test]
async fn eight_tabs_first_all_log_in_and_then_all_consent() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let mut pages = Vec::new();
    for tab in 0..8 {
        pages.push(browser.open(&app.authorize_url(&[("state", &format!("tab-{tab}"))])).await);
    }
    let mut consents = Vec::new();
    for page in pages.iter().rev() {
        let answer = browser.log_in(page).await;
        consents.push(goes_on(&answer).clone());
    }
    for (tab, page) in consents.into_iter().rev().enumerate() {
        arrives(&app, &browser, page, &format!("tab-{tab}")).await;
    }
}

#[tokio::test]
async fn tabs_of_two_clients_do_not_meet() {
    let server = TestServer::start().await;
    let (app, other) = (server.party("app"), server.party("other-app"));
    let browser = server.browser();
    let first = browser.open(&app.authorize_url(&[("state", "one")])).await;
    let second = browser.open(&other.authorize_url(&[("state", "two")])).await;
    arrives(&other, &browser, second, "two").await;
    arrives(&app, &browser, first, "one").await;
}

#[tokio::test]
async fn double_submit_of_the_login_form() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    let first = browser.log_in(&login).await;
    let second = browser.log_in(&login).await;
    goes_on(&first);
    arrives(&app, &browser, second, "s").await;
    arrives(&app, &browser, first, "s").await;
}

#[tokio::test]
async fn double_submit_of_the_consent_form_never_yields_a_second_code_from_one_interaction() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    let consent = browser.log_in(&login).await;
    let form = consent.form("consent-form").with("decision", "allow");
    let first = browser.post(&form).await;
    let code = first.response_parameter("code").expect("a code");
    let second = browser.post(&form).await;
    assert!(second.is_redirect(), "{} {}", second.status, second.text());
    assert_ne!(second.location().host_str(), Some("example.com"), "a used interaction answers no client");
    app.redeem(&code).await.expect(200);
    let second = browser.follow(second).await;
    arrives(&app, &browser, second, "s").await;
}

#[tokio::test]
async fn the_back_button_to_login_and_consent_after_the_end() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    let consent = browser.log_in(&login).await;
    let done = browser.allow(&consent).await;
    assert!(done.response_parameter("code").is_some());
    for page in [&login, &consent] {
        // Back: the page is loaded again, or comes from the browser's memory and is sent once more.
        let loaded = browser.open(&page.asked).await;
        arrives(&app, &browser, loaded, "s").await;
    }
    let again = browser.log_in(&login).await;
    arrives(&app, &browser, again, "s").await;
    let again = browser.allow(&consent).await;
    arrives(&app, &browser, again, "s").await;
}

#[tokio::test]
async fn a_login_page_left_open_overnight() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    server.clock().advance(Duration::from_secs(14 * 3600));
    server.store().sweep(server.engine().now(), 10_000).await.expect("a sweep");
    let answer = browser.log_in(&login).await;
    arrives(&app, &browser, answer, "s").await;
}

#[tokio::test]
async fn a_consent_page_left_open_overnight() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    let consent = browser.log_in(&login).await;
    server.clock().advance(Duration::from_secs(14 * 3600));
    server.store().sweep(server.engine().now(), 10_000).await.expect("a sweep");
    let answer = browser.allow(&consent).await;
    arrives(&app, &browser, answer, "s").await;
}

#[tokio::test]
async fn another_person_logs_in_in_between() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    let consent = browser.log_in(&login).await;
    // A new session replaces the one for which the consent page was shown.
    let other = browser.open(&app.authorize_url(&[("prompt", "login"), ("state", "t")])).await;
    browser.log_in(&other).await;
    let answer = browser.allow(&consent).await;
    assert!(
        answer.has_form("consent-form") && answer.element("form-outdated").is_some(),
        "{}",
        answer.text()
    );
    arrives(&app, &browser, answer, "s").await;
}

#[tokio::test]
async fn cns_04_who_has_logged_out_in_between_is_told_so_at_the_login() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    let consent = browser.log_in(&login).await;
    let question = browser.load(&app.path("/logout")).await;
    browser.post(&question.form("logout-form").with("decision", "confirm")).await.expect(200);
    let answer = browser.allow(&consent).await.expect(200);
    assert!(answer.has_form("login-form"), "{}", answer.text());
    assert!(
        answer.element("login-problem").is_some_and(|text| text.contains("signed in or out")),
        "{}",
        answer.text()
    );
    arrives(&app, &browser, answer, "s").await;
}

#[tokio::test]
async fn cookies_lost_between_page_and_form() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    for name in browser.cookie_names() {
        browser.forget_cookie(&name);
    }
    let answer = browser.log_in(&login).await;
    assert!(answer.status.as_u16() < 500, "{} {}", answer.status, answer.text());
    assert!(!answer.is_redirect() || answer.response_parameter("code").is_none(), "{:?}", answer.headers);
    // Starting again at the client works.
    let answer = browser.open(&app.authorize_url(&[("state", "u")])).await;
    arrives(&app, &browser, answer, "u").await;
}

/// RFC 9700 §4.7: without the cookie the form does not count, and the page leads on all the same.
#[tokio::test]
async fn ses_03_a_lost_cookie_is_told_and_leads_on() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let url = app.authorize_url(&[("state", "of-this-state"), ("nonce", "of-this-nonce")]);
    let login = browser.open(&url).await;
    browser.forget_cookie("__Host-postern-browser");

    let shown = browser.load(&login.asked).await.expect_error_page("invalid_request");
    assert!(shown.element("error-advice").unwrap().contains("Cookies may be blocked"), "{}", shown.text());
    assert_eq!(shown.link("error-back").as_deref(), Some("https://example.com/"));
    assert_eq!(shown.link("error-restart"), None);
    assert!(!shown.text().contains("of-this-"), "nothing of the request: {}", shown.text());

    let form = login.form("login-form").with("username", "user").with("password", "user");
    let other = browser.copy().open(&app.authorize_url(&[("state", "of-another")])).await;
    let resume = other.form("login-form").value("resume").unwrap().to_owned();
    for form in [
        form.clone().without("resume"),
        form.clone().with("resume", "x"),
        form.clone().with("resume", &resume),
    ] {
        let refused = server.browser().post(&form).await.expect_error_page("invalid_request");
        assert_eq!(refused.link("error-restart"), None, "{}", refused.text());
        assert!(!refused.text().contains("of-"), "{}", refused.text());
    }
    let refused = browser.post(&form).await.expect_error_page("invalid_request");
    assert!(refused.headers.get("set-cookie").is_none(), "nobody is logged in");
    let again = browser.open(&refused.link("error-restart").expect("a way on")).await;
    arrives(&app, &browser, again, "of-this-state").await;
}

#[tokio::test]
async fn ses_03_a_lost_cookie_leads_to_where_the_application_begins_a_login() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let app = server.party("app");
    for (member, uri, link) in [
        ("client_uri", "https://example.com/about", "https://example.com/about"),
        (
            "initiate_login_uri",
            "https://example.com/start?x=1",
            "https://example.com/start?x=1&iss=https%3A%2F%2Flocalhost%3A8443%2Fdefault%2Fdefault",
        ),
    ] {
        administrator.change("/clients/app", &serde_json::json!({ (member): uri })).await;
        let login = server.browser().open(&app.authorize_url(&[])).await;
        let shown = server.browser().load(&login.asked).await.expect_error_page("invalid_request");
        assert_eq!(shown.link("error-back").as_deref(), Some(link));
    }
}

#[tokio::test]
async fn deny_and_cancel_lead_back_to_the_client() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let login = browser.open(&app.authorize_url(&[("state", "s")])).await;
    let cancelled = browser.submit(&login.form("login-form").with("action", "cancel")).await;
    assert_eq!(cancelled.response_parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(cancelled.response_parameter("state").as_deref(), Some("s"));

    let login = browser.open(&app.authorize_url(&[("state", "t")])).await;
    let consent = browser.log_in(&login).await;
    let denied = browser.submit(&consent.form("consent-form").with("decision", "deny")).await;
    assert_eq!(denied.response_parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(denied.response_parameter("iss"), Some(app.issuer()));
    // The same form again, now allowing: a fresh consent, not a code.
    let answer = browser.post(&consent.form("consent-form").with("decision", "allow")).await;
    assert!(answer.is_redirect(), "{}", answer.status);
    assert_ne!(answer.location().host_str(), Some("example.com"));
    let answer = browser.follow(answer).await;
    arrives(&app, &browser, answer, "t").await;
}

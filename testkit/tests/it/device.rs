//! The device authorization grant (RFC 8628), by a television and its person.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, Ask, Browser, RelyingParty, SERVICE_SECRET, TestServer, Tokens, claims};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const PAGE: &str = "/default/default/device";

/// A television that waits for its person.
struct Device {
    server: TestServer,
    party: RelyingParty,
    begun: Value,
}

impl Device {
    async fn new(server: &TestServer) -> Self {
        Self::of(server, server.party("tv"), "openid profile offline_access").await
    }

    async fn of(server: &TestServer, party: RelyingParty, scope: &str) -> Self {
        let begun = begin(server, &party, scope).await.expect(200).json();
        Self { server: server.clone(), party, begun }
    }

    fn user_code(&self) -> &str {
        self.begun["user_code"].as_str().unwrap()
    }

    async fn ask(&self) -> Answer {
        self.ask_as(&self.party).await
    }

    async fn ask_as(&self, party: &RelyingParty) -> Answer {
        let code = self.begun["device_code"].as_str().unwrap();
        party.token(&[("grant_type", GRANT), ("device_code", code)]).await
    }

    /// Asks when its interval has passed.
    async fn wait_and_ask(&self) -> Answer {
        self.server.clock().advance(Duration::from_secs(60));
        self.ask().await
    }

    async fn tokens(&self) -> Tokens {
        Tokens(self.ask().await.expect(200).json())
    }

    /// The question, in a browser whose person has logged in.
    async fn question(&self, browser: &Browser) -> Answer {
        let page = browser.open(self.begun["verification_uri_complete"].as_str().unwrap()).await;
        let page = if page.has_form("login-form") { browser.log_in(&page).await } else { page };
        assert!(page.has_form("device-confirm-form"), "{} {}", page.asked, page.text());
        page
    }

    async fn answer(&self, browser: &Browser, decision: &str) -> Answer {
        let page = self.question(browser).await;
        browser.submit(&page.form("device-confirm-form").with("decision", decision)).await
    }
}

async fn begin(server: &TestServer, party: &RelyingParty, scope: &str) -> Answer {
    server.send(party.authenticated("/device/authorization", &[("scope", scope)])).await
}

#[tokio::test]
async fn rfc8628_3_a_device_gets_tokens_when_its_person_allows() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    assert_eq!(device.begun["verification_uri"], "https://localhost:8443/default/default/device");
    assert_eq!((&device.begun["expires_in"], &device.begun["interval"]), (&json!(1800), &json!(5)));
    let answer = device.ask().await.expect_error(400, "authorization_pending");
    assert_eq!(answer.header("cache-control"), "no-store");
    // The person types the address, logs in, types the code in a hand of their own.
    let browser = server.browser();
    let page = browser.open(PAGE).await;
    let page = browser.log_in(&page).await;
    let typed = device.user_code().to_lowercase().replace('-', " ");
    let path = format!("{PAGE}?{}", testkit::urlencoded(&[("user-code", &typed)]));
    assert!(page.form("device-form").value("user-code").is_some());
    let page = browser.open(&path).await;
    for shown in
        ["Application tv", "data-scope=\"profile\"", "data-scope=\"offline_access\"", device.user_code()]
    {
        assert!(page.text().contains(shown), "{shown}");
    }
    let form = page.form("device-confirm-form").with("decision", "allow");
    let page = browser.submit(&form).await.expect(200);
    assert!(page.element("device-allowed").is_some(), "{}", page.text());
    let tokens = device.tokens().await;
    assert_eq!(claims(tokens.id_token())["aud"], "tv");
    assert_eq!(claims(tokens.access_token())["scp"], json!(["openid", "profile", "offline_access"]));
    let userinfo = device.party.userinfo(tokens.access_token()).await.expect(200).json();
    assert_eq!(userinfo["sub"], claims(tokens.id_token())["sub"]);
    device.party.refresh(tokens.refresh_token()).await.expect(200);
}

#[tokio::test]
async fn the_device_goes_on_when_the_browser_logs_out() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    let browser = server.browser();
    device.answer(&browser, "allow").await.expect(200);
    let tokens = device.tokens().await;
    assert!(claims(tokens.id_token())["sid"].is_null(), "it belongs to no session");
    let page = browser.open("/default/default/logout").await;
    browser.submit(&page.form("logout-form").with("decision", "confirm")).await;
    device.party.userinfo(tokens.access_token()).await.expect(200);
}

#[tokio::test]
async fn w_10_a_changed_password_ends_a_device_code_that_was_allowed() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let (collected, waiting) = (Device::new(&server).await, Device::new(&server).await);
    for device in [&collected, &waiting] {
        device.answer(&server.browser(), "allow").await;
    }
    let tokens = collected.tokens().await;
    let people = json!({ "users": [{ "username": "user", "password": "another one" }] });
    administrator.change("/servers/default/idps/static/default-sandbox", &people).await;
    waiting.ask().await.expect_error(400, "invalid_grant");
    collected.party.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn dev_02_a_device_code_is_good_for_one_exchange() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    device.answer(&server.browser(), "allow").await.expect(200);
    let tokens = device.tokens().await;
    device.ask().await.expect_error(400, "invalid_grant");
    device.party.userinfo(tokens.access_token()).await.expect(200);
    // Later it is a replay, and everything of it ends.
    server.clock().advance(Duration::from_secs(2));
    device.ask().await.expect_error(400, "invalid_grant");
    device.party.userinfo(tokens.access_token()).await.expect(401);
    device.party.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn dev_02_of_many_exchanges_at_once_one_wins() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    device.answer(&server.browser(), "allow").await.expect(200);
    let asks: Vec<_> = (0..16).map(|_| device.ask()).collect();
    let mut statuses = Vec::new();
    for answer in futures(asks).await {
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
}

async fn futures<F: Future<Output = Answer>>(asks: Vec<F>) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut pending: Vec<_> = asks.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        pending.retain_mut(|ask| match ask.as_mut().poll(cx) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}

#[tokio::test]
async fn dev_03_another_client_collects_nothing_and_spoils_nothing() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    device.answer(&server.browser(), "allow").await.expect(200);
    let stranger = server.party("other-tv");
    device.ask_as(&stranger).await.expect_error(400, "invalid_grant");
    let nobody = RelyingParty::clone(&server.party("other")); // not registered for the grant
    device.ask_as(&nobody).await.expect_error(400, "unauthorized_client");
    let elsewhere = server.party_at("/default/second", "second-client", Some(SERVICE_SECRET));
    assert!(device.ask_as(&elsewhere).await.status.is_client_error());
    device.tokens().await;
}

#[tokio::test]
async fn dev_04_near_misses_are_wrong_and_many_of_them_are_refused() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    let browser = server.browser();
    let login = browser.open(PAGE).await;
    browser.log_in(&login).await;
    let code = device.user_code().replace('-', "");
    let swapped: String = code.chars().rev().collect();
    let (start, end) = (&code[..7], &code[1..]);
    for near in [start, end, &format!("{code}B"), &format!("%{end}"), "'--", &"B".repeat(400)] {
        let page = type_code(&browser, near).await;
        assert!(page.element("device-problem").is_some(), "{near}: {}", page.text());
        assert_eq!(page.status, 400, "{near}");
    }
    let mut last = 400;
    for _ in 0..6 {
        last = type_code(&browser, &format!("{swapped}X")).await.status.as_u16();
    }
    assert_eq!(last, 429, "ten wrong codes of one person");
    let right = type_code(&browser, &code).await;
    assert_eq!(right.status, 429, "the right one is not looked at either");
    assert!(!right.header("retry-after").is_empty());
    // Another person in another place is not affected; later this one may go on.
    let page = type_code(&browser, &code).await;
    assert!(!page.has_form("device-confirm-form"));
    server.clock().advance(Duration::from_secs(301));
    assert!(type_code(&browser, &code).await.has_form("device-confirm-form"));
}

async fn type_code(browser: &Browser, code: &str) -> Answer {
    browser.open(&format!("{PAGE}?{}", testkit::urlencoded(&[("user-code", code)]))).await
}

#[tokio::test]
async fn dev_05_a_denial_is_final() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    let browser = server.browser();
    let question = device.question(&browser).await;
    let page = device.answer(&browser, "deny").await;
    assert!(page.element("device-denied").is_some(), "{}", page.text());
    for _ in 0..2 {
        device.wait_and_ask().await.expect_error(400, "access_denied");
    }
    // The form in another tab comes too late.
    let late = browser.submit(&question.form("device-confirm-form").with("decision", "allow")).await;
    assert!(late.element("device-allowed").is_none(), "{}", late.text());
    device.wait_and_ask().await.expect_error(400, "access_denied");
}

#[tokio::test]
async fn dev_06_nothing_is_approved_by_get_and_everybody_is_asked_each_time() {
    let server = TestServer::start().await;
    let browser = server.browser();
    for _ in 0..2 {
        let device = Device::new(&server).await;
        let question = device.question(&browser).await;
        let csrf = question.form("device-confirm-form").value("csrf").unwrap().to_owned();
        let fields = [("user-code", device.user_code()), ("decision", "allow"), ("csrf", csrf.as_str())];
        let page = browser.open(&format!("{PAGE}?{}", testkit::urlencoded(&fields))).await;
        assert!(page.has_form("device-confirm-form"), "{}", page.text());
        device.ask().await.expect_error(400, "authorization_pending");
        device.answer(&browser, "allow").await.expect(200);
        device.tokens().await;
    }
}

#[tokio::test]
async fn dev_06_trusted_clients_are_asked_too() {
    let server = TestServer::start().await;
    server.administrator().await.change("/clients/tv", &json!({"trusted": true})).await;
    let device = Device::new(&server).await;
    device.question(&server.browser()).await;
    device.ask().await.expect_error(400, "authorization_pending");
}

#[tokio::test]
async fn dev_07_an_impatient_device_must_wait_longer() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    device.ask().await.expect_error(400, "authorization_pending");
    device.ask().await.expect_error(400, "slow_down");
    // Five seconds were enough before; now it is ten.
    server.clock().advance(Duration::from_secs(6));
    device.ask().await.expect_error(400, "slow_down");
    server.clock().advance(Duration::from_secs(15));
    device.ask().await.expect_error(400, "authorization_pending");
    for _ in 0..30 {
        device.ask().await.expect_error(400, "slow_down");
    }
    server.clock().advance(Duration::from_secs(60));
    device.ask().await.expect_error(400, "authorization_pending");
    device.answer(&server.browser(), "allow").await.expect(200);
    device.tokens().await;
}

#[tokio::test]
async fn dev_09_codes_expire_and_settings_keep_them_strong() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    let browser = server.browser();
    let question = device.question(&browser).await;
    server.clock().advance(Duration::from_secs(1800));
    device.ask().await.expect_error(400, "expired_token");
    let late = browser.submit(&question.form("device-confirm-form").with("decision", "allow")).await;
    assert!(late.element("device-allowed").is_none(), "{}", late.text());
    device.wait_and_ask().await.expect_error(400, "expired_token");
    let administrator = server.administrator().await;
    let settings = |length: u64, ttl: &str, set: &str| json!({"user_code_length": length, "request_ttl": ttl, "user_code_character_set": set});
    for weak in [
        settings(5, "30m", "base20"),
        settings(13, "30m", "base20"),
        settings(8, "24h", "base20"),
        settings(8, "30m", "words"),
    ] {
        let mut document = administrator.get("/servers/default").await.expect(200).json();
        document["device_authorization"] = weak;
        administrator.put("/servers/default", &document).await.expect(422);
    }
    let digits = json!({"device_authorization": settings(9, "10m0s", "digits")});
    administrator.change("/servers/default", &digits).await;
    let device = Device::new(&server).await;
    assert_eq!(device.begun["expires_in"], 600);
    assert_eq!(device.user_code().bytes().filter(u8::is_ascii_digit).count(), 9, "{}", device.user_code());
    device.question(&server.browser()).await;
}

#[tokio::test]
async fn dev_10_nobody_approves_without_a_login() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    let browser = server.browser();
    let page = browser.open(device.begun["verification_uri_complete"].as_str().unwrap()).await;
    assert!(page.has_form("login-form"), "{}", page.text());
    assert!(!page.text().contains("Application tv"), "a stranger does not learn what a code is for");
    let path = format!("{PAGE}?user-code={}", device.user_code());
    for fields in [
        vec![("decision", "allow"), ("user-code", device.user_code())],
        vec![("decision", "allow"), ("user-code", device.user_code()), ("csrf", "x")],
        vec![("username", "user"), ("password", "wrong"), ("csrf", "x"), ("decision", "allow")],
    ] {
        let answer = browser.send(Ask::form(&path, &fields), &path).await;
        assert!(answer.element("device-allowed").is_none(), "{}", answer.text());
    }
    device.ask().await.expect_error(400, "authorization_pending");
    browser.mistype(&page).await.expect(403);
    let question = browser.log_in(&page).await;
    assert!(question.has_form("device-confirm-form"), "{}", question.text());
}

#[tokio::test]
async fn rfc8707_2_the_question_names_the_resources_that_the_device_asked_for() {
    let server = TestServer::start().await;
    let party = server.party("tv");
    let own = format!("{}/userinfo", party.issuer());
    let ask = party.authenticated("/device/authorization", &[("scope", "openid"), ("resource", &own)]);
    let begun = server.send(ask).await.expect(200).json();
    let browser = server.browser();
    let login = browser.open(begun["verification_uri_complete"].as_str().unwrap()).await;
    let question = browser.log_in(&login).await;
    assert!(question.has_form("device-confirm-form"), "{}", question.text());
    assert!(question.element("consent-resources").is_some_and(|shown| shown.contains("Userinfo")));
}

#[tokio::test]
async fn dev_11_a_forged_approval_counts_nothing() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    let browser = server.browser();
    let form = device.question(&browser).await.form("device-confirm-form").with("decision", "allow");
    let other = Device::new(&server).await;
    let of_other = other.question(&browser).await.form("device-confirm-form");
    let of_stranger = device.question(&server.browser()).await.form("device-confirm-form");
    let value = |form: &testkit::Form| form.value("csrf").unwrap().to_owned();
    for forged in [
        form.clone().without("csrf"),
        form.clone().with("csrf", ""),
        form.clone().with("csrf", &"A".repeat(43)),
        form.clone().with("csrf", &value(&of_other)),
        form.clone().with("csrf", &value(&of_stranger)),
        form.clone().with("decision", "ALLOW"),
    ] {
        let answer = browser.submit(&forged).await;
        assert!(answer.element("device-allowed").is_none(), "{}", answer.text());
    }
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let answer = browser.send(Ask::form(PAGE, &fields).header(name, value), PAGE).await;
        assert!(answer.status.is_client_error(), "{name}: {}", answer.status);
    }
    device.ask().await.expect_error(400, "authorization_pending");
    assert!(browser.submit(&form).await.element("device-allowed").is_some());
}

#[tokio::test]
async fn dev_12_client_and_workspace_must_use_the_grant() {
    let server = TestServer::start().await;
    begin(&server, &server.party("app"), "openid").await.expect_error(400, "unauthorized_client");
    let mut wrong = server.party("client");
    wrong.secret = Some("wrong".to_owned());
    begin(&server, &wrong, "openid").await.expect_error(401, "invalid_client");
    begin(&server, &server.party("tv"), "openid introspect_tokens").await.expect_error(400, "invalid_scope");
    let device = Device::new(&server).await;
    let question = device.question(&server.browser()).await;
    assert!(question.has_form("device-confirm-form"));
    let administrator = server.administrator().await;
    administrator.change("/servers/default", &json!({"grant_types": ["authorization_code"]})).await;
    begin(&server, &server.party("tv"), "openid").await.expect_error(400, "unauthorized_client");
    device.ask().await.expect_error(400, "unauthorized_client");
    let document = server.get("/default/default/.well-known/openid-configuration").await.expect(200).json();
    assert!(document["device_authorization_endpoint"].is_null());
}

#[tokio::test]
async fn rfc8628_4_the_endpoint_is_discovered_and_takes_a_form_only() {
    let server = TestServer::start().await;
    let document = server.get("/default/default/.well-known/openid-configuration").await.expect(200).json();
    let endpoint = document["device_authorization_endpoint"].as_str().unwrap().to_owned();
    assert_eq!(endpoint, "https://localhost:8443/default/default/device/authorization");
    assert!(document["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)));
    server.get(&endpoint).await.expect(405);
    let in_query = format!("{endpoint}?client_id=tv");
    server.send(Ask::form(&in_query, &[("client_id", "tv")])).await.expect_error(400, "invalid_request");
}

#[tokio::test]
async fn dev_13_a_hostile_user_code_is_only_text() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let hostile = "\"><script>alert(1)</script>";
    let path = format!("{PAGE}?{}", testkit::urlencoded(&[("user_code", hostile)]));
    let login = browser.open(&path).await;
    let page = browser.log_in(&login).await;
    for html in [login.text(), page.text()] {
        assert!(!html.contains("<script>alert"), "{html}");
    }
    assert_eq!(page.form("device-form").value("user-code"), Some(hostile));
}

#[tokio::test]
async fn w_17_the_pages_login_counts_failures_with_every_other() {
    let server = TestServer::start().await;
    let source = Ipv4Addr::LOCALHOST;
    let device = server.browser();
    let page = device.open(PAGE).await;
    for _ in 0..20 {
        device.mistype(&page).await.expect(403);
    }
    let browser = server.browser();
    let login = browser.open(&server.party("app").authorize_url(&[])).await;
    let answer = browser.log_in(&login).await;
    assert_eq!(answer.status, 429, "from {source} the account is closed at the other door too");
}

/// RFC 9110 §15.4.4: as at the other login page, going back sends nothing again.
#[tokio::test]
async fn lgn_11_a_wrong_password_at_the_device_page_leads_to_a_page_that_can_be_loaded_again() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    let browser = server.browser();
    let page = browser.open(device.begun["verification_uri_complete"].as_str().unwrap()).await;
    let wrong = page.form("login-form").with("username", "ada@example.com").with("password", "wrong");
    let location = browser.post(&wrong).await.expect(303).location();
    assert!(!location.as_str().contains("ada"), "{location}");
    for _ in 0..2 {
        let told = browser.load(location.as_str()).await.expect(403);
        assert!(told.element("login-problem").is_some());
        assert_eq!(told.form("login-form").value("username"), Some("ada@example.com"));
    }
    // It is this browser's alone.
    let elsewhere = server.browser();
    elsewhere.open(&page.asked).await;
    assert!(elsewhere.load(location.as_str()).await.expect(200).element("login-problem").is_none());
    let told = browser.load(location.as_str()).await;
    let question = browser.log_in(&told).await;
    assert!(question.has_form("device-confirm-form"), "{}", question.text());
    // Who is logged in and mistypes another account's password stays at the form.
    let switched = browser.submit(&question.form("device-confirm-form").with("action", "switch")).await;
    let told = browser.mistype(&switched).await.expect(403);
    assert!(told.element("login-problem").is_some());
    assert!(browser.log_in(&told).await.has_form("device-confirm-form"));
}

#[tokio::test]
async fn another_account_can_be_chosen() {
    let server = TestServer::start().await;
    let device = Device::new(&server).await;
    let browser = server.browser();
    let form = device.question(&browser).await.form("device-confirm-form").with("action", "switch");
    let login = browser.submit(&form).await;
    assert!(login.has_form("login-form"), "{}", login.text());
    let question = browser.log_in(&login).await;
    assert!(question.has_form("device-confirm-form"), "{}", question.text());
}

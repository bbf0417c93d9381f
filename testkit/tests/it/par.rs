//! Pushed authorization requests (RFC 9126): attacks PAR-* and modules `fapi2-security-profile-final-par-…`.

use std::time::Duration;

use http::Method;
use serde_json::json;
use testkit::{Ask, RelyingParty, TestServer, VERIFIER, s256, urlencoded};

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

fn request<'a>(party: &'a RelyingParty, challenge: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("client_id", party.client_id.as_str()),
        ("scope", party.scope.as_str()),
        ("redirect_uri", party.redirect_uri.as_str()),
        ("response_type", "code"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
        ("state", "pushed"),
    ]
}

fn push(party: &RelyingParty, more: &[(&str, &str)]) -> Ask {
    let challenge = s256(VERIFIER);
    let mut fields = request(party, &challenge);
    fields.retain(|(name, _)| !more.iter().any(|(changed, _)| changed == name));
    fields.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    party.authenticated("/par", &fields)
}

async fn pushed(server: &TestServer, party: &RelyingParty) -> String {
    let answer = server.send(push(party, &[])).await.expect(201).json();
    answer["request_uri"].as_str().expect("request_uri").to_owned()
}

fn opening(party: &RelyingParty, request_uri: &str, more: &[(&str, &str)]) -> String {
    let mut fields = vec![("client_id", party.client_id.as_str()), ("request_uri", request_uri)];
    fields.extend(more);
    party.path(&format!("/oauth2/authorize?{}", urlencoded(&fields)))
}

#[tokio::test]
async fn rfc9126_2_2_a_push_is_answered_with_201_and_its_uri_leads_to_tokens() {
    let server = TestServer::start().await;
    for id in ["client", "app"] {
        let party = server.party(id);
        let answer = server.send(push(&party, &[])).await.expect(201);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let body = answer.json();
        assert_eq!(body["expires_in"], 60);
        let uri = body["request_uri"].as_str().expect("request_uri");
        assert!(uri.strip_prefix(PREFIX).is_some_and(|handle| handle.len() == 43), "PAR-10: {uri}");
        // `…-par-without-duplicate-parameters`: client_id and request_uri alone are enough.
        let answer = server.browser().authorize(&opening(&party, uri, &[])).await;
        assert_eq!(answer.response_parameter("state").as_deref(), Some("pushed"));
        let code = answer.response_parameter("code").expect("a code");
        party.redeem(&code).await.expect(200);
    }
}

#[tokio::test]
async fn par_02_re_openable_before_and_used_up_with_the_answer() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let uri = pushed(&server, &party).await;
    let url = opening(&party, &uri, &[]);
    // `…-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds`, in two tabs and two browsers.
    let (browser, other) = (server.browser(), server.browser());
    let (first, second) = (browser.open(&url).await, browser.open(&url).await);
    let elsewhere = other.open(&url).await;
    for page in [&first, &second, &elsewhere] {
        assert!(page.has_form("login-form"), "{}", page.text());
    }
    let consent = browser.log_in(&first).await;
    assert!(browser.allow(&consent).await.response_parameter("code").is_some());
    // `…-par-attempt-reuse-request_uri`: a page, and no second code for anybody.
    browser.open(&url).await.expect_error_page("invalid_request_uri");
    server.browser().open(&url).await.expect_error_page("invalid_request_uri");
    browser.log_in(&second).await.expect_error_page("invalid_request_uri");
    let page = other.log_in(&elsewhere).await;
    let page = if page.has_form("consent-form") { other.allow(&page).await } else { page };
    page.expect_error_page("invalid_request_uri");
}

/// Decisions 9: who comes back after the end gets no second code, and no dead end either.
#[tokio::test]
async fn par_02_back_and_a_second_tab_after_the_end_lead_on_to_the_application() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let browser = server.browser();
    let url = opening(&party, &pushed(&server, &party).await, &[]);
    let (first, second) = (browser.open(&url).await, browser.open(&url).await);
    let consent = browser.log_in(&first).await;
    let code = browser.allow(&consent).await.response_parameter("code").expect("a code");
    for page in [&first, &consent, &second] {
        let shown = browser.open(&page.asked).await.expect_error_page("invalid_request_uri");
        assert_eq!(shown.element("heading").as_deref(), Some("You have already finished this sign-in"));
        assert_eq!(shown.link("error-back").as_deref(), Some("https://example.com/"));
        assert!(!shown.text().contains("pushed"), "nothing of the request: {}", shown.text());
    }
    for page in [&first, &second] {
        let shown = browser.log_in(page).await.expect_error_page("invalid_request_uri");
        assert_eq!(shown.link("error-back").as_deref(), Some("https://example.com/"));
    }
    let shown = browser.allow(&consent).await.expect_error_page("invalid_request_uri");
    assert!(shown.element("heading").unwrap().contains("already finished"));
    // Whoever never had a login here learns what was learnt before: there is no such request.
    for stranger in [browser.open(&url).await, server.browser().open(&url).await] {
        let shown = stranger.expect_error_page("invalid_request_uri");
        assert!(!shown.element("heading").unwrap().contains("already finished"));
    }
    party.redeem(&code).await.expect(200);
}

/// OIDC Core §4: the application begins the new login itself, where it can be asked to.
#[tokio::test]
async fn par_02_back_after_the_end_begins_a_login_at_the_application() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    administrator
        .change("/clients/client", &json!({"initiate_login_uri": "https://example.com/start"}))
        .await;
    let party = server.party("client");
    let browser = server.browser();
    let url = opening(&party, &pushed(&server, &party).await, &[]);
    let (first, second) = (browser.open(&url).await, browser.open(&url).await);
    assert!(first.header("content-security-policy").contains("https://example.com"), "form-action");
    let consent = browser.log_in(&first).await;
    let done = browser.allow(&consent).await;
    party.redeem(&done.response_parameter("code").expect("a code")).await.expect(200);
    let start = "https://example.com/start?iss=https%3A%2F%2Flocalhost%3A8443%2Fdefault%2Fdefault";
    for page in [&first, &consent, &second] {
        assert_eq!(browser.open(&page.asked).await.location().as_str(), start);
    }
    for answer in [browser.log_in(&first).await, browser.log_in(&second).await, browser.allow(&consent).await]
    {
        assert_eq!((answer.status.as_u16(), answer.location().as_str()), (303, start));
    }
    let switch = consent.form("consent-form").with("action", "switch");
    assert_eq!(browser.submit(&switch).await.location().as_str(), start);
    // What was not pushed starts again as before.
    let page = browser.open(&party.authorize_url(&[("prompt", "login")])).await;
    assert!(page.has_form("login-form"), "{} {}", page.status, page.text());
}

#[tokio::test]
async fn par_02_a_denied_request_is_used_up_too() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let uri = pushed(&server, &party).await;
    let browser = server.browser();
    let consent = browser.log_in(&browser.open(&opening(&party, &uri, &[])).await).await;
    let answer = browser.submit(&consent.form("consent-form").with("decision", "deny")).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.response_parameter("state").as_deref(), Some("pushed"));
    browser.open(&opening(&party, &uri, &[])).await.expect_error_page("invalid_request_uri");
}

#[tokio::test]
async fn par_04_guessed_and_strange_uris_are_pages() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let guessed = format!("{PREFIX}{}", "A".repeat(43));
    for uri in [guessed.as_str(), PREFIX, "urn:other:x", "data:text/plain,x", "file:///etc/passwd", "x"] {
        let answer = server.browser().open(&opening(&party, uri, &[])).await.expect(400);
        let error = answer.element("error-code").expect("an error page");
        assert!(error.contains("request_uri") || error == "invalid_request", "{uri}: {error}");
    }
}

#[tokio::test]
async fn par_05_what_the_browser_sends_beside_it_counts_for_nothing() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let uri = pushed(&server, &party).await;
    // `…-different-state-inside-and-outside`, `…-state-only-outside-request-object-not-used`.
    let beside = [
        ("state", "changed"),
        ("redirect_uri", "https://evil.example/"),
        ("scope", "openid email"),
        ("response_mode", "fragment"),
        ("nonce", "changed"),
        ("prompt", "none"),
    ];
    let answer = server.browser().authorize(&opening(&party, &uri, &beside)).await;
    let location = answer.location();
    assert_eq!((location.host_str(), location.fragment()), (Some("example.com"), None));
    assert_eq!(answer.response_parameter("state").as_deref(), Some("pushed"));
    let tokens = party.redeem(&answer.response_parameter("code").expect("code")).await.expect(200).json();
    assert_eq!(tokens["scope"], "openid");
    assert!(testkit::claims(tokens["id_token"].as_str().expect("id_token"))["nonce"].is_null());
}

#[tokio::test]
async fn par_06_nobody_pushes_for_a_confidential_client_but_itself() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let challenge = s256(VERIFIER);
    let fields = request(&party, &challenge);
    server.send(Ask::form(&party.path("/par"), &fields)).await.expect_error(401, "invalid_client");
    let wrong = Ask::form(&party.path("/par"), &fields).basic("client", "wrong");
    server.send(wrong).await.expect_error(401, "invalid_client");
    // RFC 9126 §2: the request is the authenticated client's own.
    let other = server.party("other").authenticated("/par", &fields);
    assert!(server.send(other).await.status.is_client_error());
}

#[tokio::test]
async fn par_07_request_uri_for_different_client() {
    let server = TestServer::start().await;
    let uri = pushed(&server, &server.party("client")).await;
    let thief = server.party("app");
    server.browser().open(&opening(&thief, &uri, &[])).await.expect_error_page("invalid_request_uri");
    let stranger = server.party_at("/acme/default", "client", None);
    server.browser().open(&opening(&stranger, &uri, &[])).await.expect_error_page("invalid_request_uri");
}

#[tokio::test]
async fn par_08_containing_request_uri_form_param() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let uri = pushed(&server, &party).await;
    for nested in [uri.as_str(), "https://example.com/request.jwt"] {
        let answer = server.send(push(&party, &[("request_uri", nested)])).await;
        answer.expect_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn par_09_the_requirement_holds_for_client_and_workspace() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let party = server.party("client");
    for path in ["/clients/client", "/servers/default"] {
        let required = json!({"require_pushed_authorization_requests": true});
        administrator.change(path, &required).await;
        let answer = server.browser().open(&party.authorize_url(&[])).await;
        assert_eq!(answer.response_parameter("error").as_deref(), Some("invalid_request"), "{path}");
        let uri = pushed(&server, &party).await;
        let answer = server.browser().authorize(&opening(&party, &uri, &[])).await;
        assert!(answer.response_parameter("code").is_some());
        administrator.change(path, &json!({"require_pushed_authorization_requests": false})).await;
    }
}

#[tokio::test]
async fn par_11_invalid_http_methods() {
    let server = TestServer::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = server.send(Ask::new(method, "/default/default/par")).await;
        answer.expect(405);
    }
}

#[tokio::test]
async fn par_12_everything_is_checked_at_the_push() {
    let server = TestServer::start().await;
    let party = server.party("app");
    for (name, value, error) in [
        ("redirect_uri", "https://evil.example/", "invalid_request"),
        ("redirect_uri", "", "invalid_request"),
        ("response_type", "code id_token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("scope", "openid unheard_of", "invalid_scope"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("prompt", "none login", "invalid_request"),
        ("claims", "{", "invalid_request"),
    ] {
        let answer = server.send(push(&party, &[(name, value)])).await;
        answer.expect_error(400, error);
    }
}

#[tokio::test]
async fn par_13_what_is_kept_is_bounded() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let long = "s".repeat(40_000);
    server.send(push(&party, &[("state", &long)])).await.expect_error(400, "invalid_request");
    // `…-with-long-state` (1000) and `…-with-long-nonce` (384) work.
    let (state, nonce) = ("s".repeat(1000), "n".repeat(384));
    server.send(push(&party, &[("state", &state), ("nonce", &nonce)])).await.expect(201);
}

#[tokio::test]
async fn par_15_expired_request_uri_but_a_login_that_began_in_time_ends_well() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let (late, uri) = (pushed(&server, &party).await, pushed(&server, &party).await);
    let browser = server.browser();
    let page = browser.open(&opening(&party, &uri, &[])).await;
    server.clock().advance(Duration::from_secs(61));
    server.browser().open(&opening(&party, &late, &[])).await.expect_error_page("invalid_request_uri");
    server.browser().open(&opening(&party, &uri, &[])).await.expect_error_page("invalid_request_uri");
    let consent = browser.log_in(&page).await;
    // Another account: the same request starts again, with a login, though its time is over.
    let login = browser.submit(&consent.form("consent-form").with("action", "switch")).await;
    assert!(login.has_form("login-form"), "{} {}", login.status, login.text());
    let consent = browser.log_in(&login).await;
    let answer = browser.allow(&consent).await;
    assert_eq!(answer.response_parameter("state").as_deref(), Some("pushed"));
    party.redeem(&answer.response_parameter("code").expect("code")).await.expect(200);
}

#[tokio::test]
async fn par_15_a_second_tab_is_served_by_the_login_of_the_first_after_the_minute() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let browser = server.browser();
    let first = browser.open(&opening(&party, &pushed(&server, &party).await, &[])).await;
    let second = browser.open(&opening(&party, &pushed(&server, &party).await, &[])).await;
    server.clock().advance(Duration::from_secs(90));
    let consent = browser.log_in(&first).await;
    assert!(browser.allow(&consent).await.response_parameter("code").is_some());
    let reloaded = browser.open(&second.asked).await;
    assert!(reloaded.response_parameter("code").is_some(), "logged in and consented: no page is left");
}

#[tokio::test]
async fn fapi2_discovery_names_the_endpoint() {
    let server = TestServer::start().await;
    let party = server.party("client");
    let document = server.get(&party.path("/.well-known/openid-configuration")).await.expect(200).json();
    assert_eq!(document["pushed_authorization_request_endpoint"], format!("{}/par", party.issuer()));
    assert_eq!(document["require_pushed_authorization_requests"], false);
}

#[tokio::test]
async fn par_10_the_time_is_the_workspaces_to_set_within_bounds() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let mut document = administrator.get("/servers/default").await.expect(200).json();
    for (ttl, status) in [("90s", 200), ("4s", 422), ("1h", 422)] {
        document["pushed_authorization_request_ttl"] = json!(ttl);
        assert_eq!(administrator.put("/servers/default", &document).await.status, status, "{ttl}");
    }
    let answer = server.send(push(&server.party("client"), &[])).await.expect(201).json();
    assert_eq!(answer["expires_in"], 90);
}

//! The authorization endpoint: what is refused, and where the refusal goes.

use std::time::Duration;

use serde_json::json;
use testkit::{
    Answer, Ask, Browser, RelyingParty, TestServer, Tokens, VERIFIER, claims, s256, signer, urlencoded,
};

/// A refusal that the client is told of by redirect.
#[track_caller]
fn told(answer: &Answer, error: &str) {
    assert!(answer.is_redirect(), "{} {}", answer.status, answer.text());
    let location = answer.location();
    assert_eq!(location.host_str(), Some("example.com"), "{location}");
    assert_eq!(answer.response_parameter("error").as_deref(), Some(error), "{location}");
    assert!(answer.response_parameter("code").is_none());
    assert!(answer.response_parameter("iss").is_some(), "AUT-03: iss also in errors (RFC 9207 §2)");
}

async fn refused(party: &RelyingParty, server: &TestServer, more: &[(&str, &str)], error: &str) {
    let mut more = more.to_vec();
    more.push(("state", "s"));
    let answer = server.browser().load(&party.authorize_url(&more)).await;
    told(&answer, error);
    assert_eq!(answer.response_parameter("state").as_deref(), Some("s"));
}

#[tokio::test]
async fn aut_03_errors_carry_the_issuer_and_the_state() {
    let server = TestServer::start().await;
    refused(&server.party("app"), &server, &[("scope", "openid unknown")], "invalid_scope").await;
}

#[tokio::test]
async fn aut_05_a_repeated_client_id_is_a_page() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let url = format!("{}&client_id=other-app", app.authorize_url(&[]));
    server.browser().load(&url).await.expect_error_page("invalid_request");
    let url = format!("{}&redirect_uri=https%3A%2F%2Fevil.example%2F", app.authorize_url(&[]));
    server.browser().load(&url).await.expect_error_page("invalid_request");
}

#[tokio::test]
async fn aut_07_to_11_repeated_parameters_are_refused() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for (name, value) in [
        ("scope", "openid"),
        ("state", "two"),
        ("nonce", "two"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("prompt", "login"),
        ("response_type", "code"),
        ("max_age", "5"),
    ] {
        let base =
            app.authorize_url(&[("state", "one"), ("nonce", "one"), ("prompt", "login"), ("max_age", "1")]);
        let url = format!("{base}&{}", urlencoded(&[(name, value)]));
        let answer = server.browser().load(&url).await;
        let refused = match answer.is_redirect() {
            true => answer.response_parameter("error"),
            false => answer.element("error-code"),
        };
        assert_eq!(
            refused.as_deref(),
            Some("invalid_request"),
            "{name}: {} {}",
            answer.status,
            answer.text()
        );
        let leads_on = answer.is_redirect() && answer.location().path().contains("/login");
        assert!(!leads_on, "{name}");
    }
}

#[tokio::test]
async fn aut_12_no_silent_login_without_a_session() {
    let server = TestServer::start().await;
    refused(&server.party("app"), &server, &[("prompt", "none")], "login_required").await;
}

#[tokio::test]
async fn aut_13_prompt_none_stands_alone() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for prompt in ["none login", "none consent", "login none", "none select_account"] {
        refused(&app, &server, &[("prompt", prompt)], "invalid_request").await;
    }
    for prompt in ["nonsense", "LOGIN"] {
        refused(&app, &server, &[("prompt", prompt)], "invalid_request").await;
    }
}

async fn logged_in(app: &RelyingParty, server: &TestServer) -> (Browser, Tokens) {
    let browser = server.browser();
    let tokens = app.tokens_in(&browser).await;
    (browser, tokens)
}

fn auth_time(tokens: &Tokens) -> i64 {
    claims(tokens.id_token())["auth_time"].as_i64().expect("auth_time")
}

#[tokio::test]
async fn aut_14_aut_16_prompt_login_asks_again_and_moves_auth_time() {
    let server = TestServer::start().await;
    let app = server.party("client");
    let browser = server.browser();
    let code = app.code_with(&browser, &[]).await;
    let first = Tokens(app.redeem(&code).await.expect(200).json());
    server.clock().advance(Duration::from_secs(60));
    let page = browser.open(&app.authorize_url(&[("prompt", "login")])).await;
    let answer = browser.log_in(&page).await;
    let code = answer.response_parameter("code").expect("consent is remembered");
    let second = Tokens(app.redeem(&code).await.expect(200).json());
    assert_eq!(auth_time(&second) - auth_time(&first), 60);
    assert_eq!(claims(first.id_token())["sub"], claims(second.id_token())["sub"]);
}

#[tokio::test]
async fn aut_14_prompt_login_cannot_be_skipped_by_loading_the_page_anew() {
    let server = TestServer::start().await;
    let app = server.party("client");
    let (browser, _) = logged_in(&app, &server).await;
    let page = browser.open(&app.authorize_url(&[("prompt", "login")])).await;
    assert!(page.has_form("login-form"));
    let again = browser.open(&page.asked).await;
    assert!(again.has_form("login-form"), "{} {}", again.asked, again.text());
    let consent = browser.open(&page.asked.replace("/login?", "/consent?")).await;
    assert!(consent.has_form("login-form"), "{} {}", consent.asked, consent.text());
}

#[tokio::test]
async fn aut_15_max_age_asks_again_when_the_session_is_older() {
    let server = TestServer::start().await;
    let app = server.party("client");
    let (browser, _) = logged_in(&app, &server).await;
    server.clock().advance(Duration::from_secs(100));
    let fresh = browser.load(&app.authorize_url(&[("max_age", "101")])).await;
    assert!(fresh.response_parameter("code").is_some(), "{}", fresh.location());
    let page = browser.open(&app.authorize_url(&[("max_age", "99")])).await;
    assert!(page.has_form("login-form"));
    let page = browser.open(&app.authorize_url(&[("max_age", "0")])).await;
    assert!(page.has_form("login-form"));
    let refused = browser.load(&app.authorize_url(&[("max_age", "99"), ("prompt", "none")])).await;
    told(&refused, "login_required");
    for nonsense in ["-1", "1.5", "soon", "99999999999999999999"] {
        let answer = browser.load(&app.authorize_url(&[("max_age", nonsense)])).await;
        told(&answer, "invalid_request");
    }
}

#[tokio::test]
async fn aut_15_the_id_token_says_when_the_login_was() {
    let server = TestServer::start().await;
    let app = server.party("client");
    let (browser, _) = logged_in(&app, &server).await;
    let login_at = server.engine().now().seconds();
    server.clock().advance(Duration::from_secs(100));
    let code = app.code_with(&browser, &[("max_age", "1000")]).await;
    let tokens = Tokens(app.redeem(&code).await.expect(200).json());
    assert_eq!(auth_time(&tokens), login_at);
}

/// OIDC Core §3.1.2.2: the client learns that somebody is logged in, and that it is not whom it named.
#[tokio::test]
async fn aut_18_who_logs_in_as_another_is_no_answer_for_the_one_named() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let people = serde_json::json!([{ "username": "user" }, { "username": "ada", "password": "ada's own" }]);
    let users = serde_json::json!({ "users": people });
    administrator.change("/servers/default/idps/static/default-sandbox", &users).await;
    let app = server.party("app");
    let tokens = app.tokens().await;
    let browser = server.browser();
    let page = browser.open(&app.authorize_url(&[("id_token_hint", tokens.id_token())])).await;
    let form = page.form("login-form").with("username", "ada").with("password", "ada's own");
    let answer = browser.submit(&form).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("login_required"));
    let description = answer.response_parameter("error_description").unwrap();
    assert!(description.contains("Another user"), "{description}");
}

#[tokio::test]
async fn aut_18_an_id_token_hint_must_be_ours_and_fit_the_session() {
    let server = TestServer::start().await;
    let app = server.party("client");
    let (browser, tokens) = logged_in(&app, &server).await;
    let good =
        browser.load(&app.authorize_url(&[("prompt", "none"), ("id_token_hint", tokens.id_token())])).await;
    assert!(good.response_parameter("code").is_some(), "{}", good.location());
    // An expired one still names the person (OIDC Core §3.1.2.1).
    server.clock().advance(Duration::from_secs(2 * 3600));
    let old =
        browser.load(&app.authorize_url(&[("prompt", "none"), ("id_token_hint", tokens.id_token())])).await;
    assert!(old.response_parameter("code").is_some(), "{}", old.location());
    let mut forged = claims(tokens.id_token());
    forged["sub"] = json!("somebody-else");
    let unsigned = testkit::unsigned(&json!({"alg": "none"}), &forged);
    let foreign = signer(jose::Algorithm::ES256).sign_jwt("JWT", &forged).unwrap();
    for hint in [unsigned.as_str(), foreign.as_str(), "nonsense", tokens.access_token()] {
        let answer = browser.load(&app.authorize_url(&[("prompt", "none"), ("id_token_hint", hint)])).await;
        assert!(answer.response_parameter("code").is_none(), "{hint}");
        assert!(answer.response_parameter("error").is_some(), "{hint}");
    }
}

#[tokio::test]
async fn aut_19_response_types_must_be_registered_and_allowed() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for response_type in ["token", "id_token", "code token", "code id_token", "code id_token token", "none"] {
        let answer = server
            .browser()
            .load(&app.authorize_url(&[("response_type", response_type), ("nonce", "n")]))
            .await;
        let error = answer.response_parameter("error").expect("an error");
        assert!(["unsupported_response_type", "unauthorized_client"].contains(&error.as_str()), "{error}");
    }
    refused(&app, &server, &[("response_type", "CODE")], "unsupported_response_type").await;
    let answer = server.browser().load(&app.authorize_url(&[("response_type", "")])).await;
    told(&answer, "invalid_request");
}

#[tokio::test]
async fn aut_20_aut_25_implicit_and_hybrid_stay_off_though_registered() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let types = json!({"response_types": ["code", "token", "id_token", "code id_token", "code token"]});
    administrator.change("/clients/app", &types).await;
    let app = server.party("app");
    for response_type in ["token", "id_token", "code token", "code id_token"] {
        for more in [&[][..], &[("response_mode", "query")], &[("response_mode", "fragment")]] {
            let mut parameters = vec![("response_type", response_type)];
            parameters.extend_from_slice(more);
            let answer = server.browser().load(&app.authorize_url(&parameters)).await;
            assert!(answer.response_parameter("error").is_some(), "{response_type}");
            for token in ["access_token", "id_token", "code"] {
                assert!(answer.response_parameter(token).is_none(), "{response_type}");
            }
        }
    }
}

#[tokio::test]
async fn aut_21_unknown_response_modes_are_refused() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for mode in ["nonsense", "QUERY", "query.jwt", "form_post ", "web_message"] {
        let answer = server.browser().load(&app.authorize_url(&[("response_mode", mode)])).await;
        told(&answer, "invalid_request");
    }
}

#[tokio::test]
async fn response_modes_query_fragment_and_form_post() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    app.code_in(&browser).await;
    let fragment = browser.authorize(&app.authorize_url(&[("response_mode", "fragment")])).await;
    let location = fragment.location();
    assert!(location.fragment().is_some_and(|f| f.contains("code=")) && location.query().is_none());
    let posted =
        browser.authorize(&app.authorize_url(&[("response_mode", "form_post"), ("state", "s")])).await;
    let form = posted.expect(200).form("form-post");
    assert_eq!(form.action.as_str(), "https://example.com/callback");
    assert_eq!(form.value("state"), Some("s"));
    assert_eq!(form.value("iss"), Some(app.issuer().as_str()));
    app.redeem(form.value("code").unwrap()).await.expect(200);
}

#[tokio::test]
async fn aut_23_a_malformed_claims_parameter_is_refused() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let deep = format!("{}1{}", "{\"id_token\":".repeat(400), "}".repeat(400));
    for malformed in ["{", "[]", "\"x\"", "{\"id_token\":3}", "null", deep.as_str()] {
        let answer = server.browser().load(&app.authorize_url(&[("claims", malformed)])).await;
        assert!(answer.status.as_u16() < 500, "{}", answer.status);
        let code = match answer.is_redirect() {
            true => answer.response_parameter("error"),
            false => answer.element("error-code"),
        };
        assert_eq!(code.as_deref(), Some("invalid_request"), "{malformed:.40}: {}", answer.status);
    }
}

#[tokio::test]
async fn aut_24_scopes_beyond_registration_are_refused() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for scope in ["openid introspect_tokens", "openid admin", "revoke_tokens", "openid OPENID", "*"] {
        refused(&app, &server, &[("scope", scope)], "invalid_scope").await;
    }
}

#[tokio::test]
async fn aut_26_no_script_reads_the_authorization_endpoint() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for ask in [
        Ask::get(&app.authorize_url(&[])),
        Ask::get(&app.authorize_url(&[("prompt", "none")])),
        Ask::get(&app.path("/login?login_id=x")),
    ] {
        let answer = server.send(ask.header("origin", "https://evil.example")).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{}", answer.asked);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn aut_28_the_post_variant_is_checked_the_same() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let post = |more: &[(&str, &str)]| {
        let url = app.authorize_url(more);
        let query = url.split_once('?').unwrap().1.to_owned();
        let ask = Ask::new(http::Method::POST, &app.path("/oauth2/authorize"));
        ask.body("application/x-www-form-urlencoded", query)
    };
    let page = server.send(post(&[("redirect_uri", "https://evil.example/")])).await;
    page.expect_error_page("invalid_request");
    told(&server.send(post(&[("code_challenge", "")])).await, "invalid_request");
    told(&server.send(post(&[("scope", "openid admin")])).await, "invalid_scope");
    told(&server.send(post(&[("prompt", "none")])).await, "login_required");
    let good = server.send(post(&[])).await;
    assert!(good.is_redirect() && good.location().path().ends_with("/login"), "{}", good.text());
    // Parameters are never taken from the query of a POST.
    let ask = Ask::new(http::Method::POST, &app.authorize_url(&[]))
        .body("application/x-www-form-urlencoded", "client_id=app");
    let mixed = server.send(ask).await;
    assert_eq!(mixed.status, 400, "{:?}", mixed.headers);
}

#[tokio::test]
async fn aut_29_aut_30_state_and_nonce_come_back_as_they_were_and_split_nothing() {
    let server = TestServer::start().await;
    let app = server.party("client");
    let browser = server.browser();
    app.code_in(&browser).await;
    for state in [
        "a b+c%20d&e=f#g?h",
        "x\r\nLocation: https://evil.example/\r\n\r\n<script>",
        "ünïcødé ✓ 漢字",
        "%0d%0aSet-Cookie:%20a=b",
        "\"'<>\\;",
        "~.-_",
    ] {
        let answer = browser.load(&app.authorize_url(&[("state", state), ("nonce", state)])).await;
        assert_eq!(answer.response_parameter("state").as_deref(), Some(state));
        assert_eq!(answer.headers.get_all("location").iter().count(), 1);
        assert!(answer.headers.get("set-cookie").is_none_or(|c| !c.to_str().unwrap().contains("a=b")));
        let code = answer.response_parameter("code").expect("a code");
        let tokens = Tokens(app.redeem(&code).await.expect(200).json());
        assert_eq!(claims(tokens.id_token())["nonce"], state);
    }
}

#[tokio::test]
async fn aut_31_cimd_urls_of_inner_hosts_are_not_fetched() {
    let server = TestServer::start().await;
    for client_id in [
        "https://127.0.0.1/client.json",
        "https://localhost/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/client.json",
        "http://example.com/client.json",
    ] {
        let party = server.party_at("/default/default", client_id, None);
        let answer = server.browser().load(&party.authorize_url(&[])).await;
        assert_eq!(answer.status, 400, "{client_id}");
    }
}

#[tokio::test]
async fn aut_33_forged_session_cookies_are_worth_nothing() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for value in ["x", "eyJhbGciOiJub25lIn0.e30.", &"A".repeat(43), "user", "1", "true"] {
        let browser = server.browser();
        browser.set_cookie("__Host-postern-session-default+default", value);
        let page = browser.open(&app.authorize_url(&[])).await;
        assert!(page.has_form("login-form"), "{value}");
        told(&browser.load(&app.authorize_url(&[("prompt", "none")])).await, "login_required");
    }
}

#[tokio::test]
async fn pkc_07_pkc_19_a_public_client_must_send_a_challenge() {
    let server = TestServer::start().await;
    let none = &[("code_challenge", ""), ("code_challenge_method", "")];
    refused(&server.party("app"), &server, none, "invalid_request").await;
}

#[tokio::test]
async fn pkc_08_to_12_challenges_are_s256_and_well_formed() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let hex = "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3";
    let short = &s256(VERIFIER)[..42];
    let long = format!("{}A", s256(VERIFIER));
    let padded = format!("{}=", s256(VERIFIER));
    for more in [
        &[("code_challenge", VERIFIER), ("code_challenge_method", "plain")][..],
        &[("code_challenge_method", "")],
        &[("code_challenge_method", "s256")],
        &[("code_challenge_method", "S512")],
        &[("code_challenge", "")],
        &[("code_challenge", hex)],
        &[("code_challenge", short)],
        &[("code_challenge", &long)],
        &[("code_challenge", &padded)],
        &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")],
    ] {
        refused(&app, &server, more, "invalid_request").await;
    }
}

#[tokio::test]
async fn pkc_08_plain_works_only_where_the_workspace_allows_it() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    administrator.change("/servers/default", &json!({"code_challenge_methods": ["S256", "plain"]})).await;
    let app = server.party("app");
    let plain = [("code_challenge", VERIFIER), ("code_challenge_method", "plain")];
    let code = app.code_with(&server.browser(), &plain).await;
    app.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn unknown_and_disabled_clients_are_a_page() {
    let server = TestServer::start().await;
    let unknown = server.party_at("/default/default", "nobody", None);
    server.browser().load(&unknown.authorize_url(&[])).await.expect(400);
    let elsewhere = server.party_at("/default/default", "second-app", None);
    server.browser().load(&elsewhere.authorize_url(&[])).await.expect(400);
    let administrator = server.administrator().await;
    administrator.change("/clients/app", &json!({"client_status": "inactive"})).await;
    server.browser().load(&server.party("app").authorize_url(&[])).await.expect(400);
}

#[tokio::test]
async fn request_objects_are_refused_with_their_own_errors() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let object = testkit::unsigned(&json!({"alg": "none"}), &json!({"client_id": "app"}));
    refused(&app, &server, &[("request", &object)], "request_not_supported").await;
    refused(&app, &server, &[("request_uri", "https://a.example/r")], "invalid_request_uri").await;
    refused(&app, &server, &[("registration", "{}")], "registration_not_supported").await;
    refused(&app, &server, &[("request_uri", "data:,x")], "request_uri_not_supported").await;
}

#[tokio::test]
async fn unknown_parameters_are_ignored_and_hints_are_heeded() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    let hints = [
        ("foo", "bar"),
        ("display", "popup"),
        ("ui_locales", "xx de en"),
        ("login_hint", "ursula"),
        ("acr_values", "1"),
    ];
    let page = browser.open(&app.authorize_url(&hints)).await;
    assert_eq!(page.form("login-form").value("username"), Some("ursula"));
    let code = app.code_with(&browser, &hints).await;
    app.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn select_account_asks_and_goes_on() {
    let server = TestServer::start().await;
    let app = server.party("client");
    let (browser, _) = logged_in(&app, &server).await;
    let page = browser.open(&app.authorize_url(&[("prompt", "select_account")])).await;
    assert!(page.has_form("select-account-form"), "{} {}", page.asked, page.text());
    let none = browser.load(&app.authorize_url(&[("prompt", "none")])).await;
    assert!(none.response_parameter("code").is_some());
}

//! Requests that no honest client sends: always a clean answer, and the next honest one works.

use http::Method;
use testkit::{Answer, Ask, ORIGIN, TestServer, urlencoded};

#[track_caller]
fn clean(answer: &Answer) {
    assert!(answer.status.as_u16() < 500, "{:.80}: {} {}", answer.asked, answer.status, answer.text());
    assert_eq!(answer.header("x-trace-id").len(), 32);
    let text = answer.text();
    for leak in ["panicked", "src/", ".rs:", "SELECT ", "sqlite", "stack backtrace"] {
        assert!(!text.contains(leak), "WEB-20: {leak} in {text:.300}");
    }
}

#[tokio::test]
async fn hst_04_to_11_forwarding_headers_change_no_url() {
    let server = TestServer::start().await;
    let path = "/default/default/.well-known/openid-configuration";
    let expected = server.get(path).await.expect(200).body;
    for (name, value) in [
        ("forwarded", "host=evil.example;proto=http"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-server", "evil.example"),
        ("x-forwarded-prefix", "/evil"),
        ("x-forwarded-port", "80"),
        ("x-host", "evil.example"),
        ("x-original-url", "/acme/default/.well-known/openid-configuration"),
        ("x-rewrite-url", "/acme/default/.well-known/openid-configuration"),
    ] {
        let answer = server.send(Ask::get(path).header(name, value)).await.expect(200);
        assert_eq!(answer.body, expected, "{name}");
        let app = server.party("app");
        let page = server.send(Ask::get(&app.authorize_url(&[])).header(name, value)).await;
        assert_eq!(page.location().origin().ascii_serialization(), ORIGIN, "{name}");
        assert!(!page.text().contains("evil"), "{name}");
    }
}

#[tokio::test]
async fn hst_14_the_issuer_never_follows_the_host_header() {
    let server = TestServer::start().await;
    for host in ["evil.example", "localhost:8443.evil.example", "localhost@evil.example"] {
        let ask = Ask::get("/default/default/.well-known/openid-configuration").host(host);
        let answer = server.send(ask).await;
        clean(&answer);
        assert!(!answer.text().contains("evil.example"), "{host}");
    }
}

#[tokio::test]
async fn htp_05_large_bodies_everywhere() {
    let server = TestServer::start().await;
    let two_megabytes = "x".repeat(2_000_000);
    for path in [
        "/default/default/oauth2/token",
        "/default/default/oauth2/introspect",
        "/default/default/oauth2/revoke",
        "/default/default/oauth2/authorize",
        "/default/default/userinfo",
        "/default/default/login",
        "/default/default/consent",
        "/api/admin/default/clients",
        "/",
        "/nowhere",
    ] {
        let answer = server.send(Ask::form(path, &[("x", &two_megabytes)])).await;
        assert_eq!(answer.status, 413, "{path}");
        clean(&answer);
    }
}

/// RFC 9110 §12.5.1: who reads pages gets one, in their language; a program gets JSON.
#[tokio::test]
async fn htp_05_a_form_that_is_too_large_is_answered_by_a_page() {
    let server = TestServer::start().await;
    let huge = "x".repeat(2_000_000);
    let ask = || Ask::form("/default/default/login?login_id=x", &[("username", &huge)]);
    let browser = ask().header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let page = server.send(browser.header("accept-language", "de")).await.expect(413);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.element("trace-id").as_deref(), Some(page.header("x-trace-id")));
    assert!(
        page.element("error-description").is_some_and(|text| text.contains("zu groß")),
        "{}",
        page.text()
    );
    let json = server.send(ask()).await.expect(413);
    assert_eq!(json.header("content-type"), "application/json");
    assert_eq!(json.json()["error"], "invalid_request");
}

#[tokio::test]
async fn htp_07_large_headers_and_urls() {
    let server = TestServer::start().await;
    let large = server.send(Ask::get("/").header("x-large", &"a".repeat(64 * 1024))).await;
    assert!(large.status.is_client_error());
    clean(&large);
    let mut many = Ask::get("/");
    for index in 0..3_000 {
        many = many.header(&format!("x-{index}"), "y");
    }
    let many = server.send(many).await;
    assert!(many.status.is_client_error());
    clean(&many);
    let url = server.get(&format!("/default/default/oauth2/authorize?x={}", "a".repeat(60_000))).await;
    assert!(url.status.is_client_error());
    clean(&url);
}

#[tokio::test]
async fn htp_08_parameter_floods() {
    let server = TestServer::start().await;
    let names: Vec<String> = (0..20_000).map(|i| format!("p{i}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let body = Ask::form("/default/default/oauth2/token", &fields);
    let answer = server.send(body).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    clean(&answer);
    let query = urlencoded(&fields[..1_500]);
    let answer = server.get(&format!("/default/default/oauth2/authorize?{query}")).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    clean(&answer);
}

#[tokio::test]
async fn htp_09_methods_and_overrides() {
    let server = TestServer::start().await;
    for method in ["TRACE", "CONNECT", "PROPFIND", "FOO", "TRACK", "get"] {
        let ask = Ask::new(Method::from_bytes(method.as_bytes()).unwrap(), "/default/default/oauth2/token");
        let answer = server.send(ask).await;
        assert!(answer.status.is_client_error(), "{method}: {}", answer.status);
        clean(&answer);
    }
    let overridden = Ask::get("/default/default/oauth2/token").header("x-http-method-override", "POST");
    assert_eq!(server.send(overridden).await.status, 405);
    let by_field = Ask::form("/default/default/oauth2/authorize", &[("_method", "GET")]);
    clean(&server.send(by_field).await);
}

#[tokio::test]
async fn htp_11_query_garbage() {
    let server = TestServer::start().await;
    for query in [
        "%",
        "%%%",
        "%zz",
        "%ff%fe",
        "=",
        "&&&",
        "a=%00",
        "client_id=%c0%ae",
        "client_id[]=app",
        "client_id=app;scope=x",
        "?",
        "client_id=app&client_id",
        "%63lient_id=app&client_id=app",
        "=&=&=",
        "\u{7f}",
        "client_id=%F0%9F%92%A9",
    ] {
        for path in [
            "/default/default/oauth2/authorize",
            "/default/default/login",
            "/default/default/consent",
            "/default/default/oauth2/token",
            "/default/default/error",
            "/",
        ] {
            let full = format!("{path}?{query}");
            if full.parse::<http::Uri>().is_ok() {
                clean(&server.get(&full).await);
            }
        }
    }
}

#[tokio::test]
async fn htp_12_path_confusion() {
    let server = TestServer::start().await;
    for path in [
        "/default/../acme/default/.well-known/jwks.json",
        "/default/%2e%2e/acme/default/.well-known/jwks.json",
        "/default/default/oauth2/..;/userinfo",
        "/default/default/oauth2%2ftoken",
        "//default/default/oauth2/token",
        "/default//default/oauth2/token",
        "/default/default/oauth2/token/",
        "/default/default/oauth2/token%00",
        "/DEFAULT/default/oauth2/token",
        "/default/default/./oauth2/token",
        "/static/../../etc/passwd",
        "/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/static/..%5c..%5cetc",
        "/api/swagger/default/../../admin",
    ] {
        let answer = server.send(Ask::form(path, &[("grant_type", "client_credentials")])).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        clean(&answer);
        assert!(!answer.text().contains("root:"), "{path}");
    }
}

#[tokio::test]
async fn htp_15_compressed_bodies_are_not_unpacked() {
    let server = TestServer::start().await;
    for coding in ["gzip", "deflate", "br", "gzip, gzip"] {
        let ask =
            Ask::form("/default/default/oauth2/token", &[("x", "y")]).header("content-encoding", coding);
        let answer = server.send(ask).await;
        assert!(matches!(answer.status.as_u16(), 400 | 415), "{coding}: {}", answer.status);
    }
}

#[tokio::test]
async fn web_20_errors_show_nothing_of_the_inside() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for url in [
        app.authorize_url(&[("claims", "{")]),
        app.authorize_url(&[("redirect_uri", "x")]),
        app.path("/login"),
        app.path("/login?login_id=x"),
        app.path("/consent?login_id="),
        app.path("/error"),
        app.path("/logout"),
        "/api/admin/default/clients/'".to_owned(),
        "/default/default/userinfo".to_owned(),
    ] {
        clean(&server.get(&url).await);
    }
}

/// docs/ERRORS.md says what the wire says.
#[tokio::test]
async fn rfc6749_5_2_what_only_http_can_say_is_documented_as_it_is_sent() {
    let server = TestServer::start().await;
    let documented = include_str!("../../../docs/ERRORS.md");
    let token = "/default/default/oauth2/token";
    let huge = "x".repeat(2_000_000);
    for (ask, reason, status) in [
        (Ask::get(token), "method_not_allowed", 405),
        (Ask::form(token, &[("x", &huge)]), "body_too_large", 413),
        (Ask::new(Method::POST, token).body("text/plain", "x"), "wrong_content_type", 415),
    ] {
        let answer = server.send(ask).await.expect(status).json();
        let wire = answer["error"].as_str().expect("an error");
        let row = format!("| `{reason}` | `{wire}` | {status} |");
        assert!(documented.contains(&row), "{row} {answer}");
    }
}

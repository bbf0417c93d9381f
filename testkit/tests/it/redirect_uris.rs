//! Redirect URIs: every character counts, and what is not registered is never redirected to.

use serde_json::json;
use testkit::{Answer, RelyingParty, TestServer};

/// Asserts an error page of our own, whoever is logged in.
async fn page(server: &TestServer, party: &RelyingParty, redirect_uri: &str) {
    let party = party.clone().with_redirect_uri(redirect_uri);
    let answer = server.browser().load(&party.authorize_url(&[("state", "s")])).await;
    assert!(!answer.is_redirect(), "{redirect_uri} → {:?}", answer.headers.get("location"));
    assert!(answer.status.is_client_error(), "{redirect_uri}: {}", answer.status);
    let body = answer.text();
    assert!(!body.contains("<script>alert"), "{redirect_uri}");
    assert!(!body.contains("http-equiv=\"refresh\""), "{redirect_uri}");
}

async fn refused(client_id: &str, redirect_uris: &[&str]) {
    let server = TestServer::start().await;
    let party = server.party(client_id);
    for redirect_uri in redirect_uris {
        page(&server, &party, redirect_uri).await;
    }
    let registered = match client_id {
        "native" => "com.example.app:/callback",
        "local-web" => "http://localhost:3000/callback",
        _ => "https://example.com/callback",
    };
    // The correct request still works.
    accepted(&server, &party.with_redirect_uri(registered)).await;
}

async fn accepted(server: &TestServer, party: &RelyingParty) -> Answer {
    let answer = server.browser().authorize(&party.authorize_url(&[])).await;
    assert!(answer.response_parameter("code").is_some(), "{}", answer.location());
    let to = answer.location();
    assert!(to.as_str().starts_with(&party.redirect_uri), "{to}");
    answer
}

#[tokio::test]
async fn rdr_06_a_trailing_slash_is_not_equal() {
    refused("app", &["https://example.com/callback/", "https://example.com/callback//"]).await;
}

#[tokio::test]
async fn rdr_07_comparison_is_case_sensitive() {
    let uris =
        ["https://example.com/Callback", "https://EXAMPLE.com/callback", "HTTPS://example.com/callback"];
    refused("app", &uris).await;
}

#[tokio::test]
async fn rdr_08_rdr_09_userinfo_and_several_at_signs() {
    let uris = [
        "https://example.com@evil.example/callback",
        "https://example.com:443@evil.example/callback",
        "https://evil.example@example.com/callback",
        "https://a@b@example.com/callback",
        "https://example.com%40evil.example/callback",
        "https://example.com\\@evil.example/callback",
        "https://:@example.com/callback",
    ];
    refused("app", &uris).await;
}

#[tokio::test]
async fn rdr_11_other_queries_and_fragments() {
    let uris = [
        "https://example.com/callback?code=stolen",
        "https://example.com/callback?",
        "https://example.com/callback#",
        "https://example.com/callback#x",
        "https://example.com/callback&x=y",
        "https://example.com/callback%3Fx",
    ];
    refused("app", &uris).await;
}

#[tokio::test]
async fn rdr_11_a_registered_query_is_kept_and_not_altered() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let uri = "https://example.com/callback?a=b";
    administrator.change("/clients/app", &json!({"redirect_uris": [uri]})).await;
    let app = server.party("app").with_redirect_uri(uri);
    let answer = accepted(&server, &app).await;
    assert_eq!(answer.response_parameter("a").as_deref(), Some("b"));
    for altered in [
        "https://example.com/callback",
        "https://example.com/callback?a=b&a=c",
        "https://example.com/callback?a=B",
    ] {
        page(&server, &app, altered).await;
    }
}

#[tokio::test]
async fn rdr_12_rdr_13_other_ports_and_schemes() {
    let uris = [
        "https://example.com:443/callback",
        "https://example.com:8443/callback",
        "https://example.com:80/callback",
        "http://example.com/callback",
        "ftp://example.com/callback",
    ];
    refused("app", &uris).await;
}

#[tokio::test]
async fn rdr_14_the_registered_host_as_a_label() {
    let uris = [
        "https://example.com.evil.example/callback",
        "https://evil-example.com/callback",
        "https://sub.example.com/callback",
        "https://evilexample.com/callback",
        "https://example.com./callback",
        "https://evil.example/https://example.com/callback",
        "https://evil.example/?https://example.com/callback",
        "https://evil.example#https://example.com/callback",
    ];
    refused("app", &uris).await;
}

#[tokio::test]
async fn rdr_17_homographs_and_full_width_characters() {
    let uris = [
        "https://ex\u{430}mple.com/callback",
        "https://ｅxample.com/callback",
        "https://example。com/callback",
        "https://exa\u{ad}mple.com/callback",
        "https://xn--exmple-4nf.com/callback",
        "https://example.com/c\u{430}llback",
    ];
    refused("app", &uris).await;
}

#[tokio::test]
async fn rdr_19_scripts() {
    let uris = [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "blob:https://example.com/callback",
        "view-source:https://example.com/callback",
        "\"><script>alert(1)</script>",
    ];
    refused("app", &uris).await;
}

#[tokio::test]
async fn rdr_20_relative_targets() {
    let uris = [
        "/callback",
        "//example.com/callback",
        "callback",
        "",
        " ",
        "https:example.com/callback",
        "https:///callback",
        "\\\\example.com\\callback",
        "///example.com/callback",
    ];
    refused("app", &uris).await;
}

#[tokio::test]
async fn rdr_20_a_missing_redirect_uri_is_a_page_unless_one_is_registered() {
    let server = TestServer::start().await;
    let native = server.party("native");
    let answer = server.browser().load(&native.authorize_url(&[("redirect_uri", "")])).await;
    assert!(!answer.is_redirect() && answer.status == 400, "{}", answer.status);
}

#[tokio::test]
async fn rdr_21_wildcards_are_neither_registered_nor_matched() {
    let uris =
        ["https://example.com/*", "https://*.example.com/callback", "https://example.com/callback*", "*"];
    refused("app", &uris).await;
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    for uri in ["https://*.example.com/callback", "*", "https://*/callback"] {
        let body = json!({"authorization_server_id": "default", "client_id": "wild", "redirect_uris": [uri]});
        let answer = administrator.post("/clients", &body).await;
        assert_eq!(answer.status, 422, "{uri}: {}", answer.text());
    }
}

#[tokio::test]
async fn rdr_27_a_session_changes_nothing() {
    let server = TestServer::start().await;
    let app = server.party("app");
    let browser = server.browser();
    app.code_in(&browser).await;
    for prompt in ["", "none", "login"] {
        let evil = app.clone().with_redirect_uri("https://evil.example/");
        let answer = browser.load(&evil.authorize_url(&[("prompt", prompt)])).await;
        assert!(!answer.is_redirect() && answer.status == 400, "{prompt}: {}", answer.status);
    }
}

#[tokio::test]
async fn rdr_29_loopback_leniency_covers_the_port_alone() {
    let uris = [
        "http://127.0.0.1:1234/other",
        "http://127.0.0.1:1234/callback/",
        "http://127.0.0.1:1234/callback?x=y",
        "https://127.0.0.1:1234/callback",
        "http://127.0.0.1.evil.example:1234/callback",
        "http://127.0.0.1:1234@evil.example/callback",
        "http://evil.example:1234/callback",
        "http://127.0.0.1:0x50/callback",
        "http://127.0.0.1:99999/callback",
        "http://user@127.0.0.1:1234/callback",
        "http://127.0.0.1:/callback",
    ];
    refused("native", &uris).await;
}

// shows: mcp-8
#[tokio::test]
async fn rfc8252_7_3_native_clients_use_any_port_of_loopback() {
    let server = TestServer::start().await;
    let native = server.party("native");
    for uri in [
        "http://127.0.0.1:49152/callback",
        "http://[::1]:8/callback",
        "http://localhost:65535/callback",
        "http://127.0.0.1/callback",
    ] {
        accepted(&server, &native.clone().with_redirect_uri(uri)).await;
    }
}

#[tokio::test]
async fn rdr_30_spellings_of_loopback_are_not_interchangeable() {
    let uris = [
        "http://127.1/callback",
        "http://2130706433/callback",
        "http://0x7f000001/callback",
        "http://127.0.0.2/callback",
        "http://[0:0:0:0:0:0:0:1]/callback",
        "http://[::ffff:127.0.0.1]/callback",
        "http://0.0.0.0/callback",
        "http://LOCALHOST/callback",
        "http://localhost./callback",
    ];
    refused("native", &uris).await;
    refused("local-web", &["http://[::1]:3000/callback"]).await;
}

#[tokio::test]
async fn rdr_31_custom_schemes_match_exactly() {
    let uris = [
        "com.example.app://callback",
        "com.example.app:/callback/",
        "com.example.app:/callback/evil",
        "com.example.app:/Callback",
        "COM.EXAMPLE.APP:/callback",
        "com.example.app:callback",
        "com.example.app.evil:/callback",
        "com.example.app:/callback?x=y",
    ];
    refused("native", &uris).await;
}

#[tokio::test]
async fn rdr_32_web_clients_have_the_port_they_registered() {
    let uris =
        ["http://127.0.0.1:3001/callback", "http://127.0.0.1/callback", "http://localhost:3001/callback"];
    refused("local-web", &uris).await;
}

#[tokio::test]
async fn rdr_34_huge_uris_are_refused_quickly() {
    let server = TestServer::start().await;
    let app = server.party("app");
    for length in [3_000, 12_000, 60_000] {
        let huge = format!("https://example.com/callback?{}", "a".repeat(length));
        let huge = app.clone().with_redirect_uri(&huge);
        let answer = server.browser().load(&huge.authorize_url(&[])).await;
        assert!(answer.status.is_client_error() && !answer.is_redirect(), "{length}: {}", answer.status);
    }
}

#[tokio::test]
async fn rdr_33_an_unregistered_uri_cannot_be_pushed_either() {
    let server = TestServer::start().await;
    let client = server.party("client");
    for redirect_uri in ["https://evil.example/", "https://example.com/callback/", "", "javascript:alert(1)"]
    {
        let url = client.authorize_url(&[("redirect_uri", redirect_uri)]);
        let query = url.split_once('?').unwrap().1;
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let fields: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let answer = server.send(client.authenticated("/par", &fields)).await;
        if redirect_uri.is_empty() && answer.status == 201 {
            continue;
        }
        assert_eq!(answer.status, 400, "{redirect_uri}: {}", answer.text());
        assert!(answer.json()["request_uri"].is_null());
    }
}

//! What is refused before a handler sees it, and what every answer carries.

use crate::support::{Answer, Server};
use postern::http::{Hsts, Limits, Settings};
use tokio::io::AsyncWriteExt;

fn refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["status_code"], status);
    assert_eq!(body["error"], "invalid_request");
    assert_eq!(body["trace_id"].as_str(), answer.header("x-trace-id"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn cau_19_two_authorization_headers_are_refused() {
    let server = Server::start().await;
    let answer = server
        .say("GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\nAuthorization: Bearer x\r\n\r\n")
        .await;
    refused(&answer, 400);
    let answer = server.say("GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\n\r\n").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn hst_14_two_hosts_or_none_are_refused() {
    let server = Server::start().await;
    refused(&server.say("GET /hello HTTP/1.1\r\n\r\n").await, 400);
    refused(&server.say("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await, 400);
}

#[tokio::test]
async fn hst_13_an_absolute_target_routes_by_its_path() {
    let server = Server::start().await;
    let answer = server.say("GET https://evil.example/hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
}

#[tokio::test]
async fn hst_04_to_11_forwarding_headers_are_not_seen_and_do_not_change_the_address() {
    let server = Server::start().await;
    let answer = server
        .say(
            "GET /seen HTTP/1.1\r\nHost: a\r\nForwarded: for=6.6.6.6;host=evil\r\nX-Forwarded-For: 6.6.6.6\r\n\
             X-Forwarded-Host: evil\r\nX-Forwarded-Proto: http\r\nX-Host: evil\r\nX-Original-URL: /panic\r\n\
             X-Rewrite-URL: /panic\r\nX-HTTP-Method-Override: DELETE\r\nAccept: */*\r\n\r\n",
        )
        .await;
    assert_eq!(answer.body, "127.0.0.1 host accept");
}

#[tokio::test]
async fn a_trusted_proxy_may_name_the_client_and_nothing_else() {
    let settings = Settings {
        limits: Limits::default(),
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        address_limit: None,
        hsts: Hsts::Strict,
    };
    let server = Server::configured(settings).await;
    let answer = server
        .say("GET /seen HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-Host: evil\r\n\r\n")
        .await;
    assert_eq!(answer.body, "192.0.2.7 host");
}

#[tokio::test]
async fn htp_09_trace_unknown_methods_and_overrides() {
    let server = Server::start().await;
    for method in ["TRACE", "CONNECT", "FROBNICATE"] {
        let target = if method == "CONNECT" { "a:1" } else { "/hello" };
        let answer = server.say(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        refused(&answer, 405);
        assert_eq!(answer.header("allow"), Some("get, head, post, put, patch, delete, options"));
    }
    let answer = server
        .say("GET /hello HTTP/1.1\r\nHost: a\r\nX-HTTP-Method-Override: DELETE\r\nX-Method-Override: TRACE\r\n\r\n")
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn htp_12_dot_segments_are_refused() {
    let server = Server::start().await;
    for path in ["/x/../hello", "/x/%2e%2e/hello", "/hello%00"] {
        refused(&server.say(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await, 400);
    }
}

#[tokio::test]
async fn htp_15_compressed_bodies_are_refused() {
    let server = Server::start().await;
    for coding in ["gzip", "identity, gzip", "br"] {
        let request = format!(
            "POST /length HTTP/1.1\r\nHost: a\r\nContent-Encoding: {coding}\r\nContent-Length: 2\r\n\r\n\x1f\x08"
        );
        refused(&server.say(request).await, 415);
    }
    let plain =
        "POST /length HTTP/1.1\r\nHost: a\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nab";
    assert_eq!(server.say(plain).await.body, "2");
}

#[tokio::test]
async fn a_length_beside_chunks_ends_the_connection_and_smuggles_nothing() {
    let server = Server::start().await;
    let mut stream = server.connect("http/1.1").await;
    let smuggled = "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n\
                    0\r\n\r\nGET /panic HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(smuggled.as_bytes()).await.unwrap();
    let answer = Answer::read(&mut stream).await;
    assert_eq!(answer.body, "0");
    assert_eq!(answer.header("connection"), Some("close"), "RFC 9112 §6.1");
    assert_eq!(server.metric("panics_total"), "panics_total 0");
}

#[tokio::test]
async fn web_02_every_answer_is_strict_unless_its_handler_says_how_much_less() {
    let server = Server::start().await;
    for path in ["/hello", "/nowhere", "/x/../y"] {
        let answer = server.say(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!(answer.header("x-frame-options"), Some("deny"), "{path}");
        let policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";
        assert_eq!(answer.header("content-security-policy"), Some(policy), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=63072000"), "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("x-trace-id").map(str::len), Some(32), "{path}");
    }
    let page = server.say("GET /page HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(page.header("content-security-policy"), Some("default-src 'self'"));
    assert_eq!(page.header("cache-control"), Some("max-age=60"));
    assert_eq!(page.header("x-frame-options"), Some("deny"), "framing is the gate's to decide");
}

#[tokio::test]
async fn web_04_no_referer_leaves_a_page() {
    let server = Server::start().await;
    let answer = server.say("GET /page HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn a_caller_does_not_choose_the_trace_id() {
    let server = Server::start().await;
    let chosen = "0".repeat(32);
    let answer = server
        .say(format!(
            "GET /hello HTTP/1.1\r\nHost: a\r\nX-Trace-ID: {chosen}\r\nX-Correlation-ID: {chosen}\r\n\r\n"
        ))
        .await;
    assert_ne!(answer.header("x-trace-id"), Some(chosen.as_str()));
}

#[tokio::test]
async fn metrics_count_by_route_template_never_by_path() {
    let server = Server::start().await;
    for id in 0..3 {
        server.say(format!("GET /item/{id} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        server.say(format!("GET /nowhere/{id} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    }
    let count = "http_request_duration_seconds_count";
    let items = format!("{count}{{route=\"/item/{{id}}\",method=\"GET\",status=\"2xx\"}}");
    assert_eq!(server.metric(&items), format!("{items} 3"));
    let nowhere = format!("{count}{{route=\"(none)\",method=\"GET\",status=\"4xx\"}}");
    assert_eq!(server.metric(&nowhere), format!("{nowhere} 3"));
}

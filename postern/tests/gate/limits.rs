//! Too much, too slow, too many.

use std::time::Duration;

use postern::http::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, Server, impatient};

const TWO_MEGABYTES: usize = 2_000_000;

#[tokio::test]
async fn htp_05_a_body_too_large_is_told_so_however_it_is_sent() {
    let server = Server::start().await;
    let body = "a".repeat(TWO_MEGABYTES);
    let announced =
        format!("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {TWO_MEGABYTES}\r\n\r\n{body}");
    let answer = server.say(announced).await;
    assert_eq!((answer.status, &answer.json()["status_code"]), (413, &413.into()));
    let chunked = format!(
        "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{TWO_MEGABYTES:x}\r\n{body}\r\n0\r\n\r\n"
    );
    assert_eq!(server.say(chunked).await.status, 413);
    let asking =
        "POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n";
    assert_eq!(server.say(asking).await.status, 413, "nobody is asked to send what will be refused");
    let answer = server.client().post(server.url("/length")).body(body).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (413, http::Version::HTTP_2));
}

#[tokio::test]
async fn htp_05_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    let server = Server::start().await;
    let limit = Limits::default().body_bytes;
    for (size, status) in [(limit, 200), (limit + 1, 413)] {
        let body = "a".repeat(size);
        let request = format!("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{body}");
        assert_eq!(server.say(request).await.status, status, "{size}");
    }
}

#[tokio::test]
async fn htp_07_large_heads_are_told_so() {
    let server = Server::start().await;
    let header = format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(64 * 1024));
    assert_eq!(server.say(header).await.status, 431);
    let many = format!("GET /hello HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(3_000));
    assert_eq!(server.say(many).await.status, 431);
    let target = format!("GET /hello?{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(100 * 1024));
    assert_eq!(server.say(target).await.status, 414);
    let target = format!("GET /hello?{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(17 * 1024));
    assert_eq!(server.say(target).await.status, 414);
    let client = server.client();
    let header = client.get(server.url("/hello")).header("x", "a".repeat(64 * 1024)).send().await.unwrap();
    assert_eq!(header.status(), 431);
    assert_eq!(client.get(server.url("/hello")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn htp_05_07_the_answer_reaches_a_client_that_goes_on_sending() {
    let server = Server::start().await;
    let size = 12 * 1024 * 1024;
    let body = format!("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n");
    assert_eq!(server.say(body + &"a".repeat(size)).await.status, 413);
    let head = format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(size));
    assert_eq!(server.say(head).await.status, 431);
}

#[tokio::test]
async fn htp_14_a_slow_head_is_cut() {
    let server = Server::with(impatient()).await;
    let mut stream = server.connect("http/1.1").await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow: ").await.unwrap();
    let mut rest = Vec::new();
    // Ends only when the server closes.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn htp_14_a_slow_body_is_told_so_and_never_reaches_a_handler() {
    let server = Server::with(impatient()).await;
    let answer = server.say("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await;
    assert_eq!((answer.status, &answer.json()["error"]), (408, &"invalid_request".into()));
}

#[tokio::test]
async fn htp_14_an_idle_connection_is_closed() {
    let server = Server::with(impatient()).await;
    for protocol in ["http/1.1", "h2"] {
        let mut stream = server.connect(protocol).await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    let mut silent = server.tcp().await;
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or(0), 0, "a handshake that never begins");
}

#[tokio::test]
async fn htp_14_a_client_that_takes_nothing_is_cut() {
    let server = Server::with(impatient()).await;
    let mut stream = server.connect("http/1.1").await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    while server.metric("http_connections_cut_total") != "http_connections_cut_total 1" {
        tokio::task::yield_now().await;
    }
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < 64 * 1024 * 1024);
}

/// Twelve places, and limits of an hour: only the wish of others for a place ends a slow connection.
async fn twelve_places() -> Server {
    let hour = Duration::from_secs(3_600);
    let patient = Limits { handshake: hour, head: hour, body: hour, idle: hour, ..Limits::default() };
    Server::with(Limits { connections: 12, ..patient }).await
}

async fn honest_client_gets_in(server: &Server) {
    let request = server.say("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = tokio::time::timeout(Duration::from_secs(120), request).await;
    assert_eq!(answer.expect("the honest client never got a place").status, 200);
}

/// Somebody takes all places and says only `bytes` on each.
async fn honest_client_gets_in_beside(bytes: &[u8]) {
    let server = twelve_places().await;
    let mut slow = Vec::new();
    for _ in 0..12 {
        let mut stream = server.connect("http/1.1").await;
        stream.write_all(bytes).await.unwrap();
        slow.push(stream);
    }
    honest_client_gets_in(&server).await;
}

#[tokio::test]
async fn htp_13_unfinished_handshakes_do_not_keep_others_out() {
    let server = twelve_places().await;
    let mut slow = Vec::new();
    for _ in 0..12 {
        let mut stream = server.tcp().await;
        stream.write_all(b"\x16").await.unwrap();
        slow.push(stream);
    }
    honest_client_gets_in(&server).await;
}

#[tokio::test]
async fn htp_13_silence_does_not_keep_others_out() {
    honest_client_gets_in_beside(b"").await;
}

#[tokio::test]
async fn htp_13_slow_heads_do_not_keep_others_out() {
    honest_client_gets_in_beside(b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
}

#[tokio::test]
async fn htp_13_slow_bodies_do_not_keep_others_out() {
    honest_client_gets_in_beside(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na").await;
}

#[tokio::test]
async fn htp_13_kept_alive_connections_do_not_keep_others_out() {
    honest_client_gets_in_beside(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
}

#[tokio::test]
async fn one_request_too_many_is_told_when_to_come_back() {
    let server = Server::with(Limits { requests: 1, ..Limits::default() }).await;
    let mut first = server.connect("http/1.1").await;
    first.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.handlers.begun.notified().await;
    let second = server.say("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(second.status, 503);
    assert_eq!(second.json()["error"], "temporarily_unavailable");
    assert_eq!(second.header("retry-after"), Some("1"));
    server.handlers.release.add_permits(1);
    assert_eq!(Answer::read(&mut first).await.body, "waited");
    assert_eq!(server.say("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 200);
}

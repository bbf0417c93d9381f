//! The orderly stop.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use postern::http::{Limits, Shutdown, health};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::support::{Answer, Server};

#[tokio::test]
async fn e_06_a_request_in_flight_at_the_stop_is_finished() {
    let server = Server::start().await;
    let mut one = server.connect("http/1.1").await;
    one.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.handlers.begun.notified().await;
    let two = tokio::spawn(server.client().get(server.url("/wait")).send());
    server.handlers.begun.notified().await;
    let mut idle = server.connect("http/1.1").await;

    server.shutdown.begin();

    assert_eq!(idle.read(&mut [0; 1]).await.unwrap_or(0), 0, "idle connections are closed");
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.running.is_finished());
    server.handlers.release.add_permits(2);
    let answer = Answer::read(&mut one).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "waited"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(two.await.unwrap().unwrap().text().await.unwrap(), "waited");
    server.running.await.unwrap();
}

#[tokio::test]
async fn e_06_not_ready_as_soon_as_the_stop_begins() {
    let shutdown = Shutdown::default();
    let router = health(shutdown.clone(), Arc::new(|| Box::pin(async { true })));
    let status = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!((status("/alive").await, status("/ready").await), (200, 200));
    shutdown.begin();
    assert_eq!((status("/alive").await, status("/ready").await), (200, 503));
}

#[tokio::test]
async fn the_stop_does_not_wait_for_a_silent_client_without_a_request() {
    let hour = Duration::from_secs(3_600);
    let server = Server::with(Limits { drain: hour, idle: hour, stall: hour, ..Limits::default() }).await;
    // Answers nothing, not even the farewell of HTTP/2.
    let _silent = server.connect("h2").await;
    server.shutdown.begin();
    server.running.await.unwrap();
}

#[tokio::test]
async fn the_drain_ends_at_its_limit() {
    let limits = Limits { drain: Duration::from_millis(50), ..Limits::default() };
    let server = Server::with(limits).await;
    let mut stream = server.connect("http/1.1").await;
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.handlers.begun.notified().await;
    server.shutdown.begin();
    server.running.await.unwrap();
}

#[tokio::test]
async fn e_06_a_request_on_its_way_when_the_stop_begins_is_answered() {
    let server = Server::start().await;
    let mut kept = server.connect("http/1.1").await;
    kept.write_all(b"GET /alive HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut kept).await.header("connection"), None);
    let mut fresh = server.connect("http/1.1").await;

    server.shutdown.begin();

    for stream in [&mut kept, &mut fresh] {
        stream.write_all(b"GET /alive HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let answer = Answer::read(stream).await;
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    }
    server.running.await.unwrap();
}

#[tokio::test]
async fn e_06_a_connection_that_was_not_accepted_yet_when_the_stop_begins_is_served() {
    let server = Server::start().await;
    // One thread: nothing is accepted, and no handshake goes on, before this test waits for something.
    let stream = std::net::TcpStream::connect(server.address).unwrap();
    server.shutdown.begin();
    stream.set_nonblocking(true).unwrap();
    let config = Arc::new(server.client_config());
    let mut stream = server.secure(TcpStream::from_std(stream).unwrap(), config).await;
    stream.write_all(b"GET /alive HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 200);
    server.running.await.unwrap();
}

//! A request that goes wrong, or whose client goes away, harms nothing else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::support::Server;

#[tokio::test]
async fn e_24_a_panic_costs_one_request() {
    let server = Server::start().await;
    let client = server.client();
    let waiting = tokio::spawn(client.get(server.url("/wait")).send());
    server.handlers.begun.notified().await;
    let failed = client.get(server.url("/panic")).send().await.unwrap();
    assert_eq!(failed.status(), 500);
    let trace_id = failed.headers()["x-trace-id"].to_str().unwrap().to_owned();
    let body: serde_json::Value = failed.json().await.unwrap();
    assert_eq!(body["error"], "server_error");
    assert_eq!(body["trace_id"], trace_id);
    assert!(!body.to_string().contains("purpose"), "WEB-20: nothing of the inside is told");
    server.handlers.release.add_permits(1);
    let other = waiting.await.unwrap().unwrap();
    assert_eq!(other.text().await.unwrap(), "waited", "on the same connection");
    assert_eq!(server.metric("panics_total"), "panics_total 1");
    assert_eq!(server.say("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 200);
}

#[tokio::test]
async fn a_handler_runs_to_its_end_when_its_client_hangs_up() {
    let server = Server::start().await;
    for protocol in ["http/1.1", "h2"] {
        let request = match protocol {
            "h2" => {
                let client = server.client();
                let url = server.url("/wait");
                tokio::spawn(async move { client.get(url).send().await.map(drop) })
            }
            _ => {
                let mut stream = server.connect(protocol).await;
                stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
                tokio::spawn(async move {
                    std::future::pending::<()>().await;
                    drop(stream);
                    Ok(())
                })
            }
        };
        server.handlers.begun.notified().await;
        request.abort();
        let _ = request.await;
        while server.metric("http_connections ") != "http_connections 0" {
            tokio::task::yield_now().await;
        }
        server.handlers.release.add_permits(1);
        let ended = tokio::time::timeout(Duration::from_secs(60), server.handlers.ended.notified()).await;
        assert!(ended.is_ok(), "{protocol}: the handler was dropped with its connection");
    }
}

#[tokio::test]
async fn ready_follows_the_store_and_alive_does_not() {
    let server = Server::start().await;
    let status =
        async |path: &str| server.say(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await.status;
    assert_eq!((status("/alive").await, status("/ready").await), (200, 200));
    server.handlers.ready.store(false, Ordering::SeqCst);
    assert_eq!((status("/alive").await, status("/ready").await), (200, 503));
}

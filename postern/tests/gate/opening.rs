//! A gate whose rooms are not there yet.

use axum::Router;
use axum::routing::get;
use http::Method;
use tokio::io::AsyncWriteExt;

use crate::support::{Answer, Server};

const ASK: &[u8] = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn e_05_the_rooms_take_over_on_connections_that_are_open() {
    let server = Server::awaiting(Router::new().route("/alive", get(async || "alive"))).await;
    let mut kept = server.connect("http/1.1").await;
    kept.write_all(ASK).await.unwrap();
    let refused = Answer::read(&mut kept).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(refused.json()["error"], "temporarily_unavailable");
    let client = server.client();
    let status = async |method, path: &str| {
        client.request(method, server.url(path)).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(Method::GET, "/alive").await, 200);
    assert_eq!(status(Method::POST, "/alive").await, 405);
    assert_eq!(status(Method::POST, "/length").await, 503);

    server.open();

    kept.write_all(ASK).await.unwrap();
    let answered = Answer::read(&mut kept).await;
    assert_eq!((answered.status, answered.body.as_str()), (200, "hello"));
    assert_eq!(status(Method::POST, "/length").await, 200);
    assert_eq!(status(Method::GET, "/nowhere").await, 404);
    let connections = server.metric("http_connections ");
    assert_eq!(connections, "http_connections 2", "none was made anew");
}

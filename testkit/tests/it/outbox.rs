//! Deliveries that do not arrive at once: tried again, and seen by the administrator (OIDC Back-Channel Logout §2.5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Administrator, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An application whose endpoint answers 503 until it is told otherwise.
#[derive(Clone)]
struct Endpoint {
    uri: String,
    works: Arc<AtomicBool>,
    /// Takes what comes and does not answer.
    hangs: Arc<AtomicBool>,
    visits: Arc<AtomicUsize>,
}

impl Endpoint {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/backchannel", listener.local_addr().unwrap());
        let endpoint = Self { uri, works: Arc::default(), hangs: Arc::default(), visits: Arc::default() };
        let serving = endpoint.clone();
        tokio::spawn(async move {
            let mut unanswered = Vec::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = vec![0; 16 * 1024];
                let _ = socket.read(&mut request).await;
                serving.visits.fetch_add(1, Ordering::SeqCst);
                if serving.hangs.load(Ordering::SeqCst) {
                    unanswered.push(socket);
                    continue;
                }
                let status = if serving.works.load(Ordering::SeqCst) { "200 OK" } else { "503 Busy" };
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        endpoint
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

async fn outbox(admin: &Administrator, query: &str) -> Vec<Value> {
    let answer = admin.get(&format!("/outbox{query}")).await.expect(200);
    assert!(!answer.text().contains("eyJ"), "no token is shown: {}", answer.text());
    answer.json()["outbox"].as_array().expect("outbox").clone()
}

/// The rows once `fits` holds for them. The background job may be at work too, and an answer does not wait for late
/// deliveries, so that what was asked for may come a little later.
async fn outbox_when(server: &TestServer, fits: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let admin = server.administrator().await;
    for _ in 0..100_000 {
        let rows = outbox(&admin, "").await;
        if fits(&rows) {
            return rows;
        }
        tokio::task::yield_now().await;
    }
    panic!("the outbox stays as it is: {:?}", outbox(&admin, "").await);
}

/// Whether each of `count` rows has failed `attempts` times.
fn failed(count: usize, attempts: u32) -> impl Fn(&[Value]) -> bool {
    move |rows| {
        rows.len() == count
            && rows.iter().all(|row| row["attempts"] == attempts && row["last_error"].is_string())
    }
}

/// A logout at a server whose application `client` listens at `endpoint`.
async fn log_out(server: &TestServer) {
    let (browser, client) = (server.browser(), server.party("client"));
    client.tokens_in(&browser).await;
    let question = browser.load(&client.path("/logout")).await;
    browser.post(&question.form("logout-form").with("decision", "confirm")).await.expect(200);
}

async fn start() -> (TestServer, Administrator, Endpoint) {
    let (server, endpoint) = (TestServer::reaching_loopback().await, Endpoint::start().await);
    let admin = server.administrator().await;
    admin.change("/clients/client", &json!({"backchannel_logout_uri": endpoint.uri})).await;
    (server, admin, endpoint)
}

#[tokio::test]
async fn a_delivery_that_failed_is_seen_and_tried_again_until_it_arrives() {
    let (server, admin, endpoint) = start().await;
    assert_eq!(outbox(&admin, "").await, Vec::<Value>::new());
    log_out(&server).await;
    let [row] = outbox_when(&server, failed(1, 1)).await.try_into().expect("one row");
    assert_eq!((&row["type"], &row["state"]), (&json!("backchannel_logout"), &json!("waiting")));
    assert_eq!((&row["client_id"], &row["attempts"]), (&json!("client"), &json!(1)));
    assert_eq!(row["last_error"], "status 503");
    assert!(row["next_attempt_at"].is_string() && row["session_id"].is_string(), "{row}");
    // Not due yet.
    server.engine().send_due().await.unwrap();
    assert_eq!(endpoint.visits(), 1);
    server.clock().advance(Duration::from_secs(31));
    server.engine().send_due().await.unwrap();
    outbox_when(&server, failed(1, 2)).await;
    assert_eq!(endpoint.visits(), 2);
    endpoint.works.store(true, Ordering::SeqCst);
    server.clock().advance(Duration::from_secs(61));
    server.engine().send_due().await.unwrap();
    outbox_when(&server, <[Value]>::is_empty).await;
    assert_eq!(endpoint.visits(), 3);
    // Another tenant sees nothing of it.
    log_out(&server).await;
    assert_eq!(outbox(&server.acme_administrator().await, "").await.len(), 0);
}

#[tokio::test]
async fn what_was_given_up_stays_for_a_day_and_is_not_tried_again() {
    let (server, _, endpoint) = start().await;
    log_out(&server).await;
    log_out(&server).await;
    for attempts in 2..=8 {
        server.clock().advance(Duration::from_secs(2 * 3600));
        server.engine().send_due().await.unwrap();
        outbox_when(&server, |rows| rows.iter().all(|row| row["attempts"] == attempts)).await;
    }
    outbox_when(&server, |rows| rows.iter().all(|row| row["state"] == "given_up")).await;
    server.engine().send_due().await.unwrap();
    let tried = endpoint.visits();
    assert_eq!(tried, 16, "eight times each");
    let admin = server.administrator().await;
    let first = outbox(&admin, "?limit=1").await;
    let id = first[0]["id"].as_str().expect("id");
    let second = outbox(&admin, &format!("?limit=1&after_outbox_id={id}")).await;
    assert_ne!(first[0]["id"], second[0]["id"]);
    for row in first.iter().chain(&second) {
        assert_eq!((&row["state"], &row["attempts"]), (&json!("given_up"), &json!(8)));
        assert!(row.get("next_attempt_at").is_none(), "{row}");
    }
    server.clock().advance(Duration::from_secs(11 * 3600));
    server.engine().send_due().await.unwrap();
    outbox_when(&server, <[Value]>::is_empty).await;
    assert_eq!(endpoint.visits(), tried);
}

/// Two nodes find the same deliveries due: each is made by one of them.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_makes_a_delivery() {
    let (server, _, endpoint) = start().await;
    for _ in 0..8 {
        log_out(&server).await;
    }
    outbox_when(&server, failed(8, 1)).await;
    endpoint.works.store(true, Ordering::SeqCst);
    server.clock().advance(Duration::from_secs(31));
    let rounds = [server.clone(), server.node(0), server.node(0)]
        .map(|node| tokio::spawn(async move { node.engine().send_due().await }));
    for round in rounds {
        round.await.unwrap().unwrap();
    }
    outbox_when(&server, <[Value]>::is_empty).await;
    assert_eq!(endpoint.visits(), 16, "each failed once and arrived once");
}

/// A node dies while it delivers: another one delivers when it is due again.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_leaves_its_delivery_to_others() {
    let (server, _, endpoint) = start().await;
    log_out(&server).await;
    outbox_when(&server, failed(1, 1)).await;
    server.clock().advance(Duration::from_secs(31));
    endpoint.hangs.store(true, Ordering::SeqCst);
    let other = server.node(0);
    let dying = tokio::spawn(async move { server.engine().send_due().await });
    while endpoint.visits() < 2 {
        tokio::task::yield_now().await;
    }
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    endpoint.hangs.store(false, Ordering::SeqCst);
    endpoint.works.store(true, Ordering::SeqCst);
    other.engine().send_due().await.unwrap();
    assert_eq!(endpoint.visits(), 2, "it may still be on its way");
    other.clock().advance(Duration::from_secs(61));
    other.engine().send_due().await.unwrap();
    outbox_when(&other, <[Value]>::is_empty).await;
    assert_eq!(endpoint.visits(), 3);
}

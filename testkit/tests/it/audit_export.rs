//! The audit export: every event reaches a sink, whatever happens between, and old ones go.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{AuditConfig, AuditSink};
use serde_json::{Value, json};
use store::ExportSink;
use testkit::TestServer;

/// A sink that refuses, or takes and never answers, while it is told to.
#[derive(Default)]
struct Collector {
    lines: Mutex<Vec<String>>,
    refuses: AtomicBool,
    hangs: AtomicBool,
    /// Batches that are being brought at the moment, and those that came while another one was.
    open: AtomicUsize,
    overlaps: AtomicUsize,
}

/// A batch that is being brought, or whose bearer died.
struct Open<'a>(&'a Collector);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Collector {
    fn events(&self) -> Vec<Value> {
        self.lines.lock().unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl AuditSink for Collector {
    fn sink(&self) -> ExportSink {
        ExportSink::Http
    }

    fn deliver<'a>(
        &'a self,
        lines: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            if self.refuses.load(Ordering::SeqCst) {
                return Err("status 503".to_owned());
            }
            let others = self.open.fetch_add(1, Ordering::SeqCst);
            let _open = Open(self);
            self.overlaps.fetch_add(others, Ordering::SeqCst);
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            self.lines.lock().unwrap().extend_from_slice(lines);
            Ok(())
        })
    }
}

async fn start(retention: Option<Duration>) -> (TestServer, Arc<Collector>) {
    let collector = Arc::new(Collector::default());
    let sinks: Vec<Arc<dyn AuditSink>> = vec![Arc::<Collector>::clone(&collector)];
    (TestServer::auditing(AuditConfig { retention, sinks }).await, collector)
}

#[tokio::test]
async fn what_is_exported_is_what_an_administrator_reads() {
    let (server, collector) = start(None).await;
    let admin = server.administrator().await;
    admin.change("/clients/client", &json!({"client_name": "Renamed"})).await;
    server.party("client").client_credentials("").await.expect(200);
    server.engine().flush().await;
    server.engine().export().await.unwrap();
    let mut read = admin.get("/servers/default/audit-events?order=asc").await.expect(200).json();
    let read = read["audit_events"].as_array_mut().unwrap();
    assert_eq!(read.len(), 2);
    let exported = collector.events();
    for event in read {
        assert_eq!(exported.iter().filter(|other| *other == event).count(), 1, "{event} in {exported:#?}");
    }
    server.engine().export().await.unwrap();
    assert_eq!(collector.events().len(), exported.len(), "told once");
    let told = format!("audit_exported_total{{sink=\"http\"}} {}", exported.len());
    assert!(server.metrics().contains(&told), "{told} in {}", server.metrics());
}

#[tokio::test]
async fn a_sink_that_refuses_is_told_later_and_its_lag_is_seen() {
    let (server, collector) = start(None).await;
    collector.refuses.store(true, Ordering::SeqCst);
    let admin = server.administrator().await;
    admin.change("/clients/client", &json!({"client_name": "Renamed"})).await;
    server.engine().flush().await;
    server.clock().advance(Duration::from_secs(90));
    let error = server.engine().export().await.unwrap_err().to_string();
    assert!(error.contains("export to http: status 503"), "{error}");
    let metrics = server.metrics();
    assert!(metrics.contains("audit_export_lag_seconds{sink=\"http\"} 90"), "{metrics}");
    assert!(collector.events().is_empty());
    collector.refuses.store(false, Ordering::SeqCst);
    server.engine().export().await.unwrap();
    assert!(collector.events().iter().any(|event| event["context"]["event"] == "client.updated"));
    assert!(server.metrics().contains("audit_export_lag_seconds{sink=\"http\"} 0"));
}

#[tokio::test]
async fn events_wait_while_the_store_does_not_take_them() {
    let (server, collector) = start(None).await;
    server.party("client").client_credentials("").await.expect(200);
    server.fail_store(false, true);
    server.engine().flush().await;
    assert!(server.metrics().contains("audit_events_pending 1"), "{}", server.metrics());
    server.fail_store(false, false);
    server.engine().flush().await;
    server.engine().export().await.unwrap();
    let issued = collector.events().iter().filter(|event| event["action"] == "issued").count();
    assert_eq!(issued, 1, "{:?}", collector.events());
}

#[tokio::test]
async fn old_events_are_removed() {
    let (server, _) = start(Some(Duration::from_secs(3600))).await;
    let admin = server.administrator().await;
    admin.change("/clients/client", &json!({"client_name": "One"})).await;
    server.clock().advance(Duration::from_secs(1800));
    admin.change("/clients/client", &json!({"client_name": "Two"})).await;
    assert_eq!(server.engine().sweep_events(100).await.unwrap(), 0);
    server.clock().advance(Duration::from_secs(1801));
    server.engine().flush().await;
    assert!(server.engine().sweep_events(100).await.unwrap() >= 1);
    let admin = server.administrator().await;
    let left = admin.get("/servers/default/audit-events").await.expect(200).json();
    assert_eq!(left["audit_events"].as_array().unwrap().len(), 1);
}

/// Two nodes at the same sink: whoever has its lease tells it, and nobody else meanwhile. Each event comes once.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_at_a_time_tells_a_sink() {
    let (server, collector) = start(None).await;
    let nodes = [server.clone(), server.node(0)];
    let admin = server.administrator().await;
    for round in 0..10 {
        for change in 0..4 {
            let name = format!("{round} {change}");
            admin.change("/clients/client", &json!({"client_name": name})).await;
        }
        let exports = nodes.clone().map(|node| {
            // A lease that was given back is free from the next moment on.
            node.clock().advance(Duration::from_millis(1));
            tokio::spawn(async move { node.engine().export().await })
        });
        for export in exports {
            export.await.unwrap().unwrap();
        }
    }
    let there =
        || collector.events().iter().filter(|event| event["context"]["event"] == "client.updated").count();
    while there() < 40 {
        for node in &nodes {
            node.clock().advance(Duration::from_millis(1));
            node.engine().export().await.unwrap();
        }
    }
    let events = collector.events();
    let ids: BTreeSet<_> = events.iter().map(|event| event["event_id"].to_string()).collect();
    assert_eq!((there(), ids.len()), (40, events.len()), "each once");
    assert_eq!(collector.overlaps.load(Ordering::SeqCst), 0, "one node at a time");
}

/// A node dies while it tells a sink: another one waits until its right is over, and then tells what it did not.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_hands_its_sink_over() {
    let (server, collector) = start(None).await;
    let other = server.node(0);
    let admin = server.administrator().await;
    admin.change("/clients/client", &json!({"client_name": "Renamed"})).await;
    collector.hangs.store(true, Ordering::SeqCst);
    let dying = tokio::spawn({
        let server = server.clone();
        async move { server.engine().export().await }
    });
    while collector.open.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let patience = Duration::from_secs(20);
    let turned_away = tokio::time::timeout(patience, other.engine().export()).await;
    turned_away.expect("it does not bring anything while the first may be at it").unwrap();
    assert_eq!(collector.overlaps.load(Ordering::SeqCst), 0);
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    drop((server, admin));
    collector.hangs.store(false, Ordering::SeqCst);
    other.engine().export().await.unwrap();
    assert!(collector.events().is_empty(), "its right is not over yet");
    other.clock().advance(Duration::from_secs(31));
    other.engine().export().await.unwrap();
    assert!(collector.events().iter().any(|event| event["context"]["event"] == "client.updated"));
}

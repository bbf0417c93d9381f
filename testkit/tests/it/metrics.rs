//! What Prometheus reads, after requests of every kind; and docs/OBSERVABILITY.md, whose table of metrics is written
//! from it: `UPDATE_DOCS=1 cargo test -p testkit --test it metrics_document`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;
use testkit::TestServer;

use crate::named_tests::root;

/// The value of a line; 0 for what was never counted.
fn value(server: &TestServer, line: &str) -> f64 {
    let text = server.metrics();
    let found = text.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
    found.unwrap_or_default()
}

#[tokio::test]
async fn tokens_refusals_signatures_and_calls_of_the_store_are_counted() {
    let server = TestServer::start().await;
    let client = server.party("client");
    for _ in 0..3 {
        client.client_credentials("").await.expect(200);
    }
    client.client_credentials("nonsense").await.expect(400);
    client.tokens().await;
    assert_eq!(value(&server, "tokens_issued_total{grant_type=\"client_credentials\"}"), 3.0);
    assert_eq!(value(&server, "tokens_issued_total{grant_type=\"authorization_code\"}"), 1.0);
    assert_eq!(value(&server, "tokens_issued_total{grant_type=\"implicit\"}"), 0.0);
    assert_eq!(value(&server, "refusals_total{reason=\"scope_not_allowed\"}"), 1.0, "{}", server.metrics());
    let signed = value(&server, "signature_duration_seconds_count{alg=\"ES256\"}")
        + value(&server, "signature_duration_seconds_count{alg=\"RS256\"}");
    assert_eq!(signed, 5.0, "four access tokens and an ID token");
    let commits = "store_call_duration_seconds_count{operation=\"commit\",outcome=\"ok\"}";
    assert!(value(&server, commits) >= 3.0, "login, consent with code, tokens");
    server.fail_store(true, true);
    server.engine().ready().await.unwrap_err();
    let failed = "store_call_duration_seconds_count{operation=\"ping\",outcome=\"unavailable\"}";
    assert_eq!(value(&server, failed), 1.0);
}

#[tokio::test]
async fn passwords_go_through_a_pool_that_is_counted() {
    let server = TestServer::start().await;
    server.party("client").tokens().await;
    let text = server.metrics();
    assert_eq!(value(&server, "password_hash_duration_seconds_count{pool=\"argon2\"}"), 1.0, "{text}");
    assert_eq!(value(&server, "password_hash_wait_duration_seconds_count{pool=\"argon2\"}"), 1.0);
    assert_eq!(value(&server, "password_hash_busy"), 0.0);
    assert_eq!(value(&server, "password_hash_waiting"), 0.0);
    assert!(value(&server, "password_hash_slots") >= 1.0);
}

#[tokio::test]
async fn tenants_beyond_the_cap_share_a_label() {
    let server = TestServer::start().await;
    server.get("/nobody/default/.well-known/openid-configuration").await.expect(404);
    let tenants = "tenant_requests_total";
    assert_eq!(value(&server, &format!("{tenants}{{tenant=\"(other)\"}}")), 1.0, "no label for a stranger");
    // The one label of the test server.
    server.administrator().await.get("/clients/client").await.expect(200);
    server.acme_administrator().await.get("/clients/acme-admin").await.expect(200);
    assert_eq!(value(&server, &format!("{tenants}{{tenant=\"default\"}}")), 2.0, "{}", server.metrics());
    assert_eq!(value(&server, &format!("{tenants}{{tenant=\"(other)\"}}")), 3.0);
    assert!(!server.metrics().contains("acme") && !server.metrics().contains("nobody"));
}

#[tokio::test]
async fn what_waits_for_the_audit_trail_and_what_is_remembered_is_counted() {
    let server = TestServer::start().await;
    let client = server.party("client");
    for _ in 0..2 {
        client.client_credentials("").await.expect(200);
    }
    let hits = "cache_lookups_total{cache=\"client\",outcome=\"hit\"}";
    assert!(value(&server, hits) >= 1.0, "{}", server.metrics());
    assert!(value(&server, "cache_lookups_total{cache=\"workspace\",outcome=\"miss\"}") >= 1.0);
    server.engine().flush().await;
    assert_eq!(value(&server, "audit_events_pending"), 0.0);
    assert_eq!(value(&server, "audit_events_dropped_total"), 0.0);
    let appended = "store_call_duration_seconds_count{operation=\"append\",outcome=\"ok\"}";
    assert!(value(&server, appended) >= 1.0);
}

#[tokio::test]
async fn deliveries_are_counted_by_what_came_of_them() {
    let server = TestServer::reaching_loopback().await;
    let admin = server.administrator().await;
    // Nobody listens there.
    let nowhere = json!({"backchannel_logout_uri": "http://127.0.0.1:9/"});
    admin.change("/clients/client", &nowhere).await;
    let (browser, client) = (server.browser(), server.party("client"));
    client.tokens_in(&browser).await;
    let question = browser.load(&client.path("/logout")).await;
    browser.post(&question.form("logout-form").with("decision", "confirm")).await.expect(200);
    assert_eq!(value(&server, "outbox_deliveries_total{outcome=\"failed\"}"), 1.0, "{}", server.metrics());
    assert_eq!(value(&server, "outbox_deliveries_total{outcome=\"sent\"}"), 0.0);
}

const BEGIN: &str = "<!-- metrics: written by a test -->\n";
const END: &str = "<!-- end of metrics -->\n";

/// The table: every metric that the server tells.
fn table(text: &str) -> String {
    let mut rows: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        if let (Some("#"), Some(what), Some(name), Some(said)) =
            (words.next(), words.next(), words.next(), words.next())
        {
            let row = rows.entry(name).or_default();
            match what {
                "TYPE" => row.0 = said,
                "HELP" => row.1 = said,
                _ => {}
            }
        }
    }
    let mut table = "| metric | type | what it tells |\n|---|---|---|\n".to_owned();
    for (name, (kind, help)) in rows {
        let suffix = if kind == "counter" { "_total" } else { "" };
        writeln!(table, "| `{name}{suffix}` | {kind} | {} |", help.trim_end_matches('.')).unwrap();
    }
    table
}

#[tokio::test]
async fn the_metrics_document_lists_all_of_them() {
    let server = TestServer::start().await;
    // Of a family without members nothing is told.
    server.get("/default/default/.well-known/openid-configuration").await.expect(200);
    let path = root().join("docs/OBSERVABILITY.md");
    let document = std::fs::read_to_string(&path).expect("docs/OBSERVABILITY.md");
    let (before, rest) = document.split_once(BEGIN).expect("the mark where the table begins");
    let (_, after) = rest.split_once(END).expect("the mark where the table ends");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", table(&server.metrics()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
        return;
    }
    assert!(document == fresh, "run UPDATE_DOCS=1 cargo test -p testkit --test it metrics_document");
}

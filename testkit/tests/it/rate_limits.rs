//! Limits of tenants, clients and addresses: 429 and when to come again (contract §e; RFC 6585 §4).

use std::net::Ipv4Addr;
use std::time::Duration;

use http::Method;
use protocol::duration::Span;
use protocol::rate_limit::{Module, RateLimit};
use serde_json::{Value, json};
use testkit::{Administrator, Answer, Ask, SERVICE_SECRET, TestServer};

/// Two at once, then one every ten seconds.
const SLOW: RateLimit = RateLimit { rate: 6, period: Span::minutes(1), burst: 2 };

const TOKEN: &str = "/default/default/oauth2/token";
const AUTHORIZE: &str = "/default/default/oauth2/authorize?client_id=nobody";
const DISCOVERY: &str = "/default/default/.well-known/openid-configuration";

async fn token_of(server: &TestServer, client: &str) -> Answer {
    let ask = Ask::form(TOKEN, &[("grant_type", "client_credentials")]).basic(client, SERVICE_SECRET);
    server.send(ask).await
}

/// 429 that says how long, why, and under which trace id more is known.
#[track_caller]
fn limited(answer: &Answer, seconds: &str, cause: &str) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), seconds);
    let body = answer.json();
    assert_eq!((&body["error"], &body["cause"]), (&json!("too_many_requests"), &json!(cause)), "{body}");
    assert_eq!(body["trace_id"], answer.header("x-trace-id"));
    assert_eq!(body["status_code"], 429);
}

/// Sends requests to the operations of the whole server.
struct Operator(TestServer, Administrator);

impl Operator {
    async fn of(server: &TestServer) -> Self {
        Self(server.clone(), server.operator().await)
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let ask = Ask::json(method, &format!("/api/admin/tenants{path}"), body);
        self.0.send(ask.bearer(&self.1.token)).await
    }

    async fn set(&self, tenant: &str, module: &str, limit: &Value) -> Answer {
        self.send(Method::PUT, &format!("/{tenant}/rate-limits/{module}"), limit).await
    }

    async fn list(&self, tenant: &str) -> Value {
        self.send(Method::GET, &format!("/{tenant}/rate-limits"), &json!({})).await.expect(200).json()
    }
}

#[tokio::test]
async fn contract_e_a_tenant_over_its_limit_gets_429_until_the_time_it_was_told() {
    let server = TestServer::limited(&[(Module::Oauth2, SLOW)], None).await;
    for _ in 0..2 {
        token_of(&server, "service").await.expect(200);
    }
    limited(&token_of(&server, "service").await, "10", "tenant_rate_limited");
    // Whoever asks and whatever for: the family is limited as one, before anybody has proved anything.
    let stranger = server.send(Ask::form("/default/second/oauth2/introspect", &[])).await;
    limited(&stranger, "10", "tenant_rate_limited");
    server.clock().advance(Duration::from_millis(9_500));
    limited(&token_of(&server, "service").await, "1", "tenant_rate_limited");
    server.clock().advance(Duration::from_millis(500));
    token_of(&server, "service").await.expect(200);
    limited(&token_of(&server, "service").await, "10", "tenant_rate_limited");
}

#[tokio::test]
async fn e15_one_tenant_does_not_use_up_what_is_anothers_nor_one_family_that_of_the_other() {
    let server = TestServer::limited(&[(Module::Oauth2, SLOW), (Module::Login, SLOW)], None).await;
    for _ in 0..2 {
        token_of(&server, "service").await.expect(200);
    }
    limited(&token_of(&server, "service").await, "10", "tenant_rate_limited");
    let elsewhere = Ask::form("/acme/default/oauth2/introspect", &[("token", "x")]);
    server.send(elsewhere).await.expect(401);
    for _ in 0..2 {
        server.get(AUTHORIZE).await.expect(400);
    }
    let page = server.send(Ask::get(AUTHORIZE).header("accept", "text/html")).await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (429, "10"));
    assert!(page.text().contains(page.header("x-trace-id")), "the page names its reference");
    // What is published is told to everybody, so that tokens can be verified.
    for _ in 0..5 {
        server.get(DISCOVERY).await.expect(200);
    }
}

#[tokio::test]
async fn a_refusal_is_explained_under_its_trace_id() {
    let server = TestServer::limited(&[(Module::Oauth2, SLOW)], None).await;
    let mut last = token_of(&server, "service").await;
    for _ in 0..2 {
        last = token_of(&server, "service").await;
    }
    server.engine().flush().await;
    let explained = server.engine().explanation(last.header("x-trace-id")).await.unwrap().unwrap();
    assert_eq!(explained.reason, "tenant_rate_limited");
    assert_eq!(explained.expected.as_deref(), Some("at most 6 in 1m0s, 2 at once"));
}

#[tokio::test]
async fn the_operator_sets_reads_and_takes_away_a_tenants_limit() {
    let server = TestServer::limited(&[(Module::Login, SLOW)], None).await;
    let operator = Operator::of(&server).await;
    let slow = json!({ "rate": 6, "period": "1m0s", "burst": 2 });
    assert_eq!(operator.list("default").await, json!({ "global": { "login": slow }, "tenant": {} }));
    operator.set("default", "oauth2", &slow).await.expect(204);
    let before = operator.list("default").await;
    assert_eq!(before["tenant"], json!({ "oauth2": slow }));
    assert_eq!(operator.list("acme").await["tenant"], json!({}));
    for _ in 0..2 {
        token_of(&server, "service").await.expect(200);
    }
    limited(&token_of(&server, "service").await, "10", "tenant_rate_limited");
    // Put back as it was read: what was taken stays taken.
    operator.set("default", "oauth2", &before["tenant"]["oauth2"]).await.expect(204);
    limited(&token_of(&server, "service").await, "10", "tenant_rate_limited");
    operator.set("default", "oauth2", &json!({ "rate": 1000 })).await.expect(204);
    let wide = json!({ "rate": 1000, "period": "1s", "burst": 1000 });
    assert_eq!(operator.list("default").await["tenant"]["oauth2"], wide);
    // A limit that was raised holds at once.
    token_of(&server, "service").await.expect(200);
    let delete = async || operator.send(Method::DELETE, "/default/rate-limits/oauth2", &json!({})).await;
    operator.set("default", "oauth2", &slow).await.expect(204);
    delete().await.expect(204);
    for _ in 0..5 {
        token_of(&server, "service").await.expect(200);
    }
    delete().await.expect(404);
    // A tenant's own limit replaces the one of all.
    operator.set("default", "login", &json!({ "rate": 1000 })).await.expect(204);
    for _ in 0..5 {
        server.get(AUTHORIZE).await.expect(400);
    }
}

#[tokio::test]
async fn what_cannot_be_a_limit_is_refused_with_what_is_expected() {
    let server = TestServer::start().await;
    let operator = Operator::of(&server).await;
    let details = |answer: Answer| answer.expect(422).json()["details"].clone();
    let refused = details(operator.set("default", "oauth2", &json!({ "rate": 0, "period": "1d" })).await);
    assert!(refused["period"]["expected"].as_str().unwrap().contains("`1h0m0s`"), "{refused}");
    let refused = details(operator.set("default", "oauth2", &json!({ "rate": 0, "burst": 2 })).await);
    assert_eq!(refused["rate"], json!({ "received": "0", "expected": "1 to 1000000" }));
    let unknown = operator.set("default", "everything", &json!({ "rate": 1 })).await.expect(404).json();
    assert_eq!(unknown["details"]["expected"], "oauth2, login, admin");
    operator.set("nobody", "oauth2", &json!({ "rate": 1 })).await.expect(404);
    operator.send(Method::GET, "/nobody/rate-limits", &json!({})).await.expect(404);
    operator.send(Method::DELETE, "/nobody/rate-limits/oauth2", &json!({})).await.expect(404);
}

#[tokio::test]
async fn adm_01_only_the_operator_reads_and_sets_limits() {
    let server = TestServer::start().await;
    for administrator in [server.administrator().await, server.acme_administrator().await] {
        for (method, path) in [
            (Method::GET, "/api/admin/tenants/acme/rate-limits"),
            (Method::PUT, "/api/admin/tenants/acme/rate-limits/oauth2"),
            (Method::DELETE, "/api/admin/tenants/acme/rate-limits/oauth2"),
            (Method::GET, "/api/admin/tenants"),
        ] {
            let ask = Ask::json(method.clone(), path, &json!({ "rate": 1 }));
            server.send(ask.bearer(&administrator.token)).await.expect(401);
            server.send(Ask::json(method, path, &json!({ "rate": 1 }))).await.expect(401);
        }
    }
    let tenants = Operator::of(&server).await.send(Method::GET, "?limit=2", &json!({})).await.expect(200);
    let tenants = tenants.json()["tenants"].clone();
    let ids: Vec<_> = tenants.as_array().unwrap().iter().map(|tenant| tenant["id"].clone()).collect();
    assert_eq!(ids, ["acme", "default"]);
}

#[tokio::test]
async fn the_management_api_is_limited_for_its_callers_and_not_by_strangers() {
    let server = TestServer::limited(&[(Module::Admin, SLOW)], None).await;
    let administrator = server.administrator().await;
    for _ in 0..5 {
        server.send(Ask::get("/api/admin/default/tenant").bearer("nonsense")).await.expect(401);
    }
    for _ in 0..2 {
        administrator.get("/tenant").await.expect(200);
    }
    let answer = administrator.get("/tenant").await.expect(429);
    assert_eq!(answer.header("retry-after"), "10");
    assert_eq!(answer.json()["error_code"], "tenant_rate_limited");
    assert_eq!(answer.json()["status_code"], 429);
    server.acme_administrator().await.get("/tenant").await.expect(200);
}

#[tokio::test]
async fn a_workspace_limits_each_of_its_clients_and_a_stranger_takes_nothing_from_them() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let limit = json!({ "client_rate_limit": { "rate": 6, "period": "1m", "burst": 2 } });
    let server_document = administrator.change("/servers/default", &limit).await.json();
    let written = json!({ "rate": 6, "period": "1m0s", "burst": 2 });
    assert_eq!(server_document["client_rate_limit"], written);
    for _ in 0..5 {
        let ask = Ask::form(TOKEN, &[("grant_type", "client_credentials")]).basic("service", "wrong");
        server.send(ask).await.expect(401);
    }
    for _ in 0..2 {
        token_of(&server, "service").await.expect(200);
    }
    limited(&token_of(&server, "service").await, "10", "client_rate_limited");
    let ask = Ask::form("/default/default/oauth2/introspect", &[("token", "x")]);
    limited(&server.send(ask.basic("service", SERVICE_SECRET)).await, "10", "client_rate_limited");
    token_of(&server, "other").await.expect(200);
    server.clock().advance(Duration::from_secs(10));
    token_of(&server, "service").await.expect(200);
    let mut unlimited = administrator.get("/servers/default").await.expect(200).json();
    unlimited.as_object_mut().unwrap().remove("client_rate_limit");
    administrator.put("/servers/default", &unlimited).await.expect(200);
    for _ in 0..5 {
        token_of(&server, "service").await.expect(200);
    }
    let mut wrong = unlimited.clone();
    wrong["client_rate_limit"] = json!({ "rate": 0 });
    let refused = administrator.put("/servers/default", &wrong).await.expect(422).json();
    assert_eq!(refused["details"]["client_rate_limit.rate"]["expected"], "1 to 1000000");
}

#[tokio::test]
async fn an_address_over_its_limit_gets_429_and_the_others_go_on() {
    let server = TestServer::limited(&[], Some(SLOW)).await;
    let (one, two) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
    for _ in 0..2 {
        server.send_from(Ask::get(DISCOVERY), one).await.expect(200);
    }
    let refused = server.send_from(Ask::get(DISCOVERY), one).await.expect(429);
    assert_eq!(refused.header("retry-after"), "10");
    assert_eq!(refused.json()["error"], "too_many_requests");
    assert_eq!(refused.json()["trace_id"], refused.header("x-trace-id"));
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    server.send_from(Ask::get(DISCOVERY), two).await.expect(200);
    server.clock().advance(Duration::from_secs(10));
    server.send_from(Ask::get(DISCOVERY), one).await.expect(200);
    server.send_from(Ask::get(DISCOVERY), one).await.expect(429);
}

#[tokio::test]
async fn w_29_behind_a_trusted_proxy_the_client_is_limited_and_nobody_chooses_his_address() {
    let server = TestServer::limited(&[], Some(SLOW)).await;
    let (proxy, stranger) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(192, 0, 2, 9));
    let ask = |forwarded: &str| Ask::get(DISCOVERY).header("x-forwarded-for", forwarded);
    // Addresses of one subscriber of IPv6 are one.
    for client in ["2001:db8::1", "2001:db8::2"] {
        server.send_from(ask(client), proxy).await.expect(200);
    }
    server.send_from(ask("2001:db8::3"), proxy).await.expect(429);
    server.send_from(ask("2001:db8:0:1::1"), proxy).await.expect(200);
    for forwarded in ["198.51.100.1", "198.51.100.2"] {
        server.send_from(ask(forwarded), stranger).await.expect(200);
    }
    server.send_from(ask("198.51.100.3"), stranger).await.expect(429);
}

#[tokio::test]
async fn decisions_10_nothing_is_limited_unless_somebody_says_so() {
    let server = TestServer::start().await;
    let operator = Operator::of(&server).await;
    assert_eq!(operator.list("default").await, json!({ "global": {}, "tenant": {} }));
    for _ in 0..300 {
        token_of(&server, "service").await.expect(200);
    }
}

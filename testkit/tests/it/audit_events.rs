//! The audit trail as an administrator reads it: what is in it, filters, pages, borders.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Administrator, Ask, TestServer, claims};

/// Every event of a workspace that fits the query, the newest first.
async fn events(admin: &Administrator, workspace: &str, query: &str) -> Vec<Value> {
    let path = format!("/servers/{workspace}/audit-events?{query}");
    let answer = admin.get(&path).await.expect(200).json();
    answer["audit_events"].as_array().expect("audit_events").clone()
}

/// Postern's own words for what happened.
fn own_words(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["context"]["event"].as_str().expect("an event")).collect()
}

#[tokio::test]
async fn w_30_who_changed_what_from_where_is_told() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    admin.change("/clients/client", &json!({"client_name": "Renamed"})).await;
    let [event] =
        events(&admin, "default", "event_subject=client&event_action=updated").await.try_into().unwrap();
    assert_eq!((&event["tenant_id"], &event["server_id"]), (&json!("default"), &json!("default")));
    assert_eq!((&event["event_subject"], &event["action"]), (&json!("client"), &json!("updated")));
    assert_eq!(event["context"], json!({"event": "client.updated", "detail": "client"}));
    assert_eq!(event["metadata"]["actor_client_id"], "admin-swagger");
    assert_eq!(event["metadata"]["ip"], "127.0.0.1");
    assert_eq!(event["metadata"]["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(event["timestamp"], server.engine().now().rfc3339());
    assert!(event["event_id"].is_string() && event.get("payload").is_none());
    // The right to do so was given in the administration's own workspace.
    server.engine().flush().await;
    let issued = events(&admin, "admin", "client_id=admin-swagger&event_subject=access_token").await;
    assert_eq!(own_words(&issued), ["token.issued"]);
}

#[tokio::test]
async fn w_30_every_act_of_a_person_a_client_and_a_stranger_is_in_the_trail() {
    let server = TestServer::start().await;
    let (admin, browser) = (server.administrator().await, server.browser());
    let client = server.party("client").with_scope("openid offline_access");
    let page = browser.open(&client.authorize_url(&[])).await;
    let page = browser.mistype(&page).await;
    let consent = browser.log_in(&page).await;
    browser.submit(&consent.form("consent-form").with("decision", "deny")).await;
    let code = client.code_in(&browser).await;
    let tokens = client.redeem(&code).await.expect(200).json();
    server.clock().advance(Duration::from_secs(60));
    client.redeem(&code).await.expect(400);
    let second = client.tokens_in(&browser).await;
    client.refresh(second.refresh_token()).await.expect(200);
    client.revoke(second.refresh_token()).await.expect(200);
    client.refresh(tokens["refresh_token"].as_str().unwrap()).await.expect(400);
    client.client_credentials("nonsense").await.expect(400);
    server.party_at("/default/default", "client", Some("wrong")).client_credentials("").await.expect(401);
    let question = browser.load(&client.path("/logout")).await;
    browser.post(&question.form("logout-form").with("decision", "confirm")).await.expect(200);
    server.send(Ask::get("/api/admin/default/clients/client").bearer("nonsense")).await.expect(401);
    admin.post("/servers/default/keys/rotate", &json!({})).await;
    server.engine().flush().await;
    let all = events(&admin, "default", "limit=100").await;
    let seen = own_words(&all);
    for act in [
        "login.failed",
        "login.succeeded",
        "consent.denied",
        "consent.allowed",
        "code.issued",
        "token.issued",
        "code.replayed",
        "token.refreshed",
        "token.revoked",
        "refresh_token.refused",
        "token.refused",
        "client_authentication.refused",
        "session.ended",
    ] {
        assert!(seen.contains(&act), "{act} in {seen:?}");
    }
    // Whose password was tried is told as the subject, never as what was typed.
    let failed = all.iter().find(|event| event["context"]["event"] == "login.failed").unwrap();
    let succeeded = all.iter().find(|event| event["context"]["event"] == "login.succeeded").unwrap();
    assert_eq!(failed["metadata"]["subject"], succeeded["metadata"]["subject"]);
    assert!(failed["metadata"]["user_agent"] == succeeded["metadata"]["user_agent"]);
    let strangers = events(&admin, "admin", "event_subject=request&event_action=unauthorized").await;
    assert_eq!(strangers[0]["context"]["detail"], "GET /api/admin/default/clients/client");
}

/// The claim `sid` ties them together; the cookie's value is nowhere.
#[tokio::test]
async fn w_30_the_acts_of_one_session_are_found_by_its_public_name() {
    const COOKIE: &str = "__Host-postern-session-default+default";
    let server = TestServer::start().await;
    let (admin, browser) = (server.administrator().await, server.browser());
    let client = server.party("client").with_scope("openid offline_access");
    let tokens = client.tokens_in(&browser).await;
    client.refresh(tokens.refresh_token()).await.expect(200);
    let (cookie, other) = (browser.cookie(COOKIE).expect("a session"), client.tokens().await);
    let question = browser.load(&client.path("/logout")).await;
    browser.post(&question.form("logout-form").with("decision", "confirm")).await.expect(200);
    server.engine().flush().await;

    let (id_token, access_token) = (claims(tokens.id_token()), claims(tokens.access_token()));
    let (sid, idp) = (id_token["sid"].as_str().unwrap(), access_token["idp"].as_str().unwrap());
    let acts = events(&admin, "default", &format!("session_id={sid}&order=asc")).await;
    let expected = [
        "login.succeeded",
        "code.issued",
        "consent.allowed",
        "token.issued",
        "token.refreshed",
        "session.ended",
    ];
    assert_eq!(own_words(&acts), expected);
    for event in &acts {
        let metadata = &event["metadata"];
        assert_eq!(
            (&metadata["session_id"], &metadata["subject"]),
            (&json!(sid), &acts[0]["metadata"]["subject"])
        );
        assert_eq!(
            (&metadata["idp_id"], &metadata["idp_method"]),
            (&json!(idp), &json!("static")),
            "{event}"
        );
    }
    let all = events(&admin, "default", "limit=100").await;
    assert!(!json!(all).to_string().contains(&cookie), "the cookie's value opens the session");
    let theirs = events(&admin, "default", &format!("idp_id={idp}&idp_method=static&limit=100")).await;
    let others = theirs.iter().filter(|event| event["metadata"]["session_id"] != json!(sid)).count();
    assert_eq!(theirs.len() - others, acts.len());
    assert!(others >= 3 && !other.id_token().is_empty(), "those of the other session, too: {theirs:?}");
    assert_eq!(events(&admin, "default", "idp_id=another").await, Vec::<Value>::new());
}

#[tokio::test]
async fn w_17_a_throttled_login_is_in_the_trail() {
    const ATTEMPTS: u64 = 25;
    let server = TestServer::start().await;
    let (admin, browser) = (server.administrator().await, server.browser());
    let mut page = browser.open(&server.party("client").authorize_url(&[])).await;
    for _ in 0..ATTEMPTS {
        page = browser.mistype(&page).await;
    }
    server.engine().flush().await;
    // Equal ones are counted; how many groups they make depends on how long the attempts took.
    let throttled = events(&admin, "default", "event_subject=bruteforce").await;
    assert!(own_words(&throttled).iter().all(|event| *event == "login.throttled"), "{throttled:?}");
    let count = |event: &Value| event["context"]["count"].as_str().map_or(1, |count| count.parse().unwrap());
    let times: u64 = throttled.iter().map(count).sum();
    let failed = events(&admin, "default", "event_subject=login&event_action=failed&limit=100").await;
    assert!(times > 1 && times + u64::try_from(failed.len()).unwrap() == ATTEMPTS, "{times} {failed:?}");
}

#[tokio::test]
async fn the_trail_is_read_in_pages_by_time_and_by_filter() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    let start = server.engine().now();
    for number in 0..5 {
        server.clock().advance(Duration::from_secs(10));
        admin.change("/clients/client", &json!({"client_name": format!("Name {number}")})).await;
    }
    let all = events(&admin, "default", "").await;
    assert_eq!(all.len(), 5);
    let ids: Vec<&str> = all.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted_by(|newer, older| newer > older), "the newest first: {ids:?}");
    let page = events(&admin, "default", &format!("limit=2&before_event_id={}", ids[1])).await;
    assert_eq!(page, all[2..4]);
    let page = events(&admin, "default", &format!("limit=2&order=asc&after_event_id={}", ids[3])).await;
    assert_eq!(page, [all[2].clone(), all[1].clone()]);
    let second = start.plus(Duration::from_secs(20)).rfc3339();
    let fourth = start.plus(Duration::from_secs(40)).rfc3339();
    let between = events(&admin, "default", &format!("timestamp_from={second}&timestamp_to={fourth}")).await;
    assert_eq!(between, all[2..4], "its beginning belongs to the range, its end does not");
    let trace_id = all[1]["metadata"]["trace_id"].as_str().unwrap();
    assert_eq!(events(&admin, "default", &format!("trace_id={trace_id}")).await, all[1..2]);
    assert_eq!(events(&admin, "default", "ip=203.0.113.1").await, Vec::<Value>::new());
    assert_eq!(events(&admin, "default", "event_action=deleted,updated&limit=1").await, all[..1]);
}

#[tokio::test]
async fn adm_28_what_cannot_be_asked_of_the_trail_is_named() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    for (query, named) in [
        ("limit=101", "limit"),
        ("order=up", "order"),
        ("before_event_id=1", "before_event_id"),
        ("after_event_id=zz000000000000000000000000000000", "after_event_id"),
        ("timestamp_from=yesterday", "timestamp_from"),
        ("idp_subject=x", "idp_subject"),
        ("client_id=a&client_id=b", "client_id"),
    ] {
        let answer = admin.get(&format!("/servers/default/audit-events?{query}")).await.expect(400);
        assert!(answer.text().contains(named), "{query}: {}", answer.text());
    }
    admin.get("/servers/nowhere/audit-events").await.expect(404);
}

#[tokio::test]
async fn adm_01_the_trail_of_one_tenant_is_closed_to_the_other() {
    let server = TestServer::start().await;
    let (admin, acme) = (server.administrator().await, server.acme_administrator().await);
    admin.change("/clients/client", &json!({"client_name": "Renamed"})).await;
    server.engine().flush().await;
    let theirs = events(&acme, "admin", "").await;
    assert!(theirs.iter().all(|event| event["tenant_id"] == "acme"), "{theirs:?}");
    let path = "/api/admin/default/servers/default/audit-events";
    server.send(Ask::get(path).bearer(&acme.token)).await.expect(401);
    server.send(Ask::get(path)).await.expect(401);
}

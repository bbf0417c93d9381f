//! Guessing in parallel gains nothing: what is in flight counts like failures (attack W-17), on every node.

use std::net::Ipv4Addr;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Ask, Browser, TestServer, urlencoded};
use tokio::task::JoinSet;

const AT_ONCE: usize = 60;
/// Consecutive failures of one account from one source that are looked at.
const LIMIT: usize = 20;

async fn at_once<F>(asks: impl Iterator<Item = F>) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    asks.collect::<JoinSet<_>>().join_all().await
}

/// A server whose client `client` may send passwords.
async fn start() -> TestServer {
    let server = TestServer::start().await;
    let grants = json!({ "grant_types": ["authorization_code", "password"] });
    let administrator = server.administrator().await;
    administrator.change("/servers/default", &grants).await;
    administrator.change("/clients/client", &grants).await;
    server
}

fn typed(username: &str, password: &str) -> [(&'static str, String); 4] {
    let (grant, scope) = ("password".to_owned(), "openid".to_owned());
    let (username, password) = (username.to_owned(), password.to_owned());
    [("grant_type", grant), ("username", username), ("password", password), ("scope", scope)]
}

async fn log_in(server: TestServer, username: String, password: String, source: Ipv4Addr) -> Answer {
    let typed = typed(&username, &password);
    let fields: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.send_from(server.party("client").authenticated("/oauth2/token", &fields), source).await
}

/// Wrong passwords of the account `user`, on each of the nodes at once. Answers how many were looked at; all others wait.
async fn guess(nodes: &[&TestServer]) -> usize {
    let asks = (0..AT_ONCE).flat_map(|guess| {
        nodes.iter().map(move |node| {
            log_in((*node).clone(), "user".to_owned(), format!("wrong {guess}"), Ipv4Addr::LOCALHOST)
        })
    });
    looked_at(at_once(asks).await, 400)
}

#[track_caller]
fn looked_at(answers: Vec<Answer>, status: u16) -> usize {
    let (seen, refused): (Vec<Answer>, Vec<Answer>) = answers.into_iter().partition(|a| a.status == status);
    for answer in refused {
        assert_eq!(answer.status, 429, "{}", answer.text());
        assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    }
    seen.len()
}

/// How long the account has to wait, in seconds, when so many failures were counted.
fn pause(failures: usize) -> u64 {
    (1 << (failures - LIMIT).min(10)).min(900)
}

async fn pauses_for(server: &TestServer) -> u64 {
    let right = log_in(server.clone(), "user".to_owned(), "user".to_owned(), Ipv4Addr::LOCALHOST).await;
    right.expect(429).header("retry-after").parse().expect("seconds")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w_17_w_18_of_many_guesses_at_once_no_more_are_looked_at_than_one_by_one() {
    let server = start().await;
    let elsewhere = Ipv4Addr::new(198, 51, 100, 7);
    let owner = tokio::spawn(log_in(server.clone(), "user".to_owned(), "user".to_owned(), elsewhere));
    assert_eq!(guess(&[&server]).await, LIMIT);
    owner.await.unwrap().expect(200);
    assert_eq!(pauses_for(&server).await, pause(LIMIT), "each was counted, and once");
    for failures in LIMIT + 1..LIMIT + 4 {
        server.clock().advance(Duration::from_secs(pauses_for(&server).await));
        assert_eq!(guess(&[&server]).await, 1, "one for each pause");
        assert_eq!(pauses_for(&server).await, pause(failures));
    }
    // A success resets.
    server.clock().advance(Duration::from_secs(pauses_for(&server).await));
    log_in(server.clone(), "user".to_owned(), "user".to_owned(), Ipv4Addr::LOCALHOST).await.expect(200);
    assert_eq!(guess(&[&server]).await, LIMIT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w_17_nodes_count_each_others_guesses_exactly() {
    let one = start().await;
    let other = one.node(0);
    let seen = guess(&[&one, &other]).await;
    assert!((LIMIT..=2 * LIMIT).contains(&seen), "{seen}");
    let wait = pauses_for(&one).await;
    assert_eq!([wait, pauses_for(&other).await], [pause(seen); 2], "no failure was lost: {seen}");
    one.clock().advance(Duration::from_secs(wait));
    other.clock().advance(Duration::from_secs(wait));
    let more = guess(&[&one, &other]).await;
    assert!((1..=2).contains(&more), "one per node and pause: {more}");
    assert_eq!(pauses_for(&other).await, pause(seen + more));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w_18_many_people_behind_one_address_log_in_at_once() {
    let server = start().await;
    let names: Vec<String> = (0..AT_ONCE).map(|number| format!("person{number}")).collect();
    let people: Vec<Value> = names.iter().map(|n| json!({ "username": n, "password": n })).collect();
    let provider = "/servers/default/idps/static/default-sandbox";
    let user = [json!({ "username": "user" })];
    let all: Vec<&Value> = user.iter().chain(&people).collect();
    server.administrator().await.change(provider, &json!({ "users": all })).await;
    let own = |name: &String| log_in(server.clone(), name.clone(), name.clone(), Ipv4Addr::LOCALHOST);
    for answer in at_once(names.iter().map(own)).await {
        answer.expect(200);
    }
    // And one account in many places of the same house: who is right waits a little and is not refused.
    let same = std::iter::repeat_n("user".to_owned(), 100);
    for answer in at_once(same.map(|name| own(&name))).await {
        answer.expect(200);
    }
}

async fn type_code(browser: Browser, code: String) -> Answer {
    browser.open(&format!("/default/default/device?{}", urlencoded(&[("user-code", &code)]))).await
}

#[tokio::test]
async fn w_17_dev_04_of_many_user_codes_at_once_ten_are_looked_at() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let login = browser.open("/default/default/device").await;
    browser.log_in(&login).await;
    // All have come before the first one is counted.
    let held = server.hold_writes().await;
    let wrong = (0..AT_ONCE).map(|guess| type_code(browser.clone(), format!("BCDF-{guess:04}")));
    let answers = tokio::spawn(at_once(wrong.collect::<Vec<_>>().into_iter()));
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    drop(held);
    assert_eq!(looked_at(answers.await.unwrap(), 400), 10);
    let next = type_code(browser, "BCDF-GHJK".to_owned()).await.expect(429);
    assert_eq!(next.header("retry-after"), "300");
}

async fn register(server: TestServer) -> Answer {
    let metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
    server.send(Ask::json(Method::POST, "/default/default/oauth2/register", &metadata)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w_17_of_many_registrations_at_once_no_more_are_made_than_a_source_may() {
    let server = TestServer::start().await;
    let settings = json!({ "enabled": true, "max_registrations_per_source": 7 });
    let members = json!({ "dynamic_client_registration": settings });
    server.administrator().await.change("/servers/default", &members).await;
    let made = at_once((0..AT_ONCE).map(|_| register(server.clone()))).await;
    assert_eq!(looked_at(made, 201), 7);
    server.clock().advance(Duration::from_secs(3600));
    register(server).await.expect(201);
}

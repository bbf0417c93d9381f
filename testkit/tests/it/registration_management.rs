//! What the server says of a registration, and what a client may say when it changes it (RFC 7591 §3.2.1, RFC 7592).

use http::Method;
use serde_json::{Map, Value, json};
use testkit::{Answer, Ask, REDIRECT_URI, TestServer};

const REGISTER: &str = "/default/default/oauth2/register";
/// Members that an update must not include (RFC 7592 §2.2).
const ANSWERED_ONLY: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// A server where everybody registers.
async fn open() -> TestServer {
    let server = TestServer::start().await;
    let settings = json!({"dynamic_client_registration": {"enabled": true}});
    server.administrator().await.change("/servers/default", &settings).await;
    server
}

async fn register(server: &TestServer, metadata: &Value) -> Map<String, Value> {
    let answer = server.send(Ask::json(Method::POST, REGISTER, metadata)).await.expect(201);
    answer.json().as_object().expect("a registration").clone()
}

fn managed(method: Method, client: &Map<String, Value>) -> Ask {
    let text = |member: &str| client[member].as_str().expect(member);
    Ask::new(method, text("registration_client_uri")).bearer(text("registration_access_token"))
}

async fn read(server: &TestServer, client: &Map<String, Value>) -> Map<String, Value> {
    let answer = server.send(managed(Method::GET, client)).await.expect(200);
    answer.json().as_object().expect("a registration").clone()
}

async fn update(server: &TestServer, client: &Map<String, Value>, body: &Map<String, Value>) -> Answer {
    let body = Value::Object(body.clone()).to_string();
    server.send(managed(Method::PUT, client).body("application/json", body)).await
}

#[tokio::test]
async fn rfc7592_2_2_an_update_that_holds_what_only_the_server_says_is_refused() {
    let server = open().await;
    let client = register(&server, &json!({"redirect_uris": [REDIRECT_URI]})).await;
    let read = read(&server, &client).await;
    let mut metadata = read.clone();
    metadata.retain(|name, _| !ANSWERED_ONLY.contains(&name.as_str()));
    for member in ANSWERED_ONLY {
        // The value that was answered, and another one.
        for value in [read[member].clone(), json!(7)] {
            let mut body = metadata.clone();
            body.insert(member.to_owned(), value);
            let refused = update(&server, &client, &body).await.expect_error(400, "invalid_client_metadata");
            let token = read["registration_access_token"].as_str().unwrap();
            assert!(!refused.text().contains(token), "{}", refused.text());
            server.engine().flush().await;
            let told = server.engine().explanation(refused.header("x-trace-id")).await.unwrap();
            let told = told.expect("an explanation");
            assert_eq!((told.parameter.as_deref(), &*told.clause), (Some(member), "RFC 7592 §2.2"));
            assert!(told.received.is_some() && told.fix.contains(member), "{told:?}");
        }
    }
    // Nothing was changed by it, and what is left of what was read is an update.
    let updated = update(&server, &client, &metadata).await.expect(200).json();
    for (name, value) in &metadata {
        assert_eq!(&updated[name], value, "{name}");
    }
}

#[tokio::test]
async fn rfc7592_3_whatever_has_a_secret_says_when_it_ends_and_when_the_id_was_issued() {
    let server = open().await;
    for (method, has_secret) in [
        ("client_secret_basic", true),
        ("client_secret_post", true),
        ("client_secret_jwt", true),
        ("none", false),
    ] {
        let metadata = json!({"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": method});
        let made = register(&server, &metadata).await;
        assert_eq!(made.contains_key("client_secret"), has_secret, "{method}");
        let read = read(&server, &made).await;
        let mut change = read.clone();
        change.retain(|name, _| !ANSWERED_ONLY.contains(&name.as_str()));
        let updated = update(&server, &made, &change).await.expect(200).json();
        for shown in [&made, &read, updated.as_object().unwrap()] {
            let end = shown.get("client_secret_expires_at");
            assert_eq!(end, has_secret.then(|| json!(0)).as_ref(), "{method}: {shown:?}");
            assert!(shown["client_id_issued_at"].as_i64().is_some_and(|at| at > 0), "{method}: {shown:?}");
        }
    }
}

#[tokio::test]
async fn rfc7591_3_2_1_what_has_no_value_is_left_out() {
    let server = open().await;
    let empty = |shown: &Map<String, Value>| -> Vec<String> {
        let empty = |value: &Value| value.is_null() || *value == json!("") || *value == json!([]);
        shown.iter().filter(|(_, value)| empty(value)).map(|(name, _)| name.clone()).collect()
    };
    let device = json!({
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "token_endpoint_auth_method": "none",
        "scope": "", "client_name": "",
    });
    let made = register(&server, &device).await;
    // An empty list of response types is not the one that its absence means (RFC 7591 §2).
    assert_eq!(empty(&made), ["response_types"]);
    let shown = read(&server, &made).await;
    assert_eq!(empty(&shown), ["response_types"]);
    assert!(!shown.contains_key("scope"), "{shown:?}");
    // What was left out is not given by an update that leaves it out.
    let mut same = shown.clone();
    same.retain(|name, _| !ANSWERED_ONLY.contains(&name.as_str()));
    let updated = update(&server, &made, &same).await.expect(200).json();
    assert!(updated["scope"].is_null() && updated["response_types"] == json!([]), "{updated}");
    assert_eq!(empty(&register(&server, &json!({"redirect_uris": [REDIRECT_URI]})).await), [""; 0]);
    // Who says that a list is empty hears it again.
    let mut said = device.clone();
    said["redirect_uris"] = json!([]);
    said["contacts"] = json!([]);
    let made = register(&server, &said).await;
    assert_eq!(empty(&made), ["contacts", "redirect_uris", "response_types"]);
}

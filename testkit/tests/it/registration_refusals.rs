//! What a registration is refused for, told by name; and that the admin API refuses the same.

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Ask, REDIRECT_URI, TestServer};

const REGISTER: &str = "/default/default/oauth2/register";

async fn open(server: &TestServer) {
    let settings = json!({"dynamic_client_registration": {"enabled": true}});
    server.administrator().await.change("/servers/default", &settings).await;
}

async fn register(server: &TestServer, metadata: &Value) -> Answer {
    server.send(Ask::json(Method::POST, REGISTER, metadata)).await
}

/// Member, value received and value expected, as `postern explain` prints them.
async fn explained(server: &TestServer, answer: &Answer) -> (String, String, String) {
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &json!("invalid_client_metadata")));
    server.engine().flush().await;
    let found = server.engine().explanation(answer.header("x-trace-id")).await.unwrap();
    let found = found.expect("an explanation");
    (found.parameter.unwrap(), found.received.unwrap_or_default(), found.expected.unwrap_or_default())
}

/// One rule for addresses, however a client is registered; and what the operator opens is open to both.
#[tokio::test]
async fn dcr_05_dcr_06_dcr_07_dcr_09_adm_25_both_ways_to_register_refuse_the_same_addresses() {
    let (strict, reaching) = (TestServer::start().await, TestServer::reaching_loopback().await);
    for server in [&strict, &reaching] {
        open(server).await;
        let administrator = server.administrator().await;
        for member in
            ["jwks_uri", "request_uris", "backchannel_logout_uri", "sector_identifier_uri", "logo_uri"]
        {
            for address in [
                "http://127.0.0.1:9000/x",
                "https://localhost/x",
                "https://[::1]/x",
                "https://10.0.0.1/x",
                "https://169.254.169.254/x",
                "https://db.internal/x",
                "http://app.example.com/x",
                "https://user@app.example.com/x",
                "https://app.example.com/x",
            ] {
                let value = if member == "request_uris" { json!([address]) } else { json!(address) };
                let asked = json!({"redirect_uris": [REDIRECT_URI], member: value});
                let answer = register(server, &asked).await;
                let mut body = asked.clone();
                body["authorization_server_id"] = json!("default");
                let by_administrator = administrator.post("/clients", &body).await.status == 201;
                // A sector that may be asked is asked at once, and nobody is there.
                let refused_for_its_address =
                    answer.status == 400 && !(member == "sector_identifier_uri" && by_administrator);
                assert_eq!(by_administrator, !refused_for_its_address, "{member} {address}");
                if refused_for_its_address {
                    let (parameter, received, _) = explained(server, &answer).await;
                    assert!(parameter.starts_with(member), "{parameter}");
                    assert_eq!(received, address);
                }
            }
        }
    }
    let on_loopback = json!({"redirect_uris": [REDIRECT_URI], "jwks_uri": "http://localhost/x"});
    register(&reaching, &on_loopback).await.expect(201);
    let (_, _, expected) = explained(&strict, &register(&strict, &on_loopback).await).await;
    assert!(expected.contains("demo --allow-loopback-fetch"), "{expected}");
}

/// RFC 7591 §3.2.2: a member of another type is named, with what it was and what it should be.
#[tokio::test]
async fn rfc7591_3_2_2_a_member_of_another_type_is_named() {
    let server = TestServer::start().await;
    open(&server).await;
    for (member, value, received, expected) in [
        ("redirect_uris", json!(7), "a number: 7", "an array of strings"),
        ("client_name", json!(["x"]), "an array of strings", "a string"),
        ("contacts", json!(["a", {}]), "an array with an object in it", "an array of strings"),
        ("require_auth_time", json!("yes"), "a string: yes", "true or false"),
        ("default_max_age", json!("3600"), "a string: 3600", "a whole number"),
        ("jwks", json!([]), "an empty array", "a JWK Set"),
        ("jwks", json!("{}"), "a string: {}", "a JWK Set"),
        ("scope", json!(["openid"]), "an array of strings", "a string"),
        ("token_endpoint_auth_method", json!("magic"), "magic", "private_key_jwt"),
        ("id_token_signed_response_alg", json!("none"), "none", "RS256"),
        ("software_id", json!(true), "a boolean: true", "a string"),
    ] {
        let mut metadata = json!({"redirect_uris": [REDIRECT_URI]});
        metadata[member] = value;
        let told = explained(&server, &register(&server, &metadata).await).await;
        assert_eq!((&*told.0, &*told.1), (member, received));
        assert!(told.2.contains(expected), "{told:?}");
    }
}

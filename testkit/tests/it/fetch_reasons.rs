//! Why an address that a client named was not fetched: told to whoever runs the server, and in the demonstration.

use http::Method;
use serde_json::json;
use testkit::{Answer, Ask, Site, TestServer};

const REGISTER: &str = "/default/default/oauth2/register";
const ALLOW: &str = "demo --allow-loopback-fetch";

/// What was received and expected, as `postern explain` prints it.
async fn explained(server: &TestServer, answer: &Answer) -> (String, String) {
    server.engine().flush().await;
    let found =
        server.engine().explanation(answer.header("x-trace-id")).await.unwrap().expect("an explanation");
    (found.received.unwrap_or_default(), found.expected.unwrap_or_default())
}

async fn document_refused(server: &TestServer, id: &str) -> (String, String) {
    let party =
        server.party_at("/default/default", id, None).with_redirect_uri("http://localhost:1234/callback");
    let answer = server.browser().load(&party.authorize_url(&[])).await;
    assert_eq!(answer.status, 400, "{id}");
    explained(server, &answer).await
}

#[tokio::test]
async fn aut_31_a_document_that_was_not_fetched_is_explained() {
    let server = TestServer::start().await;
    let (received, expected) = document_refused(&server, "https://10.0.0.1/client.json").await;
    assert!(received.starts_with("an address that is not allowed (private)"), "{received}");
    assert!(expected.contains("allowed_hosts"), "{expected}");
    let (received, expected) = document_refused(&server, "https://localhost/client.json").await;
    assert!(received.starts_with("an address that is not allowed (loopback)"), "{received}");
    assert!(expected.contains(ALLOW), "{expected}");
    let plain = "http://localhost:3000/client.json";
    let (received, expected) = document_refused(&server, plain).await;
    assert_eq!(received, plain);
    assert!(expected.starts_with("https; ") && expected.contains(ALLOW), "{expected}");
    let (_, expected) = document_refused(&server, "http://app.example.com/client.json").await;
    assert_eq!(expected, "an https URL");

    let reaching = TestServer::reaching_loopback().await;
    let site = Site::start().await;
    let (received, _) = document_refused(&reaching, &site.url("/nothing")).await;
    assert!(received.starts_with("status 404"), "{received}");
    let (received, _) = document_refused(&reaching, "http://127.0.0.1:1/client.json").await;
    assert!(received.starts_with("no connection"), "{received}");
}

/// Each answer that is no document has its own reason, and one that does not say its length is a document all the same.
#[tokio::test]
async fn each_answer_that_is_no_document_is_told_by_what_it_is() {
    let server = TestServer::reaching_loopback().await;
    let site = Site::start().await;
    site.redirect("/moved.json", &site.url("/elsewhere.json"));
    for (path, answer, told) in [
        ("/missing.json", "HTTP/1.1 404 Not Found\r\n\r\nnothing", "status 404"),
        ("/away.json", "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", "status 302"),
        ("/silent.json", "", "a connection without an HTTP answer"),
        ("/other.json", "SSH-2.0-x\r\n", "a connection without an HTTP answer"),
        ("/half.json", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "an answer that broke off"),
        (
            "/chunk.json",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
            "an answer that broke off",
        ),
    ] {
        site.answer_with(path, answer);
        let (received, expected) = document_refused(&server, &site.url(path)).await;
        assert!(received.starts_with(told), "{path}: {received}");
        assert!(!expected.contains("certificate"), "{path}: {expected}");
    }
    let (received, _) = document_refused(&server, &site.url("/moved.json")).await;
    assert!(received.starts_with("status 302"), "{received}");
    let id = site.url("/whole.json");
    let callback = "http://localhost:1234/callback";
    let document = json!({"client_id": id, "client_name": "Whole", "redirect_uris": [callback]});
    site.answer_with("/whole.json", &format!("HTTP/1.1 200 OK\r\n\r\n{document}"));
    let party = server.party_at("/default/default", &id, None).with_redirect_uri(callback);
    let page = server.browser().open(&party.authorize_url(&[])).await;
    assert!(page.has_form("login-form"), "{}", page.text());
}

/// The person at the page reads the value, the rule and the fix.
#[tokio::test]
async fn aut_31_a_client_id_on_plain_http_is_told_with_rule_and_fix() {
    let server = TestServer::start().await;
    let party = server.party_at("/default/default", "http://localhost:3000/client.json", None);
    let answer = server.browser().load(&party.authorize_url(&[])).await;
    server.engine().flush().await;
    let told =
        server.engine().explanation(answer.header("x-trace-id")).await.unwrap().expect("an explanation");
    assert_eq!((&*told.error, &*told.reason), ("invalid_request", "authorize_client_document_url"));
    assert_eq!(told.parameter.as_deref(), Some("client_id"));
    assert!(
        told.clause.ends_with("§3") && told.fix.contains("https URL with a path"),
        "{} {}",
        told.clause,
        told.fix
    );
}

#[tokio::test]
async fn dcr_06_a_sector_that_was_not_fetched_is_explained() {
    let server = TestServer::reaching_loopback().await;
    let site = Site::start().await;
    site.redirect("/inside", "https://10.0.0.1/sector");
    let settings = json!({"dynamic_client_registration": {"enabled": true}});
    server.administrator().await.change("/servers/default", &settings).await;
    for (path, why) in [("/inside", "an address that is not allowed (private)"), ("/nothing", "status 404")] {
        let metadata = json!({"redirect_uris": ["https://app.example.com/cb"], "subject_type": "pairwise", "sector_identifier_uri": site.url(path)});
        let answer = server.send(Ask::json(Method::POST, REGISTER, &metadata)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]),
            (400, &json!("invalid_client_metadata"))
        );
        let (received, expected) = explained(&server, &answer).await;
        assert!(received.starts_with(why), "{received}");
        assert!(expected.contains("status 200") || expected.contains("allowed_hosts"), "{expected}");
    }
}

#[tokio::test]
async fn jar_12_a_request_object_that_was_not_fetched_is_explained() {
    let server = TestServer::reaching_loopback().await;
    let site = Site::start().await;
    site.redirect("/request.jwt", "https://10.0.0.1/request.jwt");
    let uri = site.url("/request.jwt");
    let settings = json!({"dynamic_client_registration": {"enabled": true}});
    server.administrator().await.change("/servers/default", &settings).await;
    let callback = "https://app.example.com/cb";
    let metadata = json!({"redirect_uris": [callback], "request_uris": [uri]});
    let client = server.send(Ask::json(Method::POST, REGISTER, &metadata)).await.expect(201).json();
    let party = server.party_at("/default/default", client["client_id"].as_str().unwrap(), None);
    let url = party.with_redirect_uri(callback).authorize_url(&[("request_uri", &uri)]);
    let answer = server.browser().load(&url).await;
    let (received, expected) = explained(&server, &answer).await;
    assert!(received.starts_with("an address that is not allowed (private)"), "{received}");
    assert!(expected.contains("allowed_hosts"), "{expected}");
}

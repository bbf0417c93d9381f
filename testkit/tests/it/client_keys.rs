//! The keys of clients: behind `jwks_uri`, and secrets that are keys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jose::{Algorithm, SigningKey};
use serde_json::json;
use testkit::{TestServer, signer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client_authentication::{Signed, basic, in_body};

/// A loopback server that answers with whatever key set stands in `body`, and counts.
struct KeyHost {
    uri: String,
    body: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl KeyHost {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://127.0.0.1:{}/jwks.json", listener.local_addr().unwrap().port());
        let (body, asked) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicUsize::new(0)));
        let (told, counted) = (Arc::clone(&body), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut request = [0; 4096];
                let _ = socket.read(&mut request).await;
                let body = told.lock().unwrap().clone();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\
                            Cache-Control: max-age=600";
                let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        Self { uri, body, asked }
    }

    fn hold(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
        *self.body.lock().unwrap() = json!({ "keys": keys }).to_string();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// `oidcc-client-test-signing-key-rotation`, seen from the other side: a client's new key is found by its `kid`.
// shows: oidcc-registration-jwks-uri, oidcc-refresh-token-rp-key-rotation
#[tokio::test]
async fn jwks_uri_is_fetched_kept_and_asked_again_for_an_unknown_kid() {
    let server = TestServer::reaching_loopback().await;
    let host = KeyHost::start().await;
    let (old, new) = (signer(Algorithm::ES256), signer(Algorithm::ES256));
    host.hold(&[&old]);
    let body = json!({
        "authorization_server_id": "default",
        "client_id": "signed",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": host.uri
    });
    server.administrator().await.post("/clients", &body).await.expect(201);
    let mut signed = Signed { server, key: old };
    signed.present(&signed.sign(&signed.claims("1"))).await.expect(200);
    signed.present(&signed.sign(&signed.claims("2"))).await.expect(200);
    assert_eq!(host.asked(), 1, "it is kept");
    // The client rotates right after we looked: its new key is found at once.
    host.hold(&[&new]);
    let old = std::mem::replace(&mut signed.key, new);
    signed.present(&signed.sign(&signed.claims("3"))).await.expect(200);
    assert_eq!(host.asked(), 2);
    // Whoever invents keys makes us ask no more than once in ten seconds from then on, however many try.
    signed.key = old;
    for jti in ["4", "5", "6"] {
        signed.refuses(&signed.sign(&signed.claims(jti))).await;
    }
    assert_eq!(host.asked(), 2, "not at once again");
    signed.server.clock().advance(Duration::from_secs(10));
    signed.refuses(&signed.sign(&signed.claims("7"))).await;
    assert_eq!(host.asked(), 3);
    // A set that has had its time is fetched again.
    signed.server.clock().advance(Duration::from_secs(601));
    signed.refuses(&signed.sign(&signed.claims("8"))).await;
    assert_eq!(host.asked(), 4);
}

#[tokio::test]
async fn dcr_05_a_jwks_uri_inside_is_not_fetched() {
    let server = TestServer::start().await;
    let host = KeyHost::start().await;
    let key = signer(Algorithm::ES256);
    host.hold(&[&key]);
    let secret = json!({
        "authorization_server_id": "default",
        "client_id": "signed",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": host.uri.replace("http://", "https://")
    });
    let answer = server.administrator().await.post("/clients", &secret).await;
    let signed = Signed { server, key };
    signed.refuses(&signed.sign(&signed.claims("1"))).await;
    assert_eq!((answer.status.is_client_error() || answer.status == 201, host.asked()), (true, 0));
}

/// A client of `client_secret_jwt`, and its secret.
async fn secret_jwt() -> (TestServer, String) {
    let server = TestServer::start().await;
    let body = json!({
        "authorization_server_id": "default",
        "client_id": "signed",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_jwt"
    });
    let made = server.administrator().await.post("/clients", &body).await.expect(201).json();
    (server, made["client_secret"].as_str().expect("a secret").to_owned())
}

fn hmac(secret: &str) -> SigningKey {
    SigningKey::from_secret(Algorithm::HS256, "any", secret.as_bytes()).unwrap()
}

/// OIDC Core §9.
#[tokio::test]
async fn caj_24_caj_03_a_client_signs_with_its_secret_once() {
    let (server, secret) = secret_jwt().await;
    let signed = Signed { server, key: hmac(&secret) };
    let assertion = signed.sign(&signed.claims("1"));
    signed.present(&assertion).await.expect(200);
    signed.refuses(&assertion).await;
    // Other secrets, other algorithms, the secret itself, and what is stored of it.
    for wrong in ["", "x", &secret[1..], &format!("{secret}x")] {
        let wrong = SigningKey::from_secret(Algorithm::HS256, "any", format!("{wrong:\0<32}").as_bytes());
        signed.refuses(&wrong.unwrap().sign_jwt("JWT", &signed.claims("2")).unwrap()).await;
    }
    let stored = engine::hashing::fast_hash(&secret).0;
    signed.refuses(&hmac(&stored).sign_jwt("JWT", &signed.claims("3")).unwrap()).await;
    signed.refuses(&signer(Algorithm::ES256).sign_jwt("JWT", &signed.claims("4")).unwrap()).await;
    basic(&signed.server, "signed", &secret).await.expect_error(401, "invalid_client");
    in_body(&signed.server, "signed", &secret).await.expect_error(401, "invalid_client");
}

#[tokio::test]
async fn a_rotated_secret_signs_until_it_is_revoked_and_neither_is_ever_shown() {
    let (server, old) = secret_jwt().await;
    let administrator = server.administrator().await;
    let answer = administrator.post("/clients/signed/rotateSecret", &json!({})).await.expect(200).json();
    let new = answer["secret"].as_str().unwrap().to_owned();
    let mut signed = Signed { server, key: hmac(&new) };
    signed.present(&signed.sign(&signed.claims("1"))).await.expect(200);
    signed.key = hmac(&old);
    signed.present(&signed.sign(&signed.claims("2"))).await.expect(200);
    let shown = administrator.get("/clients/signed").await.expect(200).text();
    assert!(!shown.contains("sealed") && !shown.contains(&new) && !shown.contains(&old), "{shown}");
    administrator.post("/clients/signed/revokeRotatedSecrets", &json!({})).await.expect(204);
    signed.refuses(&signed.sign(&signed.claims("3"))).await;
}

#[tokio::test]
async fn a_client_that_needs_its_secret_no_more_loses_the_sealed_copy() {
    let (server, secret) = secret_jwt().await;
    let administrator = server.administrator().await;
    let stored = async |server: &TestServer| {
        let kind = protocol::record::DocumentKind::Client;
        let document = server.engine().document(&"default".into(), kind, "signed").await.unwrap().unwrap();
        assert!(!document.body.contains(&secret), "at rest it is sealed");
        document.body.contains("sealed_secret")
    };
    assert!(stored(&server).await);
    let basic_now = json!({"token_endpoint_auth_method": "client_secret_basic"});
    administrator.change("/clients/signed", &basic_now).await;
    assert!(!stored(&server).await);
    basic(&server, "signed", &secret).await.expect(200);
    // Back again it needs a new one, for a hash is no key.
    let jwt_again = json!({"token_endpoint_auth_method": "client_secret_jwt"});
    administrator.change("/clients/signed", &jwt_again).await;
    let signed = Signed { server, key: hmac(&secret) };
    signed.refuses(&signed.sign(&signed.claims("1"))).await;
}

//! The JWT bearer grant (RFC 7523 §2.1): a client vouches for a person with its own key.

use std::time::Duration;

use jose::{Algorithm, SigningKey};
use serde_json::{Value, json};
use testkit::{Answer, RelyingParty, SERVICE_SECRET, TestServer, Tokens, claims, signer, unsigned};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ISSUER: &str = "https://localhost:8443/default/default";

struct Voucher {
    server: TestServer,
    party: RelyingParty,
    key: SigningKey,
}

impl Voucher {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let key = signer(Algorithm::ES256);
        let secret = SERVICE_SECRET.to_owned() + "0123456789";
        let body = json!({
            "authorization_server_id": "default",
            "client_id": "voucher",
            "client_secret": secret,
            "grant_types": [GRANT],
            "response_types": [],
            "scopes": ["openid", "profile", "offline_access"],
            "jwks": {"keys": [key.public_jwk()]}
        });
        server.administrator().await.post("/clients", &body).await.expect(201);
        let party = server.party_at("/default/default", "voucher", Some(&secret));
        Self { server, party, key }
    }

    fn claims(&self, jti: &str) -> Value {
        let now = self.server.engine().now().seconds();
        json!({"iss": "voucher", "sub": "user", "aud": ISSUER, "jti": jti, "iat": now, "exp": now + 60})
    }

    fn with(&self, jti: &str, member: &str, value: Value) -> Value {
        let mut claims = self.claims(jti);
        match value {
            Value::Null => {
                claims.as_object_mut().unwrap().remove(member);
            }
            value => claims[member] = value,
        }
        claims
    }

    fn sign(&self, claims: &Value) -> String {
        self.key.sign_jwt("JWT", claims).unwrap()
    }

    async fn present(&self, assertion: &str) -> Answer {
        self.present_for(assertion, "openid profile").await
    }

    async fn present_for(&self, assertion: &str, scope: &str) -> Answer {
        self.party.token(&[("grant_type", GRANT), ("assertion", assertion), ("scope", scope)]).await
    }

    async fn refuses(&self, assertion: &str) {
        self.present(assertion).await.expect_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn rfc7523_2_1_a_client_gets_a_token_of_the_person_it_vouches_for() {
    let voucher = Voucher::new().await;
    let assertion = voucher.sign(&voucher.claims("1"));
    let tokens = voucher.present_for(&assertion, "openid profile offline_access").await.expect(200).json();
    assert!(tokens["refresh_token"].is_null() && tokens["id_token"].is_null(), "RFC 7521 §4.1: {tokens}");
    let tokens = Tokens(tokens);
    let person = voucher.server.party("client").tokens().await;
    let (vouched, logged_in) = (claims(tokens.access_token()), claims(person.access_token()));
    assert_eq!(vouched["sub"], logged_in["sub"]);
    assert_eq!(vouched["amr"], json!([]), "nobody logged in");
    voucher.party.userinfo(tokens.access_token()).await.expect(200);
    assert!(voucher.party.is_active(tokens.access_token()).await);
}

#[tokio::test]
async fn tex_02_an_assertion_is_good_once() {
    let voucher = Voucher::new().await;
    let assertion = voucher.sign(&voucher.claims("1"));
    voucher.present(&assertion).await.expect(200);
    voucher.refuses(&assertion).await;
    let mut again = voucher.claims("1");
    again["exp"] = json!(again["exp"].as_i64().unwrap() + 5);
    voucher.refuses(&voucher.sign(&again)).await;
    voucher.server.clock().advance(Duration::from_secs(59));
    voucher.server.store().sweep(voucher.server.engine().now(), 1000).await.unwrap();
    voucher.refuses(&assertion).await;
    voucher.server.clock().advance(Duration::from_secs(3600));
    voucher.refuses(&assertion).await;
}

#[tokio::test]
async fn tex_02_forged_assertions_are_refused() {
    let voucher = Voucher::new().await;
    let claims = voucher.claims("f");
    let kid = voucher.key.kid();
    let evil = signer(Algorithm::ES256);
    let payload = claims.to_string();
    let public = serde_json::to_vec(&voucher.key.public_jwk()).unwrap();
    let hmac = SigningKey::from_secret(Algorithm::HS256, kid, &public).unwrap();
    let by_secret =
        SigningKey::from_secret(Algorithm::HS256, kid, voucher.party.secret.as_ref().unwrap().as_bytes());
    for forged in [
        unsigned(&json!({"alg": "none"}), &claims),
        evil.sign_jwt("JWT", &claims).unwrap(),
        evil.sign_with_header(&json!({"alg": "ES256", "kid": kid}), payload.as_bytes()).unwrap(),
        evil.sign_with_header(&json!({"alg": "ES256", "jwk": evil.public_jwk()}), payload.as_bytes())
            .unwrap(),
        evil.sign_with_header(&json!({"alg": "ES256", "jku": "https://127.0.0.1/"}), payload.as_bytes())
            .unwrap(),
        hmac.sign_jwt("JWT", &claims).unwrap(),
        by_secret.unwrap().sign_jwt("JWT", &claims).unwrap(),
        voucher.key.sign_jwt("at+jwt", &claims).unwrap(),
        voucher.key.sign_jwt("client-authentication+jwt", &claims).unwrap(),
        "x".to_owned(),
        "a.b.c".to_owned(),
    ] {
        voucher.refuses(&forged).await;
    }
    // Tokens of our own are no assertions of anybody.
    let own = voucher.server.party("client").tokens().await;
    voucher.refuses(own.access_token()).await;
    voucher.refuses(own.id_token()).await;
    voucher.present(&voucher.sign(&claims)).await.expect(200);
}

#[tokio::test]
async fn tex_02_issuer_audience_times_and_jti_are_checked() {
    let voucher = Voucher::new().await;
    let now = voucher.server.engine().now().seconds();
    for (index, (member, value)) in [
        ("iss", json!("client")),
        ("iss", json!(ISSUER)),
        ("iss", Value::Null),
        ("aud", json!("https://evil.example/")),
        ("aud", json!([ISSUER, "https://evil.example/"])),
        ("aud", json!("https://localhost:8443/default/second")),
        ("aud", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 86_400)),
        ("exp", Value::Null),
        ("nbf", json!(now + 600)),
        ("iat", json!(now + 600)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("sub", json!("nobody")),
        ("sub", json!("voucher")),
        ("sub", json!("User")),
        ("sub", Value::Null),
        ("sub", json!(["user"])),
    ]
    .into_iter()
    .enumerate()
    {
        voucher.refuses(&voucher.sign(&voucher.with(&format!("c{index}"), member, value))).await;
    }
    let endpoint = json!(format!("{ISSUER}/oauth2/token"));
    voucher.present(&voucher.sign(&voucher.with("ok", "aud", endpoint))).await.expect(200);
}

#[tokio::test]
async fn the_client_authenticates_beside_and_its_own_proof_is_none_of_the_person() {
    let voucher = Voucher::new().await;
    let mut wrong = voucher.party.clone();
    wrong.secret = Some("wrong".to_owned());
    let assertion = voucher.sign(&voucher.claims("1"));
    let fields = [("grant_type", GRANT), ("assertion", assertion.as_str())];
    wrong.token(&fields).await.expect_error(401, "invalid_client");
    let other = voucher.server.party("other");
    other.token(&fields).await.expect_error(400, "unauthorized_client");
    voucher.party.token(&[("grant_type", GRANT)]).await.expect_error(400, "invalid_request");
    voucher.present_for(&assertion, "openid introspect_tokens").await.expect_error(400, "invalid_scope");
    voucher.present(&assertion).await.expect(200);
}

#[tokio::test]
async fn a_deleted_key_vouches_no_more() {
    let voucher = Voucher::new().await;
    let administrator = voucher.server.administrator().await;
    let other = signer(Algorithm::ES256);
    let keys = json!({"jwks": {"keys": [other.public_jwk()]}});
    administrator.change("/clients/voucher", &keys).await;
    voucher.refuses(&voucher.sign(&voucher.claims("1"))).await;
}

//! Who a client is: secrets, Basic, the body, and signed assertions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

use jose::{Algorithm, SigningKey};
use serde_json::{Value, json};
use testkit::{Answer, Ask, SERVICE_SECRET, TestServer, Tokens, signer, unsigned};

const TOKEN: &str = "/default/default/oauth2/token";
const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");

pub(crate) async fn basic(server: &TestServer, id: &str, secret: &str) -> Answer {
    server.send(Ask::form(TOKEN, &[CREDENTIALS]).basic(id, secret)).await
}

pub(crate) async fn in_body(server: &TestServer, id: &str, secret: &str) -> Answer {
    let fields = [CREDENTIALS, ("client_id", id), ("client_secret", secret)];
    server.send(Ask::form(TOKEN, &fields)).await
}

async fn raw_authorization(server: &TestServer, value: &str) -> Answer {
    server.send(Ask::form(TOKEN, &[CREDENTIALS]).header("authorization", value)).await
}

#[tokio::test]
async fn cau_02_only_the_exact_secret_fits() {
    let server = TestServer::start().await;
    let longer = format!("{SERVICE_SECRET}x");
    let spaced = format!("{SERVICE_SECRET} ");
    let nul = format!("{SERVICE_SECRET}\u{0}");
    let upper = SERVICE_SECRET.to_uppercase();
    let doubled = format!("{SERVICE_SECRET}{SERVICE_SECRET}");
    let wrong = [
        "",
        " ",
        "*",
        "null",
        "undefined",
        "0",
        &SERVICE_SECRET[1..],
        &longer,
        &spaced,
        &nul,
        &upper,
        &doubled,
    ];
    for secret in wrong {
        basic(&server, "service", secret).await.expect_error(401, "invalid_client");
        let answer = in_body(&server, "post", secret).await;
        assert!(answer.status == 401 || answer.status == 400, "{secret:?}: {}", answer.status);
    }
    basic(&server, "service", SERVICE_SECRET).await.expect(200);
    in_body(&server, "post", SERVICE_SECRET).await.expect(200);
}

#[tokio::test]
async fn cau_03_a_confidential_client_is_never_taken_for_a_public_one() {
    let server = TestServer::start().await;
    let client = server.party("client");
    let code = client.code().await;
    let mut fields = client.redemption(&code).to_vec();
    fields.push(("client_id", "client"));
    server.send(Ask::form(TOKEN, &fields)).await.expect_error(401, "invalid_client");
    server
        .send(Ask::form(TOKEN, &[CREDENTIALS, ("client_id", "service")]))
        .await
        .expect_error(401, "invalid_client");
    client.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn cau_06_the_registered_method_is_pinned() {
    let server = TestServer::start().await;
    in_body(&server, "service", SERVICE_SECRET).await.expect_error(401, "invalid_client");
    basic(&server, "post", SERVICE_SECRET).await.expect_error(401, "invalid_client");
    // The demo's own clients accept both (decisions 6).
    let secret = engine::demo::DEMO_SECRET;
    let path = "/default/admin/oauth2/token";
    let fields = [CREDENTIALS, ("client_id", "admin-swagger"), ("client_secret", secret)];
    server.send(Ask::form(path, &fields)).await.expect(200);
    server.send(Ask::form(path, &[CREDENTIALS]).basic("admin-swagger", secret)).await.expect(200);
}

#[tokio::test]
async fn cau_08_the_body_cannot_name_another_client() {
    let server = TestServer::start().await;
    let fields = [CREDENTIALS, ("client_id", "client")];
    let answer = server.send(Ask::form(TOKEN, &fields).basic("service", SERVICE_SECRET)).await;
    assert!(answer.status == 400 || answer.status == 401, "{}", answer.status);
    let same = [CREDENTIALS, ("client_id", "service")];
    server.send(Ask::form(TOKEN, &same).basic("service", SERVICE_SECRET)).await.expect(200);
}

#[tokio::test]
async fn cau_09_malformed_authorization_headers_are_a_clean_401() {
    let server = TestServer::start().await;
    let long = format!("Basic {}", "A".repeat(8000));
    for value in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic ====",
        "Basic c2VydmljZQ==",
        "Basic Og==",
        "Basic OnNlY3JldA==",
        "Basic /////w==",
        "Basic c2VydmljZTolZmY=",
        "Basic c2VydmljZTol",
        "basic",
        "Bearer x",
        "Digest username=\"service\"",
        "Negotiate abc",
        "service:secret",
        ":",
        "Basic c2VydmljZQ== c2VydmljZQ==",
        &long,
    ] {
        let answer = raw_authorization(&server, value).await;
        let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{value}: {}", answer.status);
        assert!(["invalid_client", "invalid_request"].contains(&error.as_str()), "{value}: {error}");
    }
}

#[tokio::test]
async fn cau_10_tok_20_credentials_in_the_url_do_not_count() {
    let server = TestServer::start().await;
    let path = format!("{TOKEN}?client_id=post&client_secret={SERVICE_SECRET}&grant_type=client_credentials");
    let answer = server.send(Ask::form(&path, &[])).await;
    assert!(answer.status == 400 || answer.status == 401, "{}", answer.status);
    let path = format!("{TOKEN}?client_secret={SERVICE_SECRET}");
    let answer = server.send(Ask::form(&path, &[CREDENTIALS, ("client_id", "post")])).await;
    assert!(answer.status == 400 || answer.status == 401, "{}", answer.status);
}

#[tokio::test]
async fn cau_11_client_ids_are_compared_exactly() {
    let server = TestServer::start().await;
    for id in [
        "Service",
        "SERVICE",
        " service",
        "service ",
        "service\u{0}",
        "service/",
        "service%00",
        "servicé",
        "ｓervice",
        "service'--",
        "service\" OR \"\"=\"",
        "../service",
        "service;x",
        "*",
        "%",
        "",
    ] {
        let answer = basic(&server, id, SERVICE_SECRET).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{id:?}: {}", answer.status);
        let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
        assert!(["invalid_client", "invalid_request"].contains(&error.as_str()), "{id:?}: {error}");
    }
}

#[tokio::test]
async fn cau_12_a_disabled_client_stops_at_once() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let service = server.party("service");
    let own = service.client_credentials("").await.expect(200).json();
    administrator.change("/clients/service", &json!({"client_status": "inactive"})).await;
    service.client_credentials("").await.expect_error(401, "invalid_client");
    let client = server.party("client");
    let introspect = client.introspect(own["access_token"].as_str().unwrap()).await;
    assert_eq!(introspect, json!({"active": false}));
    administrator.change("/clients/service", &json!({"client_status": "active"})).await;
    service.client_credentials("").await.expect(200);
}

#[tokio::test]
async fn cau_13_every_character_of_a_long_secret_counts() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let long: String = "abcdefghij0123456789".repeat(5);
    let body = json!({
        "authorization_server_id": "default",
        "client_id": "long",
        "client_secret": long,
        "grant_types": ["client_credentials"],
        "response_types": []
    });
    administrator.post("/clients", &body).await.expect(201);
    basic(&server, "long", &long).await.expect(200);
    for cut in [72, 80, 99] {
        let wrong = format!("{}{}", &long[..cut], "X".repeat(100 - cut));
        basic(&server, "long", &wrong).await.expect_error(401, "invalid_client");
    }
}

#[tokio::test]
async fn cau_14_basic_is_form_decoded_once() {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let secret = "p%41ss+w:rd/with=special&characters#123%2B";
    let body = json!({
        "authorization_server_id": "default",
        "client_id": "special",
        "client_secret": secret,
        "grant_types": ["client_credentials"],
        "response_types": []
    });
    administrator.post("/clients", &body).await.expect(201);
    basic(&server, "special", secret).await.expect(200);
    basic(&server, "special", "pAss w:rd/with=special&characters#123+")
        .await
        .expect_error(401, "invalid_client");
    // What a library without RFC 6749's encoding sends, and once too often encoded.
    let as_it_is = |secret: &str| format!("Basic {}", STANDARD.encode(format!("special:{secret}")));
    raw_authorization(&server, &as_it_is(secret)).await.expect(200);
    let twice = form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
    basic(&server, "special", &twice).await.expect_error(401, "invalid_client");
}

/// RFC 6749 §5.2: the challenge is for the client that used the header, or nothing; client libraries show a challenge
/// instead of the error.
#[tokio::test]
async fn cau_15_a_401_names_the_scheme_to_who_used_the_header_or_nothing() {
    let server = TestServer::start().await;
    let assertion = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJzZXJ2aWNlIiwic3ViIjoic2VydmljZSJ9.c2ln";
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let by_body: [&[(&str, &str)]; 5] = [
        &[("client_id", "service"), ("client_secret", "wrong")],
        &[("client_id", "nobody"), ("client_secret", "wrong")],
        &[("client_id", "service")],
        &[("client_assertion_type", kind), ("client_assertion", assertion)],
        &[("client_assertion_type", kind), ("client_assertion", "nonsense")],
    ];
    for endpoint in ["oauth2/token", "oauth2/introspect", "oauth2/revoke", "par", "device/authorization"] {
        let ask = |fields: &[(&str, &str)]| {
            let common = [("grant_type", "client_credentials"), ("token", "x"), ("scope", "openid")];
            Ask::form(&format!("/default/default/{endpoint}"), &[&common[..], fields].concat())
        };
        let by_header = [
            ask(&[]).basic("service", "wrong"),
            ask(&[]).basic("nobody", "x"),
            ask(&[]).header("authorization", "Basic !!!"),
        ];
        for ask in by_header {
            let answer = server.send(ask).await.expect_error(401, "invalid_client");
            assert!(answer.header("www-authenticate").starts_with("Basic "), "{endpoint}");
        }
        let nothing = server.send(ask(&[])).await.expect_error(401, "invalid_client");
        assert!(nothing.header("www-authenticate").starts_with("Basic "), "{endpoint}");
        for fields in by_body {
            let answer = server.send(ask(fields)).await.expect_error(401, "invalid_client");
            assert_eq!(answer.header("www-authenticate"), "", "{endpoint} {fields:?}");
        }
    }
}

#[tokio::test]
async fn cau_16_unknown_client_and_wrong_secret_look_the_same() {
    let server = TestServer::start().await;
    let known = basic(&server, "service", "wrong").await.expect(401);
    let unknown = basic(&server, "nobody", "wrong").await.expect(401);
    let strip = |answer: &Answer| {
        let mut body = answer.json();
        let object = body.as_object_mut().unwrap();
        object.remove("trace_id");
        body
    };
    assert_eq!(strip(&known), strip(&unknown));
    let names = |answer: &Answer| answer.headers.keys().map(|k| k.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&known), names(&unknown));
}

#[tokio::test]
async fn cau_17_repeated_credentials_are_refused() {
    let server = TestServer::start().await;
    for repeated in [("client_id", "post"), ("client_secret", SERVICE_SECRET)] {
        let fields = [CREDENTIALS, ("client_id", "post"), ("client_secret", SERVICE_SECRET), repeated];
        server.send(Ask::form(TOKEN, &fields)).await.expect_error(400, "invalid_request");
    }
    let both = [CREDENTIALS, ("client_id", "service"), ("client_secret", SERVICE_SECRET)];
    let answer = server.send(Ask::form(TOKEN, &both).basic("service", SERVICE_SECRET)).await;
    answer.expect_error(400, "invalid_request");
}

#[tokio::test]
async fn cau_19_two_authorization_headers_are_refused() {
    let server = TestServer::start().await;
    let ask = Ask::form(TOKEN, &[CREDENTIALS]).basic("service", SERVICE_SECRET);
    server.send(ask.clone().basic("service", SERVICE_SECRET)).await.expect(400);
    server.send(ask.header("authorization", "Bearer x")).await.expect(400);
}

// Signed assertions (RFC 7523).

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(crate) struct Signed {
    pub(crate) server: TestServer,
    pub(crate) key: SigningKey,
}

impl Signed {
    /// A client `signed` with an ES256 key.
    async fn new() -> Self {
        let server = TestServer::start().await;
        let key = signer(Algorithm::ES256);
        let administrator = server.administrator().await;
        let body = json!({
            "authorization_server_id": "default",
            "client_id": "signed",
            "grant_types": ["client_credentials"],
            "response_types": [],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [key.public_jwk()]}
        });
        administrator.post("/clients", &body).await.expect(201);
        Self { server, key }
    }

    pub(crate) fn claims(&self, jti: &str) -> Value {
        let now = self.server.engine().now().seconds();
        json!({
            "iss": "signed",
            "sub": "signed",
            "aud": "https://localhost:8443/default/default",
            "jti": jti,
            "iat": now,
            "exp": now + 60
        })
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

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.key.sign_jwt("JWT", claims).unwrap()
    }

    pub(crate) async fn present(&self, assertion: &str) -> Answer {
        self.present_at(TOKEN, &[CREDENTIALS], assertion).await
    }

    async fn present_at(&self, path: &str, fields: &[(&str, &str)], assertion: &str) -> Answer {
        let mut fields = fields.to_vec();
        fields.extend([("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)]);
        self.server.send(Ask::form(path, &fields)).await
    }

    pub(crate) async fn refuses(&self, assertion: &str) {
        let answer = self.present(assertion).await;
        let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{}: {assertion:.200}", answer.status);
        assert!(["invalid_client", "invalid_request"].contains(&error.as_str()), "{error}: {assertion:.200}");
    }
}

#[tokio::test]
async fn caj_02_caj_12_caj_13_the_audience_is_the_issuer_or_the_token_endpoint() {
    let signed = Signed::new().await;
    let base = "https://localhost:8443/default/default";
    for (jti, audience) in
        [("a1", json!(base)), ("a2", json!(format!("{base}/oauth2/token"))), ("a3", json!([base]))]
    {
        signed.present(&signed.sign(&signed.with(jti, "aud", audience))).await.expect(200);
    }
    for (jti, audience) in [
        ("b1", json!("https://evil.example/token")),
        ("b2", json!([])),
        ("b3", Value::Null),
        ("b4", json!("")),
        ("b5", json!(format!("{base}/"))),
        ("b6", json!("https://localhost:8443/default/second")),
        ("b7", json!("https://localhost:8443/acme/default")),
        ("b8", json!([base, "https://evil.example"])),
        ("b9", json!({"aud": base})),
        ("b10", json!("HTTPS://LOCALHOST:8443/default/default")),
    ] {
        signed.refuses(&signed.sign(&signed.with(jti, "aud", audience))).await;
    }
}

#[tokio::test]
async fn caj_03_caj_25_an_assertion_is_good_for_one_use_at_one_endpoint() {
    let signed = Signed::new().await;
    let assertion = signed.sign(&signed.claims("once"));
    signed.present(&assertion).await.expect(200);
    signed.refuses(&assertion).await;
    let path = "/default/default/oauth2/introspect";
    let elsewhere = signed.present_at(path, &[("token", "x")], &assertion).await;
    elsewhere.expect_error(401, "invalid_client");
    // The other way round.
    let assertion = signed.sign(&signed.claims("twice"));
    signed.present_at(path, &[("token", "x")], &assertion).await.expect(200);
    signed.refuses(&assertion).await;
    // Another assertion of the same jti is the same to us.
    let mut again = signed.claims("once");
    again["exp"] = json!(again["exp"].as_i64().unwrap() + 5);
    signed.refuses(&signed.sign(&again)).await;
}

#[tokio::test]
async fn caj_03_a_seen_jti_stays_seen_until_the_assertion_expires() {
    let signed = Signed::new().await;
    let assertion = signed.sign(&signed.claims("late"));
    signed.present(&assertion).await.expect(200);
    signed.server.clock().advance(Duration::from_secs(59));
    signed.server.store().sweep(signed.server.engine().now(), 1000).await.unwrap();
    signed.refuses(&assertion).await;
    signed.server.clock().advance(Duration::from_secs(3600));
    signed.refuses(&assertion).await;
}

#[tokio::test]
async fn caj_04_caj_07_caj_08_caj_09_caj_16_headers_choose_nothing() {
    let signed = Signed::new().await;
    let claims = signed.claims("h");
    signed.refuses(&unsigned(&json!({"alg": "none"}), &claims)).await;
    signed.refuses(&unsigned(&json!({"alg": "None", "typ": "JWT"}), &claims)).await;
    let evil = signer(Algorithm::ES256);
    let payload = claims.to_string();
    let kid = signed.key.kid();
    for header in [
        json!({"alg": "ES256", "jwk": evil.public_jwk()}),
        json!({"alg": "ES256", "kid": kid, "jwk": evil.public_jwk()}),
        json!({"alg": "ES256", "jku": "https://127.0.0.1/keys"}),
        json!({"alg": "ES256", "x5u": "https://127.0.0.1/cert"}),
        json!({"alg": "ES256", "kid": "../../../../dev/null"}),
        json!({"alg": "ES256", "kid": "' UNION SELECT 'x"}),
        json!({"alg": "ES256", "kid": kid}),
    ] {
        signed.refuses(&evil.sign_with_header(&header, payload.as_bytes()).unwrap()).await;
    }
    // Critical extensions that nobody here understands (RFC 7515 §4.1.11).
    for header in [
        json!({"alg": "ES256", "kid": kid, "crit": ["exp"], "exp": 1}),
        json!({"alg": "ES256", "kid": kid, "crit": ["b64"], "b64": true}),
        json!({"alg": "ES256", "kid": kid, "crit": []}),
    ] {
        signed.refuses(&signed.key.sign_with_header(&header, payload.as_bytes()).unwrap()).await;
    }
    signed.present(&signed.sign(&claims)).await.expect(200);
}

#[tokio::test]
async fn caj_10_caj_11_time_claims_are_enforced() {
    let signed = Signed::new().await;
    let now = signed.server.engine().now().seconds();
    for (jti, member, value) in [
        ("t1", "exp", Value::Null),
        ("t2", "exp", json!(now - 120)),
        ("t3", "exp", json!("soon")),
        ("t4", "exp", json!((now + 60).to_string())),
        ("t5", "nbf", json!(now + 600)),
        ("t6", "iat", json!(now + 600)),
        ("t7", "exp", json!(now + 10 * 365 * 86_400)),
        ("t8", "exp", json!(-1)),
        ("t9", "exp", json!(1e300)),
    ] {
        signed.refuses(&signed.sign(&signed.with(jti, member, value))).await;
    }
}

#[tokio::test]
async fn caj_14_caj_19_issuer_and_subject_are_the_client_itself() {
    let signed = Signed::new().await;
    for (jti, member, value) in [
        ("i1", "iss", json!("service")),
        ("i2", "sub", json!("service")),
        ("i3", "iss", Value::Null),
        ("i4", "sub", Value::Null),
        ("i5", "sub", json!("Signed")),
        ("i6", "iss", json!(["signed"])),
    ] {
        signed.refuses(&signed.sign(&signed.with(jti, member, value))).await;
    }
    let mut of_other = signed.claims("i7");
    of_other["iss"] = json!("service");
    of_other["sub"] = json!("service");
    signed.refuses(&signed.sign(&of_other)).await;
    let fields = [CREDENTIALS, ("client_id", "service")];
    let answer = signed.present_at(TOKEN, &fields, &signed.sign(&signed.claims("i8"))).await;
    assert!(matches!(answer.status.as_u16(), 400 | 401), "{}", answer.status);
}

#[tokio::test]
async fn caj_15_a_jti_is_required() {
    let signed = Signed::new().await;
    signed.refuses(&signed.sign(&signed.with("", "jti", Value::Null))).await;
    signed.refuses(&signed.sign(&signed.with("", "jti", json!("")))).await;
    signed.refuses(&signed.sign(&signed.with("", "jti", json!(7)))).await;
}

#[tokio::test]
async fn caj_18_non_canonical_encodings_are_refused() {
    let signed = Signed::new().await;
    let good = signed.sign(&signed.claims("enc"));
    for bad in [
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        good.replace('.', ".."),
        format!("{good}.x"),
        good.replacen('.', "=.", 1),
        good.rsplit_once('.').unwrap().0.to_owned() + ".",
    ] {
        signed.refuses(&bad).await;
    }
    signed.present(&good).await.expect(200);
}

#[tokio::test]
async fn caj_21_other_assertion_types_are_refused() {
    let signed = Signed::new().await;
    let assertion = signed.sign(&signed.claims("type"));
    for kind in ["urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer", ""] {
        let fields = [CREDENTIALS, ("client_assertion_type", kind), ("client_assertion", &assertion)];
        let answer = signed.server.send(Ask::form(TOKEN, &fields)).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{kind}: {}", answer.status);
    }
    signed.present(&assertion).await.expect(200);
}

#[tokio::test]
async fn caj_23_huge_assertions_are_refused_quickly() {
    let signed = Signed::new().await;
    let huge = signed.sign(&signed.with("huge", "x", json!("y".repeat(60_000))));
    signed.refuses(&huge).await;
    let beyond = "a".repeat(1_000_000);
    let answer = signed.present(&beyond).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
}

#[tokio::test]
async fn caj_24_a_public_key_is_no_hmac_key() {
    let signed = Signed::new().await;
    let public = serde_json::to_vec(&signed.key.public_jwk()).unwrap();
    let hmac = SigningKey::from_secret(Algorithm::HS256, signed.key.kid(), &public).unwrap();
    signed.refuses(&hmac.sign_jwt("JWT", &signed.claims("hs")).unwrap()).await;
    signed.present(&signed.sign(&signed.claims("es"))).await.expect(200);
}

#[tokio::test]
async fn a_secret_does_not_replace_the_signature() {
    let signed = Signed::new().await;
    basic(&signed.server, "signed", "anything").await.expect_error(401, "invalid_client");
    let answer = signed.server.send(Ask::form(TOKEN, &[CREDENTIALS, ("client_id", "signed")])).await;
    answer.expect_error(401, "invalid_client");
    let tokens = Tokens(signed.present(&signed.sign(&signed.claims("ok"))).await.expect(200).json());
    assert!(!tokens.access_token().is_empty());
}

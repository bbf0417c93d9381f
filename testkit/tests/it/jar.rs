//! Request objects (OIDC Core §6, RFC 9101): attacks JAR-* and the modules `oidcc-…-request-object-…` and
//! `oidcc-request-uri-…`.

use std::sync::{Arc, Mutex};

use http::Method;
use jose::{Algorithm, SigningKey};
use serde_json::{Value, json};
use testkit::{
    Administrator, Answer, Ask, RelyingParty, TestServer, VERIFIER, s256, signer, unsigned, urlencoded,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A server, its client `client` with a registered key, and that key.
struct Signing {
    server: TestServer,
    party: RelyingParty,
    administrator: Administrator,
    key: SigningKey,
}

impl Signing {
    async fn start() -> Self {
        Self::with(TestServer::start().await, Algorithm::ES256).await
    }

    async fn with(server: TestServer, algorithm: Algorithm) -> Self {
        let (party, administrator) = (server.party("client"), server.administrator().await);
        let signing = Self { server, party, administrator, key: signer(algorithm) };
        signing.register(&json!({"jwks": {"keys": [signing.key.public_jwk()]}})).await;
        signing
    }

    async fn register(&self, members: &Value) {
        self.administrator.change("/clients/client", members).await;
    }

    /// The whole request as claims.
    fn claims(&self) -> Value {
        let now = engine::Clock::now(self.server.clock()).seconds();
        json!({
            "iss": "client", "aud": self.party.issuer(), "exp": now + 60, "nbf": now, "iat": now,
            "client_id": "client", "response_type": "code", "scope": "openid", "state": "inside",
            "redirect_uri": self.party.redirect_uri, "nonce": "n-inside", "max_age": 10_000,
            "code_challenge": s256(VERIFIER), "code_challenge_method": "S256",
        })
    }

    fn with_claim(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    fn sign(&self, typ: &str, claims: &Value) -> String {
        self.key.sign_jwt(typ, claims).expect("a signature")
    }

    /// The authorization request of OIDC Core §6.1, with what must stand outside.
    fn url(&self, more: &[(&str, &str)]) -> String {
        let mut fields = vec![("client_id", "client"), ("response_type", "code"), ("scope", "openid")];
        fields.push(("redirect_uri", self.party.redirect_uri.as_str()));
        fields.retain(|(name, _)| !more.iter().any(|(changed, _)| changed == name));
        fields.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        self.party.path(&format!("/oauth2/authorize?{}", urlencoded(&fields)))
    }

    async fn open(&self, more: &[(&str, &str)]) -> Answer {
        self.server.browser().authorize(&self.url(more)).await
    }

    /// The error of a request that is refused at its redirect URI.
    async fn refused(&self, more: &[(&str, &str)]) -> String {
        let answer = self.open(more).await;
        assert!(answer.is_redirect(), "{} {}", answer.status, answer.text());
        assert!(answer.response_parameter("code").is_none() && answer.response_parameter("iss").is_some());
        answer.response_parameter("error").expect("an error")
    }

    async fn refused_claims(&self, claims: &Value) -> String {
        self.refused(&[("request", &self.sign("JWT", claims))]).await
    }
}

#[track_caller]
fn state(answer: &Answer) -> Option<String> {
    assert!(answer.response_parameter("code").is_some(), "{}", answer.location());
    answer.response_parameter("state")
}

#[tokio::test]
async fn oidc_core_6_1_every_algorithm_inside_wins_and_outside_supplements() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::PS256, Algorithm::EdDSA] {
        let signing = Signing::with(TestServer::start().await, algorithm).await;
        let object = signing.sign("JWT", &signing.claims());
        let answer = signing.open(&[("request", &object), ("state", "outside"), ("nonce", "outside")]).await;
        assert_eq!(state(&answer).as_deref(), Some("inside"), "{algorithm:?}");
        let code = answer.response_parameter("code").expect("code");
        let tokens = signing.party.redeem(&code).await.expect(200).json();
        let claims = testkit::claims(tokens["id_token"].as_str().expect("id_token"));
        assert_eq!(claims["nonce"], "n-inside");
        assert!(claims["auth_time"].is_i64(), "max_age inside is a number and counts");
    }
    let signing = Signing::start().await;
    let object = signing.sign("JWT", &signing.with_claim("state", json!("")));
    let answer = signing.open(&[("request", &object), ("state", "outside")]).await;
    assert_eq!(state(&answer).as_deref(), Some("outside"));
}

#[tokio::test]
async fn jar_02_an_object_of_rfc9101_is_the_whole_request() {
    let signing = Signing::start().await;
    let mut claims = signing.claims();
    claims.as_object_mut().expect("claims").remove("state");
    let object = signing.sign("oauth-authz-req+jwt", &claims);
    let answer = signing.open(&[("request", &object), ("state", "outside"), ("scope", "openid email")]).await;
    assert_eq!(state(&answer), None);
    let code = answer.response_parameter("code").expect("code");
    assert_eq!(signing.party.redeem(&code).await.expect(200).json()["scope"], "openid");
    // RFC 9101 §5: client_id alone is enough beside it.
    let alone = [("request", object.as_str()), ("response_type", ""), ("scope", ""), ("redirect_uri", "")];
    assert_eq!(state(&signing.open(&alone).await), None);
}

#[tokio::test]
async fn jar_03_oidcc_unsigned_request_object_rejected_as_unsupported() {
    let signing = Signing::start().await;
    let none = unsigned(&json!({"alg": "none"}), &signing.claims());
    assert_eq!(signing.refused(&[("request", &none)]).await, "request_not_supported");
    let (signed, _) = none.rsplit_once('.').expect("two dots");
    let forged = format!("{signed}.AAAA");
    assert_eq!(signing.refused(&[("request", &forged)]).await, "request_not_supported");
    let foreign = signer(Algorithm::ES256).sign_jwt("JWT", &signing.claims()).expect("a signature");
    assert_eq!(signing.refused(&[("request", &foreign)]).await, "invalid_request_object");
    let keyless = signing.server.party("app").authorize_url(&[("request", &foreign)]);
    let answer = signing.server.browser().load(&keyless).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("invalid_request_object"));
    signing.register(&json!({"request_object_signing_alg": "PS256"})).await;
    assert_eq!(signing.refused_claims(&signing.claims()).await, "invalid_request_object");
}

#[tokio::test]
async fn jar_05_issuer_audience_and_times() {
    let signing = Signing::start().await;
    let now = engine::Clock::now(signing.server.clock()).seconds();
    for (name, value) in [
        ("iss", json!("app")),
        ("aud", json!("https://localhost:8443/default/second")),
        ("exp", json!(now - 1)),
        ("exp", json!("tomorrow")),
        ("nbf", json!(now + 60)),
    ] {
        let claims = signing.with_claim(name, value);
        assert_eq!(signing.refused_claims(&claims).await, "invalid_request_object", "{claims}");
    }
    let several = signing.with_claim("aud", json!(["https://other.example", signing.party.issuer()]));
    let answer = signing.open(&[("request", &signing.sign("JWT", &several))]).await;
    assert_eq!(state(&answer).as_deref(), Some("inside"));
}

#[tokio::test]
async fn jar_06_client_id_and_response_type_are_the_same_inside_and_outside() {
    let signing = Signing::start().await;
    for (name, value) in [("client_id", "app"), ("response_type", "id_token")] {
        let claims = signing.with_claim(name, json!(value));
        assert_eq!(signing.refused_claims(&claims).await, "invalid_request_object", "{name}");
    }
}

#[tokio::test]
async fn jar_07_jar_08_no_nesting_and_no_client_assertion() {
    let signing = Signing::start().await;
    for (name, value) in
        [("request", "a.b.c"), ("request_uri", "https://example.com/request.jwt"), ("sub", "client")]
    {
        let claims = signing.with_claim(name, json!(value));
        assert_eq!(signing.refused_claims(&claims).await, "invalid_request_object", "{name}");
    }
    let object = signing.sign("client-authentication+jwt", &signing.claims());
    assert_eq!(signing.refused(&[("request", &object)]).await, "invalid_request_object");
}

#[tokio::test]
async fn jar_09_an_evil_redirect_inside_is_a_page() {
    let signing = Signing::start().await;
    let claims = signing.with_claim("redirect_uri", json!("https://evil.example/"));
    let answer = signing.open(&[("request", &signing.sign("JWT", &claims))]).await;
    answer.expect_error_page("invalid_request");
    // `oidcc-ensure-request-object-with-redirect-uri`: the one inside counts.
    let object = signing.sign("JWT", &signing.claims());
    let answer = signing.open(&[("request", &object), ("redirect_uri", "https://evil.example/")]).await;
    assert_eq!(answer.location().host_str(), Some("example.com"));
    // A fault of the object never leads to an address that is not registered.
    let answer = signing.open(&[("request", "garbage"), ("redirect_uri", "https://evil.example/")]).await;
    answer.expect(400);
}

#[tokio::test]
async fn jar_10_jar_11_both_ways_at_once_and_garbage() {
    let signing = Signing::start().await;
    let object = signing.sign("JWT", &signing.claims());
    for uri in ["https://example.com/request.jwt", "urn:ietf:params:oauth:request_uri:x"] {
        let both = [("request", object.as_str()), ("request_uri", uri)];
        assert_eq!(signing.refused(&both).await, "invalid_request", "JAR-10");
    }
    let long = format!("{}.e30.AAAA", "A".repeat(10_000));
    for garbage in ["x", "..", "a.b.c", "e30.e30.e30", "a.b.c.d.e", "null", "{}", &long] {
        assert_eq!(signing.refused(&[("request", garbage)]).await, "invalid_request_object", "JAR-11");
    }
    let null = signing.with_claim("login_hint", Value::Null);
    assert_eq!(signing.refused_claims(&null).await, "invalid_request_object");
}

#[tokio::test]
async fn par_04_jar_12_nothing_is_fetched_that_was_not_registered() {
    let signing = Signing::start().await;
    for (uri, error) in [
        ("https://example.com/request.jwt", "invalid_request_uri"),
        ("http://169.254.169.254/latest/meta-data/", "invalid_request_uri"),
        ("data:application/jwt,x", "request_uri_not_supported"),
        ("file:///etc/passwd", "request_uri_not_supported"),
        ("urn:other:x", "request_uri_not_supported"),
    ] {
        assert_eq!(signing.refused(&[("request_uri", uri)]).await, error, "{uri}");
    }
    // Headers that name a key's address choose nothing (RFC 8725 §3.10).
    let forger = signer(Algorithm::ES256);
    for member in ["jku", "x5u"] {
        let mut header = json!({"alg": "ES256", "typ": "JWT", "kid": forger.kid()});
        header[member] = json!("http://127.0.0.1:1/keys");
        let object = forger.sign_with_header(&header, signing.claims().to_string().as_bytes());
        let object = object.expect("a signature");
        assert_eq!(signing.refused(&[("request", &object)]).await, "invalid_request_object", "{member}");
    }
    let header = json!({"alg": "ES256", "typ": "JWT", "jwk": forger.public_jwk()});
    let object = forger.sign_with_header(&header, signing.claims().to_string().as_bytes());
    let object = object.expect("a signature");
    assert_eq!(signing.refused(&[("request", &object)]).await, "invalid_request_object", "jwk");
}

/// A loopback server that answers every request with `body`, and remembers what it was asked.
struct ObjectHost {
    address: String,
    body: Arc<Mutex<(u16, String)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ObjectHost {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address =
            format!("http://127.0.0.1:{}/object", listener.local_addr().expect("an address").port());
        let (body, asked) = (Arc::new(Mutex::new((200, String::new()))), Arc::new(Mutex::new(Vec::new())));
        let (told, heard) = (Arc::clone(&body), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = vec![0; 4096];
                let read = socket.read(&mut request).await.unwrap_or_default();
                heard.lock().expect("a list").push(String::from_utf8_lossy(&request[..read]).into_owned());
                let (status, body) = told.lock().expect("a body").clone();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: application/oauth-authz-req+jwt\r\nConnection: close\r\n\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, body, asked }
    }

    fn hold(&self, status: u16, body: &str) {
        *self.body.lock().expect("a body") = (status, body.to_owned());
    }
}

#[tokio::test]
async fn oidcc_request_uri_signed_rs256_is_fetched_from_where_it_is_registered() {
    let signing = Signing::with(TestServer::reaching_loopback().await, Algorithm::RS256).await;
    let host = ObjectHost::start().await;
    // The suite registers a URI whose fragment is the hash of something else.
    let registered = format!("{}#0IAGMxfG3hcvLXhxlI7eKIb9y7FFpEYm1Oyo2Y1IgXw", host.address);
    signing.register(&json!({"request_uris": [registered]})).await;
    host.hold(200, &signing.sign("JWT", &signing.claims()));
    let answer = signing.open(&[("request_uri", &registered), ("state", "outside")]).await;
    assert_eq!(state(&answer).as_deref(), Some("inside"));
    let asked = host.asked.lock().expect("a list").clone();
    assert!(asked[0].starts_with("GET /object HTTP/1.1"), "the fragment stays here: {}", asked[0]);
    let head = asked[0].to_ascii_lowercase();
    assert!(head.contains("accept: application/oauth-authz-req+jwt") && !head.contains("cookie"), "{head}");
    for (status, body) in [(404, "x"), (302, ""), (200, &*"x".repeat(70_000))] {
        host.hold(status, body);
        assert_eq!(signing.refused(&[("request_uri", &registered)]).await, "invalid_request_uri", "{status}");
    }
    // `oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported`.
    let none = unsigned(&json!({"alg": "none"}), &signing.claims());
    for (body, error) in [
        ("", "invalid_request_object"),
        ("<html>", "invalid_request_object"),
        (&none, "request_uri_not_supported"),
    ] {
        host.hold(200, body);
        assert_eq!(signing.refused(&[("request_uri", &registered)]).await, error, "{body}");
    }
    let times = host.asked.lock().expect("a list").len();
    let other = registered.replace("/object", "/other");
    assert_eq!(signing.refused(&[("request_uri", &other)]).await, "invalid_request_uri");
    assert_eq!(host.asked.lock().expect("a list").len(), times, "W-13: nobody was asked");
}

#[tokio::test]
async fn w_13_an_inner_address_is_not_fetched_even_when_registered() {
    let signing = Signing::start().await;
    let host = ObjectHost::start().await;
    let registration = json!({"request_uris": [host.address]});
    let document = signing.administrator.get("/clients/client").await.expect(200).json();
    let mut changed = document.clone();
    changed["request_uris"] = registration["request_uris"].clone();
    let answer = signing.administrator.put("/clients/client", &changed).await;
    if answer.status == 200 {
        assert_eq!(signing.refused(&[("request_uri", &host.address)]).await, "invalid_request_uri");
    }
    assert!(host.asked.lock().expect("a list").is_empty());
}

#[tokio::test]
async fn rfc9126_3_a_pushed_object_is_the_whole_request() {
    let signing = Signing::start().await;
    let object = signing.sign("oauth-authz-req+jwt", &signing.claims());
    let fields = [("request", object.as_str()), ("state", "outside"), ("client_id", "client")];
    let pushed = signing.server.send(signing.party.authenticated("/par", &fields)).await.expect(201).json();
    let uri = pushed["request_uri"].as_str().expect("request_uri");
    let opening = urlencoded(&[("client_id", "client"), ("request_uri", uri)]);
    let url = signing.party.path(&format!("/oauth2/authorize?{opening}"));
    let answer = signing.server.browser().authorize(&url).await;
    assert_eq!(state(&answer).as_deref(), Some("inside"));
    for (claims, error) in [
        (signing.with_claim("client_id", json!("app")), "invalid_request_object"),
        (signing.with_claim("redirect_uri", json!("https://evil.example/")), "invalid_request"),
        (signing.with_claim("exp", json!(1)), "invalid_request_object"),
    ] {
        let object = signing.sign("oauth-authz-req+jwt", &claims);
        let ask = signing.party.authenticated("/par", &[("request", &object), ("client_id", "client")]);
        signing.server.send(ask).await.expect_error(400, error);
    }
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds_with_an_object() {
    let signing = Signing::start().await;
    let object = signing.sign("JWT", &signing.claims());
    let fields = [
        ("client_id", "client"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("request", object.as_str()),
    ];
    let path = signing.party.path("/oauth2/authorize");
    let ask = Ask::new(Method::POST, &path).body("application/x-www-form-urlencoded", urlencoded(&fields));
    let browser = signing.server.browser();
    let answer = browser.send(ask, &path).await;
    let page = browser.follow(answer).await;
    assert!(page.has_form("login-form"), "{} {}", page.status, page.text());
}

#[tokio::test]
async fn a_login_outlives_its_object_and_can_change_the_account() {
    let signing = Signing::start().await;
    let browser = signing.server.browser();
    let object = signing.sign("JWT", &signing.claims());
    let page = browser.open(&signing.url(&[("request", &object)])).await;
    signing.server.clock().advance(std::time::Duration::from_secs(120));
    assert_eq!(signing.refused(&[("request", &object)]).await, "invalid_request_object");
    let consent = browser.log_in(&page).await;
    let login = browser.submit(&consent.form("consent-form").with("action", "switch")).await;
    assert!(login.has_form("login-form"), "{} {}", login.status, login.text());
    let consent = browser.log_in(&login).await;
    assert_eq!(state(&browser.allow(&consent).await).as_deref(), Some("inside"));
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification_says_what_objects_may_be() {
    let signing = Signing::start().await;
    let path = signing.party.path("/.well-known/openid-configuration");
    let document = signing.server.get(&path).await.expect(200).json();
    let algorithms = json!(["RS256", "ES256", "PS256", "EdDSA"]);
    assert_eq!(document["request_object_signing_alg_values_supported"], algorithms);
    for member in
        ["request_parameter_supported", "request_uri_parameter_supported", "require_request_uri_registration"]
    {
        assert_eq!(document[member], true, "{member}");
    }
}

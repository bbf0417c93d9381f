//! The modules of `oidcc-dynamic-certification-test-plan`: clients that register themselves, authenticate with
//! `private_key_jwt`, and ask for each response type. A test carries the name of its module.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::Method;
use jose::{Algorithm, SigningKey, half_hash};
use serde_json::{Value, json};
use testkit::{Administrator, Answer, Ask, RelyingParty, Site, TestServer, VERIFIER, claims, header, signer};

const REGISTER: &str = "/default/default/oauth2/register";
const REDIRECT_URI: &str = "https://rp.example/test/a/postern/callback";
const RESPONSE_TYPES: [&str; 6] =
    ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];

mod registration;
mod requests;

/// A server at which anybody may register, for every response type.
struct Plan {
    server: TestServer,
    administrator: Administrator,
    site: Site,
    assertions: AtomicU32,
}

/// A client that has registered.
struct Client {
    metadata: Value,
    key: SigningKey,
    party: RelyingParty,
}

impl Plan {
    async fn start() -> Self {
        let server = TestServer::reaching_loopback().await;
        let administrator = server.administrator().await;
        let mut grants =
            administrator.get("/servers/default").await.expect(200).json()["grant_types"].clone();
        grants.as_array_mut().expect("grant types").push(json!("implicit"));
        let settings = json!({"dynamic_client_registration": {"enabled": true}, "grant_types": grants});
        administrator.change("/servers/default", &settings).await;
        Self { server, administrator, site: Site::start().await, assertions: AtomicU32::new(0) }
    }

    /// Registers as the suite does, with further members; `null` takes one away.
    async fn try_register(&self, key: &SigningKey, response_type: &str, members: &Value) -> Answer {
        let mut grants = vec!["authorization_code", "refresh_token"];
        if response_type.contains("token") {
            grants.push("implicit");
        }
        let mut metadata = json!({
            "client_name": "conformance client",
            "grant_types": grants,
            "response_types": [response_type],
            "redirect_uris": [REDIRECT_URI],
            "contacts": ["rp@example.com"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [key.public_jwk()]},
        });
        for (name, value) in members.as_object().expect("members") {
            metadata[name] = value.clone();
        }
        self.server.send(Ask::json(Method::POST, REGISTER, &metadata)).await
    }

    async fn register(&self, response_type: &str, members: &Value) -> Client {
        let key = signer(Algorithm::RS256);
        let metadata = self.try_register(&key, response_type, members).await.expect(201).json();
        self.client(key, metadata)
    }

    fn client(&self, key: SigningKey, metadata: Value) -> Client {
        for member in ["registration_client_uri", "registration_access_token", "client_id"] {
            assert!(metadata[member].is_string(), "{member} in {metadata}");
        }
        assert!(metadata["client_secret"].is_null(), "a client with a key has no secret: {metadata}");
        let id = metadata["client_id"].as_str().expect("client_id");
        let redirect_uri = metadata["redirect_uris"][0].as_str().expect("a redirect URI");
        let party = self.server.party_at("/default/default", id, None).with_redirect_uri(redirect_uri);
        Client { key, party, metadata }
    }

    async fn discovery(&self) -> Value {
        self.server.get("/default/default/.well-known/openid-configuration").await.expect(200).json()
    }

    async fn jwks(&self) -> Answer {
        self.server.get("/default/default/.well-known/jwks.json").await.expect(200)
    }

    /// A token request with an assertion for the token endpoint.
    async fn token(&self, client: &Client, fields: &[(&str, &str)]) -> Answer {
        let audience = client.party.issuer() + "/oauth2/token";
        self.token_for(client, &json!(audience), fields).await
    }

    async fn token_for(&self, client: &Client, audience: &Value, fields: &[(&str, &str)]) -> Answer {
        let now = engine::Clock::now(self.server.clock()).seconds();
        let id = &client.party.client_id;
        let jti = self.assertions.fetch_add(1, Ordering::SeqCst).to_string();
        let assertion =
            json!({"iss": id, "sub": id, "aud": audience, "jti": jti, "iat": now, "exp": now + 60});
        let assertion = client.key.sign_jwt("JWT", &assertion).expect("a signature");
        let mut fields = fields.to_vec();
        fields.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
        fields.push(("client_assertion", &assertion));
        self.server.send(Ask::form(&client.party.path("/oauth2/token"), &fields)).await
    }

    async fn redeem(&self, client: &Client, code: &str) -> Value {
        self.token(client, &client.party.redemption(code)).await.expect(200).json()
    }

    /// One flow with the checks that run in every module; ID token and access token as they were received.
    async fn flow(&self, client: &Client, response_type: &str, more: &[(&str, &str)]) -> Received {
        let mut parameters = vec![("response_type", response_type), ("state", "st4te"), ("nonce", "n0nce")];
        parameters.extend(more);
        let answer = self.server.browser().authorize(&client.party.authorize_url(&parameters)).await;
        let received = self.received(client, response_type, &answer).await;
        self.check(client, &received).await;
        received
    }

    async fn received(&self, client: &Client, response_type: &str, answer: &Answer) -> Received {
        assert!(answer.is_redirect(), "{} {}", answer.status, answer.text());
        let location = answer.location();
        assert!(location.as_str().starts_with(&client.party.redirect_uri), "{location}");
        let mut own: Vec<_> = location.query_pairs().map(|(name, _)| name.into_owned()).collect();
        if response_type == "code" {
            assert!(location.fragment().is_none(), "{location}");
        } else {
            own.retain(|name| !name.starts_with("dummy"));
            assert!(own.is_empty(), "nothing of a fragment is in the query: {location}");
        }
        let parameter = |name| answer.response_parameter(name);
        assert_eq!(parameter("state").as_deref(), Some("st4te"), "{location}");
        assert_eq!(parameter("iss"), Some(client.party.issuer()));
        let names: Vec<&str> = response_type.split(' ').collect();
        for (kind, name) in [("code", "code"), ("id_token", "id_token"), ("token", "access_token")] {
            assert_eq!(parameter(name).is_some(), names.contains(&kind), "{name}: {location}");
        }
        let mut received = Received {
            front: parameter("id_token"),
            code: parameter("code"),
            id_token: parameter("id_token"),
            access_token: parameter("access_token"),
            front_access_token: parameter("access_token"),
            tokens: Value::Null,
        };
        if let Some(code) = &received.code {
            received.tokens = self.redeem(client, code).await;
            received.id_token = received.tokens["id_token"].as_str().map(str::to_owned);
            received.access_token = received.tokens["access_token"].as_str().map(str::to_owned);
        }
        received
    }

    /// C0.6 and C0.7: the ID tokens, and the access token at userinfo.
    async fn check(&self, client: &Client, received: &Received) {
        let jwks = self.jwks().await;
        for token in received.front.iter().chain(&received.id_token) {
            let claims = testkit::verified(token, &jwks.body);
            assert_eq!(claims["iss"], client.party.issuer());
            assert_eq!(claims["aud"], client.party.client_id);
            assert_eq!(claims["nonce"], "n0nce");
            assert!(header(token)["kid"].is_string());
        }
        if let Some(token) = &received.front {
            let alg = Algorithm::parse(header(token)["alg"].as_str().expect("alg")).expect("a known alg");
            let bound = |value: &Option<String>| value.as_ref().map(|value| json!(half_hash(alg, value)));
            assert_eq!(claims(token).get("c_hash").cloned(), bound(&received.code));
            assert_eq!(claims(token).get("at_hash").cloned(), bound(&received.front_access_token));
        }
        if let (Some(access_token), Some(id_token)) = (&received.access_token, &received.id_token) {
            let userinfo = client.party.userinfo(access_token).await.expect(200);
            let sub = match userinfo.header("content-type").starts_with("application/jwt") {
                true => claims(&userinfo.text())["sub"].clone(),
                false => userinfo.json()["sub"].clone(),
            };
            assert_eq!(sub, claims(id_token)["sub"]);
        }
    }

    /// The end of a module: the client unregisters (RFC 7592 §2.3).
    async fn unregister(&self, client: &Client) {
        let text = |member: &str| client.metadata[member].as_str().expect("text").to_owned();
        let ask = Ask::new(Method::DELETE, &text("registration_client_uri"));
        self.server.send(ask.bearer(&text("registration_access_token"))).await.expect(204);
    }

    /// A request object, signed by the client.
    fn object(&self, client: &Client, response_type: &str) -> Value {
        let now = engine::Clock::now(self.server.clock()).seconds();
        json!({
            "iss": client.party.client_id, "aud": client.party.issuer(), "iat": now, "exp": now + 300,
            "client_id": client.party.client_id, "response_type": response_type, "scope": "openid",
            "redirect_uri": client.party.redirect_uri, "state": "st4te", "nonce": "n0nce",
            "code_challenge": testkit::s256(VERIFIER), "code_challenge_method": "S256",
        })
    }
}

/// What a flow brought.
struct Received {
    code: Option<String>,
    /// The ID token beside the code, if there was one there.
    front: Option<String>,
    front_access_token: Option<String>,
    id_token: Option<String>,
    access_token: Option<String>,
    tokens: Value,
}

impl Received {
    #[track_caller]
    fn id_token(&self) -> &str {
        self.id_token.as_deref().or(self.front.as_deref()).expect("an ID token")
    }
}

#[tokio::test]
async fn oidcc_idtoken_rs256() {
    let plan = Plan::start().await;
    for response_type in RESPONSE_TYPES {
        let client = plan.register(response_type, &json!({"id_token_signed_response_alg": "RS256"})).await;
        assert_eq!(client.metadata["id_token_signed_response_alg"], "RS256");
        let received = plan.flow(&client, response_type, &[]).await;
        for token in received.front.iter().chain(&received.id_token) {
            assert_eq!(header(token)["alg"], "RS256", "{response_type}");
        }
        plan.unregister(&client).await;
    }
}

/// Skipped by the suite: `none` is not listed, and nobody registers it (RFC 8725 §3.2).
#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let plan = Plan::start().await;
    let listed = plan.discovery().await["id_token_signing_alg_values_supported"].clone();
    assert!(!listed.as_array().expect("a list").contains(&json!("none")), "{listed}");
    for response_type in RESPONSE_TYPES {
        let none = json!({"id_token_signed_response_alg": "none"});
        let answer = plan.try_register(&signer(Algorithm::ES256), response_type, &none).await;
        answer.expect_error(400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn oidcc_userinfo_rs256() {
    let plan = Plan::start().await;
    let listed = plan.discovery().await["userinfo_signing_alg_values_supported"].clone();
    assert!(listed.as_array().expect("a list").contains(&json!("RS256")), "{listed}");
    for response_type in RESPONSE_TYPES.into_iter().filter(|name| *name != "id_token") {
        let client = plan.register(response_type, &json!({"userinfo_signed_response_alg": "RS256"})).await;
        let received = plan.flow(&client, response_type, &[]).await;
        let answer =
            client.party.userinfo(received.access_token.as_deref().expect("a token")).await.expect(200);
        assert!(answer.header("content-type").starts_with("application/jwt"), "{:?}", answer.headers);
        let token = answer.text();
        assert_eq!(header(&token)["alg"], "RS256");
        let claims = testkit::verified(&token, &plan.jwks().await.body);
        assert_eq!(claims["iss"], client.party.issuer());
        assert_eq!(claims["aud"], client.party.client_id);
        assert!(!claims.contains_key("nonce"));
    }
}

#[tokio::test]
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let plan = Plan::start().await;
    for response_type in RESPONSE_TYPES {
        let two = json!({"redirect_uris": [REDIRECT_URI, "https://rp.example/second"]});
        let client = plan.register(response_type, &two).await;
        let parameters = [("redirect_uri", ""), ("response_type", response_type), ("nonce", "n")];
        let answer = plan.server.browser().load(&client.party.authorize_url(&parameters)).await;
        answer.expect_error_page("invalid_request");
    }
}

const WITH_QUERY: &str = "https://rp.example/test/a/postern/callback?dummy1=lorem&dummy2=ipsum";

#[tokio::test]
async fn oidcc_redirect_uri_query_ok() {
    let plan = Plan::start().await;
    for response_type in RESPONSE_TYPES {
        // The check of every flow sees that the location starts with the registered URI and its query.
        let client = plan.register(response_type, &json!({"redirect_uris": [WITH_QUERY]})).await;
        plan.flow(&client, response_type, &[]).await;
    }
}

async fn shown_an_error_page(registered: &str, requested: &str) {
    let plan = Plan::start().await;
    for response_type in RESPONSE_TYPES {
        let client = plan.register(response_type, &json!({"redirect_uris": [registered]})).await;
        let parameters =
            [("redirect_uri", requested), ("response_type", response_type), ("nonce", "n"), ("state", "s")];
        let answer = plan.server.browser().load(&client.party.authorize_url(&parameters)).await;
        answer.expect_error_page("invalid_request");
    }
}

#[tokio::test]
async fn oidcc_redirect_uri_query_mismatch() {
    shown_an_error_page(WITH_QUERY, &WITH_QUERY.replace("ipsum", "other")).await;
}

#[tokio::test]
async fn oidcc_redirect_uri_query_added() {
    shown_an_error_page(REDIRECT_URI, WITH_QUERY).await;
}

#[tokio::test]
async fn oidcc_redirect_uri_regfrag() {
    let plan = Plan::start().await;
    for response_type in RESPONSE_TYPES {
        let fragment = json!({"redirect_uris": [format!("{REDIRECT_URI}#foobar")]});
        let answer = plan.try_register(&signer(Algorithm::ES256), response_type, &fragment).await;
        let answer = answer.expect_error(400, "invalid_redirect_uri");
        assert!(answer.header("content-type").starts_with("application/json"));
        assert!(answer.json()["client_id"].is_null());
    }
}

/// OIDC Discovery §3, OIDC Core §15.2: what dynamic providers support besides.
#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let plan = Plan::start().await;
    let discovery = plan.discovery().await;
    let list = |member: &str| discovery[member].as_array().unwrap_or_else(|| panic!("{member}")).clone();
    let types = list("response_types_supported");
    for response_type in RESPONSE_TYPES {
        assert!(types.contains(&json!(response_type)), "{response_type} in {types:?}");
    }
    for grant_type in ["authorization_code", "implicit"] {
        assert!(list("grant_types_supported").contains(&json!(grant_type)), "{grant_type}");
    }
    assert!(list("token_endpoint_auth_methods_supported").contains(&json!("private_key_jwt")));
    assert!(list("id_token_signing_alg_values_supported").contains(&json!("RS256")));
    assert!(list("request_object_signing_alg_values_supported").contains(&json!("RS256")));
    assert!(list("subject_types_supported").contains(&json!("pairwise")));
    assert_eq!(discovery["request_uri_parameter_supported"], true);
    assert_eq!(discovery["registration_endpoint"], format!("{}{REGISTER}", testkit::ORIGIN));
    for kind in ["id_token", "userinfo", "request_object"] {
        assert!(!list(&format!("{kind}_encryption_alg_values_supported")).is_empty());
        assert!(list(&format!("{kind}_encryption_enc_values_supported")).contains(&json!("A128CBC-HS256")));
    }
    for (name, value) in discovery.as_object().expect("an object") {
        assert!(!value.is_null(), "{name}");
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            assert!(value.as_str().expect("a URL").starts_with("https://"), "{name}");
        }
    }
    // C0.1: every key has a kid of its own, and none has private members.
    let keys = plan.jwks().await.json()["keys"].as_array().expect("keys").clone();
    let mut kids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().expect("kid").to_owned()).collect();
    assert!(keys.iter().all(|key| key["d"].is_null() && key["k"].is_null() && key["use"].is_string()));
    kids.sort_unstable();
    kids.dedup();
    assert_eq!(kids.len(), keys.len());
}

#[tokio::test]
async fn oidcc_server() {
    let plan = Plan::start().await;
    for response_type in RESPONSE_TYPES {
        let client = plan.register(response_type, &json!({})).await;
        let received = plan.flow(&client, response_type, &[]).await;
        assert_eq!(header(received.id_token())["alg"], "RS256", "the default of registration");
        assert!(claims(received.id_token())["name"].is_null());
        if let (Some(front), Some(back)) = (&received.front, received.tokens["id_token"].as_str()) {
            assert_eq!(claims(front)["sub"], claims(back)["sub"]);
        }
        plan.unregister(&client).await;
    }
}

#[tokio::test]
async fn oidcc_server_rotate_keys() {
    let plan = Plan::start().await;
    let client = plan.register("code", &json!({})).await;
    let signing_kids = async || {
        let keys = plan.jwks().await.json()["keys"].as_array().expect("keys").clone();
        let signing = keys.into_iter().filter(|key| key["use"] == "sig");
        signing.map(|key| key["kid"].as_str().expect("kid").to_owned()).collect::<Vec<_>>()
    };
    let before = plan.flow(&client, "code", &[]).await;
    let old_kids = signing_kids().await;
    let rotate = "/servers/default/keys/rotate?key_type=rsa";
    plan.administrator.post(rotate, &json!({})).await.expect(200);
    let new_kids = signing_kids().await;
    assert!(new_kids.iter().any(|kid| !old_kids.contains(kid)), "a new kid is published");
    assert!(old_kids.iter().all(|kid| new_kids.contains(kid)), "the old ones still are");
    let after = plan.flow(&client, "code", &[]).await;
    assert_ne!(header(after.id_token())["kid"], header(before.id_token())["kid"]);
    let published_before =
        header(after.id_token())["kid"].as_str().map(|kid| old_kids.contains(&kid.to_owned()));
    assert_eq!(published_before, Some(true), "a key is published before it signs");
    testkit::verified(before.id_token(), &plan.jwks().await.body);
}

fn key_set(keys: &[&SigningKey]) -> String {
    json!({"keys": keys.iter().map(|key| key.public_jwk()).collect::<Vec<_>>()}).to_string()
}

#[tokio::test]
async fn oidcc_refresh_token_rp_key_rotation() {
    let plan = Plan::start().await;
    for response_type in ["code", "code id_token", "code token", "code id_token token"] {
        let key = signer(Algorithm::RS256);
        plan.site.put("/jwks", "Cache-Control: max-age=86400\r\n", &key_set(&[&key]));
        let members = json!({"jwks": null, "jwks_uri": plan.site.url("/jwks")});
        let metadata = plan.try_register(&key, response_type, &members).await.expect(201).json();
        let mut client = plan.client(key, metadata);
        client.party.scope = "openid offline_access".to_owned();
        let received = plan.flow(&client, response_type, &[("prompt", "consent")]).await;
        let refresh_token = received.tokens["refresh_token"].as_str().expect("refresh_token");
        let new = signer(Algorithm::RS256);
        plan.site.put("/jwks", "", &key_set(&[&new]));
        plan.server.clock().advance(Duration::from_secs(60));
        client.key = new;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let tokens = plan.token(&client, &fields).await.expect(200).json();
        assert!(tokens["access_token"].is_string());
        plan.unregister(&client).await;
    }
}

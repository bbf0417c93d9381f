//! FAPI 2.0 in a workspace beside an ordinary one: the modules `fapi2-security-profile-final-…` of the conformance suite
//! with `private_key_jwt`, each named where it is played.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use jose::{Algorithm, SigningKey};
use protocol::id::TenantId;
use protocol::idp::Idp;
use protocol::record::{DocumentKind, Expect, Write};
use serde_json::{Value, json};
use store::Page;
use testkit::{
    Administrator, Answer, Ask, DpopKey, REDIRECT_URI, TestServer, VERIFIER, s256, signer, urlencoded,
};

const WORKSPACE: &str = "/default/bank";
const ISSUER: &str = "https://localhost:8443/default/bank";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Redirect URI of the second client of the suite.
const SECOND_URI: &str = "https://example.com/callback?dummy1=lorem&dummy2=ipsum";

mod assertions;
mod settings;

/// A workspace with a profile, made through the admin API, and two clients with keys in it.
pub(crate) struct Bank {
    pub(crate) server: TestServer,
    pub(crate) administrator: Administrator,
    pub(crate) keys: Vec<SigningKey>,
    /// Tokens are bound to it.
    pub(crate) dpop: DpopKey,
    made: AtomicUsize,
}

impl Bank {
    pub(crate) async fn start(profile: &str) -> Self {
        Self::with(profile, Algorithm::ES256).await
    }

    async fn with(profile: &str, algorithm: Algorithm) -> Self {
        let server = TestServer::start().await;
        let administrator = server.administrator().await;
        let workspace = json!({"id": "bank", "profile": profile});
        let made = administrator.post("/servers", &workspace).await.expect(201).json();
        assert_eq!(made["profile"], profile);
        // What was read can be put back.
        administrator.put("/servers/bank", &made).await.expect(200);
        copy_users(&server).await;
        let keys = vec![signer(algorithm), signer(algorithm)];
        for (id, key, uri) in [("first", &keys[0], REDIRECT_URI), ("second", &keys[1], SECOND_URI)] {
            let client = json!({
                "authorization_server_id": "bank", "client_id": id, "redirect_uris": [uri],
                "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
                "scopes": ["openid", "profile", "offline_access"],
                "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.public_jwk()]},
            });
            administrator.post("/clients", &client).await.expect(201);
        }
        let dpop = DpopKey::new(&server);
        Self { server, administrator, keys, dpop, made: AtomicUsize::new(0) }
    }

    fn now(&self) -> i64 {
        engine::Clock::now(self.server.clock()).seconds()
    }

    pub(crate) fn claims(&self, client: &str) -> Value {
        let jti = self.made.fetch_add(1, Ordering::SeqCst).to_string();
        let now = self.now();
        json!({"iss": client, "sub": client, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": jti})
    }

    /// A form with the client's assertion.
    pub(crate) fn asserted(&self, path: &str, client: &str, fields: &[(&str, &str)]) -> Ask {
        self.asserted_with(path, client, &self.claims(client), fields)
    }

    fn asserted_with(&self, path: &str, client: &str, claims: &Value, fields: &[(&str, &str)]) -> Ask {
        let key = &self.keys[usize::from(client == "second")];
        let assertion = key.sign_jwt("JWT", claims).expect("a signature");
        let mut fields = fields.to_vec();
        fields.extend([("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())]);
        Ask::form(&format!("{WORKSPACE}{path}"), &fields)
    }

    fn request<'a>(
        client: &'a str,
        challenge: &'a str,
        more: &[(&'a str, &'a str)],
    ) -> Vec<(&'a str, &'a str)> {
        let redirect_uri = if client == "second" { SECOND_URI } else { REDIRECT_URI };
        let mut fields = vec![
            ("client_id", client),
            ("response_type", "code"),
            ("scope", "openid offline_access"),
            ("prompt", "consent"),
            ("redirect_uri", redirect_uri),
            ("state", "s-1"),
            ("nonce", "n-1"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        fields.retain(|(name, _)| !more.iter().any(|(changed, _)| changed == name));
        fields.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        fields
    }

    async fn push(&self, client: &str, more: &[(&str, &str)]) -> Answer {
        let challenge = s256(VERIFIER);
        let fields = Self::request(client, &challenge, more);
        self.server.send(self.asserted("/par", client, &fields)).await
    }

    pub(crate) async fn pushed(&self, client: &str, more: &[(&str, &str)]) -> String {
        let answer = self.push(client, more).await.expect(201).json();
        answer["request_uri"].as_str().expect("request_uri").to_owned()
    }

    /// The error of a push that is refused.
    async fn refused(&self, client: &str, more: &[(&str, &str)]) -> String {
        let answer = self.push(client, more).await.expect(400).json();
        answer["error"].as_str().expect("error").to_owned()
    }

    pub(crate) fn opening(client: &str, request_uri: &str, more: &[(&str, &str)]) -> String {
        let mut fields = vec![("client_id", client), ("request_uri", request_uri)];
        fields.extend(more);
        format!("{WORKSPACE}/oauth2/authorize?{}", urlencoded(&fields))
    }

    async fn authorized(&self, client: &str, more: &[(&str, &str)]) -> Answer {
        let uri = self.pushed(client, more).await;
        let answer = self.server.browser().authorize(&Self::opening(client, &uri, &[])).await;
        assert_eq!(answer.response_parameter("iss").as_deref(), Some(ISSUER), "{}", answer.text());
        answer
    }

    pub(crate) async fn code(&self, client: &str) -> String {
        self.authorized(client, &[]).await.response_parameter("code").expect("a code")
    }

    fn redemption<'a>(client: &str, code: &'a str) -> Vec<(&'a str, &'a str)> {
        let redirect_uri = if client == "second" { SECOND_URI } else { REDIRECT_URI };
        vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ]
    }

    /// A token request, as the profile wants it: with a proof.
    pub(crate) async fn token(&self, ask: Ask) -> Answer {
        self.server.send(ask.proof(&self.dpop.proof("POST", "/default/bank/oauth2/token"))).await
    }

    async fn redeem(&self, client: &str, code: &str) -> Answer {
        self.token(self.asserted("/oauth2/token", client, &Self::redemption(client, code))).await
    }

    /// Redeems a new code with an assertion of these claims.
    async fn redeem_with(&self, claims: &Value) -> Answer {
        let code = self.code("first").await;
        let fields = Self::redemption("first", &code);
        self.token(self.asserted_with("/oauth2/token", "first", claims, &fields)).await
    }

    async fn refuses_assertion(&self, claims: &Value) {
        self.redeem_with(claims).await.expect_error(401, "invalid_client");
        let challenge = s256(VERIFIER);
        let fields = Self::request("first", &challenge, &[]);
        let ask = self.asserted_with("/par", "first", claims, &fields);
        self.server.send(ask).await.expect_error(401, "invalid_client");
    }

    fn changed(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims("first");
        claims[name] = value;
        claims
    }
}

/// The persons of workspace `default` may log in at the bank too: a new workspace has nobody.
async fn copy_users(server: &TestServer) {
    let (tenant, engine) = (TenantId::new("default"), server.engine());
    let provider = async |workspace: &str| {
        let page = Page::first(1);
        engine
            .documents(&tenant, DocumentKind::Idp, Some(workspace), &page)
            .await
            .expect("providers")
            .remove(0)
    };
    let users = provider("default").await.read::<Idp>().expect("a provider").users;
    let mut document = provider("bank").await;
    let idp = Idp { users, ..document.read().expect("a provider") };
    document.body = serde_json::to_string(&idp).expect("JSON");
    let expect = Expect::Revision(document.revision);
    let writes = vec![Write::PutDocument { document, expect }];
    engine
        .commit(&tenant, writes, Vec::new(), Some(&"bank".into()), &engine::Call::default())
        .await
        .expect("users");
}

/// 30 `…-holder-of-key-required`.
#[tokio::test]
async fn fapi2_holder_of_key_required() {
    let bank = Bank::start("fapi_20_security").await;
    let code = bank.code("first").await;
    let fields = Bank::redemption("first", &code);
    let ask = || bank.asserted("/oauth2/token", "first", &fields);
    bank.server.send(ask()).await.expect_error(400, "invalid_dpop_proof");
    let tokens = bank.token(ask()).await.expect(200).json();
    assert_eq!(tokens["token_type"], "DPoP");
    let userinfo = Ask::get("/default/bank/userinfo");
    let token = tokens["access_token"].as_str().expect("a token");
    bank.server.send(userinfo.clone().bearer(token)).await.expect(401);
    bank.server.send(userinfo.dpop(token, &bank.dpop)).await.expect(200);
}

/// `…-discovery-end-point-verification`.
#[tokio::test]
async fn fapi2_discovery_end_point_verification() {
    let bank = Bank::start("fapi_20_security").await;
    let document = bank.server.get("/default/bank/.well-known/openid-configuration").await.expect(200).json();
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["require_pushed_authorization_requests"], true);
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["token_endpoint_auth_methods_supported"], json!(["private_key_jwt"]));
    let grants = document["grant_types_supported"].as_array().expect("grants");
    assert!(grants.contains(&json!("authorization_code")) && !grants.contains(&json!("password")));
    for member in [
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "request_object_signing_alg_values_supported",
        "dpop_signing_alg_values_supported",
    ] {
        for algorithm in document[member].as_array().expect(member) {
            assert!(["PS256", "ES256", "EdDSA"].iter().any(|allowed| algorithm == allowed), "{member}");
        }
    }
}

/// `…-happy-flow`, `…-authorization-request-without-state-success`, `…-without-nonce-success`,
/// `…-par-without-duplicate-parameters`.
// shows: fapi2-authorization-request-without-state-success
// shows: fapi2-authorization-request-without-nonce-success, fapi2-par-without-duplicate-parameters
#[tokio::test]
async fn fapi2_happy_flow() {
    let bank = Bank::start("fapi_20_security").await;
    for client in ["first", "second"] {
        let answer = bank.authorized(client, &[]).await;
        // FAPI 2.0 Security Profile §5.3.2.2: 303.
        assert_eq!(answer.status, 303);
        assert_eq!(answer.response_parameter("state").as_deref(), Some("s-1"));
        assert_eq!(
            answer.response_parameter("dummy1").is_some(),
            client == "second",
            "its own query is kept"
        );
        let code = answer.response_parameter("code").expect("a code");
        let tokens = bank.redeem(client, &code).await.expect(200).json();
        let id_token = tokens["id_token"].as_str().expect("id_token");
        assert_eq!(testkit::header(id_token)["alg"], "ES256");
        assert_eq!(testkit::claims(id_token)["nonce"], "n-1");
    }
    let answer = bank.authorized("first", &[("state", ""), ("nonce", "")]).await;
    assert_eq!(answer.response_parameter("state"), None);
    let code = answer.response_parameter("code").expect("a code");
    let tokens = bank.redeem("first", &code).await.expect(200).json();
    assert!(testkit::claims(tokens["id_token"].as_str().expect("id_token"))["nonce"].is_null());
}

#[tokio::test]
async fn fapi2_user_rejects_authentication() {
    let bank = Bank::start("fapi_20_security").await;
    for client in ["first", "second"] {
        let uri = bank.pushed(client, &[]).await;
        let browser = bank.server.browser();
        let login = browser.open(&Bank::opening(client, &uri, &[])).await;
        let consent = browser.log_in(&login).await;
        let answer = browser.submit(&consent.form("consent-form").with("decision", "deny")).await;
        assert_eq!(answer.response_parameter("error").as_deref(), Some("access_denied"));
        assert_eq!(answer.response_parameter("state").as_deref(), Some("s-1"));
        assert_eq!(answer.response_parameter("code"), None);
        assert_eq!(
            answer.response_parameter("dummy1").is_some(),
            client == "second",
            "its own query is kept"
        );
    }
}

// shows: fapi2-authorization-request-with-64-char-nonce-success, fapi2-other-scope-order-succeeds
// shows: fapi2-test-claims-parameter-identity-claims
#[tokio::test]
async fn fapi2_long_nonces_scopes_in_any_order_and_every_claim_by_name() {
    let bank = Bank::start("fapi_20_security").await;
    let document = bank.server.get("/default/bank/.well-known/openid-configuration").await.expect(200).json();
    let of_protocol = ["sub", "iss", "auth_time", "acr", "amr"];
    let offered = document["claims_supported"].as_array().expect("claims").iter().filter_map(Value::as_str);
    let names: Vec<&str> = offered.filter(|name| !of_protocol.contains(name)).collect();
    let mut asked: Value = names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    asked["unheard_of"] = json!({"essential": true});
    let (claims, nonce) = (json!({"userinfo": asked}).to_string(), "n".repeat(64));
    let more = [("claims", claims.as_str()), ("nonce", &nonce), ("scope", "offline_access openid")];
    let answer = bank.authorized("first", &more).await;
    let code = answer.response_parameter("code").expect("a code");
    let tokens = bank.redeem("first", &code).await.expect(200).json();
    assert_eq!(testkit::claims(tokens["id_token"].as_str().expect("id_token"))["nonce"], nonce);
    let token = tokens["access_token"].as_str().expect("a token");
    let ask = Ask::get("/default/bank/userinfo").dpop(token, &bank.dpop);
    let userinfo = bank.server.send(ask).await.expect(200).json();
    for name in names {
        assert!(!userinfo[name].is_null(), "{name}: {userinfo}");
    }
    assert!(userinfo["unheard_of"].is_null());
}

/// 18 `…-different-nonce-inside-and-outside-request-object`, 19 `…-different-state-…`, 20 `…-with-long-nonce`, 21
/// `…-with-long-state`, 22 `…-state-only-outside-request-object-not-used`.
// shows: fapi2-different-nonce-inside-and-outside-request-object
// shows: fapi2-different-state-inside-and-outside-request-object
// shows: fapi2-authorization-request-with-long-nonce, fapi2-authorization-request-with-long-state
// shows: fapi2-state-only-outside-request-object-not-used
#[tokio::test]
async fn fapi2_only_what_was_pushed_counts() {
    let bank = Bank::start("fapi_20_security").await;
    for (inside, expected) in [("s-1", Some("s-1")), ("", None)] {
        let uri = bank.pushed("first", &[("state", inside)]).await;
        let beside = [("state", "outside"), ("nonce", "outside")];
        let answer = bank.server.browser().authorize(&Bank::opening("first", &uri, &beside)).await;
        assert_eq!(answer.response_parameter("state").as_deref(), expected);
        let code = answer.response_parameter("code").expect("a code");
        let tokens = bank.redeem("first", &code).await.expect(200).json();
        assert_eq!(testkit::claims(tokens["id_token"].as_str().expect("id_token"))["nonce"], "n-1");
    }
    let (state, nonce) = ("s".repeat(1000), "n".repeat(384));
    let answer = bank.authorized("first", &[("state", &state), ("nonce", &nonce)]).await;
    assert_eq!(answer.response_parameter("state"), Some(state));
}

/// 23 `…-request-object-without-redirect-uri-fails`, 24 `…-plain-fapi-tolerate-unregistered-redirect-uri`, 26
/// `…-redirect-uri-in-authorization-request`, 27 `…-response-type-code-idtoken-fails`, 28 `…-response-type-token-fails`.
// shows: fapi2-request-object-without-redirect-uri-fails
// shows: fapi2-plain-fapi-tolerate-unregistered-redirect-uri
// shows: fapi2-redirect-uri-in-authorization-request, fapi2-response-type-code-idtoken-fails
// shows: fapi2-response-type-token-fails
#[tokio::test]
async fn fapi2_what_may_not_be_pushed() {
    let bank = Bank::start("fapi_20_security").await;
    assert_eq!(bank.refused("first", &[("redirect_uri", "")]).await, "invalid_request");
    // Also where OAuth alone would allow it: one registered URI and no openid (RFC 6749 §3.1.2.3).
    let plain = [("redirect_uri", ""), ("scope", "offline_access")];
    assert_eq!(bank.refused("first", &plain).await, "invalid_request");
    assert_eq!(
        bank.refused("first", &[("redirect_uri", "https://example.com/other")]).await,
        "invalid_request"
    );
    for response_type in ["code id_token", "token", "id_token token"] {
        let refused = bank.refused("first", &[("response_type", response_type)]).await;
        assert_eq!(refused, "unsupported_response_type", "{response_type}");
    }
}

/// 25 `…-unsigned-authorization-request-without-using-par-fails`.
#[tokio::test]
async fn fapi2_unsigned_authorization_request_without_using_par_fails() {
    let bank = Bank::start("fapi_20_security").await;
    let challenge = s256(VERIFIER);
    let query = urlencoded(&Bank::request("first", &challenge, &[]));
    let answer = bank.server.browser().authorize(&format!("{WORKSPACE}/oauth2/authorize?{query}")).await;
    assert_eq!(answer.response_parameter("error").as_deref(), Some("invalid_request"));
    assert!(answer.response_parameter("code").is_none());
}

/// 29 `…-client-id-in-token-endpoint`, 31 `…-authorization-code-is-bound-to-client`, 32
/// `…-attempt-reuse-authorization-code-after-one-second`, 33 `…-fails-with-expired-auth-code`.
// shows: fapi2-client-id-in-token-endpoint, fapi2-authorization-code-is-bound-to-client
// shows: fapi2-attempt-reuse-authorization-code-after-one-second
// shows: fapi2-token-endpoint-fails-with-expired-auth-code
#[tokio::test]
async fn fapi2_codes_are_bound_and_short_lived() {
    let bank = Bank::start("fapi_20_security").await;
    let code = bank.code("first").await;
    let mut fields = Bank::redemption("first", &code);
    fields.push(("client_id", "second"));
    let refused = bank.token(bank.asserted("/oauth2/token", "first", &fields)).await;
    refused.expect_error(401, "invalid_client");
    let stolen = Bank::redemption("first", &code);
    let stolen = bank.token(bank.asserted("/oauth2/token", "second", &stolen)).await;
    stolen.expect_error(400, "invalid_grant");
    let code = bank.code("first").await;
    let tokens = bank.redeem("first", &code).await.expect(200).json();
    bank.server.clock().advance(Duration::from_secs(1));
    bank.redeem("first", &code).await.expect_error(400, "invalid_grant");
    let token = tokens["access_token"].as_str().expect("a token");
    let userinfo = Ask::get("/default/bank/userinfo").dpop(token, &bank.dpop);
    assert_eq!(bank.server.send(userinfo).await.status, 401, "its first token is dead too");
    let code = bank.code("first").await;
    bank.server.clock().advance(Duration::from_secs(62));
    bank.redeem("first", &code).await.expect_error(400, "invalid_grant");
}

/// 41 `…-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds`, 42 `…-par-attempt-reuse-request_uri`, 43
/// `…-expired-request_uri`, 46 `…-request_uri-for-different-client`.
// shows: fapi2-par-reused-request-uri-prior-to-auth-completion-succeeds
// shows: fapi2-par-attempt-reuse-request_uri, fapi2-par-attempt-to-use-expired-request_uri
// shows: fapi2-par-attempt-to-use-request_uri-for-different-client
#[tokio::test]
async fn fapi2_request_uris_are_for_one_answer_of_one_client() {
    let bank = Bank::start("fapi_20_security").await;
    let uri = bank.pushed("first", &[]).await;
    let (browser, url) = (bank.server.browser(), Bank::opening("first", &uri, &[]));
    assert!(browser.open(&url).await.has_form("login-form"));
    assert!(browser.authorize(&url).await.response_parameter("code").is_some());
    browser.open(&url).await.expect_error_page("invalid_request_uri");
    let uri = bank.pushed("first", &[]).await;
    let foreign = Bank::opening("second", &uri, &[]);
    bank.server.browser().open(&foreign).await.expect_error_page("invalid_request_uri");
    bank.server.clock().advance(Duration::from_secs(600));
    let late = Bank::opening("first", &uri, &[]);
    bank.server.browser().open(&late).await.expect_error_page("invalid_request_uri");
}

/// 47 `…-containing-request_uri-form-param`, 48 `…-invalid-http-method`.
// shows: fapi2-par-authorization-request-containing-request_uri-form-param
// shows: fapi2-par-attempt-invalid-http-method
#[tokio::test]
async fn fapi2_par_refuses_request_uris_and_other_methods() {
    let bank = Bank::start("fapi_20_security").await;
    let uri = bank.pushed("first", &[]).await;
    assert_eq!(bank.refused("first", &[("request_uri", &uri)]).await, "invalid_request");
    bank.server.send(Ask::new(Method::PUT, "/default/bank/par")).await.expect(405);
}

/// 49 `…-par-ensure-pkce-required`, 50 `…-ensure-pkce-code-verifier-required`, 51
/// `…-incorrect-pkce-code-verifier-rejected`, 52 `…-par-plain-pkce-rejected`.
// shows: fapi2-par-pkce-required, fapi2-pkce-code-verifier-required
// shows: fapi2-incorrect-pkce-code-verifier-rejected, fapi2-par-plain-pkce-rejected
#[tokio::test]
async fn fapi2_pkce() {
    let bank = Bank::start("fapi_20_security").await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(bank.refused("first", &without).await, "invalid_request");
    let plain = [("code_challenge", VERIFIER), ("code_challenge_method", "plain")];
    assert_eq!(bank.refused("first", &plain).await, "invalid_request");
    // Also where the workspace lists it: the profile narrows the settings.
    let methods = json!({"code_challenge_methods": ["S256", "plain"]});
    bank.administrator.change("/servers/bank", &methods).await;
    assert_eq!(bank.refused("first", &plain).await, "invalid_request");
    for verifier in ["", "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong"] {
        let code = bank.code("first").await;
        let mut fields = Bank::redemption("first", &code);
        fields.retain(|(name, _)| *name != "code_verifier");
        if !verifier.is_empty() {
            fields.push(("code_verifier", verifier));
        }
        let refused = bank.token(bank.asserted("/oauth2/token", "first", &fields)).await;
        refused.expect_error(400, "invalid_grant");
    }
}

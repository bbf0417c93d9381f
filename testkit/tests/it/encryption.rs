//! Encryption in OpenID Connect: what a client is sent (OIDC Core §10.2, OIDC Registration §2) and what it sends
//! (OIDC Core §6.1, RFC 9101 §6.1).

use http::Method;
use jose::{
    Algorithm, ContentEncryption, ContentType, DecryptionKey, Jwe, JwkSet, KeyManagement, SigningKey,
};
use serde_json::{Value, json};
use testkit::{Ask, REDIRECT_URI, RelyingParty, Site, TestServer, VERIFIER, s256, signer, urlencoded};

const NESTED: ContentType<'static> = ContentType { typ: None, cty: Some("JWT") };

fn decryption_key(alg: KeyManagement) -> DecryptionKey {
    let (kid, der) = DecryptionKey::generate(alg).expect("a key");
    DecryptionKey::from_pkcs8(alg, &kid, &der).expect("a key")
}

/// A server, its client `client` with keys for signing and encryption.
struct Party {
    server: TestServer,
    party: RelyingParty,
    signing: SigningKey,
    rsa: DecryptionKey,
    ec: DecryptionKey,
}

impl Party {
    async fn start() -> Self {
        Self::at(TestServer::start().await).await
    }

    async fn at(server: TestServer) -> Self {
        let party = server.party("client");
        let (rsa, ec) = (decryption_key(KeyManagement::RsaOaep256), decryption_key(KeyManagement::EcdhEs));
        let this = Self { server, party, signing: signer(Algorithm::ES256), rsa, ec };
        this.register(&json!({"jwks": this.jwks()})).await;
        this
    }

    fn jwks(&self) -> Value {
        json!({"keys": [self.signing.public_jwk(), self.rsa.public_jwk(), self.ec.public_jwk()]})
    }

    async fn register(&self, members: &Value) {
        self.server.administrator().await.change("/clients/client", members).await;
    }

    /// The content and the header of a token that was encrypted to this client.
    #[track_caller]
    fn open(&self, token: &str) -> (String, jose::JweHeader) {
        let jwe = Jwe::parse(token).expect("five parts");
        let key =
            [&self.rsa, &self.ec].into_iter().find(|key| Some(key.kid()) == jwe.header().kid.as_deref());
        let key = std::slice::from_ref(key.expect("a kid of ours"));
        let plain = jwe.decrypt(key, KeyManagement::ALL, ContentEncryption::ALL).expect("it opens");
        (String::from_utf8(plain.to_vec()).expect("text"), jwe.header().clone())
    }

    async fn server_keys(&self) -> JwkSet {
        let jwks = self.server.get(&self.party.path("/.well-known/jwks.json")).await.expect(200);
        JwkSet::parse(&jwks.body).expect("a key set")
    }

    /// The token inside, whose signature holds.
    async fn nested(&self, token: &str) -> Value {
        let (inside, header) = self.open(token);
        assert_eq!(header.cty.as_deref(), Some("JWT"), "RFC 7519 §5.2");
        let jwks = self.server.get(&self.party.path("/.well-known/jwks.json")).await.expect(200);
        Value::Object(testkit::verified(&inside, &jwks.body))
    }

    async fn encrypt_to_server(&self, alg: KeyManagement, enc: ContentEncryption, plain: &str) -> String {
        let key = self.server_keys().await.encryption_key(alg).expect("a published key with use enc");
        key.encrypt(alg, enc, NESTED, plain.as_bytes()).expect("a token")
    }

    /// The whole request as a signed object.
    fn object(&self) -> String {
        let now = engine::Clock::now(self.server.clock()).seconds();
        let claims = json!({
            "iss": "client", "aud": self.party.issuer(), "exp": now + 60, "iat": now,
            "client_id": "client", "response_type": "code", "scope": "openid", "state": "inside",
            "redirect_uri": self.party.redirect_uri, "code_challenge": s256(VERIFIER), "code_challenge_method": "S256",
        });
        self.signing.sign_jwt("oauth-authz-req+jwt", &claims).expect("a signature")
    }

    /// `state` of a request with that object, or the error.
    async fn authorize(&self, object: &str) -> Result<String, String> {
        let fields = [
            ("client_id", "client"),
            ("response_type", "code"),
            ("scope", "openid"),
            ("redirect_uri", self.party.redirect_uri.as_str()),
            ("request", object),
        ];
        let url = self.party.path(&format!("/oauth2/authorize?{}", urlencoded(&fields)));
        let answer = self.server.browser().authorize(&url).await;
        match answer.response_parameter("code") {
            Some(_) => Ok(answer.response_parameter("state").unwrap_or_default()),
            None => Err(answer.response_parameter("error").expect("an error")),
        }
    }
}

#[tokio::test]
async fn oidc_core_10_2_id_tokens_are_signed_and_then_encrypted_to_the_client() {
    let party = Party::start().await;
    for (alg, enc, expected) in [
        ("RSA-OAEP-256", "A256GCM", "A256GCM"),
        ("RSA-OAEP", "A128GCM", "A128GCM"),
        ("ECDH-ES", "A256CBC-HS512", "A256CBC-HS512"),
        ("ECDH-ES+A128KW", "", "A128CBC-HS256"),
        ("ECDH-ES+A256KW", "A256GCM", "A256GCM"),
    ] {
        party
            .register(
                &json!({"id_token_encrypted_response_alg": alg, "id_token_encrypted_response_enc": enc}),
            )
            .await;
        let tokens = party.party.clone().with_scope("openid offline_access").tokens().await;
        let (_, header) = party.open(tokens.id_token());
        assert_eq!((header.alg.as_str(), header.enc.as_str()), (alg, expected));
        let claims = party.nested(tokens.id_token()).await;
        assert_eq!((&claims["aud"], &claims["iss"]), (&json!("client"), &json!(party.party.issuer())));
        let refreshed = party.party.refresh(tokens.refresh_token()).await.expect(200).json();
        let again = party.nested(refreshed["id_token"].as_str().expect("id_token")).await;
        assert_eq!(again["sub"], claims["sub"]);
        // Access tokens are the resource server's and stay as they are.
        testkit::claims(tokens.access_token());
    }
    party
        .register(&json!({"id_token_encrypted_response_alg": "", "id_token_encrypted_response_enc": ""}))
        .await;
    testkit::claims(party.party.tokens().await.id_token());
}

#[tokio::test]
async fn oidc_core_5_3_2_userinfo_is_encrypted_signed_or_both() {
    let party = Party::start().await;
    let token = party.party.tokens().await.access_token().to_owned();
    let plain = party.party.userinfo(&token).await.expect(200);
    assert!(plain.header("content-type").starts_with("application/json"));
    party.register(&json!({"userinfo_encrypted_response_alg": "RSA-OAEP-256"})).await;
    let encrypted = party.party.userinfo(&token).await.expect(200);
    assert!(encrypted.header("content-type").starts_with("application/jwt"));
    let (inside, header) = party.open(&encrypted.text());
    assert_eq!((header.cty, header.enc.as_str()), (None, "A128CBC-HS256"));
    let claims: Value = serde_json::from_str(&inside).expect("claims");
    assert_eq!(claims, plain.json());
    party.register(&json!({"userinfo_signed_response_alg": "RS256"})).await;
    let both = party.party.userinfo(&token).await.expect(200);
    assert!(both.header("content-type").starts_with("application/jwt"));
    let claims = party.nested(&both.text()).await;
    assert_eq!((&claims["sub"], &claims["aud"]), (&plain.json()["sub"], &json!("client")));
    assert_eq!(testkit::header(&party.open(&both.text()).0)["alg"], "RS256");
}

/// What was to be hidden is never sent in the open.
#[tokio::test]
async fn without_a_key_nothing_is_sent_and_nothing_is_used_up() {
    let party = Party::at(TestServer::reaching_loopback().await).await;
    let site = Site::start().await;
    let signing_only = json!({"keys": [party.signing.public_jwk()]}).to_string();
    site.put("/jwks", "", &signing_only);
    let members = json!({
        "jwks": null, "jwks_uri": site.url("/jwks"),
        "id_token_encrypted_response_alg": "ECDH-ES", "userinfo_encrypted_response_alg": "ECDH-ES",
    });
    party.register(&members).await;
    let code = party.party.code().await;
    let refusal = party.party.redeem(&code).await.expect_error(400, "invalid_request").text();
    assert!(refusal.contains("ECDH-ES"), "it says what is missing: {refusal}");
    // The client publishes its key, with another one before it, and the same code is good.
    party.server.clock().advance(std::time::Duration::from_secs(400));
    site.put("/jwks", "", &party.jwks().to_string());
    let tokens = party.party.redeem(&code).await.expect(200).json();
    party.nested(tokens["id_token"].as_str().expect("id_token")).await;
    let access_token = tokens["access_token"].as_str().expect("access_token").to_owned();
    party.open(&party.party.userinfo(&access_token).await.expect(200).text());
    // It goes, and after the life of what was fetched userinfo is refused.
    site.put("/jwks", "", &signing_only);
    party.server.clock().advance(std::time::Duration::from_secs(400));
    let answer = party.party.userinfo(&access_token).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn an_administrator_cannot_register_what_would_not_work() {
    let party = Party::start().await;
    let administrator = party.server.administrator().await;
    let before = administrator.get("/clients/client").await.expect(200).json();
    for (members, wrong) in [
        (json!({"id_token_encrypted_response_enc": "A256GCM"}), "id_token_encrypted_response_enc"),
        (json!({"id_token_encrypted_response_alg": "RSA1_5"}), "id_token_encrypted_response_alg"),
        (json!({"userinfo_encrypted_response_alg": "dir"}), "userinfo_encrypted_response_alg"),
        (
            json!({"userinfo_encrypted_response_alg": "ECDH-ES", "userinfo_encrypted_response_enc": "A128CBC"}),
            "userinfo_encrypted_response_enc",
        ),
        (json!({"request_object_encryption_enc": "A256GCM"}), "request_object_encryption_enc"),
        (
            json!({"jwks": null, "id_token_encrypted_response_alg": "ECDH-ES"}),
            "id_token_encrypted_response_alg",
        ),
    ] {
        let mut document = before.clone();
        for (name, value) in members.as_object().expect("members") {
            document[name] = value.clone();
        }
        let answer = administrator.put("/clients/client", &document).await.expect(422);
        assert!(answer.text().contains(wrong), "{members}: {}", answer.text());
    }
    let good = json!({
        "id_token_encrypted_response_alg": "ECDH-ES", "userinfo_encrypted_response_alg": "RSA-OAEP",
        "userinfo_encrypted_response_enc": "A256GCM", "request_object_encryption_alg": "ECDH-ES",
        "request_object_encryption_enc": "A128GCM",
    });
    party.register(&good).await;
    let after = administrator.get("/clients/client").await.expect(200).json();
    for (name, value) in good.as_object().expect("members") {
        assert_eq!(&after[name], value);
    }
    administrator.put("/clients/client", &after).await.expect(200);
}

#[tokio::test]
async fn a_registering_client_and_one_of_a_document_get_encrypted_tokens() {
    let server = TestServer::reaching_loopback().await;
    let settings = json!({"dynamic_client_registration": {"enabled": true}});
    server.administrator().await.change("/servers/default", &settings).await;
    let party = Party::at(server).await;
    let register = async |members: Value| {
        let mut metadata = json!({"redirect_uris": [REDIRECT_URI], "jwks": party.jwks()});
        for (name, value) in members.as_object().expect("members") {
            metadata[name] = value.clone();
        }
        party.server.send(Ask::json(Method::POST, "/default/default/oauth2/register", &metadata)).await
    };
    let made = register(json!({"id_token_encrypted_response_alg": "RSA-OAEP"})).await.expect(201).json();
    assert_eq!(
        made["id_token_encrypted_response_enc"], "A128CBC-HS256",
        "OIDC Registration §2: the default is shown"
    );
    let text = |member: &str| made[member].as_str().expect("text");
    let client = party.server.party_at("/default/default", text("client_id"), Some(text("client_secret")));
    let claims = party.nested(client.tokens().await.id_token()).await;
    assert_eq!(claims["aud"], made["client_id"]);
    for members in [
        json!({"userinfo_encrypted_response_enc": "A128GCM"}),
        json!({"id_token_encrypted_response_alg": "RSA1_5"}),
        json!({"request_object_encryption_alg": "A128KW"}),
        json!({"jwks": null, "userinfo_encrypted_response_alg": "RSA-OAEP"}),
    ] {
        register(members).await.expect_error(400, "invalid_client_metadata");
    }
    // A document that everybody can read holds public keys all the same.
    let site = Site::start().await;
    let id = site.url("/client.json");
    let document = json!({
        "client_id": id, "client_name": "A document", "redirect_uris": [REDIRECT_URI], "jwks": party.jwks(),
        "token_endpoint_auth_method": "none", "id_token_encrypted_response_alg": "ECDH-ES",
    });
    site.put("/client.json", "", &document.to_string());
    let described = party.server.party_at("/default/default", &id, None);
    let claims = party.nested(described.tokens().await.id_token()).await;
    assert_eq!(claims["aud"], json!(id));
    let other = site.url("/other.json");
    let mut keyless = document;
    keyless["client_id"] = json!(other);
    keyless["jwks"] = json!({"keys": [party.signing.public_jwk()]});
    site.put("/other.json", "", &keyless.to_string());
    let described = party.server.party_at("/default/default", &other, None);
    party.server.browser().load(&described.authorize_url(&[])).await.expect_error_page("invalid_request");
}

/// OIDC Core §3.1.2.1: the client decrypts what was encrypted to it; it may encrypt what is inside to us.
#[tokio::test]
async fn an_encrypted_hint_is_opened_if_it_is_ours_to_open() {
    let party = Party::start().await;
    party.register(&json!({"id_token_encrypted_response_alg": "RSA-OAEP-256"})).await;
    let browser = party.server.browser();
    let tokens = party.party.tokens_in(&browser).await;
    let hinted = async |hint: &str| {
        let answer =
            browser.load(&party.party.authorize_url(&[("prompt", "none"), ("id_token_hint", hint)])).await;
        (answer.response_parameter("code").is_some(), answer.response_parameter("error"))
    };
    let to_client = tokens.id_token();
    assert_eq!(hinted(to_client).await, (false, Some("invalid_request".to_owned())));
    let (signed, _) = party.open(to_client);
    assert_eq!(hinted(&signed).await, (true, None));
    for alg in [KeyManagement::RsaOaep256, KeyManagement::EcdhEs] {
        let to_us = party.encrypt_to_server(alg, ContentEncryption::A128CbcHs256, &signed).await;
        assert_eq!(hinted(&to_us).await, (true, None), "{alg}");
        let forged = party.encrypt_to_server(alg, ContentEncryption::A128CbcHs256, &party.object()).await;
        assert_eq!(hinted(&forged).await.1.as_deref(), Some("invalid_request"), "encryption proves nothing");
    }
}

#[tokio::test]
async fn rfc_9101_6_1_request_objects_are_encrypted_to_the_workspace() {
    let party = Party::start().await;
    let discovery = party.party.path("/.well-known/openid-configuration");
    let discovery = party.server.get(&discovery).await.expect(200).json();
    let listed = |member: &str| discovery[member].as_array().cloned().unwrap_or_default();
    let algorithms = listed("request_object_encryption_alg_values_supported");
    let encryptions = listed("request_object_encryption_enc_values_supported");
    assert_eq!((algorithms.len(), encryptions.len()), (5, 4), "{discovery}");
    for (index, alg) in algorithms.iter().enumerate() {
        let alg = KeyManagement::parse(alg.as_str().expect("a name")).expect("a known name");
        let enc = encryptions[index % encryptions.len()].as_str().expect("a name");
        let enc = ContentEncryption::parse(enc).expect("a known name");
        let object = party.encrypt_to_server(alg, enc, &party.object()).await;
        assert_eq!(party.authorize(&object).await, Ok("inside".to_owned()), "{alg} {enc}");
    }
    // Pushed, too (RFC 9126 §3).
    let object =
        party.encrypt_to_server(KeyManagement::EcdhEs, ContentEncryption::A256Gcm, &party.object()).await;
    let pushed = party.party.authenticated("/par", &[("client_id", "client"), ("request", &object)]);
    party.server.send(pushed).await.expect(201);
}

#[tokio::test]
async fn jar_03_jar_12_encryption_is_no_signature_and_what_does_not_open_is_refused() {
    let party = Party::start().await;
    let (alg, enc) = (KeyManagement::EcdhEs, ContentEncryption::A128CbcHs256);
    let refused = async |object: &str, what: &str| {
        assert_eq!(party.authorize(object).await, Err("invalid_request_object".to_owned()), "{what}");
    };
    let foreign = signer(Algorithm::ES256);
    let forged = testkit::claims(&party.object());
    let unsigned = testkit::unsigned(&json!({"alg": "none"}), &forged);
    assert_eq!(
        party.authorize(&party.encrypt_to_server(alg, enc, &unsigned).await).await,
        Err("request_not_supported".to_owned())
    );
    let by_another = foreign.sign_jwt("JWT", &forged).expect("a signature");
    refused(&party.encrypt_to_server(alg, enc, &by_another).await, "a foreign signature").await;
    refused(&party.encrypt_to_server(alg, enc, &forged.to_string()).await, "claims that nobody signed").await;
    let once = party.encrypt_to_server(alg, enc, &party.object()).await;
    refused(&party.encrypt_to_server(alg, enc, &once).await, "encrypted twice").await;
    // To a key that is not ours, altered, or with a header that asks for more.
    let other = jose::EncryptionKey::from_jwk(decryption_key(alg).public_jwk()).expect("a key");
    let elsewhere = other.encrypt(alg, enc, NESTED, party.object().as_bytes()).expect("a token");
    refused(&elsewhere, "to another key").await;
    let (start, _) = once.rsplit_once('.').expect("five parts");
    refused(&format!("{start}.AAAAAAAAAAAAAAAAAAAAAA"), "another tag").await;
    let (protected, rest) = once.split_once('.').expect("five parts");
    for (name, value) in [
        ("zip", json!("DEF")),
        ("crit", json!(["exp"])),
        ("p2c", json!(1_000_000)),
        ("alg", json!("dir")),
        ("alg", json!("RSA1_5")),
        ("enc", json!("none")),
        ("kid", json!("unknown")),
    ] {
        let mut header = testkit::header(&format!("{protected}.."));
        header[name] = value;
        let object = format!("{}.{rest}", jose::base64url::encode(header.to_string().as_bytes()));
        refused(&object, name).await;
    }
}

/// Contract: encryption keys are rotated and revoked like those that sign.
#[tokio::test]
async fn encryption_keys_are_published_rotated_and_revoked() {
    let party = Party::start().await;
    let administrator = party.server.administrator().await;
    let published = async || {
        let keys = party.server_keys().await.keys;
        let enc = keys.into_iter().filter(|key| key.use_.as_deref() == Some("enc"));
        enc.map(|key| (key.kty, key.kid.expect("kid"))).collect::<Vec<_>>()
    };
    let before = published().await;
    let mut kinds: Vec<_> = before.iter().map(|(kty, _)| kty.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["EC", "RSA"]);
    let listed = administrator.get("/servers/default/keys?use=enc").await.expect(200).json();
    assert_eq!(listed["current_key"]["use"], "enc");
    assert_eq!(listed["current_key"]["kty"], "RSA");
    assert_eq!(listed["other_keys"][0]["kty"], "EC");
    let signing = administrator.get("/servers/default/keys").await.expect(200).json();
    assert_eq!(signing["current_key"]["use"], "sig");
    assert!(!signing.to_string().contains("\"enc\""), "{signing}");
    // Sent just before the rotation, read just after.
    let object = party.object();
    let old = party.encrypt_to_server(KeyManagement::EcdhEs, ContentEncryption::A128Gcm, &object).await;
    let rotated = administrator.post("/servers/default/keys/rotate?use=enc&key_type=ecdsa", &json!({})).await;
    let new_kid = rotated.expect(200).json()["kid"].as_str().expect("kid").to_owned();
    let after = published().await;
    let old_kid = before.iter().find(|(kty, _)| kty == "EC").map(|(_, kid)| kid.clone()).expect("an EC key");
    assert!(after.iter().any(|(_, kid)| *kid == new_kid) && !after.iter().any(|(_, kid)| *kid == old_kid));
    assert_eq!(after.len(), 2);
    assert_eq!(party.authorize(&old).await, Ok("inside".to_owned()));
    let new = party.encrypt_to_server(KeyManagement::EcdhEs, ContentEncryption::A128Gcm, &object).await;
    assert_eq!(party.authorize(&new).await, Ok("inside".to_owned()));
    let revoke = format!("/servers/default/keys/revoke/{old_kid}?use=enc");
    administrator.post(&revoke, &json!({})).await.expect(200);
    assert_eq!(party.authorize(&old).await, Err("invalid_request_object".to_owned()));
    assert_eq!(party.authorize(&new).await, Ok("inside".to_owned()));
    administrator.post("/servers/default/keys/rotate?use=enc&key_type=eddsa", &json!({})).await.expect(400);
    administrator.get("/servers/default/keys?use=other").await.expect(400);
}

//! Everything that a restart, a backup or a new version must not end: made, kept beside its database, and tried.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use engine::Clock;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use testkit::{ACME_SECRET, Browser, RelyingParty, SEAL_KEY, TestServer, VERIFIER, claims, s256, urlencoded};

const JWKS: &str = "/default/default/.well-known/jwks.json";
const KEY: &str = "seal.key";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The handles of what lives in a database, as the clients and people hold them.
#[derive(Serialize, Deserialize)]
pub(super) struct Living {
    /// What the clock showed, in milliseconds.
    pub(super) now: i64,
    /// A browser that is logged in and has said yes to `client`.
    cookies: BTreeMap<String, String>,
    /// The subject of that session.
    sub: String,
    code: String,
    used_code: String,
    /// A refresh token, and the one before it.
    refresh_token: String,
    replaced_refresh_token: String,
    /// The same of another family, of which the replaced one is shown once more.
    stolen_successor: String,
    stolen_refresh_token: String,
    access_token: String,
    id_token: String,
    revoked_access_token: String,
    revoked_refresh_token: String,
    request_uri: String,
    device_code: String,
    verification: String,
    /// The public keys of the workspace.
    kids: Vec<String>,
}

/// The key that a database is sealed with.
pub(super) fn seal_key(data: &Path) -> [u8; 32] {
    let text = std::fs::read_to_string(data.with_file_name(KEY)).unwrap();
    jose::base64url::decode(text.trim()).unwrap().try_into().unwrap()
}

fn party(server: &TestServer) -> RelyingParty {
    server.party("client").with_scope("openid profile offline_access")
}

impl Living {
    /// Makes one of each.
    pub(super) async fn make(server: &TestServer) -> Self {
        let party = party(server);
        let browser = server.browser();
        let used_code = party.code_in(&browser).await;
        let first = party.redeem(&used_code).await.expect(200).json();
        let text = |value: &Value, name: &str| value[name].as_str().expect("a string").to_owned();
        let second = party.refresh(&text(&first, "refresh_token")).await.expect(200).json();
        let stolen = party.tokens_in(&browser).await;
        let successor = party.refresh(stolen.refresh_token()).await.expect(200).json();
        let revoked = party.tokens_in(&browser).await;
        party.revoke(revoked.access_token()).await.expect(200);
        let ended = party.tokens_in(&browser).await;
        party.revoke(ended.refresh_token()).await.expect(200);
        // Beyond the window in which a retry gets the same successor.
        server.clock().advance(Duration::from_secs(61));
        let tv = server.party("tv");
        let asked = tv.authenticated("/device/authorization", &[("scope", "openid offline_access")]);
        let device = server.send(asked).await.expect(200).json();
        let pushed = party.authenticated("/par", &pushed(&party, &s256(VERIFIER)));
        let pushed = server.send(pushed).await.expect(201).json();
        Self {
            sub: claims(&text(&first, "id_token"))["sub"].as_str().expect("sub").to_owned(),
            code: party.code_in(&browser).await,
            used_code,
            refresh_token: text(&second, "refresh_token"),
            replaced_refresh_token: text(&first, "refresh_token"),
            stolen_successor: text(&successor, "refresh_token"),
            stolen_refresh_token: stolen.refresh_token().to_owned(),
            access_token: text(&second, "access_token"),
            id_token: text(&first, "id_token"),
            revoked_access_token: revoked.access_token().to_owned(),
            revoked_refresh_token: ended.refresh_token().to_owned(),
            request_uri: text(&pushed, "request_uri"),
            device_code: text(&device, "device_code"),
            verification: text(&device, "verification_uri_complete"),
            kids: kids(server).await,
            cookies: browser
                .cookie_names()
                .into_iter()
                .filter_map(|name| Some((name.clone(), browser.cookie(&name)?)))
                .collect(),
            now: server.clock().now().millis(),
        }
    }

    /// Writes it beside its database, with the key that the database is sealed with.
    pub(super) fn keep(&self, data: &Path) {
        let text = serde_json::to_string_pretty(self).unwrap() + "\n";
        std::fs::write(data.with_added_extension("json"), text).unwrap();
        std::fs::write(data.with_file_name(KEY), jose::base64url::encode(&SEAL_KEY) + "\n").unwrap();
    }

    /// Reads what was kept beside a database.
    pub(super) fn kept(data: &Path) -> Self {
        let file = data.with_added_extension("json");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        serde_json::from_str(&text).unwrap()
    }

    /// Tries all of it: nothing was lost, and nothing came back.
    pub(super) async fn check(&self, server: &TestServer) {
        self.keys(server).await;
        self.session_and_consent(server).await;
        self.tokens(server).await;
        self.code(server).await;
        self.waiting(server).await;
        self.tenants(server).await;
        self.replays(server).await;
    }

    /// Keys are opened and sign, and those that sign are those that were published.
    async fn keys(&self, server: &TestServer) {
        let published = kids(server).await;
        assert!(self.kids.iter().all(|kid| published.contains(kid)), "{published:?}");
        let tokens = party(server).tokens().await;
        let kid = testkit::header(tokens.id_token())["kid"].as_str().unwrap().to_owned();
        assert!(self.kids.contains(&kid), "{kid} is new");
        let set = server.get(JWKS).await.expect(200).body;
        assert_eq!(testkit::verified(tokens.id_token(), &set)["aud"], "client");
    }

    /// No password and no question.
    async fn session_and_consent(&self, server: &TestServer) {
        let party = party(server);
        let answer = self.browser(server).load(&party.authorize_url(&[("prompt", "none")])).await;
        let code = answer.response_parameter("code");
        let code = code.unwrap_or_else(|| panic!("{} {}", answer.status, answer.location()));
        let tokens = party.redeem(&code).await.expect(200).json();
        assert_eq!(claims(tokens["id_token"].as_str().unwrap())["sub"], *self.sub);
        let other = server.party("app");
        let answer = self.browser(server).load(&other.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(answer.response_parameter("error").as_deref(), Some("consent_required"));
    }

    async fn tokens(&self, server: &TestServer) {
        let party = party(server);
        assert!(party.is_active(&self.access_token).await);
        assert_eq!(party.userinfo(&self.access_token).await.expect(200).json()["sub"], *self.sub);
        assert!(!party.is_active(&self.revoked_access_token).await);
        party.userinfo(&self.revoked_access_token).await.expect(401);
        party.refresh(&self.revoked_refresh_token).await.expect_error(400, "invalid_grant");
        let refreshed = party.refresh(&self.refresh_token).await.expect(200).json();
        let again = refreshed["refresh_token"].as_str().unwrap();
        party.refresh(again).await.expect(200);
        let hint = [("id_token_hint", self.id_token.as_str()), ("prompt", "none")];
        let answer = self.browser(server).load(&party.authorize_url(&hint)).await;
        assert!(answer.response_parameter("code").is_some(), "{}", answer.location());
    }

    async fn code(&self, server: &TestServer) {
        let tokens = party(server).redeem(&self.code).await.expect(200).json();
        assert_eq!(claims(tokens["id_token"].as_str().unwrap())["sub"], *self.sub);
    }

    /// What waits for somebody: a pushed request and a device.
    async fn waiting(&self, server: &TestServer) {
        let party = party(server);
        let opened = [("client_id", party.client_id.as_str()), ("request_uri", &self.request_uri)];
        let path = party.path(&format!("/oauth2/authorize?{}", urlencoded(&opened)));
        let answer = self.browser(server).load(&path).await;
        assert_eq!(answer.response_parameter("state").as_deref(), Some("pushed"), "{}", answer.text());
        let tv = server.party("tv");
        let poll = [("grant_type", DEVICE_CODE), ("device_code", self.device_code.as_str())];
        tv.token(&poll).await.expect_error(400, "authorization_pending");
        let browser = self.browser(server);
        let page = browser.open(&self.verification).await;
        browser.submit(&page.form("device-confirm-form").with("decision", "allow")).await.expect(200);
        server.clock().advance(Duration::from_secs(10));
        tv.token(&poll).await.expect(200);
    }

    /// Documents are read and put back, and the other tenant is there too.
    async fn tenants(&self, server: &TestServer) {
        let administrator = server.administrator().await;
        for path in ["/servers/default", "/clients/client"] {
            let document = administrator.get(path).await.expect(200).json();
            administrator.put(path, &document).await.expect(200);
        }
        server.party("client").client_credentials("").await.expect(200);
        let acme = server.party_at("/acme/admin", "acme-admin", Some(ACME_SECRET));
        acme.client_credentials("").await.expect(200);
    }

    /// What was used up stays so, and ends what it led to.
    async fn replays(&self, server: &TestServer) {
        let party = party(server);
        party.redeem(&self.code).await.expect_error(400, "invalid_grant");
        party.refresh(&self.stolen_refresh_token).await.expect_error(400, "invalid_grant");
        party.refresh(&self.stolen_successor).await.expect_error(400, "invalid_grant");
        assert!(party.is_active(&self.access_token).await);
        party.refresh(&self.replaced_refresh_token).await.expect_error(400, "invalid_grant");
        party.redeem(&self.used_code).await.expect_error(400, "invalid_grant");
        assert!(!party.is_active(&self.access_token).await, "its family is revoked");
    }

    fn browser(&self, server: &TestServer) -> Browser {
        let browser = server.browser();
        for (name, value) in &self.cookies {
            browser.set_cookie(name, value);
        }
        browser
    }
}

/// The parameters of a pushed request.
fn pushed<'a>(party: &'a RelyingParty, challenge: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("client_id", party.client_id.as_str()),
        ("scope", party.scope.as_str()),
        ("redirect_uri", party.redirect_uri.as_str()),
        ("response_type", "code"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
        ("state", "pushed"),
    ]
}

async fn kids(server: &TestServer) -> Vec<String> {
    let set = server.get(JWKS).await.expect(200).json();
    let keys = set["keys"].as_array().expect("keys").clone();
    keys.iter().map(|key| key["kid"].as_str().expect("kid").to_owned()).collect()
}

//! A client: makes authorization URLs, redeems codes, refreshes, asks about tokens.

use serde_json::{Value, json};

use crate::{Answer, Ask, Browser, DpopKey, ORIGIN, TestServer, urlencoded};

pub const REDIRECT_URI: &str = "https://example.com/callback";
/// The code verifier of RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The S256 code challenge of a verifier (RFC 7636 §4.2).
pub fn s256(verifier: &str) -> String {
    jose::base64url::encode(&jose::sha256(verifier.as_bytes()))
}

/// A registered client, as its developer knows it.
#[derive(Clone)]
pub struct RelyingParty {
    server: TestServer,
    /// `/{tid}/{aid}`.
    pub workspace: String,
    pub client_id: String,
    /// Sent with HTTP Basic; a public client has none.
    pub secret: Option<String>,
    pub redirect_uri: String,
    pub scope: String,
    /// Its tokens are bound to this key (RFC 9449).
    pub dpop: Option<DpopKey>,
}

/// A successful token response.
#[derive(Clone)]
pub struct Tokens(pub Value);

impl Tokens {
    #[track_caller]
    pub fn access_token(&self) -> &str {
        self.0["access_token"].as_str().expect("access_token")
    }

    #[track_caller]
    pub fn id_token(&self) -> &str {
        self.0["id_token"].as_str().expect("id_token")
    }

    #[track_caller]
    pub fn refresh_token(&self) -> &str {
        self.0["refresh_token"].as_str().expect("refresh_token")
    }
}

impl RelyingParty {
    pub(crate) fn new(server: &TestServer, workspace: &str, client_id: &str, secret: Option<&str>) -> Self {
        Self {
            server: server.clone(),
            workspace: workspace.to_owned(),
            client_id: client_id.to_owned(),
            secret: secret.map(str::to_owned),
            redirect_uri: REDIRECT_URI.to_owned(),
            scope: "openid".to_owned(),
            dpop: None,
        }
    }

    pub fn with_scope(mut self, scope: &str) -> Self {
        self.scope = scope.to_owned();
        self
    }

    pub fn with_dpop(mut self, key: &DpopKey) -> Self {
        self.dpop = Some(key.clone());
        self
    }

    pub fn with_redirect_uri(mut self, redirect_uri: &str) -> Self {
        self.redirect_uri = redirect_uri.to_owned();
        self
    }

    pub fn issuer(&self) -> String {
        format!("{ORIGIN}{}", self.workspace)
    }

    pub fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.workspace)
    }

    /// The quick start's authorization request, with further parameters.
    pub fn authorize_url(&self, more: &[(&str, &str)]) -> String {
        let challenge = s256(VERIFIER);
        let own = [
            ("client_id", self.client_id.as_str()),
            ("scope", self.scope.as_str()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("response_type", "code"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let kept = own.into_iter().filter(|(name, _)| !more.iter().any(|(n, _)| n == name));
        let fields: Vec<(&str, &str)> =
            kept.chain(more.iter().copied().filter(|(_, value)| !value.is_empty())).collect();
        self.path(&format!("/oauth2/authorize?{}", urlencoded(&fields)))
    }

    /// Plays a new user through login and consent; the code.
    pub async fn code(&self) -> String {
        self.code_in(&self.server.browser()).await
    }

    /// Plays the user of `browser`; the code.
    pub async fn code_in(&self, browser: &Browser) -> String {
        self.code_with(browser, &[]).await
    }

    pub async fn code_with(&self, browser: &Browser, more: &[(&str, &str)]) -> String {
        let answer = browser.authorize(&self.authorize_url(more)).await;
        assert!(answer.is_redirect(), "{} {}", answer.status, answer.text());
        answer.response_parameter("code").unwrap_or_else(|| panic!("no code in {}", answer.location()))
    }

    /// A token request with the client's own authentication.
    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.server.send(self.authenticated("/oauth2/token", fields)).await
    }

    /// A form POST with the client's own authentication and a proof of its key, if it has one; to be changed before it is
    /// sent.
    pub fn authenticated(&self, path: &str, fields: &[(&str, &str)]) -> Ask {
        let ask = self.without_proof(path, fields);
        match &self.dpop {
            Some(key) => ask.proof(&key.proof("POST", &self.path(path))),
            None => ask,
        }
    }

    /// A form POST with the client's own authentication alone.
    pub fn without_proof(&self, path: &str, fields: &[(&str, &str)]) -> Ask {
        let mut fields = fields.to_vec();
        match &self.secret {
            Some(secret) => Ask::form(&self.path(path), &fields).basic(&self.client_id, secret),
            None => {
                if !fields.iter().any(|(name, _)| *name == "client_id") {
                    fields.push(("client_id", self.client_id.as_str()));
                }
                Ask::form(&self.path(path), &fields)
            }
        }
    }

    /// The fields with which this client redeems a code.
    pub fn redemption<'a>(&'a self, code: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", VERIFIER),
        ]
    }

    pub async fn redeem(&self, code: &str) -> Answer {
        self.token(&self.redemption(code)).await
    }

    /// Tokens from a whole new authorization.
    pub async fn tokens(&self) -> Tokens {
        let code = self.code().await;
        Tokens(self.redeem(&code).await.expect(200).json())
    }

    pub async fn tokens_in(&self, browser: &Browser) -> Tokens {
        let code = self.code_in(browser).await;
        Tokens(self.redeem(&code).await.expect(200).json())
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    pub async fn client_credentials(&self, scope: &str) -> Answer {
        let mut fields = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            fields.push(("scope", scope));
        }
        self.token(&fields).await
    }

    pub async fn introspect(&self, token: &str) -> Value {
        let ask = self.authenticated("/oauth2/introspect", &[("token", token)]);
        self.server.send(ask).await.expect(200).json()
    }

    pub async fn is_active(&self, token: &str) -> bool {
        let answer = self.introspect(token).await;
        let active = answer["active"] == true;
        if !active {
            assert_eq!(answer, json!({"active": false}), "INT-06: an inactive answer says nothing else");
        }
        active
    }

    pub async fn revoke(&self, token: &str) -> Answer {
        self.server.send(self.authenticated("/oauth2/revoke", &[("token", token)])).await
    }

    pub async fn userinfo(&self, access_token: &str) -> Answer {
        let ask = Ask::get(&self.path("/userinfo"));
        let ask = match &self.dpop {
            Some(key) => ask.dpop(access_token, key),
            None => ask.bearer(access_token),
        };
        self.server.send(ask).await
    }
}

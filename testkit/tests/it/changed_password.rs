//! A changed password ends what the old one began (attack W-10), and nothing else.

use serde_json::{Value, json};
use testkit::{Administrator, Browser, RelyingParty, TestServer, Tokens};

const PROVIDER: &str = "/servers/default/idps/static/default-sandbox";

/// A person with a session and tokens.
struct Person {
    browser: Browser,
    tokens: Tokens,
}

impl Person {
    async fn log_in(server: &TestServer, party: &RelyingParty, username: &str, password: &str) -> Self {
        let browser = server.browser();
        let page = browser.open(&party.authorize_url(&[])).await;
        let form = page.form("login-form").with("username", username).with("password", password);
        let consent = browser.submit(&form).await;
        let answer = browser.allow(&consent).await;
        let code = answer.response_parameter("code").expect("a code");
        Self { browser, tokens: Tokens(party.redeem(&code).await.expect(200).json()) }
    }

    /// The error of a silent request; nothing while the session stands.
    async fn silent_error(&self, party: &RelyingParty) -> Option<String> {
        let silent = self.browser.load(&party.authorize_url(&[("prompt", "none")])).await;
        silent.response_parameter("error")
    }

    async fn goes_on(&self, party: &RelyingParty) {
        assert_eq!(self.silent_error(party).await, None);
        party.userinfo(self.tokens.access_token()).await.expect(200);
        assert!(party.is_active(self.tokens.access_token()).await);
        assert!(party.is_active(self.tokens.refresh_token()).await);
    }
}

async fn started() -> (TestServer, Administrator, RelyingParty) {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let party = server.party("client").with_scope("openid offline_access");
    let people = json!([{ "username": "user" }, { "username": "ada", "password": "ada's own" }]);
    administrator.change(PROVIDER, &json!({ "users": people })).await;
    (server, administrator, party)
}

/// Gives the person `user` a password; the other is sent as read.
async fn set_password(administrator: &Administrator, password: &str) -> Value {
    let people = json!([{ "username": "user", "password": password }, { "username": "ada" }]);
    administrator.change(PROVIDER, &json!({ "users": people })).await.json()
}

#[tokio::test]
async fn w_10_a_changed_password_ends_session_refresh_and_access_token_of_that_person_alone() {
    let (server, administrator, party) = started().await;
    let user = Person::log_in(&server, &party, "user", "user").await;
    let ada = Person::log_in(&server, &party, "ada", "ada's own").await;
    let unused = party.code_in(&user.browser).await;
    let answer = set_password(&administrator, "another one").await.to_string();
    assert!(!answer.contains("password") && !answer.contains("argon2"), "{answer}");

    assert_eq!(user.silent_error(&party).await.as_deref(), Some("login_required"));
    party.userinfo(user.tokens.access_token()).await.expect(401);
    assert!(!party.is_active(user.tokens.access_token()).await);
    assert!(!party.is_active(user.tokens.refresh_token()).await);
    party.refresh(user.tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    party.redeem(&unused).await.expect_error(400, "invalid_grant");
    ada.goes_on(&party).await;
    party.refresh(ada.tokens.refresh_token()).await.expect(200);

    let page = user.browser.open(&party.authorize_url(&[])).await;
    let again = page.form("login-form").with("username", "user").with("password", "another one");
    let answer = user.browser.submit(&again).await;
    let answer = if answer.has_form("consent-form") { user.browser.allow(&answer).await } else { answer };
    let tokens =
        Tokens(party.redeem(&answer.response_parameter("code").expect("a code")).await.expect(200).json());
    party.userinfo(tokens.access_token()).await.expect(200);
    party.userinfo(user.tokens.access_token()).await.expect(401);
}

#[tokio::test]
async fn w_10_the_same_password_and_a_provider_put_back_end_nothing() {
    let (server, administrator, party) = started().await;
    let user = Person::log_in(&server, &party, "user", "user").await;
    let read = administrator.get(PROVIDER).await.expect(200);
    administrator.put(PROVIDER, &read.json()).await.expect(200);
    user.goes_on(&party).await;
    set_password(&administrator, "user").await;
    user.goes_on(&party).await;
    let claims = json!([{ "username": "user", "authentication_context": { "name": "U. Ser" } }]);
    administrator.change(PROVIDER, &json!({ "users": claims })).await;
    user.goes_on(&party).await;
}

/// The mark of the credential is for the store alone.
#[tokio::test]
async fn w_10_no_token_or_answer_names_the_credential() {
    let (server, _, party) = started().await;
    let user = Person::log_in(&server, &party, "user", "user").await;
    let userinfo = party.userinfo(user.tokens.access_token()).await.expect(200).json();
    let introspected = party.introspect(user.tokens.access_token()).await;
    let told = [
        json!(testkit::claims(user.tokens.access_token())),
        json!(testkit::claims(user.tokens.id_token())),
        userinfo,
        introspected,
    ];
    for told in told {
        assert!(!told.to_string().contains("credential"), "{told}");
    }
}

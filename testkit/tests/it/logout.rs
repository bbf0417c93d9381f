//! Logout that applications ask for (OIDC RP-Initiated Logout 1.0), each module of the certification plan by its name.

use serde_json::json;
use testkit::{Answer, Ask, Browser, ORIGIN, RelyingParty, TestServer, Tokens, urlencoded};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BACK: &str = "https://example.com/signed-out";
const SESSION: &str = "__Host-postern-session-default+default";

/// A person who is logged in at a client that registered where to go afterwards.
struct Scene {
    server: TestServer,
    browser: Browser,
    client: RelyingParty,
    tokens: Tokens,
}

impl Scene {
    async fn new() -> Self {
        Self::at(TestServer::start().await).await
    }

    async fn at(server: TestServer) -> Self {
        let admin = server.administrator().await;
        admin.change("/clients/client", &json!({"post_logout_redirect_uris": [BACK]})).await;
        let (browser, client) = (server.browser(), server.party("client"));
        let tokens = client.tokens_in(&browser).await;
        Self { server, browser, client, tokens }
    }

    fn hint(&self) -> &str {
        self.tokens.id_token()
    }

    fn url(&self, fields: &[(&str, &str)]) -> String {
        self.client.path(&format!("/oidc/logout?{}", urlencoded(fields)))
    }

    async fn ask(&self, fields: &[(&str, &str)]) -> Answer {
        self.browser.load(&self.url(fields)).await
    }

    async fn is_logged_in(&self, browser: &Browser) -> bool {
        let silent = browser.load(&self.client.authorize_url(&[("prompt", "none")])).await;
        match silent.response_parameter("error").as_deref() {
            None => true,
            Some(error) => {
                assert_eq!(error, "login_required");
                false
            }
        }
    }

    /// A refusal is a page, and nothing happened.
    async fn refuses(&self, fields: &[(&str, &str)]) {
        let answer = self.ask(fields).await.expect_error_page("invalid_request");
        assert!(!answer.text().contains(self.hint()), "the hint is personal data");
        assert!(self.is_logged_in(&self.browser).await, "{fields:?}");
    }

    /// The page asks; saying yes ends the session. Where that leads.
    async fn confirms(&self, fields: &[(&str, &str)]) -> Answer {
        let page = self.ask(fields).await.expect(200);
        assert!(page.element("logout-confirm").is_some() && page.element("logout-cancel").is_some());
        assert!(self.is_logged_in(&self.browser).await, "nobody said yes yet");
        let done = self.browser.post(&page.form("logout-form").with("decision", "confirm")).await;
        assert!(!self.is_logged_in(&self.browser).await);
        done
    }
}

#[track_caller]
fn shows_logged_out(answer: Answer) {
    let answer = answer.expect(200);
    assert!(answer.element("logged-out").is_some(), "{}", answer.text());
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let scene = Scene::new().await;
    let document = scene.server.get(&scene.client.path("/.well-known/openid-configuration")).await.json();
    assert_eq!(document["end_session_endpoint"], format!("{}/oidc/logout", scene.client.issuer()));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_lgo_02_the_session_is_over_and_the_state_comes_back() {
    let scene = Scene::new().await;
    let stolen = scene.browser.copy();
    let fields =
        [("id_token_hint", scene.hint()), ("post_logout_redirect_uri", BACK), ("state", "a b&c=d/é")];
    let answer = scene.ask(&fields).await.expect(302);
    let location = answer.location();
    let pairs: Vec<_> = location.query_pairs().into_owned().collect();
    assert_eq!(pairs, [("state".to_owned(), "a b&c=d/é".to_owned())]);
    assert!(location.as_str().starts_with(BACK), "{location}");
    assert!(scene.browser.cookie(SESSION).is_none());
    assert!(!scene.is_logged_in(&scene.browser).await);
    assert!(!scene.is_logged_in(&stolen).await, "LGO-02: the cookie alone is not enough");
    // Again, with nobody logged in: the same answer.
    scene.ask(&fields).await.expect(302);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let scene = Scene::new().await;
    let answer = scene.ask(&[("id_token_hint", scene.hint()), ("post_logout_redirect_uri", BACK)]).await;
    assert_eq!(answer.expect(302).location().as_str(), BACK);
    assert!(!scene.is_logged_in(&scene.browser).await);
}

/// LGO-03: no redirect anywhere, whoever is said to ask.
async fn never_leads_to(uris: &[&str]) {
    let scene = Scene::new().await;
    for uri in uris {
        scene.refuses(&[("id_token_hint", scene.hint()), ("post_logout_redirect_uri", uri)]).await;
        scene.refuses(&[("client_id", "client"), ("post_logout_redirect_uri", uri)]).await;
    }
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri_lgo_03() {
    never_leads_to(&["https://example.com/signed-out?foo=bar", "https://example.com/signed-out?"]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri_lgo_03() {
    let uris = [
        "https://example.com/elsewhere",
        "https://example.com/signed-out/",
        "https://example.com/signed-out#x",
        "https://example.com.evil.example/signed-out",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
    ];
    never_leads_to(&uris).await;
}

/// The hint without a signature (`alg` none), and signed by a foreign key.
fn unsecured_and_foreign(hint: &str) -> [String; 2] {
    let payload = hint.split('.').nth(1).unwrap();
    let unsecured = format!("{}.{payload}.", jose::base64url::encode(br#"{"alg":"none"}"#));
    let payload = jose::base64url::decode(payload).unwrap();
    [unsecured, testkit::signer(jose::Algorithm::ES256).sign_jwt_bytes("JWT", &payload).unwrap()]
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let scene = Scene::new().await;
    let [unsecured, _] = unsecured_and_foreign(scene.hint());
    scene.refuses(&[("id_token_hint", &unsecured), ("post_logout_redirect_uri", BACK)]).await;
    scene.refuses(&[("id_token_hint", &unsecured)]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let scene = Scene::new().await;
    let [_, foreign] = unsecured_and_foreign(scene.hint());
    for hint in [foreign, scene.tokens.access_token().to_owned(), "garbage".to_owned()] {
        scene.refuses(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BACK)]).await;
        scene.refuses(&[("id_token_hint", &hint)]).await;
    }
}

/// The plan runs with each response type: what the hint came by makes no difference.
#[tokio::test]
async fn oidcc_rp_initiated_logout_with_a_hint_of_each_response_type() {
    let scene = Scene::new().await;
    let admin = scene.server.administrator().await;
    let grant_types = ["authorization_code", "implicit", "refresh_token", "client_credentials"];
    admin.change("/servers/default", &json!({ "grant_types": grant_types })).await;
    let types = ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];
    let members = json!({"grant_types": grant_types[..3], "response_types": types});
    admin.change("/clients/client", &members).await;
    for response_type in types {
        let ask = |prompt| {
            let params =
                [("response_type", response_type), ("nonce", "n"), ("state", "s"), ("prompt", prompt)];
            scene.client.authorize_url(&params)
        };
        let browser = scene.server.browser();
        let answer = browser.authorize(&ask("")).await;
        let hint = match answer.response_parameter("id_token") {
            Some(hint) => hint,
            None => {
                let code = answer.response_parameter("code").expect("code");
                scene.client.redeem(&code).await.expect(200).json()["id_token"].as_str().unwrap().to_owned()
            }
        };
        for bad in unsecured_and_foreign(&hint) {
            let fields = [("id_token_hint", bad.as_str()), ("post_logout_redirect_uri", BACK)];
            browser.load(&scene.url(&fields)).await.expect_error_page("invalid_request");
        }
        let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK), ("state", "x")];
        let location = browser.load(&scene.url(&fields)).await.expect(302).location();
        assert_eq!(location.as_str(), format!("{BACK}?state=x"), "{response_type}: nothing else");
        let silent = browser.load(&ask("none")).await;
        assert_eq!(silent.response_parameter("error").as_deref(), Some("login_required"), "{response_type}");
    }
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint_lgo_05() {
    let scene = Scene::new().await;
    scene.refuses(&[("post_logout_redirect_uri", BACK), ("state", "s")]).await;
    // With client_id the person decides, and only then the browser is sent on.
    let fields = [("client_id", "client"), ("post_logout_redirect_uri", BACK), ("state", "s")];
    let done = scene.confirms(&fields).await.expect(303);
    assert_eq!(done.location().as_str(), format!("{BACK}?state=s"));
    // Where nobody is logged in nobody can confirm: no redirect.
    shows_logged_out(scene.ask(&fields).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    shows_logged_out(Scene::new().await.confirms(&[]).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    shows_logged_out(Scene::new().await.confirms(&[("state", "s")]).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let scene = Scene::new().await;
    shows_logged_out(scene.ask(&[("id_token_hint", scene.hint()), ("state", "s")]).await);
    assert!(!scene.is_logged_in(&scene.browser).await);
}

#[tokio::test]
async fn lgo_04_a_link_logs_nobody_out_and_a_foreign_form_neither() {
    let scene = Scene::new().await;
    // A genuine hint, but of another session: the attacker's own.
    let attacker = scene.server.browser();
    let theirs = scene.client.tokens_in(&attacker).await;
    let fields = [("id_token_hint", theirs.id_token()), ("post_logout_redirect_uri", BACK)];
    let page = scene.ask(&fields).await.expect(200);
    assert!(page.element("logout-confirm").is_some());
    let form = page.form("logout-form");
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("form-action 'self' https://example.com"), "{policy}");
    scene.browser.post(&form.clone().with("csrf", &"A".repeat(43)).with("decision", "confirm")).await;
    let cancelled = scene.browser.post(&form.clone().with("decision", "cancel")).await.expect(200);
    assert!(cancelled.element("still-signed-in").is_some());
    let sent: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let path = form.action.as_str().strip_prefix(ORIGIN).unwrap_or(form.action.as_str()).to_owned();
    let ask = Ask::form(&path, &[&sent[..], &[("decision", "confirm")]].concat());
    let forged = scene.browser.send(ask.header("origin", "https://evil.example"), &path).await;
    assert!(forged.status.is_client_error(), "{}", forged.status);
    assert!(scene.is_logged_in(&scene.browser).await);
}

#[tokio::test]
async fn lgo_07_client_id_must_fit_the_hint() {
    let scene = Scene::new().await;
    for other in ["app", "other", "nobody"] {
        scene.refuses(&[("id_token_hint", scene.hint()), ("client_id", other)]).await;
    }
    let fitting =
        [("id_token_hint", scene.hint()), ("client_id", "client"), ("post_logout_redirect_uri", BACK)];
    assert_eq!(scene.ask(&fitting).await.expect(302).location().as_str(), BACK);
}

#[tokio::test]
async fn lgo_09_nothing_that_was_sent_runs_or_splits_a_header() {
    let scene = Scene::new().await;
    let hostile = "\r\nset-cookie: x=1\"><script>alert(1)</script>";
    let page = scene.ask(&[("client_id", "client"), ("state", hostile), ("logout_hint", hostile)]).await;
    assert!(!page.expect(200).text().contains("<script>"));
    let fields = [("id_token_hint", scene.hint()), ("post_logout_redirect_uri", BACK), ("state", hostile)];
    let answer = scene.ask(&fields).await.expect(302);
    assert!(!answer.header("set-cookie").starts_with("x=1"));
    assert_eq!(answer.response_parameter("state").as_deref(), Some(hostile));
}

#[tokio::test]
async fn rp_initiated_logout_2_post_is_the_same_even_when_cookies_are_kept_back() {
    let scene = Scene::new().await;
    let path = scene.client.path("/oidc/logout");
    let fields = [("id_token_hint", scene.hint()), ("post_logout_redirect_uri", BACK), ("state", "s")];
    // The form of another site arrives without SameSite=Lax cookies: the same by GET has them.
    let answer = scene.server.send(Ask::form(&path, &fields).header("origin", "https://example.com")).await;
    let again = answer.expect(303).location();
    let done = scene.browser.load(again.as_str()).await.expect(302);
    assert_eq!(done.location().as_str(), format!("{BACK}?state=s"));
    assert!(!scene.is_logged_in(&scene.browser).await);
    // With cookies it is done at once.
    let tokens = scene.client.tokens_in(&scene.browser).await;
    let fields = [("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", BACK)];
    let done = scene.browser.send(Ask::form(&path, &fields), &path).await.expect(303);
    assert_eq!(done.location().as_str(), BACK);
    assert!(!scene.is_logged_in(&scene.browser).await);
}

#[tokio::test]
async fn rp_initiated_logout_4_an_expired_hint_still_counts_and_ui_locales_choose_the_language() {
    let scene = Scene::new().await;
    scene.server.clock().advance(std::time::Duration::from_secs(3 * 3600));
    let page = scene.ask(&[("client_id", "client"), ("ui_locales", "de")]).await.expect(200);
    assert!(page.text().contains("lang=\"de\""), "{}", page.text());
    shows_logged_out(scene.ask(&[("id_token_hint", scene.hint())]).await);
    assert!(!scene.is_logged_in(&scene.browser).await);
}

/// A client's back-channel logout endpoint on this machine.
struct Endpoint {
    uri: String,
    bodies: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Endpoint {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/backchannel", listener.local_addr().unwrap());
        let (sender, bodies) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = sender.send(body_of(&mut socket).await);
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = socket.write_all(answer).await;
            }
        });
        Self { uri, bodies }
    }
}

/// The body of one POST with a form.
async fn body_of(socket: &mut tokio::net::TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            assert!(head.starts_with("post /backchannel "), "{head}");
            assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() >= length.trim().parse().unwrap() {
                return body.to_owned();
            }
        }
        assert!(socket.read_buf(&mut request).await.unwrap() > 0, "an unfinished request");
    }
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout_discovery_endpoint_verification() {
    let server = TestServer::start().await;
    let metadata = server.get("/default/default/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout_the_token_arrives_with_the_redirect() {
    let server = TestServer::reaching_loopback().await;
    let mut endpoint = Endpoint::start().await;
    let admin = server.administrator().await;
    admin.change("/clients/client", &json!({"backchannel_logout_uri": endpoint.uri})).await;
    let scene = Scene::at(server).await;
    // Long after the tokens: the session still knows who is to be told.
    scene.server.clock().advance(std::time::Duration::from_secs(6 * 3600));
    let fields = [("id_token_hint", scene.hint()), ("post_logout_redirect_uri", BACK), ("state", "s")];
    scene.ask(&fields).await.expect(302);
    let body = endpoint.bodies.recv().await.unwrap();
    let token = body.strip_prefix("logout_token=").expect("logout_token").to_owned();
    let part = |jwt: &str, index: usize| -> serde_json::Value {
        serde_json::from_slice(&jose::base64url::decode(jwt.split('.').nth(index).unwrap()).unwrap()).unwrap()
    };
    let (head, claims, id_token) = (part(&token, 0), part(&token, 1), part(scene.hint(), 1));
    assert_eq!((&head["typ"], &head["alg"]), (&json!("logout+jwt"), &part(scene.hint(), 0)["alg"]));
    for same in ["iss", "aud", "sub", "sid"] {
        assert_eq!(claims[same], id_token[same], "{same}");
    }
    assert_eq!(claims["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
    assert!(claims["jti"].is_string() && claims["iat"].is_i64() && claims["exp"].is_i64(), "{claims}");
    assert!(claims.get("nonce").is_none());
    // The signature is ours, and a logout token is no ID token.
    let jwks = scene.server.get(&scene.client.path("/.well-known/jwks.json")).await.expect(200).body;
    testkit::verified(&token, &jwks);
    scene.ask(&[("id_token_hint", &token)]).await.expect_error_page("invalid_request");
    assert!(!scene.is_logged_in(&scene.browser).await);
    // Nothing is told twice.
    scene.ask(&fields).await.expect(302);
    assert!(endpoint.bodies.try_recv().is_err());
}

#[tokio::test]
async fn dcr_09_w_13_a_logout_token_goes_nowhere_inside_and_the_logout_happens_all_the_same() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    // A public name at registration that leads inside when it is used.
    admin
        .change("/clients/client", &json!({"backchannel_logout_uri": "https://localhost.localdomain/x"}))
        .await;
    let scene = Scene::at(server).await;
    scene.ask(&[("id_token_hint", scene.hint()), ("post_logout_redirect_uri", BACK)]).await.expect(302);
    assert!(!scene.is_logged_in(&scene.browser).await);
}

//! Applications learn of a logout through the browser (OIDC Front-Channel Logout 1.0):
//! `oidcc-frontchannel-rp-initiated-logout-certification-test-plan`.

use http::Method;
use scraper::{Html, Selector};
use serde_json::json;
use testkit::{Answer, Ask, Browser, RelyingParty, TestServer, claims, urlencoded};

const BACK: &str = "https://example.com/signed-out";
const TOLD: &str = "https://example.com/frontchannel?x=1";

/// `client` wants to be told in a frame; `other` has another redirect URI and wants the same; `app` does not.
async fn start() -> TestServer {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    let client = json!({
        "post_logout_redirect_uris": [BACK],
        "frontchannel_logout_uri": TOLD,
        "frontchannel_logout_session_required": true,
    });
    admin.change("/clients/client", &client).await;
    let other = json!({
        "redirect_uris": ["https://example.com/callback", "https://other.example:8443/cb"],
        "frontchannel_logout_uri": "https://other.example:8443/out",
    });
    admin.change("/clients/other", &other).await;
    server
}

fn attributes(page: &Answer, selector: &str, name: &str) -> Vec<String> {
    let html = Html::parse_document(&page.text());
    let selector = Selector::parse(selector).expect("a selector");
    html.select(&selector).filter_map(|element| element.value().attr(name).map(str::to_owned)).collect()
}

#[track_caller]
fn frame_sources(page: &Answer) -> String {
    let policy = page.header("content-security-policy");
    let directive = policy.split("; ").find(|directive| directive.starts_with("frame-src"));
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"), "{policy}");
    directive.unwrap_or_default().to_owned()
}

fn told(uri: &str, separator: &str, party: &RelyingParty, sid: &serde_json::Value) -> String {
    let sid = sid.as_str().expect("sid").to_owned();
    format!("{uri}{separator}{}", urlencoded(&[("iss", &party.issuer()), ("sid", &sid)]))
}

async fn is_logged_in(party: &RelyingParty, browser: &Browser) -> bool {
    let silent = browser.load(&party.authorize_url(&[("prompt", "none")])).await;
    silent.response_parameter("error").as_deref() != Some("login_required")
}

#[tokio::test]
async fn oidcc_frontchannel_rp_initiated_logout_discovery_endpoint_verification() {
    let server = start().await;
    let document = server.get("/default/default/.well-known/openid-configuration").await.json();
    for member in ["frontchannel_logout_supported", "frontchannel_logout_session_supported"] {
        assert_eq!(document[member], true, "{member}");
    }
}

#[tokio::test]
async fn oidcc_frontchannel_rp_initiated_logout_each_application_is_loaded_before_the_browser_goes_back() {
    let server = start().await;
    let (browser, client, other) = (server.browser(), server.party("client"), server.party("other"));
    let tokens = client.tokens_in(&browser).await;
    other.tokens_in(&browser).await;
    server.party("app").code_in(&browser).await;
    let sid = claims(tokens.id_token())["sid"].clone();
    let fields = [("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", BACK), ("state", "a b")];
    let page = browser.load(&client.path(&format!("/oidc/logout?{}", urlencoded(&fields)))).await.expect(200);
    assert!(page.element("logged-out").is_some());
    let mut frames = attributes(&page, "iframe[hidden]", "src");
    frames.sort();
    let expected =
        [told(TOLD, "&", &client, &sid), told("https://other.example:8443/out", "?", &other, &sid)];
    assert_eq!(frames, expected);
    assert_eq!(frame_sources(&page), "frame-src https://example.com https://other.example:8443");
    // No script is needed to go on, and nobody has to wait.
    let back = format!("{BACK}?state=a+b");
    assert_eq!(attributes(&page, "meta[http-equiv=refresh]", "content"), [format!("2;url={back}")]);
    assert_eq!(attributes(&page, "a#logged-out-continue", "href"), [back]);
    assert!(!is_logged_in(&client, &browser).await, "the session is over already");
    // Once more, with nobody left to tell.
    let again = browser.load(&client.path(&format!("/oidc/logout?{}", urlencoded(&fields)))).await;
    assert_eq!(again.expect(302).location().as_str(), format!("{BACK}?state=a+b"));
}

#[tokio::test]
async fn oidcc_frontchannel_rp_initiated_logout_without_a_redirect_the_page_stays() {
    let server = start().await;
    let (browser, client) = (server.browser(), server.party("client"));
    let tokens = client.tokens_in(&browser).await;
    let url = client.path(&format!("/oidc/logout?{}", urlencoded(&[("id_token_hint", tokens.id_token())])));
    let page = browser.load(&url).await.expect(200);
    assert_eq!(attributes(&page, "iframe", "src").len(), 1);
    assert!(attributes(&page, "meta[http-equiv=refresh]", "content").is_empty());
    // The same from our own page, where the person decides.
    client.tokens_in(&browser).await;
    let question = browser.load(&client.path("/logout")).await.expect(200);
    let done = browser.post(&question.form("logout-form").with("decision", "confirm")).await.expect(200);
    assert_eq!(attributes(&done, "iframe", "src").len(), 1);
    assert_eq!(frame_sources(&done), "frame-src https://example.com");
    // Nobody there: nothing is loaded.
    let nobody = browser.load(&client.path("/logout")).await.expect(200);
    assert_eq!((attributes(&nobody, "iframe", "src").len(), frame_sources(&nobody)), (0, String::new()));
}

#[tokio::test]
async fn a_disabled_application_is_not_loaded() {
    let server = start().await;
    let (browser, client) = (server.browser(), server.party("client"));
    client.tokens_in(&browser).await;
    let admin = server.administrator().await;
    admin.change("/clients/client", &json!({"client_status": "inactive"})).await;
    let question = browser.load(&client.path("/logout")).await.expect(200);
    let done = browser.post(&question.form("logout-form").with("decision", "confirm")).await.expect(200);
    assert!(attributes(&done, "iframe", "src").is_empty());
}

#[tokio::test]
async fn oidc_front_channel_logout_2_the_address_lies_at_a_redirect_uri() {
    let server = start().await;
    let admin = server.administrator().await;
    let mut document = admin.get("/clients/client").await.expect(200).json();
    admin.put("/clients/client", &document).await.expect(200);
    assert_eq!(document["frontchannel_logout_uri"], TOLD);
    let registration = json!({"dynamic_client_registration": {"enabled": true}});
    admin.change("/servers/default", &registration).await;
    for bad in ["https://evil.example/out", "https://example.com/out#x", "http://example.com/out", "/out"] {
        document["frontchannel_logout_uri"] = json!(bad);
        let answer = admin.put("/clients/client", &document).await.expect(422);
        assert!(answer.text().contains("frontchannel_logout_uri"), "{bad}");
        let metadata = json!({"redirect_uris": ["https://example.com/cb"], "frontchannel_logout_uri": bad});
        let answer =
            server.send(Ask::json(Method::POST, "/default/default/oauth2/register", &metadata)).await;
        assert_eq!(answer.expect(400).json()["error"], "invalid_client_metadata", "{bad}");
    }
    let metadata = json!({
        "redirect_uris": ["https://example.com/cb"],
        "frontchannel_logout_uri": "https://example.com/out",
        "frontchannel_logout_session_required": true,
    });
    let answer = server.send(Ask::json(Method::POST, "/default/default/oauth2/register", &metadata)).await;
    let shown = answer.expect(201).json();
    assert_eq!(shown["frontchannel_logout_uri"], "https://example.com/out");
    assert_eq!(shown["frontchannel_logout_session_required"], true);
}

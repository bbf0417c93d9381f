//! The implicit and hybrid flows (OIDC Core §3.2, §3.3; OAuth Multiple Response Types; RFC 6749 §4.2): the plans
//! `oidcc-implicit-certification-test-plan`, `oidcc-hybrid-certification-test-plan` and their form_post siblings.

use serde_json::{Value, json};
use testkit::{Answer, RelyingParty, TestServer, claims, verified};

/// Every response type that brings tokens through the browser.
const FRONT_CHANNEL: [&str; 6] =
    ["token", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];

/// A server whose workspace allows `implicit`, and its client `other`, which may use every response type.
async fn start() -> (TestServer, RelyingParty) {
    let server = TestServer::start().await;
    let administrator = server.administrator().await;
    let mut grant_types =
        administrator.get("/servers/default").await.expect(200).json()["grant_types"].clone();
    grant_types.as_array_mut().expect("grant_types").push(json!("implicit"));
    administrator.change("/servers/default", &json!({ "grant_types": grant_types })).await;
    let mut response_types = FRONT_CHANNEL.to_vec();
    response_types.push("code");
    let members = json!({
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        "response_types": response_types,
    });
    administrator.change("/clients/other", &members).await;
    let party = server.party("other").with_scope("openid email");
    (server, party)
}

fn asked<'a>(response_type: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut params = vec![("response_type", response_type), ("nonce", "n-0S6"), ("state", "s-1")];
    params.retain(|(name, _)| !more.iter().any(|(changed, _)| changed == name));
    params.extend(more);
    params
}

/// The parameters in the fragment; the query of the redirect is empty.
#[track_caller]
fn in_fragment(answer: &Answer) -> Value {
    let location = answer.location();
    assert_eq!(location.query(), None, "AUT-20: {location}");
    let pairs = form_pairs(location.fragment().expect("a fragment"));
    assert_eq!(pairs["state"], "s-1");
    pairs
}

fn form_pairs(text: &str) -> Value {
    let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned();
    Value::Object(pairs.map(|(name, value)| (name, Value::String(value))).collect())
}

fn half_hash(text: &str) -> String {
    jose::half_hash(jose::Algorithm::ES256, text)
}

/// Claims of the ID token of an answer, checked as a relying party does (OIDC Core §3.2.2.11, §3.3.2.12).
async fn id_token(server: &TestServer, party: &RelyingParty, answer: &Value) -> Value {
    let jwks = server.get(&party.path("/.well-known/jwks.json")).await.expect(200).body;
    let claims = Value::Object(verified(answer["id_token"].as_str().expect("id_token"), &jwks));
    assert_eq!((&claims["iss"], &claims["nonce"]), (&json!(party.issuer()), &json!("n-0S6")));
    assert_eq!(claims["aud"], party.client_id);
    let bound = |part: &str| answer[part].as_str().map_or(Value::Null, |text| half_hash(text).into());
    assert_eq!(claims["at_hash"], bound("access_token"), "OIDC Core §3.2.2.9");
    assert_eq!(claims["c_hash"], bound("code"), "OIDC Core §3.3.2.10");
    assert_eq!(claims["s_hash"], half_hash("s-1"));
    claims
}

#[tokio::test]
async fn oidcc_server_each_response_type_returns_what_it_names_in_the_fragment() {
    let (server, party) = start().await;
    let browser = server.browser();
    for response_type in FRONT_CHANNEL {
        let answer = browser.authorize(&party.authorize_url(&asked(response_type, &[]))).await;
        let params = in_fragment(&answer);
        for (part, member) in [("code", "code"), ("token", "access_token"), ("id_token", "id_token")] {
            let named = response_type.split(' ').any(|value| value == part);
            assert_eq!(params[member].is_string(), named, "{response_type}: {member}");
        }
        assert_eq!(params["iss"], party.issuer(), "RFC 9207 §2");
        assert!(params["refresh_token"].is_null(), "RFC 6749 §4.2.2");
        if let Some(token) = params["access_token"].as_str() {
            assert_eq!((&params["token_type"], &params["expires_in"]), (&json!("Bearer"), &json!("3600")));
            let userinfo = party.userinfo(token).await.expect(200).json();
            assert!(userinfo["sub"].is_string() && userinfo["email"].is_string(), "{userinfo}");
        }
        if params["id_token"].is_string() {
            let claims = id_token(&server, &party, &params).await;
            // `oidcc-scope-email`: in the ID token only where no access token can fetch it (OIDC Core §5.4).
            assert_eq!(claims["email"].is_string(), response_type == "id_token", "{claims}");
        }
    }
}

#[tokio::test]
async fn oidcc_hybrid_both_id_tokens_name_the_same_person() {
    let (server, party) = start().await;
    let browser = server.browser();
    for response_type in ["code id_token", "code id_token token", "code token"] {
        let answer = browser.authorize(&party.authorize_url(&asked(response_type, &[]))).await;
        let front = in_fragment(&answer);
        let tokens = party.redeem(front["code"].as_str().expect("code")).await.expect(200).json();
        let back = claims(tokens["id_token"].as_str().expect("id_token"));
        assert_eq!(back["nonce"], "n-0S6");
        if let Some(token) = front["id_token"].as_str() {
            // OIDC Core §3.3.3.6: iss and sub MUST be identical.
            assert_eq!((&claims(token)["sub"], &claims(token)["iss"]), (&back["sub"], &back["iss"]));
        }
        // OIDC Core §3.3.3.8: either access token may be used; they are not the same.
        assert_ne!(front["access_token"], tokens["access_token"]);
    }
}

#[tokio::test]
async fn cod_02_a_replayed_code_takes_the_token_of_the_front_channel_with_it() {
    let (server, party) = start().await;
    let answer = server.browser().authorize(&party.authorize_url(&asked("code token", &[]))).await;
    let front = in_fragment(&answer);
    let (code, token) =
        (front["code"].as_str().expect("code"), front["access_token"].as_str().expect("token"));
    party.redeem(code).await.expect(200);
    party.userinfo(token).await.expect(200);
    server.clock().advance(std::time::Duration::from_secs(2));
    party.redeem(code).await.expect_error(400, "invalid_grant");
    party.userinfo(token).await.expect(401);
}

#[tokio::test]
async fn oidcc_formpost_implicit_and_hybrid_tokens_are_posted() {
    let (server, party) = start().await;
    let browser = server.browser();
    for response_type in FRONT_CHANNEL {
        let url = party.authorize_url(&asked(response_type, &[("response_mode", "form_post")]));
        let page = browser.authorize(&url).await.expect(200);
        let form = page.form("form-post");
        assert_eq!(form.action.as_str(), party.redirect_uri);
        assert_eq!(form.value("state"), Some("s-1"));
        assert_eq!(form.value("id_token").is_some(), response_type.contains("id_token"), "{response_type}");
        assert_eq!(page.header("cache-control"), "no-store");
    }
}

/// The error that the client is told in the fragment.
#[track_caller]
fn refused(answer: &Answer) -> String {
    let params = in_fragment(answer);
    assert!(params["code"].is_null() && params["access_token"].is_null() && params["id_token"].is_null());
    assert!(params["iss"].is_string(), "AUT-03");
    params["error"].as_str().expect("error").to_owned()
}

#[tokio::test]
async fn aut_25_oidcc_ensure_request_without_nonce_fails() {
    let (server, party) = start().await;
    let browser = server.browser();
    for response_type in FRONT_CHANNEL.iter().filter(|name| name.contains("id_token")) {
        let answer = browser.load(&party.authorize_url(&asked(response_type, &[("nonce", "")]))).await;
        assert_eq!(refused(&answer), "invalid_request", "{response_type}");
    }
    let url = party.authorize_url(&asked("code token", &[("nonce", "")]));
    assert!(in_fragment(&browser.authorize(&url).await)["code"].is_string());
}

#[tokio::test]
async fn aut_20_tokens_and_errors_never_go_into_the_query() {
    let (server, party) = start().await;
    for response_type in FRONT_CHANNEL {
        let url = party.authorize_url(&asked(response_type, &[("response_mode", "query")]));
        assert_eq!(refused(&server.browser().load(&url).await), "invalid_request");
        let url = party.authorize_url(&asked(response_type, &[("prompt", "none")]));
        let answer = server.browser().load(&url).await;
        assert_eq!(refused(&answer), "login_required", "oidcc-prompt-none-not-logged-in");
    }
}

#[tokio::test]
async fn aut_19_only_where_workspace_and_client_allow_it() {
    let (server, _) = start().await;
    let browser = server.browser();
    for response_type in FRONT_CHANNEL {
        let unregistered = server.party("client");
        let answer = browser.load(&unregistered.authorize_url(&asked(response_type, &[]))).await;
        assert_eq!(refused(&answer), "unauthorized_client", "{response_type}");
        let elsewhere = server.party_at("/default/second", "second-app", None);
        let answer = browser.load(&elsewhere.authorize_url(&asked(response_type, &[]))).await;
        assert_eq!(refused(&answer), "unsupported_response_type", "decisions 2: {response_type}");
    }
}

#[tokio::test]
async fn decisions_11_no_tokens_to_plain_http() {
    let (server, party) = start().await;
    let administrator = server.administrator().await;
    let uris = json!({"redirect_uris": ["http://127.0.0.1:4000/callback"]});
    administrator.change("/clients/other", &uris).await;
    let party = party.with_redirect_uri("http://127.0.0.1:4000/callback");
    let browser = server.browser();
    for response_type in FRONT_CHANNEL {
        let answer = browser.load(&party.authorize_url(&asked(response_type, &[]))).await;
        assert_eq!(refused(&answer), "invalid_request", "{response_type}");
    }
    assert!(browser.authorize(&party.authorize_url(&[])).await.response_parameter("code").is_some());
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification_names_the_response_types() {
    let (server, party) = start().await;
    let path = "/.well-known/openid-configuration";
    let document = server.get(&party.path(path)).await.expect(200).json();
    for response_type in FRONT_CHANNEL {
        assert!(
            document["response_types_supported"].as_array().expect("a list").contains(&json!(response_type))
        );
    }
    assert!(document["grant_types_supported"].as_array().expect("a list").contains(&json!("implicit")));
    let second = server.get(&format!("/default/second{path}")).await.expect(200).json();
    assert_eq!(second["response_types_supported"], json!(["code"]));
}

//! What a client says of itself when it registers: pages, keys, its sector.

use jose::Algorithm;
use serde_json::{Value, json};
use testkit::{Answer, claims, signer};

use super::{Plan, REDIRECT_URI, RESPONSE_TYPES, key_set};

/// The login page of a client that registered `member`.
async fn login_page(member: &str, uri: &str) -> Answer {
    let plan = Plan::start().await;
    let client = plan.register("code", &json!({member: uri})).await;
    assert_eq!(client.metadata[member], uri);
    let page = plan.server.browser().open(&client.party.authorize_url(&[])).await.expect(200);
    assert!(page.has_form("login-form"), "{}", page.text());
    page
}

/// The value of `attribute` of the element `id`.
#[track_caller]
fn attribute(page: &Answer, id: &str, name: &str) -> String {
    let html = scraper::Html::parse_document(&page.text());
    let selector = scraper::Selector::parse(&format!("[id=\"{id}\"]")).expect("a selector");
    let element = html.select(&selector).next().unwrap_or_else(|| panic!("no #{id}: {}", page.text()));
    element.value().attr(name).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn oidcc_registration_logo_uri() {
    let uri = "https://rp.example/logo.png";
    let page = login_page("logo_uri", uri).await;
    assert_eq!(attribute(&page, "client-logo", "src"), uri);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("https://rp.example"), "the picture may be loaded: {policy}");
}

#[tokio::test]
async fn oidcc_registration_policy_uri() {
    let uri = "https://rp.example/policy";
    assert_eq!(attribute(&login_page("policy_uri", uri).await, "client-policy", "href"), uri);
}

#[tokio::test]
async fn oidcc_registration_tos_uri() {
    let uri = "https://rp.example/terms";
    assert_eq!(attribute(&login_page("tos_uri", uri).await, "client-tos", "href"), uri);
}

#[tokio::test]
async fn oidcc_registration_jwks_uri() {
    let plan = Plan::start().await;
    for response_type in RESPONSE_TYPES {
        let key = signer(Algorithm::RS256);
        plan.site.put("/jwks", "", &key_set(&[&key]));
        let members = json!({"jwks": null, "jwks_uri": plan.site.url("/jwks")});
        let metadata = plan.try_register(&key, response_type, &members).await.expect(201).json();
        assert!(metadata["jwks"].is_null());
        let mut client = plan.client(key, metadata);
        plan.flow(&client, response_type, &[]).await;
        // Keys that are not there do not count.
        client.key = signer(Algorithm::RS256);
        plan.token(&client, &client.party.redemption("x")).await.expect_error(401, "invalid_client");
    }
}

/// The subject that a client of that sector sees.
async fn subject(plan: &Plan, response_type: &str, members: &Value) -> Value {
    let client = plan.register(response_type, members).await;
    let received = plan.flow(&client, response_type, &[]).await;
    claims(received.id_token())["sub"].clone()
}

#[tokio::test]
async fn oidcc_registration_sector_uri() {
    let plan = Plan::start().await;
    let other = "https://other.example/callback";
    plan.site.put("/sector", "", &json!([REDIRECT_URI, other]).to_string());
    let sector = plan.site.url("/sector");
    for response_type in RESPONSE_TYPES {
        let members = |uris: Value| json!({"redirect_uris": uris, "subject_type": "pairwise", "sector_identifier_uri": sector});
        let first = subject(&plan, response_type, &members(json!([REDIRECT_URI]))).await;
        assert_ne!(first, "user", "{response_type}: nobody's name");
        // OIDC Core §8.1: the same in one sector, another in the next, and not the public one.
        assert_eq!(subject(&plan, response_type, &members(json!([other]))).await, first);
        let alone = json!({"subject_type": "pairwise"});
        let next = subject(&plan, response_type, &alone).await;
        let public = subject(&plan, response_type, &json!({"subject_type": "public"})).await;
        assert!(next != first && public != first && public != next, "{first} {next} {public}");
    }
}

#[tokio::test]
async fn oidcc_registration_sector_bad() {
    let plan = Plan::start().await;
    plan.site.put("/sector", "", &json!(["https://other.example/callback"]).to_string());
    let members = json!({"subject_type": "pairwise", "sector_identifier_uri": plan.site.url("/sector")});
    for response_type in RESPONSE_TYPES {
        let answer = plan.try_register(&signer(Algorithm::ES256), response_type, &members).await;
        answer.expect_error(400, "invalid_client_metadata");
    }
    // OIDC Core §8.1: without a sector the host must be one for all redirect URIs.
    let two =
        json!({"redirect_uris": [REDIRECT_URI, "https://other.example/cb"], "subject_type": "pairwise"});
    let answer = plan.try_register(&signer(Algorithm::ES256), "code", &two).await;
    answer.expect_error(400, "invalid_client_metadata");
}

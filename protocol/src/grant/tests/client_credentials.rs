use crate::client::Client;
use crate::error::Reason;
use crate::fixtures::{Desk, ISSUER, START};
use crate::token::{AccessTokenDraft, IdTokenDraft};
use serde_json::{Value, json};

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&jose::base64url::decode(payload).unwrap()).unwrap()
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&jose::base64url::decode(header).unwrap()).unwrap()
}

#[test]
fn rfc6749_4_4_3_an_access_token_and_nothing_else_without_any_write() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let tokens = desk.token(&client, "grant_type=client_credentials&scope=orders.read+openid+offline_access");
    let tokens = tokens.unwrap();
    assert_eq!((tokens.refresh, tokens.id, tokens.writes), (None::<String>, None, 0), "TOK-18, TOK-19");
    assert_eq!(tokens.expires_in, 3600, "TOK-15");
}

#[test]
fn decisions_3_rfc9068_2_2_claims_of_a_client_token() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let tokens = desk.token(&client, "grant_type=client_credentials&scope=orders.read").unwrap();
    let claims = claims(&tokens.access);
    let jti = claims["jti"].as_str().unwrap();
    assert_eq!(jti.len(), 36);
    let now = START.seconds();
    let expected = json!({
        "aid": "shop", "amr": [], "aud": ["web", "spiffe://as.example/acme/shop/shop-orders"],
        "client_id": "web", "exp": now + 3600, "iat": now, "idp": "", "iss": ISSUER, "jti": jti, "nbf": now,
        "scope": "orders.read", "scp": ["orders.read"], "st": "public", "sub": "web", "tid": "acme",
    });
    assert_eq!(claims, expected);
    assert_eq!(header(&tokens.access)["typ"], "at+jwt");
}

#[test]
fn decisions_3_the_profile_acp_has_the_contracts_claims_alone() {
    let mut desk = Desk::default();
    desk.world.server.access_token_profile = "acp".to_owned();
    let client = desk.world.confidential();
    let tokens = desk.token(&client, "grant_type=client_credentials&scope=orders.read").unwrap();
    let claims = claims(&tokens.access);
    let names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    let contract = ["aid", "amr", "aud", "exp", "iat", "idp", "iss", "jti", "nbf", "scp", "st", "sub", "tid"];
    assert_eq!(names, contract);
    assert_eq!(header(&tokens.access)["typ"], "JWT");
    assert_eq!(tokens.writes, 0);
}

#[test]
fn contract_e_members_stand_in_alphabetical_order() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let tokens = desk.login(&client, "openid orders.read");
    let json = jose::base64url::decode(tokens.access.split('.').nth(1).unwrap()).unwrap();
    let text = String::from_utf8(json).unwrap();
    let names = claims(&tokens.access);
    let mut at = 0;
    for name in names.as_object().unwrap().keys() {
        let here = text.find(&format!("\"{name}\":")).unwrap();
        assert!(here >= at, "{name} in {text}");
        at = here;
    }
}

#[test]
fn tok_04_scopes_beyond_registration_are_refused_and_named() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    for scope in ["revoke_tokens", "orders.read+introspect_tokens", "unheard_of"] {
        let refused = desk.token(&client, &format!("grant_type=client_credentials&scope={scope}"));
        assert_eq!(refused, Err(Reason::ScopeNotAllowed), "{scope}");
    }
}

#[test]
fn without_scope_the_implicit_ones_of_the_client() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let body = "grant_type=client_credentials";
    assert_eq!(desk.token(&client, body).unwrap().scope, "");
    for scope in &mut desk.world.catalog.scopes {
        scope.implicit_request = ["orders.write", "revoke_tokens"].contains(&scope.name.as_str());
    }
    assert_eq!(desk.token(&client, body).unwrap().scope, "orders.write");
}

#[test]
fn rfc6749_4_4_a_public_client_is_refused() {
    let mut desk = Desk::default();
    let client = desk.world.public();
    assert_eq!(desk.token(&client, "grant_type=client_credentials"), Err(Reason::PublicClientRefused));
}

#[test]
fn rfc8707_2_with_a_resource_the_audience_is_exactly_that() {
    let mut desk = Desk::default();
    let client = Client { audience: vec!["fixed".to_owned()], ..desk.world.confidential() };
    let body = "grant_type=client_credentials&scope=orders.read";
    let plain = desk.token(&client, body).unwrap();
    let orders = "spiffe://as.example/acme/shop/shop-orders";
    assert_eq!(claims(&plain.access)["aud"], json!(["fixed", orders]));
    let narrowed = desk.token(&client, &format!("{body}&resource={orders}")).unwrap();
    assert_eq!(claims(&narrowed.access)["aud"], json!([orders]));
    let unknown = desk.token(&client, &format!("{body}&resource=https://other.example"));
    assert_eq!(unknown, Err(Reason::ResourceUnknown));
}

#[test]
fn scope_claim_formats_decide_how_scopes_are_written() {
    let mut desk = Desk::default();
    desk.world.server.access_token_profile = "acp".to_owned();
    desk.world.server.scope_claim_formats = vec!["scope_space_separated".to_owned()];
    let client = desk.world.confidential();
    let tokens = desk.token(&client, "grant_type=client_credentials&scope=orders.read+openid").unwrap();
    let claims = claims(&tokens.access);
    assert_eq!(claims["scope"], "orders.read openid");
    assert_eq!(claims.get("scp"), None);
    assert_eq!(desk.active(&client, &tokens.access).unwrap().scope.to_string(), "orders.read openid");
}

#[test]
fn tok_14_opaque_tokens_are_random_stored_hashed_and_unlike_each_other() {
    let mut desk = Desk::default();
    desk.world.server.access_token_strategy = "opaque".to_owned();
    let client = desk.world.confidential();
    let body = "grant_type=client_credentials&scope=orders.read";
    let (one, two) = (desk.token(&client, body).unwrap(), desk.token(&client, body).unwrap());
    assert_ne!(one.access, two.access);
    assert_eq!((one.access.len(), one.writes), (46, 1));
    assert!(desk.store.artifacts.values().all(|row| !format!("{row:?}").contains(&one.access)), "W-01");
    let active = desk.active(&client, &one.access).unwrap();
    assert_eq!(active.claims["aud"], json!(["web", "spiffe://as.example/acme/shop/shop-orders"]));
    assert_eq!(active.scope.to_string(), "orders.read");
}

#[test]
fn drafts_do_not_hold_the_alg_of_the_client_but_of_the_key() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let params = crate::fixtures::params("grant_type=client_credentials");
    let request = crate::grant::TokenRequest {
        params: &params,
        client: &client,
        confirmation: None,
        evidence: &crate::grant::Evidence::default(),
    };
    let grant = crate::grant::select(&params, &client, &desk.world.server).ok().unwrap();
    let issue = grant.decide(&request, &[], &mut desk.world.cx()).reply.ok().unwrap();
    let AccessTokenDraft::Jwt { alg, .. } = issue.access_token else { panic!("opaque") };
    assert_eq!(alg, jose::Algorithm::ES256);
    assert!(issue.id_token.is_none_or(|_: IdTokenDraft| false));
}

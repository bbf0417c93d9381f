use super::*;
use crate::fixtures::{Desk, ISSUER, START, params};

fn inactive() -> Map<String, Value> {
    json!({"active": false}).as_object().cloned().unwrap()
}

/// Another confidential client.
fn other(desk: &Desk) -> Client {
    Client { client_id: "other".into(), ..desk.world.confidential() }
}

#[test]
fn rfc7662_2_2_an_access_token_of_a_user() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let token = desk.login(&client, "openid orders.read").access;
    let mut answer = desk.introspect(&client, &client, &token);
    assert!(answer.remove("jti").is_some());
    let now = START.seconds();
    let expected = json!({
        "active": true, "scope": "openid orders.read", "client_id": "web", "username": "ada",
        "token_type": "bearer", "exp": now + 3600, "iat": now, "nbf": now, "sub": desk.world.subject().sub,
        "aud": ["web", "spiffe://as.example/acme/shop/shop-profile", "spiffe://as.example/acme/shop/shop-orders"],
        "iss": ISSUER, "acr": "1", "amr": ["pwd"], "auth_time": now - 30, "st": "public",
        "tenant_id": "acme", "server_id": "shop", "idp": "sandbox", "idp_sub": "ada",
    });
    assert_eq!(Value::Object(answer), expected);
}

#[test]
fn rfc7662_2_2_a_refresh_token_until_it_is_rotated() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let first = desk.login(&client, "openid offline_access").refresh.unwrap();
    let answer = desk.introspect(&client, &client, &first);
    assert_eq!((&answer["active"], &answer["token_type"]), (&json!(true), &json!("refresh_token")));
    assert_eq!(
        (&answer["scope"], &answer["sub"]),
        (&json!("openid offline_access"), &json!(desk.world.subject().sub))
    );
    let second = desk.refresh(&client, &first).unwrap().refresh.unwrap();
    assert_eq!(desk.introspect(&client, &client, &first), inactive());
    assert!(desk.is_active(&client, &second));
}

#[test]
fn contract_a_client_token_has_no_person() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let token = desk.token(&client, "grant_type=client_credentials&scope=orders.read").unwrap().access;
    let answer = desk.introspect(&client, &client, &token);
    assert_eq!(answer["sub"], "web");
    for absent in ["username", "idp", "idp_sub", "acr", "auth_time"] {
        assert_eq!(answer.get(absent), None, "{absent}");
    }
}

#[test]
fn decisions_7_int_02_tokens_of_others_need_the_registered_scope() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let tokens = desk.login(&client, "openid offline_access");
    let stranger = other(&desk);
    let watcher = Client { scopes: vec![INTROSPECT_TOKENS.to_owned()], ..other(&desk) };
    for token in [&tokens.access, tokens.refresh.as_ref().unwrap()] {
        assert_eq!(desk.introspect(&stranger, &client, token), inactive());
        assert_eq!(desk.introspect(&watcher, &client, token)["active"], true);
    }
}

#[test]
fn int_03_an_identifier_alone_is_no_authentication() {
    let mut desk = Desk::default();
    let public = desk.world.public();
    let refused = read(&params("token=x"), &public, &desk.world.cx()).err().unwrap();
    assert_eq!(refused.code(), crate::error::ErrorCode::InvalidClient);
    let client = desk.world.confidential();
    let refused = read(&params("token="), &client, &desk.world.cx()).err().unwrap();
    assert_eq!(refused.reason, Reason::ParameterMissing);
}

#[test]
fn int_06_inactive_says_nothing_more() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let tokens = desk.login(&client, "openid offline_access");
    let id = desk.world.signing_key.sign_jwt("JWT", &tokens.id.unwrap()).unwrap();
    let unknown_refresh = format!("rt_{}", "A".repeat(43));
    let unknown_access = format!("at_{}", "A".repeat(43));
    for token in ["x", "a.b.c", &unknown_refresh, &unknown_access, &id] {
        assert_eq!(desk.introspect(&client, &client, token), inactive(), "{token}");
    }
    desk.world.advance_millis(3_600_000);
    assert_eq!(desk.introspect(&client, &client, &tokens.access), inactive(), "expired");
    let refresh = tokens.refresh.unwrap();
    assert!(desk.is_active(&client, &refresh));
    desk.world.people.gone = true;
    assert_eq!(desk.introspect(&client, &client, &refresh), inactive(), "W-10");
    desk.world.people.gone = false;
    let disabled = Client { client_status: "inactive".to_owned(), ..client.clone() };
    assert_eq!(desk.introspect(&client, &disabled, &refresh), inactive(), "CAU-12");
}

#[test]
fn oidc_core_8_1_a_pairwise_sub_is_the_one_of_the_tokens_client() {
    let mut desk = Desk::default();
    let client = Client { subject_type: "pairwise".to_owned(), ..desk.world.confidential() };
    let watcher = Client { scopes: vec![INTROSPECT_TOKENS.to_owned()], ..other(&desk) };
    let tokens = desk.login(&client, "openid offline_access");
    let sub = tokens.id.unwrap()["sub"].clone();
    assert_ne!(sub, json!(desk.world.subject().sub));
    for token in [&tokens.access, tokens.refresh.as_ref().unwrap()] {
        let answer = desk.introspect(&watcher, &client, token);
        assert_eq!((&answer["sub"], &answer["st"]), (&sub, &json!("pairwise")));
    }
}

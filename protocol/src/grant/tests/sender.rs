//! What is issued is bound to the key that the request proves, whichever grant it is (RFC 9449 §5, §10).

use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::error::Reason;
use crate::fixtures::{Desk, Tokens};
use serde_json::json;

const SCOPE: &str = "openid offline_access";

fn key(name: &str) -> Option<Confirmation> {
    Some(Confirmation::Jkt(name.to_owned()))
}

fn desk(sender: Option<Confirmation>) -> Desk {
    Desk { sender, ..Desk::default() }
}

/// A refresh that proves `sender`.
fn refresh(
    desk: &mut Desk,
    client: &Client,
    token: &str,
    sender: Option<Confirmation>,
) -> Result<Tokens, Reason> {
    desk.sender = sender;
    desk.refresh(client, token)
}

#[test]
fn dpo_18_access_tokens_name_the_key_in_both_forms_and_introspection_shows_it() {
    for strategy in ["jwt", "opaque"] {
        for profile in ["rfc9068", "acp"] {
            let mut desk = desk(key("k"));
            desk.world.server.access_token_strategy = strategy.to_owned();
            desk.world.server.access_token_profile = profile.to_owned();
            let client = desk.world.confidential();
            let tokens = desk.login(&client, SCOPE);
            let active = desk.active(&client, &tokens.access).unwrap();
            assert_eq!(active.confirmation, key("k"), "{strategy} {profile}");
            let shown = desk.introspect(&client, &client, &tokens.access);
            assert_eq!((&shown["cnf"], &shown["token_type"]), (&json!({"jkt": "k"}), &json!("DPoP")));
        }
    }
}

#[test]
fn dpo_15_the_refresh_token_of_a_public_client_is_its_keys() {
    let mut desk = desk(key("k"));
    let client = desk.world.public();
    let first = desk.login(&client, SCOPE).refresh.unwrap();
    // A thief without the key is refused, and ends nothing.
    assert_eq!(refresh(&mut desk, &client, &first, None), Err(Reason::DpopProofMissing));
    assert_eq!(refresh(&mut desk, &client, &first, key("thief")), Err(Reason::RefreshTokenOfOtherKey));
    let second = refresh(&mut desk, &client, &first, key("k")).unwrap().refresh.unwrap();
    assert_eq!(refresh(&mut desk, &client, &second, key("thief")), Err(Reason::RefreshTokenOfOtherKey));
    assert_eq!(refresh(&mut desk, &client, &first, key("thief")), Err(Reason::RefreshTokenOfOtherKey));
    // A retry with the same key gets the same successor, and the family lives.
    assert_eq!(refresh(&mut desk, &client, &first, key("k")).unwrap().refresh.as_ref(), Some(&second));
    assert!(refresh(&mut desk, &client, &second, key("k")).is_ok());
    assert_eq!(refresh(&mut desk, &client, &first, key("k")), Err(Reason::RefreshTokenReplayed));
}

/// `fapi2-security-profile-final-refresh-token`.
#[test]
fn rfc9449_5_a_confidential_client_may_come_with_a_new_key_but_not_without() {
    let mut desk = desk(key("old"));
    let client = desk.world.confidential();
    let first = desk.login(&client, SCOPE).refresh.unwrap();
    assert_eq!(refresh(&mut desk, &client, &first, None), Err(Reason::DpopProofMissing));
    let tokens = refresh(&mut desk, &client, &first, key("new")).unwrap();
    assert_eq!(desk.active(&client, &tokens.access).unwrap().confirmation, key("new"));
    let second = tokens.refresh.unwrap();
    assert_eq!(refresh(&mut desk, &client, &first, key("newer")).unwrap().refresh.as_ref(), Some(&second));
    assert_eq!(refresh(&mut desk, &client, &second, None), Err(Reason::DpopProofMissing));
    assert!(refresh(&mut desk, &client, &second, key("old")).is_ok());
}

#[test]
fn an_unbound_family_becomes_bound_by_the_first_proof_and_a_retry_needs_that_key() {
    let mut desk = desk(None);
    let client = desk.world.public();
    let first = desk.login(&client, SCOPE).refresh.unwrap();
    let second = refresh(&mut desk, &client, &first, key("k")).unwrap().refresh.unwrap();
    assert_eq!(refresh(&mut desk, &client, &first, key("k")).unwrap().refresh.as_ref(), Some(&second));
    assert_eq!(refresh(&mut desk, &client, &second, None), Err(Reason::DpopProofMissing));
    // Two parties have the unbound one, and nobody can tell which is the client.
    assert_eq!(refresh(&mut desk, &client, &first, None), Err(Reason::RefreshTokenReplayed));
    assert_eq!(refresh(&mut desk, &client, &second, key("k")), Err(Reason::GrantRevoked));
}

#[test]
fn dpo_16_a_code_that_names_a_key_is_redeemed_with_that_key() {
    let mut desk = desk(None);
    let client = desk.world.confidential();
    let (handle, mut code) = desk.code(&client, SCOPE);
    code.dpop_jkt = Some("k".to_owned());
    let grant = desk.world.grant(&client, SCOPE);
    desk.store_code(&handle, &code, grant);
    let body = format!("grant_type=authorization_code&code={handle}&redirect_uri=https://app.example/cb");
    assert_eq!(desk.token(&client, &body), Err(Reason::CodeOfOtherKey));
    desk.sender = key("other");
    assert_eq!(desk.token(&client, &body), Err(Reason::CodeOfOtherKey));
    desk.sender = key("k");
    assert!(desk.token(&client, &body).is_ok());
    // A second one at the same moment with another key is no double submit.
    desk.sender = key("other");
    assert_eq!(desk.token(&client, &body), Err(Reason::CodeReplayed));
}

#[test]
fn a_bearer_token_stays_one() {
    let mut desk = desk(None);
    let client = desk.world.public();
    let tokens = desk.login(&client, SCOPE);
    assert_eq!(desk.active(&client, &tokens.access).unwrap().confirmation, None);
    assert!(refresh(&mut desk, &client, &tokens.refresh.unwrap(), None).is_ok());
}

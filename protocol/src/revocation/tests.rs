use super::*;
use crate::fixtures::{Desk, params};
use crate::id::Uid;
use crate::record::ArtifactKind;

const CLIENT_TOKEN: &str = "grant_type=client_credentials&scope=orders.read";

fn other(desk: &Desk) -> Client {
    Client { client_id: "other".into(), ..desk.world.confidential() }
}

#[test]
fn rfc7009_2_1_rtk_12_a_refresh_token_ends_its_whole_grant() {
    for strategy in ["jwt", "opaque"] {
        let mut desk = Desk::default();
        desk.world.server.access_token_strategy = strategy.to_owned();
        let client = desk.world.confidential();
        let tokens = desk.login(&client, "openid offline_access");
        let (first, second) =
            (tokens.refresh.clone().unwrap(), desk.refresh(&client, &tokens.refresh.unwrap()).unwrap());
        assert!(desk.revoke(&client, &format!("token={first}")), "also one that was replaced");
        for token in [&tokens.access, &second.access, &first, second.refresh.as_ref().unwrap()] {
            assert!(!desk.is_active(&client, token), "{strategy}");
        }
    }
}

#[test]
fn rfc7009_2_1_an_access_token_ends_alone() {
    for (profile, strategy) in [("rfc9068", "jwt"), ("acp", "jwt"), ("rfc9068", "opaque")] {
        let mut desk = Desk::default();
        desk.world.server.access_token_profile = profile.to_owned();
        desk.world.server.access_token_strategy = strategy.to_owned();
        let client = desk.world.confidential();
        let tokens = desk.login(&client, "openid offline_access");
        let own = desk.token(&client, CLIENT_TOKEN).unwrap().access;
        for token in [&tokens.access, &own] {
            assert!(desk.is_active(&client, token));
            assert!(desk.revoke(&client, &format!("token={token}")));
            assert!(!desk.is_active(&client, token), "{profile} {strategy}");
        }
        assert!(desk.is_active(&client, &tokens.refresh.unwrap()));
    }
}

#[test]
fn a_revoked_jwt_is_remembered_for_as_long_as_it_would_have_lived() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let token = desk.token(&client, CLIENT_TOKEN).unwrap().access;
    desk.revoke(&client, &format!("token={token}"));
    let row = desk.store.artifacts.values().find(|row| row.kind == ArtifactKind::RevokedJti).unwrap();
    let row_end = row.expires_at;
    desk.world.now = row_end;
    assert!(!desk.is_active(&client, &token), "it has expired by the time the row is swept");
    assert!(!desk.revoke(&client, &format!("token={token}")), "and is not stored again");
}

#[test]
fn int_11_a_wrong_hint_changes_nothing() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let tokens = desk.login(&client, "openid offline_access");
    let (access, refresh) = (tokens.access, tokens.refresh.unwrap());
    assert!(desk.revoke(&client, &format!("token={access}&token_type_hint=refresh_token")));
    assert!(!desk.is_active(&client, &access));
    assert!(desk.revoke(&client, &format!("token={refresh}&token_type_hint=no_such_thing")));
    assert!(!desk.is_active(&client, &refresh));
}

#[test]
fn rev_02_rev_04_tokens_of_others_stay_and_the_answer_is_the_same() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let tokens = desk.login(&client, "openid offline_access");
    let own = desk.token(&client, CLIENT_TOKEN).unwrap().access;
    let stranger = other(&desk);
    let unknown = format!("rt_{}", "A".repeat(43));
    for token in [&tokens.access, tokens.refresh.as_ref().unwrap(), &own] {
        assert!(!desk.revoke(&stranger, &format!("token={token}")));
        assert!(desk.is_active(&client, token));
    }
    for token in [&unknown, "x", "a.b.c"] {
        assert!(!desk.revoke(&stranger, &format!("token={token}")), "RFC 7009 §2.2");
    }
}

#[test]
fn contract_with_revoke_tokens_any_token_of_the_workspace() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let scopes = vec![REVOKE_TOKENS.to_owned()];
    let steward = Client { scopes: scopes.clone(), ..other(&desk) };
    let anonymous = Client { client_id: "anonymous".into(), scopes, ..desk.world.public() };
    let refresh = desk.login(&client, "openid offline_access").refresh.unwrap();
    let access = desk.token(&client, CLIENT_TOKEN).unwrap().access;
    for token in [&refresh, &access] {
        assert!(!desk.revoke(&anonymous, &format!("token={token}")), "a public client proves nothing");
        assert!(desk.revoke(&steward, &format!("token={token}")));
        assert!(!desk.is_active(&client, token));
    }
}

#[test]
fn rfc7009_5_a_public_client_revokes_its_own() {
    let mut desk = Desk::default();
    let client = desk.world.public();
    let refresh = desk.login(&client, "openid offline_access").refresh.unwrap();
    assert!(desk.revoke(&client, &format!("token={refresh}")));
    assert!(desk.refresh(&client, &refresh).is_err());
}

#[test]
fn cod_17_a_refresh_token_of_another_workspace_stays() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let refresh = desk.login(&client, "openid offline_access").refresh.unwrap();
    let uid = std::mem::replace(&mut desk.world.server.uid, Uid::new("another"));
    assert!(!desk.revoke(&client, &format!("token={refresh}")));
    desk.world.server.uid = uid;
    assert!(desk.is_active(&client, &refresh));
}

#[test]
fn rfc7009_2_1_token_is_required() {
    let mut desk = Desk::default();
    let refused = read(&params("token_type_hint=access_token"), &desk.world.cx()).err().unwrap();
    assert_eq!(refused.reason, Reason::ParameterMissing);
}

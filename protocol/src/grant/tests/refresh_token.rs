use crate::client::Client;
use crate::error::Reason;
use crate::fixtures::{Conflict, Desk};
use crate::id::Uid;

const SCOPE: &str = "openid offline_access orders.read orders.write";

fn body(token: &str) -> String {
    format!("grant_type=refresh_token&refresh_token={token}")
}

/// A desk, its client and the first refresh token.
fn begin() -> (Desk, Client, String) {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let token = desk.login(&client, SCOPE).refresh.unwrap();
    desk.world.advance_millis(60_000);
    (desk, client, token)
}

#[test]
fn rfc6749_6_a_refresh_gives_a_new_access_token_and_rotates() {
    let (mut desk, client, first) = begin();
    let tokens = desk.refresh(&client, &first).unwrap();
    let second = tokens.refresh.clone().unwrap();
    assert_ne!(first, second);
    assert_eq!(tokens.scope, SCOPE);
    assert!(desk.is_active(&client, &tokens.access));
    assert!(desk.refresh(&client, &second).is_ok());
}

#[test]
fn settled_point_a_retry_in_the_window_gets_the_same_successor_and_writes_nothing() {
    let (mut desk, client, first) = begin();
    let one = desk.refresh(&client, &first).unwrap();
    desk.world.advance_millis(30_000);
    let two = desk.refresh(&client, &first).unwrap();
    assert_eq!(one.refresh, two.refresh);
    assert_ne!(one.access, two.access);
    assert_eq!(two.writes, 0);
    assert!(desk.is_active(&client, &one.access) && desk.is_active(&client, &two.access));
}

#[test]
fn rtk_05_of_two_at_once_both_get_the_same_successor() {
    let (mut desk, client, first) = begin();
    let request = body(&first);
    let (a, b) = (desk.load(&client, &request).unwrap(), desk.load(&client, &request).unwrap());
    let one = desk.decide(&client, &request, &a).unwrap().unwrap();
    assert_eq!(desk.decide(&client, &request, &b), Err(Conflict));
    let two = desk.token(&client, &request).unwrap();
    assert_eq!(one.refresh, two.refresh);
}

#[test]
fn rtk_03_rtk_04_a_replay_ends_the_family() {
    // After the window; and inside it, once the successor was used.
    for (use_successor, wait) in [(false, 30_001), (true, 1)] {
        let (mut desk, client, first) = begin();
        let second = desk.refresh(&client, &first).unwrap();
        let newest = if use_successor {
            desk.refresh(&client, second.refresh.as_ref().unwrap()).unwrap()
        } else {
            second
        };
        desk.world.advance_millis(wait);
        assert_eq!(desk.refresh(&client, &first), Err(Reason::RefreshTokenReplayed));
        assert_eq!(desk.refresh(&client, &newest.refresh.unwrap()), Err(Reason::GrantRevoked));
        assert!(!desk.is_active(&client, &newest.access));
    }
}

#[test]
fn fapi2_the_window_is_the_workspaces() {
    let (mut desk, client, first) = begin();
    desk.world.server.refresh_token_retry_window = crate::duration::Span::seconds(60);
    desk.refresh(&client, &first).unwrap();
    desk.world.advance_millis(60_000);
    assert!(desk.refresh(&client, &first).is_ok());
}

#[test]
fn rtk_06_another_client_is_refused_and_the_family_lives() {
    let (mut desk, client, first) = begin();
    let other = Client { client_id: "other".into(), ..client.clone() };
    let reborn = Client { uid: Uid::new("reborn"), ..client.clone() };
    for stranger in [&other, &reborn] {
        assert_eq!(desk.refresh(stranger, &first), Err(Reason::RefreshTokenOfOtherClient), "RTK-06, W-09");
    }
    assert!(desk.refresh(&client, &first).is_ok());
    desk.world.advance_millis(60_000);
    // Not even a replay by a stranger ends it: the stranger has proved nothing but a leak of a dead token.
    assert_eq!(desk.refresh(&other, &first), Err(Reason::RefreshTokenOfOtherClient));
}

#[test]
fn rtk_10_near_misses_and_other_kinds_are_unknown() {
    let mut desk = Desk::default();
    let client = desk.world.confidential();
    let tokens = desk.login(&client, SCOPE);
    let first = tokens.refresh.unwrap();
    let near = [first.trim_start_matches("rt_").to_owned(), first.to_ascii_lowercase(), format!("{first}A")];
    for other in near.iter().chain([&tokens.access, &"x".to_owned()]) {
        assert_eq!(desk.refresh(&client, other), Err(Reason::RefreshTokenUnknown), "{other}");
    }
    assert_eq!(desk.token(&client, "grant_type=refresh_token"), Err(Reason::ParameterMissing));
    desk.world.server.uid = Uid::new("made again under the same name");
    assert_eq!(desk.refresh(&client, &first), Err(Reason::RefreshTokenUnknown));
}

#[test]
fn rfc6749_6_scope_narrows_one_access_token_and_never_grows() {
    let (mut desk, client, first) = begin();
    let narrow = desk.token(&client, &format!("{}&scope=orders.read", body(&first))).unwrap();
    assert_eq!((narrow.scope.as_str(), narrow.id), ("orders.read", None));
    // The refresh token keeps the scope of its family.
    let second = narrow.refresh.unwrap();
    assert_eq!(desk.token(&client, &body(&second)).unwrap().scope, SCOPE);
    let third = desk.token(&client, &body(&second)).unwrap().refresh.unwrap();
    for more in ["email", "orders.read+email", "revoke_tokens"] {
        let grown = desk.token(&client, &format!("{}&scope={more}", body(&third)));
        assert_eq!(grown, Err(Reason::ScopeGrows), "{more}");
    }
    assert!(desk.refresh(&client, &third).is_ok(), "a refused request uses nothing up");
}

#[test]
fn a_scope_that_the_client_lost_is_not_issued_again() {
    let (mut desk, client, first) = begin();
    let poorer =
        Client { scopes: client.scopes.iter().filter(|s| *s != "orders.write").cloned().collect(), ..client };
    let tokens = desk.refresh(&poorer, &first).unwrap();
    assert_eq!(tokens.scope, "openid offline_access orders.read");
    let asked = desk.token(&poorer, &format!("{}&scope=orders.write", body(&tokens.refresh.unwrap())));
    assert_eq!(asked, Err(Reason::ScopeNotAllowed));
}

#[test]
fn oidc_core_12_2_the_id_token_keeps_iss_sub_aud_auth_time_and_gets_another_iat() {
    let mut desk = Desk::default();
    let client = Client { require_auth_time: true, ..desk.world.confidential() };
    let tokens = desk.login(&client, SCOPE);
    desk.world.advance_millis(60_000);
    let (before, after) =
        (tokens.id.unwrap(), desk.refresh(&client, &tokens.refresh.unwrap()).unwrap().id.unwrap());
    for same in ["iss", "sub", "aud", "auth_time", "sid", "acr"] {
        assert!(before.get(same).is_some(), "{same}");
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_ne!(before["iat"], after["iat"]);
    assert_eq!(after.get("nonce"), None);
}

#[test]
fn rtk_02_without_cycling_confidential_clients_keep_their_token_and_public_ones_do_not() {
    let mut desk = Desk::default();
    desk.world.server.advanced.disable_refresh_token_cycling = true;
    let client = desk.world.confidential();
    let first = desk.login(&client, SCOPE).refresh.unwrap();
    desk.world.advance_millis(120_000);
    for _ in 0..2 {
        let tokens = desk.refresh(&client, &first).unwrap();
        assert_eq!((tokens.refresh.as_deref(), tokens.writes), (Some(first.as_str()), 0));
    }

    let mut desk = Desk::default();
    desk.world.server.advanced.disable_refresh_token_cycling = true;
    let client = desk.world.public();
    let first = desk.login(&client, SCOPE).refresh.unwrap();
    assert_ne!(desk.refresh(&client, &first).unwrap().refresh, Some(first));
}

#[test]
fn a_refresh_token_slides_and_expires() {
    let (mut desk, client, first) = begin();
    let days = |days: u64| days * 86_400_000;
    desk.world.advance_millis(days(29));
    let second = desk.refresh(&client, &first).unwrap().refresh.unwrap();
    desk.world.advance_millis(days(29));
    let third = desk.refresh(&client, &second).unwrap();
    assert!(desk.is_active(&client, &third.access), "the grant was prolonged with its tokens");
    desk.world.advance_millis(days(30));
    assert_eq!(desk.refresh(&client, &third.refresh.unwrap()), Err(Reason::RefreshTokenExpired));
}

#[test]
fn tok_15_no_access_token_outlives_its_grant() {
    let mut desk = Desk::default();
    desk.world.server.advanced.disable_refresh_token_cycling = true;
    let client = desk.world.confidential();
    let first = desk.login(&client, SCOPE).refresh.unwrap();
    desk.world.advance_millis(720 * 3_600_000 - 60_000);
    assert_eq!(desk.refresh(&client, &first).unwrap().expires_in, 60);
}

#[test]
fn w_10_a_refresh_token_dies_with_its_user() {
    let (mut desk, client, first) = begin();
    desk.world.people.gone = true;
    assert_eq!(desk.refresh(&client, &first), Err(Reason::SubjectGone));
}

#[test]
fn a_revocation_at_the_same_moment_wins_over_a_rotation() {
    let (mut desk, client, first) = begin();
    let request = body(&first);
    let found = desk.load(&client, &request).unwrap();
    assert!(desk.revoke(&client, &format!("token={first}")));
    assert_eq!(desk.decide(&client, &request, &found), Err(Conflict));
    assert_eq!(desk.token(&client, &request), Err(Reason::GrantRevoked));
}

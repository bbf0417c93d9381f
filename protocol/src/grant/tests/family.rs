//! Invariants I1 and I7 of the refresh tree, over arbitrary sequences of what clients and thieves do.

use crate::client::Client;
use crate::error::Reason;
use crate::fixtures::Desk;
use crate::record::ArtifactKind;
use crate::token::refresh_token::RefreshToken;
use proptest::prelude::*;
use std::collections::HashMap;

/// What happens next. Tokens are chosen among all that were ever handed out.
#[derive(Clone, Debug)]
enum Act {
    Refresh(usize),
    /// Two requests that load before either commits.
    RefreshTwiceAtOnce(usize),
    /// By another client.
    Steal(usize),
    Revoke(usize),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any::<usize>().prop_map(Act::Refresh),
        2 => any::<usize>().prop_map(Act::RefreshTwiceAtOnce),
        1 => any::<usize>().prop_map(Act::Steal),
        1 => any::<usize>().prop_map(Act::Revoke),
        4 => prop_oneof![0..2_000u64, 25_000..40_000u64].prop_map(Act::Wait),
    ]
}

/// What was observed so far.
#[derive(Default)]
struct Seen {
    refresh_tokens: Vec<String>,
    access_tokens: Vec<String>,
    successor: HashMap<String, String>,
    ended: bool,
}

impl Seen {
    fn pick(&self, index: usize) -> String {
        self.refresh_tokens[index % self.refresh_tokens.len()].clone()
    }

    /// I1: a token has one successor, however often it is presented. Nothing is issued once the family has ended.
    fn answered(&mut self, parent: &str, answer: Result<crate::fixtures::Tokens, Reason>) {
        match answer {
            Ok(tokens) => {
                assert!(!self.ended, "tokens of a family that was ended");
                let next = tokens.refresh.unwrap();
                let known = self.successor.entry(parent.to_owned()).or_insert_with(|| next.clone());
                assert_eq!(*known, next, "a fork");
                if !self.refresh_tokens.contains(&next) {
                    self.refresh_tokens.push(next);
                }
                self.access_tokens.push(tokens.access);
            }
            Err(Reason::RefreshTokenReplayed | Reason::GrantRevoked) => self.ended = true,
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn play(acts: Vec<Act>, strategy: &str) {
    let mut desk = Desk::default();
    desk.world.server.access_token_strategy = strategy.to_owned();
    let client = desk.world.confidential();
    let thief = Client { client_id: "thief".into(), ..client.clone() };
    let tokens = desk.login(&client, "openid offline_access");
    let mut seen = Seen {
        refresh_tokens: vec![tokens.refresh.unwrap()],
        access_tokens: vec![tokens.access],
        ..Seen::default()
    };
    for act in acts {
        match act {
            Act::Wait(millis) => desk.world.advance_millis(millis),
            Act::Refresh(index) => {
                let token = seen.pick(index);
                let answer = desk.refresh(&client, &token);
                seen.answered(&token, answer);
            }
            Act::RefreshTwiceAtOnce(index) => {
                let token = seen.pick(index);
                let body = format!("grant_type=refresh_token&refresh_token={token}");
                let found = [desk.load(&client, &body).unwrap(), desk.load(&client, &body).unwrap()];
                for found in found {
                    let answer =
                        desk.decide(&client, &body, &found).unwrap_or_else(|_| desk.token(&client, &body));
                    seen.answered(&token, answer);
                }
            }
            Act::Steal(index) => {
                let refused = desk.refresh(&thief, &seen.pick(index));
                assert_eq!(refused, Err(Reason::RefreshTokenOfOtherClient));
            }
            Act::Revoke(index) => {
                desk.revoke(&client, &format!("token={}", seen.pick(index)));
                seen.ended = true;
            }
        }
        check(&mut desk, &client, &seen);
    }
}

/// At most one refresh token is unused; I7: once the family has ended, no member of it is active.
fn check(desk: &mut Desk, client: &Client, seen: &Seen) {
    let rows = desk.store.artifacts.values().filter(|row| row.kind == ArtifactKind::RefreshToken);
    let unused = rows.filter(|row| row.payload::<RefreshToken>().unwrap().rotated_at.is_none()).count();
    assert_eq!(unused, 1);
    let mut active =
        seen.access_tokens.iter().chain(&seen.refresh_tokens).filter(|token| desk.is_active(client, token));
    assert_eq!(active.next().is_none(), seen.ended);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i1_i7_one_successor_and_no_survivor_after_reuse(acts in prop::collection::vec(act(), 1..24)) {
        play(acts, "jwt");
    }

    #[test]
    fn i1_i7_hold_for_opaque_access_tokens_too(acts in prop::collection::vec(act(), 1..24)) {
        play(acts, "opaque");
    }
}

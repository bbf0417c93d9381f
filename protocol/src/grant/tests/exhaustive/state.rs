//! A moment in the life of one grant, and what can happen next.

use super::Bounds;
use super::mutant::Mutant;
use crate::client::Client;
use crate::error::Reason;
use crate::fixtures::{Desk, Memory, Tokens};
use crate::record::{ArtifactKind, Expect, Found, Write};
use crate::time::Timestamp;
use crate::token::refresh_token::RefreshToken;
use std::collections::BTreeMap;

const RETRY_WINDOW_SECONDS: i64 = 30;
/// Most requests at the same moment.
const OVERLAP: usize = 2;

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// A node loads what it needs to redeem the code.
    BeginCode,
    /// The same for the refresh token of that number, in the order in which they were handed out.
    BeginRefresh(usize),
    /// A request decides by what it loaded, and commits. If it lost a race, it loads again instead. Its answer arrives.
    Finish(usize),
    /// The same, but the answer gets lost.
    FinishUnheard(usize),
    /// The refresh token of that number is revoked.
    Revoke(usize),
    /// Every process dies: what is under way is gone, what was committed is not.
    Crash,
    /// Seconds pass.
    Wait(i64),
}

/// A request that has loaded its facts.
#[derive(Clone)]
struct Flight {
    /// What it presents; `None` is the code.
    token: Option<String>,
    found: Vec<Found>,
    began_at: Timestamp,
    /// The family had ended before it began.
    too_late: bool,
    /// The successor was used before it began.
    outrun: bool,
}

impl Flight {
    fn fingerprint(&self) -> String {
        let seen = self.found.iter().map(|found| match found {
            Found::Artifact(row, grant) => {
                (row.as_ref().map_or(0, |row| row.revision), grant.as_ref().map_or(0, |grant| grant.revision))
            }
            _ => (0, 0),
        });
        format!(
            "{:?}{:?}{:?}{}{}",
            self.token,
            seen.collect::<Vec<_>>(),
            self.began_at,
            self.too_late,
            self.outrun
        )
    }
}

#[derive(Clone)]
pub(super) struct State {
    store: Memory,
    /// As it was before the last commit.
    before: Memory,
    now: Timestamp,
    flights: Vec<Flight>,
    begun: usize,
    code_redeemed: bool,
    /// Refresh tokens that arrived, oldest first.
    known: Vec<String>,
    access: Vec<String>,
    successor: BTreeMap<String, String>,
    rotated_at: BTreeMap<String, Timestamp>,
    /// Revoked, or ended by a replay.
    ended: bool,
    /// When the client first presented its newest token.
    trying_since: Option<Timestamp>,
}

impl State {
    /// The same for states that differ in nothing that matters, with the same number of steps to go.
    pub(super) fn fingerprint(&self, steps: usize) -> [u8; 32] {
        let mut rows: Vec<String> = self
            .store
            .artifacts
            .values()
            .map(|row| format!("{}{:?}{}{}", row.kind.name(), row.hash.0, row.revision, row.body))
            .collect();
        rows.sort();
        let grants =
            self.store.grants.values().map(|grant| (grant.revision, grant.revoked_at, grant.expires_at));
        let mut flights: Vec<String> = self.flights.iter().map(Flight::fingerprint).collect();
        flights.sort();
        let text = format!(
            "{steps} {rows:?} {:?} {flights:?} {:?} {} {:?} {} {:?} {:?}",
            grants.collect::<Vec<_>>(),
            self.now,
            self.begun,
            self.known,
            self.ended,
            self.trying_since,
            self.rotated_at
        );
        jose::sha256(text.as_bytes())
    }

    pub(super) fn possible(&self, bounds: &Bounds) -> Vec<Act> {
        let mut acts = Vec::new();
        for index in 0..self.flights.len() {
            acts.extend([Act::Finish(index), Act::FinishUnheard(index)]);
        }
        if !self.flights.is_empty() {
            acts.push(Act::Crash);
        }
        let newest = self.known.len().checked_sub(1);
        if self.begun < bounds.requests && self.flights.len() < OVERLAP {
            if bounds.well_behaved {
                acts.extend(newest.map(Act::BeginRefresh));
            } else {
                acts.push(Act::BeginCode);
                acts.extend((0..self.known.len()).map(Act::BeginRefresh));
            }
        }
        if bounds.well_behaved {
            let tried_for = self.trying_since.map_or(0, |since| self.now.seconds() - since.seconds());
            let wait = if self.trying_since.is_some() { 10 } else { 100 };
            acts.extend((tried_for + wait < RETRY_WINDOW_SECONDS || wait == 100).then_some(Act::Wait(wait)));
        } else {
            acts.extend([Act::Wait(1), Act::Wait(RETRY_WINDOW_SECONDS + 1)]);
            acts.extend(newest.filter(|_| !self.ended).map(Act::Revoke));
        }
        acts
    }
}

/// The rules, and what is broken in them.
pub(super) struct Model {
    desk: Desk,
    client: Client,
    code: String,
    mutant: Option<Mutant>,
}

type Broken = String;

impl Model {
    pub(super) fn new(mutant: Option<Mutant>) -> Self {
        let mut desk = Desk::default();
        desk.world.server.access_token_strategy = "opaque".to_owned();
        if mutant == Some(Mutant::EndlessRetries) {
            desk.world.server.refresh_token_retry_window = crate::duration::Span::hours(1);
        }
        let client = desk.world.confidential();
        let scope = "offline_access orders.read";
        let (handle, code) = desk.code(&client, scope);
        // It lives as long as its tokens may, as the authorization endpoint makes it: nothing has to prolong it.
        let mut grant = desk.world.grant(&client, scope);
        grant.expires_at = desk.world.now.plus(std::time::Duration::from_secs(10_000 * 3600));
        desk.store_code(&handle, &code, grant);
        let code = handle;
        Self { desk, client, code, mutant }
    }

    pub(super) fn start(&mut self) -> State {
        let store = self.desk.store.clone();
        State {
            before: store.clone(),
            store,
            now: self.desk.world.now,
            flights: Vec::new(),
            begun: 0,
            code_redeemed: false,
            known: Vec::new(),
            access: Vec::new(),
            successor: BTreeMap::new(),
            rotated_at: BTreeMap::new(),
            ended: false,
            trying_since: None,
        }
    }

    /// The state after `act`, or what it broke.
    pub(super) fn step(&mut self, state: &State, act: Act, bounds: &Bounds) -> Result<State, Broken> {
        let mut next = state.clone();
        self.desk.store = next.store.clone();
        self.desk.world.now = next.now;
        match act {
            Act::Wait(seconds) => {
                let pause = std::time::Duration::from_secs(seconds.unsigned_abs());
                next.now = next.now.plus(pause);
            }
            Act::Crash => self.crash(&mut next),
            Act::BeginCode => self.begin(&mut next, None),
            Act::BeginRefresh(index) => {
                next.trying_since = next.trying_since.or(Some(next.now));
                let token = next.known[index].clone();
                self.begin(&mut next, Some(token));
            }
            Act::Revoke(index) => self.revoke(&mut next, index),
            Act::Finish(index) => self.finish(&mut next, index, true, bounds)?,
            Act::FinishUnheard(index) => self.finish(&mut next, index, false, bounds)?,
        }
        // To begin changes nothing that could be seen.
        if !matches!(act, Act::BeginCode | Act::BeginRefresh(_)) {
            self.check(&next)?;
        }
        Ok(next)
    }

    fn body(&self, token: Option<&str>) -> String {
        match token {
            Some(token) => format!("grant_type=refresh_token&refresh_token={token}"),
            None => {
                let code = &self.code;
                format!("grant_type=authorization_code&code={code}&redirect_uri=https://app.example/cb")
            }
        }
    }

    fn begin(&mut self, state: &mut State, token: Option<String>) {
        // No two requests come at the same moment, so that it is certain which came before the other.
        state.now = state.now.plus(std::time::Duration::from_millis(1));
        let body = self.body(token.as_deref());
        if self.mutant == Some(Mutant::StaleCache) {
            self.desk.store = state.before.clone();
        }
        let found = self.desk.load(&self.client, &body).unwrap();
        let successor = token.as_ref().and_then(|token| state.successor.get(token));
        let outrun = successor.is_some_and(|next| state.rotated_at.contains_key(next));
        let flight = Flight { token, found, began_at: state.now, too_late: state.ended, outrun };
        state.flights.push(flight);
        state.begun += 1;
    }

    fn crash(&self, state: &mut State) {
        state.flights.clear();
        match self.mutant {
            Some(Mutant::CommitNotDurable) => state.store = state.before.clone(),
            Some(Mutant::RotationForgottenByRestart) => {
                for row in state.store.artifacts.values_mut() {
                    if let Ok(token) = row.payload::<RefreshToken>() {
                        row.body =
                            serde_json::to_string(&RefreshToken { rotated_at: None, ..token }).unwrap();
                    }
                }
            }
            _ => {}
        }
    }

    fn revoke(&mut self, state: &mut State, index: usize) {
        self.desk.revoke(&self.client, &format!("token={}", state.known[index]));
        if self.mutant != Some(Mutant::RevocationNotStored) {
            state.before = std::mem::replace(&mut state.store, self.desk.store.clone());
        }
        state.ended = true;
    }

    /// Decides, commits, answers; or loads again when somebody else was first.
    fn finish(
        &mut self,
        state: &mut State,
        index: usize,
        heard: bool,
        bounds: &Bounds,
    ) -> Result<(), Broken> {
        let flight = state.flights.remove(index);
        let body = self.body(flight.token.as_deref());
        // Nothing random depends on the order in which other things happened.
        self.desk.world.reseed(1_000 * (self.desk.store.artifacts.len() as u64));
        self.desk.world.arrived_at = Some(flight.began_at);
        let mut decision = self.desk.judge(&self.client, &body, &flight.found);
        if let Some(mutant) = self.mutant {
            mutant.alter(&mut decision, state.store.artifacts.len());
        }
        if self.mutant == Some(Mutant::AnswerBeforeCommit) && heard {
            let tokens = decision.reply.map(|issue| self.desk.sign(&issue, 0));
            return self.answered(state, &flight, tokens.map_err(|refusal| refusal.reason), heard, bounds);
        }
        if self.desk.store.commit(&decision.writes).is_err() {
            if self.mutant == Some(Mutant::StaleCache) {
                return Ok(());
            }
            let found = self.desk.load(&self.client, &body).unwrap();
            state.flights.push(Flight { found, ..flight });
            return Ok(());
        }
        if state.ended && decision.writes.iter().any(makes_refresh_token) {
            return Err("a refresh token was made in a family that had ended".to_owned());
        }
        if !decision.writes.is_empty() {
            state.before = std::mem::replace(&mut state.store, self.desk.store.clone());
        }
        let tokens = decision.reply.map(|issue| self.desk.sign(&issue, 0));
        self.answered(state, &flight, tokens.map_err(|refusal| refusal.reason), heard, bounds)
    }

    fn answered(
        &self,
        state: &mut State,
        flight: &Flight,
        answer: Result<Tokens, Reason>,
        heard: bool,
        bounds: &Bounds,
    ) -> Result<(), Broken> {
        let tokens = match answer {
            Ok(tokens) => tokens,
            Err(reason) if bounds.well_behaved => return Err(format!("a client was sent away: {reason:?}")),
            Err(Reason::CodeReplayed | Reason::RefreshTokenReplayed) => {
                state.ended = true;
                return Ok(());
            }
            Err(Reason::CodeSubmittedTwice | Reason::GrantRevoked) => return Ok(()),
            Err(other) => return Err(format!("an unexpected refusal: {other:?}")),
        };
        if flight.too_late {
            return Err("tokens for a request that began after the end of its family".to_owned());
        }
        let refresh = tokens.refresh.ok_or("no refresh token")?;
        match &flight.token {
            None if state.code_redeemed => return Err("a code was redeemed twice".to_owned()),
            None => state.code_redeemed = true,
            Some(parent) => note_successor(state, flight, parent, &refresh)?,
        }
        if heard {
            state.access.push(tokens.access);
            if !state.known.contains(&refresh) {
                state.known.push(refresh);
                state.trying_since = None;
            }
        }
        Ok(())
    }

    /// What must hold in every state.
    fn check(&mut self, state: &State) -> Result<(), Broken> {
        self.desk.store = state.store.clone();
        self.desk.world.now = state.now;
        let rows = state.store.artifacts.values().filter(|row| row.kind == ArtifactKind::RefreshToken);
        let unused = rows.filter(|row| row.payload::<RefreshToken>().unwrap().rotated_at.is_none()).count();
        if unused > 1 {
            return Err("two refresh tokens of one family are unused".to_owned());
        }
        for token in &state.access {
            if self.desk.is_active(&self.client, token) == state.ended {
                let what = if state.ended { "lives after the end" } else { "was handed out and is unknown" };
                return Err(format!("an access token {what}"));
            }
        }
        let mut refresh = state.known.iter();
        if state.ended && refresh.any(|token| self.desk.is_active(&self.client, token)) {
            return Err("a refresh token lives after the end".to_owned());
        }
        Ok(())
    }
}

/// I1: one successor, given again only inside the window and until it was used.
fn note_successor(state: &mut State, flight: &Flight, parent: &str, child: &str) -> Result<(), Broken> {
    if state.successor.get(parent).is_some_and(|known| known != child) {
        return Err("a fork: two successors of one refresh token".to_owned());
    }
    if flight.outrun {
        return Err("a parent was accepted after its successor had been used".to_owned());
    }
    state.successor.insert(parent.to_owned(), child.to_owned());
    let rotated_at = *state.rotated_at.entry(parent.to_owned()).or_insert(state.now);
    if flight.began_at.seconds() - rotated_at.seconds() > RETRY_WINDOW_SECONDS {
        return Err("a retry was accepted outside its window".to_owned());
    }
    Ok(())
}

fn makes_refresh_token(write: &Write) -> bool {
    matches!(write, Write::PutArtifact { artifact, expect: Expect::Absent }
        if artifact.kind == ArtifactKind::RefreshToken)
}

//! Failed logins are counted per account and source (decisions 10); so are typed user codes and registrations.
//!
//! From [`ACCOUNT_LIMIT`] consecutive failures on, further tries of that account from that source are refused
//! for a while that doubles; a success resets. The owner, at another source, is not locked out (attack W-18).
//! The counters are rows, so a restart does not reset them, and they expire.
//!
//! Tries in flight count like failures: one is looked at only while the failures and the tries before it are fewer than
//! the limit, or nobody is before it; else it waits until those are counted. A failure is counted exactly, whoever counts
//! at the same moment. So over several nodes at most the limit times their number is looked at before all pause, and then
//! one per node and pause.

use crate::tries::Places;
use crate::{Call, Engine, EngineError, Workspace};
use protocol::decision::Event;
use protocol::id::TenantId;
use protocol::record::{Artifact, ArtifactKind, Expect, Found, HandleHash, Lookup, Payload, Write};
use protocol::single_use::SingleUse;
use protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Consecutive failures of one account from one source that are answered without delay.
const ACCOUNT_LIMIT: u32 = 20;
/// Failures of one source within [`SOURCE_WINDOW`].
const SOURCE_LIMIT: u32 = 200;
const SOURCE_WINDOW: Duration = Duration::from_secs(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(900);
/// Wrong user codes of one person, and from one source, within [`SOURCE_WINDOW`] (RFC 8628 §5.1).
const PERSON_CODES: u32 = 10;
const SOURCE_CODES: u32 = 50;
/// How long registrations of one source are counted.
const REGISTRATION_WINDOW: Duration = Duration::from_secs(3600);

/// How many may wait for those before them; whoever comes then is refused for [`LINE_PAUSE`].
const LONGEST_LINE: u32 = 128;
const LINE_PAUSE: Duration = Duration::from_secs(1);
/// How often what lost a race against other nodes is counted again: each time one of those has won.
const ATTEMPTS: usize = 32;

#[derive(Serialize, Deserialize, Default, Clone)]
struct LoginFailures {
    count: u32,
    since: Timestamp,
    last: Timestamp,
}

impl Payload for LoginFailures {
    const KIND: ArtifactKind = ArtifactKind::LoginFailures;
}

/// What is refused once the limit is reached.
#[derive(Clone, Copy)]
enum Pause {
    /// Everything for a while after each failure.
    Doubling,
    /// Everything until the window that began with the first failure ends.
    Window(Duration),
}

struct Counter {
    hash: HandleHash,
    limit: u32,
    pause: Pause,
    failures: LoginFailures,
    /// What was loaded.
    expect: Expect,
}

/// A try that may be looked at. It counts as a failure while it is kept.
pub(crate) struct Attempt {
    counters: Vec<Counter>,
    places: Places,
}

/// Whether a try may be looked at.
pub(crate) enum Admission {
    Admitted(Attempt),
    Refused { wait: Duration },
}

impl Engine {
    /// Admits a try of a password.
    pub(crate) async fn login_attempt(
        &self,
        workspace: &Workspace,
        username: &str,
        source: &str,
    ) -> Result<Admission, EngineError> {
        let server = &workspace.server.id;
        // One spelling per account (attack LGN-13): the provider's own matching is exact, so is the counter's,
        // but surrounding space and case must not give fresh tries.
        let account_name = username.trim().to_lowercase();
        let account = format!("account\0{server}\0{account_name}\0{source}");
        let source = format!("source\0{server}\0{source}");
        let counters = vec![
            Counter::new(&account, ACCOUNT_LIMIT, Pause::Doubling),
            Counter::new(&source, SOURCE_LIMIT, Pause::Window(SOURCE_WINDOW)),
        ];
        self.stand_in_line(&workspace.tenant, counters).await
    }

    /// Admits a typed user code.
    pub(crate) async fn user_code_attempt(
        &self,
        workspace: &Workspace,
        person: &str,
        source: &str,
    ) -> Result<Admission, EngineError> {
        let server = &workspace.server.id;
        let person = format!("user code of person\0{server}\0{person}");
        let source = format!("user code of source\0{server}\0{source}");
        let window = Pause::Window(SOURCE_WINDOW);
        let counters =
            vec![Counter::new(&person, PERSON_CODES, window), Counter::new(&source, SOURCE_CODES, window)];
        self.stand_in_line(&workspace.tenant, counters).await
    }

    /// Admits a registration (RFC 7591 §5). Every one counts, not only those that fail.
    pub(crate) async fn registration_attempt(
        &self,
        workspace: &Workspace,
        source: &str,
    ) -> Result<Admission, EngineError> {
        let limit = workspace.server.dynamic_client_registration.max_registrations_per_source;
        let source = format!("registrations of source\0{}\0{source}", workspace.server.id);
        let counter = Counter::new(&source, limit, Pause::Window(REGISTRATION_WINDOW));
        self.stand_in_line(&workspace.tenant, vec![counter]).await
    }

    /// Commits a try that counts: the counters, `writes` and `events` at once, or nothing. What counted meanwhile is
    /// added to.
    ///
    /// # Errors
    /// As [`Engine::commit_once`]; unavailable when other nodes were always faster.
    pub(crate) async fn commit_counted(
        &self,
        workspace: &Workspace,
        mut attempt: Attempt,
        (once, writes): (&[SingleUse], Vec<Write>),
        events: Vec<Event>,
        call: &Call,
    ) -> Result<(), EngineError> {
        let turn = attempt.places.turn();
        let _only_one = match &turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let counts = attempt.counters.iter().map(|counter| counter.counted(now));
            let all = counts.chain(writes.iter().cloned()).collect();
            match self.commit_once(workspace, once, all, events.clone(), call).await {
                Err(EngineError::Conflict { index }) if index < once.len() + attempt.counters.len() => {
                    self.load_counters(&workspace.tenant, &mut attempt.counters).await?;
                }
                done => return done,
            }
        }
        Err(EngineError::Unavailable("other nodes change the same counter all the time".to_owned()))
    }

    /// Lets a try in when its turn has come, or says how long to wait.
    async fn stand_in_line(
        &self,
        tenant: &TenantId,
        counters: Vec<Counter>,
    ) -> Result<Admission, EngineError> {
        let places = self.tries.enter(tenant, counters.iter().map(|counter| counter.hash));
        let mut attempt = Attempt { counters, places };
        loop {
            let ahead = attempt.places.ahead();
            self.load_counters(tenant, &mut attempt.counters).await?;
            let now = self.now();
            if let Some(wait) = attempt.wait(now) {
                return Ok(Admission::Refused { wait });
            }
            let rooms = attempt.counters.iter().map(|counter| counter.room(now));
            let full = rooms.zip(ahead).enumerate().find(|(_, (room, ahead))| ahead > room);
            let Some((line, (room, ahead))) = full else { return Ok(Admission::Admitted(attempt)) };
            if ahead.saturating_sub(room) > LONGEST_LINE {
                return Ok(Admission::Refused { wait: LINE_PAUSE });
            }
            attempt.places.advance(line, room).await;
        }
    }

    /// Counters as they stand; those that have expired start anew, in the row that may still be there.
    async fn load_counters(&self, tenant: &TenantId, counters: &mut [Counter]) -> Result<(), EngineError> {
        let lookup = |counter: &Counter| Lookup::Artifact(ArtifactKind::LoginFailures, counter.hash);
        let lookups: Vec<Lookup> = counters.iter().map(lookup).collect();
        let found = self.store.load(tenant, &lookups).await?;
        for (counter, found) in counters.iter_mut().zip(found) {
            (counter.failures, counter.expect) = match found {
                Found::Artifact(Some(row), _) if self.now() < row.expires_at => {
                    (row.payload()?, Expect::Revision(row.revision))
                }
                Found::Artifact(Some(row), _) => (LoginFailures::default(), Expect::Revision(row.revision)),
                _ => (LoginFailures::default(), Expect::Absent),
            };
        }
        Ok(())
    }
}

impl Attempt {
    /// How long to wait before the next try is looked at; `None` if it may be now.
    fn wait(&self, now: Timestamp) -> Option<Duration> {
        self.counters.iter().map(|counter| counter.wait(now)).filter(|wait| !wait.is_zero()).max()
    }

    /// What to store after a success: the account's counter starts anew.
    pub(crate) fn succeeded(self) -> Vec<Write> {
        let accounts = self.counters.iter().filter(|c| matches!(c.pause, Pause::Doubling));
        let counted = accounts.filter(|counter| counter.failures.count > 0);
        let delete = |counter: &Counter| Write::DeleteArtifact {
            kind: ArtifactKind::LoginFailures,
            hash: counter.hash,
            expect: Expect::Any,
        };
        counted.map(delete).collect()
    }
}

impl Counter {
    fn new(of: &str, limit: u32, pause: Pause) -> Self {
        let failures = LoginFailures::default();
        Self { hash: HandleHash::of(of), limit, pause, failures, expect: Expect::Absent }
    }

    fn wait(&self, now: Timestamp) -> Duration {
        let Some(over) = self.failures.count.checked_sub(self.limit) else { return Duration::ZERO };
        let end = match self.pause {
            Pause::Doubling => {
                self.failures.last.plus(Duration::from_secs(1 << over.min(10)).min(LONGEST_PAUSE))
            }
            Pause::Window(window) => self.failures.since.plus(window),
        };
        end.since(now)
    }

    /// How many tries may be in flight before one that is looked at: none once the limit is reached.
    fn room(&self, now: Timestamp) -> u32 {
        let count = if self.is_over(now) { 0 } else { self.failures.count };
        self.limit.saturating_sub(count).saturating_sub(1)
    }

    /// Whether the next failure is the first one.
    fn is_over(&self, now: Timestamp) -> bool {
        let ended = match self.pause {
            Pause::Doubling => false,
            Pause::Window(window) => now.since(self.failures.since) >= window,
        };
        ended || self.failures.count == 0
    }

    /// What to store for one more.
    fn counted(&self, now: Timestamp) -> Write {
        let (count, since) = match self.is_over(now) {
            true => (1, now),
            false => (self.failures.count.saturating_add(1), self.failures.since),
        };
        let life = match self.pause {
            Pause::Doubling => LONGEST_PAUSE * 2,
            Pause::Window(window) => window,
        };
        let failures = LoginFailures { count, since, last: now };
        Write::PutArtifact {
            artifact: Artifact::new(self.hash, now.plus(life), &failures),
            expect: self.expect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tries::Tries;

    fn attempt(account: u32, source: u32) -> Attempt {
        let now = Timestamp::from_seconds(1000);
        let mut counters = vec![
            Counter::new("account", ACCOUNT_LIMIT, Pause::Doubling),
            Counter::new("source", SOURCE_LIMIT, Pause::Window(SOURCE_WINDOW)),
        ];
        for (counter, count) in counters.iter_mut().zip([account, source]) {
            counter.failures = LoginFailures { count, since: now, last: now };
        }
        let places = Tries::default().enter(&TenantId::new("t"), counters.iter().map(|c| c.hash));
        Attempt { counters, places }
    }

    #[test]
    fn decisions_10_only_the_twentieth_failure_brings_a_pause() {
        let now = Timestamp::from_seconds(1000);
        assert_eq!(attempt(19, 0).wait(now), None);
        assert_eq!(attempt(20, 0).wait(now), Some(Duration::from_secs(1)));
        assert_eq!(attempt(20, 0).wait(now.plus(Duration::from_secs(1))), None);
        assert_eq!(attempt(60, 0).wait(now), Some(LONGEST_PAUSE));
    }

    #[test]
    fn rfc9110_10_2_3_of_two_pauses_the_longer_one_is_told() {
        let now = Timestamp::from_seconds(1000);
        assert_eq!(attempt(20, SOURCE_LIMIT).wait(now), Some(SOURCE_WINDOW));
        assert_eq!(attempt(60, SOURCE_LIMIT).wait(now), Some(LONGEST_PAUSE));
        let later = now.plus(SOURCE_WINDOW);
        assert_eq!(attempt(60, SOURCE_LIMIT).wait(later), Some(LONGEST_PAUSE - SOURCE_WINDOW));
    }

    #[test]
    fn w_17_what_is_in_flight_takes_the_room_of_failures() {
        let now = Timestamp::from_seconds(1000);
        let rooms =
            |account, source, at| attempt(account, source).counters.iter().map(|c| c.room(at)).collect();
        let (fresh, later): (Vec<u32>, Vec<u32>) =
            (rooms(0, 0, now), rooms(25, 150, now.plus(SOURCE_WINDOW)));
        assert_eq!(fresh, [19, 199]);
        assert_eq!(later, [0, 199], "one at a time beyond the limit; all when the window is over");
        assert_eq!(rooms(19, 150, now), [0, 49]);
    }
}

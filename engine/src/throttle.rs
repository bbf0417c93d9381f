//! Failed logins are counted per account and source (decisions 10); so are typed user codes and registrations.
//!
//! From [`ACCOUNT_LIMIT`] consecutive failures on, further tries of that account from that source are refused
//! for a while that doubles; a success resets. The owner, at another source, is not locked out (attack W-18).
//! The counters are rows, so a restart does not reset them, and they expire.

use crate::{Engine, EngineError, Workspace};
use protocol::id::TenantId;
use protocol::record::{Artifact, ArtifactKind, Expect, Found, HandleHash, Lookup, Payload, Write};
use protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Consecutive failures of one account from one source that are answered without delay.
pub(crate) const ACCOUNT_LIMIT: u32 = 20;
/// Failures of one source within [`SOURCE_WINDOW`].
pub(crate) const SOURCE_LIMIT: u32 = 200;
pub(crate) const SOURCE_WINDOW: Duration = Duration::from_secs(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

#[derive(Serialize, Deserialize, Default, Clone)]
struct LoginFailures {
    count: u32,
    since: Timestamp,
    last: Timestamp,
}

impl LoginFailures {
    const NONE: Self = Self { count: 0, since: Timestamp::from_seconds(0), last: Timestamp::from_seconds(0) };
}

impl Payload for LoginFailures {
    const KIND: ArtifactKind = ArtifactKind::LoginFailures;
}

/// The two counters that one login looks at.
pub(crate) struct Throttle {
    account: HandleHash,
    source: HandleHash,
    account_failures: LoginFailures,
    source_failures: LoginFailures,
}

impl Engine {
    pub(crate) async fn throttle(
        &self,
        tenant: &TenantId,
        server: &str,
        username: &str,
        source: &str,
    ) -> Result<Throttle, EngineError> {
        // One spelling per account (attack LGN-13): the provider's own matching is exact, so is the counter's,
        // but surrounding space and case must not give fresh tries.
        let account_name = username.trim().to_lowercase();
        let account = HandleHash::of(&format!("account\0{server}\0{account_name}\0{source}"));
        let source = HandleHash::of(&format!("source\0{server}\0{source}"));
        let [account_failures, source_failures] = self.failures(tenant, [account, source]).await?;
        Ok(Throttle { account, source, account_failures, source_failures })
    }
}

impl Throttle {
    /// How long to wait before the next try is looked at; `None` if it may be now.
    pub(crate) fn wait(&self, now: Timestamp) -> Option<Duration> {
        let of_source = (self.source_failures.count >= SOURCE_LIMIT)
            .then(|| self.source_failures.since.plus(SOURCE_WINDOW).since(now));
        let of_account = self.account_failures.count.checked_sub(ACCOUNT_LIMIT).map(|over| {
            let pause = Duration::from_secs(1 << over.min(10)).min(LONGEST_PAUSE);
            self.account_failures.last.plus(pause).since(now)
        });
        of_source.max(of_account).filter(|wait| !wait.is_zero())
    }

    /// What to store after a failure. Lost updates among parallel tries do no harm: the count only lags.
    pub(crate) fn failed(&self, now: Timestamp) -> Vec<Write> {
        let account = counted(&self.account_failures, now, Duration::MAX);
        let source = counted(&self.source_failures, now, SOURCE_WINDOW);
        vec![
            put(self.account, &account, now.plus(LONGEST_PAUSE * 2)),
            put(self.source, &source, now.plus(SOURCE_WINDOW)),
        ]
    }

    /// What to store after a success: the account's counter starts anew.
    pub(crate) fn succeeded(&self) -> Vec<Write> {
        if self.account_failures.count == 0 {
            return Vec::new();
        }
        vec![Write::DeleteArtifact {
            kind: ArtifactKind::LoginFailures,
            hash: self.account,
            expect: Expect::Any,
        }]
    }
}

fn counted(before: &LoginFailures, now: Timestamp, window: Duration) -> LoginFailures {
    let fresh = before.count == 0 || now.since(before.since) >= window;
    LoginFailures {
        count: if fresh { 1 } else { before.count.saturating_add(1) },
        since: if fresh { now } else { before.since },
        last: now,
    }
}

fn put(hash: HandleHash, failures: &LoginFailures, expires_at: Timestamp) -> Write {
    Write::PutArtifact { artifact: Artifact::new(hash, expires_at, failures), expect: Expect::Any }
}

/// Wrong user codes of one person, and from one source, within [`SOURCE_WINDOW`] (RFC 8628 §5.1).
const PERSON_CODES: u32 = 10;
const SOURCE_CODES: u32 = 50;

/// The two counters that one typed user code looks at.
pub(crate) struct UserCodeThrottle([Counter; 2]);

struct Counter {
    hash: HandleHash,
    failures: LoginFailures,
    limit: u32,
}

impl Engine {
    pub(crate) async fn user_code_throttle(
        &self,
        workspace: &Workspace,
        person: &str,
        source: &str,
    ) -> Result<UserCodeThrottle, EngineError> {
        let server = &workspace.server.id;
        let person = HandleHash::of(&format!("user code of person\0{server}\0{person}"));
        let source = HandleHash::of(&format!("user code of source\0{server}\0{source}"));
        let [by_person, by_source] = self.failures(&workspace.tenant, [person, source]).await?;
        Ok(UserCodeThrottle([
            Counter { hash: person, failures: by_person, limit: PERSON_CODES },
            Counter { hash: source, failures: by_source, limit: SOURCE_CODES },
        ]))
    }

    /// Counters as they stand; those that have expired start anew.
    async fn failures<const N: usize>(
        &self,
        tenant: &TenantId,
        hashes: [HandleHash; N],
    ) -> Result<[LoginFailures; N], EngineError> {
        let lookups = hashes.map(|hash| Lookup::Artifact(ArtifactKind::LoginFailures, hash));
        let mut counters = [const { LoginFailures::NONE }; N];
        let found = self.store.load(tenant, &lookups).await?;
        for (counter, found) in counters.iter_mut().zip(found) {
            if let Found::Artifact(Some(artifact), _) = found
                && self.now() < artifact.expires_at
            {
                *counter = artifact.payload::<LoginFailures>()?;
            }
        }
        Ok(counters)
    }
}

impl UserCodeThrottle {
    /// How long to wait before the next code is looked at; `None` if it may be now.
    pub(crate) fn wait(&self, now: Timestamp) -> Option<Duration> {
        let ends = self.0.iter().filter(|counter| counter.failures.count >= counter.limit);
        let waits = ends.map(|counter| counter.failures.since.plus(SOURCE_WINDOW).since(now));
        waits.filter(|wait| !wait.is_zero()).max()
    }

    /// What to store after a wrong code.
    pub(crate) fn failed(&self, now: Timestamp) -> Vec<Write> {
        let write = |counter: &Counter| {
            put(counter.hash, &counted(&counter.failures, now, SOURCE_WINDOW), now.plus(SOURCE_WINDOW))
        };
        self.0.iter().map(write).collect()
    }
}

/// How long registrations of one source are counted.
const REGISTRATION_WINDOW: Duration = Duration::from_secs(3600);

/// The counter that one registration looks at (RFC 7591 §5).
pub(crate) struct RegistrationThrottle {
    hash: HandleHash,
    made: LoginFailures,
}

impl Engine {
    pub(crate) async fn registration_throttle(
        &self,
        workspace: &Workspace,
        source: &str,
    ) -> Result<RegistrationThrottle, EngineError> {
        let server = &workspace.server.id;
        let hash = HandleHash::of(&format!("registrations of source\0{server}\0{source}"));
        let [made] = self.failures(&workspace.tenant, [hash]).await?;
        Ok(RegistrationThrottle { hash, made })
    }
}

impl RegistrationThrottle {
    /// How long to wait before the next registration; `None` if it may be now.
    pub(crate) fn wait(&self, limit: u32, now: Timestamp) -> Option<Duration> {
        let end = self.made.since.plus(REGISTRATION_WINDOW);
        (self.made.count >= limit && now < end).then(|| end.since(now))
    }

    /// What to store with a registration.
    pub(crate) fn registered(&self, now: Timestamp) -> Write {
        let made = counted(&self.made, now, REGISTRATION_WINDOW);
        put(self.hash, &made, now.plus(REGISTRATION_WINDOW))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(count: u32) -> Throttle {
        let now = Timestamp::from_seconds(1000);
        Throttle {
            account: HandleHash([0; 32]),
            source: HandleHash([1; 32]),
            account_failures: LoginFailures { count, since: now, last: now },
            source_failures: LoginFailures::default(),
        }
    }

    #[test]
    fn decisions_10_only_the_twentieth_failure_brings_a_pause() {
        let now = Timestamp::from_seconds(1000);
        assert_eq!(throttle(19).wait(now), None);
        assert_eq!(throttle(20).wait(now), Some(Duration::from_secs(1)));
        assert_eq!(throttle(20).wait(now.plus(Duration::from_secs(1))), None);
        assert_eq!(throttle(60).wait(now), Some(LONGEST_PAUSE));
    }

    #[test]
    fn rfc9110_10_2_3_of_two_pauses_the_longer_one_is_told() {
        let now = Timestamp::from_seconds(1000);
        let source_failures = LoginFailures { count: SOURCE_LIMIT, since: now, last: now };
        let both = |count| Throttle { source_failures: source_failures.clone(), ..throttle(count) };
        assert_eq!(both(20).wait(now), Some(SOURCE_WINDOW));
        assert_eq!(both(60).wait(now), Some(LONGEST_PAUSE));
        assert_eq!(both(60).wait(now.plus(SOURCE_WINDOW)), Some(LONGEST_PAUSE - SOURCE_WINDOW));
    }
}

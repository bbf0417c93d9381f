//! Repeatable POST requests: `X-Idempotency-Key` (contract §e).
//!
//! The first request with a key leaves a marker, does its work and stores its answer; the same request with the
//! same key gets that answer again for one minute. Keys belong to a caller: nobody meets the key of another. The
//! answer may hold tokens, so it is sealed with a key that needs the request's own idempotency key to be made:
//! neither the database nor the database with the key file gives it away.

use crate::Engine;
use jose::aead;
use protocol::decision::Derive;
use protocol::error::{Reason, Refusal};
use protocol::id::TenantId;
use protocol::record::{
    Artifact, ArtifactKind, Expect, Found, HandleHash, ImpossibleRow, Lookup, Payload, Write,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use store::{Batch, Store, StoreError};
use zeroize::Zeroizing;

/// How long an answer is given again.
pub const WINDOW: Duration = Duration::from_secs(60);
/// How long a marker without an answer holds others back: longer than any request takes.
const MARKER: Duration = Duration::from_secs(10);
/// How long a second request waits for the first one's answer, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LONGEST_LOOK: Duration = Duration::from_millis(250);

/// An answer that can be given again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl StoredAnswer {
    /// Failures of ours, and those of who the caller is or how often it comes, may be different next time. So may a
    /// request for a nonce: what comes next has it (RFC 9449 §8).
    fn is_final(&self) -> bool {
        let asks_for_nonce = || self.headers.iter().any(|(name, _)| name == "dpop-nonce");
        match self.status {
            401 | 408 | 429 | 500.. => false,
            400 => !asks_for_nonce(),
            _ => true,
        }
    }
}

/// What a request with a key is.
pub enum Begun {
    /// The first of its kind: do the work, then [`Engine::idempotent_finish`].
    First(Ticket),
    /// A repetition: give this answer, with the header `X-Idempotent-Replayed: true`.
    Replay(StoredAnswer),
    /// There is no such tenant, hence no place to keep an answer: let the request find out itself.
    NoTenant,
}

/// The right to answer for a key. Dropped without an answer, it frees the key for the next try.
pub struct Ticket {
    store: Arc<dyn Store>,
    tenant: TenantId,
    names: Names,
    fingerprint: String,
    /// Revision of the marker.
    revision: i64,
    open: bool,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let (store, tenant, delete) = (Arc::clone(&self.store), self.tenant.clone(), self.deletion());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { commit(store.as_ref(), &tenant, delete).await });
        }
    }
}

impl Ticket {
    fn deletion(&self) -> Write {
        Write::DeleteArtifact {
            kind: ArtifactKind::IdempotentAnswer,
            hash: self.names.row,
            expect: Expect::Revision(self.revision),
        }
    }
}

/// The row: a marker while `answer` is missing.
#[derive(Serialize, Deserialize)]
struct IdempotentAnswer {
    /// Keyed hash of the request, so that a body with a short secret cannot be guessed from it.
    request: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

impl Payload for IdempotentAnswer {
    const KIND: ArtifactKind = ArtifactKind::IdempotentAnswer;
}

/// Where the answer lies and what opens it; both need the caller and the key.
struct Names {
    row: HandleHash,
    seal: Zeroizing<[u8; 32]>,
}

impl Names {
    fn of(master: &dyn Derive, tenant: &TenantId, key: &str, caller: &[u8; 32]) -> Self {
        // The caller's hash has a fixed length and identifiers hold no line feed: nothing can slide.
        let input = format!("{}\n{tenant}\n{key}", jose::base64url::encode(caller));
        Self {
            row: HandleHash(master.derive("idempotency row", &input)),
            seal: Zeroizing::new(master.derive("idempotency seal", &input)),
        }
    }

    fn seal(&self, answer: &StoredAnswer) -> Result<String, jose::Error> {
        // Plain strings, numbers and bytes: serialising them cannot fail.
        let plain = Zeroizing::new(serde_json::to_vec(answer).unwrap_or_default());
        Ok(jose::base64url::encode(&aead::seal(&self.seal, &self.row.0, &plain)?))
    }

    fn open(&self, sealed: &str) -> Result<StoredAnswer, ImpossibleRow> {
        let impossible = || ImpossibleRow { what: format!("idempotent answer {:?}", self.row) };
        let sealed = jose::base64url::decode(sealed).map_err(|_| impossible())?;
        let plain = aead::open(&self.seal, &self.row.0, &sealed).map_err(|_| impossible())?;
        serde_json::from_slice(&plain).map_err(|_| impossible())
    }
}

impl Engine {
    /// Begins a POST that came with `X-Idempotency-Key`.
    ///
    /// `caller` is the hash of everything by which the caller authenticates, `request` the one of method, path and
    /// body. A request whose twin is being worked on waits for its answer, up to 5 s.
    ///
    /// # Errors
    /// When the key is malformed, was used by the same caller for another request, or the twin takes too long.
    pub async fn idempotent_begin(
        &self,
        tenant: &TenantId,
        key: &str,
        caller: &[u8; 32],
        request: &[u8; 32],
    ) -> Result<Begun, Refusal> {
        if !is_valid_key(key) {
            return Err(Refusal::new(Reason::IdempotencyKeyInvalid).parameter("X-Idempotency-Key"));
        }
        let names = Names::of(&self.master, tenant, key, caller);
        let request = format!("{}\n{:?}", jose::base64url::encode(request), names.row);
        let fingerprint = jose::base64url::encode(&self.master.derive("idempotency request", &request));
        let mut waited = Duration::ZERO;
        let mut pause = FIRST_LOOK;
        while waited <= PATIENCE {
            let row = self.idempotency_row(tenant, &names).await?;
            let expect = match row {
                None => Expect::Absent,
                Some((artifact, _)) if artifact.expires_at <= self.now() => {
                    Expect::Revision(artifact.revision)
                }
                Some((_, answer)) if answer.request != fingerprint => {
                    return Err(Refusal::new(Reason::IdempotencyKeyReused).parameter("X-Idempotency-Key"));
                }
                Some((_, IdempotentAnswer { answer: Some(sealed), .. })) => {
                    let answer = names.open(&sealed).map_err(crate::EngineError::from)?;
                    return Ok(Begun::Replay(answer));
                }
                Some(_) => {
                    tokio::time::sleep(pause).await;
                    waited += pause;
                    pause = (pause * 2).min(LONGEST_LOOK);
                    continue;
                }
            };
            match self.leave_marker(tenant, &names, &fingerprint, expect).await {
                Ok(revision) => return Ok(Begun::First(self.ticket(tenant, names, fingerprint, revision))),
                // Somebody else was quicker: look again. Where there is no tenant, nobody ever succeeds.
                Err(StoreError::Conflict { .. }) => {
                    if self.tenant(tenant).await?.is_none() {
                        return Ok(Begun::NoTenant);
                    }
                    waited += pause;
                }
                Err(error) => return Err(crate::EngineError::from(error).into()),
            }
        }
        Err(Reason::ConcurrentChange.into())
    }

    /// Keeps the answer for repetitions, or frees the key when another try may end otherwise. Call it before the
    /// answer leaves. A store that fails here costs only the repeatability.
    pub async fn idempotent_finish(&self, mut ticket: Ticket, answer: &StoredAnswer) {
        let write = match answer.is_final().then(|| ticket.names.seal(answer)) {
            Some(Ok(sealed)) => {
                let row = IdempotentAnswer { request: ticket.fingerprint.clone(), answer: Some(sealed) };
                Write::PutArtifact {
                    artifact: Artifact::new(ticket.names.row, self.now().plus(WINDOW), &row),
                    expect: Expect::Revision(ticket.revision),
                }
            }
            _ => ticket.deletion(),
        };
        ticket.open = false;
        commit(ticket.store.as_ref(), &ticket.tenant, write).await;
    }

    async fn idempotency_row(
        &self,
        tenant: &TenantId,
        names: &Names,
    ) -> Result<Option<(Artifact, IdempotentAnswer)>, crate::EngineError> {
        let lookup = [Lookup::Artifact(ArtifactKind::IdempotentAnswer, names.row)];
        match self.store.load(tenant, &lookup).await?.pop() {
            Some(Found::Artifact(Some(artifact), _)) => {
                let answer = artifact.payload()?;
                Ok(Some((artifact, answer)))
            }
            _ => Ok(None),
        }
    }

    /// The marker's revision.
    async fn leave_marker(
        &self,
        tenant: &TenantId,
        names: &Names,
        fingerprint: &str,
        expect: Expect,
    ) -> Result<i64, StoreError> {
        let marker = IdempotentAnswer { request: fingerprint.to_owned(), answer: None };
        let artifact = Artifact::new(names.row, self.now().plus(MARKER), &marker);
        let writes = vec![Write::PutArtifact { artifact, expect }];
        self.store.commit(tenant, Batch { writes, events: Vec::new() }).await?;
        Ok(match expect {
            Expect::Revision(before) => before + 1,
            Expect::Absent | Expect::Any => 1,
        })
    }

    fn ticket(&self, tenant: &TenantId, names: Names, fingerprint: String, revision: i64) -> Ticket {
        let (store, tenant) = (Arc::clone(&self.store), tenant.clone());
        Ticket { store, tenant, names, fingerprint, revision, open: true }
    }
}

/// 32 to 255 printable ASCII characters (contract §e).
fn is_valid_key(key: &str) -> bool {
    (32..=255).contains(&key.len()) && key.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

async fn commit(store: &dyn Store, tenant: &TenantId, write: Write) {
    match store.commit(tenant, Batch { writes: vec![write], events: Vec::new() }).await {
        // A conflict means that the marker expired meanwhile and somebody else answers for the key now.
        Ok(()) | Err(StoreError::Conflict { .. }) => {}
        Err(error) => tracing::warn!(%error, "an idempotent answer could not be kept"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::Deriver;

    fn names(key: &str, caller: u8) -> Names {
        Names::of(&Deriver::new(&[7; 32], "test"), &TenantId::new("acme"), key, &[caller; 32])
    }

    #[test]
    fn contract_e_a_key_has_32_to_255_printable_characters() {
        for good in ["x".repeat(32), "~ ".repeat(100), "a".repeat(255)] {
            assert!(is_valid_key(&good), "{good}");
        }
        for bad in [String::new(), "x".repeat(31), "x".repeat(256), "é".repeat(32), "x\t".repeat(20)] {
            assert!(!is_valid_key(&bad), "{bad:?}");
        }
    }

    #[test]
    fn w_01_an_answer_opens_only_with_its_key_and_caller() {
        let answer = StoredAnswer {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: b"{\"access_token\":\"secret\"}".to_vec(),
        };
        let sealed = names("key", 1).seal(&answer).unwrap();
        assert!(!sealed.contains("secret"));
        assert!(names("key", 1).open(&sealed).unwrap() == answer);
        assert!(names("key", 2).open(&sealed).is_err());
        assert!(names("kez", 1).open(&sealed).is_err());
        assert_ne!(names("key", 1).row, names("key", 2).row);
    }

    #[test]
    fn failures_that_may_pass_are_not_kept() {
        let answer = |status| StoredAnswer { status, headers: Vec::new(), body: Vec::new() };
        for kept in [200, 201, 204, 302, 400, 403, 404, 409, 422] {
            assert!(answer(kept).is_final(), "{kept}");
        }
        for freed in [401, 408, 429, 500, 503] {
            assert!(!answer(freed).is_final(), "{freed}");
        }
    }

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    /// Stands still, ten seconds after the epoch or later.
    struct Standing(std::sync::atomic::AtomicI64);

    impl crate::Clock for Standing {
        fn now(&self) -> protocol::time::Timestamp {
            protocol::time::Timestamp::from_seconds(self.0.load(std::sync::atomic::Ordering::SeqCst))
        }
    }

    async fn engine() -> (Arc<Engine>, Arc<Standing>, TenantId) {
        let clock = Arc::new(Standing(std::sync::atomic::AtomicI64::new(10)));
        let config = crate::EngineConfig::new("https://localhost", Zeroizing::new([7; 32]));
        let told: Arc<dyn crate::Clock> = Arc::<Standing>::clone(&clock);
        let engine = Engine::open(config, Arc::new(store::memory::MemoryStore::new()), told).unwrap();
        let tenant = TenantId::new("acme");
        engine.create_tenant(&tenant, "Acme").await.unwrap();
        (engine, clock, tenant)
    }

    async fn begin(engine: &Engine, tenant: &TenantId) -> Begun {
        engine.idempotent_begin(tenant, KEY, &[1; 32], &[2; 32]).await.unwrap()
    }

    async fn first(engine: &Engine, tenant: &TenantId) -> Ticket {
        match begin(engine, tenant).await {
            Begun::First(ticket) => ticket,
            Begun::Replay(_) | Begun::NoTenant => panic!("not the first"),
        }
    }

    fn answered(status: u16) -> StoredAnswer {
        StoredAnswer { status, headers: Vec::new(), body: b"x".to_vec() }
    }

    #[tokio::test]
    async fn a_twin_waits_for_the_answer_and_gets_it() {
        let (engine, _, tenant) = engine().await;
        let ticket = first(&engine, &tenant).await;
        let (twin, name) = (Arc::clone(&engine), tenant.clone());
        let waiting = tokio::spawn(async move { begin(&twin, &name).await });
        tokio::task::yield_now().await;
        engine.idempotent_finish(ticket, &answered(201)).await;
        assert!(matches!(waiting.await.unwrap(), Begun::Replay(answer) if answer == answered(201)));
    }

    #[tokio::test]
    async fn a_failure_or_a_handler_that_went_away_frees_the_key() {
        let (engine, _, tenant) = engine().await;
        let ticket = first(&engine, &tenant).await;
        engine.idempotent_finish(ticket, &answered(503)).await;
        drop(first(&engine, &tenant).await);
        let ticket = first(&engine, &tenant).await;
        engine.idempotent_finish(ticket, &answered(200)).await;
        assert!(matches!(begin(&engine, &tenant).await, Begun::Replay(_)));
    }

    #[tokio::test]
    async fn a_marker_without_an_answer_is_taken_over_and_its_owner_comes_too_late() {
        let (engine, clock, tenant) = engine().await;
        let lost = first(&engine, &tenant).await;
        clock.0.fetch_add(10, std::sync::atomic::Ordering::SeqCst);
        let ticket = first(&engine, &tenant).await;
        engine.idempotent_finish(ticket, &answered(200)).await;
        engine.idempotent_finish(lost, &answered(409)).await;
        assert!(matches!(begin(&engine, &tenant).await, Begun::Replay(answer) if answer.status == 200));
    }

    #[tokio::test]
    async fn an_answer_is_given_again_for_a_minute() {
        let (engine, clock, tenant) = engine().await;
        let ticket = first(&engine, &tenant).await;
        engine.idempotent_finish(ticket, &answered(200)).await;
        clock.0.fetch_add(59, std::sync::atomic::Ordering::SeqCst);
        assert!(matches!(begin(&engine, &tenant).await, Begun::Replay(_)));
        let other = engine.idempotent_begin(&tenant, KEY, &[1; 32], &[3; 32]).await;
        assert!(matches!(other, Err(refusal) if refusal.reason == Reason::IdempotencyKeyReused));
        clock.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert!(matches!(begin(&engine, &tenant).await, Begun::First(_)));
        let nowhere = engine.idempotent_begin(&TenantId::new("nobody"), KEY, &[1; 32], &[2; 32]).await;
        assert!(matches!(nowhere, Ok(Begun::NoTenant)));
    }
}

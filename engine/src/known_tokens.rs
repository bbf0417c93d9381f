//! What this node knows of access tokens: signatures that held, and records on which tokens rest.
//!
//! The rules run at each use, with the time of that use; only what they are told comes from memory. A signature is
//! remembered for one loaded workspace, hence for one set of keys. A record is remembered under the tenant's revocation
//! generation: a revocation on this node moves it before its answer leaves, one on another node is seen through the
//! store's epoch within a second (decisions 8). Both memories are bounded and disposable.

use crate::measures::Remembered;
use crate::{Engine, EngineError};
use jose::Vouched;
use moka::sync::Cache;
use protocol::decision::Vouchers;
use protocol::id::TenantId;
use protocol::record::{ArtifactKind, Found, HandleHash, Lookup, ancestors};
use protocol::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most signatures and records kept.
const MAX_SIGNATURES: u64 = 40_000;
const MAX_RECORDS: u64 = 40_000;
/// What a grant counts in the above; that there is nothing under a `jti` counts 1.
const GRANT_WEIGHT: u32 = 6;

/// Signatures that held, by the workspace that checked them and the token's digest.
#[derive(Clone)]
pub(crate) struct Signatures(Cache<(u64, [u8; 32]), Vouched>);

impl Signatures {
    pub(crate) fn new() -> Self {
        Self(Cache::new(MAX_SIGNATURES))
    }

    /// The part for one loaded workspace, which nobody else ever sees.
    pub(crate) fn of_workspace(&self) -> WorkspaceSignatures {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        WorkspaceSignatures { all: self.clone(), workspace: NEXT.fetch_add(1, Ordering::Relaxed) }
    }
}

/// Signatures that held under the keys of one loaded workspace.
pub(crate) struct WorkspaceSignatures {
    all: Signatures,
    workspace: u64,
}

impl Vouchers for WorkspaceSignatures {
    fn recall(&self, digest: &[u8; 32]) -> Option<Vouched> {
        self.all.0.get(&(self.workspace, *digest))
    }

    fn remember(&self, proof: Vouched) {
        self.all.0.insert((self.workspace, *proof.digest()), proof);
    }
}

/// Records on which tokens rest, by the tenant's revocation generation, which no two tenants share.
pub(crate) struct Records {
    kept: Cache<(u64, Key), Arc<Found>>,
    nothing: Arc<Found>,
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    RevokedJti(HandleHash),
    Grant(HandleHash),
}

impl Records {
    pub(crate) fn new() -> Self {
        let weigh = |(_, key): &(u64, Key), _: &Arc<Found>| match key {
            Key::RevokedJti(_) => 1,
            Key::Grant(_) => GRANT_WEIGHT,
        };
        Self {
            kept: Cache::builder().weigher(weigh).max_capacity(MAX_RECORDS).build(),
            nothing: Arc::new(Found::Artifact(None, None)),
        }
    }

    /// Every answer, if all of them are known and still good.
    fn recall(&self, generation: u64, lookups: &[Lookup], now: Timestamp) -> Option<Vec<Found>> {
        let known = |lookup| {
            let found = self.kept.get(&(generation, key(lookup)?))?;
            is_good(&found, now).then(|| Found::clone(&found))
        };
        lookups.iter().map(known).collect()
    }

    fn remember(&self, generation: u64, lookups: &[Lookup], found: &[Found]) {
        for (lookup, found) in lookups.iter().zip(found) {
            let Some(key) = key(lookup) else { continue };
            let found = match (&key, found) {
                (Key::RevokedJti(_), Found::Artifact(None, _)) => Arc::clone(&self.nothing),
                (Key::Grant(_), Found::Grant(Some(_))) => Arc::new(found.clone()),
                // A grant that is not there may be made; what was revoked is asked for seldom.
                _ => continue,
            };
            self.kept.insert((generation, key), found);
        }
    }
}

/// What can be remembered: nothing but a revocation changes it to the token's disadvantage.
fn key(lookup: &Lookup) -> Option<Key> {
    match lookup {
        Lookup::Artifact(ArtifactKind::RevokedJti, hash) => Some(Key::RevokedJti(*hash)),
        Lookup::Grant(id) => Some(Key::Grant(HandleHash::of(id.as_str()))),
        _ => None,
    }
}

/// A grant that seems over may have been prolonged since.
fn is_good(found: &Found, now: Timestamp) -> bool {
    match found {
        Found::Grant(Some(grant)) => now < grant.expires_at,
        _ => true,
    }
}

impl Engine {
    /// [`Engine::load_with_ancestors`], from memory where nothing was revoked meanwhile. For reading only: a grant may
    /// have a newer revision.
    pub(crate) async fn known_with_ancestors(
        &self,
        tenant: &TenantId,
        lookups: &[Lookup],
    ) -> Result<Vec<Found>, EngineError> {
        // Before anything is loaded, so that what a revocation overtakes is not found again.
        let generation = self.revocations(tenant).await?;
        let known = self.records.recall(generation, lookups, self.now()).and_then(|mut found| {
            let further = ancestors(&found);
            if !further.is_empty() {
                found.extend(self.records.recall(generation, &further, self.now())?);
            }
            Some(found)
        });
        self.measures.looked(Remembered::Record, known.is_some());
        if let Some(found) = known {
            return Ok(found);
        }
        let found = self.load_with_ancestors(tenant, lookups).await?;
        let further = ancestors(&found);
        let lookups: Vec<Lookup> = lookups.iter().cloned().chain(further).collect();
        self.records.remember(generation, &lookups, &found);
        Ok(found)
    }
}

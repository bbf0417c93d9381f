//! Caches of configuration: bounded, per node, disposable.
//!
//! An entry is good while its tenant's generation stands. A change committed on this node moves it before the
//! answer leaves; a change of another node is seen through the store's epoch, which is read again when the
//! last look is older than [`EPOCH_CHECK`] (decisions 8: within one second).

use crate::workspace::Workspace;
use moka::sync::Cache;
use protocol::client::Client;
use protocol::id::{ClientId, ServerId, TenantId};
use protocol::time::Timestamp;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Epoch;

/// How old the last look at the store's epoch may be.
pub(crate) const EPOCH_CHECK: Duration = Duration::from_millis(500);

/// Most workspaces and clients kept.
const MAX_WORKSPACES: u64 = 2_000;
const MAX_CLIENTS: u64 = 20_000;
const MAX_TENANTS: u64 = 100_000;

/// What is known of the freshness of a tenant's entries.
pub(crate) struct TenantState {
    generation: AtomicU64,
    /// The generation of what is known of tokens; a revocation moves it, and nothing else.
    revocations: AtomicU64,
    epoch: Mutex<Epoch>,
    checked_at: AtomicI64,
}

impl TenantState {
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::Acquire)
    }

    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let age = now.millis() - self.checked_at.load(Ordering::Acquire);
        // A clock that went back counts as due.
        !(0..EPOCH_CHECK.as_millis() as i64).contains(&age)
    }
}

struct Entry<T> {
    generation: u64,
    value: Arc<T>,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { generation: self.generation, value: Arc::clone(&self.value) }
    }
}

pub(crate) struct ConfigurationCache {
    tenants: Cache<String, Arc<TenantState>>,
    workspaces: Cache<String, Entry<Workspace>>,
    clients: Cache<String, Entry<Client>>,
    /// Never repeats, so that a tenant state made anew cannot match old entries.
    next_generation: AtomicU64,
}

impl ConfigurationCache {
    pub(crate) fn new() -> Self {
        Self {
            tenants: Cache::new(MAX_TENANTS),
            workspaces: Cache::new(MAX_WORKSPACES),
            clients: Cache::new(MAX_CLIENTS),
            next_generation: AtomicU64::new(1),
        }
    }

    pub(crate) fn tenant(&self, tenant: &TenantId) -> Arc<TenantState> {
        if let Some(state) = self.tenants.get(tenant.as_str()) {
            return state;
        }
        self.tenants.get_with(tenant.as_str().to_owned(), || {
            Arc::new(TenantState {
                generation: AtomicU64::new(self.fresh_generation()),
                revocations: AtomicU64::new(self.fresh_generation()),
                epoch: Mutex::new(Epoch { configuration: -1, revocations: -1 }),
                checked_at: AtomicI64::new(i64::MIN / 2),
            })
        })
    }

    /// The generation of a tenant whose state is known and not due for a look at the store.
    pub(crate) fn fresh_generation_of(&self, tenant: &str, now: Timestamp) -> Option<u64> {
        let state = self.tenants.get(tenant)?;
        (!state.is_due(now)).then(|| state.generation())
    }

    /// Whether the store was seen to have the tenant: it says 0 of one that there is not.
    pub(crate) fn knows_tenant(&self, tenant: &str) -> bool {
        let seen = |state: Arc<TenantState>| {
            state.epoch.lock().unwrap_or_else(PoisonError::into_inner).configuration > 0
        };
        self.tenants.get(tenant).is_some_and(seen)
    }

    /// Notes what the store said of the epoch; entries of an older one are void.
    pub(crate) fn saw_epoch(&self, state: &TenantState, epoch: Epoch, now: Timestamp) {
        let before = {
            let mut seen = state.epoch.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *seen, epoch)
        };
        if before.configuration != epoch.configuration {
            state.generation.store(self.fresh_generation(), Ordering::Release);
        }
        if before.revocations != epoch.revocations {
            state.revocations.store(self.fresh_generation(), Ordering::Release);
        }
        state.checked_at.store(now.millis(), Ordering::Release);
    }

    /// Voids what is cached of the tenant: a change was committed here.
    pub(crate) fn changed(&self, tenant: &TenantId) {
        self.tenant(tenant).generation.store(self.fresh_generation(), Ordering::Release);
    }

    /// Voids what is known of the tenant's tokens: a revocation was committed here.
    pub(crate) fn revoked(&self, tenant: &TenantId) {
        self.tenant(tenant).revocations.store(self.fresh_generation(), Ordering::Release);
    }

    pub(crate) fn workspace(&self, tenant: &str, server: &str, generation: u64) -> Option<Arc<Workspace>> {
        let entry = self.workspaces.get(&workspace_key(tenant, server))?;
        (entry.generation == generation).then_some(entry.value)
    }

    pub(crate) fn put_workspace(&self, workspace: Arc<Workspace>, generation: u64) {
        let key = workspace_key(workspace.tenant.as_str(), workspace.server.id.as_str());
        self.workspaces.insert(key, Entry { generation, value: workspace });
    }

    pub(crate) fn client(
        &self,
        tenant: &TenantId,
        server: &ServerId,
        client: &ClientId,
        generation: u64,
    ) -> Option<Arc<Client>> {
        let entry = self.clients.get(&client_key(tenant, server, client))?;
        (entry.generation == generation).then_some(entry.value)
    }

    pub(crate) fn put_client(&self, tenant: &TenantId, client: Arc<Client>, generation: u64) {
        let key = client_key(tenant, &client.authorization_server_id, &client.client_id);
        self.clients.insert(key, Entry { generation, value: client });
    }

    fn fresh_generation(&self) -> u64 {
        self.next_generation.fetch_add(1, Ordering::AcqRel)
    }
}

// Identifiers hold no control characters, so a unit separator keeps the parts apart.
fn workspace_key(tenant: &str, server: &str) -> String {
    [tenant, server].join("\u{1f}")
}

fn client_key(tenant: &TenantId, server: &ServerId, client: &ClientId) -> String {
    [tenant.as_str(), server.as_str(), client.as_str()].join("\u{1f}")
}

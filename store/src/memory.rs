//! The reference store: everything in memory, one lock, each commit on a copy that replaces the state or is dropped.
//!
//! Simple before fast. It says what a backend must do; the contract suite compares the others with it.

mod rows;
mod trail;

use crate::{Answer, Batch, Cursor, Epoch, Page, Store, StoreError, StoredEvent, row_limit};
use protocol::grant_record::GrantRecord;
use protocol::id::TenantId;
use protocol::record::{Artifact, ArtifactKind, Document, DocumentKind, Found, GrantSelector, Lookup};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use rows::Rows;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store that is gone with the process.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tenants: BTreeMap<TenantId, Rows>,
    /// Shared by all tenants, so that none ever shows an epoch twice.
    last_epoch: i64,
    last_event: i64,
    /// Until when somebody tells a sink of the export.
    leases: BTreeMap<&'static str, Timestamp>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from one tenant; `none` for one that does not exist.
    fn read<T>(&self, tenant: &TenantId, none: T, read: impl FnOnce(&Rows) -> T) -> Result<T, StoreError> {
        Ok(self.state().tenants.get(tenant).map_or(none, read))
    }
}

impl State {
    fn commit(&mut self, tenant: &TenantId, batch: Batch) -> Result<(), StoreError> {
        let current = self.tenants.get(tenant).ok_or(StoreError::Conflict { index: 0 })?;
        let mut rows = current.clone();
        let (mut configuration_changed, mut revoked) = (false, false);
        for (index, write) in batch.writes.into_iter().enumerate() {
            revoked |= write.revokes();
            configuration_changed |= rows.apply(write).ok_or(StoreError::Conflict { index })?;
        }
        if configuration_changed {
            self.last_epoch += 1;
            rows.epoch.configuration = self.last_epoch;
        }
        if revoked {
            self.last_epoch += 1;
            rows.epoch.revocations = self.last_epoch;
        }
        self.tenants.insert(tenant.clone(), rows);
        self.append(tenant, batch.events);
        Ok(())
    }

    fn append(&mut self, tenant: &TenantId, events: Vec<StoredEvent>) {
        if let Some(rows) = self.tenants.get_mut(tenant) {
            for event in events {
                self.last_event += 1;
                rows.events.push(StoredEvent { id: self.last_event, ..event });
            }
        }
    }

    fn create_tenant(&mut self, tenant: &Tenant) -> Result<(), StoreError> {
        if self.tenants.contains_key(&tenant.id) {
            return Err(StoreError::Conflict { index: 0 });
        }
        self.last_epoch += 1;
        let rows = Rows {
            tenant: tenant.clone(),
            epoch: Epoch { configuration: self.last_epoch, revocations: self.last_epoch },
            artifacts: BTreeMap::new(),
            documents: BTreeMap::new(),
            grants: BTreeMap::new(),
            events: Vec::new(),
        };
        self.tenants.insert(tenant.id.clone(), rows);
        Ok(())
    }

    fn due(&self, kind: ArtifactKind, now: Timestamp) -> Vec<(TenantId, Artifact)> {
        let is_due =
            |artifact: &&Artifact| artifact.kind == kind && artifact.due_at.is_some_and(|at| at <= now);
        let of = |(id, rows): (&TenantId, &Rows)| {
            let due = rows.artifacts.values().filter(is_due).cloned();
            due.map(|artifact| (id.clone(), artifact)).collect::<Vec<_>>()
        };
        let mut due: Vec<_> = self.tenants.iter().flat_map(of).collect();
        due.sort_by_key(|(_, artifact)| artifact.due_at);
        due
    }

    fn sweep(&mut self, now: Timestamp, limit: usize) -> usize {
        let mut left = limit;
        let mut keep = |expires_at: Timestamp| {
            let swept = expires_at < now && left > 0;
            left -= usize::from(swept);
            !swept
        };
        for rows in self.tenants.values_mut() {
            rows.artifacts.retain(|_, artifact| keep(artifact.expires_at));
            rows.grants.retain(|_, grant| keep(grant.expires_at));
        }
        limit - left
    }
}

/// Cuts a page out of rows in ascending order of their keys.
fn page<T>(mut rows: Vec<T>, page: &Page, key: impl Fn(&T) -> &str) -> Vec<T> {
    if page.descending {
        rows.reverse();
    }
    let limit = row_limit(page.limit);
    let precedes = |row: &T, than: &str| if page.descending { key(row) > than } else { key(row) < than };
    match &page.cursor {
        Cursor::Start => {}
        Cursor::After(from) => rows.retain(|row| !precedes(row, from) && key(row) != from),
        Cursor::Before(to) => {
            rows.retain(|row| precedes(row, to));
            rows.drain(..rows.len().saturating_sub(limit));
        }
    }
    rows.truncate(limit);
    rows
}

fn first<T>(mut rows: Vec<T>, limit: usize) -> Vec<T> {
    rows.truncate(row_limit(limit));
    rows
}

fn answer<'a, T: Send + 'a>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'a) -> Answer<'a, T> {
    Box::pin(async move { work() })
}

impl Store for MemoryStore {
    fn load<'a>(&'a self, tenant: &'a TenantId, lookups: &'a [Lookup]) -> Answer<'a, Vec<Found>> {
        answer(move || {
            let state = self.state();
            let rows = state.tenants.get(tenant);
            Ok(lookups
                .iter()
                .map(|lookup| rows.map_or_else(|| lookup.nothing(), |rows| rows.find(lookup)))
                .collect())
        })
    }

    fn documents<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: DocumentKind,
        parent: Option<&'a str>,
        of: &'a Page,
    ) -> Answer<'a, Vec<Document>> {
        answer(move || {
            self.read(tenant, Vec::new(), |rows| {
                page(rows.documents(kind, parent), of, |document| document.id.as_str())
            })
        })
    }

    fn artifacts<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: ArtifactKind,
        owner: &'a str,
        now: Timestamp,
        of: &'a Page,
    ) -> Answer<'a, Vec<Artifact>> {
        answer(move || {
            let found = self.read(tenant, Vec::new(), |rows| rows.artifacts(kind, owner, now))?;
            let keyed = found.into_iter().map(|artifact| (artifact.hash.key(), artifact)).collect();
            Ok(page(keyed, of, |(key, _)| key.as_str()).into_iter().map(|(_, artifact)| artifact).collect())
        })
    }

    fn due(&self, kind: ArtifactKind, now: Timestamp, limit: usize) -> Answer<'_, Vec<(TenantId, Artifact)>> {
        answer(move || Ok(first(self.state().due(kind, now), limit)))
    }

    fn grants<'a>(
        &'a self,
        tenant: &'a TenantId,
        selector: &'a GrantSelector,
        limit: usize,
    ) -> Answer<'a, Vec<GrantRecord>> {
        answer(move || self.read(tenant, Vec::new(), |rows| first(rows.grants(selector), limit)))
    }

    fn commit<'a>(&'a self, tenant: &'a TenantId, batch: Batch) -> Answer<'a, ()> {
        answer(move || self.state().commit(tenant, batch))
    }

    fn append<'a>(&'a self, tenant: &'a TenantId, events: Vec<StoredEvent>) -> Answer<'a, ()> {
        answer(move || {
            self.state().append(tenant, events);
            Ok(())
        })
    }

    fn events<'a>(
        &'a self,
        tenant: &'a TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<'a, Vec<StoredEvent>> {
        answer(move || {
            self.read(tenant, Vec::new(), |rows| {
                let older = rows.events.iter().rev().filter(|event| before.is_none_or(|id| event.id < id));
                older.take(row_limit(limit)).cloned().collect()
            })
        })
    }

    fn epoch<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Epoch> {
        answer(move || self.read(tenant, Epoch::default(), |rows| rows.epoch))
    }

    fn tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Option<Tenant>> {
        answer(move || self.read(tenant, None, |rows| Some(rows.tenant.clone())))
    }

    fn tenants<'a>(&'a self, of: &'a Page) -> Answer<'a, Vec<Tenant>> {
        answer(move || {
            let all = self.state().tenants.values().map(|rows| rows.tenant.clone()).collect();
            Ok(page(all, of, |tenant: &Tenant| tenant.id.as_str()))
        })
    }

    fn create_tenant<'a>(&'a self, tenant: &'a Tenant) -> Answer<'a, ()> {
        answer(move || self.state().create_tenant(tenant))
    }

    fn delete_tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, ()> {
        answer(move || {
            self.state().tenants.remove(tenant);
            Ok(())
        })
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        answer(move || Ok(self.state().sweep(now, limit)))
    }

    fn ping(&self) -> Answer<'_, ()> {
        answer(|| Ok(()))
    }

    fn schema_version(&self) -> Answer<'_, i64> {
        answer(|| Ok(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// The reference passes its own suite.
    mod contract {
        fn run<F: Future<Output = ()>>(test: impl FnOnce(super::Arc<dyn super::Store>) -> F) {
            crate::contract::block_on(test(super::Arc::new(super::MemoryStore::new())));
        }

        crate::contract_tests!(run);
    }
}

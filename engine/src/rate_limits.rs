//! Rate limits: of tenants by module, as the operator sets them, and of clients, as the workspace sets it.
//!
//! What was taken is counted in memory, on each node for itself: a cluster of three nodes takes up to three times the
//! limit, and a restart begins anew. A request without a limit costs one look at a field of the loaded workspace.

use crate::readable::readable;
use crate::{Call, Engine, EngineError, Workspace};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use protocol::client::Client;
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::id::{ClientId, ServerId, TenantId};
use protocol::rate_limit::{Module, RateLimit, retry_after};
use protocol::record::{DocumentKind, Expect, Write};
use protocol::time::Timestamp;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use store::{Page, Store};

/// Most things of one kind that are counted at the same time; the one that was quiet for longest goes.
const MOST: u64 = 50_000;

/// How much of one limit was taken.
#[derive(Default)]
pub struct Bucket(AtomicI64);

impl Bucket {
    /// Takes one request.
    ///
    /// # Errors
    /// How long to wait until one is taken.
    pub fn take(&self, limit: RateLimit, now: Timestamp) -> Result<(), Duration> {
        let mut due = self.0.load(Ordering::Relaxed);
        loop {
            let next = limit.take(due, now)?;
            match self.0.compare_exchange_weak(due, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(meanwhile) => due = meanwhile,
            }
        }
    }
}

/// The buckets of one kind of thing, at most 50 000 at a time.
pub struct Buckets<K>(Cache<K, Arc<Bucket>>);

impl<K: Hash + Eq + Send + Sync + 'static> Buckets<K> {
    pub fn new() -> Self {
        // Not by frequency: who comes for the first time has to be counted too.
        Self(Cache::builder().max_capacity(MOST).eviction_policy(EvictionPolicy::lru()).build())
    }

    pub fn of(&self, key: K) -> Arc<Bucket> {
        self.0.get_with(key, Arc::default)
    }
}

impl<K: Hash + Eq + Send + Sync + 'static> Default for Buckets<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// Everything that this node counts.
#[derive(Default)]
pub(crate) struct RateLimits {
    tenants: Buckets<(TenantId, Module)>,
    clients: Buckets<(TenantId, ServerId, ClientId)>,
}

/// The limits of a tenant as a loaded workspace holds them; empty for most.
#[derive(Default)]
pub(crate) struct TenantLimits(Vec<(Module, RateLimit, Arc<Bucket>)>);

/// The limits of one tenant by the name of their module.
pub type LimitsByModule = BTreeMap<String, RateLimit>;

impl Engine {
    /// Takes one request to the tenant of the workspace.
    ///
    /// # Errors
    /// [`Reason::TenantRateLimited`].
    pub fn admit(&self, workspace: &Workspace, module: Module) -> Result<(), Refusal> {
        match workspace.limits.0.iter().find(|(limited, ..)| *limited == module) {
            None => Ok(()),
            Some((_, limit, bucket)) => {
                let taken = bucket.take(*limit, self.now());
                taken.map_err(|wait| self.refused(workspace, Reason::TenantRateLimited, *limit, wait))
            }
        }
    }

    /// Takes one request of a client that has proved who it is: a stranger cannot use up what is another's.
    ///
    /// # Errors
    /// [`Reason::ClientRateLimited`].
    pub(crate) fn admit_client(&self, workspace: &Workspace, client: &Client) -> Result<(), Refusal> {
        let Some(limit) = workspace.server.client_rate_limit else { return Ok(()) };
        let key = (workspace.tenant.clone(), workspace.server.id.clone(), client.client_id.clone());
        let taken = self.rate_limits.clients.of(key).take(limit, self.now());
        taken.map_err(|wait| self.refused(workspace, Reason::ClientRateLimited, limit, wait))
    }

    fn refused(&self, workspace: &Workspace, reason: Reason, limit: RateLimit, wait: Duration) -> Refusal {
        let RateLimit { rate, period, burst } = limit;
        let refusal = Refusal::new(reason)
            .expected(format!("at most {rate} in {period}, {burst} at once"))
            .retry_after(retry_after(wait));
        let event = Event::new("rate_limit", "refused").reason(&refusal);
        self.audit.push(&workspace.tenant, Some(&workspace.server.id), event, self.now(), &Call::default());
        refusal
    }

    /// The limits that hold for a tenant, for its workspaces to hold.
    pub(crate) async fn tenant_limits(&self, tenant: &TenantId) -> Result<TenantLimits, EngineError> {
        let own = own_limits(self.store.as_ref(), tenant).await?;
        let held = Module::ALL.iter().filter_map(|module| {
            let global = self.config.rate_limits.get(module);
            let limit = own.get(module.name()).or(global)?;
            Some((*module, *limit, self.rate_limits.tenants.of((tenant.clone(), *module))))
        });
        Ok(TenantLimits(held.collect()))
    }

    /// The limits that every tenant has, and those that replace them in this one.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown tenant.
    pub async fn rate_limits(
        &self,
        tenant: &TenantId,
    ) -> Result<(LimitsByModule, LimitsByModule), EngineError> {
        self.store.tenant(tenant).await?.ok_or(EngineError::NotFound)?;
        let global = self.config.rate_limits.iter().map(|(module, limit)| (module.name().to_owned(), *limit));
        Ok((global.collect(), own_limits(self.store.as_ref(), tenant).await?))
    }

    /// Sets the tenant's own limit of a module.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown tenant.
    pub async fn set_rate_limit(
        &self,
        tenant: &TenantId,
        module: Module,
        limit: &RateLimit,
        event: Event,
        call: &Call,
    ) -> Result<(), EngineError> {
        self.store.tenant(tenant).await?.ok_or(EngineError::NotFound)?;
        let document = self.new_document(DocumentKind::RateLimit, module.name(), None, limit)?;
        let write = Write::PutDocument { document, expect: Expect::Any };
        self.commit(tenant, vec![write], vec![event], None, call).await
    }

    /// Takes the tenant's own limit of a module away, so that the one of all tenants holds again.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown tenant, or one without a limit of its own.
    pub async fn delete_rate_limit(
        &self,
        tenant: &TenantId,
        module: Module,
        event: Event,
        call: &Call,
    ) -> Result<(), EngineError> {
        let kind = DocumentKind::RateLimit;
        let document = self.document(tenant, kind, module.name()).await?.ok_or(EngineError::NotFound)?;
        let expect = Expect::Revision(document.revision);
        let write = Write::DeleteDocument { kind, id: document.id, expect };
        self.commit(tenant, vec![write], vec![event], None, call).await
    }
}

async fn own_limits(store: &dyn Store, tenant: &TenantId) -> Result<LimitsByModule, EngineError> {
    let page = Page::first(Module::ALL.len());
    let documents = store.documents(tenant, DocumentKind::RateLimit, None, &page).await?;
    Ok(readable(documents).into_iter().map(|(document, limits)| (document.id, limits)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::duration::Span;

    #[test]
    fn what_many_take_at_the_same_moment_is_not_more_than_the_burst() {
        let limit = RateLimit { rate: 10, period: Span::seconds(1), burst: 100 };
        let (bucket, now) = (Bucket::default(), Timestamp::from_seconds(1_800_000_000));
        let take = || (0..50).filter(|_| bucket.take(limit, now).is_ok()).count();
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 100);
    }

    #[test]
    fn who_comes_last_is_counted_and_the_number_of_the_counted_is_bounded() {
        let limit = RateLimit { rate: 1, period: Span::seconds(60), burst: 1 };
        let now = Timestamp::from_seconds(1_800_000_000);
        let buckets = Buckets::new();
        for key in 0..MOST + 1000 {
            assert!(buckets.of(key).take(limit, now).is_ok());
        }
        assert!(buckets.of(MOST + 999).take(limit, now).is_err(), "the last one is forgotten");
        buckets.0.run_pending_tasks();
        assert!(buckets.0.entry_count() <= MOST, "{}", buckets.0.entry_count());
        assert!(buckets.of(0).take(limit, now).is_ok(), "the oldest one is kept");
    }
}

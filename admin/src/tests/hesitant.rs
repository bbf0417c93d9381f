//! A store that lets others go first before each answer, so that requests meet in the middle.

use protocol::grant_record::GrantRecord;
use protocol::id::{ServerId, TenantId};
use protocol::record::{Artifact, ArtifactKind, Document, DocumentKind, Found, GrantSelector, Lookup};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use store::memory::MemoryStore;
use store::{Answer, Batch, Epoch, EventRange, ExportSink, Lease, Page, Store, StoredEvent, Trail};
use tokio::task::yield_now;

pub(crate) struct HesitantStore(pub(crate) MemoryStore);

impl Store for HesitantStore {
    fn load<'a>(&'a self, tenant: &'a TenantId, lookups: &'a [Lookup]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let found = self.0.load(tenant, lookups).await;
            yield_now().await;
            found
        })
    }

    fn documents<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: DocumentKind,
        parent: Option<&'a str>,
        page: &'a Page,
    ) -> Answer<'a, Vec<Document>> {
        Box::pin(async move {
            let found = self.0.documents(tenant, kind, parent, page).await;
            yield_now().await;
            found
        })
    }

    fn commit<'a>(&'a self, tenant: &'a TenantId, batch: Batch) -> Answer<'a, ()> {
        Box::pin(async move {
            yield_now().await;
            self.0.commit(tenant, batch).await
        })
    }

    fn artifacts<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: ArtifactKind,
        owner: &'a str,
        now: Timestamp,
        page: &'a Page,
    ) -> Answer<'a, Vec<Artifact>> {
        self.0.artifacts(tenant, kind, owner, now, page)
    }

    fn due(&self, kind: ArtifactKind, now: Timestamp, limit: usize) -> Answer<'_, Vec<(TenantId, Artifact)>> {
        self.0.due(kind, now, limit)
    }

    fn grants<'a>(
        &'a self,
        tenant: &'a TenantId,
        selector: &'a GrantSelector,
        limit: usize,
    ) -> Answer<'a, Vec<GrantRecord>> {
        self.0.grants(tenant, selector, limit)
    }

    fn append<'a>(&'a self, tenant: &'a TenantId, events: Vec<StoredEvent>) -> Answer<'a, ()> {
        self.0.append(tenant, events)
    }

    fn events<'a>(
        &'a self,
        tenant: &'a TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<'a, Vec<StoredEvent>> {
        self.0.events(tenant, before, limit)
    }

    fn epoch<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Epoch> {
        self.0.epoch(tenant)
    }

    fn tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Option<Tenant>> {
        self.0.tenant(tenant)
    }

    fn tenants<'a>(&'a self, page: &'a Page) -> Answer<'a, Vec<Tenant>> {
        self.0.tenants(page)
    }

    fn create_tenant<'a>(&'a self, tenant: &'a Tenant) -> Answer<'a, ()> {
        self.0.create_tenant(tenant)
    }

    fn delete_tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, ()> {
        self.0.delete_tenant(tenant)
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.0.sweep(now, limit)
    }

    fn ping(&self) -> Answer<'_, ()> {
        self.0.ping()
    }

    fn schema_version(&self) -> Answer<'_, i64> {
        self.0.schema_version()
    }
}

impl Trail for HesitantStore {
    fn trail<'a>(
        &'a self,
        tenant: &'a TenantId,
        server: &'a ServerId,
        range: &'a EventRange,
    ) -> Answer<'a, Vec<StoredEvent>> {
        self.0.trail(tenant, server, range)
    }

    fn unexported(&self, sink: ExportSink, limit: usize) -> Answer<'_, Vec<(TenantId, StoredEvent)>> {
        self.0.unexported(sink, limit)
    }

    fn exported<'a>(&'a self, sink: ExportSink, told: &'a [(TenantId, i64)]) -> Answer<'a, ()> {
        self.0.exported(sink, told)
    }

    fn lease_export(&self, sink: ExportSink, lease: Lease) -> Answer<'_, bool> {
        self.0.lease_export(sink, lease)
    }

    fn sweep_events(&self, before: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.0.sweep_events(before, limit)
    }
}

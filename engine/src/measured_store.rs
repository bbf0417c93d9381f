//! A store whose calls are timed, whatever it is made of.

use crate::SPANS;
use crate::measures::{Measures, StoreCall};
use protocol::grant_record::GrantRecord;
use protocol::id::{ServerId, TenantId};
use protocol::record::{Artifact, ArtifactKind, Document, DocumentKind, Found, GrantSelector, Lookup};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use std::sync::Arc;
use store::{Answer, Batch, Epoch, EventRange, ExportSink, Lease, Page, Store, StoredEvent, Trail};
use tokio::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

pub(crate) struct MeasuredStore {
    inner: Arc<dyn Store>,
    measures: Arc<Measures>,
}

impl MeasuredStore {
    pub(crate) fn new(inner: Arc<dyn Store>, measures: Arc<Measures>) -> Self {
        Self { inner, measures }
    }

    fn timed<'a, T: Send + 'a>(&'a self, call: StoreCall, answer: Answer<'a, T>) -> Answer<'a, T> {
        let span = tracing::info_span!(
            target: SPANS,
            "store",
            otel.kind = "client",
            otel.name = %format_args!("store.{}", call.name()),
            db.operation.name = call.name(),
            postern.outcome = Empty,
        );
        let of_call = span.clone();
        let timed = async move {
            let started = Instant::now();
            let outcome = answer.await;
            of_call.record("postern.outcome", self.measures.store_call(call, &outcome, started.elapsed()));
            outcome
        };
        Box::pin(timed.instrument(span))
    }
}

impl Store for MeasuredStore {
    fn load<'a>(&'a self, tenant: &'a TenantId, lookups: &'a [Lookup]) -> Answer<'a, Vec<Found>> {
        self.timed(StoreCall::Load, self.inner.load(tenant, lookups))
    }

    fn documents<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: DocumentKind,
        parent: Option<&'a str>,
        page: &'a Page,
    ) -> Answer<'a, Vec<Document>> {
        self.timed(StoreCall::Documents, self.inner.documents(tenant, kind, parent, page))
    }

    fn artifacts<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: ArtifactKind,
        owner: &'a str,
        now: Timestamp,
        page: &'a Page,
    ) -> Answer<'a, Vec<Artifact>> {
        self.timed(StoreCall::Artifacts, self.inner.artifacts(tenant, kind, owner, now, page))
    }

    fn due(&self, kind: ArtifactKind, now: Timestamp, limit: usize) -> Answer<'_, Vec<(TenantId, Artifact)>> {
        self.timed(StoreCall::Due, self.inner.due(kind, now, limit))
    }

    fn grants<'a>(
        &'a self,
        tenant: &'a TenantId,
        selector: &'a GrantSelector,
        limit: usize,
    ) -> Answer<'a, Vec<GrantRecord>> {
        self.timed(StoreCall::Grants, self.inner.grants(tenant, selector, limit))
    }

    fn commit<'a>(&'a self, tenant: &'a TenantId, batch: Batch) -> Answer<'a, ()> {
        self.timed(StoreCall::Commit, self.inner.commit(tenant, batch))
    }

    fn append<'a>(&'a self, tenant: &'a TenantId, events: Vec<StoredEvent>) -> Answer<'a, ()> {
        self.timed(StoreCall::Append, self.inner.append(tenant, events))
    }

    fn events<'a>(
        &'a self,
        tenant: &'a TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<'a, Vec<StoredEvent>> {
        self.timed(StoreCall::Events, self.inner.events(tenant, before, limit))
    }

    fn epoch<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Epoch> {
        self.timed(StoreCall::Epoch, self.inner.epoch(tenant))
    }

    fn tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Option<Tenant>> {
        self.timed(StoreCall::Tenant, self.inner.tenant(tenant))
    }

    fn tenants<'a>(&'a self, page: &'a Page) -> Answer<'a, Vec<Tenant>> {
        self.timed(StoreCall::Tenants, self.inner.tenants(page))
    }

    fn create_tenant<'a>(&'a self, tenant: &'a Tenant) -> Answer<'a, ()> {
        self.timed(StoreCall::CreateTenant, self.inner.create_tenant(tenant))
    }

    fn delete_tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, ()> {
        self.timed(StoreCall::DeleteTenant, self.inner.delete_tenant(tenant))
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.timed(StoreCall::Sweep, self.inner.sweep(now, limit))
    }

    fn ping(&self) -> Answer<'_, ()> {
        self.timed(StoreCall::Ping, self.inner.ping())
    }

    fn clock(&self) -> Answer<'_, Option<Timestamp>> {
        self.inner.clock()
    }

    fn schema_version(&self) -> Answer<'_, i64> {
        self.timed(StoreCall::SchemaVersion, self.inner.schema_version())
    }
}

impl Trail for MeasuredStore {
    fn trail<'a>(
        &'a self,
        tenant: &'a TenantId,
        server: &'a ServerId,
        range: &'a EventRange,
    ) -> Answer<'a, Vec<StoredEvent>> {
        self.timed(StoreCall::Trail, self.inner.trail(tenant, server, range))
    }

    fn unexported(&self, sink: ExportSink, limit: usize) -> Answer<'_, Vec<(TenantId, StoredEvent)>> {
        self.timed(StoreCall::Unexported, self.inner.unexported(sink, limit))
    }

    fn exported<'a>(&'a self, sink: ExportSink, told: &'a [(TenantId, i64)]) -> Answer<'a, ()> {
        self.timed(StoreCall::Exported, self.inner.exported(sink, told))
    }

    fn lease_export(&self, sink: ExportSink, lease: Lease) -> Answer<'_, bool> {
        self.timed(StoreCall::LeaseExport, self.inner.lease_export(sink, lease))
    }

    fn sweep_events(&self, before: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.timed(StoreCall::SweepEvents, self.inner.sweep_events(before, limit))
    }
}

//! A store that stops answering when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

use protocol::grant_record::GrantRecord;
use protocol::id::{ServerId, TenantId};
use protocol::record::{Artifact, ArtifactKind, Document, DocumentKind, Found, GrantSelector, Lookup};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use store::{
    Answer, Batch, Epoch, EventRange, ExportSink, Lease, Page, Store, StoreError, StoredEvent, Trail,
};

const NO_CLOCK: i64 = i64::MIN;

/// Passes everything on until told to fail.
pub(crate) struct FailingStore {
    inner: Arc<dyn Store>,
    reads_fail: AtomicBool,
    writes_fail: AtomicBool,
    /// Taken by a test that lets writes wait.
    writes_wait: Arc<RwLock<()>>,
    /// What its own clock shows, when a test has set one.
    clock: AtomicI64,
}

impl FailingStore {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            reads_fail: AtomicBool::new(false),
            writes_fail: AtomicBool::new(false),
            writes_wait: Arc::default(),
            clock: AtomicI64::new(NO_CLOCK),
        }
    }

    pub(crate) fn fail(&self, reads: bool, writes: bool) {
        self.reads_fail.store(reads, Ordering::SeqCst);
        self.writes_fail.store(writes, Ordering::SeqCst);
    }

    /// Lets writes wait until what is returned is dropped; those under way are waited for.
    pub(crate) async fn hold_writes(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.writes_wait).write_owned().await
    }

    /// Gives it a clock of its own, in milliseconds.
    pub(crate) fn set_clock(&self, millis: i64) {
        self.clock.store(millis, Ordering::SeqCst);
    }

    fn reading<'a, T: Send + 'a>(&self, answer: Answer<'a, T>) -> Answer<'a, T> {
        fails_if(&self.reads_fail, answer)
    }

    fn writing<'a, T: Send + 'a>(&'a self, answer: Answer<'a, T>) -> Answer<'a, T> {
        let answer = fails_if(&self.writes_fail, answer);
        Box::pin(async move {
            let _not_held = self.writes_wait.read().await;
            answer.await
        })
    }
}

fn fails_if<'a, T: Send + 'a>(switch: &AtomicBool, answer: Answer<'a, T>) -> Answer<'a, T> {
    if switch.load(Ordering::SeqCst) {
        return Box::pin(async { Err(StoreError::Unavailable("a test said so".to_owned())) });
    }
    answer
}

impl Store for FailingStore {
    fn load<'a>(&'a self, tenant: &'a TenantId, lookups: &'a [Lookup]) -> Answer<'a, Vec<Found>> {
        self.reading(self.inner.load(tenant, lookups))
    }

    fn documents<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: DocumentKind,
        parent: Option<&'a str>,
        page: &'a Page,
    ) -> Answer<'a, Vec<Document>> {
        self.reading(self.inner.documents(tenant, kind, parent, page))
    }

    fn artifacts<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: ArtifactKind,
        owner: &'a str,
        now: Timestamp,
        page: &'a Page,
    ) -> Answer<'a, Vec<Artifact>> {
        self.reading(self.inner.artifacts(tenant, kind, owner, now, page))
    }

    fn due(&self, kind: ArtifactKind, now: Timestamp, limit: usize) -> Answer<'_, Vec<(TenantId, Artifact)>> {
        self.reading(self.inner.due(kind, now, limit))
    }

    fn grants<'a>(
        &'a self,
        tenant: &'a TenantId,
        selector: &'a GrantSelector,
        limit: usize,
    ) -> Answer<'a, Vec<GrantRecord>> {
        self.reading(self.inner.grants(tenant, selector, limit))
    }

    fn commit<'a>(&'a self, tenant: &'a TenantId, batch: Batch) -> Answer<'a, ()> {
        self.writing(self.inner.commit(tenant, batch))
    }

    fn append<'a>(&'a self, tenant: &'a TenantId, events: Vec<StoredEvent>) -> Answer<'a, ()> {
        self.writing(self.inner.append(tenant, events))
    }

    fn events<'a>(
        &'a self,
        tenant: &'a TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<'a, Vec<StoredEvent>> {
        self.reading(self.inner.events(tenant, before, limit))
    }

    fn epoch<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Epoch> {
        self.reading(self.inner.epoch(tenant))
    }

    fn tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Option<Tenant>> {
        self.reading(self.inner.tenant(tenant))
    }

    fn tenants<'a>(&'a self, page: &'a Page) -> Answer<'a, Vec<Tenant>> {
        self.reading(self.inner.tenants(page))
    }

    fn create_tenant<'a>(&'a self, tenant: &'a Tenant) -> Answer<'a, ()> {
        self.writing(self.inner.create_tenant(tenant))
    }

    fn delete_tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, ()> {
        self.writing(self.inner.delete_tenant(tenant))
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.writing(self.inner.sweep(now, limit))
    }

    fn ping(&self) -> Answer<'_, ()> {
        self.reading(self.inner.ping())
    }

    fn clock(&self) -> Answer<'_, Option<Timestamp>> {
        let millis = self.clock.load(Ordering::SeqCst);
        let shown = (millis != NO_CLOCK).then(|| Timestamp::from_millis(millis));
        self.reading(Box::pin(async move { Ok(shown) }))
    }

    fn schema_version(&self) -> Answer<'_, i64> {
        self.reading(self.inner.schema_version())
    }
}

impl Trail for FailingStore {
    fn trail<'a>(
        &'a self,
        tenant: &'a TenantId,
        server: &'a ServerId,
        range: &'a EventRange,
    ) -> Answer<'a, Vec<StoredEvent>> {
        self.reading(self.inner.trail(tenant, server, range))
    }

    fn unexported(&self, sink: ExportSink, limit: usize) -> Answer<'_, Vec<(TenantId, StoredEvent)>> {
        self.reading(self.inner.unexported(sink, limit))
    }

    fn exported<'a>(&'a self, sink: ExportSink, told: &'a [(TenantId, i64)]) -> Answer<'a, ()> {
        self.writing(self.inner.exported(sink, told))
    }

    fn lease_export(&self, sink: ExportSink, lease: Lease) -> Answer<'_, bool> {
        self.writing(self.inner.lease_export(sink, lease))
    }

    fn sweep_events(&self, before: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.writing(self.inner.sweep_events(before, limit))
    }
}

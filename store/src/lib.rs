//! The vault door: what the engine may ask of a store, whatever the store is made of.
//!
//! Few shapes, not one repository per table: documents, artifacts, grants, events. Every method takes the
//! tenant; only tenant administration itself stands above tenants. All writes go through [`Store::commit`],
//! whole or not at all, each single-use write with its precondition.

pub mod contract;
pub mod memory;
mod trail;

pub use trail::{EventKey, EventRange, ExportSink, Lease, Trail};

use protocol::decision::Event;
use protocol::id::TenantId;
use protocol::record::{Artifact, ArtifactKind, Document, DocumentKind, Found, GrantSelector, Lookup, Write};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use std::future::Future;
use std::pin::Pin;

/// A boxed future: two awaits per request, and no generics leaking upwards.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What can go wrong. A store error is never read as "no such thing".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A precondition of the batch did not hold: load and decide again. An expected state.
    #[error("write {index} met another state")]
    Conflict { index: usize },
    /// The store cannot answer now. Of a commit: whether it happened is unknown, but never half of it did.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// A row that the rules say cannot exist.
    #[error("impossible row: {0}")]
    Impossible(String),
}

impl From<protocol::record::ImpossibleRow> for StoreError {
    fn from(row: protocol::record::ImpossibleRow) -> Self {
        Self::Impossible(row.what)
    }
}

/// All changes of one decision, committed together with its audit events.
#[derive(Debug, Default)]
pub struct Batch {
    pub writes: Vec<Write>,
    pub events: Vec<StoredEvent>,
}

/// An audit event with its circumstances.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredEvent {
    /// Increasing identifier, set by the store; the paging key.
    pub id: i64,
    pub at: Timestamp,
    pub server: Option<protocol::id::ServerId>,
    pub trace_id: String,
    /// JSON of [`Event`], with where it came from.
    pub body: String,
    /// Who has yet to be told of it: the bits of [`ExportSink`]. Not read back.
    pub exports: i64,
}

impl StoredEvent {
    pub fn new(event: &Event, at: Timestamp, server: Option<protocol::id::ServerId>, trace_id: &str) -> Self {
        let body = serde_json::to_string(event).unwrap_or_default();
        Self { id: 0, at, server, trace_id: trace_id.to_owned(), body, exports: 0 }
    }
}

/// Most rows that any list answers.
pub const MAX_ROWS: usize = 1000;

/// What a list makes of the limit it was given: 1 to [`MAX_ROWS`].
pub fn row_limit(limit: usize) -> usize {
    limit.clamp(1, MAX_ROWS)
}

/// A page by key, in ascending or descending order of the key (the order of its bytes).
///
/// The key need not exist any more: rows that come and go between two pages neither shift nor repeat others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    pub cursor: Cursor,
    /// 1 to [`MAX_ROWS`].
    pub limit: usize,
    /// Descending when set.
    pub descending: bool,
}

/// Where a page lies in the list, as the list is ordered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cursor {
    /// The first rows.
    Start,
    /// The rows that follow the key.
    After(String),
    /// The rows just before the key: the page that leads up to it.
    Before(String),
}

impl Page {
    pub fn first(limit: usize) -> Self {
        Self { cursor: Cursor::Start, limit, descending: false }
    }
}

/// Two numbers that only grow; both 0 for an unknown tenant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Epoch {
    /// Grows with each committed change of a configuration document ([`DocumentKind::is_configuration`]).
    pub configuration: i64,
    /// Grows with each commit that ends tokens before their time ([`Write::revokes`]).
    pub revocations: i64,
}

/// The storage port.
pub trait Store: Trail {
    /// Answers every lookup from one snapshot, in the order asked.
    fn load<'a>(&'a self, tenant: &'a TenantId, lookups: &'a [Lookup]) -> Answer<'a, Vec<Found>>;

    /// Documents of a kind in the order of their ids; only those under `parent` when given.
    fn documents<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: DocumentKind,
        parent: Option<&'a str>,
        page: &'a Page,
    ) -> Answer<'a, Vec<Document>>;

    /// Artifacts of a kind that belong to `owner` and expire after `now`, in the order of their keys
    /// ([`HandleHash::key`](protocol::record::HandleHash::key)). A cursor that is no key stands before all of them.
    fn artifacts<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: ArtifactKind,
        owner: &'a str,
        now: Timestamp,
        page: &'a Page,
    ) -> Answer<'a, Vec<Artifact>>;

    /// Artifacts of a kind with a `due_at` of `now` or before, the longest due first, over all tenants: what a
    /// background job has to do.
    fn due(&self, kind: ArtifactKind, now: Timestamp, limit: usize) -> Answer<'_, Vec<(TenantId, Artifact)>>;

    /// Grants that match, revoked and expired ones included, newest first.
    fn grants<'a>(
        &'a self,
        tenant: &'a TenantId,
        selector: &'a GrantSelector,
        limit: usize,
    ) -> Answer<'a, Vec<protocol::grant_record::GrantRecord>>;

    /// Commits everything or nothing; durable when it answers. Each write sees those before it in the batch.
    ///
    /// A batch for a tenant that does not exist is a [`StoreError::Conflict`] of its first write: nothing is ever
    /// left behind in a tenant that was deleted meanwhile.
    fn commit<'a>(&'a self, tenant: &'a TenantId, batch: Batch) -> Answer<'a, ()>;

    /// Appends events that belong to no change of state. Those of a tenant that does not exist (any more) are
    /// dropped, as the tenant's others were.
    fn append<'a>(&'a self, tenant: &'a TenantId, events: Vec<StoredEvent>) -> Answer<'a, ()>;

    /// Events of the tenant, newest first, older than `before` when given.
    fn events<'a>(
        &'a self,
        tenant: &'a TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<'a, Vec<StoredEvent>>;

    /// How far the tenant has moved on; what is cached of it is valid while this stands still. A tenant that is deleted
    /// and created again continues above its predecessor.
    fn epoch<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Epoch>;

    fn tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Option<Tenant>>;

    /// Tenants in the order of their ids.
    fn tenants<'a>(&'a self, page: &'a Page) -> Answer<'a, Vec<Tenant>>;

    /// Fails with [`StoreError::Conflict`] (index 0) if the id is taken.
    fn create_tenant<'a>(&'a self, tenant: &'a Tenant) -> Answer<'a, ()>;

    /// Deletes the tenant and everything in it. Idempotent.
    fn delete_tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, ()>;

    /// Removes up to `limit` artifacts and grants that expired before `now`, over all tenants; answers how many.
    /// Fewer than `limit` means that none is left.
    fn sweep(&self, now: Timestamp, limit: usize) -> Answer<'_, usize>;

    /// Whether the store can read and write at the moment.
    fn ping(&self) -> Answer<'_, ()>;

    /// What the store's own clock shows, where it has one that all nodes share.
    fn clock(&self) -> Answer<'_, Option<Timestamp>> {
        Box::pin(async { Ok(None) })
    }

    /// Version of the schema that is in place.
    fn schema_version(&self) -> Answer<'_, i64>;
}

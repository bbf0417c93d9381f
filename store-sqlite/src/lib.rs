//! The embedded store: one SQLite file, many readers, one writer that groups commits.
//!
//! Point reads take microseconds and are made on the request's own thread; lists go to the runtime's blocking threads.
//! All writes pass through one thread (`writer.rs`), which answers only after the commit is on disk
//! (`journal_mode = WAL`, `synchronous = FULL`, asserted when opened).

mod backup;
mod migration;
mod open;
mod queue;
mod read;
mod readers;
mod row;
mod sql;
#[cfg(test)]
mod tests;
mod trail;
mod write;
mod writer;

pub use backup::copy as backup;
pub use migration::{MIGRATIONS, Migration};
pub use open::{OpenError, Options, pending};

use protocol::grant_record::GrantRecord;
use protocol::id::TenantId;
use protocol::record::{Artifact, ArtifactKind, Document, DocumentKind, Found, GrantSelector, Lookup};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use readers::Readers;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Answer, Batch, Epoch, Page, Store, StoreError, StoredEvent};
use write::Work;
use writer::Writer;

/// A store in one SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    readers: Readers,
    /// Apart from the others, so that a point read never waits for a list.
    lists: Arc<Readers>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the file, creating it (readable by its owner alone) and its schema where needed.
    ///
    /// # Errors
    /// When the file cannot be opened or made durable, when its schema is ahead of this program, was tampered with,
    /// or lacks migrations that `options` does not allow to apply.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, OpenError> {
        Self::open_with(path.as_ref(), options, MIGRATIONS)
    }

    fn open_with(path: &Path, options: &Options, known: &[Migration]) -> Result<Self, OpenError> {
        let writer = open::writer(path, options, known)?;
        let readers =
            (0..options.readers.max(1)).map(|_| open::reader(path)).collect::<Result<Vec<_>, _>>()?;
        let lists = Arc::new(Readers::new([open::reader(path)?]));
        let writer = Writer::start(writer, options.queue.max(1), options.patience)
            .map_err(|source| OpenError::File { path: path.display().to_string(), source })?;
        Ok(Self { path: path.to_owned(), readers: Readers::new(readers), lists, writer })
    }

    /// Writes a complete copy of the database to `target` while the store is in use.
    ///
    /// # Errors
    /// When the copy cannot be written; `target` is then as it was.
    pub async fn backup_to(&self, target: impl AsRef<Path>) -> Result<(), OpenError> {
        let (source, target) = (self.path.clone(), target.as_ref().to_owned());
        let copied = tokio::task::spawn_blocking(move || backup::copy(&source, &target)).await;
        copied.unwrap_or_else(|error| Err(OpenError::Unfinished(error.to_string())))
    }

    /// A list, read off the request threads. Needs a Tokio runtime.
    fn list<'a, T: Send + 'static>(
        &'a self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'a, T> {
        let lists = Arc::clone(&self.lists);
        Box::pin(async move {
            let answer = tokio::task::spawn_blocking(move || lists.read(read)).await;
            answer.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
        })
    }

    /// A point read, on this thread.
    fn point<'a, T: Send + 'a>(
        &'a self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'a,
    ) -> Answer<'a, T> {
        Box::pin(async move { self.readers.read(read) })
    }

    fn write(&self, work: Work) -> Answer<'_, usize> {
        Box::pin(self.writer.submit(work))
    }
}

impl Store for SqliteStore {
    fn load<'a>(&'a self, tenant: &'a TenantId, lookups: &'a [Lookup]) -> Answer<'a, Vec<Found>> {
        self.point(move |connection| read::load(connection, tenant, lookups))
    }

    fn documents<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: DocumentKind,
        parent: Option<&'a str>,
        page: &'a Page,
    ) -> Answer<'a, Vec<Document>> {
        let (tenant, parent, page) = (tenant.clone(), parent.map(str::to_owned), page.clone());
        self.list(move |connection| read::documents(connection, &tenant, kind, parent.as_deref(), &page))
    }

    fn artifacts<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: ArtifactKind,
        owner: &'a str,
        now: Timestamp,
        page: &'a Page,
    ) -> Answer<'a, Vec<Artifact>> {
        let (tenant, owner, page) = (tenant.clone(), owner.to_owned(), page.clone());
        self.list(move |connection| read::artifacts(connection, &tenant, kind, &owner, now, &page))
    }

    fn due(&self, kind: ArtifactKind, now: Timestamp, limit: usize) -> Answer<'_, Vec<(TenantId, Artifact)>> {
        self.list(move |connection| read::due(connection, kind, now, limit))
    }

    fn grants<'a>(
        &'a self,
        tenant: &'a TenantId,
        selector: &'a GrantSelector,
        limit: usize,
    ) -> Answer<'a, Vec<GrantRecord>> {
        let (tenant, selector) = (tenant.clone(), selector.clone());
        self.list(move |connection| read::grants(connection, &tenant, &selector, limit))
    }

    fn commit<'a>(&'a self, tenant: &'a TenantId, batch: Batch) -> Answer<'a, ()> {
        Box::pin(async move { self.write(Work::Commit(tenant.clone(), batch)).await.map(|_| ()) })
    }

    fn append<'a>(&'a self, tenant: &'a TenantId, events: Vec<StoredEvent>) -> Answer<'a, ()> {
        Box::pin(async move { self.write(Work::Append(tenant.clone(), events)).await.map(|_| ()) })
    }

    fn events<'a>(
        &'a self,
        tenant: &'a TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<'a, Vec<StoredEvent>> {
        let tenant = tenant.clone();
        self.list(move |connection| read::events(connection, &tenant, before, limit))
    }

    fn epoch<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Epoch> {
        self.point(move |connection| read::epoch(connection, tenant))
    }

    fn tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Option<Tenant>> {
        self.point(move |connection| read::tenant(connection, tenant))
    }

    fn tenants<'a>(&'a self, page: &'a Page) -> Answer<'a, Vec<Tenant>> {
        let page = page.clone();
        self.list(move |connection| read::tenants(connection, &page))
    }

    fn create_tenant<'a>(&'a self, tenant: &'a Tenant) -> Answer<'a, ()> {
        Box::pin(async move { self.write(Work::CreateTenant(tenant.clone())).await.map(|_| ()) })
    }

    fn delete_tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, ()> {
        Box::pin(async move { self.write(Work::DeleteTenant(tenant.clone())).await.map(|_| ()) })
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.write(Work::Sweep { now, limit })
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.readers.read(read::ping)?;
            self.write(Work::Ping).await.map(|_| ())
        })
    }

    fn schema_version(&self) -> Answer<'_, i64> {
        self.point(read::schema_version)
    }
}

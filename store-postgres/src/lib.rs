//! The store for several nodes: PostgreSQL, or what speaks its protocol.
//!
//! A commit is one round trip: everything from BEGIN to COMMIT is sent at once, and a precondition that does not hold
//! ends the transaction inside the server (`pipeline.rs`). READ COMMITTED with conditional writes and row locks; where
//! the server is stricter, what it undoes is tried again here.

mod connect;
mod failure;
mod hosts;
mod migration;
mod pipeline;
mod pool;
mod presence;
mod read;
mod row;
mod sql;
#[cfg(test)]
mod tests;
mod trail;
mod value;
mod write;

pub use connect::{OpenError, Options, Tls};
pub use migration::{MIGRATIONS, Migration};

use connect::{Connector, ServerState};
use failure::Failure;
use pipeline::Step;
use pool::Pool;
use protocol::grant_record::GrantRecord;
use protocol::id::TenantId;
use protocol::record::{Artifact, ArtifactKind, Document, DocumentKind, Found, GrantSelector, Lookup};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use store::{Answer, Batch, Epoch, Page, Store, StoreError, StoredEvent};
use tokio::runtime::Handle;
use tokio_postgres::Row;

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    /// Where its connections live; the store may be asked from any thread.
    runtime: Handle,
    /// Moves the identifiers of events apart.
    place: AtomicU64,
    standby_names: String,
}

/// What sessions call themselves at the server.
const NAME: &str = "postern";
/// How often a lost race inside the server is run again.
const TRIES: u32 = 8;
/// How long the deletion of a tenant may take: it goes with everything in it.
const DELETION: Duration = Duration::from_secs(600);

impl PostgresStore {
    /// Connects, brings the schema up to date where `options` says so, and looks at the server. Needs a Tokio runtime.
    ///
    /// # Errors
    /// When the server is not reached, is a standby, could lose acknowledged writes, does not compare text by bytes, or
    /// when its schema is not one that this program works with.
    pub async fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        Self::open_as(url, options, MIGRATIONS, NAME).await
    }

    #[cfg(test)]
    async fn open_with(url: &str, options: &Options, known: &[Migration]) -> Result<Self, OpenError> {
        Self::open_as(url, options, known, NAME).await
    }

    async fn open_as(
        url: &str,
        options: &Options,
        known: &[Migration],
        name: &str,
    ) -> Result<Self, OpenError> {
        let mut connector = Connector::new(url, options)?;
        connector.config.application_name(name);
        let client = connector.connect().await?;
        let state = ServerState::of(&client).await?;
        state.check(options.accept_data_loss)?;
        if let Some(error) = state.data_loss() {
            tracing::warn!(%error, "the database is used all the same");
        }
        if options.migrate {
            if let Some(schema) = &options.schema {
                client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
            }
            migration::apply(&connector, known).await?;
        }
        migration::tolerate(&migration::missing(&client, known).await?, known)?;
        Ok(Self {
            pool: Pool::new(&connector, options)?,
            runtime: Handle::current(),
            place: AtomicU64::new(RandomState::new().hash_one(0)),
            standby_names: state.standby_names,
        })
    }

    /// Whether the server waits for a standby before it acknowledges: otherwise a failover may lose writes.
    pub fn has_synchronous_standby(&self) -> bool {
        !self.standby_names.is_empty()
    }

    /// Polls the future where the connections live, whoever awaits it.
    fn within<'a, T: 'a>(
        &'a self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Answer<'a, T> {
        Box::pin(Within { runtime: &self.runtime, work: Box::pin(work) })
    }

    /// Rows of each step, all from one snapshot. What was lost on the way is asked once more.
    async fn ask(&self, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, StoreError> {
        let mut tries = 1;
        loop {
            let client = self.pool.acquire().await?;
            let outcome = self.pool.limited(None, pipeline::snapshot(&client, steps)).await;
            self.pool.give_back(client, &outcome);
            match outcome {
                Err(Failure::Again { .. }) if tries < TRIES => self.pause(tries).await,
                Err(Failure::Lost(_)) if tries == 1 => {}
                Err(Failure::Again { why, .. }) => return Err(StoreError::Unavailable(why)),
                outcome => return Ok(outcome?),
            }
            tries += 1;
        }
    }

    async fn ask_one(&self, step: Step<'_>) -> Result<Vec<Row>, StoreError> {
        Ok(self.ask(&[step]).await?.pop().unwrap_or_default())
    }

    /// Runs the steps as one transaction, again if it loses a race inside the server; answers the rows of each.
    async fn write(&self, steps: &[Step<'_>], longer: Option<Duration>) -> Result<Vec<u64>, StoreError> {
        let until = tokio::time::Instant::now() + self.pool.statement();
        let mut tries = 1;
        loop {
            let client = self.pool.acquire().await?;
            let outcome = self.pool.limited(longer, pipeline::transaction(&client, steps)).await;
            self.pool.give_back(client, &outcome);
            match outcome {
                Err(Failure::Again { why, .. }) if tries < TRIES && tokio::time::Instant::now() < until => {
                    tracing::debug!(why, tries, "a transaction is run again");
                    self.pause(tries).await;
                }
                outcome => return Ok(outcome?),
            }
            tries += 1;
        }
    }

    /// Longer each time, and not the same for all who lost the same race.
    async fn pause(&self, tries: u32) {
        let spread = 4 << tries;
        let time = spread + self.next_place().unsigned_abs() % spread;
        tokio::time::sleep(Duration::from_millis(time)).await;
    }

    /// 0 to 511, another one each time.
    fn next_place(&self) -> i64 {
        // An odd step visits all values; the upper bits of the sum are the better mixed ones.
        let sum = self.place.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        i64::try_from(sum >> 55).unwrap_or_default()
    }
}

/// A future that is polled inside a runtime's context.
struct Within<'a, T> {
    runtime: &'a Handle,
    work: Answer<'a, T>,
}

impl<T> Future for Within<'_, T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let _inside = self.runtime.enter();
        self.work.as_mut().poll(context)
    }
}

/// The migrations that the database lacks, without changing it.
///
/// # Errors
/// As [`PostgresStore::open`].
pub async fn pending(url: &str, options: &Options) -> Result<Vec<Migration>, OpenError> {
    let client = Connector::new(url, options)?.connect().await?;
    migration::missing(&client, MIGRATIONS).await
}

impl Store for PostgresStore {
    fn load<'a>(&'a self, tenant: &'a TenantId, lookups: &'a [Lookup]) -> Answer<'a, Vec<Found>> {
        self.within(async move {
            let tenant = tenant.as_str();
            let steps: Vec<Step<'_>> = lookups.iter().map(|lookup| read::lookup(tenant, lookup)).collect();
            if steps.is_empty() {
                return Ok(Vec::new());
            }
            let answers = self.ask(&steps).await?;
            let found = lookups.iter().zip(&answers).map(|(lookup, rows)| read::found(tenant, lookup, rows));
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    fn documents<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: DocumentKind,
        parent: Option<&'a str>,
        page: &'a Page,
    ) -> Answer<'a, Vec<Document>> {
        self.within(async move {
            let rows = self.ask_one(read::documents(tenant, kind, parent, page)).await?;
            let what = || format!("document {tenant}/{}", kind.name());
            Ok(read::page(read::list(&rows, |row| row::document(row, kind), what)?, page))
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
        self.within(async move {
            let rows = self.ask_one(read::artifacts(tenant, kind, owner, now, page)).await?;
            let what = || format!("artifact {tenant}/{}", kind.name());
            Ok(read::page(read::list(&rows, |row| row::artifact(row, kind), what)?, page))
        })
    }

    fn due(&self, kind: ArtifactKind, now: Timestamp, limit: usize) -> Answer<'_, Vec<(TenantId, Artifact)>> {
        self.within(async move {
            let rows = self.ask_one(read::due(kind, now, limit)).await?;
            let what = || format!("artifact */{}", kind.name());
            Ok(read::list(&rows, |row| row::artifact_of_tenant(row, kind), what)?)
        })
    }

    fn grants<'a>(
        &'a self,
        tenant: &'a TenantId,
        selector: &'a GrantSelector,
        limit: usize,
    ) -> Answer<'a, Vec<GrantRecord>> {
        self.within(async move {
            let rows = self.ask_one(read::grants(tenant, selector, limit)).await?;
            Ok(read::list(&rows, |row| row::grant(row, 0), || format!("grant_record {tenant}"))?)
        })
    }

    fn commit<'a>(&'a self, tenant: &'a TenantId, batch: Batch) -> Answer<'a, ()> {
        self.within(async move {
            let steps = write::commit(tenant, &batch, self.next_place())?;
            self.write(&steps, None).await.map(|_| ())
        })
    }

    fn append<'a>(&'a self, tenant: &'a TenantId, events: Vec<StoredEvent>) -> Answer<'a, ()> {
        self.within(async move {
            if events.is_empty() {
                return Ok(());
            }
            self.write(&write::append(tenant, &events, self.next_place()), None).await.map(|_| ())
        })
    }

    fn events<'a>(
        &'a self,
        tenant: &'a TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<'a, Vec<StoredEvent>> {
        self.within(async move {
            let rows = self.ask_one(read::events(tenant, before, limit)).await?;
            Ok(read::list(&rows, row::event, || format!("event {tenant}"))?)
        })
    }

    fn epoch<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Epoch> {
        self.within(async move {
            let rows = self.ask_one(read::epoch(tenant)).await?;
            Ok(read::list(&rows, row::epoch, || format!("tenant {tenant}"))?.pop().unwrap_or_default())
        })
    }

    fn tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Option<Tenant>> {
        self.within(async move {
            let rows = self.ask_one(read::tenant(tenant)).await?;
            Ok(read::list(&rows, row::tenant, || "tenant".to_owned())?.pop())
        })
    }

    fn tenants<'a>(&'a self, page: &'a Page) -> Answer<'a, Vec<Tenant>> {
        self.within(async move {
            let rows = self.ask_one(read::tenants(page)).await?;
            Ok(read::page(read::list(&rows, row::tenant, || "tenant".to_owned())?, page))
        })
    }

    fn create_tenant<'a>(&'a self, tenant: &'a Tenant) -> Answer<'a, ()> {
        self.within(async move { self.write(&write::create_tenant(tenant), None).await.map(|_| ()) })
    }

    fn delete_tenant<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, ()> {
        self.within(
            async move { self.write(&write::delete_tenant(tenant), Some(DELETION)).await.map(|_| ()) },
        )
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.within(async move {
            let mut removed = 0;
            for statement in [sql::SWEEP_ARTIFACTS, sql::SWEEP_GRANTS] {
                let steps = write::sweep(statement, now, limit.saturating_sub(removed));
                let rows = self.write(&steps, None).await?.pop().unwrap_or_default();
                removed += usize::try_from(rows).unwrap_or(usize::MAX);
            }
            Ok(removed)
        })
    }

    fn ping(&self) -> Answer<'_, ()> {
        self.within(async move { self.write(&[Step::new(sql::PING, Vec::new())], None).await.map(|_| ()) })
    }

    fn clock(&self) -> Answer<'_, Option<Timestamp>> {
        self.within(async move {
            let rows = self.ask_one(Step::new(sql::CLOCK, Vec::new())).await?;
            let now = read::list(&rows, row::number, || "clock".to_owned())?.pop();
            Ok(now.map(Timestamp::from_millis))
        })
    }

    fn schema_version(&self) -> Answer<'_, i64> {
        self.within(async move {
            let rows = self.ask_one(Step::new(sql::SCHEMA_VERSION, Vec::new())).await?;
            Ok(read::list(&rows, row::number, || "migration".to_owned())?.pop().unwrap_or(0))
        })
    }
}

//! Postern whole, in this process: gate, routers, engine, store.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use engine::{AuditConfig, Clock, Engine, EngineConfig};
use http_body_util::BodyExt;
use postern::http::{AddressLimit, Gate, Hsts, Limits, Metrics, Settings};
use protocol::rate_limit::{Module, RateLimit};
use store::Store;
use store::memory::MemoryStore;
use store_postgres::PostgresStore;
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

use crate::failing_store::FailingStore;
use crate::tenants::{Ready, SEAL_KEY, config, config_with};
use crate::{ACME_SECRET, Administrator, Answer, Ask, Browser, ManualClock, RelyingParty, SERVICE_SECRET};

/// A running server; clones are the same one.
#[derive(Clone)]
pub struct TestServer(Arc<Inner>);

struct Inner {
    config: EngineConfig,
    engine: Arc<Engine>,
    store: Arc<FailingStore>,
    clock: Arc<ManualClock>,
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
    directory: Option<Arc<TempDir>>,
}

impl TestServer {
    /// With the two ready tenants in a store in memory, or in a schema of its own where `POSTERN_TEST_POSTGRES` names a
    /// server.
    pub async fn start() -> Self {
        let store = backend().await;
        Ready::copy_into(store.as_ref()).await;
        Self::open(store, Arc::default(), None)
    }

    /// The same, and it may fetch documents from this machine, also by plain `http`.
    pub async fn reaching_loopback() -> Self {
        let store = backend().await;
        Ready::copy_into(store.as_ref()).await;
        let mut config = config();
        config.fetch.allow_loopback = true;
        Self::open_with(config, None, store, Arc::default(), None)
    }

    /// The same with limits of every tenant and of every address.
    pub async fn limited(tenants: &[(Module, RateLimit)], addresses: Option<RateLimit>) -> Self {
        let store = backend().await;
        Ready::copy_into(store.as_ref()).await;
        let mut config = config();
        config.rate_limits = tenants.iter().copied().collect();
        Self::open_with(config, addresses, store, Arc::default(), None)
    }

    /// The same, with something else done with audit events.
    pub async fn auditing(audit: AuditConfig) -> Self {
        let store = backend().await;
        Ready::copy_into(store.as_ref()).await;
        let mut config = config();
        config.audit = audit;
        Self::open_with(config, None, store, Arc::default(), None)
    }

    /// The same over SQLite in a temporary directory.
    pub async fn on_sqlite() -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let store = sqlite(&directory);
        Ready::copy_into(&store).await;
        Self::open(Arc::new(store), Arc::default(), Some(directory))
    }

    /// The same database and clock under new store, engine and gate, as after a restart: nothing in memory is kept.
    pub fn restart(&self) -> Self {
        let directory = self.0.directory.as_ref().expect("a database that outlives the process");
        Self::open(Arc::new(sqlite(directory)), Arc::clone(&self.0.clock), Some(Arc::clone(directory)))
    }

    /// A server over a backup of this one's database.
    pub async fn from_backup(&self) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let original = sqlite(self.0.directory.as_ref().expect("a database"));
        original.backup_to(directory.path().join(DATABASE)).await.expect("a backup");
        Self::open(Arc::new(sqlite(&directory)), Arc::clone(&self.0.clock), Some(directory))
    }

    /// Another node on the same store with the same settings, whose clock is ahead by `skew` milliseconds.
    pub fn node(&self, skew: i64) -> Self {
        let store: Arc<dyn Store> = Arc::<FailingStore>::clone(&self.0.store);
        let clock = Arc::new(ManualClock::at(self.clock().now().millis() + skew));
        Self::open_with(self.0.config.clone(), None, store, clock, self.0.directory.clone())
    }

    /// Writes a backup of its SQLite database to `target`.
    pub async fn back_up(&self, target: &Path) {
        let original = sqlite(self.0.directory.as_ref().expect("a database"));
        original.backup_to(target).await.expect("a backup");
    }

    /// Over a copy of the SQLite database `file`, sealed with `seal_key`, when the clock shows `now` (milliseconds).
    pub fn over_file(file: &Path, seal_key: [u8; 32], now: i64) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        std::fs::copy(file, directory.path().join(DATABASE)).expect("the database");
        let store = Arc::new(sqlite(&directory));
        Self::open_with(config_with(seal_key), None, store, Arc::new(ManualClock::at(now)), Some(directory))
    }

    /// Over what is in a schema of the server that `POSTERN_TEST_POSTGRES` names.
    pub async fn over_schema(schema: &str, seal_key: [u8; 32], now: i64) -> Self {
        let url = std::env::var("POSTERN_TEST_POSTGRES").expect("a server");
        let store = Arc::new(postgres(&url, schema.to_owned()).await);
        Self::open_with(config_with(seal_key), None, store, Arc::new(ManualClock::at(now)), None)
    }

    /// With the two ready tenants in a new schema of that name.
    pub async fn in_schema(schema: &str) -> Self {
        let server = Self::over_schema(schema, SEAL_KEY, ManualClock::default().now().millis()).await;
        Ready::copy_into(server.store()).await;
        server
    }

    fn open(store: Arc<dyn Store>, clock: Arc<ManualClock>, directory: Option<Arc<TempDir>>) -> Self {
        Self::open_with(config(), None, store, clock, directory)
    }

    fn open_with(
        config: EngineConfig,
        address_limit: Option<RateLimit>,
        store: Arc<dyn Store>,
        clock: Arc<ManualClock>,
        directory: Option<Arc<TempDir>>,
    ) -> Self {
        let store = Arc::new(FailingStore::new(store));
        let seen: Arc<dyn Store> = Arc::<FailingStore>::clone(&store);
        let told: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let engine = Engine::open(config.clone(), seen, Arc::clone(&told)).expect("an engine");
        let metrics = Arc::new(postern::metrics(&engine, TENANT_LABELS));
        let settings = Settings {
            limits: Limits::default(),
            trusted_proxies: PROXIES.parse().into_iter().collect(),
            address_limit: address_limit.map(|limit| AddressLimit::new(limit, told)),
            hsts: Hsts::Loopback,
        };
        let gate = Gate::new(postern::rooms(&engine), settings, Arc::clone(&metrics));
        Self(Arc::new(Inner { config, engine, store, clock, gate, metrics, directory }))
    }

    /// Lets the store fail from now on, or work again.
    pub fn fail_store(&self, reads: bool, writes: bool) {
        self.0.store.fail(reads, writes);
    }

    /// Lets the store's writes wait until what is returned is dropped.
    pub async fn hold_writes(&self) -> impl Drop + Send + use<> {
        self.0.store.hold_writes().await
    }

    /// Lets the store have a clock of its own, in milliseconds.
    pub fn set_store_clock(&self, millis: i64) {
        self.0.store.set_clock(millis);
    }

    pub fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    pub fn store(&self) -> &dyn Store {
        self.0.store.as_ref()
    }

    /// Every file of the database directory; none over memory.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let Some(directory) = &self.0.directory else { return Vec::new() };
        let entries = std::fs::read_dir(directory.path()).expect("the database directory");
        let files = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
        files.map(|path| (path.display().to_string(), std::fs::read(&path).expect("a file"))).collect()
    }

    /// The metrics as Prometheus reads them.
    pub fn metrics(&self) -> String {
        self.0.metrics.text()
    }

    pub fn clock(&self) -> &ManualClock {
        &self.0.clock
    }

    /// Sends one request through the gate.
    pub async fn send(&self, ask: Ask) -> Answer {
        self.send_from(ask, Ipv4Addr::LOCALHOST).await
    }

    /// The same from another machine.
    pub async fn send_from(&self, ask: Ask, source: Ipv4Addr) -> Answer {
        let request = ask.into_request();
        let asked = request.uri().to_string();
        let peer = SocketAddr::from((source, 50_000));
        let response = Arc::clone(&self.0.gate).answer_once(request, peer).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body, asked }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Ask::get(path)).await
    }

    /// A browser of a new user.
    pub fn browser(&self) -> Browser {
        Browser::new(self.clone())
    }

    /// The administrator of tenant `default`.
    pub async fn administrator(&self) -> Administrator {
        Administrator::of(self, "default", "admin-swagger", engine::demo::DEMO_SECRET).await
    }

    /// The administrator of tenant `acme`.
    pub async fn acme_administrator(&self) -> Administrator {
        Administrator::of(self, "acme", "acme-admin", ACME_SECRET).await
    }

    /// The administrator of the whole server.
    pub async fn operator(&self) -> Administrator {
        Administrator::of(self, engine::SYSTEM_TENANT, "admin-swagger", engine::demo::DEMO_SECRET).await
    }

    /// A client of workspace `default` of tenant `default`, by its id.
    ///
    /// Public: `app`, `other-app`, `native`, `local-web`. With a secret: `client`, `other`, `service`.
    pub fn party(&self, client_id: &str) -> RelyingParty {
        let secret = match client_id {
            "client" => Some(engine::demo::DEMO_CLIENT_SECRET),
            "other" | "service" => Some(SERVICE_SECRET),
            _ => None,
        };
        RelyingParty::new(self, "/default/default", client_id, secret)
    }

    /// A client anywhere.
    pub fn party_at(&self, workspace: &str, client_id: &str, secret: Option<&str>) -> RelyingParty {
        RelyingParty::new(self, workspace, client_id, secret)
    }
}

/// Fewer than there are ready tenants.
const TENANT_LABELS: usize = 1;

/// Where the reverse proxies stand.
const PROXIES: &str = "10.0.0.0/8";
const DATABASE: &str = "postern.db";

fn sqlite(directory: &TempDir) -> SqliteStore {
    SqliteStore::open(directory.path().join(DATABASE), &Options::default()).expect("a database")
}

/// The store behind most tests.
async fn backend() -> Arc<dyn Store> {
    match std::env::var("POSTERN_TEST_POSTGRES") {
        Ok(url) => Arc::new(postgres(&url, own_schema()).await),
        Err(_) => Arc::new(MemoryStore::new()),
    }
}

/// The name of a schema for this test alone.
fn own_schema() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    format!("it_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A store in that schema, which is made if it is not there.
async fn postgres(url: &str, schema: String) -> PostgresStore {
    let options = store_postgres::Options {
        tls: store_postgres::Tls::Off,
        connections: 4,
        acquire: Duration::from_secs(20),
        silence: Duration::from_secs(20),
        schema: Some(schema),
        // A server for tests does not wait for the disk.
        accept_data_loss: true,
        ..store_postgres::Options::default()
    };
    PostgresStore::open(url, &options).await.expect("the test server")
}

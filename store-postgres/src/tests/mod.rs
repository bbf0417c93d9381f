//! They need a server: `cargo xtask test --only postgres` starts one and names it in `POSTERN_TEST_POSTGRES`.

mod cluster;
mod faults;
mod hosts;
mod migrations;
mod nodes;
mod presence;
mod proxy;
mod statements;
mod tls;

use super::*;
use crate::failure::told;
use cluster::Cluster;
use protocol::grant_record::GrantBody;
use protocol::id::{ClientId, GrantId, ServerId, Uid};
use protocol::record::{Expect, HandleHash, Write};
use protocol::scope::ScopeSet;
use protocol::unknown_members::UnknownMembers;
use std::sync::Arc;

mod contract {
    use super::*;

    /// On a thread of its own, as the engine never would: the store finds its runtime by itself.
    fn run<F: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Store>) -> F) {
        let runtime = runtime();
        let _inside = runtime.enter();
        store::contract::block_on(async {
            let database = Database::new().await;
            test(Arc::new(database.open().await)).await;
        });
    }

    store::contract_tests!(
        #[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
        run
    );
}

/// E7: all of it once more on the schema of a later version that has only expanded.
mod contract_beside_a_later_version {
    use super::*;

    fn run<F: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Store>) -> F) {
        let runtime = runtime();
        let _inside = runtime.enter();
        store::contract::block_on(async {
            let database = Database::new().await;
            migrations::expand(&database).await;
            test(Arc::new(database.open().await)).await;
        });
    }

    store::contract_tests!(
        #[ignore = "needs PostgreSQL: cargo xtask test --only postgres"]
        run
    );
}

/// A schema of one's own on the test server.
struct Database {
    url: String,
}

fn server() -> String {
    std::env::var("POSTERN_TEST_POSTGRES").expect("POSTERN_TEST_POSTGRES names the test server")
}

impl Database {
    async fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let admin = Connector::new(&server(), &options()).unwrap().connect().await.unwrap();
        admin.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
        let mark = if server().contains('?') { '&' } else { '?' };
        Self { url: format!("{}{mark}options=-c%20search_path%3D{name}", server()) }
    }

    async fn open(&self) -> PostgresStore {
        PostgresStore::open(&self.url, &options()).await.unwrap()
    }
}

/// A server for tests does not wait for the disk; what is about that has one of its own ([`Cluster`]).
fn options() -> Options {
    Options {
        tls: Tls::Off,
        connections: 8,
        acquire: Duration::from_secs(20),
        silence: Duration::from_secs(20),
        accept_data_loss: true,
        ..Options::default()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

impl Database {
    /// A connection of one's own, as an operator's shell would have it.
    async fn shell(&self) -> tokio_postgres::Client {
        Connector::new(&self.url, &options()).unwrap().connect().await.unwrap()
    }
}

async fn with_tenant() -> (Database, PostgresStore, TenantId) {
    with_tenant_named("postern").await
}

/// A store whose sessions bear a name, and one tenant.
async fn with_tenant_named(name: &str) -> (Database, PostgresStore, TenantId) {
    let database = Database::new().await;
    let store = PostgresStore::open_as(&database.url, &options(), MIGRATIONS, name).await.unwrap();
    store.create_tenant(&tenant_named("t1")).await.unwrap();
    (database, store, TenantId::new("t1"))
}

const CODE: ArtifactKind = ArtifactKind::AuthorizationCode;

fn tenant_named(id: &str) -> Tenant {
    Tenant {
        id: TenantId::new(id),
        name: "Tenant".to_owned(),
        uid: Uid::new(format!("uid-of-{id}")),
        created_at: Timestamp::from_seconds(1),
    }
}

fn code(name: &str, body: &str) -> Write {
    let artifact = Artifact {
        kind: CODE,
        hash: HandleHash::of(name),
        grant: None,
        owner: None,
        expires_at: Timestamp::from_seconds(100),
        due_at: None,
        revision: 0,
        body: body.to_owned(),
    };
    Write::PutArtifact { artifact, expect: Expect::Absent }
}

/// The same write with another precondition.
fn expecting(write: Write, expect: Expect) -> Write {
    match write {
        Write::PutArtifact { artifact, .. } => Write::PutArtifact { artifact, expect },
        other => other,
    }
}

fn revised(write: Write, revision: i64) -> Write {
    expecting(write, Expect::Revision(revision))
}

fn any(write: Write) -> Write {
    expecting(write, Expect::Any)
}

fn require(id: &str, revision: i64) -> Write {
    Write::RequireGrant { id: GrantId::new(id), revision }
}

fn event() -> StoredEvent {
    let at = Timestamp::from_seconds(10);
    StoredEvent { id: 0, at, server: None, trace_id: "trace".to_owned(), body: "{}".to_owned(), exports: 0 }
}

fn grant(id: &str) -> Write {
    let grant = GrantRecord {
        id: GrantId::new(id),
        server: ServerId::new("server"),
        client: ClientId::new("client"),
        subject: None,
        session: None,
        created_at: Timestamp::from_seconds(1),
        expires_at: Timestamp::from_seconds(100),
        revoked_at: None,
        revision: 0,
        body: GrantBody {
            server_uid: Uid::new("s"),
            client_uid: Uid::new("c"),
            scope: ScopeSet::default(),
            resource: Vec::new(),
            subject: None,
            claims: None,
            nonce: None,
            ancestors: Vec::new(),
            act: None,
            unknown: UnknownMembers::default(),
        },
    };
    Write::PutGrant { grant, expect: Expect::Absent }
}

fn document(id: &str) -> Write {
    let document = Document {
        kind: DocumentKind::Client,
        id: id.to_owned(),
        parent: Some("server".to_owned()),
        uid: Uid::new("u"),
        revision: 0,
        created_at: Timestamp::from_seconds(1),
        updated_at: Timestamp::from_seconds(1),
        body: "{}".to_owned(),
    };
    Write::PutDocument { document, expect: Expect::Absent }
}

async fn commit(store: &PostgresStore, tenant: &TenantId, writes: Vec<Write>) -> Result<(), StoreError> {
    store.commit(tenant, Batch { writes, events: Vec::new() }).await
}

/// Whether the code is there.
async fn has_code(store: &PostgresStore, tenant: &TenantId, name: &str) -> bool {
    let found = store.load(tenant, &[Lookup::Artifact(CODE, HandleHash::of(name))]).await.unwrap();
    matches!(&found[..], [Found::Artifact(Some(_), None)])
}

/// Asks until it is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    let limit = tokio::time::Instant::now() + Duration::from_secs(60);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < limit, "it never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

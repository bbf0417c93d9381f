mod backup;
mod durability;
mod faults;
mod migrations;
mod nodes;
mod statements;

use super::*;
use protocol::grant_record::GrantBody;
use protocol::id::{ClientId, GrantId, ServerId, Uid};
use protocol::record::{Expect, HandleHash, Write};
use protocol::scope::ScopeSet;
use protocol::unknown_members::UnknownMembers;
use tempfile::TempDir;

mod contract {
    use super::*;

    fn run<F: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Store>) -> F) {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test(Arc::new(store)));
    }

    store::contract_tests!(run);
}

/// E7: all of it once more on the schema of a later version that has only expanded.
mod contract_beside_a_later_version {
    use super::*;

    fn run<F: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Store>) -> F) {
        let directory = tempfile::tempdir().unwrap();
        migrations::expand(&directory);
        let store = open(&directory);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test(Arc::new(store)));
    }

    store::contract_tests!(run);
}

const CODE: ArtifactKind = ArtifactKind::AuthorizationCode;

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("postern.db")
}

fn open(directory: &TempDir) -> SqliteStore {
    SqliteStore::open(file(directory), &Options::default()).unwrap()
}

/// A store in a directory that goes with it, and one tenant.
async fn with_tenant() -> (TempDir, SqliteStore, TenantId) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let id = TenantId::new("t1");
    store.create_tenant(&tenant("t1")).await.unwrap();
    (directory, store, id)
}

/// A second connection, as an operator's shell would have it.
fn shell(directory: &TempDir) -> Connection {
    Connection::open(file(directory)).unwrap()
}

fn tenant(id: &str) -> Tenant {
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

async fn commit(store: &SqliteStore, tenant: &TenantId, writes: Vec<Write>) -> Result<(), StoreError> {
    store.commit(tenant, Batch { writes, events: Vec::new() }).await
}

/// Whether the code is there.
async fn has_code(store: &SqliteStore, tenant: &TenantId, name: &str) -> bool {
    let found = store.load(tenant, &[Lookup::Artifact(CODE, HandleHash::of(name))]).await.unwrap();
    matches!(&found[..], [Found::Artifact(Some(_), None)])
}

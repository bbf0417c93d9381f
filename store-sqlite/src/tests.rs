use super::*;
use protocol::id::Uid;
use protocol::record::{Expect, HandleHash, Write};

/// A store in a directory that goes with it, and one tenant.
async fn store(options: &Options) -> (tempfile::TempDir, SqliteStore, TenantId) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("postern.db"), options).unwrap();
    let tenant = TenantId::new("t1");
    store
        .create_tenant(&Tenant {
            id: tenant.clone(),
            name: "One".to_owned(),
            uid: Uid::new("u1"),
            created_at: Timestamp::from_seconds(1),
        })
        .await
        .unwrap();
    (directory, store, tenant)
}

fn code(name: &str) -> Write {
    let artifact = Artifact {
        kind: ArtifactKind::AuthorizationCode,
        hash: HandleHash::of(name),
        grant: None,
        owner: None,
        expires_at: Timestamp::from_seconds(100),
        revision: 0,
        body: "{}".to_owned(),
    };
    Write::PutArtifact { artifact, expect: Expect::Absent }
}

#[tokio::test]
async fn what_is_committed_is_read_at_once() {
    let (_directory, store, tenant) = store(&Options::default()).await;
    store.commit(&tenant, Batch { writes: vec![code("a")], events: vec![] }).await.unwrap();
    let lookup = Lookup::Artifact(ArtifactKind::AuthorizationCode, HandleHash::of("a"));
    let found = store.load(&tenant, std::slice::from_ref(&lookup)).await.unwrap();
    assert!(matches!(&found[..], [Found::Artifact(Some(artifact), None)] if artifact.revision == 1));
    store.ping().await.unwrap();
    assert_eq!(store.schema_version().await.unwrap(), 1);
}

#[test]
fn every_statement_of_the_catalogue_fits_the_schema() {
    let directory = tempfile::tempdir().unwrap();
    let connection =
        open::writer(&directory.path().join("postern.db"), &Options::default(), MIGRATIONS).unwrap();
    let catalogue = [sql::READS, sql::WRITES, sql::MIGRATIONS, sql::TRANSACTIONS].concat();
    assert!(catalogue.len() > 70, "the catalogue was not read");
    for (name, statement) in catalogue {
        connection.prepare(statement).unwrap_or_else(|error| panic!("{name}: {error}\n{statement}"));
    }
}

mod contract {
    use super::*;

    fn run<F: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Store>) -> F) {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("postern.db"), &Options::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(test(Arc::new(store)));
    }

    store::contract_tests!(run);
}

//! The wiring: which store stands behind the engine, and the rooms on one router. No other file names a
//! storage backend.

use std::sync::Arc;

use anyhow::{Context, ensure};
use engine::{Engine, EngineConfig, SystemClock};
use protocol::record::DocumentKind;
use store::{Page, Store};
use store_sqlite::{Options, SqliteStore};

use crate::config;
use crate::http::{Probe, Repeatable, Rooms};

/// Opens the database, bringing its schema up to date when `migrate` is set.
///
/// # Errors
/// One line that names the setting.
pub(crate) fn open_store(store: &config::Store, migrate: bool) -> anyhow::Result<Arc<dyn Store>> {
    match store {
        config::Store::Sqlite { path } => {
            let options = Options { migrate, ..Options::default() };
            Ok(Arc::new(SqliteStore::open(path, &options).context("store.sqlite.path")?))
        }
    }
}

/// The migrations that the database lacks, one line each.
///
/// # Errors
/// One line that names the setting.
pub(crate) fn pending(store: &config::Store) -> anyhow::Result<Vec<String>> {
    match store {
        config::Store::Sqlite { path } => {
            let pending = store_sqlite::pending(path).context("store.sqlite.path")?;
            Ok(pending.iter().map(|step| format!("{:04} {}", step.version, step.name)).collect())
        }
    }
}

/// Whether nothing was ever kept in the database.
///
/// # Errors
/// The store cannot answer.
pub(crate) async fn is_new(store: &dyn Store) -> anyhow::Result<bool> {
    Ok(store.tenants(&Page::first(1)).await?.is_empty())
}

/// Puts the engine over the store. Needs a runtime.
///
/// # Errors
/// A trust anchor cannot be read.
pub(crate) fn open_engine(config: EngineConfig, store: Arc<dyn Store>) -> anyhow::Result<Arc<Engine>> {
    Engine::open(config, store, Arc::new(SystemClock)).context("fetch.extra_trust_anchors")
}

/// Opens one sealed thing, if there is one, to see that the key is the one it was sealed with (E18).
///
/// # Errors
/// The key is another one, or the store cannot answer.
pub(crate) async fn check_key(engine: &Engine, store: &dyn Store) -> anyhow::Result<()> {
    for tenant in store.tenants(&Page::first(1)).await? {
        for server in store.documents(&tenant.id, DocumentKind::Server, None, &Page::first(1)).await? {
            let opened = engine.workspace(tenant.id.as_str(), &server.id).await;
            ensure!(opened.is_ok(), "is not the key that this database was sealed with");
        }
    }
    Ok(())
}

/// The rooms, to be put behind the gate.
pub fn rooms(engine: &Arc<Engine>) -> Rooms {
    let published = Arc::clone(engine);
    Rooms {
        router: web::router(Arc::clone(engine)).merge(admin::router(Arc::clone(engine))),
        prompt: Some(Arc::new(move |method, path| web::published(&published, method, path))),
        repeatable: Some(Repeatable(Arc::clone(engine))),
    }
}

/// Asks the store for `/ready`.
pub(crate) fn probe(engine: &Arc<Engine>) -> Probe {
    let engine = Arc::clone(engine);
    Arc::new(move || {
        let engine = Arc::clone(&engine);
        Box::pin(async move { engine.ready().await.is_ok() })
    })
}

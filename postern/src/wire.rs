//! The wiring: which store stands behind the engine, and the rooms on one router. No other file names a
//! storage backend.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use store::{Page, Store};
use store_sqlite::{Options, SqliteStore};

use crate::config;
use crate::http::Probe;

/// The rooms, ready to be put behind the gate.
pub(crate) struct Rooms {
    pub(crate) router: Router,
    pub(crate) probe: Probe,
}

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

pub(crate) fn rooms() -> Rooms {
    Rooms { router: Router::new(), probe: Arc::new(|| Box::pin(async { true })) }
}

//! The wiring: which store stands behind the engine, and the rooms on one router. No other file names a
//! storage backend.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use engine::{Engine, EngineConfig, SystemClock};
use protocol::id::ServerId;
use protocol::record::DocumentKind;
use store::{Page, Store};
use store_postgres::{OpenError, PostgresStore, Tls};
use store_sqlite::{Options, SqliteStore};
use zeroize::Zeroizing;

use crate::config;
use crate::http::{Metrics, Probe, Repeatable, Rooms};

/// Opens the database, bringing its schema up to date when `migrate` is set. Needs a runtime.
///
/// # Errors
/// One line that names the setting.
pub(crate) async fn open_store(store: &config::Store, migrate: bool) -> anyhow::Result<Arc<dyn Store>> {
    match store {
        config::Store::Sqlite { path } => {
            let options = Options { migrate, ..Options::default() };
            Ok(Arc::new(SqliteStore::open(path, &options).context(store.setting())?))
        }
        config::Store::Postgres(postgres) => {
            let opened = PostgresStore::open(&postgres.url, &reach(postgres, migrate)?).await;
            Ok(Arc::new(opened.context(store.setting())?))
        }
    }
}

/// The same, waiting for a database that does not answer yet (E5).
///
/// # Errors
/// One line that names the setting.
pub(crate) async fn await_store(store: &config::Store) -> anyhow::Result<Arc<dyn Store>> {
    loop {
        match open_store(store, true).await {
            Err(error) if is_unreachable(&error) => {
                tracing::warn!(error = crate::cli::one_line(&error), "waiting for the database");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            outcome => return outcome,
        }
    }
}

fn is_unreachable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<OpenError>(), Some(OpenError::Unreachable(_)))
}

/// Copies the database while it is in use; see [`store_sqlite::backup`].
///
/// # Errors
/// The database is no file of ours, or cannot be read, or the copy cannot be written.
pub(crate) fn backup(store: &config::Store, target: &Path) -> anyhow::Result<()> {
    let config::Store::Sqlite { path } = store else {
        bail!(
            "{}: PostgreSQL is backed up with its own tools, such as pg_basebackup or pg_dump",
            store.setting()
        );
    };
    ensure!(path.exists(), "{}: there is no database at {}", store.setting(), path.display());
    let is_itself =
        target.canonicalize().ok().is_some_and(|target| path.canonicalize().is_ok_and(|path| path == target));
    ensure!(!is_itself, "{} is the database itself: name another file", target.display());
    Ok(store_sqlite::backup(path, target)?)
}

/// What is not wrong with the database and had better be otherwise.
///
/// # Errors
/// The database cannot be opened.
pub(crate) async fn advice(store: &config::Store) -> anyhow::Result<Option<&'static str>> {
    let config::Store::Postgres(postgres) = store else { return Ok(None) };
    let opened = PostgresStore::open(&postgres.url, &reach(postgres, false)?).await?;
    Ok((!opened.has_synchronous_standby()).then_some(
        "no standby is waited for, so that a failover may lose acknowledged writes: set synchronous_standby_names",
    ))
}

fn reach(postgres: &config::Postgres, migrate: bool) -> anyhow::Result<store_postgres::Options> {
    let password = match &postgres.password {
        Some(place) => Some(place.read().context("store.postgres.password")?),
        None => None,
    };
    Ok(store_postgres::Options {
        password: password.map(|password| Zeroizing::new(password.trim_ascii().to_vec())),
        tls: if postgres.tls { Tls::VerifyFull { ca_file: postgres.ca_file.clone() } } else { Tls::Off },
        connections: postgres.connections,
        acquire: postgres.acquire,
        statement: postgres.statement,
        silence: postgres.silence,
        schema: postgres.schema.clone(),
        migrate,
        accept_data_loss: postgres.accept_data_loss,
    })
}

/// The migrations that the database lacks.
pub(crate) struct Pending {
    /// One line each.
    pub(crate) steps: Vec<String>,
    /// It lacks all of them: there is no database yet, or an empty one.
    pub(crate) is_new: bool,
}

/// What the database lacks.
///
/// # Errors
/// One line that names the setting.
pub(crate) async fn pending(store: &config::Store) -> anyhow::Result<Pending> {
    let steps: Vec<(i64, &str)> = match store {
        config::Store::Sqlite { path } => {
            let pending = store_sqlite::pending(path).context(store.setting())?;
            pending.iter().map(|step| (step.version, step.name)).collect()
        }
        config::Store::Postgres(postgres) => {
            let pending = store_postgres::pending(&postgres.url, &reach(postgres, false)?).await;
            pending.context(store.setting())?.iter().map(|step| (step.version, step.name)).collect()
        }
    };
    Ok(Pending {
        is_new: steps.first().is_some_and(|(version, _)| *version == 1),
        steps: steps.iter().map(|(version, name)| format!("{version:04} {name}")).collect(),
    })
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
            let opened = engine.opens(&tenant.id, &ServerId::new(&server.id)).await;
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

/// The numbers of the gate and the desk together; that many tenants have a label of their own.
pub fn metrics(engine: &Arc<Engine>, tenant_labels: usize) -> Metrics {
    let metrics = Metrics::of_tenants(tenant_labels);
    count(engine, &metrics);
    metrics
}

/// Adds the numbers of the desk to those of the gate.
pub(crate) fn count(engine: &Arc<Engine>, metrics: &Metrics) {
    let known = Arc::clone(engine);
    metrics.know(Arc::new(move |tenant| known.knows_tenant(tenant)));
    metrics.register(|registry| engine.measures().register(registry));
}

/// Asks the store for `/ready`; one that is not open yet does not answer.
pub(crate) fn probe(opened: Arc<OnceLock<Arc<Engine>>>) -> Probe {
    Arc::new(move || {
        let engine = opened.get().cloned();
        Box::pin(async move {
            match engine {
                Some(engine) => engine.ready().await.is_ok(),
                None => false,
            }
        })
    })
}

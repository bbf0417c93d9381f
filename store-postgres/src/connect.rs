//! Reaching the server: where it is, TLS, what a new session is told and what is looked at before it is used.

use crate::failure::told;
use crate::hosts::{HEAD_START, Place, first_of};
use crate::sql;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::config::{LoadBalanceHosts, SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use zeroize::Zeroizing;

/// Settings of the store.
#[derive(Clone)]
pub struct Options {
    /// The password of the URL's user, if the server asks for one.
    pub password: Option<Zeroizing<Vec<u8>>>,
    pub tls: Tls,
    /// Most connections of this process.
    pub connections: usize,
    /// How long a request waits for a connection before it is answered `Unavailable`.
    pub acquire: Duration,
    /// How long a statement may take.
    pub statement: Duration,
    /// How long a server that somebody waits for may say nothing at all, also to a new connection, before it is held to be
    /// gone.
    pub silence: Duration,
    /// The schema that holds the tables, made where it is missing; otherwise the one that the user's sessions have.
    pub schema: Option<String>,
    /// Whether missing migrations are applied. Otherwise a database that lacks more than the last one is refused.
    pub migrate: bool,
    /// Whether a server that could lose acknowledged writes is used all the same.
    pub accept_data_loss: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            password: None,
            tls: Tls::VerifyFull { ca_file: None },
            connections: 16,
            acquire: Duration::from_millis(250),
            statement: Duration::from_secs(5),
            silence: Duration::from_secs(1),
            schema: None,
            migrate: true,
            accept_data_loss: false,
        }
    }
}

/// How the way to the server is protected. A Unix socket needs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    Off,
    /// The certificate must be valid for the host of the URL; `ca_file` (PEM) replaces the system's roots.
    VerifyFull { ca_file: Option<PathBuf> },
}

/// Why a store cannot be opened: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Setting(String),
    /// Nobody answers, or not yet: worth waiting for.
    #[error("the database does not answer: {0}")]
    Unreachable(String),
    #[error("the database says no: {0}")]
    Refused(String),
    /// Waiting would not help.
    #[error(
        "the way to the database is not protected: {0}; see store.postgres.tls and store.postgres.ca_file"
    )]
    Unprotected(String),
    #[error("the server is a standby, which takes no writes: name the primary, or all of them")]
    Standby,
    #[error("the server runs with {setting} = {found}, which could lose acknowledged writes: set it to on")]
    NotDurable { setting: &'static str, found: String },
    #[error(
        "the database does not compare text by bytes: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
    )]
    Collation,
    #[error("the database has schema version {found}, this program knows {known}: run a newer version of it")]
    Newer { found: i64, known: i64 },
    #[error("migration {version} ({name}) was changed after it had been applied to this database")]
    Changed { version: i64, name: String },
    #[error("{0} migrations are missing in the database: run `postern migrate`")]
    Pending(usize),
    #[error("the database is being migrated by {owner}: try again in some seconds")]
    Migrating { owner: String },
}

impl From<tokio_postgres::Error> for OpenError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else {
            return if is_unprotected(&error) {
                Self::Unprotected(told(&error))
            } else {
                Self::Unreachable(told(&error))
            };
        };
        // Starting up, shutting down, full, cut off: it may come.
        let passing = *code == SqlState::TOO_MANY_CONNECTIONS
            || code.code().starts_with("57P")
            || code.code().starts_with("08");
        if passing { Self::Unreachable(told(&error)) } else { Self::Refused(told(&error)) }
    }
}

/// Whether the server's certificate was looked at and refused, or the server has none.
pub(crate) fn is_unprotected(error: &tokio_postgres::Error) -> bool {
    let Some(source) = std::error::Error::source(error) else { return false };
    let refused = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    refused.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        || source.to_string() == "server does not support TLS"
}

/// TCP: how long one host may take to answer, how long what was sent may remain without acknowledgement, and how long a
/// connection is idle before it is looked at.
const CONNECT_WAITS: Duration = Duration::from_secs(1);
const UNACKNOWLEDGED: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(5);
/// How long a connection apart from the pool may take to be made.
const SILENCE: Duration = Duration::from_secs(5);
/// How long a write waits for another one's row.
const LOCK_WAITS: Duration = Duration::from_secs(2);

/// Everything needed to open a connection.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) config: Config,
    tls: Option<MakeRustlsConnect>,
    places: Vec<Place>,
    /// The place of the last connection, where the next one is tried first; where they are spread, a count of them.
    turn: Arc<AtomicUsize>,
}

impl Connector {
    /// # Errors
    /// The URL or the CA file is not what it should be. Nothing is connected yet.
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, OpenError> {
        let mut config: Config =
            url.parse().map_err(|error: tokio_postgres::Error| OpenError::Setting(told(&error)))?;
        if config.get_password().is_some() {
            return Err(OpenError::Setting("a password does not belong in the URL".to_owned()));
        }
        if let Some(password) = &options.password {
            config.password(password.as_slice());
        }
        if let Some(schema) = &options.schema {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if !schema.starts_with(|c: char| c.is_ascii_lowercase()) || !schema.chars().all(plain) {
                return Err(OpenError::Setting(format!("the schema {schema:?}: use a-z, 0-9 and _")));
            }
            config.options(format!("-c search_path={schema}"));
        }
        let places = Place::all(&config)?;
        let local = places.iter().all(Place::is_local);
        let tls = match &options.tls {
            Tls::VerifyFull { ca_file } if !local => Some(verify_full(ca_file.as_deref())?),
            _ => None,
        };
        config
            .ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable })
            .connect_timeout(CONNECT_WAITS)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .keepalives(true)
            .keepalives_idle(IDLE)
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(3);
        if places.len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Ok(Self { config, tls, places, turn: Arc::default() })
    }

    /// A connection apart from the pool.
    pub(crate) async fn connect(&self) -> Result<Client, OpenError> {
        let silent = |_| OpenError::Unreachable(format!("no answer within {SILENCE:?}"));
        let (client, _task) =
            tokio::time::timeout(SILENCE, self.dial(&self.turns())).await.map_err(silent)??;
        Ok(client)
    }

    /// Whether the server that the connections lead to is there: it lets in a new one within that time, or says why not.
    /// That another host would is no answer: what waits at this one waits in vain.
    pub(crate) async fn is_answered(&self, within: Duration) -> bool {
        let mut asked = self.turns();
        if !self.are_spread() {
            asked.truncate(1);
        }
        let others = u32::try_from(asked.len().saturating_sub(1)).unwrap_or(0);
        match tokio::time::timeout(within + HEAD_START * others, self.dial(&asked)).await {
            Ok(Ok(_session)) => true,
            // Class 57P: it is starting or stopping, and lets nobody in.
            Ok(Err(error)) => match error.code() {
                Some(code) => !code.code().starts_with("57P"),
                None => is_unprotected(&error),
            },
            Err(_) => false,
        }
    }

    /// Whether the connections of this process are at several hosts.
    fn are_spread(&self) -> bool {
        self.config.get_load_balance_hosts() == LoadBalanceHosts::Random
    }

    /// In which order the hosts are tried.
    fn turns(&self) -> Vec<usize> {
        let count = self.places.len();
        let first = match self.are_spread() {
            true => self.turn.fetch_add(1, Ordering::Relaxed),
            false => self.turn.load(Ordering::Relaxed),
        };
        (0..count).map(|turn| (first.wrapping_add(turn)) % count).collect()
    }

    /// A session at the first of these hosts that lets somebody in; of several hosts, at one that takes writes.
    async fn dial(&self, turns: &[usize]) -> Result<Session, Error> {
        let attempt = |turn: &usize| {
            let (connector, turn) = (self.clone(), *turn);
            async move { connector.dial_at(turn).await.map(|session| (turn, session)) }
        };
        match first_of(turns.iter().map(attempt).collect()).await {
            Some(Ok((turn, session))) => {
                if !self.are_spread() {
                    self.turn.store(turn, Ordering::Relaxed);
                }
                Ok(session)
            }
            Some(Err(error)) => Err(error),
            None => self.open(self.config.clone()).await,
        }
    }

    /// At one host, by whichever of its addresses leads there.
    async fn dial_at(&self, turn: usize) -> Result<Session, Error> {
        let Some(place) = self.places.get(turn) else { return self.open(self.config.clone()).await };
        let attempt = |place: Place| {
            let connector = self.clone();
            async move { connector.open(place.only(&connector.config)).await }
        };
        match first_of(place.resolved().await.into_iter().map(attempt).collect()).await {
            Some(outcome) => outcome,
            None => self.open(place.only(&self.config)).await,
        }
    }

    async fn open(&self, config: Config) -> Result<Session, Error> {
        match self.tls.clone() {
            Some(tls) => begin(&config, tls).await,
            None => begin(&config, NoTls).await,
        }
    }
}

/// What a session is spoken to by, and what carries it.
type Session = (Client, JoinHandle<()>);

impl deadpool_postgres::Connect for Connector {
    fn connect(&self, _config: &Config) -> Pin<Box<dyn Future<Output = Result<Session, Error>> + Send + '_>> {
        Box::pin(async move { self.dial(&self.turns()).await })
    }
}

async fn begin<T>(config: &Config, tls: T) -> Result<Session, Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    let carried = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = told(&error), "a database connection ended");
        }
    });
    Ok((client, carried))
}

fn verify_full(ca_file: Option<&Path>) -> Result<MakeRustlsConnect, OpenError> {
    let mut roots = rustls::RootCertStore::empty();
    match ca_file {
        Some(path) => {
            let unusable = |error: String| OpenError::Setting(format!("{}: {error}", path.display()));
            let found = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unusable(error.to_string()))?;
            for certificate in found {
                roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unusable("holds no certificate".to_owned()));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Setting(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// What a server says of itself when it is first reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerState {
    standby: bool,
    synchronous_commit: String,
    fsync: String,
    compares_bytes: bool,
    pub(crate) standby_names: String,
}

impl ServerState {
    pub(crate) async fn of(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let answers = client.simple_query(sql::SERVER_STATE).await?;
        let row = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let text = |column| row.and_then(|row| row.get(column)).unwrap_or_default();
        let holds = |column| text(column).starts_with('t');
        Ok(Self {
            standby: holds(0) || text(1) == "on",
            synchronous_commit: text(2).to_owned(),
            fsync: text(3).to_owned(),
            compares_bytes: holds(4) && text(5).eq_ignore_ascii_case("UTF8"),
            standby_names: text(6).to_owned(),
        })
    }

    /// # Errors
    /// Why this server must not be used.
    pub(crate) fn check(&self, accept_data_loss: bool) -> Result<(), OpenError> {
        if self.standby {
            return Err(OpenError::Standby);
        }
        if !self.compares_bytes {
            return Err(OpenError::Collation);
        }
        match self.data_loss() {
            Some(error) if !accept_data_loss => Err(error),
            _ => Ok(()),
        }
    }

    /// The setting by which a crash would take acknowledged writes with it.
    pub(crate) fn data_loss(&self) -> Option<OpenError> {
        // A server without the setting `fsync` cannot switch it off.
        let settings = [("synchronous_commit", &self.synchronous_commit), ("fsync", &self.fsync)];
        let (setting, found) = settings.into_iter().find(|(_, value)| value.as_str() == "off")?;
        Some(OpenError::NotDurable { setting, found: found.clone() })
    }
}

/// What every session of the pool is told. Read-only: only [`sql::BEGIN_WRITE`] lets writes through.
pub(crate) fn session_settings(statement: Duration) -> String {
    format!(
        "SET default_transaction_read_only = on; SET statement_timeout = {}; SET lock_timeout = {}; \
         SET idle_in_transaction_session_timeout = {}",
        statement.as_millis(),
        LOCK_WAITS.as_millis(),
        statement.as_millis() * 2
    )
}

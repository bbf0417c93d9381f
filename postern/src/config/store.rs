//! Which database: the scheme of its URL says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::{Secret, file};

/// The database.
#[derive(Debug)]
pub enum Store {
    /// One file, embedded.
    Sqlite {
        /// The database file.
        path: PathBuf,
    },
    /// PostgreSQL, or what speaks its protocol, for several nodes.
    Postgres(Postgres),
}

/// How PostgreSQL is reached.
#[derive(Debug)]
pub struct Postgres {
    /// `postgres://user@host:port,host:port/database`, without a password.
    pub url: String,
    /// The password of the URL's user.
    pub password: Option<Secret>,
    /// Whether the way is protected by TLS, with the certificate valid for the host.
    pub tls: bool,
    /// PEM file of the roots that vouch for the server's certificate, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The schema that holds the tables.
    pub schema: Option<String>,
    /// Most connections of this process.
    pub connections: usize,
    /// How long a request waits for a connection.
    pub acquire: Duration,
    /// How long a statement may take.
    pub statement: Duration,
    /// How long a server that somebody waits for may say nothing at all.
    pub silence: Duration,
    /// Whether a server is used that could lose acknowledged writes.
    pub accept_data_loss: bool,
}

impl Store {
    pub(super) fn from_file(file: file::Store) -> Result<Self, (String, String)> {
        let wrong = |setting: &str, problem: &str| Err((format!("store{setting}"), problem.to_owned()));
        match (file.url, file.sqlite, file.postgres) {
            (None, Some(sqlite), None) => Ok(Self::Sqlite { path: sqlite.path }),
            (Some(url), None, settings) => match url.split_once(':') {
                Some(("sqlite", path)) if settings.is_none() && !path.is_empty() => {
                    Ok(Self::Sqlite { path: PathBuf::from(path) })
                }
                Some(("sqlite", _)) => wrong(".url", "must be sqlite: and a path, without [store.postgres]"),
                Some(("postgres" | "postgresql", _)) => postgres(url, settings.unwrap_or_default()),
                _ => wrong(".url", "must begin with postgres:// or sqlite:"),
            },
            (None, None, Some(_)) => {
                wrong(".url", "is missing, such as postgres://postern@db.example.com/postern")
            }
            (Some(_), Some(_), _) | (None, Some(_), Some(_)) => wrong(".sqlite", "excludes url and postgres"),
            (None, None, None) => wrong("", "is missing: give url, or [store.sqlite] with a path"),
        }
    }

    /// The database file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite { path } => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// Where the database is, for people; without a password.
    pub fn place(&self) -> String {
        match self {
            Self::Sqlite { path } => path.display().to_string(),
            Self::Postgres(postgres) => postgres.url.clone(),
        }
    }

    /// The setting to name when the database makes trouble.
    pub fn setting(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "store.sqlite.path",
            Self::Postgres(_) => "store.url",
        }
    }
}

fn postgres(url: String, file: file::Postgres) -> Result<Store, (String, String)> {
    let setting = |name: &str| format!("store.postgres.{name}");
    // Several hosts are no URL in the strict sense; a password is looked for all the same.
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let (user, _) = rest.split_once('@').unwrap_or_default();
    let parsed = Url::parse(&url).ok();
    if user.contains(':') || parsed.is_some_and(|url| url.password().is_some()) || rest.contains("password=")
    {
        return Err((
            "store.url".into(),
            "must not contain a password: use store.postgres.password_file".into(),
        ));
    }
    let password = match (file.password_file, file.password_env) {
        (None, None) => None,
        (path, variable) => Some(
            Secret::from_pair("password", path, variable)
                .map_err(|(name, problem)| (setting(&name), problem))?,
        ),
    };
    let tls = match file.tls.as_deref() {
        None | Some("verify-full") => true,
        Some("off") if file.ca_file.is_none() => false,
        Some("off") => return Err((setting("ca_file"), "is of no use with tls = \"off\"".into())),
        Some(other) => return Err((setting("tls"), format!("\"{other}\" is neither verify-full nor off"))),
    };
    let positive = |name: &str, given: Option<u64>, default: u64| match given.unwrap_or(default) {
        0 => Err((setting(name), "must be at least 1".to_owned())),
        given => Ok(given),
    };
    let connections = positive("connections", file.connections.map(u64::from), 16)?;
    Ok(Store::Postgres(Postgres {
        url,
        password,
        tls,
        ca_file: file.ca_file,
        schema: file.schema,
        connections: usize::try_from(connections).unwrap_or(usize::MAX),
        acquire: Duration::from_millis(positive("acquire_milliseconds", file.acquire_milliseconds, 250)?),
        statement: Duration::from_secs(positive("statement_seconds", file.statement_seconds, 5)?),
        silence: Duration::from_millis(positive("silence_milliseconds", file.silence_milliseconds, 1000)?),
        accept_data_loss: file.accept_data_loss,
    }))
}

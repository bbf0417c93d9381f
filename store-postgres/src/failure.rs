//! What became of a statement that failed, and what may be done about it.

use store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A precondition of the write did not hold.
    Conflict { index: usize },
    /// Lost a race inside the server, which undid everything: may be tried again.
    Again { index: usize, why: String },
    /// The connection is of no use any more. Of a commit: whether it happened is unknown.
    Lost(String),
    /// The server said no, and the connection is as good as before.
    Refused(String),
    /// A row that cannot be.
    Impossible(String),
}

impl Failure {
    /// Of a statement that belongs to the write `index` of a batch.
    pub(crate) fn of(error: &Error, index: usize) -> Self {
        let Some(code) = error.code() else {
            return match error.is_closed() || is_io(error) {
                true => Self::Lost(told(error)),
                false => Self::Refused(told(error)),
            };
        };
        if *code == SqlState::DIVISION_BY_ZERO {
            return Self::Conflict { index };
        }
        let lost_race = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
            // Two events of one identifier; everything else says what to do on conflict.
            SqlState::UNIQUE_VIOLATION,
        ];
        if lost_race.contains(code) {
            return Self::Again { index, why: told(error) };
        }
        // Read-only: a server that was the primary until a moment ago. Classes 08 and 57P: it is going or gone. Whatever
        // is fatal has ended the session, one that hung inside a transaction (25P03) for instance.
        let severity = error.as_db_error().and_then(DbError::parsed_severity);
        let of_no_use = matches!(severity, Some(Severity::Fatal | Severity::Panic))
            || *code == SqlState::READ_ONLY_SQL_TRANSACTION
            || *code == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
            || code.code().starts_with("08")
            || code.code().starts_with("57P");
        if of_no_use { Self::Lost(told(error)) } else { Self::Refused(told(error)) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error, 0)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            // Whoever lost a race again and again loads and decides anew, like any other loser.
            Failure::Conflict { index } | Failure::Again { index, .. } => Self::Conflict { index },
            Failure::Lost(why) | Failure::Refused(why) => Self::Unavailable(why),
            Failure::Impossible(what) => Self::Impossible(what),
        }
    }
}

fn is_io(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

/// The message without values: what the server says in `detail` could be a person's data.
pub(crate) fn told(error: &Error) -> String {
    match error.as_db_error() {
        Some(told) => format!("{} ({})", told.message(), told.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    /// What becomes of a statement that a server answers with this severity and code, while it keeps the line open.
    async fn answered(severity: &str, code: &str) -> Failure {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = format!("S{severity}\0V{severity}\0C{code}\0Mno\0\0");
        let _server = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut sent = [0; 1024];
            assert!(client.read(&mut sent).await.unwrap() > 0, "it introduces itself");
            let ready = message(b'Z', b"I");
            client.write_all(&[message(b'R', &[0; 4]), ready.clone()].concat()).await.unwrap();
            assert!(client.read(&mut sent).await.unwrap() > 0, "it asks");
            client.write_all(&[message(b'E', error.as_bytes()), ready].concat()).await.unwrap();
            let _until_it_goes = client.read(&mut sent).await;
        });
        let url = format!("postgres://u@127.0.0.1:{port}/db?sslmode=disable");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let _carried = tokio::spawn(connection);
        Failure::from(client.batch_execute("SELECT 1").await.unwrap_err())
    }

    /// E3: a session that the server has ended serves nobody else.
    #[tokio::test]
    async fn e_03_what_is_fatal_ends_the_session() {
        for code in ["25P03", "57P05", "XX000"] {
            let failure = answered("FATAL", code).await;
            assert!(matches!(failure, Failure::Lost(_)), "{code}: {failure:?}");
        }
        for code in ["42601", "57014", "XX000"] {
            let failure = answered("ERROR", code).await;
            assert!(matches!(failure, Failure::Refused(_)), "{code}: {failure:?}");
        }
    }
}

//! What became of a statement that failed, and what may be done about it.

use store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

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
        // Read-only: a server that was the primary until a moment ago. Classes 08 and 57P: it is going or gone.
        let of_no_use = *code == SqlState::READ_ONLY_SQL_TRANSACTION
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

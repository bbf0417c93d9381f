//! What the engine answers when it cannot do what was asked.

use protocol::error::{Reason, Refusal};
use store::StoreError;

/// A failure of administration or of the engine itself.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A precondition did not hold: somebody else changed it.
    #[error("changed meanwhile")]
    Conflict { index: usize },
    /// Something that counts once was seen before.
    #[error("replayed: {0:?}")]
    Replayed(Reason),
    /// The client's metadata document cannot be used: not a failure of ours.
    #[error("client metadata document: {0}")]
    ClientDocument(Refusal),
    /// The client has no key that one could encrypt to: not a failure of ours.
    #[error("client encryption key: {0}")]
    ClientKey(Refusal),
    /// More passwords wait to be checked than may.
    #[error("too many passwords to check")]
    PasswordsBusy,
    #[error("not found")]
    NotFound,
    #[error("store unavailable: {0}")]
    Unavailable(String),
    #[error("{0}")]
    Internal(String),
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { index } => Self::Conflict { index },
            StoreError::Unavailable(why) => Self::Unavailable(why),
            StoreError::Impossible(what) => Self::Internal(what),
        }
    }
}

impl From<protocol::record::ImpossibleRow> for EngineError {
    fn from(row: protocol::record::ImpossibleRow) -> Self {
        Self::Internal(row.to_string())
    }
}

impl From<jose::Error> for EngineError {
    fn from(error: jose::Error) -> Self {
        Self::Internal(format!("cryptography: {error}"))
    }
}

impl From<EngineError> for Refusal {
    /// Failures of ours become `temporarily_unavailable` or `server_error`; what happened goes to the log.
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Conflict { .. } => Refusal::new(Reason::ConcurrentChange),
            EngineError::Unavailable(why) => {
                tracing::error!(%why, "store unavailable");
                Refusal::new(Reason::StoreUnavailable)
            }
            EngineError::Replayed(reason) => reason.into(),
            EngineError::PasswordsBusy => Reason::PasswordsBusy.into(),
            EngineError::ClientDocument(refusal) | EngineError::ClientKey(refusal) => refusal,
            EngineError::NotFound | EngineError::Internal(_) => {
                tracing::error!(%error, "internal error");
                Refusal::new(Reason::Internal)
            }
        }
    }
}

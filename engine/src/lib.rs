//! The desk: loads the facts, asks the rules, signs, commits, and only then answers.

pub mod fetch;
pub mod idempotency;

mod derive {
    use protocol::decision::Derive;
    use zeroize::Zeroizing;

    /// Derives keys and handles for one workspace, or for the whole server.
    pub struct Deriver(Zeroizing<[u8; 32]>);

    impl Deriver {
        pub fn new(master: &[u8; 32], purpose: &str) -> Self {
            Self(Zeroizing::new(jose::hmac_sha256(master, purpose.as_bytes())))
        }

        /// A key for one more purpose below this one.
        pub fn key(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
            Zeroizing::new(jose::hmac_sha256(self.0.as_slice(), purpose.as_bytes()))
        }
    }

    impl Derive for Deriver {
        fn derive(&self, label: &str, input: &str) -> [u8; 32] {
            // The length in front keeps ("ab", "c") apart from ("a", "bc").
            let mut message = Vec::with_capacity(label.len() + input.len() + 9);
            message.extend_from_slice(&(label.len() as u64).to_be_bytes());
            message.extend_from_slice(label.as_bytes());
            message.extend_from_slice(input.as_bytes());
            jose::hmac_sha256(self.0.as_slice(), &message)
        }
    }
}

mod error {
    use protocol::error::{Reason, Refusal};
    use store::StoreError;

    /// A failure of administration or of the engine itself.
    #[derive(Debug, thiserror::Error)]
    pub enum EngineError {
        /// A precondition did not hold: somebody else changed it.
        #[error("changed meanwhile")]
        Conflict { index: usize },
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
                EngineError::NotFound | EngineError::Internal(_) => {
                    tracing::error!(%error, "internal error");
                    Refusal::new(Reason::Internal)
                }
            }
        }
    }
}

pub use error::EngineError;

use protocol::time::Timestamp;
use std::sync::Arc;
use store::Store;

/// The use-cases of Postern.
pub struct Engine {
    store: Arc<dyn Store>,
    master: derive::Deriver,
    now: fn() -> Timestamp,
}

impl Engine {
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }
}

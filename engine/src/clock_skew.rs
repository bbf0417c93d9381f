//! This node's clock against the store's, which all nodes share (E10).
//!
//! Whether a refresh token's second use is a retry is judged by times that one node wrote and another one reads; nodes
//! that are apart by more than the skew that is allowed (10 s) would take a retry for a replay, or the other way round.
//! So each node looks how far it is from the store, and says so before that.

use crate::{Engine, EngineError};
use std::time::Duration;

/// Further apart deserves a word in the log.
pub const TOLERATED_SKEW: Duration = Duration::from_secs(1);

/// How far the clock of this node is ahead of the store's, in milliseconds, as far as the way there lets one know.
fn ahead(before: i64, store: i64, after: i64) -> i64 {
    // The store looked at its clock some time between: whatever lies between explains itself.
    match store {
        _ if store < before => before.saturating_sub(store),
        _ if store > after => after.saturating_sub(store),
        _ => 0,
    }
}

impl Engine {
    /// Compares the clocks, keeps the difference for `/metrics`, and logs it when it is more than [`TOLERATED_SKEW`].
    /// Answers by how many milliseconds this node is ahead; `None` when the store has no clock of its own.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn compare_clocks(&self) -> Result<Option<i64>, EngineError> {
        let before = self.now().millis();
        let Some(store) = self.store.clock().await? else { return Ok(None) };
        let ahead = ahead(before, store.millis(), self.now().millis());
        self.measures.skewed(ahead);
        if u128::from(ahead.unsigned_abs()) > TOLERATED_SKEW.as_millis() {
            tracing::warn!(
                ahead_milliseconds = ahead,
                "this node's clock differs from the database's: keep both set, with NTP; from 10 s on retries of \
                 clients are taken for replays"
            );
        }
        Ok(Some(ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_way_explains_is_no_skew() {
        assert_eq!([ahead(100, 100, 140), ahead(100, 125, 140), ahead(100, 140, 140)], [0, 0, 0]);
        assert_eq!(ahead(2_100, 100, 2_140), 2_000);
        assert_eq!(ahead(100, 2_140, 140), -2_000);
    }
}

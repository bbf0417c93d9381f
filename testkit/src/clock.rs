//! Time that stands still until a test turns it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use engine::Clock;
use protocol::time::Timestamp;

/// A clock turned by hand. It starts on 1 March 2026 at noon, UTC.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_772_366_400_000))
    }
}

impl ManualClock {
    /// Lets `duration` pass at once.
    pub fn advance(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).expect("a duration of this age");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

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
    /// A clock that shows so many milliseconds since the Unix epoch.
    pub fn at(millis: i64) -> Self {
        Self(AtomicI64::new(millis))
    }

    /// Sets it, also back.
    pub fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }

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

//! How long something takes, and what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The machine's time, since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "a client of its own, with the machine's clock")]
#[must_use]
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A moment from which time is measured.
#[derive(Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[expect(clippy::disallowed_methods, reason = "a benchmark is about the machine's clock")]
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

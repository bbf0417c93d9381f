//! The one place of this crate that looks at the clock.

use std::time::{Duration, Instant};

/// Measures how long something takes.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a command reports how long its steps took")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits a little before something is tried again.
#[expect(
    clippy::disallowed_methods,
    reason = "a command waits for a server to start; no request waits for it"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

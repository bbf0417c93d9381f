//! What happened: latencies and errors.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

/// Counts one run.
#[derive(Default)]
pub(crate) struct Tally {
    latencies: Vec<u32>,
    errors: u64,
    first_error: Option<String>,
}

impl Tally {
    /// Counts one operation.
    pub(crate) fn add(&mut self, latency: Duration, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.latencies.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX)),
            Err(error) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| format!("{error:#}").chars().take(300).collect());
            }
        }
    }

    /// How many operations succeeded.
    pub(crate) fn operations(&self) -> usize {
        self.latencies.len()
    }

    /// The figures, for a run of `seconds`; latencies in microseconds.
    pub(crate) fn report(&mut self, seconds: f64) -> Value {
        self.latencies.sort_unstable();
        let rank = |share: usize| {
            self.latencies
                .get((self.latencies.len() * share / 1000).min(self.latencies.len().saturating_sub(1)))
        };
        let mut report = json!({
            "ops_per_s": (self.latencies.len() as f64 / seconds).round(),
            "p50_us": rank(500),
            "p99_us": rank(990),
            "max_us": self.latencies.last(),
            "errors": self.errors,
        });
        if let (Some(error), Some(members)) = (&self.first_error, report.as_object_mut()) {
            members.insert("first_error".into(), json!(error));
        }
        report
    }
}

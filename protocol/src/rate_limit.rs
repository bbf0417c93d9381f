//! Rate limits: how many requests of one family of endpoints are taken in a time (contract: `rate-limits`; RFC 6585 §4).
//!
//! The rule is the generic cell rate algorithm (ITU-T I.371): one number for each thing that is limited, no window at
//! whose edge twice as much would pass, and the wait that is told is the true one.

use crate::duration::Span;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A family of endpoints that is limited as one (contract: `module`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Module {
    /// What programs call in a workspace: tokens, introspection, registration, userinfo and the like.
    Oauth2,
    /// What browsers walk through in a workspace: authorization, login, consent, logout.
    Login,
    /// The tenant's management API.
    Admin,
}

impl Module {
    /// Every module. Documents that are published (discovery, key sets) and health are never limited.
    pub const ALL: &'static [Self] = &[Self::Oauth2, Self::Login, Self::Admin];

    /// The name in paths, configuration and store. Never changes once released.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oauth2 => "oauth2",
            Self::Login => "login",
            Self::Admin => "admin",
        }
    }

    /// The module of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|module| module.name() == name)
    }
}

/// `rate` requests in each `period` on average, and `burst` of them at once after a rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(from = "Written")]
#[schema(as = RateLimitModel)]
pub struct RateLimit {
    /// Requests in a period: 1 to 1000000.
    pub rate: u32,
    /// `1ms` to `1h0m0s`; `1s` when absent.
    #[schema(value_type = String)]
    pub period: Span,
    /// Requests at once, 1 to 1000000; `rate` when absent.
    pub burst: u32,
}

/// As it is sent: the contract requires none of the members.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    rate: u32,
    period: Option<Span>,
    burst: Option<u32>,
}

impl From<Written> for RateLimit {
    fn from(written: Written) -> Self {
        Self::new(written.rate, written.period, written.burst)
    }
}

const MOST: u32 = 1_000_000;
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(3600);

impl RateLimit {
    /// A limit; what is left out is a second, and the rate.
    pub fn new(rate: u32, period: Option<Span>, burst: Option<u32>) -> Self {
        Self { rate, period: period.unwrap_or(Span::seconds(1)), burst: burst.unwrap_or(rate) }
    }

    /// The members that are not as they should be: name, value, and what is expected.
    pub fn problems(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, member, value: String, expected| {
            if !holds {
                problems.push((member, value, expected));
            }
        };
        require((1..=MOST).contains(&self.rate), "rate", self.rate.to_string(), "1 to 1000000");
        let legible = Span::parse(&self.period.to_string()) == Some(self.period);
        let period = legible && (SHORTEST..=LONGEST).contains(&self.period.0);
        let expected = "1ms to 1h0m0s, in whole seconds from one second on";
        require(period, "period", format!("{:?}", self.period.0), expected);
        // The clock counts milliseconds: with less, requests of one millisecond would be refused that the rate allows.
        let enough = u128::from(self.burst) * self.period.0.as_millis() >= u128::from(self.rate);
        let expected = "1 to 1000000, and at least as many as the rate allows in a millisecond";
        let burst = (1..=MOST).contains(&self.burst) && enough;
        require(burst, "burst", self.burst.to_string(), expected);
        problems
    }

    /// Takes one request at `now`. `due` is when the requests so far would have come at the exact rate; the answer is
    /// that of the next, in nanoseconds since the epoch.
    ///
    /// # Errors
    /// How long to wait until one is taken.
    pub fn take(&self, due: i64, now: Timestamp) -> Result<i64, Duration> {
        let now = now.millis().saturating_mul(1_000_000);
        let step = nanos(self.period.0) / i64::from(self.rate.max(1));
        let ahead = step.saturating_mul(i64::from(self.burst.max(1)) - 1);
        let full = now.saturating_add(ahead);
        // Later than this limit can have brought it: the clock went back, or another limit held before. Nobody is locked
        // out for the difference: one passes, and the count begins anew.
        let due = if due > full.saturating_add(step) { full } else { due.max(now) };
        let early = due.saturating_sub(full);
        if early > 0 {
            return Err(Duration::from_nanos(early.unsigned_abs()));
        }
        Ok(due.saturating_add(step))
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// What `Retry-After` says of a wait: whole seconds, never too few (RFC 9110 §10.2.3).
pub fn retry_after(wait: Duration) -> u32 {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { rate: 4, period: Span::seconds(2), burst: 3 };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + millis)
    }

    /// Whether each of the moments was taken, and the wait of the last.
    fn run(limit: RateLimit, moments: &[i64]) -> (Vec<bool>, Duration) {
        let (mut due, mut wait) = (0, Duration::ZERO);
        let taken = moments.iter().map(|moment| match limit.take(due, at(*moment)) {
            Ok(next) => {
                (due, wait) = (next, Duration::ZERO);
                true
            }
            Err(longer) => {
                wait = longer;
                false
            }
        });
        (taken.collect(), wait)
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        assert_eq!(run(LIMIT, &[0, 0, 0, 0]), (vec![true, true, true, false], Duration::from_millis(500)));
        assert_eq!(run(LIMIT, &[0, 0, 0, 499]).1, Duration::from_millis(1));
        assert_eq!(run(LIMIT, &[0, 0, 0, 500, 500]).0, [true, true, true, true, false]);
        assert_eq!(run(LIMIT, &[0, 0, 0, 5000, 5000, 5000, 5000]).0[3..], [true, true, true, false]);
    }

    #[test]
    fn the_wait_that_is_told_is_enough_and_none_of_it_too_much() {
        for (rate, burst) in [(1, 1), (3, 1), (7, 5), (1000, 1)] {
            let limit = RateLimit { rate, period: Span::seconds(1), burst };
            let mut due = 0;
            for moment in 0..2000 {
                match limit.take(due, at(moment)) {
                    Ok(next) => due = next,
                    Err(wait) => {
                        let end = moment + i64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap();
                        assert!(limit.take(due, at(end)).is_ok(), "{limit:?} at {moment}: {wait:?}");
                        assert!(limit.take(due, at(end - 1)).is_err(), "{limit:?} at {moment}: {wait:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn over_any_time_no_more_pass_than_rate_and_burst_allow() {
        for (rate, burst) in [(1, 1), (10, 3), (999, 20)] {
            let limit = RateLimit { rate, period: Span::seconds(1), burst };
            let moments: Vec<i64> = (0..30_000).map(|n| n / 3).collect();
            let taken = run(limit, &moments).0.iter().filter(|taken| **taken).count();
            let most = 10 * rate as usize + burst as usize;
            assert!(taken <= most && taken + 1 >= most, "{limit:?}: {taken} of {most}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out() {
        let taken = run(LIMIT, &[0, 0, 0, -86_400_000, -86_400_000, -86_399_500]);
        assert_eq!(taken, (vec![true, true, true, true, false, true], Duration::ZERO));
    }

    #[test]
    fn what_was_taken_under_a_slower_limit_does_not_count_against_a_faster_one() {
        let slow = RateLimit { rate: 1, period: Span::minutes(1), burst: 1 };
        let due = slow.take(0, at(0)).unwrap();
        assert!(slow.take(due, at(1)).is_err());
        let due = LIMIT.take(due, at(1)).unwrap();
        assert_eq!(LIMIT.take(due, at(1)), Err(Duration::from_millis(500)));
    }

    #[test]
    fn absent_members_have_defaults_and_what_is_read_is_written_again() {
        let limit: RateLimit = serde_json::from_str(r#"{"rate":5}"#).unwrap();
        assert_eq!(limit, RateLimit { rate: 5, period: Span::seconds(1), burst: 5 });
        assert_eq!(serde_json::to_string(&limit).unwrap(), r#"{"rate":5,"period":"1s","burst":5}"#);
        assert!(limit.problems().is_empty());
    }

    #[test]
    fn values_out_of_range_are_named() {
        let named = |text: &str| -> Vec<&str> {
            let limit: RateLimit = serde_json::from_str(text).unwrap();
            limit.problems().iter().map(|problem| problem.0).collect()
        };
        assert_eq!(named("{}"), ["rate", "burst"]);
        assert_eq!(named(r#"{"rate":1000001}"#), ["rate", "burst"]);
        assert_eq!(named(r#"{"rate":1,"period":"2h"}"#), ["period"]);
        assert_eq!(named(r#"{"rate":1,"period":"0s"}"#), ["period", "burst"]);
        assert_eq!(named(r#"{"rate":1,"period":"1.5s"}"#), ["period"]);
        assert_eq!(named(r#"{"rate":1,"period":"500ms"}"#), [""; 0]);
        assert_eq!(named(r#"{"rate":5000,"burst":4}"#), ["burst"]);
        assert_eq!(named(r#"{"rate":5000,"burst":5}"#), [""; 0]);
        assert_eq!(named(r#"{"rate":1,"burst":0}"#), ["burst"]);
    }

    #[test]
    fn rfc9110_10_2_3_seconds_are_whole_and_never_too_few() {
        for (millis, seconds) in [(1, 1), (1000, 1), (1001, 2), (59_001, 60)] {
            assert_eq!(retry_after(Duration::from_millis(millis)), seconds);
        }
    }
}

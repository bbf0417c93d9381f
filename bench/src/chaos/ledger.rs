//! What was tried and what came of it, and the invariants that must hold over all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use bench::connection::Reply;
use bench::stopwatch::{Stopwatch, now};
use serde::Serialize;

/// Violations that are shown; more of the same tell nothing new.
const SHOWN: usize = 20;

/// What somebody tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(crate) enum Act {
    /// A code, by its client with the right proof.
    Redeem,
    /// A refresh token, by a client that behaves: first use, or a retry before the successor was used.
    Refresh,
    /// Something that was used up, ended or revoked: it must not work.
    Reuse,
    /// Somebody logged in and was given a code.
    LogIn,
    /// A refresh token, by its client: its family is over.
    Revoke,
    /// Whether something that was handed out is still good.
    Look,
    /// Whether something that was ended is still good: it must not be.
    LookAtEnded,
    /// Anything else.
    Other,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) enum Outcome {
    /// Done, with what was got.
    Ok(String),
    /// A definite no.
    Refused(String),
    /// 503 or 429 with `Retry-After`: not now, and for a write perhaps done all the same.
    Unavailable,
    /// The connection broke or nothing came in time: nobody knows.
    Lost(String),
    /// What must never be answered: 500, 502, or 503 that does not say when.
    Wrong(String),
}

impl Outcome {
    /// Reads an answer; `got` is what a success brought.
    pub(crate) fn of(reply: &Result<Reply>, got: impl FnOnce(&Reply) -> String) -> Self {
        match reply {
            Err(error) => Self::Lost(format!("{error:#}")),
            Ok(reply) if reply.status < 400 => Self::Ok(got(reply)),
            Ok(reply) if matches!(reply.status, 429 | 503) && reply.header("retry-after").is_some() => {
                Self::Unavailable
            }
            Ok(reply) if reply.status >= 500 => Self::Wrong(format!("{} {}", reply.status, reply.text())),
            Ok(reply) => Self::Refused(format!("{} {}", reply.status, reply.text())),
        }
    }

    /// Whether it may have happened, or not.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unavailable | Self::Lost(_))
    }
}

#[derive(Serialize)]
struct Entry {
    /// Since the beginning.
    milliseconds: u128,
    /// When it was known, since the Unix epoch.
    #[serde(skip)]
    at: Duration,
    act: Act,
    key: String,
    outcome: Outcome,
}

/// Something that was done and answered.
#[derive(Clone)]
pub(crate) struct Acknowledged {
    /// When the answer had arrived, since the Unix epoch.
    pub at: Duration,
    pub act: Act,
    pub key: String,
    pub got: String,
}

/// All that was tried in one experiment.
pub(crate) struct Ledger {
    watch: Stopwatch,
    entries: Mutex<Vec<Entry>>,
}

/// Numbers for the report.
#[derive(Default)]
pub(crate) struct Tally {
    pub tried: usize,
    pub done: usize,
    pub unknown: usize,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { watch: Stopwatch::start(), entries: Mutex::default() }
    }

    pub(crate) fn note(&self, act: Act, key: &str, outcome: Outcome) {
        let milliseconds = self.watch.elapsed().as_millis();
        let entry = Entry { milliseconds, at: now(), act, key: key.to_owned(), outcome };
        self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(entry);
    }

    /// How often something was tried, done, and left unknown.
    pub(crate) fn tally(&self, act: Act) -> Tally {
        let entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut tally = Tally::default();
        for entry in entries.iter().filter(|entry| entry.act == act) {
            tally.tried += 1;
            tally.done += usize::from(matches!(entry.outcome, Outcome::Ok(_)));
            tally.unknown += usize::from(entry.outcome.is_unknown());
        }
        tally
    }

    /// What was done and answered, in the order of the answers.
    pub(crate) fn acknowledged(&self) -> Vec<Acknowledged> {
        let entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let done = entries.iter().filter_map(|Entry { at, act, key, outcome, .. }| match outcome {
            Outcome::Ok(got) => Some(Acknowledged { at: *at, act: *act, key: key.clone(), got: got.clone() }),
            _ => None,
        });
        done.collect()
    }

    /// One JSON line for each act.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut text = String::new();
        for entry in entries.iter() {
            writeln!(text, "{}", serde_json::to_string(entry)?)?;
        }
        Ok(std::fs::write(file, text)?)
    }

    /// What must not be; nothing, if all is well.
    pub(crate) fn violations(&self) -> Vec<String> {
        let entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut found = Vec::new();
        let mut successes: BTreeMap<(Act, &str), Vec<&str>> = BTreeMap::new();
        for Entry { act, key, outcome, .. } in entries.iter() {
            match (act, outcome) {
                (_, Outcome::Wrong(answer)) => found.push(format!("{act:?} was answered {answer}")),
                (Act::Refresh, Outcome::Refused(answer)) => {
                    found.push(format!("a client that behaves was sent away: {answer}"));
                }
                (Act::Look, Outcome::Refused(answer)) => {
                    found.push(format!("an acknowledged write is lost: {answer}"));
                }
                (Act::Reuse, Outcome::Ok(_)) => found.push(format!("used up, and worked again: {key}")),
                (Act::LookAtEnded, Outcome::Ok(_)) => found.push(format!("ended, and alive again: {key}")),
                (Act::Redeem | Act::Refresh, Outcome::Ok(got)) => {
                    successes.entry((*act, key)).or_default().push(got);
                }
                _ => {}
            }
        }
        for ((act, key), got) in successes {
            if act == Act::Redeem && got.len() > 1 {
                found.push(format!("a code was redeemed {} times: {key}", got.len()));
            }
            let distinct: BTreeSet<_> = got.iter().collect();
            if act == Act::Refresh && distinct.len() > 1 {
                found.push(format!("a family forked: {} successors of {key}", distinct.len()));
            }
        }
        let more = found.len().saturating_sub(SHOWN);
        found.truncate(SHOWN);
        if more > 0 {
            found.push(format!("and {more} more"));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(value: &str) -> Outcome {
        Outcome::Ok(value.to_owned())
    }

    fn violations(entries: &[(Act, &str, Outcome)]) -> Vec<String> {
        let ledger = Ledger::new();
        for (act, key, outcome) in entries {
            ledger.note(*act, key, outcome.clone());
        }
        ledger.violations()
    }

    #[test]
    fn retries_refusals_and_losses_are_no_violation() {
        let no = Outcome::Refused("400".into());
        let lost = Outcome::Lost("reset".into());
        let good = [
            (Act::Redeem, "code", ok("a")),
            (Act::Redeem, "code", no.clone()),
            (Act::Refresh, "one", lost),
            (Act::Refresh, "one", Outcome::Unavailable),
            (Act::Refresh, "one", ok("two")),
            (Act::Refresh, "one", ok("two")),
            (Act::Reuse, "code", no.clone()),
            (Act::LookAtEnded, "a", no),
        ];
        assert_eq!(violations(&good), Vec::<String>::new());
    }

    #[test]
    fn each_violation_is_seen() {
        let no = || Outcome::Refused("400".into());
        let bad = [
            vec![(Act::Redeem, "code", ok("a")), (Act::Redeem, "code", ok("b"))],
            vec![(Act::Refresh, "one", ok("two")), (Act::Refresh, "one", ok("three"))],
            vec![(Act::Refresh, "one", no())],
            vec![(Act::Look, "token", no())],
            vec![(Act::Reuse, "code", ok("again"))],
            vec![(Act::LookAtEnded, "token", ok("alive"))],
            vec![(Act::Other, "GET /", Outcome::Wrong("500".into()))],
        ];
        for entries in bad {
            assert_eq!(violations(&entries).len(), 1, "{entries:?}");
        }
    }
}

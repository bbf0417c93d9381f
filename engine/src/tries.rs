//! Tries in flight: they stand in line at each counter that counts them, so that guessing in parallel gains nothing
//! (attack W-17).
//!
//! Per node and in memory: a line per counter with a try in flight, and so no more of them than requests.

use protocol::id::TenantId;
use protocol::record::HandleHash;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The lines of this node.
#[derive(Default)]
pub(crate) struct Tries(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    next: u64,
    lines: HashMap<(TenantId, HandleHash), Line>,
}

#[derive(Default)]
struct Line {
    /// The numbers of those that stand in it.
    tries: BTreeSet<u64>,
    /// Told when one has left.
    left: Arc<Notify>,
    /// Held by the one who writes the counter.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The places of one try in its lines, until it is dropped: to be kept until the try is counted.
pub(crate) struct Places {
    tries: Arc<Mutex<Lines>>,
    number: u64,
    lines: Vec<Standing>,
}

struct Standing {
    key: (TenantId, HandleHash),
    left: Arc<Notify>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Tries {
    /// Takes a place at the end of every line at once, so that no two wait for each other.
    pub(crate) fn enter(&self, tenant: &TenantId, counters: impl Iterator<Item = HandleHash>) -> Places {
        let mut all = lock(&self.0);
        let number = all.next;
        all.next = number.wrapping_add(1);
        let stand = |counter| {
            let key = (tenant.clone(), counter);
            let line = all.lines.entry(key.clone()).or_default();
            line.tries.insert(number);
            Standing { key, left: Arc::clone(&line.left), turn: Arc::clone(&line.turn) }
        };
        let lines = counters.map(stand).collect();
        Places { tries: Arc::clone(&self.0), number, lines }
    }
}

impl Places {
    /// How many stand before it in each line. To be asked before the counters are loaded: whoever has left is counted.
    pub(crate) fn ahead(&self) -> Vec<u32> {
        let all = lock(&self.tries);
        let ahead = |standing: &Standing| {
            let line = all.lines.get(&standing.key);
            let before = line.map_or(0, |line| line.tries.range(..self.number).count());
            u32::try_from(before).unwrap_or(u32::MAX)
        };
        self.lines.iter().map(ahead).collect()
    }

    /// Waits until in that line no more than `enough` stand before it.
    pub(crate) async fn advance(&self, line: usize, enough: u32) {
        let Some(standing) = self.lines.get(line) else { return };
        loop {
            let mut left = std::pin::pin!(standing.left.notified());
            left.as_mut().enable();
            if self.ahead().get(line).is_none_or(|ahead| *ahead <= enough) {
                return;
            }
            left.await;
        }
    }

    /// What the one who writes the counters holds meanwhile: those of one node would only make each other write again.
    pub(crate) fn turn(&self) -> Option<Arc<tokio::sync::Mutex<()>>> {
        self.lines.last().map(|standing| Arc::clone(&standing.turn))
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        let mut all = lock(&self.tries);
        for standing in &self.lines {
            let Some(line) = all.lines.get_mut(&standing.key) else { continue };
            line.tries.remove(&self.number);
            if line.tries.is_empty() {
                all.lines.remove(&standing.key);
            }
            standing.left.notify_waiters();
        }
    }
}

fn lock(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn w_17_who_came_first_stands_first_until_it_has_gone() {
        let (tries, tenant) = (Tries::default(), TenantId::new("t"));
        let (account, source) = (HandleHash([1; 32]), HandleHash([2; 32]));
        let first = tries.enter(&tenant, [account, source].into_iter());
        let second = tries.enter(&tenant, [account, source].into_iter());
        let third = tries.enter(&tenant, [source].into_iter());
        assert_eq!([first.ahead(), second.ahead(), third.ahead()], [vec![0, 0], vec![1, 1], vec![2]]);
        let elsewhere = tries.enter(&TenantId::new("other"), [source].into_iter());
        assert_eq!(elsewhere.ahead(), [0], "another tenant's");
        let (_, ()) = tokio::join!(third.advance(0, 1), async { drop(first) });
        assert_eq!([second.ahead(), third.ahead()], [vec![0, 0], vec![1]]);
        drop((second, third, elsewhere));
        assert!(lock(&tries.0).lines.is_empty(), "nothing is kept");
    }
}

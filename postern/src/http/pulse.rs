//! The pulse of each connection, and the sweep that ends those which hold a place without using it.
//!
//! One task looks at all connections twice a second, instead of one timer each. While few places are
//! free it becomes strict: then somebody who opens thousands of slow connections (HTP-13) loses them
//! faster than he can open new ones, and those who send requests never notice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::limits::Limits;

const SWEEP: Duration = Duration::from_millis(500);

/// What is known about one connection. Times are milliseconds since the gate opened; 0 is "not now".
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Requests from the end of their head to their answer.
    open: AtomicU32,
    /// Those of them that are with a handler.
    busy: AtomicU32,
    /// When the oldest open request began, or any body since was complete.
    progress_at: AtomicU64,
    /// When the connection was accepted or finished its last request.
    quiet_since: AtomicU64,
    /// When the first byte of an unfinished request head arrived (HTTP/1 only).
    head_since: AtomicU64,
    /// When a write began to wait for the client.
    stalled_since: AtomicU64,
    /// The TLS handshake is done.
    secured: AtomicBool,
    /// At least one request was received.
    served: AtomicBool,
    /// HTTP/1: bytes that arrive while no request is being answered begin a request.
    one_at_a_time: AtomicBool,
    /// The client may still be sending what nobody will read.
    unread: AtomicBool,
    /// Rung by the sweep.
    pub(super) cut: Notify,
}

/// How long each state may last, in milliseconds.
struct Patience {
    handshake: u64,
    head: u64,
    body: u64,
    idle: u64,
    stall: u64,
}

impl Pulse {
    fn verdict(&self, now: u64, patience: &Patience) -> bool {
        let over = |since: u64, limit: u64| now.saturating_sub(since) > limit;
        let stalled = self.stalled_since.load(Relaxed);
        if stalled != 0 && over(stalled, patience.stall) {
            return true;
        }
        if self.busy.load(Relaxed) > 0 {
            return false;
        }
        if self.open.load(Relaxed) > 0 {
            return over(self.progress_at.load(Relaxed), patience.body);
        }
        let quiet = self.quiet_since.load(Relaxed);
        if !self.secured.load(Relaxed) {
            return over(quiet, patience.handshake);
        }
        let head = self.head_since.load(Relaxed);
        if head != 0 {
            return over(head, patience.head);
        }
        let limit = if self.served.load(Relaxed) { patience.idle } else { patience.head };
        over(quiet, limit)
    }

    /// The handshake is over and the protocol known.
    pub(super) fn secured(&self, now: u64, one_at_a_time: bool) {
        self.quiet_since.store(now, Relaxed);
        self.one_at_a_time.store(one_at_a_time, Relaxed);
        self.secured.store(true, Relaxed);
    }

    /// Bytes came in.
    pub(super) fn read(&self, now: impl FnOnce() -> u64) {
        if self.one_at_a_time.load(Relaxed)
            && self.open.load(Relaxed) == 0
            && self.head_since.load(Relaxed) == 0
        {
            self.head_since.store(now(), Relaxed);
        }
    }

    /// A write waits for the client (`true`) or went through.
    pub(super) fn write(&self, waits: bool, now: impl FnOnce() -> u64) {
        let stalled = self.stalled_since.load(Relaxed);
        if waits && stalled == 0 {
            self.stalled_since.store(now(), Relaxed);
        } else if !waits && stalled != 0 {
            self.stalled_since.store(0, Relaxed);
        }
    }

    /// A request head is complete. The returned guard ends the request.
    pub(super) fn begin(self: &Arc<Self>, monitor: &Arc<Monitor>) -> Beat {
        if self.open.fetch_add(1, Relaxed) == 0 {
            self.progress_at.store(monitor.now(), Relaxed);
        }
        self.head_since.store(0, Relaxed);
        self.served.store(true, Relaxed);
        Beat { pulse: Arc::clone(self), monitor: Arc::clone(monitor), busy: false }
    }

    /// Whether closing at once could make the client lose an answer that is on its way to it.
    pub(super) fn may_still_send(&self) -> bool {
        self.unread.load(Relaxed) || self.head_since.load(Relaxed) != 0
    }
}

/// One request on a connection; ends when dropped.
pub(super) struct Beat {
    pulse: Arc<Pulse>,
    monitor: Arc<Monitor>,
    busy: bool,
}

impl Beat {
    /// The body is complete and the request goes to its handler, who may take his time.
    pub(super) fn handling(&mut self) {
        self.pulse.progress_at.store(self.monitor.now(), Relaxed);
        self.pulse.busy.fetch_add(1, Relaxed);
        self.busy = true;
    }

    /// The answer leaves although the request was not read to its end.
    pub(super) fn leave_unread(&self) {
        self.pulse.unread.store(true, Relaxed);
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.pulse.quiet_since.store(self.monitor.now(), Relaxed);
        if self.busy {
            self.pulse.busy.fetch_sub(1, Relaxed);
        }
        self.pulse.open.fetch_sub(1, Relaxed);
    }
}

/// All open connections.
#[derive(Debug)]
pub(super) struct Monitor {
    opened: Instant,
    pulses: Mutex<HashMap<u64, Arc<Pulse>>>,
    next: AtomicU64,
}

/// A connection's entry in the monitor; removed when dropped.
pub(super) struct Watched {
    id: u64,
    pub(super) pulse: Arc<Pulse>,
    monitor: Arc<Monitor>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.monitor.pulses.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Monitor {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { opened: Instant::now(), pulses: Mutex::default(), next: AtomicU64::new(0) })
    }

    /// Milliseconds since the gate opened, never 0.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    pub(super) fn watch(self: &Arc<Self>) -> Watched {
        let pulse = Arc::new(Pulse::default());
        pulse.quiet_since.store(self.now(), Relaxed);
        let id = self.next.fetch_add(1, Relaxed);
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&pulse));
        Watched { id, pulse, monitor: Arc::clone(self) }
    }

    /// Rings every connection that is over its limit, again and again until it is gone. Never returns.
    /// While `stopping`, nobody without a request is waited for.
    pub(super) async fn sweep(&self, limits: &Limits, stopping: bool) {
        let mut ticks = tokio::time::interval(SWEEP);
        loop {
            ticks.tick().await;
            let pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
            let patience = match stopping {
                true => Patience::of(limits, usize::MAX),
                false => Patience::of(limits, pulses.len()),
            };
            let now = self.now();
            for pulse in pulses.values().filter(|pulse| pulse.verdict(now, &patience)) {
                pulse.cut.notify_one();
            }
        }
    }
}

impl Patience {
    fn of(limits: &Limits, open: usize) -> Self {
        let milliseconds = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let calm = Self {
            handshake: milliseconds(limits.handshake),
            head: milliseconds(limits.head),
            // In calm times the gate itself ends a slow body, with an answer.
            body: milliseconds(limits.body).saturating_mul(2),
            idle: milliseconds(limits.idle),
            stall: milliseconds(limits.stall),
        };
        if open.saturating_mul(4) < limits.connections.saturating_mul(3) {
            return calm;
        }
        Self {
            handshake: calm.handshake.min(2_000),
            head: calm.head.min(1_000),
            body: calm.body.min(2_000),
            idle: calm.idle.min(1_000),
            stall: calm.stall.min(5_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(open: usize) -> Patience {
        Patience::of(&Limits { connections: 100, ..Limits::default() }, open)
    }

    #[test]
    fn htp_14_each_state_has_its_limit() {
        let monitor = Monitor::new();
        let pulse = Arc::new(Pulse::default());
        pulse.quiet_since.store(1, Relaxed);
        assert!(!pulse.verdict(10_001, &patience(1)), "a handshake may take ten seconds");
        assert!(pulse.verdict(10_002, &patience(1)));
        pulse.secured(20_000, true);
        assert!(!pulse.verdict(30_000, &patience(1)));
        assert!(pulse.verdict(30_001, &patience(1)), "and the first request ten more");
        pulse.read(|| 29_000);
        pulse.read(|| 38_000);
        assert!(!pulse.verdict(39_000, &patience(1)));
        assert!(pulse.verdict(39_001, &patience(1)), "dripping bytes do not extend the head's time");
        let mut beat = pulse.begin(&monitor);
        pulse.progress_at.store(50_000, Relaxed);
        assert!(!pulse.verdict(90_000, &patience(1)), "a slow body is answered, not cut");
        assert!(pulse.verdict(52_001, &patience(75)), "unless others wait for a place");
        beat.handling();
        assert!(!pulse.verdict(1_000_000, &patience(1)), "a request being answered is never cut");
        pulse.write(true, || 1_000_000);
        assert!(pulse.verdict(1_020_001, &patience(1)), "unless the client does not take the answer");
        pulse.write(false, || 0);
        drop(beat);
        pulse.quiet_since.store(2_000_000, Relaxed);
        assert!(!pulse.verdict(2_075_000, &patience(1)), "then it may idle for 75 s");
        assert!(pulse.verdict(2_075_001, &patience(1)));
    }

    #[test]
    fn htp_13_patience_shrinks_when_three_quarters_of_the_places_are_taken() {
        let pulse = Pulse::default();
        pulse.secured(1_000, true);
        pulse.read(|| 1_000);
        assert!(!pulse.verdict(2_001, &patience(74)));
        assert!(pulse.verdict(2_001, &patience(75)));
    }
}

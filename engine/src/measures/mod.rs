//! What the desk counts and times, for Prometheus. One field and one line of [`Measures::register`] for each metric;
//! `docs/OBSERVABILITY.md` lists them.

mod family;

pub(crate) use family::{Count, Durations, Family, Label, Level};

use jose::Algorithm;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use protocol::error::Reason;
use protocol::grant::GRANTS;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use store::{ExportSink, StoreError};

/// The grant type under which tokens of the authorization endpoint are counted (RFC 6749 §4.2).
pub(crate) const IMPLICIT: &str = "implicit";

/// Everything that is counted. Cheap: atomic numbers, no lock, no allocation.
#[derive(Debug)]
pub struct Measures {
    store: Family<Durations>,
    signatures: Family<Durations>,
    tokens: Family<Count>,
    refusals: Family<Count>,
    caches: Family<Count>,
    pub(crate) hashing: HashingMeasures,
    deliveries: Family<Count>,
    /// Deliveries that were due when the job last looked.
    pub(crate) outbox_due: Gauge,
    swept: Counter,
    last_sweep: Gauge,
    /// Audit events that wait for their group to be appended.
    pub(crate) audit_pending: Gauge,
    /// Audit events that found the buffer full.
    pub(crate) audit_dropped: Counter,
    exported: Family<Count>,
    export_failures: Family<Count>,
    export_lag: Family<Level>,
    clock_skew: Gauge<f64, AtomicU64>,
}

/// The part of one sink in what is counted of the audit export.
pub(crate) struct ExportMeasures<'m> {
    measures: &'m Measures,
    sink: &'static str,
}

impl ExportMeasures<'_> {
    pub(crate) fn told(&self, events: usize) {
        if let Some(cell) = self.measures.exported.named(self.sink) {
            cell.add(u64::try_from(events).unwrap_or(u64::MAX));
        }
    }

    pub(crate) fn failed(&self) {
        if let Some(cell) = self.measures.export_failures.named(self.sink) {
            cell.add(1);
        }
    }

    /// How old the oldest event is that the sink has yet to be told of.
    pub(crate) fn lag(&self, age: Duration) {
        if let Some(cell) = self.measures.export_lag.named(self.sink) {
            cell.set(age.as_secs());
        }
    }
}

/// The pool that computes slow hashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct HashingMeasures {
    pub(crate) slots: Gauge,
    pub(crate) busy: Gauge,
    pub(crate) waiting: Gauge,
    pub(crate) refused: Counter,
    /// Secrets of clients that were not hashed again.
    pub(crate) remembered: Counter,
    pub(crate) waits: Seconds,
    pub(crate) hashes: Seconds,
}

/// One histogram without labels of its own.
#[derive(Clone, Debug)]
pub(crate) struct Seconds(Family<Durations>);

impl Default for Seconds {
    fn default() -> Self {
        Self(Family::of(Label::new("pool", ["argon2"])))
    }
}

impl Seconds {
    pub(crate) fn observe(&self, took: Duration) {
        if let Some(cell) = self.0.at(0) {
            cell.observe(took);
        }
    }
}

/// A call of the store, as the metric names it.
#[derive(Clone, Copy)]
pub(crate) enum StoreCall {
    Load,
    Documents,
    Artifacts,
    Due,
    Grants,
    Commit,
    Append,
    Events,
    Epoch,
    Tenant,
    Tenants,
    CreateTenant,
    DeleteTenant,
    Sweep,
    Ping,
    SchemaVersion,
    Trail,
    Unexported,
    Exported,
    LeaseExport,
    SweepEvents,
}

const STORE_CALLS: [&str; 21] = [
    "load",
    "documents",
    "artifacts",
    "due",
    "grants",
    "commit",
    "append",
    "events",
    "epoch",
    "tenant",
    "tenants",
    "create_tenant",
    "delete_tenant",
    "sweep",
    "ping",
    "schema_version",
    "trail",
    "unexported",
    "exported",
    "lease_export",
    "sweep_events",
];

impl StoreCall {
    pub(crate) fn name(self) -> &'static str {
        STORE_CALLS.get(self as usize).copied().unwrap_or_default()
    }
}

const STORE_OUTCOMES: [&str; 4] = ["ok", "conflict", "unavailable", "impossible"];

/// What became of a delivery.
#[derive(Clone, Copy)]
pub(crate) enum Delivery {
    Sent,
    Failed,
    GivenUp,
}

const DELIVERIES: [&str; 3] = ["sent", "failed", "given_up"];

/// Something that is remembered so that it need not be loaded or computed again.
#[derive(Clone, Copy)]
pub(crate) enum Remembered {
    Workspace,
    Client,
    Record,
}

const CACHES: [&str; 3] = ["workspace", "client", "record"];
const LOOKUPS: [&str; 2] = ["hit", "miss"];

impl Default for Measures {
    fn default() -> Self {
        let sinks = || Label::new("sink", [ExportSink::File.name(), ExportSink::Http.name()]);
        let grant_types = GRANTS.iter().map(|grant| grant.grant_type()).chain([IMPLICIT]);
        Self {
            store: Family::by(Label::new("operation", STORE_CALLS), Label::new("outcome", STORE_OUTCOMES)),
            signatures: Family::of(Label::new("alg", Algorithm::ALL.iter().map(|alg| alg.name()))),
            tokens: Family::of(Label::new("grant_type", grant_types)),
            refusals: Family::of(Label::new("reason", Reason::ALL.iter().map(|r| r.entry().name))),
            caches: Family::by(Label::new("cache", CACHES), Label::new("outcome", LOOKUPS)),
            hashing: HashingMeasures::default(),
            deliveries: Family::of(Label::new("outcome", DELIVERIES)),
            outbox_due: Gauge::default(),
            swept: Counter::default(),
            last_sweep: Gauge::default(),
            audit_pending: Gauge::default(),
            audit_dropped: Counter::default(),
            exported: Family::of(sinks()),
            export_failures: Family::of(sinks()),
            export_lag: Family::of(sinks()),
            clock_skew: Gauge::default(),
        }
    }
}

impl Measures {
    /// Makes all of them visible.
    pub fn register(&self, registry: &mut Registry) {
        let seconds = || Unit::Seconds;
        let (name, help) = ("store_call_duration", "Calls of the store, by what was asked and how it ended");
        registry.register_with_unit(name, help, seconds(), self.store.clone());
        let (name, help) = ("signature_duration", "Signatures made, by algorithm");
        registry.register_with_unit(name, help, seconds(), self.signatures.clone());
        registry.register("tokens_issued", "Answers with tokens, by grant type", self.tokens.clone());
        let (name, help) = ("refusals", "Refused requests, by the reason in docs/ERRORS.md");
        registry.register(name, help, self.refusals.clone());
        let (name, help) = ("cache_lookups", "Looks at what is remembered, by what came of them");
        registry.register(name, help, self.caches.clone());
        self.hashing.register(registry);
        registry.register(
            "outbox_deliveries",
            "Attempts to deliver, by what came of them",
            self.deliveries.clone(),
        );
        let (name, help) = ("outbox_due", "Deliveries that were due when the job last looked");
        registry.register(name, help, self.outbox_due.clone());
        registry.register("sweep_rows", "Expired rows removed", self.swept.clone());
        let (name, help) = ("sweep_last_success_timestamp", "When the last sweep ended well, in Unix time");
        registry.register_with_unit(name, help, seconds(), self.last_sweep.clone());
        let (name, help) = ("audit_events_pending", "Audit events that wait to be appended");
        registry.register(name, help, self.audit_pending.clone());
        let (name, help) = ("audit_events_dropped", "Audit events that found the buffer full");
        registry.register(name, help, self.audit_dropped.clone());
        let (name, help) = ("audit_exported", "Audit events that a sink has taken");
        registry.register(name, help, self.exported.clone());
        let (name, help) = ("audit_export_failures", "Batches of audit events that a sink did not take");
        registry.register(name, help, self.export_failures.clone());
        let (name, help) =
            ("audit_export_lag", "Age of the oldest audit event that a sink has yet to be told of");
        registry.register_with_unit(name, help, seconds(), self.export_lag.clone());
        let (name, help) = ("clock_skew", "How far this node's clock is ahead of the database's");
        registry.register_with_unit(name, help, seconds(), self.clock_skew.clone());
    }

    /// This node's clock is ahead of the store's by so many milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "a difference of clocks, shown")]
    pub(crate) fn skewed(&self, ahead: i64) {
        self.clock_skew.set(ahead as f64 / 1000.0);
    }

    /// Answers the outcome's name.
    pub(crate) fn store_call<T>(
        &self,
        call: StoreCall,
        outcome: &Result<T, StoreError>,
        took: Duration,
    ) -> &'static str {
        let outcome = match outcome {
            Ok(_) => 0,
            Err(StoreError::Conflict { .. }) => 1,
            Err(StoreError::Unavailable(_)) => 2,
            Err(StoreError::Impossible(_)) => 3,
        };
        if let Some(cell) = self.store.at_both(call as usize, outcome) {
            cell.observe(took);
        }
        STORE_OUTCOMES.get(outcome).copied().unwrap_or_default()
    }

    pub(crate) fn signed(&self, alg: Algorithm, took: Duration) {
        let place = Algorithm::ALL.iter().position(|known| *known == alg);
        if let Some(cell) = place.and_then(|place| self.signatures.at(place)) {
            cell.observe(took);
        }
    }

    pub(crate) fn issued(&self, grant_type: &str) {
        if let Some(cell) = self.tokens.named(grant_type) {
            cell.add(1);
        }
    }

    pub(crate) fn refused(&self, reason: Reason) {
        // The reasons are listed in the order of their declaration.
        if let Some(cell) = self.refusals.at(reason as usize) {
            cell.add(1);
        }
    }

    pub(crate) fn looked(&self, cache: Remembered, found: bool) {
        if let Some(cell) = self.caches.at_both(cache as usize, usize::from(!found)) {
            cell.add(1);
        }
    }

    pub(crate) fn delivered(&self, outcome: Delivery) {
        if let Some(cell) = self.deliveries.at(outcome as usize) {
            cell.add(1);
        }
    }

    pub(crate) fn export(&self, sink: ExportSink) -> ExportMeasures<'_> {
        ExportMeasures { measures: self, sink: sink.name() }
    }

    pub(crate) fn removed(&self, rows: usize) {
        self.swept.inc_by(u64::try_from(rows).unwrap_or(u64::MAX));
    }

    /// A sweep has come to its end at this second.
    pub(crate) fn swept_at(&self, seconds: i64) {
        self.last_sweep.set(seconds);
    }
}

impl HashingMeasures {
    fn register(&self, registry: &mut Registry) {
        let (name, help) = ("password_hash_slots", "Slow hashes that may be computed at once");
        registry.register(name, help, self.slots.clone());
        registry.register("password_hash_busy", "Slow hashes being computed", self.busy.clone());
        registry.register("password_hash_waiting", "Slow hashes that wait for a slot", self.waiting.clone());
        let (name, help) = ("password_hash_refused", "Requests turned away because too many were waiting");
        registry.register(name, help, self.refused.clone());
        let (name, help) =
            ("password_hash_remembered", "Secrets of clients known without hashing them again");
        registry.register(name, help, self.remembered.clone());
        let (name, help) = ("password_hash_wait_duration", "The wait for a slot");
        registry.register_with_unit(name, help, Unit::Seconds, self.waits.0.clone());
        let (name, help) = ("password_hash_duration", "A slow hash, without the wait");
        registry.register_with_unit(name, help, Unit::Seconds, self.hashes.0.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_call_and_algorithm_has_its_place() {
        let measures = Measures::default();
        for reason in Reason::ALL {
            measures.refused(*reason);
        }
        for reason in Reason::ALL {
            assert_eq!(measures.refusals.named(reason.entry().name).map(Count::get), Some(1), "{reason:?}");
        }
        assert_eq!(STORE_CALLS.get(StoreCall::SweepEvents as usize), Some(&"sweep_events"));
        assert_eq!(CACHES.get(Remembered::Record as usize), Some(&"record"));
        assert_eq!(DELIVERIES.get(Delivery::GivenUp as usize), Some(&"given_up"));
    }
}

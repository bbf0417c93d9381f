//! The stream of events that belong to no change of state.
//!
//! They wait in a bounded buffer and are appended in groups; equal ones of one group become one event with a count, so
//! that minting tokens costs no write each. A full buffer drops the newest and counts it.

use super::Origin;
use crate::Call;
use crate::measures::Measures;
use futures_util::{StreamExt, stream};
use protocol::decision::Event;
use protocol::id::{ServerId, TenantId};
use protocol::time::Timestamp;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::{Store, StoredEvent};

/// Most different events kept between two flushes.
const CAPACITY: usize = 10_000;
/// How many tenants are written for at once: a store makes one commit of those that wait together.
pub(crate) const FLUSHED_AT_ONCE: usize = 8;

struct Counted {
    tenant: TenantId,
    server: Option<ServerId>,
    event: Event,
    at: Timestamp,
    origin: Origin,
    count: u64,
}

impl Counted {
    /// Whether another event of this kind is counted here: only its time and request differ.
    fn is_another(&self, tenant: &TenantId, server: Option<&ServerId>, event: &Event, call: &Call) -> bool {
        self.tenant == *tenant
            && self.server.as_ref() == server
            && self.event == *event
            && self.origin.ip == call.source
            && self.origin.actor == call.actor
    }
}

pub(crate) struct AuditStream {
    /// By a hash of what makes two events equal, so that counting one allocates nothing.
    buffer: Mutex<HashMap<u64, Counted>>,
    hasher: RandomState,
    exports: i64,
    dropped: AtomicU64,
    measures: Arc<Measures>,
}

impl AuditStream {
    /// `exports` says who is told of the events.
    pub(crate) fn new(exports: i64, measures: Arc<Measures>) -> Self {
        Self {
            buffer: Mutex::new(HashMap::new()),
            hasher: RandomState::new(),
            exports,
            dropped: AtomicU64::new(0),
            measures,
        }
    }

    pub(crate) fn push(
        &self,
        tenant: &TenantId,
        server: Option<&ServerId>,
        event: Event,
        at: Timestamp,
        call: &Call,
    ) {
        let mut place = self.place(tenant, server, &event, call);
        let Ok(mut buffer) = self.buffer.lock() else { return };
        while let Some(counted) = buffer.get_mut(&place) {
            if counted.is_another(tenant, server, &event, call) {
                counted.count += 1;
                return;
            }
            place = place.wrapping_add(1);
        }
        if buffer.len() < CAPACITY {
            let (tenant, server) = (tenant.clone(), server.cloned());
            buffer.insert(place, Counted { tenant, server, event, at, origin: Origin::of(call), count: 1 });
            self.measures.audit_pending.inc();
        } else {
            self.drop_some(1);
        }
    }

    fn place(&self, tenant: &TenantId, server: Option<&ServerId>, event: &Event, call: &Call) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        (tenant, server, event.event_subject, event.action, event.reason).hash(&mut hasher);
        (&event.client_id, &event.subject, &call.source).hash(&mut hasher);
        hasher.finish()
    }

    fn drop_some(&self, count: u64) {
        self.measures.audit_dropped.inc_by(count);
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// Appends everything that is buffered, one group per tenant. What the store does not take waits for the next time.
    pub(crate) async fn flush(&self, store: &dyn Store) {
        let drained = match self.buffer.lock() {
            Ok(mut buffer) => std::mem::take(&mut *buffer),
            Err(_) => return,
        };
        let mut by_tenant: HashMap<TenantId, Vec<Counted>> = HashMap::new();
        for counted in drained.into_values() {
            by_tenant.entry(counted.tenant.clone()).or_default().push(counted);
        }
        let append = |(tenant, group)| self.append(store, tenant, group);
        stream::iter(by_tenant).for_each_concurrent(FLUSHED_AT_ONCE, append).await;
        self.note_pending();
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(dropped, "audit buffer was full");
        }
    }

    async fn append(&self, store: &dyn Store, tenant: TenantId, mut group: Vec<Counted>) {
        group.sort_by_key(|counted| counted.at);
        let keep = |counted: &Counted| {
            let count = (counted.count > 1).then_some(counted.count);
            let Counted { event, at, server, .. } = counted;
            let kept = counted.origin.keep(event, *at, server.clone(), count);
            StoredEvent { exports: self.exports, ..kept }
        };
        if let Err(error) = store.append(&tenant, group.iter().map(keep).collect()).await {
            tracing::warn!(%error, %tenant, "audit events could not be appended");
            self.take_back(group);
        }
    }

    fn take_back(&self, group: Vec<Counted>) {
        let Ok(mut buffer) = self.buffer.lock() else { return };
        for counted in group {
            if buffer.len() >= CAPACITY {
                self.drop_some(counted.count);
                continue;
            }
            // Apart from those of the same kind that came meanwhile.
            let mut place = self.hasher.hash_one((&counted.tenant, counted.at, &counted.origin.trace_id));
            while buffer.contains_key(&place) {
                place = place.wrapping_add(1);
            }
            buffer.insert(place, counted);
        }
    }

    fn note_pending(&self) {
        if let Ok(buffer) = self.buffer.lock() {
            self.measures.audit_pending.set(i64::try_from(buffer.len()).unwrap_or(i64::MAX));
        }
    }
}

//! The audit stream of events that belong to no change of state.
//!
//! Events of a change are committed with it. The others (a JWT issued to a client, a refusal) go through a
//! bounded buffer and are appended in groups; equal ones of one group become one event with a count, so that
//! minting tokens costs no write each. A full buffer drops the newest and counts it.

use crate::measures::Measures;
use protocol::decision::Event;
use protocol::id::{ServerId, TenantId};
use protocol::time::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::{Store, StoredEvent};

/// Most different events kept between two flushes.
const CAPACITY: usize = 10_000;

#[derive(PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    server: Option<ServerId>,
    event_subject: &'static str,
    action: &'static str,
    client: Option<String>,
    subject: Option<String>,
    reason: Option<&'static str>,
}

struct Counted {
    event: Event,
    at: Timestamp,
    trace_id: String,
    count: u64,
}

pub(crate) struct AuditStream {
    buffer: Mutex<HashMap<Key, Counted>>,
    dropped: AtomicU64,
    measures: Arc<Measures>,
}

impl AuditStream {
    pub(crate) fn new(measures: Arc<Measures>) -> Self {
        Self { buffer: Mutex::new(HashMap::new()), dropped: AtomicU64::new(0), measures }
    }

    pub(crate) fn push(
        &self,
        tenant: &TenantId,
        server: Option<&ServerId>,
        event: Event,
        at: Timestamp,
        trace_id: &str,
    ) {
        let key = Key {
            tenant: tenant.clone(),
            server: server.cloned(),
            event_subject: event.event_subject,
            action: event.action,
            client: event.client_id.as_ref().map(|c| c.as_str().to_owned()),
            subject: event.subject.clone(),
            reason: event.reason,
        };
        let Ok(mut buffer) = self.buffer.lock() else { return };
        if let Some(counted) = buffer.get_mut(&key) {
            counted.count += 1;
        } else if buffer.len() < CAPACITY {
            buffer.insert(key, Counted { event, at, trace_id: trace_id.to_owned(), count: 1 });
            self.measures.audit_pending.inc();
        } else {
            self.measures.audit_dropped.inc();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Appends everything that is buffered, one group per tenant.
    pub(crate) async fn flush(&self, store: &dyn Store) {
        let drained = match self.buffer.lock() {
            Ok(mut buffer) => {
                self.measures.audit_pending.set(0);
                std::mem::take(&mut *buffer)
            }
            Err(_) => return,
        };
        let mut by_tenant: HashMap<TenantId, Vec<StoredEvent>> = HashMap::new();
        for (key, mut counted) in drained {
            if counted.count > 1 {
                counted.event.detail = Some(format!("{} times", counted.count));
            }
            let stored = StoredEvent::new(&counted.event, counted.at, key.server, &counted.trace_id);
            by_tenant.entry(key.tenant).or_default().push(stored);
        }
        for (tenant, events) in by_tenant {
            if let Err(error) = store.append(&tenant, events).await {
                tracing::warn!(%error, %tenant, "audit events could not be appended");
            }
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(dropped, "audit buffer was full");
        }
    }
}

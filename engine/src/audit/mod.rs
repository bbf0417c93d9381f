//! The audit trail: what is noted of every security-relevant act, and who is told.
//!
//! Events of a change are committed with it. The others (a JWT issued to a client, a refusal) go through a bounded
//! buffer (`stream.rs`). `record.rs` says how an event looks outside, `trail.rs` reads them, `export.rs` hands them on.

mod export;
mod file_sink;
mod http_sink;
mod record;
pub(crate) mod stream;
mod trail;

pub use export::AuditSink;
pub use file_sink::FileSink;
pub use http_sink::HttpSink;
pub use record::AuditRecord;
pub use trail::{AuditFilter, AuditPage, AuditQuery, event_key};

pub(crate) use export::Exporter;
pub(crate) use stream::AuditStream;

use crate::session::LiveSession;
use crate::{Call, EngineError};
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::id::{ClientId, ServerId, TenantId};
use protocol::time::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use store::StoredEvent;

/// What becomes of audit events.
#[derive(Clone, Default)]
pub struct AuditConfig {
    /// How long they are kept; for ever when absent.
    pub retention: Option<Duration>,
    /// Who is told of them, each at most once in the list.
    pub sinks: Vec<Arc<dyn AuditSink>>,
}

impl AuditConfig {
    pub(crate) fn exports(&self) -> i64 {
        self.sinks.iter().fold(0, |bits, sink| bits | sink.sink().bit())
    }
}

/// An event with where it came from, as it is kept.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    event: &'a Event,
    #[serde(skip_serializing_if = "str::is_empty")]
    ip: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    user_agent: &'a str,
    /// The client on whose authority an administrator's change was made.
    #[serde(skip_serializing_if = "str::is_empty")]
    actor: &'a str,
    /// How often it happened, where equal events were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

/// Where an event came from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) trace_id: String,
    ip: String,
    user_agent: String,
    actor: String,
}

impl Origin {
    pub(crate) fn of(call: &Call) -> Self {
        Self {
            trace_id: call.trace_id.clone(),
            ip: call.source.clone(),
            user_agent: protocol::session::Session::shortened(&call.user_agent),
            actor: call.actor.clone(),
        }
    }

    /// The event as it is kept.
    pub(crate) fn keep(
        &self,
        event: &Event,
        at: Timestamp,
        server: Option<ServerId>,
        count: Option<u64>,
    ) -> StoredEvent {
        let Self { trace_id, ip, user_agent, actor } = self;
        // Texts and numbers: serialising them cannot fail.
        let body = serde_json::to_string(&Kept { event, ip, user_agent, actor, count }).unwrap_or_default();
        StoredEvent { body, ..StoredEvent::new(event, at, server, trace_id) }
    }
}

/// What is noted when a login in progress ends without an answer.
pub(crate) fn end_of_login(client: &ClientId, session: Option<&LiveSession>, refusal: &Refusal) -> Event {
    let (what, action) = match refusal.reason {
        Reason::UserDenied => ("consent", "denied"),
        _ => ("authorization", "refused"),
    };
    let event = Event::new(what, action).client(client).reason(refusal);
    match session {
        Some(live) => event.person(&live.session.subject),
        None => event,
    }
}

impl crate::Engine {
    /// Notes that somebody without authority called the management API of a tenant that exists.
    pub fn unauthorized(&self, tenant: &TenantId, refusal: &Refusal, call: &Call) {
        let server = ServerId::new(crate::ADMIN_WORKSPACE);
        let event = Event::new("request", "unauthorized").detail(&call.request).reason(refusal);
        self.audit.push(tenant, Some(&server), event, self.now(), call);
    }

    /// Removes up to `limit` events that are older than they are kept; how many there were.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn sweep_events(&self, limit: usize) -> Result<usize, EngineError> {
        let Some(retention) = self.config.audit.retention else { return Ok(0) };
        let removed = self.store.sweep_events(self.now().minus(retention), limit).await?;
        self.measures.removed(removed);
        Ok(removed)
    }

    /// A round of every export: what waits for a sink is told to it. Called at an orderly stop, after the last event.
    ///
    /// # Errors
    /// A sink could not be told, or the store does not answer.
    pub async fn export(&self) -> Result<(), EngineError> {
        let mut outcome = Ok(());
        for exporter in &self.exporters {
            let told = exporter.lock().await.round(self, true).await;
            outcome = outcome.and(told);
        }
        outcome
    }
}

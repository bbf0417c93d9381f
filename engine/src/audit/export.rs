//! The export: every event is told to every sink at least once, and once normally.
//!
//! An event is committed with a note of who has yet to be told. A sink is told in batches; the note goes only when it
//! has taken them. So neither a restart, nor a crash between any two steps, nor a commit that comes late loses one; what
//! was taken just before a crash comes again, under the same identifier. Of several nodes the one that holds the sink's
//! lease tells it. In memory there is one batch.

use super::AuditRecord;
use crate::measures::ExportMeasures;
use crate::{Engine, EngineError, SPANS};
use protocol::id::TenantId;
use protocol::time::Timestamp;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use store::{ExportSink, Lease, StoredEvent};
use tracing::Instrument;

/// Events told at once.
const BATCH: usize = 500;
/// How long the right to tell a sink lasts without being prolonged: longer than any sink may take for a batch.
const LEASE: Duration = Duration::from_secs(30);

/// Somebody who is told of events.
pub trait AuditSink: Send + Sync {
    fn sink(&self) -> ExportSink;

    /// Takes lines, each a JSON object without its end of line. When it answers they are safe there.
    ///
    /// # Errors
    /// Why they could not be taken; the same and later ones are brought again.
    fn deliver<'a>(
        &'a self,
        lines: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
}

/// One sink, and the right to tell it.
pub(crate) struct Exporter {
    to: Arc<dyn AuditSink>,
    held_until: Option<Timestamp>,
}

impl Exporter {
    pub(crate) fn new(to: Arc<dyn AuditSink>) -> Self {
        Self { to, held_until: None }
    }

    /// Tells the sink what waits for it, unless another node does; afterwards gives the right back when `last`.
    ///
    /// # Errors
    /// The sink could not be told, or the store does not answer.
    pub(crate) async fn round(&mut self, engine: &Engine, last: bool) -> Result<(), EngineError> {
        let sink = self.to.sink();
        let measures = engine.measures.export(sink);
        while self.lease(engine, LEASE).await? {
            let waiting = engine.store.unexported(sink, BATCH).await?;
            let behind = waiting.first().map(|(_, event)| engine.now().since(event.at));
            measures.lag(behind.unwrap_or_default());
            if waiting.is_empty() {
                if last {
                    self.lease(engine, Duration::ZERO).await?;
                    self.held_until = None;
                }
                return Ok(());
            }
            self.tell(engine, &waiting, &measures).await?;
        }
        // Another node is at it, and tells of its lag.
        measures.lag(Duration::ZERO);
        Ok(())
    }

    async fn tell(
        &self,
        engine: &Engine,
        waiting: &[(TenantId, StoredEvent)],
        measures: &ExportMeasures<'_>,
    ) -> Result<(), EngineError> {
        let lines: Vec<String> = waiting.iter().map(|(tenant, event)| line(tenant, event)).collect();
        let span = tracing::info_span!(target: SPANS, "audit.export", sink = self.to.sink().name());
        if let Err(why) = self.to.deliver(&lines).instrument(span).await {
            measures.failed();
            return Err(EngineError::Unavailable(format!("export to {}: {why}", self.to.sink().name())));
        }
        let told: Vec<_> = waiting.iter().map(|(tenant, event)| (tenant.clone(), event.id)).collect();
        engine.store.exported(self.to.sink(), &told).await?;
        measures.told(told.len());
        Ok(())
    }

    async fn lease(&mut self, engine: &Engine, lasts: Duration) -> Result<bool, EngineError> {
        let now = engine.now();
        let until = now.plus(lasts);
        let lease = Lease { held_until: self.held_until, now, until };
        let held = engine.store.lease_export(self.to.sink(), lease).await?;
        self.held_until = held.then_some(until);
        Ok(held)
    }
}

fn line(tenant: &TenantId, event: &StoredEvent) -> String {
    // Texts and maps of texts: serialising them cannot fail.
    serde_json::to_string(&AuditRecord::of(tenant, event)).unwrap_or_default()
}

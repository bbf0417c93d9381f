//! Background jobs: the sweep of expired rows and unused clients, the flush of the audit stream, the outbox,
//! and the look at the clock.

use crate::{Engine, SPANS};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tracing::Instrument;

const FLUSH_EVERY: Duration = Duration::from_millis(500);
const OUTBOX_EVERY: Duration = Duration::from_secs(15);
const EXPORT_EVERY: Duration = Duration::from_secs(1);
/// Longest pause after a sink could not be told. Shorter than its lease, which is so kept.
const EXPORT_PAUSE: Duration = Duration::from_secs(20);
const CLOCKS_EVERY: Duration = Duration::from_secs(60);
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Rows removed per batch, and the pause between batches, so that a sweep never holds the writer for long.
const SWEEP_BATCH: usize = 500;
const SWEEP_PAUSE: Duration = Duration::from_millis(50);

/// Starts the jobs; they end with the engine.
pub(crate) fn start(engine: &Arc<Engine>) {
    tokio::spawn(flush(Arc::downgrade(engine)));
    tokio::spawn(sweep(Arc::downgrade(engine)));
    tokio::spawn(outbox(Arc::downgrade(engine)));
    tokio::spawn(compare_clocks(Arc::downgrade(engine)));
    for place in 0..engine.exporters.len() {
        tokio::spawn(export(Arc::downgrade(engine), place));
    }
}

/// Tells one sink of the audit export; one that cannot be told is left alone for longer and longer.
async fn export(engine: Weak<Engine>, place: usize) {
    let mut pause = EXPORT_EVERY;
    loop {
        tokio::time::sleep(pause).await;
        let Some(engine) = engine.upgrade() else { return };
        let Some(exporter) = engine.exporters.get(place) else { return };
        match exporter.lock().await.round(&engine, false).await {
            Ok(()) => pause = EXPORT_EVERY,
            Err(error) => {
                pause = (pause * 2).min(EXPORT_PAUSE);
                tracing::warn!(%error, "audit events could not be exported");
            }
        }
    }
}

async fn outbox(engine: Weak<Engine>) {
    loop {
        tokio::time::sleep(OUTBOX_EVERY).await;
        let Some(engine) = engine.upgrade() else { return };
        if let Err(error) = engine.send_due().await {
            tracing::warn!(%error, "the outbox could not be worked on");
        }
    }
}

/// Ends when the store has no clock of its own.
async fn compare_clocks(engine: Weak<Engine>) {
    loop {
        let Some(engine) = engine.upgrade() else { return };
        match engine.compare_clocks().await {
            Ok(None) => return,
            Ok(Some(_)) => {}
            Err(error) => tracing::debug!(%error, "the clocks could not be compared"),
        }
        drop(engine);
        tokio::time::sleep(CLOCKS_EVERY).await;
    }
}

async fn flush(engine: Weak<Engine>) {
    loop {
        tokio::time::sleep(FLUSH_EVERY).await;
        let Some(engine) = engine.upgrade() else { return };
        engine.flush().await;
    }
}

async fn sweep(engine: Weak<Engine>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        if let Some(engine) = engine.upgrade()
            && let Err(error) = engine.delete_unused_clients().await
        {
            tracing::warn!(%error, "unused clients could not be deleted");
        }
        loop {
            let Some(engine) = engine.upgrade() else { return };
            let span = tracing::info_span!(target: SPANS, "sweep");
            match engine.store.sweep(engine.now(), SWEEP_BATCH).instrument(span).await {
                Ok(removed) => {
                    engine.measures.removed(removed);
                    if removed < SWEEP_BATCH {
                        engine.measures.swept_at(engine.now().seconds());
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "sweep failed");
                    break;
                }
            }
            drop(engine);
            tokio::time::sleep(SWEEP_PAUSE).await;
        }
        if !sweep_events(&engine).await {
            return;
        }
    }
}

/// Removes audit events that are too old; whether there still is an engine.
async fn sweep_events(engine: &Weak<Engine>) -> bool {
    loop {
        let Some(engine) = engine.upgrade() else { return false };
        match engine.sweep_events(SWEEP_BATCH).await {
            Ok(removed) if removed >= SWEEP_BATCH => {}
            Ok(_) => return true,
            Err(error) => {
                tracing::warn!(%error, "old audit events could not be removed");
                return true;
            }
        }
        drop(engine);
        tokio::time::sleep(SWEEP_PAUSE).await;
    }
}

//! Background jobs: the sweep of expired rows and unused clients, the flush of the audit stream, and the outbox.

use crate::Engine;
use std::sync::{Arc, Weak};
use std::time::Duration;

const FLUSH_EVERY: Duration = Duration::from_millis(500);
const OUTBOX_EVERY: Duration = Duration::from_secs(15);
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Rows removed per batch, and the pause between batches, so that a sweep never holds the writer for long.
const SWEEP_BATCH: usize = 500;
const SWEEP_PAUSE: Duration = Duration::from_millis(50);

/// Starts the jobs; they end with the engine.
pub(crate) fn start(engine: &Arc<Engine>) {
    tokio::spawn(flush(Arc::downgrade(engine)));
    tokio::spawn(sweep(Arc::downgrade(engine)));
    tokio::spawn(outbox(Arc::downgrade(engine)));
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
            match engine.store.sweep(engine.now(), SWEEP_BATCH).await {
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
    }
}

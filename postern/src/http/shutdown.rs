//! The orderly stop: not ready at once, nothing new accepted, what is in flight finished.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Whether the process is to stop; cheap to clone, shared by everything that must know.
#[derive(Clone, Debug)]
pub struct Shutdown {
    begun: watch::Sender<bool>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { begun: watch::Sender::new(false) }
    }
}

impl Shutdown {
    /// Begins to stop. Calling it again changes nothing.
    pub fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Whether the stop has begun.
    pub fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Returns when the stop begins, or at once if it has.
    pub async fn begun(&self) {
        // An error would mean that the sender is gone; this value holds it.
        let _ = self.begun.subscribe().wait_for(|begun| *begun).await;
    }

    /// Begins to stop on the first SIGTERM or SIGINT and ends the process on the second.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn on_signals(&self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if shutdown.has_begun() {
                    tracing::warn!("stopped by a second signal; requests in flight were abandoned");
                    std::process::exit(1);
                }
                tracing::info!("stopping: finishing the requests in flight");
                shutdown.begin();
            }
        });
        Ok(())
    }
}

//! Connections that only read.

use rusqlite::Connection;
use std::sync::{Mutex, PoisonError, TryLockError};
use store::StoreError;

/// A few connections of their own, so that readers wait neither for the writer nor, as a rule, for each other.
pub(crate) struct Readers {
    connections: Vec<Mutex<Connection>>,
}

impl Readers {
    pub(crate) fn new(connections: impl IntoIterator<Item = Connection>) -> Self {
        Self { connections: connections.into_iter().map(Mutex::new).collect() }
    }

    /// Runs `read` on a free connection. The first ones are preferred: their caches are warm.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        for connection in &self.connections {
            match connection.try_lock() {
                Ok(connection) => return read(&connection),
                Err(TryLockError::Poisoned(poisoned)) => return read(&poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        // All are at work on other threads, each for some microseconds.
        let Some(connection) = self.connections.first() else {
            return Err(StoreError::Unavailable("no connection to read with".to_owned()));
        };
        read(&connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

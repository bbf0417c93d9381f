//! The wiring: which store stands behind which engine, and the rooms on one router. No other file names
//! a storage backend.

use std::sync::Arc;

use axum::Router;

use crate::http::Probe;

/// The rooms, ready to be put behind the gate.
pub(crate) struct Rooms {
    pub(crate) router: Router,
    pub(crate) probe: Probe,
}

pub(crate) fn rooms() -> Rooms {
    Rooms { router: Router::new(), probe: Arc::new(|| Box::pin(async { true })) }
}

//! The audit trail: events read by time, handed on to whoever is told of them, removed when they are old.

use crate::{Answer, StoredEvent};
use protocol::id::{ServerId, TenantId};
use protocol::time::Timestamp;

/// Where an event stands in its workspace's trail: by time, events of one moment by identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct EventKey {
    pub at: Timestamp,
    pub id: i64,
}

impl EventKey {
    /// Before all events, and after them.
    pub const START: Self = Self { at: Timestamp::from_millis(i64::MIN), id: i64::MIN };
    pub const END: Self = Self { at: Timestamp::from_millis(i64::MAX), id: i64::MAX };

    /// Before the events of that moment.
    pub const fn before(at: Timestamp) -> Self {
        Self { at, id: i64::MIN }
    }
}

/// A piece of a trail, without its ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventRange {
    pub after: EventKey,
    pub before: EventKey,
    /// The newest first when set.
    pub descending: bool,
    /// 1 to [`MAX_ROWS`](crate::MAX_ROWS).
    pub limit: usize,
}

/// Somebody who is told of every event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportSink {
    File,
    Http,
}

impl ExportSink {
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Http => "http",
        }
    }

    /// Its part of [`StoredEvent::exports`].
    pub const fn bit(self) -> i64 {
        match self {
            Self::File => 1,
            Self::Http => 2,
        }
    }
}

/// The right to tell a sink, which one node has at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    /// Until when the caller had it, if nobody else took it since.
    pub held_until: Option<Timestamp>,
    pub now: Timestamp,
    /// Until when the caller wants it.
    pub until: Timestamp,
}

/// What a store does with events beside keeping them.
pub trait Trail: Send + Sync + 'static {
    /// Events of a workspace within the range, in the order of their keys.
    fn trail<'a>(
        &'a self,
        tenant: &'a TenantId,
        server: &'a ServerId,
        range: &'a EventRange,
    ) -> Answer<'a, Vec<StoredEvent>>;

    /// Events that the sink has yet to be told of, over all tenants, about the oldest first. An event is here from its
    /// commit until [`Trail::exported`], however late that commit was.
    fn unexported(&self, sink: ExportSink, limit: usize) -> Answer<'_, Vec<(TenantId, StoredEvent)>>;

    /// The sink was told of these, by tenant and identifier.
    fn exported<'a>(&'a self, sink: ExportSink, told: &'a [(TenantId, i64)]) -> Answer<'a, ()>;

    /// Takes or prolongs the right to tell the sink; whether the caller has it now. It is free when its time is over.
    fn lease_export(&self, sink: ExportSink, lease: Lease) -> Answer<'_, bool>;

    /// Removes up to `limit` events that happened before `before`, over all tenants; answers how many. Fewer than
    /// `limit` means that none is left.
    fn sweep_events(&self, before: Timestamp, limit: usize) -> Answer<'_, usize>;
}

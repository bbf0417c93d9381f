//! The audit trail: by time, handed on, removed when old.

use crate::read::{bound, list};
use crate::write::{Work, execute};
use crate::{SqliteStore, row, sql};
use protocol::id::{ServerId, TenantId};
use protocol::time::Timestamp;
use rusqlite::{Connection, params};
use store::{Answer, EventRange, ExportSink, Lease, StoreError, StoredEvent, Trail};

/// What the writer does with events that are stored.
pub(crate) enum TrailWork {
    Exported(ExportSink, Vec<(TenantId, i64)>),
    Lease(ExportSink, Lease),
    Sweep { before: Timestamp, limit: usize },
}

pub(crate) fn apply(connection: &Connection, work: &TrailWork) -> Result<usize, StoreError> {
    match work {
        TrailWork::Exported(sink, told) => {
            for (tenant, id) in told {
                execute(connection, sql::EXPORTED, params![sink.bit(), tenant.as_str(), id])?;
            }
            Ok(0)
        }
        TrailWork::Lease(sink, Lease { held_until, now, until }) => {
            let held_until = held_until.map(Timestamp::millis);
            let values = params![name(*sink), until.millis(), now.millis(), held_until];
            execute(connection, sql::LEASE_EXPORT, values)
        }
        TrailWork::Sweep { before, limit } => {
            execute(connection, sql::SWEEP_EVENTS, params![before.millis(), bound(*limit)])
        }
    }
}

/// The row of the counters that holds the end of a lease.
fn name(sink: ExportSink) -> String {
    format!("export to {}", sink.name())
}

impl Trail for SqliteStore {
    fn trail<'a>(
        &'a self,
        tenant: &'a TenantId,
        server: &'a ServerId,
        range: &'a EventRange,
    ) -> Answer<'a, Vec<StoredEvent>> {
        let (tenant, server, range) = (tenant.clone(), server.clone(), *range);
        self.list(move |connection| {
            let statement = if range.descending { sql::TRAIL_DOWN } else { sql::TRAIL_UP };
            let (after, before) = (range.after, range.before);
            let values = params![
                tenant.as_str(),
                server.as_str(),
                after.at.millis(),
                after.id,
                before.at.millis(),
                before.id,
                bound(range.limit)
            ];
            list(connection, statement, values, row::event, || format!("event {tenant}"))
        })
    }

    fn unexported(&self, sink: ExportSink, limit: usize) -> Answer<'_, Vec<(TenantId, StoredEvent)>> {
        self.list(move |connection| {
            let statement = match sink {
                ExportSink::File => sql::UNEXPORTED_TO_FILE,
                ExportSink::Http => sql::UNEXPORTED_TO_HTTP,
            };
            list(connection, statement, params![bound(limit)], row::event_of_tenant, || "event */".to_owned())
        })
    }

    fn exported<'a>(&'a self, sink: ExportSink, told: &'a [(TenantId, i64)]) -> Answer<'a, ()> {
        let work = Work::Trail(TrailWork::Exported(sink, told.to_vec()));
        Box::pin(async move { self.write(work).await.map(|_| ()) })
    }

    fn lease_export(&self, sink: ExportSink, lease: Lease) -> Answer<'_, bool> {
        let work = Work::Trail(TrailWork::Lease(sink, lease));
        Box::pin(async move { self.write(work).await.map(|rows| rows > 0) })
    }

    fn sweep_events(&self, before: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.write(Work::Trail(TrailWork::Sweep { before, limit }))
    }
}

//! The audit trail: by time, handed on, removed when old.

use crate::pipeline::Step;
use crate::read::{bound, list};
use crate::value::{Value, escape, values};
use crate::{PostgresStore, row, sql, write};
use protocol::id::{ServerId, TenantId};
use protocol::time::Timestamp;
use store::{Answer, EventRange, ExportSink, Lease, StoredEvent, Trail};

impl Trail for PostgresStore {
    fn trail<'a>(
        &'a self,
        tenant: &'a TenantId,
        server: &'a ServerId,
        range: &'a EventRange,
    ) -> Answer<'a, Vec<StoredEvent>> {
        self.within(async move {
            let statement = if range.descending { sql::TRAIL_DOWN } else { sql::TRAIL_UP };
            let (after, before) = (range.after, range.before);
            let values = values![
                tenant.as_str(),
                server.as_str(),
                after.at.millis(),
                after.id,
                before.at.millis(),
                before.id,
                bound(range.limit),
            ];
            let rows = self.ask_one(Step::new(statement, values)).await?;
            Ok(list(&rows, row::event, || format!("event {tenant}"))?)
        })
    }

    fn unexported(&self, sink: ExportSink, limit: usize) -> Answer<'_, Vec<(TenantId, StoredEvent)>> {
        self.within(async move {
            let statement = match sink {
                ExportSink::File => sql::UNEXPORTED_TO_FILE,
                ExportSink::Http => sql::UNEXPORTED_TO_HTTP,
            };
            let rows = self.ask_one(Step::new(statement, values![bound(limit)])).await?;
            Ok(list(&rows, row::event_of_tenant, || "event */".to_owned())?)
        })
    }

    fn exported<'a>(&'a self, sink: ExportSink, told: &'a [(TenantId, i64)]) -> Answer<'a, ()> {
        self.within(async move {
            let tenants = told.iter().map(|(tenant, _)| Some(escape(tenant.as_str()))).collect();
            let ids = told.iter().map(|(_, id)| *id).collect();
            let values = vec![Value::Number(sink.bit()), Value::Texts(tenants), Value::Numbers(ids)];
            self.write(&[Step::new(sql::EXPORTED, values)], None).await.map(|_| ())
        })
    }

    fn lease_export(&self, sink: ExportSink, lease: Lease) -> Answer<'_, bool> {
        self.within(async move {
            // The row of the counters that holds the end of the lease.
            let name = format!("export to {}", sink.name());
            let Lease { held_until, now, until } = lease;
            let values = values![name, until.millis(), now.millis(), held_until.map(Timestamp::millis)];
            let rows = self.write(&[Step::new(sql::LEASE_EXPORT, values)], None).await?;
            Ok(rows.last().is_some_and(|rows| *rows > 0))
        })
    }

    fn sweep_events(&self, before: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.within(async move {
            let rows = self.write(&write::sweep(sql::SWEEP_EVENTS, before, limit), None).await?;
            Ok(rows.last().map_or(0, |rows| usize::try_from(*rows).unwrap_or(usize::MAX)))
        })
    }
}

//! The audit trail of the reference store.

use super::{MemoryStore, State, answer};
use crate::{Answer, EventKey, EventRange, ExportSink, Lease, StoredEvent, Trail, row_limit};
use protocol::id::{ServerId, TenantId};
use protocol::time::Timestamp;

impl State {
    fn unexported(&self, sink: ExportSink) -> Vec<(TenantId, StoredEvent)> {
        let waiting = |event: &&StoredEvent| event.exports & sink.bit() != 0;
        let of = |(tenant, rows): (&TenantId, &super::Rows)| {
            let waiting = rows.events.iter().filter(waiting).cloned();
            waiting.map(|event| (tenant.clone(), event)).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = self.tenants.iter().flat_map(of).collect();
        all.sort_by_key(|(_, event)| event.id);
        all
    }

    fn exported(&mut self, sink: ExportSink, told: &[(TenantId, i64)]) {
        for (tenant, id) in told {
            let events = self.tenants.get_mut(tenant).into_iter().flat_map(|rows| rows.events.iter_mut());
            events.filter(|event| event.id == *id).for_each(|event| event.exports &= !sink.bit());
        }
    }

    fn lease(&mut self, sink: ExportSink, lease: Lease) -> bool {
        let until = self.leases.entry(sink.name()).or_default();
        let is_ours = lease.held_until == Some(*until);
        let taken = is_ours || *until < lease.now;
        if taken {
            *until = lease.until;
        }
        taken
    }

    fn sweep_events(&mut self, before: Timestamp, limit: usize) -> usize {
        let mut left = limit;
        for rows in self.tenants.values_mut() {
            rows.events.retain(|event| {
                let goes = event.at < before && left > 0;
                left -= usize::from(goes);
                !goes
            });
        }
        limit - left
    }
}

impl Trail for MemoryStore {
    fn trail<'a>(
        &'a self,
        tenant: &'a TenantId,
        server: &'a ServerId,
        range: &'a EventRange,
    ) -> Answer<'a, Vec<StoredEvent>> {
        answer(move || {
            self.read(tenant, Vec::new(), |rows| {
                let key = |event: &StoredEvent| EventKey { at: event.at, id: event.id };
                let of_server = rows.events.iter().filter(|event| event.server.as_ref() == Some(server));
                let within = of_server.filter(|event| range.after < key(event) && key(event) < range.before);
                let mut found: Vec<_> = within.cloned().collect();
                found.sort_by_key(key);
                if range.descending {
                    found.reverse();
                }
                found.truncate(row_limit(range.limit));
                found
            })
        })
    }

    fn unexported(&self, sink: ExportSink, limit: usize) -> Answer<'_, Vec<(TenantId, StoredEvent)>> {
        answer(move || {
            let mut all = self.state().unexported(sink);
            all.truncate(row_limit(limit));
            Ok(all)
        })
    }

    fn exported<'a>(&'a self, sink: ExportSink, told: &'a [(TenantId, i64)]) -> Answer<'a, ()> {
        answer(move || {
            self.state().exported(sink, told);
            Ok(())
        })
    }

    fn lease_export(&self, sink: ExportSink, lease: Lease) -> Answer<'_, bool> {
        answer(move || Ok(self.state().lease(sink, lease)))
    }

    fn sweep_events(&self, before: Timestamp, limit: usize) -> Answer<'_, usize> {
        answer(move || Ok(self.state().sweep_events(before, limit)))
    }
}

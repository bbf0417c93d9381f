//! Reading the trail of a workspace: by time, filtered, page by page.

use super::AuditRecord;
use super::record::event_id;
use crate::{Engine, EngineError};
use protocol::id::{ServerId, TenantId};
use protocol::time::Timestamp;
use store::{EventKey, EventRange};

/// Events looked at together while a filter is searched for, and at most for one page.
const LOOK: usize = 500;
const MOST_LOOKED_AT: usize = 20_000;

/// What events must be; nothing said, any will do.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// The subject is one of these.
    pub event_subjects: Vec<String>,
    /// The action is one of these.
    pub actions: Vec<String>,
    /// Members of the metadata that have these values.
    pub metadata: Vec<(&'static str, String)>,
}

impl AuditFilter {
    fn is_empty(&self) -> bool {
        self.event_subjects.is_empty() && self.actions.is_empty() && self.metadata.is_empty()
    }

    fn fits(&self, record: &AuditRecord) -> bool {
        (self.event_subjects.is_empty() || self.event_subjects.contains(&record.event_subject))
            && (self.actions.is_empty() || self.actions.contains(&record.action))
            && self.metadata.iter().all(|(name, value)| record.datum(name) == value)
    }
}

/// Which events are asked for.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    /// Events with a greater identifier, and with a smaller one.
    pub after: Option<EventKey>,
    pub before: Option<EventKey>,
    /// Not before this time, and before this one.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub descending: bool,
    pub limit: usize,
    pub filter: AuditFilter,
}

/// A page of the trail.
pub struct AuditPage {
    pub events: Vec<AuditRecord>,
    /// The event at which the search for a filter ended for now; ask on from there.
    pub searched_to: Option<String>,
}

/// The place that an event's identifier names.
pub fn event_key(id: &str) -> Option<EventKey> {
    let digits = id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let number = |part: &str| i64::from_str_radix(part, 16).ok();
    let (at, number_of) = id.split_at_checked(16).filter(|_| digits)?;
    Some(EventKey { at: Timestamp::from_millis(number(at)?), id: number(number_of)? })
}

impl Engine {
    /// A page of the workspace's trail. Each look at the store is bounded, and so is their number: a filter that fits
    /// hardly anything answers what it found so far.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn audit_trail(
        &self,
        tenant: &TenantId,
        server: &ServerId,
        query: &AuditQuery,
    ) -> Result<AuditPage, EngineError> {
        let AuditQuery { descending, limit, ref filter, .. } = *query;
        let look = if filter.is_empty() { limit } else { LOOK };
        let from = query.from.map(EventKey::before);
        let mut range = EventRange {
            after: query.after.max(from).unwrap_or(EventKey::START),
            before: [query.before, query.to.map(EventKey::before)]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(EventKey::END),
            descending,
            limit: look,
        };
        let (mut events, mut looked_at) = (Vec::new(), 0);
        loop {
            let found = self.store.trail(tenant, server, &range).await?;
            looked_at += found.len();
            let last = found.last().map(|event| EventKey { at: event.at, id: event.id });
            let whole = found.len() == look;
            let records = found.iter().map(|event| AuditRecord::of(tenant, event));
            events.extend(records.filter(|record| filter.fits(record)));
            if events.len() >= limit {
                events.truncate(limit);
                return Ok(AuditPage { events, searched_to: None });
            }
            let Some(last) = last.filter(|_| whole) else {
                return Ok(AuditPage { events, searched_to: None });
            };
            if looked_at >= MOST_LOOKED_AT {
                return Ok(AuditPage { events, searched_to: Some(event_id(last)) });
            }
            if descending {
                range.before = last;
            } else {
                range.after = last;
            }
        }
    }
}

//! What happened in a workspace, for accountability (contract: `listAuditEvents`).

use super::{Resource, Servers};
use crate::failure::Failure;
use crate::kind::load;
use crate::operation::{Call, Method, Operation, Parameter, Reply, Running, Shape};
use crate::query::LIMIT;
use engine::{AuditFilter, AuditPage, AuditQuery, AuditRecord, event_key};
use protocol::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

const ORDER: Parameter =
    Parameter { name: "order", description: "`desc` (default): the newest first; or `asc`, by time." };
const AFTER: Parameter =
    Parameter { name: "after_event_id", description: "Only events that stand after this one in time." };
const BEFORE: Parameter =
    Parameter { name: "before_event_id", description: "Only events that stand before this one in time." };
const FROM: Parameter =
    Parameter { name: "timestamp_from", description: "Only events of this time (RFC 3339) and later." };
const TO: Parameter =
    Parameter { name: "timestamp_to", description: "Only events before this time (RFC 3339)." };
const SUBJECTS: Parameter =
    Parameter { name: "event_subject", description: "Only events about these, separated by commas." };
const ACTIONS: Parameter =
    Parameter { name: "event_action", description: "Only these actions, separated by commas." };

/// Members of the metadata that a list can be restricted to. `trace_id` is our own, the others are the contract's.
const CLIENT: Parameter = Parameter { name: "client_id", description: "Only events of this client." };
const SUBJECT: Parameter = Parameter { name: "subject", description: "Only events of this person." };
const SESSION: Parameter =
    Parameter { name: "session_id", description: "Only events of this session (the claim `sid`)." };
const IDP: Parameter =
    Parameter { name: "idp_id", description: "Only events of people of this identity provider." };
const IDP_METHOD: Parameter =
    Parameter { name: "idp_method", description: "Only events of people of such identity providers." };
const IP: Parameter = Parameter { name: "ip", description: "Only events that came from this address." };
const TRACE: Parameter = Parameter { name: "trace_id", description: "Only events of this request." };
const DATA: [Parameter; 7] = [CLIENT, SUBJECT, SESSION, IDP, IDP_METHOD, IP, TRACE];

/// Filters of the contract for what Postern's events do not hold: to ignore them would answer something else than asked.
const NOT_RECORDED: [&str; 8] = [
    "authorization_correlation_id",
    "idp_subject",
    "user_pool_id",
    "user_id",
    "organization_id",
    "affected_user_pool_id",
    "affected_user_id",
    "group_id",
];

pub(super) const AUDIT_EVENTS: Resource = Resource {
    tag: "auditEvents",
    description: "The audit trail: every security-relevant act, with who, where and when.",
    operations: &[Operation {
        query: &[
            LIMIT, ORDER, AFTER, BEFORE, FROM, TO, SUBJECTS, ACTIONS, CLIENT, SUBJECT, SESSION, IDP,
            IDP_METHOD, IP, TRACE,
        ],
        success: (200, Some(Shape::of::<AuditEvents>())),
        errors: &[400, 404],
        ..Operation::new(
            Method::Get,
            "listAuditEvents",
            "/servers/{wid}/audit-events",
            "List audit events",
            |call| -> Running { Box::pin(async move { list(&call).await }) },
        )
    }],
};

/// A page of the audit trail of a workspace.
#[derive(Serialize, ToSchema)]
struct AuditEvents {
    audit_events: Vec<AuditEvent>,
    /// Set when many events were looked at and few fitted the filters: the list goes on from this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    searched_to: Option<String>,
}

/// One event.
#[derive(Serialize, ToSchema)]
struct AuditEvent {
    event_id: String,
    tenant_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    server_id: String,
    /// When it happened (RFC 3339).
    timestamp: String,
    /// What it is about: `access_token`, `authorization_code`, `login`, `consent`, `client`, …
    event_subject: String,
    /// What happened: `issued`, `denied`, `revoked`, `created`, …
    action: String,
    /// `event`: the same in Postern's own words, which tell more apart; `reason` of a refusal, `detail`, `grant_id`, and
    /// `count` where equal events were counted.
    context: BTreeMap<&'static str, String>,
    /// `client_id`; of a person `subject`, `session_id` (the claim `sid`), `idp_id` and `idp_method`; `ip`, `user_agent`,
    /// `trace_id`, and `actor_client_id` of an administrator's change.
    metadata: BTreeMap<&'static str, String>,
}

impl From<AuditRecord> for AuditEvent {
    fn from(record: AuditRecord) -> Self {
        Self {
            event_id: record.event_id,
            tenant_id: record.tenant_id,
            server_id: record.server_id,
            timestamp: record.timestamp,
            event_subject: record.event_subject,
            action: record.action,
            context: record.context,
            metadata: record.metadata,
        }
    }
}

async fn list(call: &Call) -> Result<Reply, Failure> {
    let query = read(call)?;
    let workspace = call.workspace();
    load::<Servers>(call, workspace.as_str()).await?;
    let AuditPage { events, searched_to } =
        call.office.engine.audit_trail(call.tenant(), &workspace, &query).await?;
    Ok(Reply::ok(&AuditEvents {
        audit_events: events.into_iter().map(AuditEvent::from).collect(),
        searched_to,
    }))
}

fn read(call: &Call) -> Result<AuditQuery, Failure> {
    let query = &call.query;
    if let Some(name) = NOT_RECORDED.iter().find(|name| query.get(name).is_some()) {
        return Err(Failure::query(name, "a value", "absent: events do not hold it"));
    }
    let event = |name: &str| match query.get(name) {
        None => Ok(None),
        Some(id) => match event_key(id) {
            None => Err(Failure::query(name, id, "the identifier of an event")),
            key => Ok(key),
        },
    };
    let time = |name: &str| match query.get(name) {
        None => Ok(None),
        Some(text) => match Timestamp::parse_rfc3339(text) {
            None => Err(Failure::query(name, text, "a time such as 2027-01-31T12:00:00Z")),
            time => Ok(time),
        },
    };
    let words = |name: &str| {
        let sent = query.get(name).unwrap_or_default().split(',').filter(|word| !word.is_empty());
        sent.map(str::to_owned).collect()
    };
    let data =
        DATA.iter().filter_map(|parameter| Some((parameter.name, query.get(parameter.name)?.to_owned())));
    Ok(AuditQuery {
        after: event("after_event_id")?,
        before: event("before_event_id")?,
        from: time("timestamp_from")?,
        to: time("timestamp_to")?,
        descending: query.order()?.unwrap_or(true),
        limit: query.limit()?,
        filter: AuditFilter {
            event_subjects: words("event_subject"),
            actions: words("event_action"),
            metadata: data.collect(),
        },
    })
}

//! An event as the outside sees it: in the management API and in an export.
//!
//! The words for subject and action are the contract's where it has one for the same thing; `context.event` always holds
//! Postern's own, which tell more apart.

use protocol::id::TenantId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{EventKey, StoredEvent};

/// What an event is about, and what happened.
type Words = (&'static str, &'static str);

/// Postern's words, and the contract's for them.
const CONTRACT_WORDS: &[(Words, Words)] = &[
    (("assertion", "refused"), ("access_token", "denied")),
    (("authorization", "refused"), ("authorization_code", "denied")),
    (("client", "expired"), ("client", "deleted")),
    (("client", "registered"), ("dcr", "created")),
    (("client", "registration_updated"), ("dcr", "updated")),
    (("client", "secret_rotated"), ("client", "updated")),
    (("client", "secrets_revoked"), ("client", "updated")),
    (("client_authentication", "refused"), ("client", "unauthorized")),
    (("code", "issued"), ("authorization_code", "issued")),
    (("code", "redeemed"), ("access_token", "issued")),
    (("code", "refused"), ("authorization_code", "denied")),
    (("code", "replayed"), ("authorization_code", "denied")),
    (("consent", "allowed"), ("consent", "accepted")),
    (("consent", "denied"), ("consent", "rejected")),
    (("device_code", "refused"), ("access_token", "denied")),
    (("device_code", "replayed"), ("access_token", "denied")),
    (("login", "throttled"), ("bruteforce", "denied")),
    (("password", "refused"), ("access_token", "denied")),
    (("pushed_request", "issued"), ("request", "accepted")),
    (("pushed_request", "refused"), ("request", "rejected")),
    (("refresh_token", "refused"), ("access_token", "denied")),
    (("refresh_token", "replayed"), ("access_token", "denied")),
    (("server", "metadata_updated"), ("server", "updated")),
    (("token", "exchange_refused"), ("access_token", "denied")),
    (("token", "exchanged"), ("access_token", "issued")),
    (("token", "issued"), ("access_token", "issued")),
    (("token", "refreshed"), ("access_token", "issued")),
    (("token", "refused"), ("access_token", "denied")),
    (("token", "revoked"), ("tokens", "revoked")),
];

/// One event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AuditRecord {
    /// Names the event, and its place in the trail of its workspace: identifiers are in the order of time.
    pub event_id: String,
    pub tenant_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_id: String,
    /// RFC 3339.
    pub timestamp: String,
    pub event_subject: String,
    pub action: String,
    /// `event` in Postern's own words; `reason` as in docs/ERRORS.md, `detail`, `grant_id`, `count`.
    pub context: BTreeMap<&'static str, String>,
    /// `client_id`; of a person `subject`, `session_id`, `idp_id` and `idp_method`; `ip`, `user_agent`, `trace_id`, and
    /// `actor_client_id` of an administrator's change.
    pub metadata: BTreeMap<&'static str, String>,
}

/// What is kept; members that are not known to this version are left out.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    event_subject: String,
    action: String,
    client_id: String,
    subject: String,
    session_id: String,
    idp_id: String,
    idp_method: String,
    grant_id: String,
    reason: String,
    detail: String,
    ip: String,
    user_agent: String,
    actor: String,
    count: Option<u64>,
}

impl AuditRecord {
    pub(crate) fn of(tenant: &TenantId, event: &StoredEvent) -> Self {
        let body: Body = serde_json::from_str(&event.body).unwrap_or_else(|_| Body {
            event_subject: "event".to_owned(),
            action: "unreadable".to_owned(),
            ..Body::default()
        });
        let own = (body.event_subject.as_str(), body.action.as_str());
        let (subject, action) =
            CONTRACT_WORDS.iter().find(|(ours, _)| *ours == own).map_or(own, |(_, theirs)| *theirs);
        let count = body.count.map(|count| count.to_string()).unwrap_or_default();
        let own_words = format!("{}.{}", body.event_subject, body.action);
        Self {
            event_id: event_id(EventKey { at: event.at, id: event.id }),
            tenant_id: tenant.as_str().to_owned(),
            server_id: event.server.as_ref().map(|server| server.as_str().to_owned()).unwrap_or_default(),
            timestamp: event.at.rfc3339(),
            event_subject: subject.to_owned(),
            action: action.to_owned(),
            context: present([
                ("event", own_words),
                ("reason", body.reason),
                ("detail", body.detail),
                ("grant_id", body.grant_id),
                ("count", count),
            ]),
            metadata: present([
                ("client_id", body.client_id),
                ("subject", body.subject),
                ("session_id", body.session_id),
                ("idp_id", body.idp_id),
                ("idp_method", body.idp_method),
                ("ip", body.ip),
                ("user_agent", body.user_agent),
                ("actor_client_id", body.actor),
                ("trace_id", event.trace_id.clone()),
            ]),
        }
    }

    pub(crate) fn datum(&self, name: &str) -> &str {
        self.metadata.get(name).map_or("", String::as_str)
    }
}

fn present<const N: usize>(members: [(&'static str, String); N]) -> BTreeMap<&'static str, String> {
    members.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// 32 hexadecimal digits: the time, then the number of the event.
pub(crate) fn event_id(key: EventKey) -> String {
    format!("{:016x}{:016x}", key.at.millis(), key.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;
    use crate::audit::{Origin, event_key};
    use protocol::decision::Event;
    use protocol::error::{Reason, Refusal};
    use protocol::id::{ClientId, ServerId, SessionId};
    use protocol::time::Timestamp;

    #[test]
    fn an_event_is_told_in_the_contract_s_words_and_in_our_own() {
        let call = Call {
            trace_id: "t".to_owned(),
            source: "203.0.113.7".to_owned(),
            user_agent: "browser".to_owned(),
            ..Call::default()
        };
        let event = Event::new("code", "replayed")
            .client(&ClientId::new("app"))
            .subject("sub")
            .session(&SessionId::new("sid"))
            .reason(&Refusal::new(Reason::UserDenied));
        let at = Timestamp::from_seconds(1_800_000_000);
        let kept = Origin::of(&call).keep(&event, at, Some(ServerId::new("default")), Some(3));
        let record = AuditRecord::of(&TenantId::new("acme"), &StoredEvent { id: 77, ..kept });
        assert_eq!((record.event_subject.as_str(), record.action.as_str()), ("authorization_code", "denied"));
        assert_eq!(record.timestamp, at.rfc3339());
        assert_eq!(record.event_id.len(), 32);
        assert_eq!(event_key(&record.event_id), Some(EventKey { at, id: 77 }));
        let shown = serde_json::to_value(&record).unwrap();
        assert_eq!(
            shown["context"],
            serde_json::json!({"event": "code.replayed", "reason": "user_denied", "count": "3"})
        );
        let metadata = serde_json::json!({
            "client_id": "app", "subject": "sub", "session_id": "sid", "ip": "203.0.113.7", "user_agent": "browser",
            "trace_id": "t"
        });
        assert_eq!(shown["metadata"], metadata);
    }

    #[test]
    fn an_event_of_another_version_is_told_as_far_as_it_is_understood() {
        let event = |body: &str| StoredEvent {
            body: body.to_owned(),
            ..StoredEvent::new(&Event::new("x", "y"), Timestamp::default(), None, "t")
        };
        let newer = r#"{"event_subject":"moon","action":"landed","new_member":{"a":1}}"#;
        let record = AuditRecord::of(&TenantId::new("acme"), &event(newer));
        assert_eq!((record.event_subject.as_str(), record.action.as_str()), ("moon", "landed"));
        let broken = AuditRecord::of(&TenantId::new("acme"), &event("{"));
        assert_eq!((broken.event_subject.as_str(), broken.action.as_str()), ("event", "unreadable"));
    }
}

//! `urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4): a device asks until its person has answered.

use super::first_tokens::{FirstTokens, first_tokens};
use super::{Grant, TokenRequest, artifact, check_subject, impossible, required};
use crate::decision::{Cx, Decision, Event};
use crate::error::{Reason, Refusal};
use crate::grant_record::GrantRecord;
use crate::id::{ClientId, Uid};
use crate::record::{Artifact, ArtifactKind, Expect, Found, HandleHash, Lookup, Payload, Write};
use crate::resource;
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use crate::token::Issue;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What an impatient device's interval grows by (RFC 8628 §3.5), in seconds.
const MORE: u64 = 5;
/// Where it stops growing, and with it what a flood writes (attack DEV-07).
const LONGEST_INTERVAL: u64 = 60;
/// A device that keeps the interval may be early by this much: its clock is not ours.
const TOLERANCE: Duration = Duration::from_millis(500);
/// A second exchange sooner than this after the first is a double submit, not a replay.
const DOUBLE_SUBMIT: Duration = Duration::from_millis(800);

/// The device code grant.
pub struct DeviceCodeGrant;

/// Body of a device code's artifact.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeviceCode {
    pub client: ClientId,
    pub client_uid: Uid,
    pub server_uid: Uid,
    pub scope: ScopeSet,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// Where the person's code is kept.
    pub user_code: HandleHash,
    /// The code is dead from then on; its row stays a while, so that the device is told.
    pub expires_at: Timestamp,
    /// Seconds that the device must wait between two questions.
    pub interval: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    pub state: State,
}

/// Where a device authorization stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    Allowed,
    /// Final (attack DEV-05).
    Denied,
    /// The tokens were given out.
    Used(Timestamp),
}

impl Payload for DeviceCode {
    const KIND: ArtifactKind = ArtifactKind::DeviceCode;
}

impl Grant for DeviceCodeGrant {
    fn grant_type(&self) -> &'static str {
        GRANT_TYPE
    }

    fn clause(&self) -> &'static str {
        "RFC 8628 §3.4"
    }

    fn params(&self) -> &'static [&'static str] {
        &["device_code", "resource"]
    }

    fn wants(&self, req: &TokenRequest<'_>, _cx: &mut Cx<'_>) -> Result<Vec<Lookup>, Refusal> {
        let code = required(req.params, "device_code")?;
        Ok(vec![Lookup::Artifact(ArtifactKind::DeviceCode, HandleHash::of(code))])
    }

    fn decide(&self, req: &TokenRequest<'_>, found: &[Found], cx: &mut Cx<'_>) -> Decision<Issue> {
        let Some((row, grant)) = artifact(found, 0) else {
            return Decision::refuse(Reason::DeviceCodeUnknown);
        };
        let code: DeviceCode = match row.payload() {
            Ok(code) => code,
            Err(row) => return Decision::refuse(impossible(&row)),
        };
        if code.server_uid != cx.server.uid {
            return Decision::refuse(Reason::DeviceCodeUnknown);
        }
        // Attack DEV-03: a stranger learns nothing and changes nothing.
        if code.client != req.client.client_id || code.client_uid != req.client.uid {
            return Decision::refuse(Reason::DeviceCodeOfOtherClient);
        }
        match code.state {
            State::Used(used_at) => refuse_second_use(req, used_at, grant, cx),
            State::Denied => Decision::refuse(Reason::UserDenied),
            _ if cx.now >= code.expires_at => Decision::refuse(Reason::DeviceCodeExpired),
            State::Pending => wait(row, &code, cx),
            State::Allowed => exchange(req, row, &code, grant, cx).unwrap_or_else(|refusal| {
                let event =
                    Event::new("device_code", "refused").client(&req.client.client_id).reason(&refusal);
                Decision::refuse(refusal).and_event(event)
            }),
        }
    }
}

/// The person has not answered (RFC 8628 §3.5). A device that asks too soon must wait longer from now on, and the row
/// remembers it.
fn wait(row: &Artifact, code: &DeviceCode, cx: &Cx<'_>) -> Decision<Issue> {
    let interval = Duration::from_secs(code.interval).saturating_sub(TOLERANCE);
    let too_soon = code.asked_at.is_some_and(|asked_at| cx.now.since(asked_at) < interval);
    if too_soon && code.interval >= LONGEST_INTERVAL {
        return Decision::refuse(slow_down(code.interval));
    }
    let interval = if too_soon { code.interval.saturating_add(MORE) } else { code.interval };
    let asked = DeviceCode { interval, asked_at: Some(cx.now), ..code.clone() };
    let artifact = Artifact::after(row, row.hash, row.expires_at, &asked);
    let refusal =
        if too_soon { slow_down(interval) } else { Refusal::new(Reason::DeviceAuthorizationPending) };
    Decision::refuse(refusal)
        .and_write(Write::PutArtifact { artifact, expect: Expect::Revision(row.revision) })
}

fn slow_down(interval: u64) -> Refusal {
    Refusal::new(Reason::DevicePollsTooFast).expected(format!("{interval} seconds between two requests"))
}

/// The one exchange. That it is the only one is a precondition of the commit (attack DEV-02).
fn exchange(
    req: &TokenRequest<'_>,
    row: &Artifact,
    code: &DeviceCode,
    grant: Option<&GrantRecord>,
    cx: &mut Cx<'_>,
) -> Result<Decision<Issue>, Refusal> {
    let grant = grant
        .filter(|grant| grant.is_live(cx.now) && grant.belongs_to(req.client, cx.server))
        .ok_or(Reason::GrantRevoked)?;
    check_subject(grant.body.subject.as_ref(), cx)?;
    let resource = resource::narrow(req.params, &code.resource, &code.scope, cx)?;
    let FirstTokens { issue, grant, mut writes, event } =
        first_tokens(req, grant, &code.scope, &resource, cx);
    let used = DeviceCode { state: State::Used(cx.now), ..code.clone() };
    // The row stays as long as there is something to revoke.
    let artifact =
        Artifact::after(row, row.hash, grant.expires_at.max(row.expires_at), &used).with_grant(grant.id);
    let artifact = Artifact { owner: row.owner.clone(), ..artifact };
    writes.push(Write::PutArtifact { artifact, expect: Expect::Revision(row.revision) });
    Ok(Decision { writes, events: vec![event], reply: Ok(issue) })
}

/// Somebody has a copy of the code (attack DEV-02); a double submit at the same moment is only refused.
fn refuse_second_use(
    req: &TokenRequest<'_>,
    used_at: Timestamp,
    grant: Option<&GrantRecord>,
    cx: &Cx<'_>,
) -> Decision<Issue> {
    let refusal = Refusal::new(Reason::DeviceCodeReplayed).parameter("device_code");
    let event = Event::new("device_code", "replayed").client(&req.client.client_id).reason(&refusal);
    let decision = Decision::refuse(refusal);
    match grant.filter(|_| cx.arrived_at.since(used_at) >= DOUBLE_SUBMIT) {
        Some(grant) => decision
            .and_write(Write::RevokeGrant { id: grant.id.clone(), at: cx.now })
            .and_event(event.grant(grant)),
        None => decision.and_event(event),
    }
}

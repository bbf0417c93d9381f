//! The device authorization request and the person's answer to it (RFC 8628 §3.1–§3.3). The exchange of the device
//! code is a grant like the others: `grant/device_code.rs`.

use crate::client::Client;
use crate::decision::{Cx, Decision, Event, Handle};
use crate::error::{Reason, Refusal};
use crate::grant::device_code::{DeviceCode, GRANT_TYPE, State};
use crate::grant_record::GrantRecord;
use crate::id::Uid;
use crate::params::Params;
use crate::record::{Artifact, ArtifactKind, Expect, HandleHash, Payload, Write};
use crate::session::Session;
use crate::time::Timestamp;
use crate::user_code::UserCode;
use crate::{resource, scope_request};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Seconds between two questions of a device (RFC 8628 §3.2).
pub const INTERVAL: u64 = 5;

/// How long a device is still told that its code has expired.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// What a device is answered (RFC 8628 §3.2), as far as the rules know it.
pub struct DeviceAuthorization {
    pub device_code: Handle,
    pub user_code: UserCode,
    /// Seconds.
    pub expires_in: u64,
    pub interval: u64,
}

/// Leads from the code that a person types to the code that a device holds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct UserCodeEntry {
    pub server_uid: Uid,
    pub device_code: HandleHash,
    pub expires_at: Timestamp,
}

impl Payload for UserCodeEntry {
    const KIND: ArtifactKind = ArtifactKind::UserCode;
}

/// Begins a device authorization for an authenticated client.
pub fn begin(params: &Params, client: &Client, cx: &mut Cx<'_>) -> Decision<DeviceAuthorization> {
    request(params, client, cx).unwrap_or_else(Decision::refuse)
}

fn request(
    params: &Params,
    client: &Client,
    cx: &mut Cx<'_>,
) -> Result<Decision<DeviceAuthorization>, Refusal> {
    check_grant_type(client, cx)?;
    let scope = match scope_request::requested(params)? {
        Some(scope) => {
            scope_request::check_allowed(&scope, client, cx)?;
            scope
        }
        None => scope_request::implicit(client, cx),
    };
    let resource = resource::requested(params, cx)?;
    let (device_code, user_code) = (cx.handle(), UserCode::random(cx));
    let life = cx.server.device_authorization.request_ttl;
    let expires_at = cx.now.plus(life.0);
    let user_code_hash = user_code.hash(cx.server, cx.deriver);
    let waiting = DeviceCode {
        client: client.client_id.clone(),
        client_uid: client.uid.clone(),
        server_uid: cx.server.uid.clone(),
        scope,
        resource,
        user_code: user_code_hash,
        expires_at,
        interval: INTERVAL,
        asked_at: None,
        state: State::Pending,
    };
    let entry =
        UserCodeEntry { server_uid: cx.server.uid.clone(), device_code: device_code.hash(), expires_at };
    let row = Artifact::new(device_code.hash(), expires_at.plus(REMEMBERED), &waiting);
    // Absent: of two requests that draw the same user code one draws again.
    let entry = Artifact::new(user_code_hash, expires_at, &entry);
    let answer =
        DeviceAuthorization { device_code, user_code, expires_in: life.as_secs(), interval: INTERVAL };
    let event = Event::new("device_authorization", "requested").client(&client.client_id);
    Ok(Decision::reply(answer)
        .and_write(Write::PutArtifact { artifact: row, expect: Expect::Absent })
        .and_write(Write::PutArtifact { artifact: entry, expect: Expect::Absent })
        .and_event(event))
}

/// The workspace and the client must use the grant type (attack DEV-12).
fn check_grant_type(client: &Client, cx: &Cx<'_>) -> Result<(), Refusal> {
    if !cx.server.allows_grant_type(GRANT_TYPE) {
        return Err(
            Refusal::new(Reason::GrantTypeNotAllowedHere).expected(cx.server.grant_types.join(" or "))
        );
    }
    if !client.registered_grant_type(GRANT_TYPE) {
        return Err(Refusal::new(Reason::GrantTypeNotRegistered).expected(client.grant_types.join(" or ")));
    }
    Ok(())
}

/// Whether a person may still answer: the code waits, and its client is there and may use it.
pub fn is_answerable(code: &DeviceCode, client: &Client, cx: &Cx<'_>) -> bool {
    code.state == State::Pending
        && cx.now < code.expires_at
        && code.server_uid == cx.server.uid
        && code.client_uid == client.uid
        && client.is_active()
        && check_grant_type(client, cx).is_ok()
}

/// Records what the person said, once. Nobody else can answer afterwards: the user code is gone, and the row has
/// changed (attack DEV-05).
pub fn answer(
    row: &Artifact,
    code: &DeviceCode,
    client: &Client,
    session: &Session,
    allowed: bool,
    cx: &mut Cx<'_>,
) -> Decision<()> {
    let mut decision = Decision::reply(());
    let state = if allowed { State::Allowed } else { State::Denied };
    let answered = DeviceCode { state, ..code.clone() };
    let mut artifact = Artifact::after(row, row.hash, row.expires_at, &answered);
    let mut event = Event::new("device_authorization", if allowed { "allowed" } else { "denied" })
        .client(&client.client_id)
        .person(&session.subject);
    if allowed {
        let grant = grant(code, client, session, cx);
        artifact = artifact.with_grant(grant.id.clone()).with_owner(session.subject.sub.clone());
        event.grant_id = Some(grant.id.clone());
        event = event.detail(code.scope.to_string());
        decision = decision.and_write(Write::PutGrant { grant, expect: Expect::Absent });
    }
    let (kind, hash) = (ArtifactKind::UserCode, code.user_code);
    decision
        .and_write(Write::PutArtifact { artifact, expect: Expect::Revision(row.revision) })
        .and_write(Write::DeleteArtifact { kind, hash, expect: Expect::Any })
        .and_event(event)
}

/// The grant of the person's yes; its last token is made at the code's last moment.
fn grant(code: &DeviceCode, client: &Client, session: &Session, cx: &mut Cx<'_>) -> GrantRecord {
    let access = client.ttl(|own| own.access_token_ttl, cx.server.access_token_ttl);
    let refresh = client.ttl(|own| own.refresh_token_ttl, cx.server.refresh_token_ttl);
    let longest = if code.scope.contains("offline_access") { access.max(refresh) } else { access };
    let mut grant = GrantRecord::outside_browser(client, session.subject.clone(), code.scope.clone(), cx);
    grant.expires_at = code.expires_at.plus(longest.0);
    grant.body.resource.clone_from(&code.resource);
    grant
}

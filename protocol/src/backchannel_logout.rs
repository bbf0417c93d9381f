//! Telling clients that a session is over (OIDC Back-Channel Logout 1.0): who is told, what the logout token says, and
//! when it is sent again.

use crate::client::Client;
use crate::decision::Cx;
use crate::id::{ClientId, ServerId, Uid};
use crate::record::{Artifact, ArtifactKind, Expect, HandleHash, Payload, Write};
use crate::session::Session;
use crate::time::Timestamp;
use crate::token::subject_identifier::subject_identifier;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// Under which every waiting notice is listed.
pub const WAITING: &str = "waiting";
/// `typ` of a logout token (OIDC Back-Channel Logout §2.4).
pub const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";

/// A notice that did not arrive by then is not worth sending: the row goes.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// OIDC Back-Channel Logout §2.4: at most two minutes.
const TOKEN_LIFE: Duration = Duration::from_secs(120);
/// Pause after the first attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const MAX_ATTEMPTS: u32 = 8;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A row of the outbox: one client is to be told. The token itself is signed when it is sent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LogoutNotice {
    pub server: ServerId,
    pub client: ClientId,
    pub client_uid: Uid,
    /// `sub` as the client sees it.
    pub sub: String,
    pub sid: String,
    pub jti: String,
    pub created_at: Timestamp,
    /// How often it was sent.
    pub attempts: u32,
    /// When the background job may send it.
    pub due_at: Timestamp,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_error: String,
    /// Sent often enough: it stays for the administrator to see, and is not sent any more.
    #[serde(default)]
    pub given_up: bool,
}

impl Payload for LogoutNotice {
    const KIND: ArtifactKind = ArtifactKind::Outbox;
}

impl LogoutNotice {
    /// Tells `client` that `session` is over; nothing if it does not want to know.
    pub fn new(client: &Client, session: &Session, cx: &mut Cx<'_>) -> Option<Self> {
        if client.backchannel_logout_uri.is_empty() || !client.is_active() {
            return None;
        }
        Some(Self {
            server: cx.server.id.clone(),
            client: client.client_id.clone(),
            client_uid: client.uid.clone(),
            sub: subject_identifier(client, &session.subject, cx),
            sid: session.subject.sid.as_str().to_owned(),
            jti: cx.uuid(),
            created_at: cx.now,
            attempts: 0,
            // It is sent at once; the job comes after.
            due_at: cx.now.plus(FIRST_PAUSE),
            last_error: String::new(),
            given_up: false,
        })
    }

    pub fn hash(&self) -> HandleHash {
        HandleHash::of(&self.jti)
    }

    /// The row, as it is to be stored.
    pub fn write(&self, expect: Expect) -> Write {
        let artifact = Artifact::new(self.hash(), self.created_at.plus(KEPT), self).with_owner(WAITING);
        let artifact = if self.given_up { artifact } else { artifact.due_at(self.due_at) };
        Write::PutArtifact { artifact, expect }
    }

    /// The notice while it is being sent: nobody else sends it meanwhile, and it is due again after a pause.
    pub fn sending(&self, now: Timestamp) -> Self {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.attempts.min(MAX_ATTEMPTS));
        Self { attempts: self.attempts.saturating_add(1), due_at: now.plus(pause), ..self.clone() }
    }

    /// The notice after an attempt that failed.
    pub fn failed(&self, why: &str) -> Self {
        Self { last_error: why.to_owned(), given_up: self.attempts >= MAX_ATTEMPTS, ..self.clone() }
    }

    /// Claims of the logout token: no `nonce`, one event with an empty object (OIDC Back-Channel Logout §2.4). Each
    /// attempt has the same `jti`, so that a client that did get it notices.
    pub fn claims(&self, cx: &Cx<'_>) -> Vec<u8> {
        let claims = json!({
            "iss": cx.issuer,
            "aud": self.client,
            "sub": self.sub,
            "sid": self.sid,
            "jti": self.jti,
            "iat": cx.now.seconds(),
            "exp": cx.now.plus(TOKEN_LIFE).seconds(),
            "events": { EVENT: {} },
        });
        claims.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{ISSUER, START, World};
    use crate::unknown_members::UnknownMembers;
    use serde_json::Value;

    fn notice(world: &mut World, uri: &str) -> Option<LogoutNotice> {
        let client = Client { backchannel_logout_uri: uri.to_owned(), ..world.confidential() };
        let session = Session {
            server: world.server.id.clone(),
            server_uid: world.server.uid.clone(),
            idp_uid: "idp-uid".into(),
            subject: world.subject(),
            created_at: START,
            ends_at: START,
            last_used_at: START,
            ip_address: String::new(),
            user_agent: String::new(),
            unknown: UnknownMembers::default(),
        };
        LogoutNotice::new(&client, &session, &mut world.cx())
    }

    #[test]
    fn oidc_back_channel_logout_2_4_the_claims_of_a_logout_token() {
        let mut world = World::default();
        let notice = notice(&mut world, "https://app.example/backchannel").unwrap();
        let claims: Value = serde_json::from_slice(&notice.claims(&world.cx())).unwrap();
        let now = START.seconds();
        let expected = json!({
            "iss": ISSUER, "aud": "web", "sub": world.subject().sub, "sid": "sid-1", "jti": notice.jti,
            "iat": now, "exp": now + 120,
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn only_clients_that_want_to_know_are_told_and_not_for_ever() {
        let mut world = World::default();
        assert_eq!(notice(&mut world, ""), None);
        let mut notice = notice(&mut world, "https://app.example/backchannel").unwrap();
        let mut pauses = Vec::new();
        while !notice.given_up {
            notice = notice.sending(START).failed("status 500");
            pauses.push(notice.due_at.seconds() - START.seconds());
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1920, 3840]);
        let Write::PutArtifact { artifact, .. } = notice.write(Expect::Any) else { panic!("a row") };
        assert_eq!((artifact.due_at, artifact.owner.as_deref()), (None, Some(WAITING)));
    }
}

//! The single sign-on session of one browser in one workspace: how long it lives (contract: `cookie_max_age`, `sso`).

use crate::duration::Span;
use crate::id::{ServerId, Uid};
use crate::record::{Artifact, ArtifactKind, HandleHash, Payload};
use crate::server::Server;
use crate::subject::Subject;
use crate::time::Timestamp;
use crate::unknown_members::UnknownMembers;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A use is written down when the one before is this long ago, so that not every request writes.
const NOTED_EVERY: Duration = Duration::from_secs(60);
/// Longest description of a browser that is kept, in bytes.
const MAX_USER_AGENT_BYTES: usize = 256;

/// Settings of single sign-on sessions (contract: `sso`).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = SSOConfiguration)]
pub struct Sso {
    /// Longest life of a session from its login on, where it is shorter than `cookie_max_age`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub max_age: Option<Span>,
    /// A session that was not used for so long is over. A use is noted at least once a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub max_idle: Option<Span>,
    /// Offers `check_session_iframe` and sends `session_state` (OIDC Session Management 1.0). Off by default: browsers
    /// keep the cookie that it needs from frames, and applications that poll would then see each session as changed.
    pub session_management: bool,
}

/// Body of a session artifact; the handle is the cookie's value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Session {
    pub server: ServerId,
    pub server_uid: Uid,
    pub idp_uid: Uid,
    pub subject: Subject,
    pub created_at: Timestamp,
    /// Absolute end; the row's expiry is the idle end if that is sooner.
    pub ends_at: Timestamp,
    pub last_used_at: Timestamp,
    /// Where the login came from, and what the browser called itself: for the person who looks for a strange one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ip_address: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
    /// What a newer version wrote.
    #[serde(flatten)]
    pub unknown: UnknownMembers,
}

impl Payload for Session {
    const KIND: ArtifactKind = ArtifactKind::Session;
}

impl Session {
    /// What the sessions of one person are listed by.
    pub fn owner(server: &ServerId, sub: &str) -> String {
        format!("{server}/{sub}")
    }

    /// The absolute end of a session that begins now.
    pub fn end(server: &Server, now: Timestamp) -> Timestamp {
        now.plus(longest(server))
    }

    /// Whether its time is over. A limit that was lowered meanwhile counts at once.
    pub fn is_over(&self, server: &Server, now: Timestamp) -> bool {
        let idle_end = server.sso.max_idle.map(|idle| self.last_used_at.plus(idle.0));
        now >= self.ends_at
            || now >= self.created_at.plus(longest(server))
            || idle_end.is_some_and(|end| now >= end)
    }

    /// The session with this use noted; nothing if the last one was just now.
    pub fn used(&self, server: &Server, now: Timestamp) -> Option<Self> {
        let tenth = server.sso.max_idle.map(|idle| idle.0 / 10);
        let pause = tenth.map_or(NOTED_EVERY, |tenth| tenth.min(NOTED_EVERY));
        (now >= self.last_used_at.plus(pause)).then(|| Self { last_used_at: now, ..self.clone() })
    }

    /// The row, as it is to be stored.
    pub fn artifact(&self, hash: HandleHash, server: &Server) -> Artifact {
        let idle_end = server.sso.max_idle.map(|idle| self.last_used_at.plus(idle.0));
        let expires_at = idle_end.map_or(self.ends_at, |end| end.min(self.ends_at));
        Artifact::new(hash, expires_at, self).with_owner(Self::owner(&self.server, &self.subject.sub))
    }

    /// As much of a browser's description as is kept, cut at a character's end.
    pub fn shortened(user_agent: &str) -> String {
        let end = (0..=MAX_USER_AGENT_BYTES).rev().find(|end| user_agent.is_char_boundary(*end));
        user_agent.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
    }
}

fn longest(server: &Server) -> Duration {
    let own = server.cookie_max_age;
    server.sso.max_age.map_or(own, |max_age| max_age.min(own)).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{START, World};

    fn at(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn session(world: &World) -> Session {
        Session {
            server: world.server.id.clone(),
            server_uid: world.server.uid.clone(),
            idp_uid: "idp-uid".into(),
            subject: world.subject(),
            created_at: START,
            ends_at: Session::end(&world.server, START),
            last_used_at: START,
            ip_address: String::new(),
            user_agent: String::new(),
            unknown: UnknownMembers::default(),
        }
    }

    #[test]
    fn a_session_ends_at_the_sooner_of_its_limits() {
        let mut world = World::default();
        world.server.cookie_max_age = Span::hours(2);
        let session = session(&world);
        assert!(!session.is_over(&world.server, at(7199)) && session.is_over(&world.server, at(7200)));
        // Both limits count at once when they are lowered.
        world.server.sso.max_age = Some(Span::hours(1));
        assert!(!session.is_over(&world.server, at(3599)) && session.is_over(&world.server, at(3600)));
        world.server.sso.max_idle = Some(Span::minutes(10));
        assert!(!session.is_over(&world.server, at(599)) && session.is_over(&world.server, at(600)));
        let used = session.used(&world.server, at(599)).unwrap();
        assert!(!used.is_over(&world.server, at(1198)) && used.is_over(&world.server, at(1199)));
        let hash = HandleHash::of("cookie");
        assert_eq!(used.artifact(hash, &world.server).expires_at, at(1199), "the row goes with it");
    }

    #[test]
    fn a_use_is_noted_once_a_minute_or_more_often_where_idleness_is_short() {
        let mut world = World::default();
        let session = session(&world);
        assert_eq!(session.used(&world.server, at(59)), None);
        assert_eq!(session.used(&world.server, at(60)).unwrap().last_used_at, at(60));
        world.server.sso.max_idle = Some(Span::minutes(1));
        assert_eq!(session.used(&world.server, at(5)), None);
        assert_eq!(session.used(&world.server, at(6)).unwrap().last_used_at, at(6));
    }

    #[test]
    fn a_long_description_is_cut_between_characters() {
        assert_eq!(Session::shortened("Firefox"), "Firefox");
        assert_eq!(Session::shortened(&"x".repeat(300)).len(), 256);
        assert_eq!(Session::shortened(&format!("{}é", "x".repeat(255))).len(), 255);
    }
}

//! The single sign-on session of one browser in one workspace.

use crate::id::{ServerId, Uid};
use crate::record::{ArtifactKind, Payload};
use crate::subject::Subject;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

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
}

impl Payload for Session {
    const KIND: ArtifactKind = ArtifactKind::Session;
}

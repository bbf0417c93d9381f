//! A login in progress: what was asked, and how far the user has come.

use super::AuthorizeRequest;
use crate::client::Client;
use crate::id::{ServerId, Uid};
use crate::record::{ArtifactKind, HandleHash, Payload};
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a login may take. A later form starts again from its sealed copy of the request.
pub const INTERACTION_LIFE: Duration = Duration::from_secs(3600);

/// Body of an interaction artifact; the handle is the `login_id` in the URLs of the pages.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Interaction {
    pub server: ServerId,
    pub server_uid: Uid,
    pub client_uid: Uid,
    /// The client as its metadata document described it: what the person saw is what happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_document: Option<Box<Client>>,
    pub request: AuthorizeRequest,
    /// The request's parameters as the browser brought them, to start the same request anew and, if they are the
    /// whole request, to check them again.
    pub query: String,
    /// What they stood for, if they were not the whole request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpacked: Option<Unpacked>,
    /// Hash of the cookie of the browser that started it (RFC 9700 §4.7).
    pub browser: HandleHash,
    pub created_at: Timestamp,
    #[serde(default)]
    pub progress: Progress,
    /// Set with the answer: an interaction gives at most one (decisions 9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
}

impl Interaction {
    /// The pushed request that is used up with the answer.
    pub fn pushed(&self) -> Option<HandleHash> {
        self.unpacked.as_ref().and_then(|unpacked| unpacked.pushed)
    }
}

impl Payload for Interaction {
    const KIND: ArtifactKind = ArtifactKind::Interaction;
}

/// The parameters behind a `request_uri` or in a request object.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Unpacked {
    /// Encoded.
    pub query: String,
    /// The pushed request, to be used up with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<HandleHash>,
}

/// What the user has done in an interaction.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// When the user logged in here; meets `prompt=login` and `max_age`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged_in_at: Option<Timestamp>,
    /// Whether the user said that the session's account is the right one.
    pub account_chosen: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consented: Option<Consented>,
}

/// What was allowed, and by whom: another account that logs in meanwhile is asked itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Consented {
    /// `sub` of the session.
    pub subject: String,
    pub scope: ScopeSet,
}

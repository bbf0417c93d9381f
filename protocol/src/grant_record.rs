//! The grant: one act of authorization. Codes, refresh tokens and access tokens point at it, and revoking it
//! kills them all (RFC 7009 §2.1, RFC 6749 §4.1.2).

use crate::client::Client;
use crate::decision::Cx;
use crate::id::{ClientId, GrantId, ServerId, SessionId, Uid};
use crate::scope::ScopeSet;
use crate::server::Server;
use crate::subject::Subject;
use crate::time::Timestamp;
use crate::unknown_members::UnknownMembers;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A grant as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct GrantRecord {
    pub id: GrantId,
    pub server: ServerId,
    pub client: ClientId,
    /// `sub` inside the workspace before pairwise mapping; `None` for a client acting for itself.
    pub subject: Option<String>,
    pub session: Option<SessionId>,
    pub created_at: Timestamp,
    /// When the last token of it must be dead and the row may be swept.
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// Set by the store.
    pub revision: i64,
    pub body: GrantBody,
}

/// What was granted. Stored as JSON; new members need a default.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GrantBody {
    pub server_uid: Uid,
    pub client_uid: Uid,
    pub scope: ScopeSet,
    /// Resource indicators granted (RFC 8707 §2), verbatim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The person, as authenticated; absent for a client acting for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The `claims` request parameter, parsed (OIDC Core §5.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<crate::authorize::claims_request::ClaimsRequest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The grants that it was exchanged from; it lives only while they all do (RFC 8693).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<GrantId>,
    /// Who acts for the person: the claim `act` (RFC 8693 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Map<String, Value>>,
    /// What a newer version wrote.
    #[serde(flatten)]
    pub unknown: UnknownMembers,
}

impl GrantRecord {
    /// A new grant of a person to a client that is not in the person's browser: a device, or a client that was told
    /// the password or vouches for the person. It belongs to no session, so that no logout elsewhere ends it. It lasts
    /// for an access token; longer tokens prolong it.
    pub fn outside_browser(client: &Client, subject: Subject, scope: ScopeSet, cx: &mut Cx<'_>) -> Self {
        let subject = Subject { sid: SessionId::default(), ..subject };
        let access = client.ttl(|own| own.access_token_ttl, cx.server.access_token_ttl);
        Self {
            id: cx.grant_id(),
            server: cx.server.id.clone(),
            client: client.client_id.clone(),
            subject: Some(subject.sub.clone()),
            session: None,
            created_at: cx.now,
            expires_at: cx.now.plus(access.0),
            revoked_at: None,
            revision: 0,
            body: GrantBody {
                server_uid: cx.server.uid.clone(),
                client_uid: client.uid.clone(),
                scope,
                resource: Vec::new(),
                subject: Some(subject),
                claims: None,
                nonce: None,
                ancestors: Vec::new(),
                act: None,
                unknown: UnknownMembers::default(),
            },
        }
    }

    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// Whether it was given to this very client of this very workspace, and not to a deleted one of the same name
    /// (attacks COD-17, W-09).
    pub fn belongs_to(&self, client: &Client, server: &Server) -> bool {
        self.is_of_server(server) && self.client == client.client_id && self.body.client_uid == client.uid
    }

    /// Whether it was given in this very workspace.
    pub fn is_of_server(&self, server: &Server) -> bool {
        self.server == server.id && self.body.server_uid == server.uid
    }
}

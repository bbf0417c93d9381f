//! The shapes of what is stored. The store knows these shapes and nothing of what they mean.

use crate::grant_record::GrantRecord;
use crate::id::{ClientId, GrantId, ServerId, Uid};
use crate::time::Timestamp;
use crate::unknown_members;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

mod artifact;

pub use artifact::{Artifact, ArtifactKind, HandleHash, Payload};

/// Configuration and other things with a name, read and written as whole JSON documents.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DocumentKind {
    Server,
    Client,
    Service,
    Scope,
    Idp,
    Key,
    Consent,
    /// How many requests of one module a tenant may send; its id is the module's name.
    RateLimit,
}

impl DocumentKind {
    pub const ALL: &'static [Self] = &[
        Self::Server,
        Self::Client,
        Self::Service,
        Self::Scope,
        Self::Idp,
        Self::Key,
        Self::Consent,
        Self::RateLimit,
    ];

    /// The name in the store. Never changes once released.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Service => "service",
            Self::Scope => "scope",
            Self::Idp => "idp",
            Self::Key => "key",
            Self::Consent => "consent",
            Self::RateLimit => "rate_limit",
        }
    }

    /// Whether nodes cache it: a change moves the tenant's epoch.
    pub const fn is_configuration(self) -> bool {
        !matches!(self, Self::Consent)
    }
}

/// A document as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Document {
    pub kind: DocumentKind,
    pub id: String,
    /// What it is listed under: the workspace of a client, the subject of a consent.
    pub parent: Option<String>,
    pub uid: Uid,
    /// Set by the store: 1 at creation, one more at each change. The ETag.
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub body: String,
}

impl Document {
    /// The same document with another body; what a newer version wrote and `T` does not know stays in it.
    ///
    /// # Errors
    /// This document is no `T`.
    pub fn rewritten<T: Serialize + DeserializeOwned>(&self, body: &T) -> Result<Self, ImpossibleRow> {
        let body = unknown_members::keep(&self.body, body).map_err(|error| self.impossible(&error))?;
        Ok(Self { body, ..self.clone() })
    }

    fn impossible(&self, error: &serde_json::Error) -> ImpossibleRow {
        ImpossibleRow { what: format!("document {} {}: {error}", self.kind.name(), self.id) }
    }

    /// Reads the body. A row that cannot be is an error, not a guess.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ImpossibleRow> {
        serde_json::from_str(&self.body).map_err(|error| self.impossible(&error))
    }
}

/// A stored row that the rules say cannot exist.
#[derive(Debug, thiserror::Error)]
#[error("impossible row: {what}")]
pub struct ImpossibleRow {
    pub what: String,
}

/// What must hold at the moment of the commit (house rule 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// No such row exists. An artifact whose row expired but is not yet swept still exists.
    Absent,
    /// The row exists in exactly this revision.
    Revision(i64),
    /// Whatever is there is replaced.
    Any,
}

impl Expect {
    /// The revision that the row has after the write, if the precondition holds for the row's `present` one.
    pub fn holds(self, present: Option<i64>) -> Option<i64> {
        let holds = match self {
            Self::Absent => present.is_none(),
            Self::Revision(revision) => present == Some(revision),
            Self::Any => true,
        };
        holds.then(|| present.unwrap_or(0).saturating_add(1))
    }
}

/// One change. A batch of them is committed whole or not at all.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::large_enum_variant, reason = "a batch holds a handful, each moved once")]
pub enum Write {
    PutArtifact {
        artifact: Artifact,
        expect: Expect,
    },
    DeleteArtifact {
        kind: ArtifactKind,
        hash: HandleHash,
        expect: Expect,
    },
    PutGrant {
        grant: GrantRecord,
        expect: Expect,
    },
    /// Changes nothing: the grant has to be in exactly this revision, so that a revocation at the same moment wins.
    RequireGrant {
        id: GrantId,
        revision: i64,
    },
    /// Idempotent: an already revoked or missing grant stays as it is.
    RevokeGrant {
        id: GrantId,
        at: Timestamp,
    },
    /// Revokes every live grant that matches. Idempotent.
    RevokeGrants {
        selector: GrantSelector,
        at: Timestamp,
    },
    /// Creates or replaces; `created_at` and `uid` are kept by the store on replacement.
    PutDocument {
        document: Document,
        expect: Expect,
    },
    DeleteDocument {
        kind: DocumentKind,
        id: String,
        expect: Expect,
    },
    /// Deletes every document of the kind under the parent.
    DeleteChildren {
        kind: DocumentKind,
        parent: String,
    },
}

impl Write {
    /// Whether it may end a token before its time. What a node remembers of tokens is void after it (decisions 8).
    pub fn revokes(&self) -> bool {
        match self {
            Self::RevokeGrant { .. } | Self::RevokeGrants { .. } => true,
            Self::PutGrant { grant, .. } => grant.revoked_at.is_some(),
            Self::PutArtifact { artifact, .. } => artifact.kind == ArtifactKind::RevokedJti,
            Self::DeleteArtifact { kind, .. } => *kind == ArtifactKind::AccessToken,
            Self::RequireGrant { .. }
            | Self::PutDocument { .. }
            | Self::DeleteDocument { .. }
            | Self::DeleteChildren { .. } => false,
        }
    }
}

/// Chooses grants inside one tenant.
#[derive(Clone, PartialEq, Debug)]
pub enum GrantSelector {
    Server(ServerId),
    Client(ServerId, ClientId),
    Subject(ServerId, String),
    Session(ServerId, crate::id::SessionId),
    SubjectAndClient(ServerId, String, ClientId),
}

impl GrantSelector {
    /// Whether it chooses this grant.
    pub fn selects(&self, grant: &GrantRecord) -> bool {
        let GrantRecord { server, client, subject, session, .. } = grant;
        match self {
            Self::Server(of) => server == of,
            Self::Client(of, by) => server == of && client == by,
            Self::Subject(of, about) => server == of && subject.as_ref() == Some(about),
            Self::Session(of, within) => server == of && session.as_ref() == Some(within),
            Self::SubjectAndClient(of, about, by) => {
                server == of && subject.as_ref() == Some(about) && client == by
            }
        }
    }
}

/// One thing to load. A list of them is answered from one snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// The artifact and, if it has one, its grant.
    Artifact(ArtifactKind, HandleHash),
    Grant(GrantId),
    Document(DocumentKind, String),
}

impl Lookup {
    /// The answer when there is nothing.
    pub fn nothing(&self) -> Found {
        match self {
            Self::Artifact(..) => Found::Artifact(None, None),
            Self::Grant(_) => Found::Grant(None),
            Self::Document(..) => Found::Document(None),
        }
    }
}

/// The grants that the grants in `found` were exchanged from: without them nobody can say whether those live.
pub fn ancestors(found: &[Found]) -> Vec<Lookup> {
    let grants = found.iter().filter_map(|found| match found {
        Found::Artifact(_, grant) | Found::Grant(grant) => grant.as_deref(),
        Found::Document(_) => None,
    });
    grants.flat_map(|grant| &grant.body.ancestors).cloned().map(Lookup::Grant).collect()
}

/// The answer to one [`Lookup`], in the same place of the list.
#[derive(Clone, PartialEq, Debug)]
pub enum Found {
    Artifact(Option<Artifact>, Option<Arc<GrantRecord>>),
    Grant(Option<Arc<GrantRecord>>),
    Document(Option<Document>),
}

//! A token of unknown kind, as somebody presents it to have it introspected or revoked (RFC 7662, RFC 7009).
//!
//! `token_type_hint` is not needed: every kind is looked for in one round (RFC 7009 §2.1, attack INT-11).

use super::access_token::{self, ActiveToken, TokenReference};
use super::refresh_token::{self, RefreshToken};
use crate::client::Client;
use crate::decision::Cx;
use crate::grant_record::GrantRecord;
use crate::id::ClientId;
use crate::record::{ArtifactKind, Found, HandleHash, Lookup};

/// A presented token, recognised by its form.
pub enum PresentedToken {
    Access(TokenReference),
    Refresh(HandleHash),
    /// Nothing that this workspace could have issued, or expired.
    Unknown,
}

/// A presented token that counts.
pub enum Active {
    Access(Box<ActiveToken>),
    Refresh { token: RefreshToken, grant: Box<GrantRecord> },
}

impl PresentedToken {
    /// Never fails: what cannot be read is unknown.
    pub fn read(token: &str, cx: &Cx<'_>) -> Self {
        if token.starts_with(refresh_token::PREFIX) {
            return Self::Refresh(HandleHash::of(token));
        }
        access_token::read(token, cx).map_or(Self::Unknown, Self::Access)
    }

    /// What must be loaded, in one round.
    pub fn lookups(&self) -> Vec<Lookup> {
        match self {
            Self::Access(reference) => reference.lookups(),
            Self::Refresh(hash) => vec![Lookup::Artifact(ArtifactKind::RefreshToken, *hash)],
            Self::Unknown => Vec::new(),
        }
    }

    /// The client that it was issued to.
    pub fn client_id(&self, found: &[Found]) -> Option<ClientId> {
        match self {
            Self::Access(reference) => reference.client_id(found),
            Self::Refresh(_) => refresh(found).map(|(token, _)| token.client),
            Self::Unknown => None,
        }
    }

    /// The token, if it counts; `client` is the one of [`PresentedToken::client_id`], if it exists.
    pub fn active(self, found: &[Found], client: Option<&Client>, cx: &Cx<'_>) -> Option<Active> {
        match self {
            Self::Access(reference) => {
                reference.resolve(found, client, cx).ok().map(Box::new).map(Active::Access)
            }
            Self::Refresh(_) => {
                let client = client.filter(|client| client.is_active())?;
                let (token, grant) = refresh(found)?;
                let counts = token.rotated_at.is_none()
                    && cx.now < token.expires_at
                    && grant.is_live(cx.now)
                    && grant.belongs_to(client, cx.server)
                    && grant.body.subject.as_ref().is_none_or(|subject| cx.subjects.still_exists(subject));
                counts.then(|| Active::Refresh { token, grant: Box::new(grant.clone()) })
            }
            Self::Unknown => None,
        }
    }
}

/// The refresh token in what was loaded, and its grant.
pub(crate) fn refresh(found: &[Found]) -> Option<(RefreshToken, &GrantRecord)> {
    match found.first() {
        Some(Found::Artifact(Some(artifact), Some(grant))) => {
            artifact.payload().ok().map(|token| (token, grant.as_ref()))
        }
        _ => None,
    }
}

//! Access tokens: made here, read back here (RFC 9068; decisions 3).

mod active;
mod claims;

pub use active::{ActiveToken, RevokedJti, TokenReference, read};

use crate::client::Client;
use crate::confirmation::{Confirmation, TokenType};
use crate::decision::{Cx, Handle};
use crate::grant_record::GrantRecord;
use crate::id::{ClientId, ServerId, Uid};
use crate::record::{Artifact, ArtifactKind, Expect, HandleHash, Payload, Write};
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use claims::Claims;
use jose::Algorithm;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What an opaque access token begins with, so that a leaked one is recognised for what it is.
pub const PREFIX: &str = "at_";
/// `typ` of a JWT access token (RFC 9068 §2.1).
pub const TYP: &str = "at+jwt";
/// `typ` of the contract's JWT access tokens (decisions 3).
pub const ACP_TYP: &str = "JWT";

/// An access token before it is signed.
pub enum AccessTokenDraft {
    Jwt {
        typ: &'static str,
        alg: Algorithm,
        /// JSON, members in alphabetical order.
        claims: Vec<u8>,
    },
    /// Its artifact is among the writes of the decision.
    Opaque(Handle),
}

/// What an access token is made from.
pub struct AccessTokenFacts<'a> {
    pub client: &'a Client,
    pub scope: &'a ScopeSet,
    /// Resource indicators, verbatim; none means the services of the scopes.
    pub resource: &'a [String],
    /// Absent for a client acting for itself.
    pub grant: Option<&'a GrantRecord>,
    /// The key that it is bound to.
    pub confirmation: Option<&'a Confirmation>,
}

/// An access token and what must be stored for it.
pub struct NewAccessToken {
    pub draft: AccessTokenDraft,
    pub token_type: TokenType,
    pub write: Option<Write>,
    /// Seconds.
    pub expires_in: u64,
}

/// Body of an opaque access token's artifact.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OpaqueAccessToken {
    pub client: ClientId,
    pub client_uid: Uid,
    pub server_uid: Uid,
    pub expires_at: Timestamp,
    /// What a JWT would say.
    pub claims: Map<String, Value>,
}

impl Payload for OpaqueAccessToken {
    const KIND: ArtifactKind = ArtifactKind::AccessToken;
}

/// Ties a JWT of the profile `acp` to its grant, which its claims may not name (decisions 3). Found by
/// [`descent_hash`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Descent {
    pub client: ClientId,
}

impl Payload for Descent {
    const KIND: ArtifactKind = ArtifactKind::AccessToken;
}

/// Where the [`Descent`] of a `jti` is kept. No opaque token hashes to it: those begin with [`PREFIX`].
fn descent_hash(server: &ServerId, jti: &str) -> HandleHash {
    HandleHash::of(&format!("descent\n{server}\n{jti}"))
}

/// Makes an access token in the workspace's form: JWT or opaque, and for a JWT the claim set of its profile.
///
/// A client of its own that gets a JWT needs no write at all: this is the hot path.
pub fn make(facts: &AccessTokenFacts<'_>, cx: &mut Cx<'_>) -> NewAccessToken {
    let life = Life::of(facts, cx);
    let jti = cx.uuid();
    let claims = Claims::new(facts, &life, &jti, cx);
    if cx.server.access_token_strategy == "opaque" {
        let claims = claims.to_map();
        return opaque(facts, &life, claims, cx);
    }
    let profile_acp = cx.server.access_token_profile == "acp";
    let write = facts.grant.filter(|_| profile_acp).map(|grant| {
        let descent = Descent { client: grant.client.clone() };
        let hash = descent_hash(&cx.server.id, &jti);
        let artifact = Artifact::new(hash, life.expires_at(), &descent).with_grant(grant.id.clone());
        Write::PutArtifact { artifact, expect: Expect::Absent }
    });
    NewAccessToken {
        draft: AccessTokenDraft::Jwt {
            typ: if profile_acp { ACP_TYP } else { TYP },
            alg: cx.default_alg,
            claims: claims.to_json(),
        },
        token_type: TokenType::of(facts.confirmation),
        write,
        expires_in: life.seconds(),
    }
}

/// The handle of an opaque token is 256 random bits (attack TOK-14).
fn opaque(
    facts: &AccessTokenFacts<'_>,
    life: &Life,
    claims: Map<String, Value>,
    cx: &mut Cx<'_>,
) -> NewAccessToken {
    let handle = Handle::new(format!("{PREFIX}{}", cx.handle().expose()));
    let payload = OpaqueAccessToken {
        client: facts.client.client_id.clone(),
        client_uid: facts.client.uid.clone(),
        server_uid: cx.server.uid.clone(),
        expires_at: life.expires_at(),
        claims,
    };
    let artifact = Artifact::new(handle.hash(), life.expires_at(), &payload);
    let artifact = match facts.grant {
        Some(grant) => artifact.with_grant(grant.id.clone()),
        None => artifact,
    };
    NewAccessToken {
        draft: AccessTokenDraft::Opaque(handle),
        token_type: TokenType::of(facts.confirmation),
        write: Some(Write::PutArtifact { artifact, expect: Expect::Absent }),
        expires_in: life.seconds(),
    }
}

/// When an access token begins and ends, in seconds since 1970.
struct Life {
    iat: i64,
    exp: i64,
}

impl Life {
    /// No token outlives its grant.
    fn of(facts: &AccessTokenFacts<'_>, cx: &Cx<'_>) -> Self {
        let ttl = facts.client.ttl(|own| own.access_token_ttl, cx.server.access_token_ttl).0;
        let end = cx.now.plus(ttl);
        let end = facts.grant.map_or(end, |grant| end.min(grant.expires_at));
        // Tokens of a deleted client of the same id are dead, to the second of its deletion; the first ones of its
        // successor must not look like them (attack W-09).
        let iat = match facts.client.predecessor_deleted_at {
            Some(deleted) => cx.now.seconds().max(deleted.seconds().saturating_add(1)),
            None => cx.now.seconds(),
        };
        Self { iat, exp: end.seconds() }
    }

    fn seconds(&self) -> u64 {
        u64::try_from(self.exp.saturating_sub(self.iat)).unwrap_or(0)
    }

    fn expires_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.exp)
    }
}

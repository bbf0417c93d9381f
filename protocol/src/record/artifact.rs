//! Artifacts: everything that is handed out as a handle and expires.

use super::ImpossibleRow;
use crate::id::GrantId;
use crate::time::Timestamp;
use crate::unknown_members;
use jose::base64url;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;

/// SHA-256 of a handle. The store never sees the handle itself (attack W-01).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandleHash(pub [u8; 32]);

impl HandleHash {
    pub fn of(handle: &str) -> Self {
        Self(jose::sha256(handle.as_bytes()))
    }

    /// What lists are paged by: 64 hexadecimal digits, which sort like the bytes.
    pub fn key(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn from_key(key: &str) -> Option<Self> {
        if key.len() != 64 || !key.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, at) in hash.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(key.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Debug for HandleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandleHash({})", base64url::encode(&self.0))
    }
}

impl Serialize for HandleHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for HandleHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = base64url::decode(&text).map_err(|_| serde::de::Error::custom("not base64url"))?;
        bytes.try_into().map(Self).map_err(|_| serde::de::Error::custom("not 32 bytes"))
    }
}

/// Everything that is handed out as a handle and expires. One key space per kind (attack COD-11).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArtifactKind {
    AuthorizationCode,
    RefreshToken,
    AccessToken,
    /// An authorization request that its client pushed (RFC 9126).
    PushedRequest,
    /// A login in progress, keyed in the URL by `login_id`.
    Interaction,
    Session,
    /// A `jti` that was seen: client assertions, later DPoP proofs.
    SeenJti,
    /// A JWT access token that was revoked before its time, by its `jti`.
    RevokedJti,
    /// The stored answer to a POST with `X-Idempotency-Key`.
    IdempotentAnswer,
    /// What was explained under a trace id, for the developer's view.
    Explanation,
    /// Remembers that an identifier was deleted, so that its next owner inherits nothing.
    Tombstone,
    /// What a device holds while it waits for its person (RFC 8628 §3.2).
    DeviceCode,
    /// What the person types; leads to the device code.
    UserCode,
    /// Consecutive failed logins of one account from one source, or of one source.
    LoginFailures,
    /// A client that registered itself and that nobody logged in to yet.
    UnusedClient,
    /// What leaves by itself and is sent again until it arrives: logout tokens.
    Outbox,
}

impl ArtifactKind {
    pub const ALL: &'static [Self] = &[
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::AccessToken,
        Self::PushedRequest,
        Self::Interaction,
        Self::Session,
        Self::SeenJti,
        Self::RevokedJti,
        Self::IdempotentAnswer,
        Self::Explanation,
        Self::Tombstone,
        Self::DeviceCode,
        Self::UserCode,
        Self::LoginFailures,
        Self::UnusedClient,
        Self::Outbox,
    ];

    /// The name in the store. Never changes once released.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::AccessToken => "access_token",
            Self::PushedRequest => "pushed_request",
            Self::Interaction => "interaction",
            Self::Session => "session",
            Self::SeenJti => "seen_jti",
            Self::RevokedJti => "revoked_jti",
            Self::IdempotentAnswer => "idempotent_answer",
            Self::Explanation => "explanation",
            Self::Tombstone => "tombstone",
            Self::DeviceCode => "device_code",
            Self::UserCode => "user_code",
            Self::LoginFailures => "login_failures",
            Self::UnusedClient => "unused_client",
            Self::Outbox => "outbox",
        }
    }
}

/// An artifact as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Artifact {
    pub kind: ArtifactKind,
    pub hash: HandleHash,
    /// The grant it descends from; revoked with it.
    pub grant: Option<GrantId>,
    /// What it is listed by, for example the subject of a session.
    pub owner: Option<String>,
    /// When the row may be swept. The rules may consider it dead earlier, never later.
    pub expires_at: Timestamp,
    /// When a background job has to look at it; nothing for what waits for nobody.
    pub due_at: Option<Timestamp>,
    /// Set by the store: 1 at creation, one more at each change.
    pub revision: i64,
    /// Versioned JSON of a [`Payload`].
    pub body: String,
}

/// The body of one kind of artifact.
pub trait Payload: Serialize + DeserializeOwned {
    const KIND: ArtifactKind;
}

impl Artifact {
    /// A new artifact around `payload`; `revision` is 0 until stored.
    pub fn new<P: Payload>(hash: HandleHash, expires_at: Timestamp, payload: &P) -> Self {
        Self {
            kind: P::KIND,
            hash,
            grant: None,
            owner: None,
            expires_at,
            due_at: None,
            revision: 0,
            // Payloads are plain structs of strings and numbers: serialising them cannot fail.
            body: serde_json::to_string(payload).unwrap_or_default(),
        }
    }

    /// A row around `payload` that takes the place of `before` or descends from it; what a newer version wrote there and
    /// `P` does not know is in it too. `before` was read as `P`, so that its body can be read once more.
    pub fn after<P: Payload>(before: &Self, hash: HandleHash, expires_at: Timestamp, payload: &P) -> Self {
        let new = Self::new(hash, expires_at, payload);
        match unknown_members::keep(&before.body, payload) {
            Ok(body) => Self { body, ..new },
            Err(_) => new,
        }
    }

    pub fn with_grant(mut self, grant: GrantId) -> Self {
        self.grant = Some(grant);
        self
    }

    pub fn with_owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    pub fn due_at(mut self, at: Timestamp) -> Self {
        self.due_at = Some(at);
        self
    }

    /// Reads the body. A row that cannot be is an error, not a guess.
    pub fn payload<P: Payload>(&self) -> Result<P, ImpossibleRow> {
        if self.kind != P::KIND {
            return Err(ImpossibleRow {
                what: format!("artifact of kind {} read as {}", self.kind.name(), P::KIND.name()),
            });
        }
        serde_json::from_str(&self.body).map_err(|e| ImpossibleRow {
            what: format!("artifact {} {:?}: {e}", self.kind.name(), self.hash),
        })
    }
}

//! What a rule receives and what it returns (house rules 1, 2 and 4).

use crate::error::Refusal;
use crate::grant_record::GrantRecord;
use crate::id::{ClientId, GrantId, IdpId, SessionId, TenantId, Uid};
use crate::record::{HandleHash, Write};
use crate::scope::Scope;
use crate::server::Server;
use crate::service::Service;
use crate::subject::Subject;
use crate::time::Timestamp;
use jose::{Algorithm, DecryptionKey, UnverifiedJwt, VerifiedJwt, VerifyingKey, Vouched, base64url};
use serde::Serialize;

/// Source of randomness; the engine's comes from the operating system, the tests' from a seed.
pub trait Entropy: Send + Sync {
    fn fill(&mut self, bytes: &mut [u8]);
}

/// Keyed derivation: the same input gives the same handle, which nobody without the key can compute.
pub trait Derive: Send + Sync {
    /// 32 bytes for `label` and `input`.
    fn derive(&self, label: &str, input: &str) -> [u8; 32];
}

/// Remembers which tokens' signatures held under the workspace's present keys, so that a token is not checked again at
/// each use. It may forget; it must not outlive the keys.
pub trait Vouchers: Send + Sync {
    /// The proof for the token of that digest.
    fn recall(&self, digest: &[u8; 32]) -> Option<Vouched>;

    fn remember(&self, proof: Vouched);
}

/// Knows who still exists: refresh, userinfo and sessions end when the person or the provider goes
/// (attack W-10).
pub trait Subjects: Send + Sync {
    fn still_exists(&self, subject: &crate::subject::Subject) -> bool;

    /// The person of that user name, whom nobody has authenticated here.
    fn named(&self, username: &str, now: Timestamp) -> Option<crate::subject::Subject>;
}

/// What tokens of the workspace are for: services, their scopes, the management API.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Host and port of the server, as SPIFFE audiences name it.
    pub host: String,
    pub services: Vec<Service>,
    pub scopes: Vec<Scope>,
    /// Identifier of the management API, in the workspace whose tokens it takes.
    pub management: Option<String>,
}

impl Catalog {
    pub fn scope(&self, name: &str) -> Option<&Scope> {
        self.scopes.iter().find(|s| s.name == name)
    }

    pub fn service(&self, id: &crate::id::ServiceId) -> Option<&Service> {
        self.services.iter().find(|s| s.id == *id)
    }

    /// The scope document that stands for the scope value `name`: the one of that name, or a dynamic one such as
    /// `account.*` for `account.1`. The pattern itself is no scope value: a resource server could read it as all.
    pub fn scope_document(&self, name: &str, server: &Server) -> Option<&Scope> {
        let separator = server.dynamic_scope_separator.as_str();
        if is_pattern(name, separator) {
            return None;
        }
        self.scope(name).or_else(|| {
            self.scopes.iter().find(|scope| {
                is_pattern(&scope.name, separator)
                    && scope
                        .name
                        .strip_suffix('*')
                        .and_then(|prefix| name.strip_prefix(prefix))
                        .is_some_and(|rest| !rest.is_empty() && rest != "*")
            })
        })
    }
}

/// The private keys of a workspace, opened when the first of them is needed: most requests need none.
pub trait DecryptionKeys: Sync {
    fn opened(&self) -> &[DecryptionKey];
}

impl DecryptionKeys for Vec<DecryptionKey> {
    fn opened(&self) -> &[DecryptionKey] {
        self
    }
}

/// Everything around a request that a rule may need: time as a value, entropy as an argument.
pub struct Cx<'a> {
    pub now: Timestamp,
    /// When the request was there, whole. It may decide a good while later, and again after it lost a race: whether it
    /// is a retry or a replay depends on when it came, never on how long it had to wait.
    pub arrived_at: Timestamp,
    pub tenant: &'a TenantId,
    pub server: &'a Server,
    /// Issuer identifier of the workspace, without a trailing slash.
    pub issuer: &'a str,
    pub catalog: &'a Catalog,
    /// Public keys of the workspace that still verify.
    pub keys: &'a [VerifyingKey],
    /// What is known of signatures by [`Cx::keys`].
    pub vouchers: &'a dyn Vouchers,
    /// Keys of the workspace that request objects and hints may be encrypted to.
    pub decryption_keys: &'a dyn DecryptionKeys,
    /// Algorithm of the current signing key.
    pub default_alg: jose::Algorithm,
    /// Says whether a person still exists and may still log in.
    pub subjects: &'a dyn Subjects,
    pub entropy: &'a mut dyn Entropy,
    pub deriver: &'a dyn Derive,
}

impl Cx<'_> {
    /// 32 random bytes in base64url: 43 characters.
    pub fn handle(&mut self) -> Handle {
        let mut bytes = [0u8; 32];
        self.entropy.fill(&mut bytes);
        Handle(base64url::encode(&bytes))
    }

    /// A random version 4 UUID (RFC 9562 §5.4), for `jti`, `sid` and `grant_id`.
    pub fn uuid(&mut self) -> String {
        let mut b = [0u8; 16];
        self.entropy.fill(&mut b);
        let mut n = u128::from_be_bytes(b);
        n = (n & !(0xf << 76)) | (0x4 << 76);
        n = (n & !(0x3 << 62)) | (0x2 << 62);
        let hex = format!("{n:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }

    /// Checks the signature of a token that the workspace is to have made, or recalls that it held.
    ///
    /// # Errors
    /// Those of [`UnverifiedJwt::verify_any`].
    pub fn verify_own(&self, jwt: &UnverifiedJwt<'_>) -> Result<VerifiedJwt, jose::Error> {
        if let Some(proof) = self.vouchers.recall(&jwt.digest()) {
            return jwt.accept(proof);
        }
        let (verified, proof) = jwt.vouch(self.keys, Algorithm::ASYMMETRIC)?;
        self.vouchers.remember(proof);
        Ok(verified)
    }

    pub fn grant_id(&mut self) -> GrantId {
        GrantId::new(self.uuid())
    }

    pub fn uid(&mut self) -> Uid {
        Uid::new(self.uuid())
    }

    /// [`Catalog::scope_document`] of this workspace.
    pub fn scope_document(&self, name: &str) -> Option<&Scope> {
        self.catalog.scope_document(name, self.server)
    }

    /// The token endpoint's URL, which clients may use as audience of assertions.
    pub fn token_endpoint(&self) -> String {
        format!("{}/oauth2/token", self.issuer)
    }
}

/// Whether `name` is the name of a dynamic scope: something, the separator, `*`.
fn is_pattern(name: &str, separator: &str) -> bool {
    !separator.is_empty()
        && name
            .strip_suffix('*')
            .and_then(|prefix| prefix.strip_suffix(separator))
            .is_some_and(|root| !root.is_empty())
}

/// A secret handle as it leaves for the client. Has no `Debug`; only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Handle(String);

impl Handle {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> HandleHash {
        HandleHash::of(&self.0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// What to store, what happened, and what to answer. A refusal may carry writes.
pub struct Decision<R> {
    pub writes: Vec<Write>,
    pub events: Vec<Event>,
    pub reply: Result<R, Refusal>,
}

impl<R> Decision<R> {
    pub fn reply(reply: R) -> Self {
        Self { writes: Vec::new(), events: Vec::new(), reply: Ok(reply) }
    }

    pub fn refuse(refusal: impl Into<Refusal>) -> Self {
        Self { writes: Vec::new(), events: Vec::new(), reply: Err(refusal.into()) }
    }

    pub fn and_write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    pub fn and_event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }
}

/// An audit event. Never holds secrets, tokens, codes or passwords.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Event {
    /// What it is about: `token`, `code`, `login`, `consent`, `client`, …
    pub event_subject: &'static str,
    /// What happened: `issued`, `refused`, `revoked`, `created`, …
    pub action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Subject identifier of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The session as applications see it (claim `sid`), never the cookie's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// Who authenticated the user, and how such a provider does it (`static`, `oidc`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idp_id: Option<IdpId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idp_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<GrantId>,
    /// Name of the catalogue's row when something was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Short further detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Event {
    pub const fn new(event_subject: &'static str, action: &'static str) -> Self {
        Self {
            event_subject,
            action,
            client_id: None,
            subject: None,
            session_id: None,
            idp_id: None,
            idp_method: None,
            grant_id: None,
            reason: None,
            detail: None,
        }
    }

    pub fn client(mut self, client: &ClientId) -> Self {
        self.client_id = Some(client.clone());
        self
    }

    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Who it was, in which session, if in any, and who vouches for them.
    pub fn person(mut self, person: &Subject) -> Self {
        self.idp_id = Some(person.idp.clone());
        self.idp_method = Some(person.idp_method.clone());
        self.subject(&person.sub).session(&person.sid)
    }

    pub fn session(mut self, id: &SessionId) -> Self {
        self.session_id = Some(id).filter(|id| !id.as_str().is_empty()).cloned();
        self
    }

    /// The grant, and in whose name it is.
    pub fn grant(mut self, grant: &GrantRecord) -> Self {
        self.grant_id = Some(grant.id.clone());
        match &grant.body.subject {
            Some(person) => self.person(person),
            None => self,
        }
    }

    pub fn reason(mut self, refusal: &Refusal) -> Self {
        self.reason = Some(refusal.entry().name);
        self
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

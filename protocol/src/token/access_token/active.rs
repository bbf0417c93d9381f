use super::{ACP_TYP, Descent, OpaqueAccessToken, PREFIX, TYP, descent_hash};
use crate::audience;
use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::grant_record::GrantRecord;
use crate::id::{ClientId, GrantId, ServerId};
use crate::record::{Artifact, ArtifactKind, Expect, Found, HandleHash, Lookup, Payload, Write};
use crate::scope::ScopeSet;
use crate::subject::Subject;
use crate::time::{NODE_SKEW, Timestamp};
use crate::token::refresh_token;
use jose::UnverifiedJwt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// An access token whose form, signature and times hold. Whether it still counts is for [`TokenReference::resolve`].
pub enum TokenReference {
    Jwt(JwtReference),
    Opaque(HandleHash),
}

/// The verified claims of a JWT access token.
pub struct JwtReference {
    claims: Map<String, Value>,
    jti: String,
    expires_at: Timestamp,
    descent: JwtDescent,
    revoked_jti: HandleHash,
}

/// How a JWT says what it descends from.
enum JwtDescent {
    /// From no grant: the client acts for itself.
    Client(ClientId),
    /// From the grant that `grant_id` names.
    Grant(ClientId, GrantId),
    /// From the grant that the [`Descent`] of its `jti` names (profile `acp`).
    Record(HandleHash),
}

/// Marks a JWT access token as revoked, until it would have expired.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RevokedJti {
    pub jti: String,
}

impl Payload for RevokedJti {
    const KIND: ArtifactKind = ArtifactKind::RevokedJti;
}

/// An access token that counts, and what it stands for.
#[derive(Clone, PartialEq, Debug)]
pub struct ActiveToken {
    pub client_id: ClientId,
    pub scope: ScopeSet,
    /// Absent for a client acting for itself.
    pub grant: Option<Arc<GrantRecord>>,
    /// What it is narrowed to (RFC 8707 §2); none when it was made without resource indicators.
    pub resource: Vec<String>,
    /// The claims of the JWT, or those that a JWT would have.
    pub claims: Map<String, Value>,
    /// The key that it is bound to.
    pub confirmation: Option<Confirmation>,
    pub expires_at: Timestamp,
}

/// Reads an access token as a client sends it (RFC 6750 §2.1): a JWT that this workspace signed as an access token, or
/// an opaque handle.
///
/// # Errors
/// Another kind of token (attacks JWT-03, RTK-11), a signature that does not hold, a past `exp` without any tolerance
/// (attack UIN-07).
pub fn read(token: &str, cx: &Cx<'_>) -> Result<TokenReference, Refusal> {
    if token.starts_with(refresh_token::PREFIX) {
        return Err(Refusal::new(Reason::TokenKindWrong).received("a refresh token"));
    }
    if let Some(random) = token.strip_prefix(PREFIX) {
        let well_formed = random.len() == 43 && jose::base64url::decode(random).is_ok();
        return if well_formed {
            Ok(TokenReference::Opaque(HandleHash::of(token)))
        } else {
            Err(Reason::TokenMalformed.into())
        };
    }
    read_jwt(token, cx).map(TokenReference::Jwt)
}

fn read_jwt(token: &str, cx: &Cx<'_>) -> Result<JwtReference, Refusal> {
    let jwt = UnverifiedJwt::parse(token).map_err(|_| Reason::TokenMalformed)?;
    let is_acp = jwt.header().typ.as_deref() == Some(ACP_TYP);
    // RFC 9068 §4: typ first; a token without one, or of another kind, is no access token.
    if !is_acp && !jwt.header().is_type(TYP) {
        let typ = jwt.header().typ.clone().unwrap_or_else(|| "none".to_owned());
        return Err(Refusal::new(Reason::TokenKindWrong).received(format!("typ {typ}")).expected(TYP));
    }
    // Every token of ours names its key; the key, not the token, says which algorithms it may be used with
    // (RFC 8725 §3.1).
    if jwt.header().kid.is_none() {
        return Err(Reason::TokenSignature.into());
    }
    let jwt = cx.verify_own(&jwt).map_err(|_| Reason::TokenSignature)?;
    // `aid` and `st` stand in every access token and in no ID token, which has the same typ (RFC 8725 §3.11).
    if is_acp && !(jwt.claims.contains_key("aid") && jwt.claims.contains_key("st")) {
        return Err(Refusal::new(Reason::TokenKindWrong).received("an ID token").expected("an access token"));
    }
    if jwt.str("iss") != Some(cx.issuer) {
        return Err(Refusal::new(Reason::TokenSignature).received("another iss").expected(cx.issuer));
    }
    let date = |claim| jwt.numeric_date(claim).map_err(|_| Reason::TokenMalformed);
    let expires_at = date("exp")?.map(Timestamp::from_seconds).ok_or(Reason::TokenMalformed)?;
    if cx.now >= expires_at {
        return Err(Reason::TokenExpired.into());
    }
    if date("nbf")?.is_some_and(|nbf| Timestamp::from_seconds(nbf) > cx.now.plus(NODE_SKEW)) {
        return Err(Refusal::new(Reason::TokenMalformed).received("nbf in the future"));
    }
    let jti = jwt.str("jti").ok_or(Reason::TokenMalformed)?.to_owned();
    let descent = JwtDescent::of(&jwt.claims, &jti, &cx.server.id).ok_or(Reason::TokenMalformed)?;
    let revoked_jti = revoked_hash(&cx.server.id, &jti);
    Ok(JwtReference { claims: jwt.claims, jti, expires_at, descent, revoked_jti })
}

impl JwtDescent {
    fn of(claims: &Map<String, Value>, jti: &str, server: &ServerId) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        match (text("client_id"), text("grant_id")) {
            (Some(client), Some(grant)) => Some(Self::Grant(client.into(), GrantId::new(grant))),
            (Some(client), None) => Some(Self::Client(client.into())),
            // Profile acp: `idp` says whether there is a person.
            (None, _) if text("idp")?.is_empty() => Some(Self::Client(text("sub")?.into())),
            (None, _) => Some(Self::Record(descent_hash(server, jti))),
        }
    }
}

impl TokenReference {
    /// What must be loaded, in one round, before the other methods can answer.
    pub fn lookups(&self) -> Vec<Lookup> {
        match self {
            Self::Opaque(hash) => vec![Lookup::Artifact(ArtifactKind::AccessToken, *hash)],
            Self::Jwt(jwt) => {
                let mut lookups = vec![Lookup::Artifact(ArtifactKind::RevokedJti, jwt.revoked_jti)];
                match &jwt.descent {
                    JwtDescent::Client(_) => {}
                    JwtDescent::Grant(_, id) => lookups.push(Lookup::Grant(id.clone())),
                    JwtDescent::Record(hash) => {
                        lookups.push(Lookup::Artifact(ArtifactKind::AccessToken, *hash));
                    }
                }
                lookups
            }
        }
    }

    /// The client that the token was issued to; for some forms only what was loaded tells.
    pub fn client_id(&self, found: &[Found]) -> Option<ClientId> {
        match self {
            Self::Jwt(JwtReference {
                descent: JwtDescent::Client(id) | JwtDescent::Grant(id, _), ..
            }) => Some(id.clone()),
            Self::Jwt(_) => {
                artifact(found, 1).and_then(|artifact| artifact.payload::<Descent>().ok()).map(|d| d.client)
            }
            Self::Opaque(_) => {
                let artifact = artifact(found, 0)?;
                artifact.payload::<OpaqueAccessToken>().ok().map(|token| token.client)
            }
        }
    }

    /// Judges the token by what was loaded; `client` is the one of [`TokenReference::client_id`], if it exists.
    ///
    /// # Errors
    /// [`Reason::TokenRevoked`] when the token, its grant, its client, its workspace or its person is gone, or was
    /// replaced by another of the same name (attacks W-09, W-10, ADM-26); [`Reason::TokenExpired`].
    pub fn resolve(
        self,
        found: &[Found],
        client: Option<&Client>,
        cx: &Cx<'_>,
    ) -> Result<ActiveToken, Refusal> {
        let client_id = self.client_id(found);
        let client = client
            .filter(|client| client.is_active() && Some(&client.client_id) == client_id.as_ref())
            .ok_or_else(|| revoked("its client is gone or disabled"))?;
        match self {
            Self::Jwt(jwt) => jwt.resolve(found, client, cx),
            Self::Opaque(_) => resolve_opaque(found, client, cx),
        }
    }

    /// What revokes this token alone (RFC 7009 §2.1).
    pub fn revocation(&self) -> Write {
        match self {
            Self::Opaque(hash) => {
                Write::DeleteArtifact { kind: ArtifactKind::AccessToken, hash: *hash, expect: Expect::Any }
            }
            Self::Jwt(jwt) => {
                let payload = RevokedJti { jti: jwt.jti.clone() };
                let artifact = Artifact::new(jwt.revoked_jti, jwt.expires_at.plus(NODE_SKEW), &payload);
                Write::PutArtifact { artifact, expect: Expect::Any }
            }
        }
    }
}

impl ActiveToken {
    /// The person; absent for a client acting for itself.
    pub fn subject(&self) -> Option<&Subject> {
        self.grant.as_ref()?.body.subject.as_ref()
    }
}

impl JwtReference {
    fn resolve(self, found: &[Found], client: &Client, cx: &Cx<'_>) -> Result<ActiveToken, Refusal> {
        match found.first() {
            Some(Found::Artifact(None, _)) => {}
            Some(Found::Artifact(Some(_), _)) => return Err(revoked("it was revoked")),
            _ => return Err(Reason::Internal.into()),
        }
        let grant = match (&self.descent, found.get(1)) {
            (JwtDescent::Client(_), _) => {
                self.check_incarnation(client)?;
                None
            }
            (JwtDescent::Grant(..), Some(Found::Grant(grant)))
            | (JwtDescent::Record(_), Some(Found::Artifact(Some(_), grant))) => {
                Some(live_grant(grant.as_ref(), found, client, cx)?)
            }
            _ => return Err(revoked("its grant is gone")),
        };
        active(self.claims, self.expires_at, grant, client)
    }

    /// A token without a grant dies with its client, also when another client gets the same id: to the second, since
    /// `iat` has no more (attack W-09).
    fn check_incarnation(&self, client: &Client) -> Result<(), Refusal> {
        let issued_at = self.claims.get("iat").and_then(Value::as_i64).unwrap_or(0);
        match client.predecessor_deleted_at {
            Some(deleted) if deleted.seconds() >= issued_at => Err(revoked("its client was deleted")),
            _ => Ok(()),
        }
    }
}

fn resolve_opaque(found: &[Found], client: &Client, cx: &Cx<'_>) -> Result<ActiveToken, Refusal> {
    let Some(Found::Artifact(Some(artifact), grant)) = found.first() else {
        return Err(revoked("no such token"));
    };
    let token: OpaqueAccessToken = artifact.payload().map_err(|_| Reason::Internal)?;
    if token.server_uid != cx.server.uid || token.client_uid != client.uid {
        return Err(revoked("its client or workspace was deleted"));
    }
    if cx.now >= token.expires_at {
        return Err(Reason::TokenExpired.into());
    }
    let grant = match &artifact.grant {
        Some(_) => Some(live_grant(grant.as_ref(), found, client, cx)?),
        None => None,
    };
    active(token.claims, token.expires_at, grant, client)
}

/// The grant, if everything that it rests on is still there.
fn live_grant(
    grant: Option<&Arc<GrantRecord>>,
    found: &[Found],
    client: &Client,
    cx: &Cx<'_>,
) -> Result<Arc<GrantRecord>, Refusal> {
    let grant = grant.ok_or_else(|| revoked("its grant is gone"))?;
    if !grant.is_live(cx.now) {
        return Err(revoked("its grant was revoked"));
    }
    if !grant.body.ancestors.iter().all(|id| lives(id, found, cx)) {
        return Err(revoked("a grant that it was exchanged from was revoked"));
    }
    if !grant.belongs_to(client, cx.server) {
        return Err(revoked("its client or workspace was deleted"));
    }
    match &grant.body.subject {
        Some(subject) if !cx.subjects.still_exists(subject) => Err(revoked("its user is gone")),
        _ => Ok(Arc::clone(grant)),
    }
}

/// Whether the ancestor is among what was loaded, and alive (attack TEX-03).
fn lives(id: &GrantId, found: &[Found], cx: &Cx<'_>) -> bool {
    found.iter().any(|found| match found {
        Found::Grant(Some(grant)) => grant.id == *id && grant.is_live(cx.now),
        _ => false,
    })
}

fn active(
    claims: Map<String, Value>,
    expires_at: Timestamp,
    grant: Option<Arc<GrantRecord>>,
    client: &Client,
) -> Result<ActiveToken, Refusal> {
    let confirmation =
        Confirmation::of_claims(&claims).map_err(|_| revoked("it is bound in an unknown way"))?;
    // Every token of ours has one; what has none is for nobody (RFC 9068 §4).
    if audience::entries(&claims).next().is_none() {
        return Err(Refusal::new(Reason::TokenMalformed).received("no aud"));
    }
    let resource = audience::narrowed(&claims, client);
    let scope = match (claims.get("scp"), claims.get("scope")) {
        (Some(Value::Array(scopes)), _) => scopes.iter().filter_map(Value::as_str).collect(),
        (_, Some(Value::String(text))) => text.split(' ').filter(|s| !s.is_empty()).collect(),
        _ => ScopeSet::default(),
    };
    let client_id = client.client_id.clone();
    Ok(ActiveToken { client_id, scope, grant, resource, claims, confirmation, expires_at })
}

fn artifact(found: &[Found], index: usize) -> Option<&Artifact> {
    match found.get(index) {
        Some(Found::Artifact(artifact, _)) => artifact.as_ref(),
        _ => None,
    }
}

fn revoked_hash(server: &ServerId, jti: &str) -> HandleHash {
    HandleHash::of(&format!("{server}\n{jti}"))
}

fn revoked(why: &str) -> Refusal {
    Refusal::new(Reason::TokenRevoked).received(why)
}

#[cfg(test)]
mod tests;

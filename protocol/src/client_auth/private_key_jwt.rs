use super::{ClientAuthMethod, Credential, Presented, Proof, Verdict};
use crate::client::{Client, TokenEndpointAuthMethod};
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::id::ClientId;
use crate::params::Params;
use crate::record::{Artifact, ArtifactKind, Expect, HandleHash, Payload, Write};
use crate::time::Timestamp;
use jose::{Algorithm, UnverifiedJwt, VerifiedJwt, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The only assertion type (RFC 7523 §2.2).
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far the clocks of client and server may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(10);
/// How far ahead `exp` may lie: it bounds how long a `jti` is remembered (attack CAJ-11).
const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// Bytes of a `jti`.
const MAX_JTI_BYTES: usize = 256;

/// `private_key_jwt`: a JWT signed with a key of the client (RFC 7523 §2.2, OIDC Core §9).
pub struct PrivateKeyJwt;

/// Remembers that a client used a `jti`, until the assertion has expired anyway.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SeenJti {
    pub client: ClientId,
}

impl Payload for SeenJti {
    const KIND: ArtifactKind = ArtifactKind::SeenJti;
}

impl ClientAuthMethod for PrivateKeyJwt {
    fn method(&self) -> TokenEndpointAuthMethod {
        TokenEndpointAuthMethod::PrivateKeyJwt
    }

    fn clause(&self) -> &'static str {
        "RFC 7523 §2.2"
    }

    /// The client is the one that `client_id` or, without it, the assertion's `sub` names (RFC 7521 §4.2); whether
    /// that is true is for [`ClientAuthMethod::check`].
    fn find(&self, _presented: &Presented<'_>, params: &Params) -> Result<Option<Credential>, Refusal> {
        let (assertion, kind) = match (params.get("client_assertion"), params.get("client_assertion_type")) {
            (None, None) => return Ok(None),
            (assertion, kind) => (assertion.unwrap_or_default(), kind.unwrap_or_default()),
        };
        if kind != JWT_BEARER {
            return Err(Refusal::new(Reason::ClientAssertionTypeUnknown)
                .parameter("client_assertion_type")
                .received(kind)
                .expected(JWT_BEARER));
        }
        let claims = UnverifiedJwt::parse(assertion).and_then(|jwt| jwt.unverified_claims());
        let claims = claims.map_err(|why| malformed(&why))?;
        let subject = claims.get("sub").and_then(|sub| sub.as_str()).filter(|sub| !sub.is_empty());
        let client_id = params.get("client_id").or(subject).ok_or(Reason::ClientAssertionIssuer)?;
        Ok(Some(Credential {
            client_id: client_id.into(),
            method: TokenEndpointAuthMethod::PrivateKeyJwt,
            proof: Proof::Assertion(assertion.to_owned()),
        }))
    }

    fn check(
        &self,
        credential: &Credential,
        client: &Client,
        keys: &[VerifyingKey],
        cx: &mut Cx<'_>,
    ) -> Result<Verdict, Refusal> {
        let Proof::Assertion(assertion) = &credential.proof else {
            return Err(Reason::ClientAuthenticationMissing.into());
        };
        if keys.is_empty() {
            return Err(Reason::ClientKeysUnavailable.into());
        }
        let jwt = verify(assertion, client, keys, cx)?;
        check_issuer(&jwt, client)?;
        check_audience(&jwt, cx)?;
        let expires_at = check_times(&jwt, cx.now)?;
        let seen = remember_jti(&jwt, client, expires_at, cx)?;
        Ok(Verdict::Holds(vec![seen]))
    }
}

/// The signature, by one of the client's own keys and an algorithm that both sides agreed on beforehand; nothing in
/// the header chooses either (RFC 8725 §3.1, §3.10; attacks CAJ-04, CAJ-07, CAJ-08, CAJ-09, CAJ-16).
fn verify(
    assertion: &str,
    client: &Client,
    keys: &[VerifyingKey],
    cx: &Cx<'_>,
) -> Result<VerifiedJwt, Refusal> {
    let jwt = UnverifiedJwt::parse(assertion).map_err(|why| malformed(&why))?;
    // RFC 8725 §3.11: a token made for something else is no client assertion (attack JAR-08).
    let fitting = ["JWT", "client-authentication+jwt"];
    if let Some(typ) =
        jwt.header().typ.as_deref().filter(|_| !fitting.iter().any(|t| jwt.header().is_type(t)))
    {
        return Err(Refusal::new(Reason::ClientAssertionMalformed)
            .parameter("client_assertion")
            .received(format!("typ {typ}"))
            .expected(fitting.join(" or ")));
    }
    let allowed: Vec<Algorithm> = cx
        .server
        .token_endpoint_auth_signing_alg_values
        .iter()
        .copied()
        .filter(|alg| !alg.is_symmetric())
        .filter(|alg| client.token_endpoint_auth_signing_alg.is_none_or(|pinned| pinned == *alg))
        .collect();
    jwt.verify_any(keys, &allowed).map_err(|why| {
        let reason = match why {
            jose::Error::UnsupportedAlgorithm | jose::Error::AlgorithmNotAllowed => {
                Reason::ClientAssertionAlgorithm
            }
            jose::Error::BadSignature | jose::Error::UnknownKey | jose::Error::KeyMismatch => {
                Reason::ClientAssertionSignature
            }
            _ => Reason::ClientAssertionMalformed,
        };
        Refusal::new(reason)
            .parameter("client_assertion")
            .received(format!("alg {}, kid {:?}: {why}", jwt.header().alg, jwt.header().kid))
            .expected(allowed.iter().map(|alg| alg.name()).collect::<Vec<_>>().join(" or "))
    })
}

/// `iss` and `sub` are both the client (RFC 7523 §3 (1), (2); attacks CAJ-14, CAJ-19).
fn check_issuer(jwt: &VerifiedJwt, client: &Client) -> Result<(), Refusal> {
    let own = Some(client.client_id.as_str());
    if jwt.str("iss") == own && jwt.str("sub") == own {
        return Ok(());
    }
    Err(Refusal::new(Reason::ClientAssertionIssuer)
        .received(format!("iss {:?}, sub {:?}", jwt.str("iss"), jwt.str("sub")))
        .expected(client.client_id.as_str()))
}

/// `aud` names this server and nobody else (RFC 7523 §3 (3)).
///
/// The issuer and the token endpoint are accepted. An assertion that is also meant for somebody else could be played
/// on by that party, so every entry of an array must be ours (attacks CAJ-12, CAJ-13). FAPI 2.0 wants the issuer as a
/// single string (FAPI 2.0 Security Profile §5.3.2.1).
fn check_audience(jwt: &VerifiedJwt, cx: &Cx<'_>) -> Result<(), Refusal> {
    let token_endpoint = cx.token_endpoint();
    let audiences = jwt.audiences();
    let holds = if cx.server.profile.starts_with("fapi_20") {
        jwt.str("aud") == Some(cx.issuer)
    } else {
        !audiences.is_empty() && audiences.iter().all(|aud| *aud == cx.issuer || *aud == token_endpoint)
    };
    if holds {
        return Ok(());
    }
    Err(Refusal::new(Reason::ClientAssertionAudience)
        .received(audiences.join(", "))
        .expected(format!("{} or {token_endpoint}, and nothing else", cx.issuer)))
}

/// `exp` is required, not past and not far ahead; `nbf` and `iat` are not in the future (RFC 7523 §3 (4)–(6);
/// attacks CAJ-10, CAJ-11). Answers when the assertion is dead for good.
fn check_times(jwt: &VerifiedJwt, now: Timestamp) -> Result<Timestamp, Refusal> {
    let date = |claim: &str| {
        jwt.numeric_date(claim).map_err(|_| {
            Refusal::new(Reason::ClientAssertionMalformed).received(format!("{claim} is not a NumericDate"))
        })
    };
    let expired = |received: String| Refusal::new(Reason::ClientAssertionExpired).received(received);
    let exp = date("exp")?.ok_or_else(|| expired("no exp".to_owned()))?;
    let (latest, dead_at) =
        (now.plus(LONGEST_LIFE).plus(CLOCK_SKEW), Timestamp::from_seconds(exp).plus(CLOCK_SKEW));
    if now >= dead_at || exp > latest.seconds() {
        return Err(expired(format!("exp {exp}")).expected(format!(
            "a time from {} to {}",
            now.seconds(),
            latest.seconds()
        )));
    }
    for claim in ["nbf", "iat"] {
        if date(claim)?.is_some_and(|seconds| Timestamp::from_seconds(seconds) > now.plus(CLOCK_SKEW)) {
            return Err(Refusal::new(Reason::ClientAssertionNotYetValid)
                .received(format!("{claim} {}", date(claim)?.unwrap_or_default()))
                .expected(format!("at most {}", now.seconds())));
        }
    }
    Ok(dead_at)
}

/// Single use is a precondition of the commit (RFC 7523 §3 (7), OIDC Core §9; attacks CAJ-03, CAJ-15, CAJ-25).
fn remember_jti(
    jwt: &VerifiedJwt,
    client: &Client,
    expires_at: Timestamp,
    cx: &Cx<'_>,
) -> Result<Write, Refusal> {
    let jti = jwt
        .str("jti")
        .filter(|jti| (1..=MAX_JTI_BYTES).contains(&jti.len()))
        .ok_or(Reason::ClientAssertionWithoutJti)?;
    // No identifier holds a line feed, so that two triples never join to the same text.
    let hash = HandleHash::of(&format!("{}\n{}\n{jti}", cx.server.id, client.client_id));
    let seen = SeenJti { client: client.client_id.clone() };
    Ok(Write::PutArtifact { artifact: Artifact::new(hash, expires_at, &seen), expect: Expect::Absent })
}

fn malformed(why: &jose::Error) -> Refusal {
    Refusal::new(Reason::ClientAssertionMalformed).parameter("client_assertion").received(why.to_string())
}

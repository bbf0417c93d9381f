//! JWT assertions (RFC 7523 §3): the rules that hold for whoever signs one, a client that authenticates or an issuer
//! that speaks for a person. What a fault means is for the caller to say.

use crate::decision::Cx;
use crate::id::ClientId;
use crate::profile::Rules;
use crate::record::{Artifact, ArtifactKind, Expect, HandleHash, Lookup, Payload, Write};
use crate::time::Timestamp;
use jose::{Algorithm, UnverifiedJwt, VerifiedJwt, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far the clocks of signer and server may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(10);
/// How far ahead `exp` may lie: it bounds how long a `jti` is remembered (attack CAJ-11).
const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// Bytes of a `jti`.
const MAX_JTI_BYTES: usize = 256;

/// What is wrong with an assertion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    Malformed,
    Algorithm,
    Signature,
    Audience,
    Expired,
    NotYetValid,
    WithoutJti,
}

/// A flaw with what was seen and what would have done, for the developer.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    pub flaw: Flaw,
    pub received: String,
    pub expected: Option<String>,
}

impl Fault {
    fn new(flaw: Flaw, received: impl Into<String>) -> Self {
        Self { flaw, received: received.into(), expected: None }
    }

    fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }
}

impl From<jose::Error> for Fault {
    fn from(why: jose::Error) -> Self {
        Self::new(Flaw::Malformed, why.to_string())
    }
}

/// Remembers that a client used a `jti`, until the assertion has expired anyway.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SeenJti {
    pub client: ClientId,
}

impl Payload for SeenJti {
    const KIND: ArtifactKind = ArtifactKind::SeenJti;
}

/// The signature, by one of `keys` and an algorithm that both sides agreed on beforehand; nothing in the header
/// chooses either (RFC 8725 §3.1, §3.10; attacks CAJ-04, CAJ-07, CAJ-08, CAJ-09, CAJ-16). A token that was made for
/// something else, by its `typ`, is none (RFC 8725 §3.11, attack JAR-08).
///
/// # Errors
/// [`Flaw::Malformed`], [`Flaw::Algorithm`] or [`Flaw::Signature`].
pub fn verify(
    assertion: &str,
    keys: &[VerifyingKey],
    allowed: &[Algorithm],
    fitting_types: &[&str],
) -> Result<VerifiedJwt, Fault> {
    let jwt = UnverifiedJwt::parse(assertion)?;
    let header = jwt.header();
    if let Some(typ) = header.typ.as_deref().filter(|_| !fitting_types.iter().any(|t| header.is_type(t))) {
        let expected = fitting_types.join(" or ");
        return Err(Fault::new(Flaw::Malformed, format!("typ {typ}")).expected(expected));
    }
    jwt.verify_any(keys, allowed).map_err(|why| {
        let flaw = match why {
            jose::Error::UnsupportedAlgorithm | jose::Error::AlgorithmNotAllowed => Flaw::Algorithm,
            jose::Error::BadSignature | jose::Error::UnknownKey | jose::Error::KeyMismatch => Flaw::Signature,
            _ => Flaw::Malformed,
        };
        Fault::new(flaw, format!("alg {}, kid {:?}: {why}", header.alg, header.kid))
            .expected(allowed.iter().map(|alg| alg.name()).collect::<Vec<_>>().join(" or "))
    })
}

/// `aud` names this server and nobody else (RFC 7523 §3 (3)).
///
/// The issuer and the token endpoint are accepted. An assertion that is also meant for somebody else could be played
/// on by that party, so every entry of an array must be ours (attacks CAJ-12, CAJ-13). Some profiles want the issuer as
/// a single string.
///
/// # Errors
/// [`Flaw::Audience`].
pub fn check_audience(jwt: &VerifiedJwt, rules: Rules, cx: &Cx<'_>) -> Result<(), Fault> {
    let token_endpoint = cx.token_endpoint();
    let audiences = jwt.audiences();
    let issuer_alone = rules.wants_issuer_alone();
    let holds = if issuer_alone {
        jwt.str("aud") == Some(cx.issuer)
    } else {
        !audiences.is_empty() && audiences.iter().all(|aud| *aud == cx.issuer || *aud == token_endpoint)
    };
    if holds {
        return Ok(());
    }
    let expected = match issuer_alone {
        true => format!("{} as a single string", cx.issuer),
        false => format!("{} or {token_endpoint}, and nothing else", cx.issuer),
    };
    Err(Fault::new(Flaw::Audience, audiences.join(", ")).expected(expected))
}

/// `exp` is required, not past and not far ahead; `nbf` and `iat` are not in the future (RFC 7523 §3 (4)–(6);
/// attacks CAJ-10, CAJ-11). Answers when the assertion is dead for good.
///
/// # Errors
/// [`Flaw::Malformed`], [`Flaw::Expired`] or [`Flaw::NotYetValid`].
pub fn check_times(jwt: &VerifiedJwt, now: Timestamp) -> Result<Timestamp, Fault> {
    let date = |claim: &str| {
        let not_a_date = |_| Fault::new(Flaw::Malformed, format!("{claim} is not a NumericDate"));
        jwt.numeric_date(claim).map_err(not_a_date)
    };
    let exp = date("exp")?.ok_or_else(|| Fault::new(Flaw::Expired, "no exp"))?;
    let (latest, dead_at) =
        (now.plus(LONGEST_LIFE).plus(CLOCK_SKEW), Timestamp::from_seconds(exp).plus(CLOCK_SKEW));
    if now >= dead_at || exp > latest.seconds() {
        let expected = format!("a time from {} to {}", now.seconds(), latest.seconds());
        return Err(Fault::new(Flaw::Expired, format!("exp {exp}")).expected(expected));
    }
    for claim in ["nbf", "iat"] {
        let Some(seconds) = date(claim)? else { continue };
        if Timestamp::from_seconds(seconds) > now.plus(CLOCK_SKEW) {
            return Err(Fault::new(Flaw::NotYetValid, format!("{claim} {seconds}"))
                .expected(format!("at most {}", now.seconds())));
        }
    }
    Ok(dead_at)
}

/// Where a `jti` of a client is remembered.
pub fn seen_jti(jti: &str, client: &ClientId, cx: &Cx<'_>) -> Lookup {
    Lookup::Artifact(ArtifactKind::SeenJti, jti_hash(jti, client, cx))
}

/// No identifier holds a line feed, so that two triples never join to the same text.
fn jti_hash(jti: &str, client: &ClientId, cx: &Cx<'_>) -> HandleHash {
    HandleHash::of(&format!("{}\n{client}\n{jti}", cx.server.id))
}

/// Single use is a precondition of the commit (RFC 7523 §3 (7), OIDC Core §9; attacks CAJ-03, CAJ-15, CAJ-25).
///
/// # Errors
/// [`Flaw::WithoutJti`].
pub fn remember_jti(
    jwt: &VerifiedJwt,
    client: &ClientId,
    dead_at: Timestamp,
    cx: &Cx<'_>,
) -> Result<Write, Fault> {
    let jti = jwt
        .str("jti")
        .filter(|jti| (1..=MAX_JTI_BYTES).contains(&jti.len()))
        .ok_or_else(|| Fault::new(Flaw::WithoutJti, "no jti, or a long one"))?;
    let hash = jti_hash(jti, client, cx);
    let seen = SeenJti { client: client.clone() };
    Ok(Write::PutArtifact { artifact: Artifact::new(hash, dead_at, &seen), expect: Expect::Absent })
}

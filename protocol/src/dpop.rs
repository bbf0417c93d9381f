//! Demonstrating proof of possession (RFC 9449): a proof in a header, signed with a key that the tokens are bound to.

pub mod nonce;

use crate::assertion::SeenJti;
use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::profile::Rules;
use crate::record::{Artifact, Expect, HandleHash, Write};
use crate::sender_constraint::{ProvenSender, SenderConstraint, SenderRequest};
use crate::single_use::SingleUse;
use crate::time::Timestamp;
use jose::{Algorithm, UnverifiedJwt, VerifiedJwt, VerifyingKey, base64url};
use std::time::Duration;
use url::Url;

/// `typ` of a proof (RFC 9449 §4.2).
const TYP: &str = "dpop+jwt";
/// How old a proof may be: it bounds how long its `jti` is remembered (RFC 9449 §11.1).
const LONGEST_LIFE: Duration = Duration::from_secs(60);
/// How far the clock of a client may be ahead.
const CLOCK_SKEW: Duration = Duration::from_secs(15);
/// Bytes of a `jti`.
const MAX_JTI_BYTES: usize = 256;

/// Algorithms of proofs: asymmetric ones only (RFC 9449 §11.6).
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::ES256,
    Algorithm::EdDSA,
    Algorithm::PS256,
    Algorithm::ES384,
    Algorithm::ES512,
    Algorithm::RS256,
];

/// The algorithms that the profiles leave for proofs: of a workspace `dpop_signing_alg_values_supported`.
pub fn algorithms(rules: Rules) -> Vec<Algorithm> {
    ALGORITHMS.iter().copied().filter(|algorithm| rules.allows_algorithm(*algorithm)).collect()
}

/// Their names with spaces between, as challenges have them (RFC 9449 §7.1).
pub fn algorithm_names(rules: Rules) -> String {
    algorithms(rules).iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(" ")
}

/// Whether a text can be the thumbprint of a key: SHA-256 in base64url (RFC 9449 §10).
pub fn is_thumbprint(text: &str) -> bool {
    base64url::decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Binding by DPoP proofs.
pub struct Dpop;

impl SenderConstraint for Dpop {
    fn clause(&self) -> &'static str {
        "RFC 9449 §5"
    }

    /// RFC 9449 §5.2.
    fn is_required(&self, client: &Client) -> bool {
        client.dpop_bound_access_tokens
    }

    fn is_way_of(&self, confirmation: &Confirmation) -> bool {
        matches!(confirmation, Confirmation::Jkt(_))
    }

    fn missing(&self) -> Reason {
        Reason::DpopProofMissing
    }

    fn prove(
        &self,
        request: &SenderRequest<'_>,
        client: &Client,
        cx: &Cx<'_>,
    ) -> Result<Option<ProvenSender>, Refusal> {
        request.presented.dpop.map(|proof| check(proof, request, client, cx)).transpose()
    }
}

/// Every rule of RFC 9449 §4.3. Header parameters and claims beyond those of RFC 9449 §4.2 say nothing, `exp` and `nbf`
/// among them.
fn check(
    proof: &str,
    request: &SenderRequest<'_>,
    client: &Client,
    cx: &Cx<'_>,
) -> Result<ProvenSender, Refusal> {
    let (jwt, jkt) = verify(proof, Rules::of(cx.server, client))?;
    check_target(&jwt, request)?;
    check_access_token(&jwt, request.access_token)?;
    let dead_at = check_time(&jwt, cx)?;
    let jti = jwt
        .str("jti")
        .filter(|jti| (1..=MAX_JTI_BYTES).contains(&jti.len()))
        .ok_or_else(|| malformed("no jti, or a long one"))?;
    // No identifier holds a space or a line feed, so that this never joins to the text of another kind of `jti`.
    let hash = HandleHash::of(&format!("DPoP proof\n{}\n{jkt}\n{jti}", cx.server.id));
    let seen = Artifact::new(hash, dead_at, &SeenJti { client: client.client_id.clone() });
    let write = Write::PutArtifact { artifact: seen, expect: Expect::Absent };
    // Single use is a precondition of the commit (RFC 9449 §11.1; attack DPO-10).
    let once = vec![SingleUse { write, replayed: Reason::DpopProofReplayed }];
    Ok(ProvenSender { confirmation: Confirmation::Jkt(jkt), once })
}

/// The proof, verified with the key that it brings, and the thumbprint of that key (attacks DPO-06 to DPO-09).
fn verify(proof: &str, rules: Rules) -> Result<(VerifiedJwt, String), Refusal> {
    let jwt = UnverifiedJwt::parse(proof).map_err(|why| malformed(&why.to_string()))?;
    let header = jwt.header();
    if !header.is_type(TYP) {
        let typ = header.typ.as_deref().unwrap_or("none");
        return Err(malformed(&format!("typ {typ}")).expected(TYP));
    }
    let allowed = algorithms(rules);
    if !header.algorithm().is_some_and(|alg| allowed.contains(&alg)) {
        return Err(Refusal::new(Reason::DpopProofAlgorithm)
            .received(header.alg.as_str())
            .expected(algorithm_names(rules)));
    }
    let refuse_key = |why: jose::Error| Refusal::new(Reason::DpopProofKey).received(why.to_string());
    let jwk = header.jwk.as_ref().ok_or_else(|| Refusal::new(Reason::DpopProofKey).received("no jwk"))?;
    let key = VerifyingKey::from_jwk(jwk).map_err(refuse_key)?;
    let jkt = jwk.thumbprint().map_err(refuse_key)?;
    let verified = jwt.verify(&key, &allowed).map_err(|why| match why {
        jose::Error::BadSignature | jose::Error::KeyMismatch => Reason::DpopProofSignature.into(),
        why => malformed(&why.to_string()),
    })?;
    Ok((verified, jkt))
}

/// `htm` and `htu` name this very request (RFC 9449 §4.3 (8), (9); attack DPO-02).
fn check_target(jwt: &VerifiedJwt, request: &SenderRequest<'_>) -> Result<(), Refusal> {
    let (htm, htu) = (jwt.str("htm"), jwt.str("htu"));
    if htm != Some(request.method) {
        return Err(Refusal::new(Reason::DpopProofMethod)
            .received(htm.unwrap_or("no htm"))
            .expected(request.method));
    }
    if htu.and_then(normalized).is_none_or(|sent| Some(sent) != normalized(request.url)) {
        return Err(Refusal::new(Reason::DpopProofUrl)
            .received(htu.unwrap_or("no htu"))
            .expected(request.url));
    }
    Ok(())
}

/// `ath` at a protected resource: the proof is for this access token (RFC 9449 §4.3 (12)).
fn check_access_token(jwt: &VerifiedJwt, access_token: Option<&str>) -> Result<(), Refusal> {
    let Some(access_token) = access_token else { return Ok(()) };
    let expected = base64url::encode(&jose::sha256(access_token.as_bytes()));
    match jwt.str("ath") {
        Some(ath) if ath == expected => Ok(()),
        ath => Err(Refusal::new(Reason::DpopProofAth).received(ath.unwrap_or("no ath")).expected(expected)),
    }
}

/// Fresh by its nonce where the workspace gives nonces (RFC 9449 §8), else by `iat` (RFC 9449 §11.1; attack DPO-04): with
/// a nonce the clock of the client does not matter. Answers when the proof is dead for good.
fn check_time(jwt: &VerifiedJwt, cx: &Cx<'_>) -> Result<Timestamp, Refusal> {
    let iat = jwt.numeric_date("iat").ok().flatten().ok_or_else(|| malformed("no iat, or not a date"))?;
    if cx.server.dpop_nonce_required {
        return nonce::check(jwt.str("nonce"), cx);
    }
    let (made_at, now) = (Timestamp::from_seconds(iat), cx.now);
    // NumericDates have whole seconds.
    let dead_at = made_at.plus(LONGEST_LIFE).plus(Duration::from_secs(1));
    if now >= dead_at || made_at > now.plus(CLOCK_SKEW) {
        return Err(Refusal::new(Reason::DpopProofTime).received(format!("iat {iat}")).expected(format!(
            "{} seconds before to {} after {}",
            LONGEST_LIFE.as_secs(),
            CLOCK_SKEW.as_secs(),
            now.seconds()
        )));
    }
    Ok(dead_at)
}

fn malformed(received: &str) -> Refusal {
    Refusal::new(Reason::DpopProofMalformed).received(received)
}

/// A URL without query and fragment, in the one spelling of RFC 3986 §6.2.2 and §6.2.3: case of scheme and host, default
/// port, dot segments, percent-encoding.
fn normalized(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = percent_normalized(url.path());
    Some(format!("{}{path}", url.origin().ascii_serialization()))
}

/// RFC 3986 §6.2.2.1, §6.2.2.2: unreserved characters stand for themselves, and hexadecimal digits are capitals.
fn percent_normalized(path: &str) -> String {
    let mut parts = path.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (digits, part.get(2..)) {
            (Some(byte), Some(rest)) => {
                match char::from(byte) {
                    plain if plain.is_ascii_alphanumeric() || "-._~".contains(plain) => out.push(plain),
                    _ => out.push_str(&format!("%{byte:02X}")),
                }
                out.push_str(rest);
            }
            _ => {
                out.push('%');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;

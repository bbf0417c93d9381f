//! What both methods that send a JWT have in common (RFC 7521 §4.2, RFC 7523 §2.2).

use super::{Credential, Proof, Verdict};
use crate::assertion::{self, Fault, Flaw};
use crate::client::{Client, TokenEndpointAuthMethod};
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::params::Params;
use crate::profile::Rules;
use crate::single_use::SingleUse;
use jose::{Algorithm, UnverifiedJwt, VerifiedJwt, VerifyingKey};

/// The only assertion type (RFC 7523 §2.2).
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What `typ` may say, if it is there (RFC 8725 §3.11).
const TYPES: &[&str] = &["JWT", "client-authentication+jwt"];

/// The assertion of a request, with the method that its algorithm stands for: one made with a shared secret is a
/// `client_secret_jwt`, any other a `private_key_jwt`, and the registered method says which is right (attack CAJ-24).
///
/// The client is the one that `client_id` or, without it, the assertion's `sub` names (RFC 7521 §4.2); whether that
/// is true is for [`check`].
pub(super) fn find(params: &Params) -> Result<Option<Credential>, Refusal> {
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
    let jwt = UnverifiedJwt::parse(assertion).map_err(|why| refusal(why.into()))?;
    let claims = jwt.unverified_claims().map_err(|why| refusal(why.into()))?;
    let subject = claims.get("sub").and_then(|sub| sub.as_str()).filter(|sub| !sub.is_empty());
    let client_id = params.get("client_id").or(subject).ok_or(Reason::ClientAssertionIssuer)?;
    let method = if jwt.header().algorithm().is_some_and(Algorithm::is_symmetric) {
        TokenEndpointAuthMethod::ClientSecretJwt
    } else {
        TokenEndpointAuthMethod::PrivateKeyJwt
    };
    let proof = Proof::Assertion(assertion.to_owned());
    Ok(Some(Credential { client_id: client_id.into(), method, proof }))
}

/// Every rule of RFC 7523 §3 about an assertion with which a client authenticates.
pub(super) fn check(
    credential: &Credential,
    client: &Client,
    keys: &[VerifyingKey],
    allowed: &[Algorithm],
    cx: &Cx<'_>,
) -> Result<Verdict, Refusal> {
    let Proof::Assertion(token) = &credential.proof else {
        return Err(Reason::ClientAuthenticationMissing.into());
    };
    if keys.is_empty() {
        return Err(Reason::ClientKeysUnavailable.into());
    }
    let jwt = assertion::verify(token, keys, allowed, TYPES).map_err(refusal)?;
    check_issuer(&jwt, client)?;
    assertion::check_audience(&jwt, Rules::of(cx.server, client), cx).map_err(refusal)?;
    let dead_at = assertion::check_times(&jwt, cx.now).map_err(refusal)?;
    let seen = assertion::remember_jti(&jwt, &client.client_id, dead_at, cx).map_err(refusal)?;
    Ok(Verdict::Holds(vec![SingleUse { write: seen, replayed: Reason::ClientAssertionReplayed }]))
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

/// The catalogue's row of a fault in a client's assertion.
fn refusal(fault: Fault) -> Refusal {
    let reason = match fault.flaw {
        Flaw::Malformed => Reason::ClientAssertionMalformed,
        Flaw::Algorithm => Reason::ClientAssertionAlgorithm,
        Flaw::Signature => Reason::ClientAssertionSignature,
        Flaw::Audience => Reason::ClientAssertionAudience,
        Flaw::Expired => Reason::ClientAssertionExpired,
        Flaw::NotYetValid => Reason::ClientAssertionNotYetValid,
        Flaw::WithoutJti => Reason::ClientAssertionWithoutJti,
    };
    let refusal = Refusal::new(reason).parameter("client_assertion").received(fault.received);
    match fault.expected {
        Some(expected) => refusal.expected(expected),
        None => refusal,
    }
}

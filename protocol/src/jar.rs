//! Request objects: an authorization request in a JWT that its client signed (OIDC Core §6, RFC 9101).
//!
//! What stands beside an object counts by the standard that the object is of. With `typ: oauth-authz-req+jwt` it is
//! one of RFC 9101 and the whole request (§6.3; attack JAR-02); so is one that is pushed (RFC 9126 §3). Any other is
//! one of OpenID Connect: parameters beside it supplement it, and for those in both the one inside counts
//! (OIDC Core §6.1, §6.3.3).

use crate::client::Client;
use crate::decision::Cx;
use crate::encryption::{CONTENT_ENCRYPTION, KEY_MANAGEMENT};
use crate::error::{Reason, Refusal};
use crate::params::Params;
use crate::profile::Rules;
use jose::{Algorithm, Jwe, KeyManagement, UnverifiedJwt, VerifiedJwt, VerifyingKey};
use serde_json::Value;
use std::time::Duration;

/// Algorithms of request objects. `none` is not among them: an unsigned object proves nothing (RFC 9101 §10.5).
const ALGORITHMS: &[Algorithm] = &[Algorithm::RS256, Algorithm::ES256, Algorithm::PS256, Algorithm::EdDSA];

/// `typ` of the objects of RFC 9101 §4.
const TYP: &str = "oauth-authz-req+jwt";

/// How far the clocks of client and server may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(10);

/// Longest `request_uri`, in bytes (RFC 9101 §5).
const MAX_REQUEST_URI_BYTES: usize = 512;

/// Claims about the object itself; the others are parameters (RFC 9101 §4).
const CLAIMS_OF_THE_JWT: &[&str] = &["iss", "aud", "exp", "nbf", "iat", "jti", "sub"];

/// Parameters that carry a request and are none of it.
const CARRIERS: &[&str] = &["request", "request_uri"];

/// Where an object is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    Value(&'a str),
    /// An address, without its fragment.
    Reference(&'a str),
}

/// Finds the object of a request, if it has one.
///
/// # Errors
/// Both by value and by reference (RFC 9101 §5; attack JAR-10), or at an address that the client did not register
/// (OIDC Core §6.2): we fetch from nowhere else.
pub fn source<'a>(params: &'a Params, client: &Client) -> Result<Option<Source<'a>>, Refusal> {
    match (params.get("request"), params.get("request_uri")) {
        (Some(_), Some(_)) => Err(Refusal::new(Reason::RequestObjectTwice).parameter("request_uri")),
        (Some(object), None) => Ok(Some(Source::Value(object))),
        (None, Some(uri)) => registered(uri, client).map(|address| Some(Source::Reference(address))),
        (None, None) => Ok(None),
    }
}

/// The address of a registered `request_uri`. Its fragment tells whoever keeps the object that the content has
/// changed (OIDC Core §6.2); nothing is kept here, so it is neither needed nor compared with the content.
fn registered<'a>(uri: &'a str, client: &Client) -> Result<&'a str, Refusal> {
    let refuse = |reason| Refusal::new(reason).parameter("request_uri").received(uri);
    let is_web = uri.starts_with("https://") || uri.starts_with("http://");
    if !is_web || uri.len() > MAX_REQUEST_URI_BYTES {
        return Err(refuse(Reason::RequestUriUnsupported));
    }
    let address = |uri: &'a str| uri.split('#').next().unwrap_or_default();
    let is_registered = client.request_uris.iter().any(|known| {
        let (known, _) = known.split_once('#').unwrap_or((known, ""));
        known == address(uri)
    });
    match is_registered {
        true => Ok(address(uri)),
        false => Err(refuse(Reason::RequestUriNotRegistered).expected(client.request_uris.join(", "))),
    }
}

/// The signed object, taken out of an encrypted one (RFC 9101 §6.1, OIDC Core §6.1): encrypted to a key of the
/// workspace, and nothing but a signed one inside, since encryption says nothing of who sent it.
///
/// # Errors
/// One that does not open; why is not told (RFC 7516 §11.5).
pub fn decrypt(object: String, cx: &Cx<'_>) -> Result<String, Refusal> {
    if !Jwe::is_jwe(&object) {
        return Ok(object);
    }
    let refuse = |received: String| {
        let usable = encryption_algorithms(cx).map(KeyManagement::name).collect::<Vec<_>>().join(" or ");
        Refusal::new(Reason::RequestObjectEncryption).parameter("request").received(received).expected(usable)
    };
    let jwe = Jwe::parse(&object).map_err(|why| refuse(why.to_string()))?;
    let opened =
        jwe.decrypt(cx.decryption_keys.opened(), KEY_MANAGEMENT, CONTENT_ENCRYPTION).map_err(|why| {
            let header = jwe.header();
            refuse(format!("alg {}, enc {}, kid {:?}: {why}", header.alg, header.enc, header.kid))
        })?;
    std::str::from_utf8(&opened)
        .map(str::to_owned)
        .map_err(|_| Refusal::new(Reason::RequestObjectMalformed).parameter("request").received("no text"))
}

/// The algorithms for which the workspace has a key.
pub fn encryption_algorithms(cx: &Cx<'_>) -> impl Iterator<Item = KeyManagement> {
    let has_key = |alg: &KeyManagement| cx.decryption_keys.opened().iter().any(|key| key.fits(*alg));
    KEY_MANAGEMENT.iter().copied().filter(has_key)
}

/// The `kid` of an object, to find its key by.
pub fn kid(object: &str) -> Option<String> {
    UnverifiedJwt::parse(object).ok().and_then(|jwt| jwt.header().kid.clone())
}

/// The parameters that an object and what stands beside it make together.
///
/// # Errors
/// An object that cannot be read, was not signed by the client, is not for us, not for now, or contradicts what
/// stands beside it.
pub fn open(
    object: &str,
    beside: &Params,
    pushed: bool,
    client: &Client,
    keys: &[VerifyingKey],
    cx: &Cx<'_>,
) -> Result<Params, Refusal> {
    let jwt = verify(object, client, keys, cx)?;
    check_origin(&jwt, client, cx)?;
    check_times(&jwt, client, cx)?;
    let inside = parameters(&jwt)?;
    let is_whole = pushed || jwt.header.is_type(TYP);
    check_agreement(&inside, beside, jwt.header.is_type(TYP))?;
    let mut whole = Params::default();
    for (name, value) in inside.iter() {
        whole.push(name.to_owned(), value.to_owned())?;
    }
    // RFC 9101 §5: client_id stands outside in any case, and is the same.
    let supplements = |name: &str| !CARRIERS.contains(&name) && (!is_whole || name == "client_id");
    for (name, value) in beside.iter().filter(|(name, _)| supplements(name) && inside.get(name).is_none()) {
        whole.push(name.to_owned(), value.to_owned())?;
    }
    // The same rules as for parameters that come plain.
    Params::parse(whole.to_query().as_bytes())
}

/// The signature, by one of the client's own keys and an algorithm that it registered; nothing in the header chooses
/// either (RFC 9101 §6.2, RFC 8725 §3.1, §3.10; attacks JAR-03, JAR-08, JAR-12).
fn verify(object: &str, client: &Client, keys: &[VerifyingKey], cx: &Cx<'_>) -> Result<VerifiedJwt, Refusal> {
    let refuse = |reason| Refusal::new(reason).parameter("request");
    let jwt = UnverifiedJwt::parse(object)
        .map_err(|why| refuse(Reason::RequestObjectMalformed).received(why.to_string()))?;
    let header = jwt.header();
    if header.alg == "none" {
        return Err(refuse(Reason::RequestObjectUnsupported)
            .received("alg none")
            .expected(names(&allowed(client, cx))));
    }
    // RFC 9101 §10.8, RFC 8725 §3.11: a token made for something else is no request.
    if let Some(typ) = header.typ.as_deref().filter(|_| !header.is_type("JWT") && !header.is_type(TYP)) {
        return Err(refuse(Reason::RequestObjectMalformed).received(format!("typ {typ}")).expected(TYP));
    }
    if keys.is_empty() {
        return Err(refuse(Reason::RequestObjectKeysUnavailable));
    }
    let allowed = allowed(client, cx);
    jwt.verify_any(keys, &allowed).map_err(|why| {
        let reason = match why {
            jose::Error::UnsupportedAlgorithm | jose::Error::AlgorithmNotAllowed => {
                Reason::RequestObjectAlgorithm
            }
            jose::Error::BadSignature | jose::Error::UnknownKey | jose::Error::KeyMismatch => {
                Reason::RequestObjectSignature
            }
            _ => Reason::RequestObjectMalformed,
        };
        refuse(reason)
            .received(format!("alg {}, kid {:?}: {why}", header.alg, header.kid))
            .expected(names(&allowed))
    })
}

/// The algorithms that the profiles allow.
pub fn algorithms(rules: Rules) -> impl Iterator<Item = Algorithm> {
    ALGORITHMS.iter().copied().filter(move |algorithm| rules.allows_algorithm(*algorithm))
}

/// The registered algorithm, else any (OIDC Registration §2).
fn allowed(client: &Client, cx: &Cx<'_>) -> Vec<Algorithm> {
    let pinned = Algorithm::parse(&client.request_object_signing_alg);
    algorithms(Rules::of(cx.server, client))
        .filter(|algorithm| pinned.is_none_or(|pinned| pinned == *algorithm))
        .collect()
}

/// Who made it and for whom. Both claims may be left out (RFC 9101 §4: SHOULD), unless a profile requires them
/// (attack JAR-05).
fn check_origin(jwt: &VerifiedJwt, client: &Client, cx: &Cx<'_>) -> Result<(), Refusal> {
    let refuse = |reason, received: Option<&Value>, expected: &str| {
        let received = received.map_or_else(|| "nothing".to_owned(), Value::to_string);
        Err(Refusal::new(reason).parameter("request").received(received).expected(expected))
    };
    let required = Rules::of(cx.server, client).request_objects().claims_required;
    let client_id = client.client_id.as_str();
    let (iss, aud, sub) = (jwt.claims.get("iss"), jwt.claims.get("aud"), jwt.claims.get("sub"));
    if (iss.is_some() || required) && jwt.str("iss") != Some(client_id) {
        return refuse(Reason::RequestObjectIssuer, iss, client_id);
    }
    if (aud.is_some() || required) && !jwt.audiences().contains(&cx.issuer) {
        return refuse(Reason::RequestObjectAudience, aud, cx.issuer);
    }
    // RFC 9101 §10.8: whoever gets hold of an object with that sub could authenticate as the client with it (JAR-08).
    if sub.is_some() && jwt.str("sub") == Some(client_id) {
        let received = jwt.str("sub").map(|sub| format!("sub {sub}, which is the client_id"));
        let refusal = Refusal::new(Reason::RequestObjectClientAssertion).parameter("request");
        return Err(refusal.received(received.unwrap_or_default()).expected("an object without sub"));
    }
    Ok(())
}

/// Times that are there must hold; some profiles require them, and not far apart (attack JAR-05).
fn check_times(jwt: &VerifiedJwt, client: &Client, cx: &Cx<'_>) -> Result<(), Refusal> {
    let refuse = |reason| Refusal::new(reason).parameter("request");
    let time = |claim: &str| jwt.numeric_date(claim).map_err(|_| refuse(Reason::RequestObjectMalformed));
    let (exp, nbf, iat) = (time("exp")?, time("nbf")?, time("iat")?);
    let now = cx.now.seconds();
    let soon = cx.now.plus(CLOCK_SKEW).seconds();
    if exp.is_some_and(|exp| exp <= now) {
        return Err(refuse(Reason::RequestObjectExpired).expected(format!("exp after {now}")));
    }
    if nbf.is_some_and(|nbf| nbf > soon) || iat.is_some_and(|iat| iat > soon) {
        return Err(refuse(Reason::RequestObjectNotYetValid).expected(format!("nbf and iat up to {soon}")));
    }
    let rules = Rules::of(cx.server, client).request_objects();
    if !rules.claims_required {
        return Ok(());
    }
    let (Some(exp), Some(nbf)) = (exp, nbf) else {
        return Err(refuse(Reason::RequestObjectExpired).expected("exp and nbf"));
    };
    let longest = i64::try_from(rules.longest_life.as_secs()).unwrap_or(i64::MAX);
    if nbf < now.saturating_sub(longest) || exp.saturating_sub(nbf) > longest {
        let expected = format!("nbf and exp within {}", rules.longest_life);
        return Err(refuse(Reason::RequestObjectExpired).expected(expected));
    }
    Ok(())
}

/// The parameters inside. Numbers and JSON values, as `max_age` and `claims` have, become text (OIDC Core §6.1); a
/// repeatable one may be an array.
fn parameters(jwt: &VerifiedJwt) -> Result<Params, Refusal> {
    let mut params = Params::default();
    for (name, value) in jwt.claims.iter().filter(|(name, _)| !CLAIMS_OF_THE_JWT.contains(&name.as_str())) {
        if CARRIERS.contains(&name.as_str()) {
            // RFC 9101 §4 (attack JAR-07).
            return Err(Refusal::new(Reason::RequestObjectNested).parameter(name));
        }
        let texts = match value {
            Value::Null => {
                return Err(Refusal::new(Reason::RequestObjectMalformed).parameter(name).received("null"));
            }
            Value::String(text) => vec![text.clone()],
            Value::Array(values) if name == "resource" => {
                values.iter().map(|value| value.as_str().unwrap_or_default().to_owned()).collect()
            }
            other => vec![other.to_string()],
        };
        // RFC 6749 §3.1: what has no value was not sent.
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            params.push(name.clone(), text)?;
        }
    }
    Ok(params)
}

/// `client_id` and `response_type` in both places are the same (OIDC Core §6.1, RFC 9101 §5; attack JAR-06).
fn check_agreement(inside: &Params, beside: &Params, needs_client_id: bool) -> Result<(), Refusal> {
    for name in ["client_id", "response_type"] {
        let agrees = match (inside.get(name), beside.get(name)) {
            (Some(inside), Some(beside)) if name == "response_type" => {
                crate::response_type::same_values(inside, beside)
            }
            (Some(inside), Some(beside)) => inside == beside,
            (None, _) if name == "client_id" => !needs_client_id,
            _ => true,
        };
        if !agrees {
            return Err(Refusal::new(Reason::RequestObjectContradicts)
                .parameter(name)
                .received(inside.get(name).unwrap_or("nothing"))
                .expected(beside.get(name).unwrap_or_default()));
        }
    }
    Ok(())
}

fn names(algorithms: &[Algorithm]) -> String {
    algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests;

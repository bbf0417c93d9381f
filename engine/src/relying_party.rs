//! What the demonstration's relying party needs of cryptography: a challenge, and a look at a signature. It
//! stands where a client library stands elsewhere, and uses nothing that a client would not have.

use jose::{Algorithm, JwkSet, UnverifiedJwt};
use serde_json::{Map, Value};

/// The `S256` challenge of a verifier (RFC 7636 §4.2).
pub fn s256(verifier: &str) -> String {
    jose::base64url::encode(&jose::sha256(verifier.as_bytes()))
}

/// An ID token whose signature a published key verified.
pub struct SeenIdToken {
    pub claims: Map<String, Value>,
    /// Of the key that fits.
    pub kid: Option<String>,
}

/// Checks the signature of an ID token with the key set that was fetched (OIDC Core §3.1.3.7, steps 6 to 8).
/// The other claims are the caller's to check.
pub fn verify_id_token(token: &str, jwks: &[u8]) -> Option<SeenIdToken> {
    let keys = JwkSet::parse(jwks).ok()?.verifying_keys();
    let jwt = UnverifiedJwt::parse(token).ok()?;
    let kid = jwt.header().kid.clone();
    let verified = jwt.verify_any(&keys, Algorithm::ASYMMETRIC).ok()?;
    Some(SeenIdToken { claims: verified.claims, kid })
}

//! Tokens read, checked and forged from the outside.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::{Algorithm, JwkSet, SigningKey, UnverifiedJwt};
use serde_json::{Map, Value};

/// Claims of a JWT, unverified.
#[track_caller]
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// Header of a JWT.
#[track_caller]
pub fn header(token: &str) -> Value {
    part(token, 0)
}

#[track_caller]
fn part(token: &str, index: usize) -> Value {
    let Some(text) = token.split('.').nth(index) else { panic!("not a JWT: {token}") };
    let bytes = URL_SAFE_NO_PAD.decode(text).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// Claims of a JWT that one of the published keys signed.
#[track_caller]
pub fn verified(token: &str, jwks: &[u8]) -> Map<String, Value> {
    let keys = JwkSet::parse(jwks).expect("a key set").verifying_keys();
    let allowed = [Algorithm::ES256, Algorithm::RS256, Algorithm::PS256, Algorithm::EdDSA];
    let jwt = UnverifiedJwt::parse(token).expect("a JWT");
    jwt.verify_any(&keys, &allowed).expect("a signature by a published key");
    jwt.unverified_claims().expect("claims")
}

/// A JWT of that header and claims without a signature: `header.claims.`
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", encode(header), encode(claims))
}

/// A new key, for clients and forgers.
pub fn signer(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).expect("a new key")
}

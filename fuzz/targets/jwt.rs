//! A compact JWS is read and checked with the published keys of RFC 7515 and RFC 8037. No signature holds for anything
//! but what was signed, and whatever is accepted has one spelling.

use jose::{Algorithm, Jwk, UnverifiedJwt, VerifyingKey, base64url};
use serde_json::Value;
use std::sync::LazyLock;

/// The published examples, the same as in `jose/tests/rfc_vectors.rs`.
static VECTORS: LazyLock<Vec<(String, VerifyingKey)>> = LazyLock::new(|| {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../jose/tests/rfc_vectors.json")).expect("the examples");
    let keys = vectors.into_iter().map(|vector| {
        let token = vector["token"].as_str().expect("a token").to_owned();
        let key = match vector["key"]["k"].as_str() {
            Some(secret) => VerifyingKey::from_secret(&base64url::decode(secret).expect("a secret")),
            None => {
                let key: Jwk = serde_json::from_value(vector["key"].clone()).expect("a key");
                let public = serde_json::to_value(&key).expect("its public members");
                let public: Jwk = serde_json::from_value(public).expect("a public key");
                VerifyingKey::from_jwk(&public).expect("a usable key")
            }
        };
        (token, key)
    });
    keys.collect()
});

pub(super) fn run(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else { return };
    let Ok(jwt) = UnverifiedJwt::parse(token) else { return };
    // RFC 7515 §2: base64url without padding, bits that do not count are zero. Else one token has many spellings.
    for part in token.split('.') {
        let bytes = base64url::decode(part).expect("what was parsed is base64url");
        assert_eq!(base64url::encode(&bytes), part);
    }
    if let Ok(claims) = jwt.unverified_claims() {
        // What is read strictly means the same to a lax reader.
        let payload = token.split('.').nth(1).expect("three parts");
        let lax: Value =
            serde_json::from_slice(&base64url::decode(payload).expect("base64url")).expect("JSON");
        assert_eq!(Value::Object(claims), lax);
    }
    let (signed, _) = token.rsplit_once('.').expect("three parts");
    for (original, key) in VECTORS.iter() {
        let is_original = original.rsplit_once('.').is_some_and(|(input, _)| input == signed);
        if jwt.verify(key, Algorithm::ALL).is_ok() {
            assert!(is_original, "a forged token: {token}");
            assert!(jwt.header().crit.is_none(), "RFC 7515 §4.1.11");
        }
        assert!(jwt.verify(key, &[]).is_err(), "nothing was allowed");
        if let Ok(verified) = jwt.verify_any(std::slice::from_ref(key), Algorithm::ASYMMETRIC) {
            assert!(is_original && !Algorithm::parse(&verified.header.alg).expect("known").is_symmetric());
            let _ = (verified.numeric_date("exp"), verified.audiences());
        }
    }
}

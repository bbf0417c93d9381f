//! A compact JWE is read and decrypted with the published keys of RFC 7516 and RFC 7520. Nothing decrypts but what was
//! encrypted, and whatever is read has one spelling.

use jose::{ContentEncryption, DecryptionKey, Error, Jwe, Jwk, KeyManagement, base64url};
use serde_json::Value;
use std::sync::LazyLock;

/// The published examples, the same as in `jose/tests/jwe_vectors.rs`.
static VECTORS: LazyLock<Vec<(String, DecryptionKey)>> = LazyLock::new(|| {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../jose/tests/jwe_vectors.json")).expect("the examples");
    let keys = vectors.into_iter().map(|vector| {
        let token = vector["token"].as_str().expect("a token").to_owned();
        let key: Jwk = serde_json::from_value(vector["key"].clone()).expect("a key");
        (token, DecryptionKey::from_jwk(&key).expect("a usable key"))
    });
    keys.collect()
});

pub(super) fn run(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else { return };
    let Ok(jwe) = Jwe::parse(token) else { return };
    assert!(Jwe::is_jwe(token));
    for part in token.split('.') {
        let bytes = base64url::decode(part).expect("what was parsed is base64url");
        assert_eq!(base64url::encode(&bytes), part);
    }
    // Some of the examples have one key.
    let is_original = VECTORS.iter().any(|(original, _)| sealed(token) == sealed(original));
    for (_, key) in VECTORS.iter() {
        let keys = std::slice::from_ref(key);
        if jwe.decrypt(keys, KeyManagement::ALL, ContentEncryption::ALL).is_ok() {
            assert!(is_original, "a forged token: {token}");
        }
        let refused = jwe.decrypt(keys, &[], ContentEncryption::ALL);
        let by_header = [Error::AlgorithmNotAllowed, Error::UnsupportedAlgorithm];
        assert!(refused.is_err_and(|why| by_header.contains(&why)), "nothing was allowed");
    }
}

/// What the tag covers, and the tag: all but the encrypted key.
fn sealed(token: &str) -> Vec<&str> {
    token.split('.').enumerate().filter(|(at, _)| *at != 1).map(|(_, part)| part).collect()
}

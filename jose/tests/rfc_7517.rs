//! The key sets of RFC 7517 Appendix A, and the unsecured token of RFC 7515 A.5.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

use jose::{
    Algorithm, ContentEncryption, ContentType, DecryptionKey, Error, Jwe, JwkSet, KeyManagement, SigningKey,
    UnverifiedJwt, VerifyingKey,
};
use serde_json::Value;

fn sets() -> Value {
    serde_json::from_str(include_str!("rfc_7517.json")).unwrap()
}

fn set(name: &str) -> JwkSet {
    JwkSet::parse(sets()[name].to_string().as_bytes()).unwrap()
}

/// RFC 7517 A.1; the thumbprints are by RFC 7638.
#[test]
fn rfc_7517_a_1_public_keys() {
    let public = set("public");
    assert_eq!(public.validate(), Ok(()));
    let thumbprints: Vec<_> = public.keys.iter().map(|key| key.thumbprint().unwrap()).collect();
    assert_eq!(serde_json::json!(thumbprints), sets()["public"]["thumbprints"]);
    let verifying: Vec<_> = public.verifying_keys().iter().map(|key| key.kid().unwrap().to_owned()).collect();
    assert_eq!(verifying, ["2011-04-29"], "the other one is for encryption");
    let encryption = public.encryption_key(KeyManagement::EcdhEs).unwrap();
    assert_eq!(encryption.kid(), Some("1"));
    assert!(public.encryption_key(KeyManagement::RsaOaep256).is_none(), "pinned to RS256");
}

/// RFC 7517 A.2: refused wherever keys come in, and each opens or signs for its public half.
#[test]
fn rfc_7517_a_2_private_keys() {
    let (private, public) = (set("private"), set("public"));
    assert_eq!(private.validate(), Err(Error::PrivateKey));
    assert!(private.verifying_keys().is_empty());
    let token = public
        .encryption_key(KeyManagement::EcdhEs)
        .unwrap()
        .encrypt(KeyManagement::EcdhEs, ContentEncryption::A128Gcm, ContentType::default(), b"plain")
        .unwrap();
    let key = DecryptionKey::from_jwk(&private.keys[0]).unwrap();
    let opened = Jwe::parse(&token).unwrap().decrypt(&[key], KeyManagement::ALL, ContentEncryption::ALL);
    assert_eq!(opened.unwrap().as_slice(), b"plain");
    let signer = SigningKey::from_jwk(Algorithm::RS256, &private.keys[1]).unwrap();
    let signature = signer.sign(b"message").unwrap();
    let verifier = VerifyingKey::from_jwk(&public.keys[1]).unwrap();
    assert_eq!(verifier.verify(Algorithm::RS256, b"message", &signature), Ok(()));
}

/// RFC 7517 A.3: never accepted as somebody's published keys.
#[test]
fn rfc_7517_a_3_symmetric_keys() {
    let symmetric = set("symmetric");
    assert_eq!(symmetric.keys.len(), 2);
    assert_eq!(symmetric.validate(), Err(Error::PrivateKey));
    assert!(symmetric.verifying_keys().is_empty());
    assert!(symmetric.keys.iter().all(|key| key.is_symmetric() && key.thumbprint().is_err()));
}

/// RFC 7515 A.5.
#[test]
fn rfc_7515_a_5_an_unsecured_token_is_read_and_never_verified() {
    let token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS\
                 9pc19yb290Ijp0cnVlfQ.";
    let jwt = UnverifiedJwt::parse(token).unwrap();
    assert_eq!(jwt.unverified_claims().unwrap()["iss"], "joe");
    let keys = set("public").verifying_keys();
    assert_eq!(jwt.verify_any(&keys, Algorithm::ALL).err(), Some(Error::UnsupportedAlgorithm));
}

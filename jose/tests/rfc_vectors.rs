//! The published examples: RFC 7515 A.1 to A.4, RFC 8037 A.4, RFC 7520 §4.1 to §4.4.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use jose::{Algorithm, Error, Jwk, SigningKey, UnverifiedJwt, VerifyingKey, base64url};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    source: String,
    alg: Algorithm,
    /// Whether signing again gives the same bytes.
    deterministic: bool,
    key: Jwk,
    token: String,
}

impl Vector {
    fn all() -> Vec<Vector> {
        serde_json::from_str(include_str!("rfc_vectors.json")).unwrap()
    }

    fn verifying_key(&self) -> VerifyingKey {
        match &self.key.k {
            Some(secret) => VerifyingKey::from_secret(&base64url::decode(secret.expose()).unwrap()),
            None => VerifyingKey::from_jwk(&public(&self.key)).unwrap(),
        }
    }

    /// What is signed, and the signature.
    fn parts(&self) -> (&[u8], Vec<u8>) {
        let (signed, signature) = self.token.rsplit_once('.').unwrap();
        (signed.as_bytes(), base64url::decode(signature).unwrap())
    }
}

/// The public key of a private one: what serialization leaves.
fn public(key: &Jwk) -> Jwk {
    serde_json::from_value(serde_json::to_value(key).unwrap()).unwrap()
}

#[test]
fn every_published_signature_holds() {
    for vector in Vector::all() {
        let (signed, signature) = vector.parts();
        let checked = vector.verifying_key().verify(vector.alg, signed, &signature);
        assert_eq!(checked, Ok(()), "{}", vector.source);
    }
}

#[test]
fn no_published_signature_holds_for_anything_else() {
    for vector in Vector::all() {
        let (signed, signature) = vector.parts();
        let key = vector.verifying_key();
        let mut altered = signed.to_vec();
        altered[25] ^= 1;
        assert_eq!(
            key.verify(vector.alg, &altered, &signature),
            Err(Error::BadSignature),
            "{}",
            vector.source
        );
        for &other in Algorithm::ALL.iter().filter(|&&other| other != vector.alg) {
            assert!(key.verify(other, signed, &signature).is_err(), "{} as {other}", vector.source);
        }
    }
}

#[test]
fn tokens_with_claims_are_read() {
    for source in ["RFC 7515 A.1", "RFC 7515 A.2", "RFC 7515 A.3"] {
        let vector = Vector::all().into_iter().find(|vector| vector.source == source).unwrap();
        let jwt = UnverifiedJwt::parse(&vector.token).unwrap();
        assert_eq!(jwt.header().algorithm(), Some(vector.alg));
        let verified = jwt.verify(&vector.verifying_key(), &[vector.alg]).unwrap();
        assert_eq!(verified.str("iss"), Some("joe"));
        assert_eq!(verified.numeric_date("exp"), Ok(Some(1_300_819_380)));
        assert_eq!(verified.claims["http://example.com/is_root"], true);
    }
}

/// Their payload is text: a signed token all the same, and no JWT.
#[test]
fn a_payload_that_is_no_object_is_no_jwt() {
    for source in ["RFC 7515 A.4", "RFC 8037 A.4", "RFC 7520 4.4"] {
        let vector = Vector::all().into_iter().find(|vector| vector.source == source).unwrap();
        let jwt = UnverifiedJwt::parse(&vector.token).unwrap();
        assert_eq!(jwt.verify(&vector.verifying_key(), &[vector.alg]).err(), Some(Error::Json));
    }
}

#[test]
fn signing_with_the_published_private_keys() {
    for mut vector in Vector::all() {
        vector.key.kid.get_or_insert_with(|| "kid".to_owned());
        let key = SigningKey::from_jwk(vector.alg, &vector.key).unwrap();
        let (signed, published) = vector.parts();
        let signature = key.sign(signed).unwrap();
        assert_eq!(vector.verifying_key().verify(vector.alg, signed, &signature), Ok(()));
        assert_eq!(signature == published, vector.deterministic, "{}", vector.source);
        if !vector.alg.is_symmetric() {
            assert_eq!(key.public_jwk().thumbprint(), vector.key.thumbprint());
        }
    }
}

#[test]
fn a_private_key_does_not_pass_for_another_algorithm_or_half_a_key() {
    for mut vector in Vector::all() {
        vector.key.kid.get_or_insert_with(|| "kid".to_owned());
        for &other in Algorithm::ALL {
            let fits = other.key_type() == vector.key.kty && other.curve() == vector.key.crv.as_deref();
            if !fits {
                assert_eq!(SigningKey::from_jwk(other, &vector.key).err(), Some(Error::KeyMismatch));
            }
        }
        assert!(SigningKey::from_jwk(vector.alg, &public(&vector.key)).is_err(), "{}", vector.source);
        vector.key.alg = Some("none".to_owned());
        assert_eq!(SigningKey::from_jwk(vector.alg, &vector.key).err(), Some(Error::KeyMismatch));
    }
}

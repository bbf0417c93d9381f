use serde_json::json;

use super::*;
use crate::UnverifiedJwt;

#[test]
fn every_algorithm_signs_what_its_verifying_key_accepts() {
    for &algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let token = key.sign_jwt("JWT", &json!({"sub": "alice"})).unwrap();
        let jwt = UnverifiedJwt::parse(&token).unwrap();
        let verified = jwt.verify(&key.verifying_key().unwrap(), &[algorithm]).unwrap();
        assert_eq!(verified.str("sub"), Some("alice"), "{algorithm}");
        assert_eq!(verified.header.kid.as_deref(), Some(key.kid()));
    }
}

#[test]
fn the_header_has_alg_kid_and_typ_in_this_order() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    for typ in ["at+jwt", "JWT", "logout+jwt"] {
        let token = key.sign_jwt_bytes(typ, b"{}").unwrap();
        let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
        let expected = format!("{{\"alg\":\"ES256\",\"kid\":\"{}\",\"typ\":\"{typ}\"}}", key.kid());
        assert_eq!(String::from_utf8(header).unwrap(), expected);
    }
}

#[test]
fn the_token_is_built_in_one_allocation() {
    for &algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        for length in [2, 3, 4, 1023, 1024, 1025, 5000] {
            let token = key.sign_jwt_bytes("at+jwt", &vec![b' '; length]).unwrap();
            assert_eq!(token.capacity(), token.len(), "{algorithm} {length}");
        }
    }
}

#[test]
fn pkcs8_round_trips_and_keeps_the_public_key() {
    for &algorithm in Algorithm::ASYMMETRIC {
        let key = SigningKey::generate(algorithm).unwrap();
        let again = SigningKey::from_pkcs8(algorithm, key.kid(), &key.to_pkcs8().unwrap()).unwrap();
        assert_eq!(again.public_jwk(), key.public_jwk(), "{algorithm}");
    }
}

#[test]
fn a_pkcs8_key_of_another_kind_is_refused() {
    let keys = [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];
    for of in keys {
        let der = SigningKey::generate(of).unwrap().to_pkcs8().unwrap();
        for &algorithm in Algorithm::ALL {
            let same_kind = algorithm.key_type() == of.key_type() && algorithm.curve() == of.curve();
            assert_eq!(
                SigningKey::from_pkcs8(algorithm, "k", &der).is_ok(),
                same_kind,
                "{of} as {algorithm}"
            );
        }
    }
    assert!(SigningKey::from_pkcs8(Algorithm::ES256, "k", b"garbage").is_err());
    assert!(SigningKey::from_pkcs8(Algorithm::RS256, "k", b"").is_err());
}

#[test]
fn the_generated_kid_is_a_decimal_number_of_at_most_128_bits() {
    let kid = |_| SigningKey::generate(Algorithm::ES256).unwrap().kid().to_owned();
    let kids: Vec<String> = (0..50).map(kid).collect();
    assert!(kids.iter().all(|kid| kid.parse::<u128>().unwrap().to_string() == *kid));
    assert_eq!(kids.iter().collect::<std::collections::HashSet<_>>().len(), kids.len());
}

#[test]
fn dsc_03_what_is_published_has_no_private_members() {
    for &algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let jwk = key.public_jwk();
        assert!(!jwk.is_private());
        let published = serde_json::to_value(&jwk).unwrap();
        for member in ["d", "p", "q", "dp", "dq", "qi", "k", "oth", "priv"] {
            assert!(published.get(member).is_none(), "{algorithm} {member}");
        }
        assert_eq!(published["use"], "sig");
        assert_eq!(published["alg"], algorithm.name());
        assert_eq!(published["kid"], key.kid());
    }
}

#[test]
fn debug_shows_algorithm_and_kid_alone() {
    let key = SigningKey::from_secret(Algorithm::HS256, "k1", &[b'x'; 32]).unwrap();
    assert_eq!(format!("{key:?}"), "SigningKey { algorithm: HS256, kid: \"k1\", .. }");
}

/// RFC 7518 §3.2: a key as long as the hash output, or longer, MUST be used.
#[test]
fn rfc_7518_3_2_a_short_secret_is_refused() {
    for (algorithm, length) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
        assert!(SigningKey::from_secret(algorithm, "k", &vec![1; length]).is_ok());
        assert!(SigningKey::from_secret(algorithm, "k", &vec![1; length - 1]).is_err());
    }
    assert_eq!(SigningKey::from_secret(Algorithm::ES256, "k", &[1; 64]).err(), Some(Error::KeyMismatch));
}

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{JwkSet, SigningKey};

fn es256() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

fn es256_token(key: &SigningKey) -> String {
    key.sign_jwt("JWT", &json!({"sub": "alice"})).unwrap()
}

/// A token of these parts, whatever they are.
fn compact(header: &str, payload: &str, signature: &[u8]) -> String {
    let parts = [header.as_bytes(), payload.as_bytes(), signature].map(base64url::encode);
    parts.join(".")
}

fn verify(token: &str, key: &SigningKey, allowed: &[Algorithm]) -> Result<VerifiedJwt, Error> {
    UnverifiedJwt::parse(token)?.verify(&key.verifying_key()?, allowed)
}

#[test]
fn jwt_04_alg_none_is_refused_in_every_spelling() {
    let key = es256();
    let signature = es256_token(&key).rsplit_once('.').map(|(_, s)| base64url::decode(s).unwrap()).unwrap();
    for alg in ["none", "None", "NONE", "nOnE", "", "es256", "ES256 ", "HS256\u{0}"] {
        let header = json!({"alg": alg}).to_string();
        for signature in [&[][..], &signature] {
            let token = compact(&header, r#"{"sub":"alice"}"#, signature);
            assert_eq!(
                verify(&token, &key, Algorithm::ALL).err(),
                Some(Error::UnsupportedAlgorithm),
                "{alg:?}"
            );
        }
    }
}

#[test]
fn an_unsecured_token_can_be_looked_at() {
    let token = compact(r#"{"alg":"none"}"#, r#"{"client_id":"c"}"#, b"");
    let jwt = UnverifiedJwt::parse(&token).unwrap();
    assert_eq!(jwt.header().alg, "none");
    assert_eq!(jwt.unverified_claims().unwrap()["client_id"], "c");
}

#[test]
fn a_proof_is_for_one_token_in_one_spelling() {
    let key = es256();
    let (token, other) = (es256_token(&key), es256_token(&key));
    let keys = [key.verifying_key().unwrap()];
    let parsed = |token| UnverifiedJwt::parse(token).unwrap();
    let (verified, proof) = parsed(&token).vouch(&keys, Algorithm::ASYMMETRIC).unwrap();
    assert_eq!(*proof.digest(), parsed(&token).digest());
    assert_eq!(parsed(&token).accept(proof).unwrap().claims, verified.claims);
    assert_eq!(parsed(&other).accept(proof).err(), Some(Error::BadSignature));
    let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
    assert_eq!(parsed(&unsigned).accept(proof).err(), Some(Error::BadSignature));
    assert!(parsed(&token).vouch(&[es256().verifying_key().unwrap()], Algorithm::ASYMMETRIC).is_err());
}

/// RFC 8725 §2.1: the public key of the JWKS as an HMAC secret.
#[test]
fn jwt_05_a_public_key_never_checks_hs256() {
    for &algorithm in Algorithm::ASYMMETRIC {
        let key = SigningKey::generate(algorithm).unwrap();
        let jwk = key.public_jwk();
        let spellings = [
            serde_json::to_vec(&jwk).unwrap(),
            serde_json::to_vec(&JwkSet { keys: vec![jwk.clone()] }).unwrap(),
            base64url::decode(jwk.n.as_ref().or(jwk.x.as_ref()).unwrap()).unwrap(),
        ];
        for secret in spellings {
            for hs in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let Ok(forger) = SigningKey::from_secret(hs, key.kid(), &secret) else { continue };
                let token = es256_token(&forger);
                assert_eq!(verify(&token, &key, Algorithm::ALL).err(), Some(Error::KeyMismatch));
                assert_eq!(verify(&token, &key, &[algorithm]).err(), Some(Error::AlgorithmNotAllowed));
                let jwt = UnverifiedJwt::parse(&token).unwrap();
                let keys = [key.verifying_key().unwrap()];
                assert_eq!(jwt.verify_any(&keys, Algorithm::ALL).err(), Some(Error::KeyMismatch));
            }
        }
    }
}

#[test]
fn jwt_05_a_shared_secret_checks_hs_alone() {
    let secret = VerifyingKey::from_secret(&[7; 64]);
    assert_eq!(secret.algorithms(), [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]);
    let token = es256_token(&es256());
    let jwt = UnverifiedJwt::parse(&token).unwrap();
    assert_eq!(jwt.verify(&secret, Algorithm::ALL).err(), Some(Error::KeyMismatch));
}

#[test]
fn a_short_secret_fits_no_algorithm_that_it_is_too_short_for() {
    assert!(VerifyingKey::from_secret(&[7; 31]).algorithms().is_empty());
    assert_eq!(VerifyingKey::from_secret(&[7; 32]).algorithms(), [Algorithm::HS256]);
    assert_eq!(VerifyingKey::from_secret(&[7; 63]).algorithms(), [Algorithm::HS256, Algorithm::HS384]);
}

#[test]
fn jwt_06_a_key_from_the_header_is_never_used() {
    let (ours, attacker) = (es256(), es256());
    let jwk = attacker.public_jwk();
    for header in [
        json!({"alg": "ES256", "jwk": jwk}),
        json!({"alg": "ES256", "jwk": jwk, "kid": ours.kid()}),
        json!({"alg": "ES256", "jku": "https://attacker.example/jwks"}),
        json!({"alg": "ES256", "x5u": "https://attacker.example/cert"}),
        json!({"alg": "ES256", "x5c": ["AAAA"], "x5t#S256": "AAAA"}),
    ] {
        let token = attacker.sign_with_header(&header, br#"{"sub":"alice"}"#).unwrap();
        assert_eq!(verify(&token, &ours, Algorithm::ALL).err(), Some(Error::BadSignature), "{header}");
        let jwt = UnverifiedJwt::parse(&token).unwrap();
        let keys = [ours.verifying_key().unwrap()];
        assert_eq!(jwt.verify_any(&keys, Algorithm::ALL).err(), Some(Error::BadSignature));
        assert_eq!(jwt.verify_any(&[], Algorithm::ALL).err(), Some(Error::UnknownKey));
    }
}

#[test]
fn jwt_07_kid_is_only_compared() {
    let key = es256();
    let keys = [key.verifying_key().unwrap()];
    for kid in [
        "",
        "/dev/null",
        "../../../../etc/passwd",
        "' OR '1'='1",
        "1\u{0}",
        "http://localhost/",
        &"9".repeat(9000),
    ] {
        let token = key.sign_with_header(&json!({"alg": "ES256", "kid": kid}), b"{}").unwrap();
        let jwt = UnverifiedJwt::parse(&token).unwrap();
        assert_eq!(jwt.verify_any(&keys, Algorithm::ALL).err(), Some(Error::UnknownKey), "{kid}");
    }
    for kid in [json!(7), json!(null), json!(["a"]), json!({"$ne": ""})] {
        let token = key.sign_with_header(&json!({"alg": "ES256", "kid": kid}), b"{}").unwrap();
        assert_eq!(UnverifiedJwt::parse(&token).err(), Some(Error::Header("kid")), "{kid}");
    }
}

#[test]
fn jwt_08_claims_edited_under_the_old_signature_are_refused() {
    for &algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let token = es256_token(&key);
        let parts: Vec<&str> = token.split('.').collect();
        let edited = base64url::encode(br#"{"sub":"admin"}"#);
        let retyped = base64url::encode(
            format!(r#"{{"alg":"{algorithm}","kid":"{}","typ":"at+jwt"}}"#, key.kid()).as_bytes(),
        );
        for token in [
            format!("{}.{edited}.{}", parts[0], parts[2]),
            format!("{retyped}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.{}", parts[1], parts[1], parts[2]),
        ] {
            assert!(verify(&token, &key, Algorithm::ALL).is_err(), "{algorithm}");
        }
        assert!(verify(&token, &key, &[algorithm]).is_ok());
    }
}

#[test]
fn jwt_08_a_signature_of_another_key_is_refused() {
    let (ours, other) = (es256(), es256());
    let header = json!({"alg": "ES256", "kid": ours.kid()});
    let token = other.sign_with_header(&header, b"{}").unwrap();
    assert_eq!(verify(&token, &ours, &[Algorithm::ES256]).err(), Some(Error::BadSignature));
}

#[test]
fn jwt_09_zero_or_empty_signature_is_refused() {
    for &algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let token = es256_token(&key);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let real = base64url::decode(signature).unwrap();
        let mut longer = real.clone();
        longer.push(0);
        let candidates = [
            vec![],
            vec![0],
            vec![0; real.len()],
            vec![0xff; real.len()],
            real[..real.len() - 1].to_vec(),
            longer,
            vec![0; 64],
            vec![0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00],
        ];
        for signature in candidates {
            let token = format!("{signed}.{}", base64url::encode(&signature));
            assert_eq!(verify(&token, &key, Algorithm::ALL).err(), Some(Error::BadSignature), "{algorithm}");
        }
    }
}

#[test]
fn jwt_09_ecdsa_signatures_in_der_are_refused() {
    let key = es256();
    let token = es256_token(&key);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature).unwrap();
    let mut der = vec![0x30, 0];
    for number in signature.chunks(32) {
        let number: Vec<u8> = number.iter().copied().skip_while(|&byte| byte == 0).collect();
        let sign = usize::from(number[0] >= 0x80);
        der.extend([2, (number.len() + sign) as u8]);
        der.extend(vec![0; sign]);
        der.extend(number);
    }
    der[1] = (der.len() - 2) as u8;
    let token = format!("{signed}.{}", base64url::encode(&der));
    assert_eq!(verify(&token, &key, Algorithm::ALL).err(), Some(Error::BadSignature));
}

#[test]
fn jwt_10_size_and_parts_are_checked_before_anything_is_read() {
    assert_eq!(UnverifiedJwt::parse(&".".repeat(MAX_JWT_BYTES)).err(), Some(Error::NotCompact));
    assert_eq!(UnverifiedJwt::parse(&".".repeat(MAX_JWT_BYTES + 1)).err(), Some(Error::TooLarge));
    assert_eq!(UnverifiedJwt::parse(&"a".repeat(MAX_JWT_BYTES)).err(), Some(Error::NotCompact));
    for token in ["", ".", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "..."] {
        assert_eq!(UnverifiedJwt::parse(token).err(), Some(Error::NotCompact), "{token:?}");
    }
}

#[test]
fn jwt_10_deep_claims_are_refused() {
    let key = es256();
    let claims = format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let token = key.sign_jwt_bytes("JWT", claims.as_bytes()).unwrap();
    assert_eq!(verify(&token, &key, &[Algorithm::ES256]).err(), Some(Error::TooDeep));
}

#[test]
fn jwt_10_no_more_than_sixteen_keys_are_tried() {
    let signer = es256();
    let token = signer.sign_with_header(&json!({"alg": "ES256"}), b"{}").unwrap();
    let jwt = UnverifiedJwt::parse(&token).unwrap();
    let mut keys: Vec<VerifyingKey> = (0..16).map(|_| es256().verifying_key().unwrap()).collect();
    keys.insert(3, SigningKey::generate(Algorithm::EdDSA).unwrap().verifying_key().unwrap());
    keys.push(signer.verifying_key().unwrap());
    assert_eq!(jwt.verify_any(&keys, Algorithm::ALL).err(), Some(Error::BadSignature));
    keys.remove(0);
    assert!(jwt.verify_any(&keys, Algorithm::ALL).is_ok(), "keys that do not fit are not counted");
}

#[test]
fn jwt_11_garbage_is_refused() {
    let header = base64url::encode(br#"{"alg":"ES256"}"#);
    for token in [
        "..".to_owned(),
        "a.b.c".to_owned(),
        "ä.ö.ü".to_owned(),
        format!("{header}..="),
        format!("{header}.e30 ."),
        compact("", "{}", b"x"),
        compact("null", "{}", b"x"),
        compact("[]", "{}", b"x"),
        compact("{}", "{}", b"x"),
        compact(r#"{"alg":1}"#, "{}", b"x"),
        compact(r#"{"alg":null}"#, "{}", b"x"),
        compact(r#"{"alg":"ES256","typ":1}"#, "{}", b"x"),
        compact(r#"{"alg":"ES256","jwk":"x"}"#, "{}", b"x"),
        compact(r#"{"alg":"ES256","jwk":{"kty":1}}"#, "{}", b"x"),
        compact(r#"{"alg":"ES256","x5c":"x"}"#, "{}", b"x"),
        compact(r#"{"alg":"ES256"}{}"#, "{}", b"x"),
    ] {
        assert!(UnverifiedJwt::parse(&token).is_err(), "{token}");
    }
}

#[test]
fn jwt_11_claims_that_are_no_object_are_refused() {
    let key = es256();
    for claims in ["", "null", "1", "\"x\"", "[]", "{", "{}{}", "{\"a\":1,\"a\":2}"] {
        let token = key.sign_jwt_bytes("JWT", claims.as_bytes()).unwrap();
        assert!(verify(&token, &key, &[Algorithm::ES256]).is_err(), "{claims}");
        assert!(UnverifiedJwt::parse(&token).unwrap().unverified_claims().is_err(), "{claims}");
    }
}

/// RFC 7515 §4: header parameter names MUST be unique.
#[test]
fn rfc_7515_4_a_header_parameter_twice_is_refused() {
    for header in [r#"{"alg":"ES256","alg":"none"}"#, r#"{"alg":"none","\u0061lg":"ES256"}"#] {
        assert_eq!(UnverifiedJwt::parse(&compact(header, "{}", b"x")).err(), Some(Error::DuplicateMember));
    }
}

#[test]
fn caj_16_any_critical_header_parameter_is_refused() {
    let key = es256();
    for header in [
        json!({"alg": "ES256", "crit": ["exp"], "exp": 1}),
        json!({"alg": "ES256", "crit": ["b64"], "b64": false}),
        json!({"alg": "ES256", "crit": ["alg"]}),
        json!({"alg": "ES256", "crit": []}),
    ] {
        let token = key.sign_with_header(&header, b"{}").unwrap();
        assert_eq!(verify(&token, &key, &[Algorithm::ES256]).err(), Some(Error::UnknownCritical), "{header}");
    }
    for crit in [json!("exp"), json!(null), json!([1]), json!({})] {
        let token = key.sign_with_header(&json!({"alg": "ES256", "crit": crit}), b"{}").unwrap();
        assert_eq!(UnverifiedJwt::parse(&token).err(), Some(Error::Header("crit")), "{crit}");
    }
}

#[test]
fn caj_18_a_token_has_one_spelling() {
    let key = es256();
    let token = es256_token(&key);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    // 64 bytes leave four bits unused in the last character: its neighbour decodes to the same bytes in lax readers.
    let last = signature.chars().last().unwrap();
    let neighbour = char::from(last as u8 + 1);
    let respelled = format!("{signed}.{}{neighbour}", &signature[..signature.len() - 1]);
    for other in [
        respelled,
        format!("{token}="),
        format!("{token}=="),
        format!("{token}\n"),
        format!(" {token}"),
        format!("{token} "),
        token.replacen('.', "=.", 1),
        token.replacen('.', "\r\n.", 1),
        format!("{signed}.{}", signature.replace('-', "+").replace('_', "/") + "+"),
    ] {
        assert_eq!(UnverifiedJwt::parse(&other).err(), Some(Error::Base64Url), "{other:?}");
    }
}

#[test]
fn the_algorithm_must_be_allowed_and_fit_the_key() {
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    let token = es256_token(&key);
    assert!(verify(&token, &key, &[Algorithm::PS256, Algorithm::RS256]).is_ok());
    for allowed in [&[][..], &[Algorithm::PS256], &[Algorithm::RS384, Algorithm::ES256]] {
        assert_eq!(verify(&token, &key, allowed).err(), Some(Error::AlgorithmNotAllowed));
    }
    let relabelled = key.sign_with_header(&json!({"alg": "PS256"}), b"{}").unwrap();
    assert_eq!(verify(&relabelled, &key, Algorithm::ALL).err(), Some(Error::KeyMismatch), "alg pins the key");
}

#[test]
fn the_key_is_found_by_kid_or_by_trying() {
    let signers = [es256(), es256(), SigningKey::generate(Algorithm::EdDSA).unwrap()];
    let keys: Vec<_> = signers.iter().map(|key| key.verifying_key().unwrap()).collect();
    for signer in &signers {
        let alg = signer.algorithm();
        for header in [json!({"alg": alg, "kid": signer.kid()}), json!({"alg": alg})] {
            let token = signer.sign_with_header(&header, b"{}").unwrap();
            let jwt = UnverifiedJwt::parse(&token).unwrap();
            assert!(jwt.verify_any(&keys, Algorithm::ALL).is_ok(), "{header}");
        }
    }
    let token =
        signers[0].sign_with_header(&json!({"alg": "ES256", "kid": signers[1].kid()}), b"{}").unwrap();
    let jwt = UnverifiedJwt::parse(&token).unwrap();
    assert_eq!(jwt.verify_any(&keys, Algorithm::ALL).err(), Some(Error::BadSignature));
}

#[test]
fn a_key_without_kid_is_not_the_one_that_a_kid_names() {
    let key = es256();
    let mut jwk = key.public_jwk();
    jwk.kid = None;
    let keys = [VerifyingKey::from_jwk(&jwk).unwrap()];
    let token = es256_token(&key);
    let jwt = UnverifiedJwt::parse(&token).unwrap();
    assert_eq!(jwt.verify_any(&keys, Algorithm::ALL).err(), Some(Error::UnknownKey));
}

#[test]
fn typ_is_compared_as_a_media_type() {
    let header = |typ: &str| Header { typ: Some(typ.to_owned()), ..Header::default() };
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
        assert!(header(typ).is_type("at+jwt"), "{typ}");
    }
    for typ in ["", "jwt", "at+jwt ", "text/at+jwt", "application/application/at+jwt", "application/"] {
        assert!(!header(typ).is_type("at+jwt"), "{typ}");
    }
    assert!(!Header::default().is_type(""));
}

#[test]
fn claims_are_read_by_type() {
    let jwt = |claims: Value| VerifiedJwt {
        header: Header::default(),
        claims: claims.as_object().unwrap().clone(),
    };
    let one = jwt(json!({"iss": "i", "aud": "a", "exp": 12, "iat": 12.9, "nbf": "12", "jti": 7}));
    assert_eq!(one.str("iss"), Some("i"));
    assert_eq!(one.str("jti"), None);
    assert_eq!(one.i64("exp"), Some(12));
    assert_eq!(one.audiences(), ["a"]);
    assert_eq!(one.numeric_date("exp"), Ok(Some(12)));
    assert_eq!(one.numeric_date("iat"), Ok(Some(12)));
    assert_eq!(one.numeric_date("nbf"), Err(Error::Claim));
    assert_eq!(one.numeric_date("auth_time"), Ok(None));
    for wrong in [json!(null), json!(-1), json!(1e300), json!(true), json!([1]), json!(253_402_300_800_i64)] {
        assert_eq!(jwt(json!({"exp": wrong})).numeric_date("exp"), Err(Error::Claim), "{wrong}");
    }
    assert_eq!(jwt(json!({"aud": ["a", "b"]})).audiences(), ["a", "b"]);
    for none in [json!({}), json!({"aud": ["a", 1]}), json!({"aud": 1}), json!({"aud": {}})] {
        assert!(jwt(none.clone()).audiences().is_empty(), "{none}");
    }
}

#[test]
fn debug_shows_no_claims() {
    let key = es256();
    let token = es256_token(&key);
    let jwt = UnverifiedJwt::parse(&token).unwrap();
    let verified = jwt.verify(&key.verifying_key().unwrap(), Algorithm::ALL).unwrap();
    assert!(!format!("{jwt:?} {verified:?}").contains("alice"));
}

proptest! {
    #[test]
    fn jwt_11_parsing_never_panics(token in any::<String>()) {
        let _ = UnverifiedJwt::parse(&token);
    }

    #[test]
    fn jwt_11_parsing_tokens_of_any_parts_never_panics(
        header in r#"\{("(alg|kid|typ|crit|jwk|x5c)":("ES256"|"none"|null|1|\[\]|\{"kty":"EC"\}),?){0,3}\}?"#,
        payload in "[ -~]{0,40}",
        signature in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let token = compact(&header, &payload, &signature);
        if let Ok(jwt) = UnverifiedJwt::parse(&token) {
            let _ = jwt.unverified_claims();
            let secret = VerifyingKey::from_secret(&[1; 64]);
            prop_assert!(jwt.verify(&secret, Algorithm::ALL).is_err());
        }
    }

    /// Whatever single byte is altered, the token is refused.
    #[test]
    fn jwt_08_no_altered_token_is_accepted(at in any::<prop::sample::Index>(), byte in 0x20_u8..0x7f) {
        let key = SigningKey::from_secret(Algorithm::HS256, "k", &[3; 32]).unwrap();
        let mut token = es256_token(&key).into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != byte);
        token[at] = byte;
        prop_assert!(verify(&String::from_utf8(token).unwrap(), &key, Algorithm::ALL).is_err());
    }
}

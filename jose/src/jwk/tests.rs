use serde_json::json;

use super::*;
use crate::SigningKey;

const RFC_7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJEC\
                          PebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q\
                          vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh\
                          6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn jwk(value: Value) -> Jwk {
    serde_json::from_value(value).unwrap()
}

fn rsa() -> Value {
    json!({"kty": "RSA", "n": RFC_7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})
}

fn p256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
           "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"})
}

fn ed25519() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn with(mut value: Value, name: &str, member: Value) -> Jwk {
    value[name] = member;
    jwk(value)
}

#[test]
fn rfc_7638_section_3_1_thumbprint() {
    assert_eq!(jwk(rsa()).thumbprint().unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/// RFC 9449 §6.1: the key of the example proof and its `jkt`.
#[test]
fn rfc_9449_jkt_of_the_example() {
    assert_eq!(jwk(p256()).thumbprint().unwrap(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn rfc_8037_appendix_a_3_thumbprint() {
    assert_eq!(jwk(ed25519()).thumbprint().unwrap(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_thumbprint_needs_canonical_members_and_a_public_kind() {
    assert!(with(rsa(), "e", json!("AQAB=")).thumbprint().is_err());
    assert!(with(p256(), "crv", json!("P-256\",\"x\":\"")).thumbprint().is_err());
    assert!(with(p256(), "x", json!("a\"b")).thumbprint().is_err());
    assert!(jwk(json!({"kty": "RSA", "e": "AQAB"})).thumbprint().is_err());
    assert!(jwk(json!({"kty": "oct", "k": "AAAA"})).thumbprint().is_err());
}

#[test]
fn good_public_keys_are_valid() {
    for value in [rsa(), p256(), ed25519()] {
        assert_eq!(jwk(value.clone()).validate(), Ok(()), "{value}");
        assert!(jwk(value).is_known());
    }
    let x25519 = json!({"kty": "OKP", "crv": "X25519", "use": "enc", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"});
    assert_eq!(jwk(x25519).validate(), Ok(()));
}

#[test]
fn dsc_04_a_small_or_malformed_rsa_modulus_is_refused() {
    let modulus = |bits: usize, last: u8| {
        let mut n = vec![0xff; bits / 8];
        n[bits / 8 - 1] = last;
        with(rsa(), "n", json!(base64url::encode(&n))).validate()
    };
    assert_eq!(modulus(2048, 0xff), Ok(()));
    for bits in [8, 512, 768, 1024, 1536, 2040, 8200, 16_384] {
        assert!(matches!(modulus(bits, 0xff), Err(Error::InvalidKey(_))), "{bits} bits");
    }
    assert!(matches!(modulus(2048, 0xfe), Err(Error::InvalidKey(_))), "even");

    let mut n = base64url::decode(RFC_7638_N).unwrap();
    n[0] = 0x7f;
    let below = with(rsa(), "n", json!(base64url::encode(&n)));
    assert!(matches!(below.validate(), Err(Error::InvalidKey(_))), "2047 bits");
    n.insert(0, 0);
    let padded = with(rsa(), "n", json!(base64url::encode(&n)));
    assert_eq!(padded.validate(), Err(Error::InvalidKey("leading zero octet")));
    assert!(with(rsa(), "n", json!("")).validate().is_err(), "empty");
}

#[test]
fn dsc_04_a_small_or_malformed_rsa_exponent_is_refused() {
    for exponent in [
        &[][..],
        &[0],
        &[1],
        &[3],
        &[17],
        &[0xff, 0xff],
        &[1, 0, 0],
        &[0, 1, 0, 1],
        &[1, 0, 0, 0, 0],
        &[2, 0, 0, 0, 1],
        &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ] {
        let key = with(rsa(), "e", json!(base64url::encode(exponent)));
        assert!(matches!(key.validate(), Err(Error::InvalidKey(_))), "{exponent:?}");
    }
    assert_eq!(with(rsa(), "e", json!(base64url::encode(&[1, 0, 0, 0, 1]))).validate(), Ok(()));
}

#[test]
fn dsc_04_an_ambiguous_kid_is_refused() {
    let keys = |keys: Vec<Value>| JwkSet { keys: keys.into_iter().map(jwk).collect() };
    let named = |mut value: Value, kid: &str| {
        value["kid"] = json!(kid);
        value
    };
    let other = serde_json::to_value(SigningKey::generate(Algorithm::ES256).unwrap().public_jwk()).unwrap();
    let mut other = named(other, "1");
    other.as_object_mut().unwrap().remove("use");

    let ambiguous = keys(vec![named(p256(), "1"), named(rsa(), "2"), other.clone()]);
    assert_eq!(ambiguous.validate(), Err(Error::AmbiguousKid));
    assert_eq!(keys(vec![named(p256(), "1"), named(rsa(), "1")]).validate(), Ok(()), "other kty");
    other["use"] = json!("enc");
    other.as_object_mut().unwrap().remove("alg");
    assert_eq!(keys(vec![named(p256(), "1"), other]).validate(), Ok(()), "other use");
    assert_eq!(keys(vec![p256(), ed25519(), p256()]).validate(), Ok(()), "no kid at all");
}

/// RFC 8725 §3.4: inputs of the curve operations are validated.
#[test]
fn rfc_8725_3_4_points_off_the_curve_are_refused() {
    let zero = base64url::encode(&[0; 32]);
    for (x, y) in [
        (zero.as_str(), zero.as_str()),
        ("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"),
        ("_____________________________________________", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"),
        ("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAW", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"),
        ("", ""),
    ] {
        let key = jwk(json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}));
        assert!(key.validate().is_err(), "{x} {y}");
        assert!(VerifyingKey::from_jwk(&key).is_err());
    }
    assert!(with(p256(), "crv", json!("P-384")).validate().is_err(), "wrong curve");
    for curve in ["Ed25519", "X25519"] {
        let short = json!({"kty": "OKP", "crv": curve, "x": base64url::encode(&[1; 31])});
        assert_eq!(jwk(short).validate(), Err(Error::InvalidKey("a coordinate has the wrong length")));
    }
}

/// With such a key R = 1, S = 0 is a signature of everything (JWT-09 by way of the key).
#[test]
fn rfc_8725_3_4_ed25519_points_of_small_order_are_refused() {
    let mut one = vec![0; 32];
    one[0] = 1;
    let order_8 = base64url::decode("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU").unwrap();
    for mut point in [vec![0; 32], one, order_8] {
        for sign in [0, 0x80] {
            point[31] |= sign;
            let key = with(ed25519(), "x", json!(base64url::encode(&point)));
            let why = Error::InvalidKey("an Ed25519 point of small order");
            assert_eq!(key.validate(), Err(why), "{point:?}");
            assert_eq!(VerifyingKey::from_jwk(&key).err(), Some(why));
        }
    }
}

#[test]
fn unknown_kinds_of_keys_are_not_valid() {
    for value in [
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "Ed448", "x": "AA"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
        json!({"kty": "rsa", "n": RFC_7638_N, "e": "AQAB"}),
        json!({"kty": ""}),
    ] {
        let key = jwk(value);
        assert!(matches!(key.validate(), Err(Error::InvalidKey(_))), "{key:?}");
        assert!(!key.is_known());
        assert!(VerifyingKey::from_jwk(&key).is_err());
    }
}

#[test]
fn alg_must_fit_the_key() {
    assert!(with(rsa(), "alg", json!("ES256")).validate().is_err());
    assert!(with(rsa(), "alg", json!("HS256")).validate().is_err());
    assert!(with(p256(), "alg", json!("ES384")).validate().is_err());
    assert_eq!(with(p256(), "alg", json!("ECDH-ES")).validate(), Ok(()));
}

#[test]
fn adm_24_private_members_are_refused_and_never_written() {
    let members = ["d", "p", "q", "dp", "dq", "qi", "k"];
    for member in members {
        for value in [rsa(), p256(), ed25519(), json!({"kty": "oct"}), json!({"kty": "unknown"})] {
            let key = with(value, member, json!("c2VjcmV0"));
            assert!(key.is_private());
            assert_eq!(key.validate(), Err(Error::PrivateKey));
            assert_eq!(VerifyingKey::from_jwk(&key).err(), Some(Error::PrivateKey));
            let set = JwkSet { keys: vec![key] };
            assert_eq!(set.validate(), Err(Error::PrivateKey));
            assert!(!serde_json::to_string(&set).unwrap().contains("c2VjcmV0"));
            assert!(!format!("{set:?}").contains("c2VjcmV0"));
        }
    }
    for (member, value) in [("oth", json!([{"r": "c2VjcmV0"}])), ("priv", json!("c2VjcmV0"))] {
        let key = with(rsa(), member, value);
        assert_eq!(key.validate(), Err(Error::PrivateKey), "{member}");
        assert!(!serde_json::to_string(&key).unwrap().contains("c2VjcmV0"));
    }
    assert_eq!(jwk(json!({"kty": "oct"})).validate(), Err(Error::PrivateKey));
}

#[test]
fn unknown_members_are_kept_and_null_is_dropped() {
    let mut value = p256();
    value["use"] = json!("sig");
    value["x5t"] = json!("abc");
    value["x5t#S256"] = json!("def");
    value["status"] = json!({"since": [1, 2]});
    let read = jwk(value.clone());
    assert_eq!(serde_json::to_value(&read).unwrap(), value);
    value["kid"] = Value::Null;
    value["later"] = Value::Null;
    assert_eq!(jwk(value), read);
}

#[test]
fn a_member_twice_or_of_the_wrong_type_is_refused() {
    for text in [
        r#"{"kty":"EC","kty":"RSA"}"#,
        r#"{"kty":"EC","d":"a","d":"b"}"#,
        r#"{"kty":1}"#,
        r#"{"kty":"EC","kid":7}"#,
        r#"{"kid":"x"}"#,
        r#"[]"#,
    ] {
        assert!(serde_json::from_str::<Jwk>(text).is_err(), "{text}");
    }
}

#[test]
fn a_remote_set_ignores_what_it_does_not_understand() {
    let json = json!({
        "keys": [p256(), {"kty": "AKP", "pub": "AA"}, {"kty": "EC", "kid": 7}, "x", {"kty": "oct", "k": "AAAA"}, rsa()],
        "issuer": "https://example.com",
    });
    let set = JwkSet::parse(json.to_string().as_bytes()).unwrap();
    let kinds: Vec<&str> = set.keys.iter().map(|key| key.kty.as_str()).collect();
    assert_eq!(kinds, ["EC", "oct", "RSA"]);
    let kids: Vec<_> = set.verifying_keys().iter().map(|key| key.kid().map(str::to_owned)).collect();
    assert_eq!(kids, [None, Some("2011-04-29".to_owned())], "shared secrets are never among them");
    assert!(set.find("2011-04-29").is_some());
    assert!(set.find("").is_none());
}

#[test]
fn a_remote_set_is_limited() {
    let set = |count: usize| json!({"keys": vec![json!({"kty": "AKP"}); count]}).to_string();
    assert!(JwkSet::parse(set(MAX_JWKS_KEYS).as_bytes()).is_ok());
    assert_eq!(JwkSet::parse(set(MAX_JWKS_KEYS + 1).as_bytes()), Err(Error::TooLarge));
    let long = format!("{{\"keys\":[{}]}}", " ".repeat(MAX_JWKS_BYTES));
    assert_eq!(JwkSet::parse(long.as_bytes()), Err(Error::TooLarge));
    for text in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        assert!(JwkSet::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn an_encryption_key_checks_no_signature() {
    for key in [
        with(p256(), "use", json!("enc")),
        with(p256(), "alg", json!("ECDH-ES")),
        with(p256(), "key_ops", json!(["deriveKey"])),
        with(p256(), "key_ops", json!([])),
    ] {
        assert!(matches!(VerifyingKey::from_jwk(&key), Err(Error::InvalidKey(_))), "{key:?}");
    }
    assert!(VerifyingKey::from_jwk(&with(p256(), "key_ops", json!(["verify"]))).is_ok());
}

#[test]
fn alg_pins_the_key_and_without_it_every_algorithm_of_its_kind_fits() {
    use Algorithm::*;
    let algorithms = |key: Jwk| VerifyingKey::from_jwk(&key).unwrap().algorithms().to_vec();
    assert_eq!(algorithms(jwk(rsa())), [RS256]);
    let mut open = jwk(rsa());
    open.alg = None;
    assert_eq!(algorithms(open), [RS256, RS384, RS512, PS256, PS384, PS512]);
    assert_eq!(algorithms(jwk(p256())), [ES256]);
    assert_eq!(algorithms(jwk(ed25519())), [EdDSA]);
}

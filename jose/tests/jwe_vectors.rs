//! The published examples of encryption: RFC 7516 Appendix A, RFC 7520 §5; those that are refused say why.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use jose::{ContentEncryption, DecryptionKey, Error, Jwe, Jwk, KeyManagement};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    source: String,
    alg: String,
    enc: String,
    key: Jwk,
    token: String,
    plain: Option<String>,
    refused: Option<String>,
}

impl Vector {
    fn all() -> Vec<Vector> {
        serde_json::from_str(include_str!("jwe_vectors.json")).unwrap()
    }

    fn decrypt(&self, token: &str) -> Result<Vec<u8>, Error> {
        let key = DecryptionKey::from_jwk(&self.key).unwrap();
        let jwe = Jwe::parse(token)?;
        assert_eq!((&jwe.header().alg, &jwe.header().enc), (&self.alg, &self.enc));
        jwe.decrypt(&[key], KeyManagement::ALL, ContentEncryption::ALL).map(|plain| plain.to_vec())
    }
}

#[test]
fn every_published_example_decrypts_or_is_refused_for_its_reason() {
    let (mut opened, mut refused) = (Vec::new(), Vec::new());
    for vector in Vector::all() {
        let got = vector.decrypt(&vector.token);
        match (&vector.plain, vector.refused.as_deref()) {
            (Some(plain), None) => {
                assert_eq!(got.as_deref(), Ok(plain.as_bytes()), "{}", vector.source);
                opened.push(vector.source);
            }
            (None, Some(why)) => {
                let why = match why {
                    "UnsupportedAlgorithm" => Error::UnsupportedAlgorithm,
                    "Header(zip)" => Error::Header("zip"),
                    _ => Error::Header("p2s"),
                };
                assert_eq!(got, Err(why), "{}", vector.source);
                refused.push(vector.source);
            }
            _ => unreachable!("{}", vector.source),
        }
    }
    let expected = [
        "RFC 7516 A.1",
        "RFC 7516 A.3",
        "RFC 7520 5.2",
        "RFC 7520 5.4",
        "RFC 7520 5.5",
        "RFC 7520 5.6",
        "RFC 7520 5.8",
    ];
    assert_eq!(opened, expected);
    assert_eq!(refused, ["RFC 7516 A.2", "RFC 7520 5.1", "RFC 7520 5.3", "RFC 7520 5.7", "RFC 7520 5.9"]);
}

#[test]
fn no_published_example_decrypts_with_another_key_or_an_altered_part() {
    let vectors: Vec<Vector> = Vector::all().into_iter().filter(|vector| vector.plain.is_some()).collect();
    for vector in &vectors {
        for other in vectors.iter().filter(|other| other.source != vector.source) {
            let mut key = other.key.clone();
            key.kid.clone_from(&vector.key.kid);
            let got = Jwe::parse(&vector.token).unwrap().decrypt(
                &[DecryptionKey::from_jwk(&key).unwrap()],
                KeyManagement::ALL,
                ContentEncryption::ALL,
            );
            let refused = matches!(got, Err(Error::NotDecrypted | Error::UnknownKey));
            assert!(refused, "{} with the key of {}", vector.source, other.source);
        }
        let parts: Vec<&str> = vector.token.split('.').collect();
        for part in 1..parts.len() {
            let mut altered: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            let first = if altered[part].starts_with('A') { "B" } else { "A" };
            let rest = altered[part].get(1..).unwrap_or_default().to_owned();
            altered[part] = match rest.is_empty() {
                true => "AAAA".to_owned(),
                false => format!("{first}{rest}"),
            };
            let got = vector.decrypt(&altered.join("."));
            assert_eq!(got, Err(Error::NotDecrypted), "{} part {part}", vector.source);
        }
    }
}

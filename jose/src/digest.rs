use aws_lc_rs::{constant_time, digest, hmac};

use crate::algorithm::Hash;
use crate::{Algorithm, base64url};

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    fixed(digest::digest(&digest::SHA256, data).as_ref())
}

/// HMAC with SHA-256 of `data` under `key` (RFC 2104).
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    fixed(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref())
}

/// Whether `a` and `b` are equal, in a time that depends on their lengths alone.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// The left half of the hash of `value`, base64url: `at_hash`, `c_hash` and `s_hash` of an ID token that is signed
/// with `algorithm` (OIDC Core §3.1.3.6, §3.3.2.11). Ed25519 uses the left half of SHA-512.
pub fn half_hash(algorithm: Algorithm, value: &str) -> String {
    let hash = match algorithm.hash() {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    let digest = digest::digest(hash, value.as_bytes());
    let (left, _) = digest.as_ref().split_at(hash.output_len() / 2);
    base64url::encode(left)
}

fn fixed(digest: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9449 §4.3 and §7.1: `ath` is the SHA-256 of the access token.
    #[test]
    fn rfc_9449_ath_of_the_example() {
        let hash = sha256(b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
        assert_eq!(base64url::encode(&hash), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }

    #[test]
    fn rfc_7636_appendix_b_challenge() {
        let hash = sha256(b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(base64url::encode(&hash), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    /// RFC 4231 §4.3 (test case 2).
    #[test]
    fn rfc_4231_hmac_sha256() {
        let tag = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(base64url::encode(&tag), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM");
    }

    /// OIDC Core §A.3 (response_type `id_token token`) and §A.6 (`code id_token token`).
    #[test]
    fn oidc_core_appendix_a_half_hashes() {
        let at_hash = half_hash(Algorithm::RS256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(at_hash, "77QmUPtjPfzWtF2AnpK9RQ");
        let c_hash =
            half_hash(Algorithm::RS256, "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk");
        assert_eq!(c_hash, "LDktKdoQak3Pk0cnXxCltA");
    }

    #[test]
    fn half_hashes_are_half_as_long_as_the_hash() {
        for (algorithm, bytes) in
            [(Algorithm::PS256, 16), (Algorithm::ES384, 24), (Algorithm::RS512, 32), (Algorithm::EdDSA, 32)]
        {
            assert_eq!(half_hash(algorithm, "x").len(), base64url::encoded_len(bytes), "{algorithm}");
        }
    }

    #[test]
    fn equality_looks_at_every_byte() {
        assert!(constant_time_eq(b"abc", b"abc"));
        assert!(constant_time_eq(b"", b""));
        for other in [&b"abd"[..], b"bbc", b"ab", b"abcd", b""] {
            assert!(!constant_time_eq(b"abc", other));
        }
    }
}

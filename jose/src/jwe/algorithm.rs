use serde::{Deserialize, Serialize};

/// How the content encryption key gets to the recipient (RFC 7518 §4.1). `RSA1_5` and the passwords of `PBES2` are
/// not among them (RFC 8725 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyManagement {
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    #[serde(rename = "RSA-OAEP")]
    RsaOaep,
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
    #[serde(rename = "ECDH-ES+A128KW")]
    EcdhEsA128Kw,
    #[serde(rename = "ECDH-ES+A256KW")]
    EcdhEsA256Kw,
    #[serde(rename = "A128KW")]
    A128Kw,
    #[serde(rename = "A256KW")]
    A256Kw,
    #[serde(rename = "dir")]
    Dir,
}

/// How the content is encrypted and authenticated (RFC 7518 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ContentEncryption {
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    #[serde(rename = "A256CBC-HS512")]
    A256CbcHs512,
    #[serde(rename = "A128GCM")]
    A128Gcm,
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

impl KeyManagement {
    /// Every implemented algorithm.
    pub const ALL: &[KeyManagement] = &[
        KeyManagement::RsaOaep256,
        KeyManagement::RsaOaep,
        KeyManagement::EcdhEs,
        KeyManagement::EcdhEsA128Kw,
        KeyManagement::EcdhEsA256Kw,
        KeyManagement::A128Kw,
        KeyManagement::A256Kw,
        KeyManagement::Dir,
    ];

    /// The algorithms that encrypt to somebody's public key.
    pub const ASYMMETRIC: &[KeyManagement] = &[
        KeyManagement::RsaOaep256,
        KeyManagement::RsaOaep,
        KeyManagement::EcdhEs,
        KeyManagement::EcdhEsA128Kw,
        KeyManagement::EcdhEsA256Kw,
    ];

    /// The name in the IANA registry, as it stands in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            KeyManagement::RsaOaep256 => "RSA-OAEP-256",
            KeyManagement::RsaOaep => "RSA-OAEP",
            KeyManagement::EcdhEs => "ECDH-ES",
            KeyManagement::EcdhEsA128Kw => "ECDH-ES+A128KW",
            KeyManagement::EcdhEsA256Kw => "ECDH-ES+A256KW",
            KeyManagement::A128Kw => "A128KW",
            KeyManagement::A256Kw => "A256KW",
            KeyManagement::Dir => "dir",
        }
    }

    /// The algorithm of this name; the comparison is case-sensitive (RFC 7516 §4.1.1).
    pub fn parse(name: &str) -> Option<KeyManagement> {
        KeyManagement::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// The `kty` of its keys (RFC 7518 §6.1).
    pub const fn key_type(self) -> &'static str {
        match self {
            KeyManagement::RsaOaep256 | KeyManagement::RsaOaep => "RSA",
            KeyManagement::EcdhEs | KeyManagement::EcdhEsA128Kw | KeyManagement::EcdhEsA256Kw => "EC",
            KeyManagement::A128Kw | KeyManagement::A256Kw | KeyManagement::Dir => "oct",
        }
    }

    /// Bytes of the AES key that wraps the content key, where one does (RFC 7518 §4.4, §4.6).
    pub(crate) const fn wrapping_key_len(self) -> Option<usize> {
        match self {
            KeyManagement::A128Kw | KeyManagement::EcdhEsA128Kw => Some(16),
            KeyManagement::A256Kw | KeyManagement::EcdhEsA256Kw => Some(32),
            _ => None,
        }
    }
}

impl ContentEncryption {
    /// Every implemented algorithm. The first is the default of OIDC Registration §2.
    pub const ALL: &[ContentEncryption] = &[
        ContentEncryption::A128CbcHs256,
        ContentEncryption::A256CbcHs512,
        ContentEncryption::A128Gcm,
        ContentEncryption::A256Gcm,
    ];

    /// The name in the IANA registry, as it stands in `enc`.
    pub const fn name(self) -> &'static str {
        match self {
            ContentEncryption::A128CbcHs256 => "A128CBC-HS256",
            ContentEncryption::A256CbcHs512 => "A256CBC-HS512",
            ContentEncryption::A128Gcm => "A128GCM",
            ContentEncryption::A256Gcm => "A256GCM",
        }
    }

    /// The algorithm of this name; the comparison is case-sensitive (RFC 7516 §4.1.2).
    pub fn parse(name: &str) -> Option<ContentEncryption> {
        ContentEncryption::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// Bytes of the content encryption key (RFC 7518 §5.2.3, §5.2.5, §5.3).
    pub(crate) const fn key_len(self) -> usize {
        match self {
            ContentEncryption::A128Gcm => 16,
            ContentEncryption::A128CbcHs256 | ContentEncryption::A256Gcm => 32,
            ContentEncryption::A256CbcHs512 => 64,
        }
    }
}

impl std::fmt::Display for KeyManagement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_what_serde_writes() {
        for &algorithm in KeyManagement::ALL {
            assert_eq!(KeyManagement::parse(algorithm.name()), Some(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.name());
        }
        for &algorithm in ContentEncryption::ALL {
            assert_eq!(ContentEncryption::parse(algorithm.name()), Some(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.name());
        }
        let asymmetric = KeyManagement::ALL.iter().filter(|algorithm| algorithm.key_type() != "oct");
        assert!(asymmetric.eq(KeyManagement::ASYMMETRIC));
    }

    #[test]
    fn rfc_8725_3_2_weak_and_costly_algorithms_are_unknown() {
        for name in ["RSA1_5", "PBES2-HS256+A128KW", "none", "rsa-oaep", "A128GCMKW", ""] {
            assert_eq!(KeyManagement::parse(name), None, "{name}");
        }
        for name in ["A128CBC", "none", "a128gcm", ""] {
            assert_eq!(ContentEncryption::parse(name), None, "{name}");
        }
    }
}

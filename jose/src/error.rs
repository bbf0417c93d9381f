/// Why a token or a key was refused.
///
/// Precise for logs and tests. What a client hears is decided elsewhere and is one and the same for most of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Longer than the limit for its kind.
    #[error("larger than the limit")]
    TooLarge,
    /// Not three parts separated by dots (RFC 7515 §7.1), or five of an encrypted one (RFC 7516 §7.1).
    #[error("not in compact form")]
    NotCompact,
    /// Not base64url in its one canonical spelling without padding (RFC 7515 §2).
    #[error("not canonical base64url without padding")]
    Base64Url,
    /// Not a JSON object in UTF-8.
    #[error("not a JSON object")]
    Json,
    /// One member name twice in an object (RFC 7515 §4, RFC 7519 §4).
    #[error("a member name occurs twice")]
    DuplicateMember,
    /// Nested deeper than [`crate::MAX_DEPTH`].
    #[error("nested too deeply")]
    TooDeep,
    /// A header parameter is missing or has the wrong type.
    #[error("header parameter \"{0}\" is missing or malformed")]
    Header(&'static str),
    /// A claim has the wrong type.
    #[error("a claim has the wrong type")]
    Claim,
    /// `alg` is none of the implemented algorithms; `none` is never one (RFC 8725 §3.2).
    #[error("unsupported algorithm")]
    UnsupportedAlgorithm,
    /// The caller does not allow this `alg` (RFC 8725 §3.1).
    #[error("algorithm not allowed here")]
    AlgorithmNotAllowed,
    /// The key may not be used with this `alg`.
    #[error("the key does not fit the algorithm")]
    KeyMismatch,
    /// The header has a `crit` member; no extension is implemented (RFC 7515 §4.1.11).
    #[error("unknown critical header parameter")]
    UnknownCritical,
    /// No key has the `kid` of the header.
    #[error("no key with this kid")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    BadSignature,
    /// An encrypted token does not open, whatever the reason (RFC 7516 §11.5).
    #[error("it does not decrypt")]
    NotDecrypted,
    /// The key is malformed, too weak or not for signatures.
    #[error("unusable key: {0}")]
    InvalidKey(&'static str),
    /// A private or symmetric key where only public ones may be (RFC 7517 §9.2).
    #[error("the key has private members")]
    PrivateKey,
    /// Two keys of one set have the same `kid`, `kty` and `use` (RFC 7517 §4.5).
    #[error("ambiguous kid")]
    AmbiguousKid,
    /// A sealed value was altered, or sealed with another key or for another purpose.
    #[error("the sealed value does not open")]
    NotOpened,
    /// The cryptographic library failed; not the fault of the input.
    #[error("the cryptographic library failed")]
    Crypto,
}

impl From<aws_lc_rs::error::Unspecified> for Error {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Error::Crypto
    }
}

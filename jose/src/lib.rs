//! JSON Object Signing and Encryption: JWS (RFC 7515), JWE (RFC 7516), JWK (RFC 7517), JWA (RFC 7518) and JWT (RFC 7519) on aws-lc-rs.
//!
//! This room knows no OAuth and has no doors: no clock, no async, no network, no files. Whoever verifies a
//! token says which key and which algorithms are allowed; nothing in the token may choose either (RFC 8725 §3.1).
//! Time claims, audiences and replay are the caller's rules; this room says only whether a signature holds.
//!
//! Keys are parsed once ([`SigningKey`], [`VerifyingKey`]) and shared between threads. An [`UnverifiedJwt`] and a
//! [`VerifiedJwt`] are different types, so that unverified claims cannot be taken for verified ones.

pub mod aead;
pub mod base64url;

mod algorithm;
mod digest;
mod error;
mod json;
mod jwe;
mod jwk;
mod jwt;
mod secret;
mod signing_key;
mod verifying_key;

pub use algorithm::Algorithm;
pub use digest::{constant_time_eq, half_hash, hmac_sha256, sha256};
pub use error::Error;
pub use json::{MAX_DEPTH, parse_object};
pub use jwe::{
    ContentEncryption, ContentType, DecryptionKey, EncryptionKey, Jwe, JweHeader, KeyManagement,
    MAX_JWE_BYTES,
};
pub use jwk::{Jwk, JwkSet, MAX_JWKS_BYTES, MAX_JWKS_KEYS};
pub use jwt::{Header, MAX_CANDIDATE_KEYS, MAX_JWT_BYTES, UnverifiedJwt, VerifiedJwt, Vouched};
pub use secret::{Secret, SecretString};
pub use signing_key::SigningKey;
pub use verifying_key::VerifyingKey;

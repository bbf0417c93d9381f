//! Signing and encryption keys of a workspace: parsed once, sealed at rest.

use crate::derive::Deriver;
use crate::error::EngineError;
use crate::seal;
use jose::{Algorithm, DecryptionKey, JwkSet, KeyManagement, SigningKey, VerifyingKey};
use protocol::id::ServerId;
use protocol::key::{KeyAlgorithm, KeyDocument, KeyState};
use protocol::time::Timestamp;
use std::sync::Arc;

const PURPOSE: &str = "signing key at rest";

/// The keys of one workspace, ready for use.
pub struct Keyring {
    /// One current key per algorithm, the workspace's own algorithm first.
    signers: Vec<Arc<SigningKey>>,
    verifying: Vec<VerifyingKey>,
    decrypting: Vec<DecryptionKey>,
    /// The published set: next, current and rotated keys.
    published: JwkSet,
    default_alg: Algorithm,
}

impl Keyring {
    /// Opens the sealed keys of `documents`.
    ///
    /// # Errors
    /// When a key cannot be opened: the key file is not the one it was sealed with.
    pub fn open(
        documents: &[KeyDocument],
        default_alg: Algorithm,
        deriver: &Deriver,
    ) -> Result<Self, EngineError> {
        let mut signers = Vec::new();
        let (mut verifying, mut decrypting) = (Vec::new(), Vec::new());
        let mut published = JwkSet { keys: Vec::new() };
        for document in documents {
            if matches!(document.state, KeyState::Revoked(_)) {
                continue;
            }
            let open = || seal::open(deriver, PURPOSE, &document.sealed);
            match document.alg {
                KeyAlgorithm::Signature(alg) => {
                    verifying.push(VerifyingKey::from_jwk(&document.public)?);
                    if document.state == KeyState::Current {
                        signers.push(Arc::new(SigningKey::from_pkcs8(alg, &document.kid, &open()?)?));
                    }
                }
                // A rotated one is published no more, but what was just encrypted to it still opens.
                KeyAlgorithm::Encryption(alg) => {
                    decrypting.push(DecryptionKey::from_pkcs8(alg, &document.kid, &open()?)?);
                    if document.state != KeyState::Current {
                        continue;
                    }
                }
            }
            published.keys.push(document.public.clone());
        }
        signers.sort_by_key(|k| k.algorithm() != default_alg);
        Ok(Self { signers, verifying, decrypting, published, default_alg })
    }

    /// The current key of an algorithm.
    pub fn signer(&self, alg: Algorithm) -> Option<&Arc<SigningKey>> {
        self.signers.iter().find(|k| k.algorithm() == alg)
    }

    pub fn verifying(&self) -> &[VerifyingKey] {
        &self.verifying
    }

    /// What request objects may be encrypted to.
    pub fn decrypting(&self) -> &[DecryptionKey] {
        &self.decrypting
    }

    pub fn published(&self) -> &JwkSet {
        &self.published
    }

    pub fn default_alg(&self) -> Algorithm {
        self.default_alg
    }
}

/// Makes a key and seals it. RSA keys take tens of milliseconds: not on a request thread.
pub fn generate(
    server: &ServerId,
    alg: KeyAlgorithm,
    state: KeyState,
    now: Timestamp,
    deriver: &Deriver,
) -> Result<KeyDocument, EngineError> {
    let (kid, public, pkcs8) = match alg {
        KeyAlgorithm::Signature(alg) => {
            let key = SigningKey::generate(alg)?;
            (key.kid().to_owned(), key.public_jwk(), key.to_pkcs8()?)
        }
        KeyAlgorithm::Encryption(alg) => {
            let (kid, pkcs8) = DecryptionKey::generate(alg)?;
            let public = DecryptionKey::from_pkcs8(alg, &kid, &pkcs8)?.public_jwk().clone();
            (kid, public, pkcs8)
        }
    };
    let sealed = seal::seal(deriver, PURPOSE, &pkcs8)?;
    Ok(KeyDocument { kid, server: server.clone(), alg, state, created_at: now, public, sealed })
}

/// The algorithm that a workspace's `key_type` stands for.
pub fn algorithm_of(key_type: &str) -> Algorithm {
    match key_type {
        "rsa" => Algorithm::RS256,
        "ps" => Algorithm::PS256,
        "eddsa" => Algorithm::EdDSA,
        _ => Algorithm::ES256,
    }
}

/// The kind of encryption key that a `key_type` stands for.
pub fn encryption_of(key_type: &str) -> KeyManagement {
    match key_type {
        "ecdsa" => KeyManagement::EcdhEs,
        _ => KeyManagement::RsaOaep256,
    }
}

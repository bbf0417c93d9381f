//! Signing keys of a workspace: parsed once, sealed at rest.

use crate::derive::Deriver;
use crate::error::EngineError;
use crate::seal;
use jose::{Algorithm, JwkSet, SigningKey, VerifyingKey};
use protocol::id::ServerId;
use protocol::key::{KeyDocument, KeyState};
use protocol::time::Timestamp;
use std::sync::Arc;

const PURPOSE: &str = "signing key at rest";

/// The keys of one workspace, ready for use.
pub struct Keyring {
    /// One current key per algorithm, the workspace's own algorithm first.
    signers: Vec<Arc<SigningKey>>,
    verifying: Vec<VerifyingKey>,
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
        let mut verifying = Vec::new();
        let mut published = JwkSet { keys: Vec::new() };
        for document in documents {
            if matches!(document.state, KeyState::Revoked(_)) {
                continue;
            }
            published.keys.push(document.public.clone());
            verifying.push(VerifyingKey::from_jwk(&document.public)?);
            if document.state == KeyState::Current {
                let plain = seal::open(deriver, PURPOSE, &document.sealed)?;
                signers.push(Arc::new(SigningKey::from_pkcs8(document.alg, &document.kid, &plain)?));
            }
        }
        signers.sort_by_key(|k| k.algorithm() != default_alg);
        Ok(Self { signers, verifying, published, default_alg })
    }

    /// The current key of an algorithm.
    pub fn signer(&self, alg: Algorithm) -> Option<&Arc<SigningKey>> {
        self.signers.iter().find(|k| k.algorithm() == alg)
    }

    pub fn verifying(&self) -> &[VerifyingKey] {
        &self.verifying
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
    alg: Algorithm,
    state: KeyState,
    now: Timestamp,
    deriver: &Deriver,
) -> Result<KeyDocument, EngineError> {
    let key = SigningKey::generate(alg)?;
    Ok(KeyDocument {
        kid: key.kid().to_owned(),
        server: server.clone(),
        alg,
        state,
        created_at: now,
        public: key.public_jwk(),
        sealed: seal::seal(deriver, PURPOSE, &key.to_pkcs8()?)?,
    })
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

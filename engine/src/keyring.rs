//! Signing and encryption keys of a workspace: parsed once, sealed at rest.

use crate::derive::Deriver;
use crate::error::EngineError;
use crate::seal;
use jose::{Algorithm, DecryptionKey, JwkSet, KeyManagement, SigningKey, VerifyingKey};
use protocol::decision::DecryptionKeys;
use protocol::id::ServerId;
use protocol::key::{KeyAlgorithm, KeyDocument, KeyState};
use protocol::time::Timestamp;
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

const PURPOSE: &str = "signing key at rest";

/// The keys of one workspace. Private keys other than the first are opened when they are needed: an RSA key costs half a
/// millisecond and some kilobytes, and most workspaces never use theirs.
pub struct Keyring {
    /// One current key per algorithm, the workspace's own algorithm first.
    signers: Vec<Signer>,
    verifying: Vec<VerifyingKey>,
    decrypting: Decrypting,
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
        let (mut signers, mut verifying, mut decrypting) = (Vec::new(), Vec::new(), Vec::new());
        let key = Arc::new(deriver.key(PURPOSE));
        let mut published = JwkSet { keys: Vec::new() };
        for document in documents {
            if matches!(document.state, KeyState::Revoked(_)) {
                continue;
            }
            let sealed = || Sealed { document: document.clone(), key: Arc::clone(&key) };
            match document.alg {
                KeyAlgorithm::Signature(alg) => {
                    verifying.push(VerifyingKey::from_jwk(&document.public)?);
                    if document.state == KeyState::Current {
                        signers.push(Signer { alg, sealed: sealed(), opened: OnceLock::new() });
                    }
                }
                // A rotated one is published no more, but what was just encrypted to it still opens.
                KeyAlgorithm::Encryption(alg) => {
                    decrypting.push((alg, sealed()));
                    if document.state != KeyState::Current {
                        continue;
                    }
                }
            }
            published.keys.push(document.public.clone());
        }
        signers.sort_by_key(|signer| signer.alg != default_alg);
        if let Some(first) = signers.first() {
            // Whether the key file is the right one is seen now and not at the first token.
            let _ = first.opened.set(Some(first.sealed.signing_key(first.alg)?));
        }
        let decrypting = Decrypting { sealed: decrypting, opened: OnceLock::new() };
        Ok(Self { signers, verifying, decrypting, published, default_alg })
    }

    /// The current key of an algorithm.
    pub fn signer(&self, alg: Algorithm) -> Option<&Arc<SigningKey>> {
        self.signers.iter().find(|signer| signer.alg == alg)?.key()
    }

    pub fn verifying(&self) -> &[VerifyingKey] {
        &self.verifying
    }

    /// What request objects may be encrypted to.
    pub fn decrypting(&self) -> &dyn DecryptionKeys {
        &self.decrypting
    }

    pub fn published(&self) -> &JwkSet {
        &self.published
    }

    pub fn default_alg(&self) -> Algorithm {
        self.default_alg
    }
}

/// A private key as it is stored.
struct Sealed {
    document: KeyDocument,
    key: Arc<Zeroizing<[u8; 32]>>,
}

impl Sealed {
    fn signing_key(&self, alg: Algorithm) -> Result<Arc<SigningKey>, EngineError> {
        let pkcs8 = seal::open_with(&self.key, PURPOSE, &self.document.sealed)?;
        Ok(Arc::new(SigningKey::from_pkcs8(alg, &self.document.kid, &pkcs8)?))
    }

    fn decryption_key(&self, alg: KeyManagement) -> Result<DecryptionKey, EngineError> {
        let pkcs8 = seal::open_with(&self.key, PURPOSE, &self.document.sealed)?;
        Ok(DecryptionKey::from_pkcs8(alg, &self.document.kid, &pkcs8)?)
    }

    /// Says what a key that cannot be opened means; it counts as one that is not there.
    fn lost<T>(&self, error: &EngineError) -> Option<T> {
        tracing::error!(kid = %self.document.kid, %error, "a key of this workspace cannot be opened");
        None
    }
}

/// A current key.
struct Signer {
    alg: Algorithm,
    sealed: Sealed,
    opened: OnceLock<Option<Arc<SigningKey>>>,
}

impl Signer {
    fn key(&self) -> Option<&Arc<SigningKey>> {
        let open = || self.sealed.signing_key(self.alg).map_or_else(|error| self.sealed.lost(&error), Some);
        self.opened.get_or_init(open).as_ref()
    }
}

/// What is encrypted to the workspace is opened with these.
struct Decrypting {
    sealed: Vec<(KeyManagement, Sealed)>,
    opened: OnceLock<Vec<DecryptionKey>>,
}

impl DecryptionKeys for Decrypting {
    fn opened(&self) -> &[DecryptionKey] {
        let open = |(alg, sealed): &(KeyManagement, Sealed)| {
            sealed.decryption_key(*alg).map_or_else(|error| sealed.lost(&error), Some)
        };
        self.opened.get_or_init(|| self.sealed.iter().filter_map(open).collect())
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

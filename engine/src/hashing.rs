//! Secrets and passwords against their hashes, off the request threads and bounded.

use crate::derive::Deriver;
use crate::entropy::SystemEntropy;
use crate::error::EngineError;
use crate::hash_pool::{HashPool, Memory};
use crate::measures::HashingMeasures;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use jose::SecretString;
use moka::sync::Cache;
use protocol::client::{Client, HashedSecret};
use protocol::decision::{Derive, Entropy};
use protocol::time::Timestamp;
use std::time::Duration;
use zeroize::Zeroize;

/// Longest password or secret that is looked at, in bytes (attack LGN-08).
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// As the parameters' recommendation has it (RFC 9106 §4).
const SALT_BYTES: usize = 16;

/// Argon2id at the parameters OWASP recommends (19 MiB, two passes).
pub struct Hashing {
    pool: HashPool,
    /// Remembers which chosen client secret was verified against which hash, as a keyed digest of both.
    verified: Cache<[u8; 32], ()>,
    measures: HashingMeasures,
    deriver: Deriver,
    /// Hash of nothing in particular, so that an unknown user takes as long as a wrong password.
    decoy: String,
}

impl Hashing {
    /// At most `slots` hashes at a time, and `waiting` more that wait.
    pub(crate) fn new(slots: usize, waiting: usize, master: &[u8; 32], measures: HashingMeasures) -> Self {
        Self {
            pool: HashPool::new(slots, waiting, measures.clone()),
            verified: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(600)).build(),
            measures,
            deriver: Deriver::new(master, "verified secrets"),
            decoy: "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                    ZGVjb3kgZGVjb3kgZGVjb3kgZGVjb3kgZGVjb3kgZGU"
                .to_owned(),
        }
    }

    /// A new secret of 256 random bits, and its hash. Being random it needs no slow hash.
    pub fn new_secret() -> (String, HashedSecret) {
        let mut bytes = [0u8; 32];
        SystemEntropy::default().fill(&mut bytes);
        let secret = jose::base64url::encode(&bytes);
        let hash = fast_hash(&secret);
        (secret, hash)
    }

    /// The hash of a password or secret that somebody chose.
    ///
    /// # Errors
    /// When too many are waiting.
    pub async fn hash(&self, chosen: &str) -> Result<String, EngineError> {
        let chosen = zeroize::Zeroizing::new(chosen.to_owned());
        let mut salt = [0; SALT_BYTES];
        SystemEntropy::default().fill(&mut salt);
        let hash = move |memory: &mut Memory| argon2_hash(&chosen, &salt, memory);
        self.pool.run(hash).await?.map_err(|e| EngineError::Internal(format!("argon2: {e}")))
    }

    /// Whether the password fits; without a hash it takes the same time and fails.
    pub async fn verify_password(&self, password: &str, hash: Option<&str>) -> Result<bool, EngineError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).to_owned();
        let too_long = password.len() > MAX_PASSWORD_BYTES;
        let password = zeroize::Zeroizing::new(if too_long { String::new() } else { password.to_owned() });
        let fits = self.pool.run(move |memory| fits(&password, &hash, memory)).await?;
        Ok(fits && known && !too_long)
    }

    /// Whether `secret` is one of the client's: the current one, or a rotated one that has not ended.
    pub async fn verify_client_secret(
        &self,
        secret: &SecretString,
        client: &Client,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let rotated = client
            .hashed_rotated_secrets
            .iter()
            .filter(|r| r.expires_at.is_none_or(|end| now < end))
            .map(|r| &r.hash);
        for hash in client.hashed_secret.iter().chain(rotated) {
            if self.verify_secret(secret, hash).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn verify_secret(&self, secret: &SecretString, hash: &HashedSecret) -> Result<bool, EngineError> {
        let presented: &str = secret.expose();
        if presented.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        if hash.0.starts_with("sha256:") {
            let presented = fast_hash(presented);
            return Ok(jose::constant_time_eq(presented.0.as_bytes(), hash.0.as_bytes()));
        }
        let remembered = self.deriver.derive(&hash.0, presented);
        if self.verified.contains_key(&remembered) {
            self.measures.remembered.inc();
            return Ok(true);
        }
        let (owned, hash) = (zeroize::Zeroizing::new(presented.to_owned()), hash.0.clone());
        let fits = self.pool.run(move |memory| fits(&owned, &hash, memory)).await?;
        if fits {
            self.verified.insert(remembered, ());
        }
        Ok(fits)
    }
}

/// Whether the password fits the hash, a PHC string. A string that is none fits nothing.
fn fits(password: &str, hash: &str, memory: &mut Memory) -> bool {
    argon2_fits(password, hash, memory).unwrap_or(false)
}

/// The PHC string of a new hash.
fn argon2_hash(chosen: &str, salt: &[u8], blocks: &mut Memory) -> argon2::password_hash::Result<String> {
    let params = Params::DEFAULT;
    blocks.resize(params.block_count(), Block::new());
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let (algorithm, version) = (Algorithm::default(), Version::default());
    let argon2 = Argon2::new(algorithm, version, params.clone());
    argon2.hash_password_into_with_memory(chosen.as_bytes(), salt, &mut output, blocks.as_mut_slice())?;
    let hash = PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: ParamsString::try_from(&params)?,
        salt: Some(Salt::new(salt)?),
        hash: Some(Output::new(&output)?),
    };
    Ok(hash.to_string())
}

fn argon2_fits(password: &str, hash: &str, blocks: &mut Memory) -> argon2::password_hash::Result<bool> {
    let parsed = PasswordHash::new(hash)?;
    let (Some(salt), Some(expected)) = (&parsed.salt, &parsed.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(parsed.algorithm.as_str())?;
    let version = parsed.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let params = Params::try_from(&parsed)?;
    blocks.resize(params.block_count(), Block::new());
    let passes = params.t_cost();
    let mut computed = zeroize::Zeroizing::new(vec![0; expected.len()]);
    let argon2 = Argon2::new(algorithm, version, params);
    let hashed =
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut computed, &mut *blocks);
    // After one pass the first blocks still follow from the password by a few cheap steps, so that they would serve to try
    // passwords. After two, every block depends on all others and tells no more than the hash does; the next password
    // overwrites them. Wiping those too would take a tenth of the time of the hash.
    if passes < 2 {
        blocks.iter_mut().zeroize();
    }
    hashed?;
    Ok(jose::constant_time_eq(&computed, expected.as_bytes()))
}

/// The stored form of a secret that the server made.
pub fn fast_hash(secret: &str) -> HashedSecret {
    HashedSecret(format!("sha256:{}", jose::base64url::encode(&jose::sha256(secret.as_bytes()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordHasher;

    #[tokio::test]
    async fn lgn_02_cau_02_only_the_exact_password_fits() {
        let hashing = Hashing::new(2, 4, &[7; 32], HashingMeasures::default());
        let hash = hashing.hash("correct horse").await.unwrap();
        assert!(hashing.verify_password("correct horse", Some(&hash)).await.unwrap());
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hashing.hash("correct horse").await.unwrap(), hash, "a salt of its own each time");
        for wrong in ["", " correct horse", "correct horse ", "correct hors", "Correct horse"] {
            assert!(!hashing.verify_password(wrong, Some(&hash)).await.unwrap(), "{wrong:?}");
        }
        assert!(!hashing.verify_password("correct horse", None).await.unwrap());
    }

    #[tokio::test]
    async fn cau_13_every_byte_of_a_long_secret_counts() {
        let hashing = Hashing::new(1, 4, &[7; 32], HashingMeasures::default());
        let long = "x".repeat(80);
        let client = Client {
            hashed_secret: Some(HashedSecret(hashing.hash(&long).await.unwrap())),
            ..Client::default()
        };
        let now = Timestamp::from_seconds(0);
        let check = async |s: String| {
            hashing.verify_client_secret(&SecretString::new(s), &client, now).await.unwrap()
        };
        assert!(check(long.clone()).await);
        assert!(check(long.clone()).await, "and again from memory");
        assert!(!check(format!("{}y", &long[..79])).await);
    }

    #[test]
    fn what_one_pass_leaves_in_memory_is_wiped() {
        let once = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let imported = once.hash_password(b"imported").unwrap().to_string();
        let mut memory = Memory::new();
        assert!(fits("imported", &imported, &mut memory));
        assert!(!memory.is_empty());
        assert!(memory.iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }

    #[tokio::test]
    async fn one_memory_serves_hashes_of_other_parameters_and_broken_ones() {
        let hashing = Hashing::new(1, 4, &[7; 32], HashingMeasures::default());
        let small = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let imported = small.hash_password(b"imported").unwrap().to_string();
        let ours = hashing.hash("ours").await.unwrap();
        for _ in 0..2 {
            assert!(hashing.verify_password("imported", Some(&imported)).await.unwrap());
            assert!(hashing.verify_password("ours", Some(&ours)).await.unwrap());
            for broken in
                ["", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ", "$scrypt$ln=1$c2FsdA$aGFzaA"]
            {
                assert!(!hashing.verify_password("ours", Some(broken)).await.unwrap(), "{broken}");
            }
        }
    }

    #[test]
    fn the_decoy_is_a_hash_of_the_same_cost() {
        let hashing = Hashing::new(1, 4, &[7; 32], HashingMeasures::default());
        let decoy = PasswordHash::new(&hashing.decoy).unwrap();
        assert_eq!(decoy.params.get_decimal("m"), Some(19456));
        assert!(!fits("", &hashing.decoy, &mut Memory::new()));
    }
}

//! The one user's password: Argon2id with the parameters OWASP recommends (19 MiB, two passes).

use std::sync::{Arc, Mutex};

use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

const SALT: &[u8] = b"salt of the floor";

/// Checks passwords, as many at a time as there are cores, with memory that is kept.
pub(crate) struct Passwords {
    expected: [u8; 32],
    slots: Semaphore,
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
}

impl Passwords {
    /// Knows the password of the one user.
    pub(crate) fn new(password: &str) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut memory = Vec::new();
        let expected = derive(password, &mut memory)?;
        Ok(Self { expected, slots: Semaphore::new(cores), memory: Arc::new(Mutex::new(vec![memory])) })
    }

    /// Whether the password is right.
    pub(crate) async fn verify(&self, password: String) -> Result<bool> {
        let _slot = self.slots.acquire().await?;
        let pool = self.memory.clone();
        let derived = spawn_blocking(move || {
            let mut memory = pool.lock().ok().and_then(|mut pool| pool.pop()).unwrap_or_default();
            let derived = derive(&password, &mut memory);
            if let Ok(mut pool) = pool.lock() {
                pool.push(memory);
            }
            derived
        });
        Ok(verify_slices_are_equal(&derived.await??, &self.expected).is_ok())
    }
}

fn derive(password: &str, memory: &mut Vec<Block>) -> Result<[u8; 32]> {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(|error| anyhow!("argon2: {error}"))?;
    memory.resize(params.block_count(), Block::new());
    let mut derived = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), SALT, &mut derived, memory)
        .map_err(|error| anyhow!("argon2: {error}"))?;
    Ok(derived)
}

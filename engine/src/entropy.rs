//! Randomness from the operating system.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use protocol::decision::Entropy;

/// The cryptographic library's generator. A failing generator ends the process: nothing may be issued then
/// (attack W-33).
#[derive(Debug)]
pub(crate) struct SystemEntropy(SystemRandom);

impl Default for SystemEntropy {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        if self.0.fill(bytes).is_err() {
            tracing::error!("no randomness from the operating system");
            std::process::abort();
        }
    }
}

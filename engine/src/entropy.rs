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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn w_33_every_fill_is_new_and_every_bit_moves() {
        let mut entropy = SystemEntropy::default();
        let mut seen = BTreeSet::new();
        let (mut ones, mut zeros) = ([0u8; 32], [0u8; 32]);
        for _ in 0..100 {
            let mut bytes = [0u8; 32];
            entropy.fill(&mut bytes);
            for (index, byte) in bytes.iter().enumerate() {
                ones[index] |= byte;
                zeros[index] |= !byte;
            }
            assert!(seen.insert(bytes));
        }
        assert!(ones == [0xff; 32] && zeros == [0xff; 32]);
    }
}

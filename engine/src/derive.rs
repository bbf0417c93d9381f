//! Keys derived from the one key of the key file, one per purpose.

use protocol::decision::Derive;
use zeroize::Zeroizing;

/// Derives keys and handles for one workspace, or for the whole server.
pub struct Deriver(Zeroizing<[u8; 32]>);

impl Deriver {
    pub fn new(master: &[u8; 32], purpose: &str) -> Self {
        Self(Zeroizing::new(jose::hmac_sha256(master, purpose.as_bytes())))
    }

    /// A key for one more purpose below this one.
    pub fn key(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(jose::hmac_sha256(self.0.as_slice(), purpose.as_bytes()))
    }
}

impl Derive for Deriver {
    fn derive(&self, label: &str, input: &str) -> [u8; 32] {
        // The length in front keeps ("ab", "c") apart from ("a", "bc").
        let mut message = Vec::with_capacity(label.len() + input.len() + 9);
        message.extend_from_slice(&(label.len() as u64).to_be_bytes());
        message.extend_from_slice(label.as_bytes());
        message.extend_from_slice(input.as_bytes());
        jose::hmac_sha256(self.0.as_slice(), &message)
    }
}

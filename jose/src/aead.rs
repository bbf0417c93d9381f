//! Sealing of values at rest with AES-256-GCM: signing keys, resume tokens, stored answers.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::Error;

/// Encrypts and authenticates `plain`. The answer is a fresh random nonce (12 bytes), the ciphertext and the tag
/// (16 bytes).
///
/// `aad` binds the value to its place (tenant, kind, id): [`open`] needs the same bytes. With random nonces one key
/// is good for 2^32 values (NIST SP 800-38D §8.3).
pub fn seal(key: &[u8; 32], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key)?;
    let mut sealed = vec![0; NONCE_LEN + plain.len()];
    let (nonce_place, text) = sealed.split_at_mut(NONCE_LEN);
    text.copy_from_slice(plain);
    let (nonce, tag) = key.seal_in_place_separate_tag(Aad::from(aad), text)?;
    nonce_place.copy_from_slice(nonce.as_ref());
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// Decrypts what [`seal`] made with the same `key` and `aad`; [`Error::NotOpened`] otherwise.
pub fn open(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key)?;
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(Error::NotOpened)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce)?;
    let mut plain = Zeroizing::new(text.to_vec());
    let length = key.open_in_place(nonce, Aad::from(aad), &mut plain).map_err(|_| Error::NotOpened)?.len();
    plain.truncate(length);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn what_was_sealed_opens() {
        for plain in [&b""[..], b"x", &[9; 5000]] {
            let sealed = seal(&KEY, b"place", plain).unwrap();
            assert_eq!(sealed.len(), 12 + plain.len() + 16);
            assert_eq!(open(&KEY, b"place", &sealed).unwrap().as_slice(), plain);
        }
    }

    #[test]
    fn the_same_value_is_sealed_differently_each_time() {
        assert_ne!(seal(&KEY, b"", b"x").unwrap(), seal(&KEY, b"", b"x").unwrap());
    }

    #[test]
    fn another_key_place_or_bit_does_not_open() {
        let sealed = seal(&KEY, b"place", b"plain").unwrap();
        assert_eq!(open(&[8; 32], b"place", &sealed).err(), Some(Error::NotOpened));
        assert_eq!(open(&KEY, b"elsewhere", &sealed).err(), Some(Error::NotOpened));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(open(&KEY, b"place", &altered).err(), Some(Error::NotOpened), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(
                open(&KEY, b"place", &sealed[..length]).err(),
                Some(Error::NotOpened),
                "{length} bytes"
            );
        }
    }
}

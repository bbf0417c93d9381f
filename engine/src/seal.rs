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
    open_with(&deriver.key(purpose), purpose, sealed)
}

/// [`open`] with the key of the purpose itself.
///
/// # Errors
/// Those of [`open`].
pub(crate) fn open_with(
    key: &[u8; 32],
    purpose: &str,
    sealed: &str,
) -> Result<Zeroizing<Vec<u8>>, jose::Error> {
    jose::aead::open(key, purpose.as_bytes(), &jose::base64url::decode(sealed)?)
}

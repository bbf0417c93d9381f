//! The sealing key: 32 bytes that open what the database must not tell by itself, such as signing keys.
//!
//! It is kept apart from the database, as 43 characters of base64url. It is made once, for a database
//! that holds nothing yet, and is never silently replaced: with another key the old data is lost.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use rustls::crypto::SecureRandom;
use zeroize::Zeroizing;

use crate::config::Secret;

/// The key itself.
pub(crate) type SealKey = Zeroizing<[u8; 32]>;

/// Reads the key; makes it when it is a file that does not exist and `is_new` says that nothing was
/// sealed yet.
///
/// # Errors
/// One line: the key is missing although the database holds data, cannot be read, or is no key.
pub(crate) fn open(place: &Secret, is_new: bool) -> anyhow::Result<SealKey> {
    let missing = matches!(place, Secret::File(path) if !path.exists());
    match place {
        Secret::File(path) if missing && is_new => make(path),
        Secret::File(path) if missing => bail!(
            "{} is missing, but the database holds data sealed with it: restore it from your backup",
            path.display()
        ),
        _ => decode(&Zeroizing::new(place.read()?)).with_context(|| place.to_string()),
    }
}

fn make(path: &Path) -> anyhow::Result<SealKey> {
    let mut key = Zeroizing::new([0_u8; 32]);
    let random: &dyn SecureRandom = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    ensure!(random.fill(key.as_mut()).is_ok(), "the system gives no random bytes");
    let mut text = Zeroizing::new(jose::base64url::encode(key.as_ref()));
    text.push('\n');
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match created {
        // Another process made it just now: then that one counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return open(&Secret::File(path.to_owned()), false);
        }
        created => created.with_context(|| format!("cannot create {}", path.display()))?,
    };
    file.write_all(text.as_bytes())?;
    // The key must outlive whatever will be sealed with it.
    file.sync_all()?;
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::File::open(directory)?.sync_all()?;
    }
    Ok(key)
}

fn decode(text: &[u8]) -> anyhow::Result<SealKey> {
    let text = std::str::from_utf8(text).unwrap_or_default().trim();
    let bytes = Zeroizing::new(jose::base64url::decode(text).unwrap_or_default());
    let mut key = Zeroizing::new([0_u8; 32]);
    ensure!(bytes.len() == key.len(), "is not a sealing key: 43 characters of base64url are expected");
    key.copy_from_slice(&bytes);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn is_made_once_for_its_owner_alone_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seal.key");
        let place = Secret::File(path.clone());
        let made = open(&place, true).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(*open(&place, true).unwrap(), *made, "never made again");
        assert_eq!(*open(&place, false).unwrap(), *made);
    }

    #[test]
    fn e_18_a_missing_key_is_never_replaced_when_there_is_data() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seal.key");
        let problem = open(&Secret::File(path.clone()), false).unwrap_err().to_string();
        assert!(problem.contains("restore it from your backup"), "{problem}");
        assert!(!path.exists());
    }

    #[test]
    fn e_23_what_is_no_key_is_refused_without_telling_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seal.key");
        for content in ["", "hunter2", "****", &"A".repeat(44)] {
            std::fs::write(&path, content).unwrap();
            let problem = format!("{:#}", open(&Secret::File(path.clone()), true).unwrap_err());
            assert!(problem.ends_with("43 characters of base64url are expected"), "{problem}");
            assert!(content.is_empty() || !problem.contains(content));
        }
        let unset = open(&Secret::Env("POSTERN_TEST_UNSET".into()), true).unwrap_err();
        assert!(format!("{unset:#}").contains("POSTERN_TEST_UNSET"));
    }
}

//! The certificate that Postern makes for itself: for the demo, and for `serve` on a private network.
//!
//! A root signs one leaf and its key is thrown away. Whoever decides to trust that root trusts exactly
//! this one certificate; nobody can ever sign a second one with it.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};

use super::Identity;
use super::validity::validity;

/// Browsers accept no more than 398 days from a certificate (CA/Browser Forum BR §6.3.2).
const LIFETIME: Duration = Duration::days(397);
/// A certificate with less than this left is replaced at the next start.
const RENEWAL: Duration = Duration::days(30);
/// Clocks of clients may be slow.
const BACKDATING: Duration = Duration::days(1);

/// Where the certificate lives.
#[derive(Debug)]
pub struct SelfSigned {
    directory: PathBuf,
    names: Vec<String>,
}

impl SelfSigned {
    /// A certificate kept in `directory`, for these DNS names and IP addresses.
    pub fn new(directory: &Path, names: &[&str]) -> Self {
        Self { directory: directory.to_owned(), names: names.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// The file to give to a client that shall trust this server: `curl --cacert …`.
    pub fn root_file(&self) -> PathBuf {
        self.directory.join("root.pem")
    }

    /// The file with leaf and root, as they are served.
    pub fn chain_file(&self) -> PathBuf {
        self.directory.join("certificate.pem")
    }

    fn key_file(&self) -> PathBuf {
        self.directory.join("certificate.key")
    }

    /// The kept certificate, or a new one when there is none, when it ends within 30 days, when it was
    /// made for other names, or when its files cannot be read.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn open(&self, now: OffsetDateTime) -> anyhow::Result<Identity> {
        let (identity, unkept) = self.prepare(now)?;
        unkept.keep()?;
        Ok(identity)
    }

    /// The same, with nothing written yet.
    ///
    /// # Errors
    /// A name cannot stand in a certificate.
    pub fn prepare(&self, now: OffsetDateTime) -> anyhow::Result<(Identity, Unkept)> {
        match self.kept() {
            Some(identity) if self.is_usable(&identity, now) => Ok((identity, Unkept::default())),
            _ => self.make(now),
        }
    }

    /// The certificate as it is kept, if there is one that can be read.
    pub fn kept(&self) -> Option<Identity> {
        let chain = CertificateDer::pem_file_iter(self.chain_file()).ok()?.collect::<Result<_, _>>().ok()?;
        let key = PrivateKeyDer::from_pem_file(self.key_file()).ok()?;
        Some(Identity { chain, key })
    }

    fn is_usable(&self, identity: &Identity, now: OffsetDateTime) -> bool {
        let Some(period) = identity.chain.first().and_then(|leaf| validity(leaf)) else { return false };
        let lasting = period.not_before <= now && now + RENEWAL < period.not_after;
        let names = fs::read_to_string(self.directory.join("certificate.names"));
        lasting && names.is_ok_and(|names| names == self.names.join("\n"))
    }

    fn make(&self, now: OffsetDateTime) -> anyhow::Result<(Identity, Unkept)> {
        let (root, issuer) = root(now)?;
        let key = KeyPair::generate()?;
        let leaf = leaf(&self.names, now)?.signed_by(&key, &issuer)?;
        let files = vec![
            (self.key_file(), key.serialize_pem(), write_private as Write),
            (self.root_file(), root.pem(), write_public),
            (self.chain_file(), leaf.pem() + &root.pem(), write_public),
            (self.directory.join("certificate.names"), self.names.join("\n"), write_public),
        ];
        let chain = vec![leaf.der().clone(), root.der().clone()];
        Ok((Identity { chain, key: PrivateKeyDer::from(key) }, Unkept(files)))
    }
}

type Write = fn(&Path, &[u8]) -> io::Result<()>;

/// The files of a certificate that is made and not kept yet; none if it is.
#[derive(Debug, Default)]
pub struct Unkept(Vec<(PathBuf, String, Write)>);

impl Unkept {
    /// Writes them, over those of the certificate before.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn keep(&self) -> anyhow::Result<()> {
        for (path, content, write) in &self.0 {
            let failed = || format!("cannot write the certificate to {}", path.display());
            write(path, content.as_bytes()).with_context(failed)?;
        }
        Ok(())
    }
}

fn root(now: OffsetDateTime) -> anyhow::Result<(rcgen::Certificate, Issuer<'static, KeyPair>)> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Postern, this installation only");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    period(&mut params, now);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate, Issuer::new(params, key)))
}

fn leaf(names: &[String], now: OffsetDateTime) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Postern");
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    period(&mut params, now);
    Ok(params)
}

fn period(params: &mut CertificateParams, now: OffsetDateTime) {
    params.not_before = now - BACKDATING;
    params.not_after = now + LIFETIME - BACKDATING;
}

fn write_public(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::write(path, content)
}

/// Writes a file that only its owner may read, whatever stood there before.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

    fn noon() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_795_000_000).unwrap()
    }

    #[test]
    fn is_kept_between_starts_and_replaced_before_it_ends() {
        let directory = tempfile::tempdir().unwrap();
        let certificate = SelfSigned::new(directory.path(), &NAMES);
        let first = certificate.open(noon()).unwrap();
        let mode = fs::metadata(certificate.key_file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(first.chain.len(), 2, "leaf and its own root");
        let again = certificate.open(noon() + Duration::days(300)).unwrap();
        assert_eq!(first.chain, again.chain);
        let late = certificate.open(noon() + Duration::days(370)).unwrap();
        assert_ne!(first.chain, late.chain);
        let renamed = SelfSigned::new(directory.path(), &["localhost"]);
        assert_ne!(renamed.open(noon() + Duration::days(370)).unwrap().chain, late.chain);
    }

    #[test]
    fn its_validity_reads_back() {
        let directory = tempfile::tempdir().unwrap();
        let identity = SelfSigned::new(directory.path(), &NAMES).open(noon()).unwrap();
        let period = validity(&identity.chain[0]).unwrap();
        assert_eq!(period.not_before, noon() - BACKDATING);
        assert_eq!(period.not_after - period.not_before, LIFETIME);
    }
}

//! A certificate that is renewed under a running server: looked at once a minute, taken when it is good.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{Identity, certified};

const LOOK: Duration = Duration::from_secs(60);

/// The certificate that is served at the moment.
#[derive(Debug)]
pub struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    /// Begins with `identity`.
    ///
    /// # Errors
    /// The key does not belong to the certificate.
    pub fn new(identity: Identity) -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self(RwLock::new(Arc::new(certified(identity)?)))))
    }

    /// The chain being served, leaf first.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).cert.clone()
    }

    /// Serves `identity` from the next handshake on, if it is another one and whole.
    ///
    /// # Errors
    /// The key does not belong to the certificate; the old one stays.
    pub fn renew(&self, identity: Identity) -> anyhow::Result<bool> {
        if identity.chain == self.chain() {
            return Ok(false);
        }
        let renewed = Arc::new(certified(identity)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(true)
    }

    /// Loads again and again, and renews. Never returns.
    pub async fn follow(&self, load: impl Fn() -> anyhow::Result<Identity>) {
        loop {
            tokio::time::sleep(LOOK).await;
            match load().and_then(|identity| self.renew(identity)) {
                Ok(true) => tracing::info!("the TLS certificate was renewed"),
                Ok(false) => {}
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "the TLS certificate cannot be renewed; the old one is served");
                }
            }
        }
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::super::self_signed::SelfSigned;
    use super::*;

    fn identity() -> Identity {
        let directory = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_795_000_000).unwrap();
        SelfSigned::new(directory.path(), &["localhost"]).open(now).unwrap()
    }

    #[test]
    fn a_new_certificate_is_served_and_half_a_one_is_not() {
        let current = Current::new(identity()).unwrap();
        let new = identity();
        let chain = new.chain.clone();
        assert!(current.renew(new).unwrap());
        assert_eq!(current.chain(), chain);
        let mixed = Identity { chain: identity().chain, key: identity().key };
        assert!(current.renew(mixed).is_err());
        assert_eq!(current.chain(), chain);
    }
}

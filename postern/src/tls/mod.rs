//! TLS for the main listener: TLS 1.2 and 1.3, aws-lc-rs, resumption, HTTP/2 and HTTP/1.1.

pub mod renewal;
pub mod self_signed;
pub mod validity;

use std::sync::Arc;

use anyhow::Context;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};

use renewal::Current;

/// A certificate chain, the server's own certificate first, with its private key.
#[derive(Debug)]
pub struct Identity {
    /// Leaf first, as it is sent.
    pub chain: Vec<CertificateDer<'static>>,
    /// PKCS #8, SEC 1 or PKCS #1.
    pub key: PrivateKeyDer<'static>,
}

/// The TLS configuration of the main listener.
///
/// Old versions and non-forward-secret suites do not exist in rustls (RFC 8996, HTP-16). X25519MLKEM768
/// is preferred: what is recorded today stays unreadable when curves fall.
///
/// # Errors
/// The system gives no random bytes for the ticket key.
pub fn server_config(certificate: Arc<Current>) -> anyhow::Result<Arc<ServerConfig>> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![
        aws_lc_rs::kx_group::X25519MLKEM768,
        aws_lc_rs::kx_group::X25519,
        aws_lc_rs::kx_group::SECP256R1,
        aws_lc_rs::kx_group::SECP384R1,
    ];
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

fn certified(identity: Identity) -> anyhow::Result<CertifiedKey> {
    CertifiedKey::from_der(identity.chain, identity.key, &aws_lc_rs::default_provider())
        .context("the private key does not fit the certificate")
}

//! Encryption to clients (OIDC Core §10.2): finds the client's key and nests what was signed.

use crate::{Engine, EngineError};
use jose::ContentType;
use protocol::client::Client;
use protocol::encryption::Encryption;
use protocol::error::{Reason, Refusal};

/// A signed token inside an encrypted one (RFC 7519 §5.2).
pub(crate) const NESTED: ContentType<'static> = ContentType { typ: None, cty: Some("JWT") };
/// Claims that nobody signed.
pub(crate) const CLAIMS: ContentType<'static> = ContentType { typ: Some("JWT"), cty: None };

impl Engine {
    /// `plain`, encrypted to the key that the client has for it in `jwks` or behind `jwks_uri`.
    ///
    /// # Errors
    /// [`EngineError::ClientKey`] when it has none now: nothing is ever sent in the open instead.
    pub(crate) async fn encrypt_to(
        &self,
        client: &Client,
        encryption: Encryption,
        content: ContentType<'_>,
        plain: &[u8],
    ) -> Result<String, EngineError> {
        let Encryption { alg, enc } = encryption;
        let key = self.client_jwks(client, None).await.and_then(|set| set.encryption_key(alg));
        let Some(key) = key else {
            let expected = format!("a key with use enc for {alg} in jwks or at jwks_uri");
            return Err(EngineError::ClientKey(
                Refusal::new(Reason::ClientEncryptionKeyMissing).expected(expected),
            ));
        };
        Ok(key.encrypt(alg, enc, content, plain)?)
    }
}

//! How clients authenticate.

use serde::{Deserialize, Serialize};

/// How a client authenticates at the token endpoint (RFC 7591 §2; contract `unspecified`, decisions 6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    ClientSecretJwt,
    PrivateKeyJwt,
    SelfSignedTlsClientAuth,
    TlsClientAuth,
    /// A public client.
    None,
    /// Basic and body are both accepted.
    Unspecified,
}

impl TokenEndpointAuthMethod {
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
            Self::TlsClientAuth => "tls_client_auth",
            Self::None => "none",
            Self::Unspecified => "unspecified",
        }
    }

    pub const fn uses_secret(self) -> bool {
        matches!(
            self,
            Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt | Self::Unspecified
        )
    }
}

//! Which values the members of a document may have.

pub(crate) mod client;
pub(crate) mod secret;
pub(crate) mod server;
pub(crate) mod web_uri;

/// Grant types of the contract. Those that are not implemented are kept and have no effect (decisions 2).
pub(crate) const GRANT_TYPES: &[&str] = &[
    "authorization_code",
    "implicit",
    "client_credentials",
    "refresh_token",
    "password",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:openid:params:grant-type:ciba",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:device_code",
];

/// Response types of the contract; the order of their parts does not matter (OAuth Multiple Response Types §5).
pub(crate) const RESPONSE_TYPES: &[&str] = &[
    "code",
    "token",
    "id_token",
    "code id_token",
    "code token",
    "id_token token",
    "code id_token token",
    "none",
];

/// Client authentication methods of the contract.
pub(crate) const AUTH_METHODS: &[&str] = &[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "self_signed_tls_client_auth",
    "tls_client_auth",
    "none",
    "unspecified",
];

/// Algorithms that the server signs with.
pub(crate) const SIGNING_ALGORITHMS: &[&str] = &["ES256", "RS256", "PS256", "EdDSA"];

//! A workspace: one independent authorization server.

use crate::duration::Span;
use crate::id::{ServerId, TenantId, Uid};
use crate::profile::{Profile, Rules};
use crate::rate_limit::RateLimit;
use crate::registration::DynamicClientRegistration;
use crate::session::Sso;
use crate::time::Timestamp;
use jose::Algorithm;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Version of what every workspace has: services and scopes, and keys of each kind. A workspace with a lower number is
/// brought up when it is loaded.
pub const VERSION: u32 = 1;

/// A workspace, as stored and as the admin API reads and writes it (contract: `Server`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Server {
    #[schema(value_type = String)]
    pub id: ServerId,
    #[schema(value_type = String)]
    pub tenant_id: TenantId,
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    pub color: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub logo_uri: String,
    /// `admin`, `developer`, `system`, `regular` or `organization`; fixed at creation.
    #[serde(rename = "type")]
    pub server_type: String,
    /// Security profile: `default`, `demo`, `fapi_20_security`, …; what the settings allow holds as far as it allows it
    /// too. Fixed at creation.
    #[schema(value_type = String)]
    pub profile: Profile,
    /// Replaces the computed issuer when set.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub custom_issuer_url: String,
    /// Algorithm of the current signing key made at creation: `ecdsa` (default), `rsa`, `ps` or `eddsa`.
    pub key_type: String,
    /// Grant types allowed here (decisions 2); adding `implicit` also allows the hybrid response types.
    pub grant_types: Vec<String>,
    /// Client authentication methods allowed here.
    pub token_endpoint_auth_methods: Vec<String>,
    #[schema(value_type = Vec<String>)]
    pub token_endpoint_auth_signing_alg_values: Vec<Algorithm>,
    pub subject_identifier_types: Vec<String>,
    /// `jwt` (default) or `opaque`.
    pub access_token_strategy: String,
    /// Claim set and `typ` of JWT access tokens: `rfc9068` (default) or `acp` (decisions 3).
    pub access_token_profile: String,
    /// How scopes are written into JWT access tokens: `scp_array`, `scope_space_separated`.
    pub scope_claim_formats: Vec<String>,
    #[schema(value_type = String)]
    pub access_token_ttl: Span,
    #[schema(value_type = String)]
    pub id_token_ttl: Span,
    #[schema(value_type = String)]
    pub refresh_token_ttl: Span,
    #[schema(value_type = String)]
    pub authorization_code_ttl: Span,
    /// How long a rotated refresh token is answered with the same successor while that is unused.
    #[schema(value_type = String)]
    pub refresh_token_retry_window: Span,
    /// Absolute life of a login session.
    #[schema(value_type = String)]
    pub cookie_max_age: Span,
    pub sso: Sso,
    /// Only pushed requests start a flow here (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// How long a pushed request can be opened (RFC 9126 §2.2).
    #[schema(value_type = String)]
    pub pushed_authorization_request_ttl: Span,
    /// DPoP proofs need a nonce that the server gives (RFC 9449 §8, §9).
    pub dpop_nonce_required: bool,
    pub enforce_pkce: bool,
    pub enforce_pkce_for_public_clients: bool,
    /// `S256` always; `plain` only when listed (decisions 1).
    pub code_challenge_methods: Vec<String>,
    /// Separator of dynamic scopes such as `account.*`.
    pub dynamic_scope_separator: String,
    pub acr_values_supported: Vec<String>,
    pub client_id_metadata_documents: ClientIdMetadataDocuments,
    pub dynamic_client_registration: DynamicClientRegistration,
    pub device_authorization: DeviceAuthorizationSettings,
    /// How many requests each client may send where clients authenticate (tokens, introspection, revocation, pushed
    /// requests, devices), on each node; no limit when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_rate_limit: Option<RateLimit>,
    pub advanced: Advanced,
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Up to which version of what every workspace has this one was brought (contract: `version`); read-only.
    pub version: u32,
    /// Incarnation; not part of the document that the admin API shows.
    #[serde(skip)]
    #[schema(ignore)]
    pub uid: Uid,
    #[serde(skip)]
    #[schema(ignore)]
    pub created_at: Timestamp,
}

/// Trust policy for client ID metadata documents (decisions 13).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ClientIdMetadataDocuments {
    pub enabled: bool,
    /// Hosts whose documents are accepted; empty means any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_hosts: Vec<String>,
}

/// How devices without a browser get their codes (RFC 8628; contract: `device_authorization`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = DeviceAuthorizationConfiguration)]
pub struct DeviceAuthorizationSettings {
    /// How long a person has to answer.
    #[schema(value_type = String)]
    pub request_ttl: Span,
    /// Characters of the code that the person types: 6 to 12.
    pub user_code_length: usize,
    /// `base20` (default; consonants) or `digits`.
    pub user_code_character_set: String,
}

impl Default for DeviceAuthorizationSettings {
    fn default() -> Self {
        Self {
            request_ttl: Span::minutes(30),
            user_code_length: 8,
            user_code_character_set: "base20".to_owned(),
        }
    }
}

/// Switches of a workspace (contract: `advanced`).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Advanced {
    pub disable_refresh_token_cycling: bool,
    /// Response modes that clients may not ask for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disallowed_response_modes: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        let strings = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        Self {
            id: ServerId::default(),
            tenant_id: TenantId::default(),
            name: String::new(),
            description: String::new(),
            color: "#007FFF".to_owned(),
            logo_uri: String::new(),
            server_type: "regular".to_owned(),
            profile: Profile::default(),
            custom_issuer_url: String::new(),
            key_type: "ecdsa".to_owned(),
            grant_types: strings(&[
                "authorization_code",
                "client_credentials",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:ietf:params:oauth:grant-type:token-exchange",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ]),
            token_endpoint_auth_methods: strings(&[
                "client_secret_basic",
                "client_secret_post",
                "client_secret_jwt",
                "private_key_jwt",
                "self_signed_tls_client_auth",
                "tls_client_auth",
                "none",
            ]),
            token_endpoint_auth_signing_alg_values: vec![
                Algorithm::ES256,
                Algorithm::RS256,
                Algorithm::PS256,
                Algorithm::EdDSA,
            ],
            subject_identifier_types: strings(&["public", "pairwise"]),
            access_token_strategy: "jwt".to_owned(),
            access_token_profile: "rfc9068".to_owned(),
            scope_claim_formats: strings(&["scp_array"]),
            access_token_ttl: Span::hours(1),
            id_token_ttl: Span::hours(1),
            refresh_token_ttl: Span::hours(720),
            authorization_code_ttl: Span::minutes(10),
            refresh_token_retry_window: Span::seconds(30),
            cookie_max_age: Span::hours(12),
            sso: Sso::default(),
            require_pushed_authorization_requests: false,
            pushed_authorization_request_ttl: Span::seconds(60),
            dpop_nonce_required: false,
            enforce_pkce: false,
            enforce_pkce_for_public_clients: true,
            code_challenge_methods: strings(&["S256"]),
            dynamic_scope_separator: ".".to_owned(),
            acr_values_supported: strings(&["1"]),
            client_id_metadata_documents: ClientIdMetadataDocuments::default(),
            dynamic_client_registration: DynamicClientRegistration::default(),
            device_authorization: DeviceAuthorizationSettings::default(),
            client_rate_limit: None,
            advanced: Advanced::default(),
            metadata: Map::new(),
            version: 0,
            uid: Uid::default(),
            created_at: Timestamp::default(),
        }
    }
}

impl Server {
    pub fn allows_grant_type(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|g| g == grant_type)
            && Rules::of_workspace(self).allows_grant_type(grant_type)
    }

    /// The issuer (RFC 8414 §2): `custom_issuer_url`, else `{base}/{tid}/{aid}`. Configuration, never a
    /// request, decides it.
    pub fn issuer(&self, base_url: &str) -> String {
        if self.custom_issuer_url.is_empty() {
            format!("{base_url}/{}/{}", self.tenant_id, self.id)
        } else {
            self.custom_issuer_url.clone()
        }
    }
}

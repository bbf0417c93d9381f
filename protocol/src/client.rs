//! An OAuth client (RFC 6749 §2, RFC 7591 §2).

use crate::duration::Span;
use crate::id::{ClientId, ServerId, TenantId, Uid};
use crate::profile::Profile;
use crate::registration::RegistrationToken;
use crate::time::Timestamp;
use jose::{Algorithm, JwkSet};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;

mod authentication_method;
mod secret;

pub use authentication_method::TokenEndpointAuthMethod;
pub use secret::{HashedSecret, RotatedSecret, SealedSecret};

/// Per-client lifetimes; an absent one is the server's (contract: `token_ttls`).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct TokenTtls {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub access_token_ttl: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id_token_ttl: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub refresh_token_ttl: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub authorization_code_ttl: Option<Span>,
}

/// A client as stored. The admin API shows all of it but the secrets' hashes.
///
/// Members of the contract whose feature is not there yet are kept and have no effect.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Client {
    #[schema(value_type = String)]
    pub tenant_id: TenantId,
    /// The workspace that owns it; required.
    #[schema(value_type = String, required = true)]
    pub authorization_server_id: ServerId,
    #[schema(value_type = String)]
    pub client_id: ClientId,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_name: String,
    /// Hash of the current secret; never shown.
    #[schema(ignore)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hashed_secret: Option<HashedSecret>,
    /// Beside the hash, for `client_secret_jwt` only; never shown.
    #[schema(ignore)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_secret: Option<SealedSecret>,
    /// At most two previous secrets, newest first; never shown.
    #[schema(ignore)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hashed_rotated_secrets: Vec<RotatedSecret>,
    /// Unix time at which the secret ends; 0 means never (RFC 7591 §3.2.1).
    pub client_secret_expires_at: i64,
    /// Unix time of creation (RFC 7591 §3.2.1); read-only.
    pub client_id_issued_at: i64,
    /// `active` (default) or `inactive`.
    pub client_status: String,
    /// `oauth2` (default) or `saml`.
    pub client_type: String,
    /// `web` (default) or `native` (RFC 8252).
    pub application_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_uri: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub logo_uri: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub policy_uri: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tos_uri: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub initiate_login_uri: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub organisation_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub developer_id: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub developer_metadata: Map<String, Value>,
    /// Made by the server itself; read-only.
    pub system: bool,
    /// The consent page is skipped.
    pub trusted: bool,
    pub grant_types: Vec<String>,
    pub response_types: Vec<String>,
    /// Exact-match list (RFC 9700 §2.1); a bare string is accepted on input.
    #[serde(deserialize_with = "one_or_many")]
    pub redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Scopes the client may ask for.
    pub scopes: Vec<String>,
    /// Fixed `aud` entries of its tokens; empty means its own `client_id`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// `public` (default) or `pairwise` (OIDC Core §8).
    pub subject_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sector_identifier_uri: String,
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// Algorithm of client assertions; absent means any asymmetric one that the server allows.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "empty_is_none")]
    #[schema(value_type = Option<String>)]
    pub token_endpoint_auth_signing_alg: Option<Algorithm>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_client_auth_subject_dn: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_client_auth_san_dns: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_client_auth_san_email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_client_auth_san_ip: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_client_auth_san_uri: String,
    pub tls_client_certificate_bound_access_tokens: bool,
    pub dpop_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub jwks: Option<JwkSet>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jwks_uri: String,
    /// Absent means the server's current key (decisions 5).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "empty_is_none")]
    #[schema(value_type = Option<String>)]
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// With what ID tokens are encrypted (OIDC Registration §2); `enc` defaults to A128CBC-HS256.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id_token_encrypted_response_alg: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id_token_encrypted_response_enc: String,
    /// Absent or `none` means plain JSON.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub userinfo_signed_response_alg: String,
    /// With what userinfo is encrypted, a signed one too (OIDC Registration §2); `enc` alone is refused.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub userinfo_encrypted_response_alg: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub userinfo_encrypted_response_enc: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_object_signing_alg: String,
    /// What the client says that it encrypts request objects with; others are accepted too (OIDC Registration §2).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_object_encryption_alg: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_object_encryption_enc: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub authorization_signed_response_alg: String,
    pub require_pushed_authorization_requests: bool,
    /// Security profile of this client; beside that of its workspace the stricter one wins. Absent means the workspace's
    /// alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub profile: Option<Profile>,
    /// `auth_time` is in every ID token (OIDC Registration §2); it is in those of other clients too.
    pub require_auth_time: bool,
    /// Seconds; 0 means none (OIDC Registration §2).
    #[serde(skip_serializing_if = "is_zero")]
    pub default_max_age: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub backchannel_token_delivery_mode: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub backchannel_client_notification_endpoint: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub backchannel_logout_uri: String,
    pub backchannel_logout_session_required: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub frontchannel_logout_uri: String,
    pub frontchannel_logout_session_required: bool,
    /// Whether `token_ttls` counts.
    pub use_custom_token_ttls: bool,
    pub token_ttls: TokenTtls,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub software_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub software_version: String,
    /// Made through dynamic registration; read-only.
    pub dynamically_registered: bool,
    /// How it manages its own registration (RFC 7592 §3); never shown.
    #[schema(ignore)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_token: Option<RegistrationToken>,
    /// When the last client of the same id was deleted: tokens issued until then are dead (attack W-09).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub predecessor_deleted_at: Option<Timestamp>,
    /// Incarnation, creation and change; kept beside the document.
    #[serde(skip)]
    #[schema(ignore)]
    pub uid: Uid,
    #[serde(skip)]
    #[schema(ignore)]
    pub created_at: Timestamp,
    #[serde(skip)]
    #[schema(ignore)]
    pub updated_at: Timestamp,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            tenant_id: TenantId::default(),
            authorization_server_id: ServerId::default(),
            client_id: ClientId::default(),
            client_name: String::new(),
            hashed_secret: None,
            sealed_secret: None,
            hashed_rotated_secrets: Vec::new(),
            client_secret_expires_at: 0,
            client_id_issued_at: 0,
            client_status: "active".to_owned(),
            client_type: "oauth2".to_owned(),
            application_type: "web".to_owned(),
            description: String::new(),
            client_uri: String::new(),
            logo_uri: String::new(),
            policy_uri: String::new(),
            tos_uri: String::new(),
            app_url: String::new(),
            initiate_login_uri: String::new(),
            contacts: Vec::new(),
            organisation_id: String::new(),
            developer_id: String::new(),
            metadata: Map::new(),
            developer_metadata: Map::new(),
            system: false,
            trusted: false,
            grant_types: vec!["authorization_code".to_owned()],
            response_types: vec!["code".to_owned()],
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            scopes: Vec::new(),
            audience: Vec::new(),
            subject_type: "public".to_owned(),
            sector_identifier_uri: String::new(),
            token_endpoint_auth_method: TokenEndpointAuthMethod::default(),
            token_endpoint_auth_signing_alg: None,
            tls_client_auth_subject_dn: String::new(),
            tls_client_auth_san_dns: String::new(),
            tls_client_auth_san_email: String::new(),
            tls_client_auth_san_ip: String::new(),
            tls_client_auth_san_uri: String::new(),
            tls_client_certificate_bound_access_tokens: false,
            dpop_bound_access_tokens: false,
            jwks: None,
            jwks_uri: String::new(),
            id_token_signed_response_alg: None,
            id_token_encrypted_response_alg: String::new(),
            id_token_encrypted_response_enc: String::new(),
            userinfo_signed_response_alg: String::new(),
            userinfo_encrypted_response_alg: String::new(),
            userinfo_encrypted_response_enc: String::new(),
            request_object_signing_alg: String::new(),
            request_object_encryption_alg: String::new(),
            request_object_encryption_enc: String::new(),
            request_uris: Vec::new(),
            authorization_signed_response_alg: String::new(),
            require_pushed_authorization_requests: false,
            profile: None,
            require_auth_time: false,
            default_max_age: 0,
            authorization_details_types: Vec::new(),
            default_acr_values: Vec::new(),
            backchannel_token_delivery_mode: String::new(),
            backchannel_client_notification_endpoint: String::new(),
            backchannel_logout_uri: String::new(),
            backchannel_logout_session_required: false,
            frontchannel_logout_uri: String::new(),
            frontchannel_logout_session_required: false,
            use_custom_token_ttls: false,
            token_ttls: TokenTtls::default(),
            software_id: String::new(),
            software_version: String::new(),
            dynamically_registered: false,
            registration_token: None,
            predecessor_deleted_at: None,
            uid: Uid::default(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }
}

impl Client {
    pub fn is_active(&self) -> bool {
        self.client_status == "active"
    }

    /// A client that cannot keep a secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == TokenEndpointAuthMethod::None
    }

    pub fn is_native(&self) -> bool {
        self.application_type == "native"
    }

    pub fn registered_grant_type(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|g| g == grant_type)
    }

    /// Life of one kind of token: the client's own if it has one, else the server's.
    pub fn ttl(&self, own: impl Fn(&TokenTtls) -> Option<Span>, server: Span) -> Span {
        if self.use_custom_token_ttls { own(&self.token_ttls).unwrap_or(server) } else { server }
    }
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_any(OneOrMany)
}

/// A list of texts, or one text alone.
struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_str<E: serde::de::Error>(self, one: &str) -> Result<Self::Value, E> {
        Ok(vec![one.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, many: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(many))
    }
}

fn empty_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Algorithm>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some("") => Ok(None),
        Some(name) => Algorithm::parse(name)
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom(format!("`{name}` is not a supported algorithm"))),
    }
}

//! A place of this server that a page points to.

use serde::Serialize;

/// A link with words of ours.
#[derive(Clone, Serialize)]
pub struct Place {
    pub kind: PlaceKind,
    /// A path on this server.
    pub href: String,
}

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// The start page of the server.
    Server,
    /// The start page of a tenant.
    Tenant,
    SwaggerUi,
    /// The small relying party of the demonstration.
    Demo,
    /// OIDC Discovery §4, RFC 8414 §3.
    Discovery,
    /// RFC 7517 §5.
    Jwks,
    /// The readiness check.
    Ready,
}

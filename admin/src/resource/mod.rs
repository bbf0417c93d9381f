//! What the management API manages: one file per resource, one line per resource in [`RESOURCES`].

mod audit_events;
mod clients;
mod environment;
mod keys;
mod outbox;
mod rate_limits;
mod scopes;
mod servers;
mod services;
mod sessions;
mod static_idps;
mod tenants;
mod tokens;
mod workspaces;

use crate::operation::Operation;

pub(crate) use scopes::Scopes;
pub(crate) use servers::Servers;
pub(crate) use services::Services;

/// Operations that belong together.
pub(crate) struct Resource {
    /// The contract's tag.
    pub(crate) tag: &'static str,
    pub(crate) description: &'static str,
    pub(crate) operations: &'static [Operation],
}

/// Everything the management API can do. Routes and description are made from it.
pub(crate) static RESOURCES: &[Resource] = &[
    clients::CLIENTS,
    servers::SERVERS,
    workspaces::WORKSPACES,
    services::SERVICES,
    scopes::SCOPES,
    static_idps::STATIC_IDPS,
    keys::KEYS,
    sessions::SESSIONS,
    tokens::TOKENS,
    audit_events::AUDIT_EVENTS,
    outbox::OUTBOX,
    tenants::TENANTS,
    rate_limits::RATE_LIMITS,
    environment::ENVIRONMENT,
];

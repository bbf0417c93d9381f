//! What the engine is told at start.

use protocol::id::TenantId;
use protocol::rate_limit::{Module, RateLimit};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// About two seconds of hashes.
const WAITING_PER_SLOT: usize = 64;

/// Settings of the engine. Nothing here is ever taken from a request.
#[derive(Clone)]
pub struct EngineConfig {
    /// Scheme, host and port that clients see, without a trailing slash: `https://localhost:8443`.
    pub public_url: String,
    /// Key that seals signing keys at rest and derives everything keyed; from the key file.
    pub key: Zeroizing<[u8; 32]>,
    /// Demonstration: explanations are shown on the error page and the demo relying party answers.
    pub demo: bool,
    pub fetch: crate::fetch::FetchPolicy,
    /// Password hashes computed at the same time; each takes 19 MiB.
    pub hash_slots: usize,
    /// Password hashes that may wait for their turn; one more is refused. Each holds the place of a request, so it is a
    /// part of those: a storm of logins leaves the rest to others.
    pub hash_waiting: usize,
    pub audit: crate::AuditConfig,
    /// Origins that may call the admin API from a browser.
    pub admin_origins: Vec<String>,
    /// The tenant whose landing page stands at `/`.
    pub default_tenant: Option<TenantId>,
    /// Limits of every tenant that has none of its own, on each node.
    pub rate_limits: BTreeMap<Module, RateLimit>,
}

impl EngineConfig {
    pub fn new(public_url: impl Into<String>, key: Zeroizing<[u8; 32]>) -> Self {
        let hash_slots = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            public_url: public_url.into(),
            key,
            demo: false,
            fetch: crate::fetch::FetchPolicy::default(),
            hash_slots,
            hash_waiting: hash_slots * WAITING_PER_SLOT,
            audit: crate::AuditConfig::default(),
            admin_origins: Vec::new(),
            default_tenant: None,
            rate_limits: BTreeMap::new(),
        }
    }
}

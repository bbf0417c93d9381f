//! Remembered consent: per user, client and scope (decisions 9).

use crate::id::{ClientId, ServerId, Uid};
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one user allowed one client. Document id: [`Consent::document_id`], parent: [`Consent::parent`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Consent {
    pub server: ServerId,
    pub client: ClientId,
    pub client_uid: Uid,
    pub subject: String,
    /// Scope name to when it was allowed.
    pub scopes: BTreeMap<String, Timestamp>,
    /// Resource indicator (RFC 8707 §2) to when it was allowed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, Timestamp>,
}

impl Consent {
    pub fn document_id(server: &ServerId, subject: &str, client: &ClientId) -> String {
        format!("{server}/{subject}/{client}")
    }

    pub fn parent(server: &ServerId, subject: &str) -> String {
        format!("{server}/{subject}")
    }

    /// Whether every scope of `wanted` was allowed before.
    pub fn covers(&self, wanted: &ScopeSet) -> bool {
        wanted.iter().all(|scope| self.scopes.contains_key(scope))
    }
}

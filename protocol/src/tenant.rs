//! Tenants: the isolation root.

use crate::id::{TenantId, Uid};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A tenant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    pub uid: Uid,
    pub created_at: Timestamp,
}

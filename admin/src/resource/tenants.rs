//! The tenant itself, as its administrators see it.

use super::Resource;
use crate::failure::{Failure, Why};
use crate::operation::{Call, Method, Operation, Reply, Running, Shape};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) const TENANTS: Resource = Resource {
    tag: "tenants",
    description: "The tenant that all of this belongs to.",
    operations: &[Operation {
        success: (200, Some(Shape::of::<TenantResponse>())),
        ..Operation::new(Method::Get, "getAdminTenant", "/tenant", "Read the tenant", |call| -> Running {
            Box::pin(async move { read(&call).await })
        })
    }],
};

/// A tenant as answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
struct TenantResponse {
    id: String,
    name: String,
    /// Where its workspaces are.
    url: String,
}

async fn read(call: &Call) -> Result<Reply, Failure> {
    let engine = &call.office.engine;
    let tenant = engine.tenant(call.tenant()).await?.ok_or(Why::NotFound)?;
    let url = format!("{}/{}", engine.public_url(), tenant.id);
    Ok(Reply::ok(&TenantResponse { id: tenant.id.to_string(), name: tenant.name, url }))
}

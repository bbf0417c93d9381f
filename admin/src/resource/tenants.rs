//! Tenants: one as its administrators see it, and all of them as the operator does.

use super::Resource;
use crate::failure::{Failure, Why};
use crate::operation::{Call, Method, Operation, Realm, Reply, Running, Shape};
use crate::query::{AFTER, BEFORE, LIMIT, ORDER};
use engine::Engine;
use protocol::tenant::Tenant;
use serde::Serialize;
use utoipa::ToSchema;

const KIND: &str = "tenant";

pub(super) const TENANTS: Resource = Resource {
    tag: "tenants",
    description: "The tenant that all of this belongs to, and for the operator the list of all tenants.",
    operations: &[
        Operation {
            success: (200, Some(Shape::of::<TenantResponse>())),
            ..Operation::new(Method::Get, "getAdminTenant", "/tenant", "Read the tenant", |call| -> Running {
                Box::pin(async move { read(&call).await })
            })
        },
        Operation {
            kind: KIND,
            query: &[LIMIT, ORDER, AFTER, BEFORE],
            success: (200, Some(Shape::of::<Tenants>())),
            errors: &[400],
            realm: Realm::System,
            ..Operation::new(Method::Get, "listAdminTenants", "/tenants", "List tenants", |call| -> Running {
                Box::pin(async move { list(&call).await })
            })
        },
    ],
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

/// Tenants of the server.
#[derive(Serialize, ToSchema)]
#[schema(as = ListTenantsResponse)]
struct Tenants {
    tenants: Vec<TenantResponse>,
}

impl TenantResponse {
    fn of(engine: &Engine, tenant: Tenant) -> Self {
        let url = format!("{}/{}", engine.public_url(), tenant.id);
        Self { id: tenant.id.to_string(), name: tenant.name, url }
    }
}

async fn read(call: &Call) -> Result<Reply, Failure> {
    let engine = &call.office.engine;
    let tenant = engine.tenant(call.tenant()).await?.ok_or(Why::NotFound)?;
    Ok(Reply::ok(&TenantResponse::of(engine, tenant)))
}

async fn list(call: &Call) -> Result<Reply, Failure> {
    let (engine, page) = (&call.office.engine, call.query.page(KIND)?);
    let tenants = engine.tenants(&page).await?;
    let tenants = tenants.into_iter().map(|tenant| TenantResponse::of(engine, tenant)).collect();
    Ok(Reply::ok(&Tenants { tenants }))
}

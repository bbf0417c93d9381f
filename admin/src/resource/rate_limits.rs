//! How many requests a tenant may send, by module: set by the operator, not by the tenant.

use super::Resource;
use crate::failure::Failure;
use crate::members::{self, Problems};
use crate::operation::{Call, Method, Operation, Realm, Reply, Running, Shape};
use engine::rate_limits::LimitsByModule;
use protocol::decision::Event;
use protocol::id::TenantId;
use protocol::rate_limit::{Module, RateLimit};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

pub(super) const RATE_LIMITS: Resource = Resource {
    tag: "limits",
    description: "How many requests each tenant may send. Counted on each node for itself; beyond it 429 with \
                  Retry-After. Modules: oauth2 (what programs call), login (what browsers walk through), admin (this API).",
    operations: &[
        Operation {
            success: (200, Some(Shape::of::<RateLimits>())),
            errors: &[404],
            realm: Realm::System,
            ..Operation::new(
                Method::Get,
                "listRateLimits",
                "/tenants/{tid}/rate-limits",
                "List rate limits",
                |call| -> Running { Box::pin(async move { list(&call).await }) },
            )
        },
        Operation {
            request: Some(Shape::of::<RateLimit>().with_example(example)),
            success: (204, None),
            errors: &[400, 404, 413, 415, 422],
            realm: Realm::System,
            ..Operation::new(
                Method::Put,
                "setRateLimit",
                "/tenants/{tid}/rate-limits/{module}",
                "Set a rate limit",
                |call| -> Running { Box::pin(async move { set(&call).await }) },
            )
        },
        Operation {
            success: (204, None),
            errors: &[404],
            realm: Realm::System,
            ..Operation::new(
                Method::Delete,
                "deleteRateLimit",
                "/tenants/{tid}/rate-limits/{module}",
                "Delete a rate limit",
                |call| -> Running { Box::pin(async move { delete(&call).await }) },
            )
        },
    ],
};

/// The limits that hold for a tenant, by module.
#[derive(Serialize, ToSchema)]
#[schema(as = ListRateLimitsResponse)]
struct RateLimits {
    /// Those that every tenant has, from the configuration.
    #[schema(value_type = std::collections::BTreeMap<String, RateLimit>)]
    global: LimitsByModule,
    /// The tenant's own, which replace them.
    #[schema(value_type = std::collections::BTreeMap<String, RateLimit>)]
    tenant: LimitsByModule,
}

fn example() -> serde_json::Value {
    json!({ "rate": 100, "period": "1s", "burst": 200 })
}

fn tenant(call: &Call) -> TenantId {
    TenantId::new(call.segment("tid"))
}

/// The module that the path names.
fn module(call: &Call) -> Result<Module, Failure> {
    let name = call.segment("module");
    let known = || Module::ALL.iter().map(|module| module.name()).collect::<Vec<_>>().join(", ");
    Module::named(name).ok_or_else(|| Failure::not_found("module", name).with("expected", known()))
}

/// Who did what, for the tenant's audit trail.
fn event(call: &Call, action: &'static str) -> Event {
    Event::new("rate_limit", action).client(&call.caller.client_id).detail(call.segment("module"))
}

async fn list(call: &Call) -> Result<Reply, Failure> {
    let (global, tenant) = call.office.engine.rate_limits(&tenant(call)).await?;
    Ok(Reply::ok(&RateLimits { global, tenant }))
}

async fn set(call: &Call) -> Result<Reply, Failure> {
    let module = module(call)?;
    let limit: RateLimit = members::read(&call.body)?;
    let mut problems = Problems::default();
    for (member, value, expected) in limit.problems() {
        problems.add(member, value, expected);
    }
    problems.into_result()?;
    call.office
        .engine
        .set_rate_limit(&tenant(call), module, &limit, event(call, "set"), &call.around)
        .await?;
    Ok(Reply::no_content())
}

async fn delete(call: &Call) -> Result<Reply, Failure> {
    let module = module(call)?;
    call.office.engine.delete_rate_limit(&tenant(call), module, event(call, "deleted"), &call.around).await?;
    Ok(Reply::no_content())
}

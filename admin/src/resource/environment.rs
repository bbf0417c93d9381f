//! What this server can do, for consoles that show or hide parts of themselves.

use super::{Resource, Servers};
use crate::failure::Failure;
use crate::kind::load;
use crate::operation::{Call, Method, Operation, Reply, Running, Shape};
use protocol::id::ServerId;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) const ENVIRONMENT: Resource = Resource {
    tag: "environment",
    description: "Version and features of the server.",
    operations: &[
        operation("getEnvironment", "/environment", "Read version and features"),
        operation(
            "getWorkspaceEnvironment",
            "/servers/{wid}/environment",
            "Read version and features of a workspace",
        ),
    ],
};

const fn operation(id: &'static str, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        success: (200, Some(Shape::of::<Environment>())),
        ..Operation::new(Method::Get, id, path, summary, |call| -> Running {
            Box::pin(async move { read(&call).await })
        })
    }
}

/// Version and features.
#[derive(Serialize, ToSchema)]
struct Environment {
    version: &'static str,
    /// Issuer of the tokens that this API takes.
    admin_issuer_url: String,
    swagger_ui: bool,
    demo_app: bool,
    /// Secrets are shown once and kept as hashes.
    client_secrets_stored_as_one_way_hash: bool,
}

async fn read(call: &Call) -> Result<Reply, Failure> {
    if call.path.contains_key("wid") {
        load::<Servers>(call, call.segment("wid")).await?;
    }
    let engine = &call.office.engine;
    let (_, admin) = load::<Servers>(call, ServerId::from("admin").as_str()).await?;
    Ok(Reply::ok(&Environment {
        version: env!("CARGO_PKG_VERSION"),
        admin_issuer_url: admin.issuer(engine.public_url()),
        swagger_ui: true,
        demo_app: engine.demo(),
        client_secrets_stored_as_one_way_hash: true,
    }))
}

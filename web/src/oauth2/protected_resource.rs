//! Protected resource metadata (RFC 9728 §3), at the path-inserted addresses of our own APIs; that of a service at an
//! address that its resource server may name or copy.

use crate::answer;
use crate::workspace_request::WorkspaceRequest;
use axum::response::Response;
use bytes::Bytes;
use protocol::error::Refusal;

/// Of an API of a workspace, by its path.
pub(crate) async fn own(request: WorkspaceRequest) -> Response {
    let document = async {
        let workspace = request.workspace().await?;
        request.engine.own_resource(&workspace, request.name())
    };
    respond(&request, document.await)
}

/// Of a service of a workspace, by its id.
pub(crate) async fn service(request: WorkspaceRequest) -> Response {
    let document = async {
        let workspace = request.workspace().await?;
        request.engine.service_resource(&workspace, request.name())
    };
    respond(&request, document.await)
}

/// Of a tenant's management API.
pub(crate) async fn management(request: WorkspaceRequest) -> Response {
    let document = request.engine.management_resource(&request.tenant).await;
    respond(&request, document)
}

fn respond(request: &WorkspaceRequest, document: Result<Bytes, Refusal>) -> Response {
    match document {
        Ok(document) => answer::public_json(document),
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

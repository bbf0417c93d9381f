//! `POST /{tid}/{aid}/device/authorization` (RFC 8628 §3.1).

use crate::answer;
use crate::presented::presented;
use crate::workspace_request::WorkspaceRequest;
use axum::response::Response;
use protocol::error::Refusal;

/// Gives a device its codes.
pub(crate) async fn device_authorization(request: WorkspaceRequest) -> Response {
    match begin(&request).await {
        Ok(body) => answer::json(body),
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

async fn begin(request: &WorkspaceRequest) -> Result<Vec<u8>, Refusal> {
    let workspace = request.workspace().await?;
    let params = request.form_only()?;
    let presented = presented(&request.head.headers)?;
    request.engine.device_authorization(&workspace, &presented, &params, &request.call).await
}

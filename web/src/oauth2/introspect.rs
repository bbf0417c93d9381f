//! `POST /{tid}/{aid}/oauth2/introspect` (RFC 7662 §2).

use crate::answer;
use crate::presented::presented;
use crate::workspace_request::WorkspaceRequest;
use axum::response::Response;
use protocol::error::Refusal;

/// Says what a token is worth.
pub(crate) async fn introspect(request: WorkspaceRequest) -> Response {
    match inspect(&request).await {
        Ok(body) => answer::json(body),
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

async fn inspect(request: &WorkspaceRequest) -> Result<Vec<u8>, Refusal> {
    let workspace = request.workspace().await?;
    let params = request.form_only()?;
    let presented = presented(&request.head.headers)?;
    request.engine.introspect(&workspace, &presented, &params, &request.call).await
}

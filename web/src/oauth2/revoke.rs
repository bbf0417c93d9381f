//! `POST /{tid}/{aid}/oauth2/revoke` (RFC 7009 §2).

use crate::answer;
use crate::presented::presented;
use crate::workspace_request::WorkspaceRequest;
use axum::response::{IntoResponse, Response};
use http::header;
use protocol::error::Refusal;

/// Revokes a token; 200 without a body, also for an unknown one (RFC 7009 §2.2; attack REV-04).
pub(crate) async fn revoke(request: WorkspaceRequest) -> Response {
    match end(&request).await {
        Ok(()) => [(header::CACHE_CONTROL, answer::NO_STORE)].into_response(),
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

async fn end(request: &WorkspaceRequest) -> Result<(), Refusal> {
    let workspace = request.workspace().await?;
    let params = request.form_only()?;
    let presented = presented(&request.head.headers)?;
    request.engine.revoke(&workspace, &presented, &params, &request.call).await
}

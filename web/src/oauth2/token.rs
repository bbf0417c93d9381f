//! `POST /{tid}/{aid}/oauth2/token` (RFC 6749 §3.2).

use crate::answer;
use crate::presented::presented;
use crate::workspace_request::WorkspaceRequest;
use axum::response::Response;
use protocol::error::Refusal;

/// Exchanges a grant for tokens.
pub(crate) async fn token(request: WorkspaceRequest) -> Response {
    match issue(&request).await {
        Ok(body) => request.with_nonce(answer::json(body)),
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

async fn issue(request: &WorkspaceRequest) -> Result<Vec<u8>, Refusal> {
    let workspace = request.workspace().await?;
    let params = request.form_only()?;
    let presented = presented(&request.head.headers)?;
    request.engine.token(&workspace, &presented, &params, &request.call).await
}

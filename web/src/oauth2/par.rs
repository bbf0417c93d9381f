//! `POST /{tid}/{aid}/par` (RFC 9126 §2).

use crate::answer;
use crate::presented::presented;
use crate::workspace_request::WorkspaceRequest;
use axum::response::Response;
use http::StatusCode;
use protocol::error::Refusal;

/// Takes an authorization request in from the client itself.
pub(crate) async fn par(request: WorkspaceRequest) -> Response {
    match push(&request).await {
        Ok(body) => {
            let mut response = answer::json(body);
            *response.status_mut() = StatusCode::CREATED;
            request.with_nonce(response)
        }
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

async fn push(request: &WorkspaceRequest) -> Result<Vec<u8>, Refusal> {
    let workspace = request.workspace().await?;
    let params = request.form_only()?;
    let presented = presented(&request.head.headers)?;
    request.engine.push_authorization_request(&workspace, &presented, &params, &request.call).await
}

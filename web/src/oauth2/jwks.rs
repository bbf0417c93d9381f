//! `/{tid}/{aid}/.well-known/jwks.json` (RFC 7517 §5).

use crate::answer;
use crate::workspace_request::WorkspaceRequest;
use axum::response::Response;

/// The public keys that verify tokens. Kept for five minutes at most, so that a revoked key is soon gone.
pub(crate) async fn jwks(request: WorkspaceRequest) -> Response {
    match request.published_workspace().await {
        Ok(workspace) => answer::public_json(request.engine.jwks(&workspace)),
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

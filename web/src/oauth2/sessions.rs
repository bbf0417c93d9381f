//! `/{tid}/{aid}/sso/sessions` and `/{tid}/{aid}/tokens`: what the user of an access token sees and ends of their own
//! (contract: public API).

use crate::answer;
use crate::workspace_request::WorkspaceRequest;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use protocol::error::{Reason, Refusal};
use serde_json::json;

/// The sessions of the user.
pub(crate) async fn list(request: WorkspaceRequest) -> Response {
    match sessions(&request).await {
        Ok(body) => request.with_nonce(answer::json(body)),
        Err(refusal) => refused(&request, &refusal),
    }
}

/// Ends one of them; 404 if there is none of that identifier.
pub(crate) async fn end(request: WorkspaceRequest) -> Response {
    done(&request, end_one(&request).await)
}

/// Takes back the user's tokens and sessions; `revoke_current_token` says whether this one too.
pub(crate) async fn revoke_tokens(request: WorkspaceRequest) -> Response {
    done(&request, revoke(&request).await)
}

async fn sessions(request: &WorkspaceRequest) -> Result<Vec<u8>, Refusal> {
    let workspace = request.workspace().await?;
    let resource = request.resource(&workspace, None, None)?;
    let sessions = request.engine.own_sessions(&workspace, &resource, &request.call).await?;
    serde_json::to_vec(&json!({ "sessions": sessions })).map_err(|_| Reason::Internal.into())
}

async fn end_one(request: &WorkspaceRequest) -> Result<(), Refusal> {
    let workspace = request.workspace().await?;
    let id = request.session.as_deref().unwrap_or_default();
    let resource = request.resource(&workspace, None, None)?;
    match request.engine.end_own_session(&workspace, &resource, id, &request.call).await? {
        true => Ok(()),
        false => Err(Reason::SessionUnknown.into()),
    }
}

async fn revoke(request: &WorkspaceRequest) -> Result<(), Refusal> {
    let workspace = request.workspace().await?;
    let current = request.query()?.get("revoke_current_token") == Some("true");
    let resource = request.resource(&workspace, None, None)?;
    request.engine.revoke_own_tokens(&workspace, &resource, current, &request.call).await
}

fn done(request: &WorkspaceRequest, result: Result<(), Refusal>) -> Response {
    match result {
        Ok(()) => request.with_nonce(
            (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, answer::NO_STORE)]).into_response(),
        ),
        Err(refusal) => refused(request, &refusal),
    }
}

fn refused(request: &WorkspaceRequest, refusal: &Refusal) -> Response {
    answer::refused(&request.engine, &request.tenant, &request.call, refusal)
}

//! `/{tid}/{aid}/oauth2/register`: dynamic client registration (RFC 7591 §3) and its management (RFC 7592 §2).

use crate::answer;
use crate::presented::bearer;
use crate::workspace_request::WorkspaceRequest;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use protocol::error::Refusal;

/// Registers a client: 201 (RFC 7591 §3.2.1).
pub(crate) async fn register(request: WorkspaceRequest) -> Response {
    let made = async {
        let workspace = request.workspace().await?;
        let resource = request.resource(&workspace, None, None)?;
        request.engine.register_client(&workspace, &resource, request.json()?, &request.call).await
    };
    respond(&request, made.await, StatusCode::CREATED)
}

/// Shows a client its registration.
pub(crate) async fn read(request: WorkspaceRequest) -> Response {
    let read = async {
        let (workspace, token) = (request.workspace().await?, bearer(&request.head.headers)?);
        request.engine.read_registration(&workspace, client(&request), token).await
    };
    respond(&request, read.await, StatusCode::OK)
}

/// Replaces a registration.
pub(crate) async fn update(request: WorkspaceRequest) -> Response {
    let updated = async {
        let (workspace, token) = (request.workspace().await?, bearer(&request.head.headers)?);
        let (body, call) = (request.json()?, &request.call);
        request.engine.update_registration(&workspace, client(&request), token, body, call).await
    };
    respond(&request, updated.await, StatusCode::OK)
}

/// Ends a registration: 204.
pub(crate) async fn end(request: WorkspaceRequest) -> Response {
    let ended = async {
        let (workspace, token) = (request.workspace().await?, bearer(&request.head.headers)?);
        request.engine.end_registration(&workspace, client(&request), token, &request.call).await
    };
    match ended.await {
        Ok(()) => (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, answer::NO_STORE)]).into_response(),
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

fn client(request: &WorkspaceRequest) -> &str {
    request.client.as_deref().unwrap_or_default()
}

fn respond(request: &WorkspaceRequest, body: Result<Vec<u8>, Refusal>, status: StatusCode) -> Response {
    match body {
        Ok(body) => (status, answer::json(body)).into_response(),
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

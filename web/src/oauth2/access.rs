//! `/{tid}/{aid}/clients`: which clients the user let in, and taking that back (contract: public API).

use crate::answer;
use crate::workspace_request::WorkspaceRequest;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use protocol::error::{Reason, Refusal};
use protocol::id::ClientId;
use protocol::protected_resource::CLIENTS;
use serde_json::json;

/// The clients that the user of the access token let in.
pub(crate) async fn list(request: WorkspaceRequest) -> Response {
    match clients(&request).await {
        Ok(body) => request.with_nonce(answer::json(body)),
        Err(refusal) => answer::refused_at(&CLIENTS, &request, &refusal).await,
    }
}

/// Takes one client's access back; 204 also when it had none.
pub(crate) async fn revoke(request: WorkspaceRequest) -> Response {
    match take_back(&request).await {
        Ok(()) => request.with_nonce(
            (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, answer::NO_STORE)]).into_response(),
        ),
        Err(refusal) => answer::refused_at(&CLIENTS, &request, &refusal).await,
    }
}

async fn clients(request: &WorkspaceRequest) -> Result<Vec<u8>, Refusal> {
    let workspace = request.workspace().await?;
    let resource = request.resource(&workspace, Some(&CLIENTS), None)?;
    let clients = request.engine.clients_with_access(&workspace, &resource, &request.call).await?;
    serde_json::to_vec(&json!({ "clients": clients })).map_err(|_| Reason::Internal.into())
}

async fn take_back(request: &WorkspaceRequest) -> Result<(), Refusal> {
    let workspace = request.workspace().await?;
    let client = ClientId::new(request.client.clone().unwrap_or_default());
    let resource = request.resource(&workspace, Some(&CLIENTS), None)?;
    request.engine.revoke_access(&workspace, &resource, &client, &request.call).await
}

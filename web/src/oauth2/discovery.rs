//! Discovery, at the three addresses of an issuer with a path (OIDC Discovery §4, RFC 8414 §3.1, §5).

use crate::answer;
use crate::pages::Lang;
use crate::workspace_request::WorkspaceRequest;
use axum::response::Response;
use std::sync::LazyLock;

/// What the authorization server can do; the same document for OpenID Connect and OAuth.
pub(crate) async fn discovery(request: WorkspaceRequest) -> Response {
    match request.published_workspace().await {
        Ok(workspace) => answer::public_json(request.engine.discovery(&workspace, &LOCALES)),
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

/// `ui_locales_supported`: every language of the pages.
pub(crate) static LOCALES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| Lang::ALL.iter().map(|lang| lang.tag()).collect());

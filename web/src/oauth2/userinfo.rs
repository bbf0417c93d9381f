//! `/{tid}/{aid}/userinfo` (OIDC Core §5.3), by GET and POST. Cookies mean nothing here (attack UIN-10).

use crate::answer;
use crate::workspace_request::WorkspaceRequest;
use axum::response::Response;
use engine::UserinfoAnswer;
use http::HeaderValue;
use protocol::error::{Reason, Refusal};
use protocol::protected_resource::USERINFO;

/// Claims about the user of an access token.
pub(crate) async fn userinfo(request: WorkspaceRequest) -> Response {
    match claims(&request).await {
        Ok(UserinfoAnswer::Json(body)) => request.with_nonce(answer::json(body)),
        Ok(UserinfoAnswer::Jwt(jwt)) => request
            .with_nonce(answer::secret(HeaderValue::from_static("application/jwt"), jwt.into_bytes().into())),
        Err(refusal) => answer::refused_at(&USERINFO, &request, &refusal).await,
    }
}

async fn claims(request: &WorkspaceRequest) -> Result<UserinfoAnswer, Refusal> {
    let workspace = request.workspace().await?;
    let in_body = token_in_body(request)?;
    let resource = request.resource(&workspace, Some(&USERINFO), in_body.as_deref())?;
    request.engine.userinfo(&workspace, &resource, &request.call).await
}

/// The token in the body of a form (RFC 6750 §2.2); in the URL, where it would be logged, it is refused (RFC 9700
/// §4.3.2).
fn token_in_body(request: &WorkspaceRequest) -> Result<Option<String>, Refusal> {
    const PARAMETER: &str = "access_token";
    if request.query()?.iter().any(|(name, _)| name == PARAMETER) {
        return Err(Refusal::new(Reason::ParametersInQuery).parameter(PARAMETER));
    }
    if !request.is_post() || !request.has_form() {
        return Ok(None);
    }
    Ok(request.form()?.get(PARAMETER).map(str::to_owned))
}

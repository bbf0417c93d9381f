//! `/{tid}/{aid}/userinfo` (OIDC Core §5.3), by GET and POST. Cookies mean nothing here (attack UIN-10).

use crate::answer;
use crate::presented::bearer;
use crate::workspace_request::WorkspaceRequest;
use axum::response::Response;
use engine::UserinfoAnswer;
use http::HeaderValue;
use protocol::error::{Reason, Refusal};

/// Claims about the user of an access token.
pub(crate) async fn userinfo(request: WorkspaceRequest) -> Response {
    match claims(&request).await {
        Ok(UserinfoAnswer::Json(body)) => answer::json(body),
        Ok(UserinfoAnswer::Jwt(jwt)) => {
            answer::secret(HeaderValue::from_static("application/jwt"), jwt.into_bytes().into())
        }
        Err(refusal) => answer::refused(&request.engine, &request.tenant, &request.call, &refusal),
    }
}

async fn claims(request: &WorkspaceRequest) -> Result<UserinfoAnswer, Refusal> {
    let workspace = request.workspace().await?;
    let token = access_token(request)?;
    request.engine.userinfo(&workspace, &token).await
}

/// The token from the header, or from the body of a form (RFC 6750 §2.1, §2.2); never from the URL, where it
/// would be logged (RFC 9700 §4.3.2), and never from two places (RFC 6750 §2).
fn access_token(request: &WorkspaceRequest) -> Result<String, Refusal> {
    const PARAMETER: &str = "access_token";
    if request.query()?.iter().any(|(name, _)| name == PARAMETER) {
        return Err(Refusal::new(Reason::ParametersInQuery).parameter(PARAMETER));
    }
    let in_header = bearer(&request.head.headers)?.map(str::to_owned);
    let in_body = match request.is_post() && request.has_form() {
        true => request.form()?.get(PARAMETER).map(str::to_owned),
        false => None,
    };
    match (in_header, in_body) {
        (Some(_), Some(_)) => Err(Refusal::new(Reason::TokenTwice).parameter(PARAMETER)),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => {
            Err(Refusal::new(Reason::TokenMissing).expected("Authorization: Bearer <access token>"))
        }
    }
}

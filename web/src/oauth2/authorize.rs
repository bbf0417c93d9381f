//! `/{tid}/{aid}/oauth2/authorize` (RFC 6749 §3.1): the same by GET and by POST (OIDC Core §3.1.2.1; attack
//! AUT-28).

use crate::visit::Visit;
use axum::response::Response;
use protocol::error::Refusal;
use protocol::params::Params;

/// Checks the request, then asks the person or answers the client.
pub(crate) async fn authorize(visit: Visit) -> Response {
    let params = match params(&visit) {
        Ok(params) => params,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    match visit.engine().authorize(&visit.workspace, &params, &visit.browser, visit.call()).await {
        Ok(answer) => visit.answer(answer),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

/// From the query of a GET or the form of a POST; never mixed.
fn params(visit: &Visit) -> Result<Params, Refusal> {
    if visit.request.is_post() { visit.request.form_only() } else { visit.request.query() }
}

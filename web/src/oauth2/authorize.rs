//! `/{tid}/{aid}/oauth2/authorize` (RFC 6749 §3.1): the same by GET and by POST (OIDC Core §3.1.2.1; attack
//! AUT-28).

use crate::visit::Visit;
use axum::response::Response;
use engine::AuthorizeAnswer;
use protocol::error::Refusal;
use protocol::params::Params;

/// Longest query, in bytes, that a form is turned into.
const MAX_QUERY_BYTES: usize = 8 * 1024;

/// Checks the request, then asks the person or answers the client.
pub(crate) async fn authorize(visit: Visit) -> Response {
    let params = match params(&visit) {
        Ok(params) => params,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    if came_without_cookies(&visit) {
        let query = params.to_query();
        if query.len() <= MAX_QUERY_BYTES {
            return visit.answer(AuthorizeAnswer::StartAgain { query });
        }
    }
    match visit.engine().authorize(&visit.workspace, &params, &visit.browser, visit.call()).await {
        Ok(answer) => visit.answer(answer),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

/// From the query of a GET or the form of a POST; never mixed.
fn params(visit: &Visit) -> Result<Params, Refusal> {
    if visit.request.is_post() { visit.request.form_only() } else { visit.request.query() }
}

/// Whether this is a client's form in a browser, which keeps `SameSite=Lax` cookies back from it. The same
/// request by GET has them, and so a person who is logged in is known.
fn came_without_cookies(visit: &Visit) -> bool {
    let site = visit.request.head.headers.get("sec-fetch-site");
    let is_foreign = site.is_some_and(|site| site == "cross-site");
    visit.request.is_post()
        && is_foreign
        && visit.browser.session.is_none()
        && visit.browser.browser.is_none()
}

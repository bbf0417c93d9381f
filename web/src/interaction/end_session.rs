//! `/{tid}/{aid}/oidc/logout` (OIDC RP-Initiated Logout §2): an application asks for a logout, by GET or by POST.

use super::OK;
use super::logout::{After, forget_session, logged_out_page};
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::logout::{LoggedOutView, LogoutView, logged_out, logout};
use crate::subject_name::user_name;
use crate::views;
use crate::visit::{Visit, page};
use axum::response::Response;
use engine::{EndSessionAnswer, LogoutPage};
use protocol::client::Client;
use protocol::error::{Reason, Refusal};
use protocol::params::Params;

const PATH: &str = "oidc/logout";

/// Longest query, in bytes, that a form is turned into.
const MAX_QUERY_BYTES: usize = 8 * 1024;

/// What the browser brought.
struct Sent {
    /// The application's request.
    params: Params,
    /// The answer of the person to our page, whose address carries the request.
    form: Option<Params>,
}

/// Ends the session, asks first, or says why not.
pub(crate) async fn end_session(visit: Visit) -> Response {
    match answer(&visit).await {
        Ok(response) => response,
        Err(refusal) => visit.refused(&refusal, None),
    }
}

async fn answer(visit: &Visit) -> Result<Response, Refusal> {
    let Sent { params, form } = sent(visit)?;
    if visit.request.is_post() && form.is_none() && visit.browser.session.is_none() {
        return as_get(visit, &params);
    }
    let (engine, workspace, browser) = (visit.engine(), &visit.workspace, &visit.browser);
    match engine.end_session_request(workspace, &params, form.as_ref(), browser, visit.call()).await? {
        EndSessionAnswer::Ask(question) => Ok(ask(visit, &params, *question, form.is_some())),
        EndSessionAnswer::StillLoggedIn(client) => Ok(stayed(visit, &params, client.as_deref())),
        EndSessionAnswer::LoggedOut { location, front_channel: frames, client } => {
            let response = match location {
                Some(location) if frames.is_empty() => visit.redirect(&location)?,
                location => {
                    let after = After { frames, client: client.as_deref().map(views::client), location };
                    logged_out_page(visit, visit.lang(&ui_locales(&params)), after)
                }
            };
            Ok(forget_session(visit, response))
        }
    }
}

/// By GET the request is in the query. By POST it is in the body (OIDC Core §13.2), unless our own page posts: that
/// one is known by its anti-forgery value.
fn sent(visit: &Visit) -> Result<Sent, Refusal> {
    if !visit.request.is_post() {
        return Ok(Sent { params: visit.request.query()?, form: None });
    }
    let body = visit.request.form()?;
    match body.get("csrf") {
        Some(_) => Ok(Sent { params: visit.request.query()?, form: Some(visit.form()?) }),
        None => Ok(Sent { params: visit.request.form_only()?, form: None }),
    }
}

/// Browsers keep `SameSite=Lax` cookies back from the form of another site. The same request by GET has them; without
/// it a person would be told to be logged out who is not (attack LGO-02).
fn as_get(visit: &Visit, params: &Params) -> Result<Response, Refusal> {
    let query = params.to_query();
    if query.len() > MAX_QUERY_BYTES {
        return Err(Reason::ParameterTooLong.into());
    }
    visit.redirect(&format!("{}?{query}", visit.path(PATH)))
}

fn ask(visit: &Visit, params: &Params, question: LogoutPage, outdated: bool) -> Response {
    let view = LogoutView {
        frame: visit.frame(),
        action: format!("{}?{}", visit.path(PATH), params.to_query()),
        csrf: question.csrf,
        resume: String::new(),
        outdated,
        user: Some(user_name(&question.subject)),
        sessions: None,
        client: question.client.as_deref().map(views::client),
    };
    let policy = ContentSecurityPolicy { form_action: question.targets, ..ContentSecurityPolicy::default() };
    let lang = visit.lang(&ui_locales(params));
    page(OK, lang, &policy, logout(&view, lang))
}

fn stayed(visit: &Visit, params: &Params, client: Option<&Client>) -> Response {
    let client = client.map(views::client);
    let view = LoggedOutView { frame: visit.frame(), client, ..LoggedOutView::default() };
    let lang = visit.lang(&ui_locales(params));
    page(OK, lang, &ContentSecurityPolicy::default(), logged_out(&view, lang))
}

fn ui_locales(params: &Params) -> Vec<String> {
    params.get("ui_locales").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

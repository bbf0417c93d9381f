//! `/{tid}/{aid}/device` (RFC 8628 §3.3): log in, type the code, decide. GET decides nothing.

use super::OK;
use super::login::{problem, sample, status, told};
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::consent::Destination;
use crate::pages::device::{
    DeviceAnsweredView, DeviceCodeProblem, DeviceConfirmView, DeviceView, device, device_answered,
    device_confirm,
};
use crate::pages::login::{LoginView, login};
use crate::subject_name::user_name;
use crate::visit::{NOTICE, Visit, page};
use crate::{answer, cookies, views};
use axum::response::Response;
use engine::{DeviceLogin, DeviceLoginAnswer, DevicePage, DeviceQuestion, Notice};
use http::header;
use protocol::error::{Reason, Refusal};
use protocol::params::Params;
use protocol::subject::Subject;

/// GET: what is due.
pub(crate) async fn show(visit: Visit) -> Response {
    let query = match visit.request.query() {
        Ok(query) => query,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    let typed = typed(&query);
    if query.get("prompt") == Some("login") {
        let form = visit.engine().device_login_page(&visit.workspace, &visit.browser);
        return log_in(&visit, form, typed);
    }
    match visit.engine().device_page(&visit.workspace, &visit.browser, typed, visit.call()).await {
        Ok(due) => render(&visit, due, typed),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

/// POST: the login form, or the answer to the question.
pub(crate) async fn submit(visit: Visit) -> Response {
    let form = match visit.form() {
        Ok(form) => form,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    let result = if form.get("action") == Some("switch") {
        visit.redirect(&address(&visit, form.get("user-code"), &[LOG_IN]))
    } else if form.get("username").is_some() {
        submit_login(&visit, &form).await
    } else {
        let answered =
            visit.engine().device_answer(&visit.workspace, &visit.browser, &form, visit.call()).await;
        answered.map(|due| render(&visit, due, form.get("user-code")))
    };
    result.unwrap_or_else(|refusal| visit.refused(&refusal, None))
}

async fn submit_login(visit: &Visit, form: &Params) -> Result<Response, Refusal> {
    let query = visit.request.query()?;
    let (engine, workspace) = (visit.engine(), &visit.workspace);
    match engine.device_login(workspace, &visit.browser, form, visit.call()).await? {
        DeviceLoginAnswer::Again(again) => Ok(log_in(visit, again, typed(&query))),
        DeviceLoginAnswer::Refused { notice } => {
            visit.redirect(&address(visit, typed(&query), &[LOG_IN, (NOTICE, &notice)]))
        }
        DeviceLoginAnswer::LoggedIn { session, life } => {
            let mut response = visit.redirect(&address(visit, typed(&query), &[]))?;
            if let Some(line) = cookies::set_session(workspace, &session, life, form) {
                response.headers_mut().append(header::SET_COOKIE, line);
            }
            Ok(response)
        }
    }
}

/// The form's field, or the parameter of `verification_uri_complete` (RFC 8628 §3.2).
fn typed(query: &Params) -> Option<&str> {
    query.get("user-code").or_else(|| query.get("user_code"))
}

/// Asks for the login form, whoever is logged in.
const LOG_IN: (&str, &str) = ("prompt", "login");

/// The page's own path, with the code that was typed.
fn address(visit: &Visit, typed: Option<&str>, more: &[(&str, &str)]) -> String {
    let fields = typed.map(|typed| ("user-code", typed)).into_iter();
    let mut params = Params::default();
    for (name, value) in fields.chain(more.iter().copied()) {
        // Both were read from parameters, so that they fit in again.
        let _ = params.push(name.to_owned(), value.to_owned());
    }
    let query = params.to_query();
    let path = visit.path("device");
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

fn render(visit: &Visit, due: DevicePage, typed: Option<&str>) -> Response {
    match due {
        DevicePage::Login(form) => log_in(visit, form, typed),
        DevicePage::Enter { subject, problem } => enter(visit, &subject, problem, typed),
        DevicePage::Confirm(question) => confirm(visit, &question),
        DevicePage::Answered { client, allowed } => {
            let view = DeviceAnsweredView { frame: visit.frame(), client: views::client(&client), allowed };
            let lang = visit.lang(&[]);
            page(OK, lang, &ContentSecurityPolicy::default(), device_answered(&view, lang))
        }
    }
}

/// The login form; after an attempt that failed, with why and with its status.
fn log_in(visit: &Visit, form: DeviceLogin, typed: Option<&str>) -> Response {
    let Notice { refusal, username, remember_me } = visit.notice(&form.bound_to).unwrap_or_default();
    let refusal = told(visit, refusal);
    let view = LoginView {
        frame: visit.frame(),
        action: address(visit, typed, &[]),
        csrf: form.csrf,
        username,
        problem: refusal.as_ref().map(problem),
        remember_me,
        sample: sample(visit),
        ..LoginView::default()
    };
    let lang = visit.lang(&[]);
    let status = refusal.as_ref().map_or(OK, status);
    let mut response = page(status, lang, &ContentSecurityPolicy::default(), login(&view, lang));
    if let Some(line) = form.new_browser.as_deref().and_then(cookies::set_browser) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    marked(response, refusal.as_ref())
}

fn enter(visit: &Visit, subject: &Subject, problem: Option<Refusal>, typed: Option<&str>) -> Response {
    explain(visit, problem.as_ref());
    let shown = problem.as_ref().map(|refusal| match refusal.reason {
        Reason::UserCodesThrottled => {
            DeviceCodeProblem::Throttled { seconds: refusal.retry_after.unwrap_or(1) }
        }
        _ => DeviceCodeProblem::Unknown,
    });
    let status = problem.as_ref().map_or(OK, answer::status);
    let view = DeviceView {
        frame: visit.frame(),
        action: visit.path("device"),
        user: user_name(subject),
        user_code: typed.unwrap_or_default().to_owned(),
        problem: shown,
    };
    let lang = visit.lang(&[]);
    let response = page(status, lang, &ContentSecurityPolicy::default(), device(&view, lang));
    marked(response, problem.as_ref())
}

fn confirm(visit: &Visit, question: &DeviceQuestion) -> Response {
    let client = views::client(&question.client);
    let policy = ContentSecurityPolicy { images: client.image_origins(), ..ContentSecurityPolicy::default() };
    let view = DeviceConfirmView {
        frame: visit.frame(),
        client,
        action: visit.path("device"),
        csrf: question.csrf.clone(),
        user_code: question.user_code.clone(),
        user: user_name(&question.subject),
        scopes: question.scope.iter().map(|name| views::scope(&visit.workspace, name, false)).collect(),
        resources: views::resources(&visit.workspace, &question.resource),
        warnings: views::warnings(&question.client, &Destination::default()),
    };
    let lang = visit.lang(&[]);
    page(OK, lang, &policy, device_confirm(&view, lang))
}

/// Keeps the explanation, as for every refusal.
fn explain(visit: &Visit, problem: Option<&Refusal>) {
    if let Some(refusal) = problem {
        answer::explain(visit.engine(), &visit.workspace.tenant, visit.call(), refusal);
    }
}

fn marked(mut response: Response, problem: Option<&Refusal>) -> Response {
    if let Some(refusal) = problem {
        answer::mark(response.headers_mut(), refusal);
    }
    response
}

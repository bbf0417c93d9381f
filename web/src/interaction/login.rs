//! `/{tid}/{aid}/login`: name and password.

use super::action;
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::login::{LoginProblem, LoginView, SampleAccount, login};
use crate::visit::{Visit, page};
use crate::{answer, cookies, views};
use axum::response::Response;
use engine::demo::{DEMO_TENANT, DEMO_USER};
use engine::{InteractionPage, LoginAnswer, LoginPage, NextPage};
use http::{HeaderValue, StatusCode, header};
use protocol::error::{Reason, Refusal};
use protocol::params::Params;
use std::time::Duration;

/// How the page is shown: fresh, or after an attempt that failed.
pub(super) struct Attempt {
    status: StatusCode,
    problem: Option<LoginProblem>,
    username: Option<String>,
    remember_me: bool,
}

impl Attempt {
    pub(super) fn first() -> Self {
        Self { status: StatusCode::OK, problem: None, username: None, remember_me: false }
    }

    fn failed(refusal: &Refusal, form: &Params) -> Self {
        let (status, problem) = match refusal.reason {
            Reason::LoginThrottled => (answer::status(refusal), LoginProblem::Throttled),
            _ => (StatusCode::UNAUTHORIZED, LoginProblem::Credentials),
        };
        Self::again(status, problem, form)
    }

    fn incomplete(form: &Params) -> Self {
        Self::again(StatusCode::BAD_REQUEST, LoginProblem::Missing, form)
    }

    fn again(status: StatusCode, problem: LoginProblem, form: &Params) -> Self {
        let username = form.get("username").map(str::to_owned);
        Self { status, problem: Some(problem), username, remember_me: form.get("remember_me").is_some() }
    }
}

pub(crate) async fn show(visit: Visit) -> Response {
    super::show(visit, NextPage::Login).await
}

/// Answers the form.
pub(crate) async fn submit(visit: Visit) -> Response {
    let (form, login_id) = match visit.form().and_then(|form| Ok((form, visit.login_id()?))) {
        Ok(sent) => sent,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    let complete = form.get("username").is_some() && form.get("password").is_some();
    if !complete && form.get("action").is_none() {
        return ask_again(&visit, &login_id, &form).await;
    }
    let (engine, workspace) = (visit.engine(), &visit.workspace);
    match engine.login(workspace, &login_id, &visit.browser, &form, visit.call()).await {
        Ok(LoginAnswer::Again { page, refusal, retry_after }) => {
            answer::explain(engine, &workspace.tenant, visit.call(), &refusal);
            let response = render(&visit, &login_id, &page, Attempt::failed(&refusal, &form));
            with_retry_after(response, retry_after)
        }
        Ok(LoginAnswer::LoggedIn { session, life, answer }) => {
            let mut response = visit.answer(answer);
            if let Some(line) = cookies::set_session(workspace, &session, life, &form) {
                response.headers_mut().append(header::SET_COOKIE, line);
            }
            response
        }
        Ok(LoginAnswer::Answer(answer)) => visit.answer(answer),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

/// A form with an empty field is no attempt: nothing is compared and nothing is counted (attack LGN-02).
async fn ask_again(visit: &Visit, login_id: &str, form: &Params) -> Response {
    match visit.engine().interaction_page(&visit.workspace, login_id, &visit.browser, visit.call()).await {
        Ok(InteractionPage::Login(page)) => render(visit, login_id, &page, Attempt::incomplete(form)),
        Ok(other) => super::lead_on(visit, login_id.to_owned(), other),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

pub(super) fn render(visit: &Visit, login_id: &str, login_page: &LoginPage, attempt: Attempt) -> Response {
    let client = views::client(&login_page.client);
    let policy = ContentSecurityPolicy {
        images: client.image_origins(),
        form_action: login_page.targets.clone(),
        ..ContentSecurityPolicy::default()
    };
    let view = LoginView {
        frame: visit.frame(),
        client: Some(client),
        action: action(visit, NextPage::Login, login_id),
        csrf: login_page.csrf.clone(),
        resume: login_page.resume.clone(),
        // The password is never sent back (attack LGN-11).
        username: attempt.username.or_else(|| login_page.request.login_hint.clone()).unwrap_or_default(),
        problem: attempt.problem,
        remember_me: attempt.remember_me,
        can_cancel: true,
        sample: sample(visit),
    };
    let lang = visit.lang(&login_page.request.ui_locales);
    page(attempt.status, lang, &policy, login(&view, lang))
}

/// The demonstration's user, where there is one.
pub(super) fn sample(visit: &Visit) -> Option<SampleAccount> {
    let workspace = &visit.workspace;
    let is_demo = visit.engine().demo()
        && workspace.tenant.as_str() == DEMO_TENANT
        && workspace.server.id.as_str() == DEMO_TENANT;
    is_demo.then(|| SampleAccount { username: DEMO_USER.to_owned(), password: DEMO_USER.to_owned() })
}

pub(super) fn with_retry_after(mut response: Response, wait: Option<Duration>) -> Response {
    let seconds = wait.map(|wait| wait.as_secs().max(1));
    if let Some(value) = seconds.map(HeaderValue::from) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

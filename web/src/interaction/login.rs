//! `/{tid}/{aid}/login`: name and password.

use super::{OK, action};
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::login::{LoginProblem, LoginView, SampleAccount, login};
use crate::visit::{Visit, page};
use crate::{answer, cookies, views};
use axum::response::Response;
use engine::demo::{DEMO_TENANT, DEMO_USER};
use engine::{LoginAnswer, LoginPage, NextPage, Notice};
use http::{StatusCode, header};
use protocol::error::{Reason, Refusal};

pub(crate) async fn show(visit: Visit) -> Response {
    super::show(visit, NextPage::Login).await
}

/// Answers the form.
pub(crate) async fn submit(visit: Visit) -> Response {
    let (form, login_id) = match visit.form().and_then(|form| Ok((form, visit.login_id()?))) {
        Ok(sent) => sent,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    let (engine, workspace) = (visit.engine(), &visit.workspace);
    match engine.login(workspace, &login_id, &visit.browser, &form, visit.call()).await {
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

/// The page; after an attempt that failed, with why and with its status.
pub(super) fn render(
    visit: &Visit,
    login_id: &str,
    login_page: &LoginPage,
    notice: Option<Notice>,
) -> Response {
    let Notice { refusal, username, remember_me } = notice.unwrap_or_default();
    let refusal = told(visit, refusal);
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
        username: Some(username)
            .filter(|typed| !typed.is_empty())
            .or_else(|| login_page.request.login_hint.clone())
            .unwrap_or_default(),
        problem: refusal.as_ref().map(problem),
        remember_me,
        can_cancel: true,
        sample: sample(visit),
    };
    let lang = visit.lang(&login_page.request.ui_locales);
    let mut response = page(refusal.as_ref().map_or(OK, status), lang, &policy, login(&view, lang));
    if let Some(refusal) = &refusal {
        answer::mark(response.headers_mut(), refusal);
    }
    response
}

/// What the page says: that nobody can log in here, before anything of the form before it.
pub(super) fn told(visit: &Visit, of_form: Option<Refusal>) -> Option<Refusal> {
    if visit.workspace.takes_logins() {
        return of_form.filter(|refusal| refusal.reason != Reason::LoginClosed);
    }
    let closed = Refusal::from(Reason::LoginClosed);
    answer::explain(visit.engine(), &visit.workspace.tenant, visit.call(), &closed);
    Some(closed)
}

pub(super) fn problem(refusal: &Refusal) -> LoginProblem {
    match refusal.reason {
        Reason::LoginThrottled => LoginProblem::Throttled { seconds: refusal.retry_after.unwrap_or(1) },
        Reason::ParameterMissing => LoginProblem::Missing,
        Reason::FormOutdated => LoginProblem::Stale,
        Reason::LoginClosed => LoginProblem::Closed,
        _ => LoginProblem::Credentials,
    }
}

/// The form that is only to be looked at again is no failure.
pub(super) fn status(refusal: &Refusal) -> StatusCode {
    match problem(refusal) {
        LoginProblem::Stale => OK,
        _ => answer::status(refusal),
    }
}

/// The demonstration's user, where there is one.
pub(super) fn sample(visit: &Visit) -> Option<SampleAccount> {
    let workspace = &visit.workspace;
    let is_demo = visit.engine().demo()
        && workspace.tenant.as_str() == DEMO_TENANT
        && workspace.server.id.as_str() == DEMO_TENANT;
    is_demo.then(|| SampleAccount { username: DEMO_USER.to_owned(), password: DEMO_USER.to_owned() })
}

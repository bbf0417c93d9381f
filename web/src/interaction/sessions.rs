//! `/{tid}/{aid}/sessions`: where somebody is signed in, and how to end that. GET changes nothing.

use super::OK;
use super::logout::{After, forget_session, logged_out_page};
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::sessions::{SessionView, SessionsView, sessions};
use crate::subject_name::user_name;
use crate::user_agent::{Device, device};
use crate::visit::{Visit, page};
use axum::response::Response;
use engine::{KnownSession, SessionsAnswer, SessionsPage};
use protocol::error::Refusal;

pub(crate) async fn show(visit: Visit) -> Response {
    match visit.engine().sessions_page(&visit.workspace, visit.browser.session.as_deref()).await {
        Ok(found) => render(&visit, found, false),
        Err(error) => visit.refused(&error.into(), None),
    }
}

/// Answers the form: end one, or all others.
pub(crate) async fn submit(visit: Visit) -> Response {
    answer(&visit).await.unwrap_or_else(|refusal| visit.refused(&refusal, None))
}

async fn answer(visit: &Visit) -> Result<Response, Refusal> {
    let form = visit.form()?;
    let cookie = visit.browser.session.as_deref();
    match visit.engine().sessions_answer(&visit.workspace, cookie, &form, visit.call()).await? {
        SessionsAnswer::Nobody | SessionsAnswer::Again => visit.redirect(&visit.path("sessions")),
        SessionsAnswer::Outdated(anew) => Ok(render(visit, Some(anew), true)),
        SessionsAnswer::LoggedOut { front_channel } => {
            let after = After { frames: front_channel, ..After::default() };
            Ok(forget_session(visit, logged_out_page(visit, visit.lang(&[]), after)))
        }
    }
}

fn render(visit: &Visit, found: Option<SessionsPage>, outdated: bool) -> Response {
    let (frame, action) = (visit.frame(), visit.path("sessions"));
    let mut view = SessionsView { frame, action, outdated, ..SessionsView::default() };
    if let Some(SessionsPage { current, sessions, csrf }) = found {
        let own = sessions.iter().find(|known| known.id == current);
        view.user = own.map(|known| user_name(&known.session.subject));
        view.csrf = csrf;
        view.sessions = sessions.iter().map(|known| shown(known, &current)).collect();
    }
    let lang = visit.lang(&[]);
    page(OK, lang, &ContentSecurityPolicy::default(), sessions(&view, lang))
}

fn shown(known: &KnownSession, current: &str) -> SessionView {
    let Device { browser, system } = device(&known.session.user_agent);
    let ip_address = Some(known.session.ip_address.clone()).filter(|address| !address.is_empty());
    // `2026-11-28T21:00:07.123Z`, to the minute.
    let last_used = known.session.last_used_at.rfc3339();
    let minute = last_used.get(..16).unwrap_or(&last_used).replace('T', " ");
    SessionView {
        id: known.id.clone(),
        browser: browser.map(str::to_owned),
        system: system.map(str::to_owned),
        last_used: format!("{minute} UTC"),
        ip_address,
        current: known.id == current,
    }
}

//! `/{tid}/{aid}/logout`: asks, then ends the session here. GET changes nothing.

use super::OK;
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::logout::{LoggedOutView, LogoutView, logged_out, logout};
use crate::pages::{ClientView, Lang};
use crate::subject_name::user_name;
use crate::visit::{Visit, page};
use crate::{cookies, landing, views};
use axum::response::Response;
use engine::demo::DEMO_CLIENT;
use engine::{LogoutAnswer, LogoutPage};
use http::header;
use protocol::frontchannel_logout;
use protocol::id::ClientId;

pub(crate) async fn show(visit: Visit) -> Response {
    match visit.engine().logout_page(&visit.workspace, &visit.browser).await {
        Ok(Some(question)) => ask(&visit, question, false),
        Ok(None) => done(&visit, true).await,
        Err(error) => visit.refused(&error.into(), None),
    }
}

/// Answers the form: sign out, or stay.
pub(crate) async fn submit(visit: Visit) -> Response {
    let form = match visit.form() {
        Ok(form) => form,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    match visit.engine().logout(&visit.workspace, &visit.browser, &form, visit.call()).await {
        Ok(LogoutAnswer::LoggedOut { front_channel }) => {
            let client = demo_client(&visit).await;
            let after = After { frames: front_channel, client, location: None };
            forget_session(&visit, logged_out_page(&visit, visit.lang(&[]), after))
        }
        Ok(LogoutAnswer::StillLoggedIn) => done(&visit, false).await,
        Ok(LogoutAnswer::Ask(question)) => ask(&visit, *question, true),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

/// The answer, with which the browser forgets the session that is over.
pub(super) fn forget_session(visit: &Visit, mut response: Response) -> Response {
    let state = visit.workspace.server.sso.session_management;
    let state = state.then(|| cookies::set_browser_state(&visit.workspace, "")).flatten();
    for line in cookies::clear_session(&visit.workspace).into_iter().chain(state) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    response
}

/// What follows the end of a session.
#[derive(Default)]
pub(super) struct After {
    /// What the session's applications want loaded (OIDC Front-Channel Logout §3).
    pub(super) frames: Vec<String>,
    pub(super) client: Option<ClientView>,
    /// Where the browser goes then.
    pub(super) location: Option<String>,
}

/// The page that says so. It loads the applications' addresses in frames; the browser counts the time until it goes on
/// from when those are loaded (HTML §4.2.5.3), and a link is there for who does not want to wait.
pub(super) fn logged_out_page(visit: &Visit, lang: Lang, after: After) -> Response {
    let mut origins: Vec<String> =
        after.frames.iter().filter_map(|uri| frontchannel_logout::origin(uri)).collect();
    origins.sort();
    origins.dedup();
    let view = LoggedOutView {
        frame: visit.frame(),
        logged_out: true,
        client: after.client,
        frames: after.frames,
        go_on: after.location,
    };
    let policy = ContentSecurityPolicy { frames: origins, ..ContentSecurityPolicy::default() };
    page(OK, lang, &policy, logged_out(&view, lang))
}

fn ask(visit: &Visit, question: LogoutPage, outdated: bool) -> Response {
    let view = LogoutView {
        frame: visit.frame(),
        action: visit.path("logout"),
        csrf: question.csrf,
        resume: String::new(),
        outdated,
        user: Some(user_name(&question.subject)),
        sessions: Some(visit.path("sessions")),
        client: None,
    };
    let lang = visit.lang(&[]);
    page(OK, lang, &ContentSecurityPolicy::default(), logout(&view, lang))
}

async fn done(visit: &Visit, is_logged_out: bool) -> Response {
    let client = demo_client(visit).await;
    let view =
        LoggedOutView { frame: visit.frame(), logged_out: is_logged_out, client, ..LoggedOutView::default() };
    let lang = visit.lang(&[]);
    page(OK, lang, &ContentSecurityPolicy::default(), logged_out(&view, lang))
}

/// The way back in the demonstration, whose own client asks people to come here.
async fn demo_client(visit: &Visit) -> Option<ClientView> {
    let workspace = &visit.workspace;
    if !landing::has_demo(visit.engine(), &workspace.tenant, workspace.server.id.as_str()) {
        return None;
    }
    let client = visit.engine().client(workspace, &ClientId::new(DEMO_CLIENT)).await.ok()??;
    let uri = format!("{}{}", visit.engine().public_url(), visit.path("demo"));
    Some(ClientView { client_uri: Some(uri), ..views::client(&client) })
}

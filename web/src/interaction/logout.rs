//! `/{tid}/{aid}/logout`: asks, then ends the session here. GET changes nothing.

use super::OK;
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::ClientView;
use crate::pages::logout::{LoggedOutView, LogoutView, logged_out, logout};
use crate::subject_name::user_name;
use crate::visit::{Visit, page};
use crate::{cookies, landing, views};
use axum::response::Response;
use engine::demo::DEMO_CLIENT;
use engine::{LogoutAnswer, LogoutPage};
use http::header;
use protocol::id::ClientId;

pub(crate) async fn show(visit: Visit) -> Response {
    match visit.engine().logout_page(&visit.workspace, &visit.browser).await {
        Ok(Some(question)) => ask(&visit, question),
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
        Ok(LogoutAnswer::LoggedOut) => {
            let response = done(&visit, true).await;
            forget_session(&visit, response)
        }
        Ok(LogoutAnswer::StillLoggedIn) => done(&visit, false).await,
        Ok(LogoutAnswer::Ask(question)) => ask(&visit, *question),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

/// The answer, with which the browser forgets the session that is over.
pub(super) fn forget_session(visit: &Visit, mut response: Response) -> Response {
    if let Some(line) = cookies::clear_session(&visit.workspace) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    response
}

fn ask(visit: &Visit, question: LogoutPage) -> Response {
    let view = LogoutView {
        frame: visit.frame(),
        action: visit.path("logout"),
        csrf: question.csrf,
        resume: String::new(),
        user: Some(user_name(&question.subject)),
        client: None,
    };
    let lang = visit.lang(&[]);
    page(OK, lang, &ContentSecurityPolicy::default(), logout(&view, lang))
}

async fn done(visit: &Visit, is_logged_out: bool) -> Response {
    let client = demo_client(visit).await;
    let view = LoggedOutView { frame: visit.frame(), logged_out: is_logged_out, client };
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

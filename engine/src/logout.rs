//! Logging out here: who is asked, and what the answer does.

use crate::session::LiveSession;
use crate::{Browser, Call, Engine, EngineError, Workspace};
use protocol::client::Client;
use protocol::decision::Derive;
use protocol::error::Refusal;
use protocol::params::Params;
use protocol::subject::Subject;
use std::sync::Arc;

/// What the question whether to log out needs.
pub struct LogoutPage {
    pub subject: Subject,
    /// Anti-forgery value of the form, bound to the session.
    pub csrf: String,
    /// The application that asks, when one does.
    pub client: Option<Arc<Client>>,
    /// Where the browser may go after a yes (CSP `form-action`).
    pub targets: Vec<String>,
}

/// How the answer to that question ends.
pub enum LogoutAnswer {
    /// The session is over, or there was none; what its applications want loaded in this browser.
    LoggedOut { front_channel: Vec<String> },
    /// The person chose to stay.
    StillLoggedIn,
    /// The form was not of this session: say so, and ask again.
    Ask(Box<LogoutPage>),
}

impl Engine {
    /// The question for the person who is logged in; `None` when nobody is.
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn logout_page(
        &self,
        workspace: &Workspace,
        browser: &Browser,
    ) -> Result<Option<LogoutPage>, EngineError> {
        let live = self.session(workspace, browser.session.as_deref()).await?;
        Ok(live.map(|live| page(workspace, live)))
    }

    /// Answers the form: `decision` is `confirm` or `cancel`. A form without the session's anti-forgery value
    /// does nothing, so that no other site can log people out (CWE-352).
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn logout(
        self: &Arc<Self>,
        workspace: &Workspace,
        browser: &Browser,
        form: &Params,
        call: &Call,
    ) -> Result<LogoutAnswer, Refusal> {
        let Some(page) = self.logout_page(workspace, browser).await? else {
            return Ok(LogoutAnswer::LoggedOut { front_channel: Vec::new() });
        };
        match confirms(form, &page) {
            Some(true) => {
                let front_channel = self.end_session(workspace, browser.session.as_deref(), call).await?;
                Ok(LogoutAnswer::LoggedOut { front_channel })
            }
            Some(false) => Ok(LogoutAnswer::StillLoggedIn),
            None => Ok(LogoutAnswer::Ask(Box::new(page))),
        }
    }
}

/// What the person answered; nothing, unless the form is of this session.
pub(crate) fn confirms(form: &Params, page: &LogoutPage) -> Option<bool> {
    let sent = form.get("csrf").unwrap_or_default();
    if !jose::constant_time_eq(sent.as_bytes(), page.csrf.as_bytes()) {
        return None;
    }
    match form.get("decision") {
        Some("confirm") => Some(true),
        Some("cancel") => Some(false),
        _ => None,
    }
}

pub(crate) fn page(workspace: &Workspace, live: LiveSession) -> LogoutPage {
    let session = jose::base64url::encode(&live.hash.0);
    let csrf = jose::base64url::encode(&workspace.deriver.derive("logout", &session));
    LogoutPage { subject: live.session.subject, csrf, client: None, targets: Vec::new() }
}

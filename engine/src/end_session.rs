//! The end-session endpoint (OIDC RP-Initiated Logout §2): an application asks, the person or the proof decides.

use crate::entropy::SystemEntropy;
use crate::logout::{LogoutPage, confirms, page};
use crate::{Browser, Call, Engine, Workspace};
use protocol::client::Client;
use protocol::end_session::{self, EndSessionRequest, EndSessionStep};
use protocol::error::Refusal;
use protocol::form_action;
use protocol::params::Params;
use protocol::redirect_uri::Parts;
use std::sync::Arc;

/// How a request to log out goes on.
pub enum EndSessionAnswer {
    /// Nothing proves that the request is about this session: ask.
    Ask(Box<LogoutPage>),
    /// The session is over, or there was none.
    LoggedOut {
        /// Where the browser goes; nowhere when absent.
        location: Option<String>,
        /// What the session's applications want loaded before (OIDC Front-Channel Logout §3).
        front_channel: Vec<String>,
        client: Option<Arc<Client>>,
    },
    /// The person chose to stay.
    StillLoggedIn(Option<Arc<Client>>),
}

impl Engine {
    /// Answers an application's request `params`. `form` is what the person sent from the page that asked.
    ///
    /// # Errors
    /// What must not be carried out; the browser is never redirected then (attack LGO-03).
    pub async fn end_session_request(
        self: &Arc<Self>,
        workspace: &Workspace,
        params: &Params,
        form: Option<&Params>,
        browser: &Browser,
        call: &Call,
    ) -> Result<EndSessionAnswer, Refusal> {
        let asking = {
            let mut entropy = SystemEntropy::default();
            end_session::read(params, &workspace.cx(self.now(), &mut entropy))?
        };
        let client = match &asking.client_id {
            Some(id) => self.client(workspace, id).await?,
            None => None,
        };
        let request = end_session::check(params, asking, client.as_deref())?;
        let live = self.session(workspace, browser.session.as_deref()).await?;
        let step = request.step(live.as_ref().map(|live| &live.session));
        let confirmed = match (step, live) {
            (EndSessionStep::Ask, Some(live)) => {
                let question = LogoutPage {
                    targets: targets(&request, client.as_deref()),
                    client: client.clone(),
                    ..page(workspace, live)
                };
                match form.and_then(|form| confirms(form, &question)) {
                    None => return Ok(EndSessionAnswer::Ask(Box::new(question))),
                    Some(false) => return Ok(EndSessionAnswer::StillLoggedIn(client)),
                    Some(true) => true,
                }
            }
            _ => false,
        };
        let front_channel = self.end_session(workspace, browser.session.as_deref(), call).await?;
        Ok(EndSessionAnswer::LoggedOut { location: request.location(confirmed), front_channel, client })
    }
}

fn targets(request: &EndSessionRequest, client: Option<&Client>) -> Vec<String> {
    let verified = request.redirect_uri().and_then(|uri| Parts::read(uri).ok()).map(|parts| parts.origin());
    verified.zip(client).map(|(verified, client)| form_action::targets(&verified, client)).unwrap_or_default()
}

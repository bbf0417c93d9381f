//! A browser at a page of one workspace.

use crate::accept::lang_of;
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::{Frame, Lang, error, form_post};
use crate::workspace_request::WorkspaceRequest;
use crate::{answer, cookies, not_found, same_origin, views};
use axum::extract::{FromRef, FromRequest, Request};
use axum::response::{IntoResponse, Response};
use engine::demo::DEMO_CLIENT;
use engine::{AuthorizeAnswer, Browser, Call, Engine, NextPage, Notice, WayOn, Workspace};
use http::{HeaderValue, StatusCode, header};
use protocol::client::Client;
use protocol::error::{Reason, Refusal};
use protocol::params::Params;
use protocol::profile::Rules;
use protocol::rate_limit::Module;
use protocol::response_mode::Outgoing;
use std::sync::Arc;

/// The parameter with what a page has to say of the form before it.
pub(crate) const NOTICE: &str = "notice";

/// A request of a browser, with the workspace it is about.
pub(crate) struct Visit {
    pub(crate) request: WorkspaceRequest,
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) browser: Browser,
}

impl<S> FromRequest<S> for Visit
where
    Arc<Engine>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let request = match WorkspaceRequest::from_request(request, state).await {
            Ok(request) => request,
            Err(never) => match never {},
        };
        match request.workspace_for(Module::Login).await {
            Ok(workspace) => {
                let browser = cookies::browser(&request.head.headers, &workspace);
                Ok(Self { request, workspace, browser })
            }
            Err(refusal) => {
                answer::explain(&request.engine, &request.tenant, &request.call, &refusal);
                Err(not_found::refused(&request.engine, &request.head, &request.call, &refusal).await)
            }
        }
    }
}

impl Visit {
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.request.engine
    }

    pub(crate) fn call(&self) -> &Call {
        &self.request.call
    }

    /// The path of a page of this workspace.
    pub(crate) fn path(&self, page: &str) -> String {
        format!("/{}/{}/{page}", self.workspace.tenant, self.workspace.server.id)
    }

    /// The language of a page: of the login in progress, else of the address, else of the browser.
    pub(crate) fn lang(&self, ui_locales: &[String]) -> Lang {
        let of_login = Some(ui_locales.join(" ")).filter(|tags| !tags.is_empty());
        let of_address = || self.request.query().ok()?.get("ui_locales").map(str::to_owned);
        lang_of(&self.request.head.headers, of_login.or_else(of_address).as_deref())
    }

    pub(crate) fn frame(&self) -> Frame {
        let name = Some(self.workspace.server.name.clone()).filter(|name| !name.is_empty());
        Frame { workspace_name: name, demonstration: self.engine().demo() }
    }

    /// The form of a page of ours.
    ///
    /// # Errors
    /// A form that another site sent, or that cannot be read.
    pub(crate) fn form(&self) -> Result<Params, Refusal> {
        same_origin::check(&self.request.head, self.engine().public_url())?;
        self.request.form()
    }

    /// How the authorization goes on.
    pub(crate) fn answer(&self, answer: AuthorizeAnswer) -> Response {
        let result = match answer {
            AuthorizeAnswer::Respond { outgoing, targets, browser_state } => {
                self.respond(outgoing, targets, browser_state.as_deref())
            }
            AuthorizeAnswer::Continue { page, login_id, new_browser, notice } => {
                self.go_on(page, &login_id, notice.as_deref(), new_browser.as_deref())
            }
            AuthorizeAnswer::StartAgain { query } => {
                self.redirect(&format!("{}?{query}", self.path("oauth2/authorize")))
            }
            AuthorizeAnswer::Refused { refusal, client, way_on } => {
                return self.refused_with(&refusal, client.as_deref(), way_on);
            }
        };
        result.unwrap_or_else(|refusal| self.refused(&refusal, None))
    }

    /// To the client, with the cookie that its check_session_iframe compares.
    fn respond(
        &self,
        outgoing: Outgoing,
        targets: Vec<String>,
        browser_state: Option<&str>,
    ) -> Result<Response, Refusal> {
        let mut response = match outgoing {
            Outgoing::Redirect(location) => self.redirect(&location)?,
            Outgoing::FormPost { action, fields } => self.form_post(action, fields, targets),
        };
        if let Some(line) = browser_state.and_then(|state| cookies::set_browser_state(&self.workspace, state))
        {
            response.headers_mut().append(header::SET_COOKIE, line);
        }
        Ok(response)
    }

    pub(crate) fn redirect(&self, location: &str) -> Result<Response, Refusal> {
        let see_other = Rules::of_workspace(&self.workspace.server).wants_see_other();
        answer::redirect(&self.request.head.method, see_other, location)
    }

    /// To one of our pages; a browser that was not known yet is remembered.
    fn go_on(
        &self,
        page: NextPage,
        login_id: &str,
        notice: Option<&str>,
        new_browser: Option<&str>,
    ) -> Result<Response, Refusal> {
        let notice = notice.map(|notice| format!("&{NOTICE}={notice}")).unwrap_or_default();
        let location = format!("{}?login_id={login_id}{notice}", self.path(page_name(page)));
        let mut response = self.redirect(&location)?;
        if let Some(line) = new_browser.and_then(cookies::set_browser) {
            response.headers_mut().append(header::SET_COOKIE, line);
        }
        Ok(response)
    }

    fn form_post(&self, action: String, fields: Vec<(String, String)>, targets: Vec<String>) -> Response {
        let client = views::host_of(&action);
        let policy = ContentSecurityPolicy {
            form_action: targets,
            script: Some(form_post::SCRIPT_SHA256),
            ..ContentSecurityPolicy::default()
        };
        let view =
            form_post::FormPostView { frame: self.frame(), redirect_uri: action, parameters: fields, client };
        let lang = self.lang(&[]);
        page(StatusCode::OK, lang, &policy, form_post::form_post(&view, lang))
    }

    /// The error page, for what is not sent to a client (RFC 6749 §4.1.2.1). Keeps the explanation.
    pub(crate) fn refused(&self, refusal: &Refusal, client: Option<&Client>) -> Response {
        self.refused_with(refusal, client, None)
    }

    /// The same, with the way on that the engine found.
    fn refused_with(&self, refusal: &Refusal, client: Option<&Client>, way_on: Option<WayOn>) -> Response {
        let explanation = answer::explain(self.engine(), &self.workspace.tenant, self.call(), refusal);
        let (restart, go_on) = match way_on {
            Some(WayOn::StartAgain { query }) => {
                (Some(format!("{}?{query}", self.path("oauth2/authorize"))), None)
            }
            Some(WayOn::Client { uri }) => (None, Some(uri)),
            None => (self.restart(client), None),
        };
        let view = error::ErrorView {
            frame: self.frame(),
            reason: explanation.reason.clone(),
            error: explanation.error.clone(),
            description: explanation.description.clone(),
            trace_id: explanation.trace_id.clone(),
            address: Some(self.path("error")),
            client: client.map(views::client),
            go_on,
            restart,
            sign_out: is_refused_logout(refusal.reason).then(|| self.path("logout")),
            developer: self.engine().demo().then(|| views::developer(&explanation)),
        };
        let lang = self.lang(&[]);
        let policy =
            ContentSecurityPolicy { script: Some(error::SCRIPT_SHA256), ..ContentSecurityPolicy::default() };
        let mut response = page(answer::status(refusal), lang, &policy, error::error(&view, lang));
        answer::mark(response.headers_mut(), refusal);
        response
    }

    /// Where a fresh attempt begins, when it is a place of ours: the demonstration's own client.
    fn restart(&self, client: Option<&Client>) -> Option<String> {
        let is_demo = client.is_some_and(|client| client.client_id.as_str() == DEMO_CLIENT);
        (self.engine().demo() && is_demo).then(|| self.path("demo"))
    }

    /// What the page has to say of the form before it, as its address has it.
    pub(crate) fn sealed_notice(&self) -> Option<String> {
        self.request.query().ok()?.get(NOTICE).map(str::to_owned)
    }

    /// The same, opened, if it is bound to this login; kept again for who asks for this answer's trace id.
    pub(crate) fn notice(&self, login_id: &str) -> Option<Notice> {
        let notice = self.engine().notice(&self.workspace, login_id, &self.sealed_notice()?)?;
        if let Some(refusal) = &notice.refusal {
            self.engine().explain_again(&self.workspace.tenant, refusal, self.call());
        }
        Some(notice)
    }

    /// The `login_id` of the URL; an absent one finds no login.
    ///
    /// # Errors
    /// A query that cannot be read.
    pub(crate) fn login_id(&self) -> Result<String, Refusal> {
        let query = self.request.query()?;
        query.get("login_id").map(str::to_owned).ok_or_else(|| Reason::InteractionUnknown.into())
    }
}

/// Whether an application asked for a logout that was refused: the person may want it all the same.
fn is_refused_logout(reason: Reason) -> bool {
    let reasons = [
        Reason::PostLogoutRedirectUriNotRegistered,
        Reason::PostLogoutRedirectUriWithoutClient,
        Reason::LogoutHintOfOtherClient,
    ];
    reasons.contains(&reason)
}

/// The path segment of a page; the same word in routes, redirects and forms.
pub(crate) fn page_name(page: NextPage) -> &'static str {
    match page {
        NextPage::Login => "login",
        NextPage::SelectAccount => "select-account",
        NextPage::Consent => "consent",
    }
}

/// A page, with its policy. Nobody keeps it: it holds anti-forgery values and names.
pub(crate) fn page(status: StatusCode, lang: Lang, policy: &ContentSecurityPolicy, html: String) -> Response {
    const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = [
        (header::CONTENT_TYPE, HTML),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag())),
        (header::CONTENT_SECURITY_POLICY, policy.header()),
        (header::CACHE_CONTROL, answer::NO_STORE),
    ];
    (status, headers, html).into_response()
}

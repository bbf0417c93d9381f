//! Device authorization (RFC 8628): the device's request, and the page at which its person answers.
//!
//! Nothing on the page is approved by GET, nothing without a login, and nothing without the person seeing which client
//! asks for what and which code the device shows (RFC 8628 §3.3.1, §5.4; attacks DEV-06, DEV-10).

use crate::entropy::SystemEntropy;
use crate::password::PasswordCheck;
use crate::session::{self, LiveSession};
use crate::throttle::Admission;
use crate::{Browser, Call, Engine, EngineError, Workspace};
use protocol::client::Client;
use protocol::client_auth::Presented;
use protocol::decision::{Derive, Event};
use protocol::device_authorization::{self, UserCodeEntry, answer, is_answerable};
use protocol::error::{Reason, Refusal};
use protocol::grant::device_code::DeviceCode;
use protocol::params::Params;
use protocol::rate_limit::retry_after;
use protocol::record::{Artifact, ArtifactKind, Expect, Write};
use protocol::scope::ScopeSet;
use protocol::subject::Subject;
use protocol::user_code::UserCode;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// How often a request that lost a race decides again.
const ATTEMPTS: usize = 8;

/// What stands on the page.
pub enum DevicePage {
    /// A login comes first.
    Login(DeviceLogin),
    /// The person types the code.
    Enter { subject: Box<Subject>, problem: Option<Refusal> },
    /// The person decides.
    Confirm(Box<DeviceQuestion>),
    /// The person has decided.
    Answered { client: Arc<Client>, allowed: bool },
}

/// The login form of the page.
pub struct DeviceLogin {
    /// Anti-forgery value of the form, bound to the browser.
    pub csrf: String,
    /// A browser that was not known yet.
    pub new_browser: Option<String>,
    /// What a notice of this form is bound to: the browser.
    pub bound_to: String,
}

/// Who asks for what.
pub struct DeviceQuestion {
    pub client: Arc<Client>,
    pub scope: ScopeSet,
    /// What the tokens are to be for (RFC 8707 §2).
    pub resource: Vec<String>,
    /// As the device shows it.
    pub user_code: String,
    pub subject: Subject,
    /// Anti-forgery value of the form, bound to session and code.
    pub csrf: String,
}

/// How the login form is answered.
pub enum DeviceLoginAnswer {
    Again(DeviceLogin),
    /// Lead back to the page, which says why with the notice.
    Refused {
        notice: String,
    },
    /// Set the cookie for `life`, then show the page again.
    LoggedIn {
        session: String,
        life: Duration,
    },
}

/// Body of the device authorization response (RFC 8628 §3.2).
#[derive(Serialize)]
struct DeviceAuthorizationResponse<'a> {
    device_code: &'a str,
    expires_in: u64,
    interval: u64,
    user_code: &'a str,
    verification_uri: &'a str,
    verification_uri_complete: &'a str,
}

/// A device authorization that waits for its person.
struct Waiting {
    row: Artifact,
    code: DeviceCode,
    client: Arc<Client>,
    user_code: UserCode,
}

/// What a typed code leads to.
#[expect(clippy::large_enum_variant, reason = "one per request, looked at at once")]
enum Typed {
    Nothing,
    Known(Waiting),
    Problem(Refusal),
}

impl Engine {
    /// Answers the device's request (RFC 8628 §3.1) with the JSON body of the response.
    ///
    /// # Errors
    /// A refusal of the catalogue.
    pub async fn device_authorization(
        &self,
        workspace: &Workspace,
        presented: &Presented<'_>,
        params: &Params,
        call: &Call,
    ) -> Result<Vec<u8>, Refusal> {
        let authenticated = self.authenticate_client(workspace, presented, params, call).await?;
        for _ in 0..ATTEMPTS {
            let mut entropy = SystemEntropy::default();
            let mut cx = workspace.cx(self.now(), &mut entropy);
            let decision = device_authorization::begin(params, &authenticated.client, &mut cx);
            let (once, writes) = (&authenticated.once, decision.writes);
            match self.commit_once(workspace, once, writes, decision.events, call).await {
                Ok(()) => {}
                // Another device has just got the same user code.
                Err(EngineError::Conflict { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            let begun = decision.reply?;
            let (uri, user_code) = (format!("{}/device", workspace.issuer), begun.user_code.shown());
            let body = serde_json::to_vec(&DeviceAuthorizationResponse {
                device_code: begun.device_code.expose(),
                expires_in: begun.expires_in,
                interval: begun.interval,
                user_code: &user_code,
                verification_uri: &uri,
                verification_uri_complete: &format!("{uri}?user_code={user_code}"),
            });
            return body.map_err(|e| EngineError::Internal(e.to_string()).into());
        }
        Err(Reason::ConcurrentChange.into())
    }

    /// What the page shows. Wrong codes are counted and nothing else changes: nothing is consumed by GET.
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn device_page(
        &self,
        workspace: &Workspace,
        browser: &Browser,
        typed: Option<&str>,
        call: &Call,
    ) -> Result<DevicePage, Refusal> {
        let Some(live) = self.session(workspace, browser.session.as_deref()).await? else {
            return Ok(DevicePage::Login(self.device_login_page(workspace, browser)));
        };
        let subject = Box::new(live.session.subject.clone());
        Ok(match self.typed_code(workspace, typed, &live, call).await? {
            Typed::Nothing => DevicePage::Enter { subject, problem: None },
            Typed::Problem(problem) => DevicePage::Enter { subject, problem: Some(problem) },
            Typed::Known(waiting) => DevicePage::Confirm(Box::new(question(workspace, waiting, &live))),
        })
    }

    /// The login form of the page, whoever is logged in.
    pub fn device_login_page(&self, workspace: &Workspace, browser: &Browser) -> DeviceLogin {
        let mut entropy = SystemEntropy::default();
        let new_browser = match browser.browser {
            Some(_) => None,
            None => Some(workspace.cx(self.now(), &mut entropy).handle().expose().to_owned()),
        };
        let known = browser.browser.as_deref().or(new_browser.as_deref()).unwrap_or_default();
        let bound_to = format!("device\0{known}");
        DeviceLogin { csrf: login_csrf(workspace, known), new_browser, bound_to }
    }

    /// Answers the login form of the page.
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn device_login(
        &self,
        workspace: &Workspace,
        browser: &Browser,
        form: &Params,
        call: &Call,
    ) -> Result<DeviceLoginAnswer, Refusal> {
        let page = self.device_login_page(workspace, browser);
        let sent = form.get("csrf").unwrap_or_default();
        // A browser that lost its cookie gets the form again, with a new one.
        if page.new_browser.is_some() || !jose::constant_time_eq(sent.as_bytes(), page.csrf.as_bytes()) {
            return Ok(DeviceLoginAnswer::Again(page));
        }
        let typed = (form.get("username").unwrap_or(""), form.get("password").unwrap_or(""));
        match self.check_password(workspace, typed, None, call).await? {
            PasswordCheck::Refused(refusal) => {
                self.explain(&workspace.tenant, &refusal, call);
                let notice = self.seal_notice(workspace, &page.bound_to, &refusal, form)?;
                Ok(DeviceLoginAnswer::Refused { notice })
            }
            PasswordCheck::Fits { subject, idp_uid, mut writes } => {
                let now = self.now();
                let (handle, session, put) = session::begin(workspace, subject, idp_uid, now, call);
                writes.push(put);
                if let Some(old) = self.session(workspace, browser.session.as_deref()).await? {
                    // The old cookie is worthless from now on (attack SES-02).
                    let (kind, hash) = (ArtifactKind::Session, old.hash);
                    writes.push(Write::DeleteArtifact { kind, hash, expect: Expect::Any });
                }
                let event = Event::new("login", "succeeded").person(&session.subject);
                self.commit_decision(workspace, writes, vec![event], call).await?;
                let life = session.ends_at.since(now);
                Ok(DeviceLoginAnswer::LoggedIn { session: handle.expose().to_owned(), life })
            }
        }
    }

    /// Answers the question: `decision` is `allow` or `deny`. A form without the anti-forgery value of this session
    /// and this code decides nothing (attack DEV-11).
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn device_answer(
        &self,
        workspace: &Workspace,
        browser: &Browser,
        form: &Params,
        call: &Call,
    ) -> Result<DevicePage, Refusal> {
        let Some(live) = self.session(workspace, browser.session.as_deref()).await? else {
            return Ok(DevicePage::Login(self.device_login_page(workspace, browser)));
        };
        let subject = Box::new(live.session.subject.clone());
        for _ in 0..ATTEMPTS {
            let waiting = match self.typed_code(workspace, form.get("user-code"), &live, call).await? {
                Typed::Nothing => return Ok(DevicePage::Enter { subject, problem: None }),
                Typed::Problem(problem) => return Ok(DevicePage::Enter { subject, problem: Some(problem) }),
                Typed::Known(waiting) => waiting,
            };
            let expected = decision_csrf(workspace, &live, &waiting.user_code);
            let sent = form.get("csrf").unwrap_or_default();
            let is_ours = jose::constant_time_eq(sent.as_bytes(), expected.as_bytes());
            let allowed = match form.get("decision") {
                Some("allow") if is_ours => true,
                Some("deny") if is_ours => false,
                _ => return Ok(DevicePage::Confirm(Box::new(question(workspace, waiting, &live)))),
            };
            let mut entropy = SystemEntropy::default();
            let mut cx = workspace.cx(self.now(), &mut entropy);
            let (row, code) = (&waiting.row, &waiting.code);
            let decision = answer(row, code, &waiting.client, &live.session, allowed, &mut cx);
            match self.commit_decision(workspace, decision.writes, decision.events, call).await {
                Ok(()) => return Ok(DevicePage::Answered { client: waiting.client, allowed }),
                // The device has just asked, or somebody else has answered: look again.
                Err(EngineError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Reason::ConcurrentChange.into())
    }

    /// Looks a typed code up. Wrong ones are counted by person and by source (RFC 8628 §5.1; attack DEV-04).
    async fn typed_code(
        &self,
        workspace: &Workspace,
        typed: Option<&str>,
        live: &LiveSession,
        call: &Call,
    ) -> Result<Typed, Refusal> {
        let Some(typed) = typed.filter(|typed| !typed.trim().is_empty()) else { return Ok(Typed::Nothing) };
        let person = &live.session.subject;
        let attempt = match self.user_code_attempt(workspace, &person.sub, &call.source).await? {
            Admission::Admitted(attempt) => attempt,
            Admission::Refused { wait } => {
                let refusal = Refusal::new(Reason::UserCodesThrottled).retry_after(retry_after(wait));
                let event = Event::new("device_authorization", "throttled").person(person).reason(&refusal);
                self.commit_decision(workspace, Vec::new(), vec![event], call).await?;
                return Ok(Typed::Problem(refusal));
            }
        };
        let waiting = match UserCode::read(typed) {
            Some(user_code) => self.waiting(workspace, user_code).await?,
            None => None,
        };
        if let Some(waiting) = waiting {
            return Ok(Typed::Known(waiting));
        }
        let event = Event::new("device_authorization", "wrong_user_code").person(person);
        self.commit_counted(workspace, attempt, (&[], Vec::new()), vec![event], call).await?;
        Ok(Typed::Problem(Reason::UserCodeUnknown.into()))
    }

    async fn waiting(
        &self,
        workspace: &Workspace,
        user_code: UserCode,
    ) -> Result<Option<Waiting>, EngineError> {
        let hash = user_code.hash(&workspace.server, &workspace.deriver);
        let Some(entry) = self.artifact(workspace, ArtifactKind::UserCode, hash).await? else {
            return Ok(None);
        };
        let entry: UserCodeEntry = entry.payload()?;
        let Some(row) = self.artifact(workspace, ArtifactKind::DeviceCode, entry.device_code).await? else {
            return Ok(None);
        };
        let code: DeviceCode = row.payload()?;
        let Some(client) = self.client(workspace, &code.client).await? else { return Ok(None) };
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let answerable = code.user_code == hash && is_answerable(&code, &client, &cx);
        Ok(answerable.then_some(Waiting { row, code, client, user_code }))
    }
}

fn question(workspace: &Workspace, waiting: Waiting, live: &LiveSession) -> DeviceQuestion {
    DeviceQuestion {
        csrf: decision_csrf(workspace, live, &waiting.user_code),
        client: waiting.client,
        scope: waiting.code.scope,
        resource: waiting.code.resource,
        user_code: waiting.user_code.shown(),
        subject: live.session.subject.clone(),
    }
}

fn decision_csrf(workspace: &Workspace, live: &LiveSession, user_code: &UserCode) -> String {
    let code = user_code.hash(&workspace.server, &workspace.deriver);
    let bound = [live.hash.0, code.0].map(|hash| jose::base64url::encode(&hash)).join("\0");
    jose::base64url::encode(&workspace.deriver.derive("device decision", &bound))
}

fn login_csrf(workspace: &Workspace, browser: &str) -> String {
    jose::base64url::encode(&workspace.deriver.derive("device login", browser))
}

//! The authorization endpoint (RFC 6749 §3.1): validate, find the session, ask or answer.

use crate::audit::end_of_login;
use crate::entropy::SystemEntropy;
use crate::measures::IMPLICIT;
use crate::session_management::with_session_state;
use crate::unpack::as_first_sent;
use crate::way_on::{WayOn, answered_elsewhere, finished};
use crate::{Call, Engine, EngineError, Workspace, unused_clients};
use protocol::authorize::interaction::INTERACTION_LIFE;
use protocol::authorize::{
    AuthorizationIssue, AuthorizationResponse, AuthorizeRefusal, AuthorizeRequest, Interaction, Progress,
    ResponseTarget, Step, next_step, refuse, remember_consent, respond, validate,
};
use protocol::client::Client;
use protocol::client_id_metadata;
use protocol::consent::Consent;
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::form_action;
use protocol::id::ClientId;
use protocol::par;
use protocol::params::Params;
use protocol::record::{
    Artifact, ArtifactKind, Document, DocumentKind, Expect, Found, HandleHash, Lookup, Write,
};
use protocol::response_mode::Outgoing;
use protocol::scope::ScopeSet;
use std::sync::Arc;

mod standing;

pub(crate) use standing::{OpenInteraction, Standing};

const ATTEMPTS: usize = 8;

/// What the browser's cookies say.
#[derive(Clone, Default)]
pub struct Browser {
    /// Handle of the single sign-on session in this workspace.
    pub session: Option<String>,
    /// Binds logins in progress to this browser; holds no state of any flow.
    pub browser: Option<String>,
}

/// Which of our pages comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NextPage {
    Login,
    SelectAccount,
    Consent,
}

/// How an authorization request goes on.
pub enum AuthorizeAnswer {
    /// To the client; `targets` are where a form may lead (CSP `form-action`). `browser_state` is for the cookie that
    /// the check_session_iframe reads, where the workspace has one.
    Respond { outgoing: Outgoing, targets: Vec<String>, browser_state: Option<String> },
    /// To one of our pages, in a login keyed by `login_id`; `notice` is what the page has to say, sealed.
    Continue { page: NextPage, login_id: String, new_browser: Option<String>, notice: Option<String> },
    /// To the authorization endpoint again, with the same request.
    StartAgain { query: String },
    /// To the error page, which leads on where there is a way.
    Refused { refusal: Refusal, client: Option<Arc<Client>>, way_on: Option<WayOn> },
}

impl AuthorizeAnswer {
    pub(crate) fn refused(reason: Reason) -> Self {
        Self::Refused { refusal: reason.into(), client: None, way_on: None }
    }
}

impl Engine {
    /// Answers an authorization request.
    ///
    /// # Errors
    /// Only failures of the server; refusals of the request are answers.
    pub async fn authorize(
        &self,
        workspace: &Workspace,
        params: &Params,
        browser: &Browser,
        call: &Call,
    ) -> Result<AuthorizeAnswer, Refusal> {
        let client = match params.get("client_id") {
            Some(id) => match self.client(workspace, &ClientId::new(id)).await {
                Err(EngineError::ClientDocument(why)) => {
                    let refusal = client_id_metadata::at_authorization(why);
                    return Ok(AuthorizeAnswer::Refused { refusal, client: None, way_on: None });
                }
                other => other?,
            },
            None => None,
        };
        let arrived = self.unpack(workspace, params, client.as_deref(), browser).await?;
        if let (Some(client), Some(redirect)) = (&client, &arrived.answered) {
            return Ok(finished(workspace, client, redirect));
        }
        let request = {
            let mut entropy = SystemEntropy::default();
            let mut cx = workspace.cx(self.now(), &mut entropy);
            match validate(&arrived.params, &arrived.envelope, client.as_deref(), &mut cx) {
                Ok(request) => request,
                Err(AuthorizeRefusal::Page(refusal)) => {
                    return Ok(AuthorizeAnswer::Refused { refusal, client, way_on: None });
                }
                Err(AuthorizeRefusal::Respond(refusal, target)) => {
                    return Ok(self.refuse_to_client(workspace, client.as_deref(), &target, &refusal, call));
                }
            }
        };
        let Some(client) = client else {
            return Ok(AuthorizeAnswer::refused(Reason::AuthorizeClientUnknown));
        };
        let session = self.session(workspace, browser.session.as_deref()).await?;
        if let Some(live) = &session {
            self.note_use(workspace, live, call).await?;
        }
        let standing = Standing {
            workspace,
            client: &client,
            request: &request,
            session: session.as_ref(),
            open: None,
            browser,
            query: &as_first_sent(params),
            unpacked: arrived.unpacked.as_ref(),
            call,
        };
        self.advance(&standing, &Progress::default(), None).await
    }

    /// Takes the next step of an authorization: ask something, answer the client, or refuse.
    ///
    /// `allowed` are the scopes that the user has just allowed on the consent page; they are remembered in the
    /// commit of the answer.
    pub(crate) async fn advance(
        &self,
        standing: &Standing<'_>,
        progress: &Progress,
        allowed: Option<&ScopeSet>,
    ) -> Result<AuthorizeAnswer, Refusal> {
        for _ in 0..ATTEMPTS {
            let consent = self.consent_document(standing).await?;
            let next = self.next(standing, progress, allowed, consent.as_ref())?;
            let page = match next.step {
                Step::Login { .. } => NextPage::Login,
                Step::SelectAccount => NextPage::SelectAccount,
                Step::Consent { .. } => NextPage::Consent,
                Step::Refuse(refusal) => return self.refuse_and_close(standing, &refusal).await,
                Step::Respond => match self.respond(standing, next).await {
                    Err(EngineError::Conflict { .. }) => {
                        if self.is_answered(standing).await? {
                            return Ok(answered_elsewhere(standing));
                        }
                        if self.was_used(standing).await? {
                            return Ok(AuthorizeAnswer::StartAgain { query: standing.query.to_owned() });
                        }
                        continue;
                    }
                    other => return Ok(other?),
                },
            };
            return self.keep_open(standing, progress, page).await;
        }
        Err(Reason::ConcurrentChange.into())
    }

    fn next(
        &self,
        standing: &Standing<'_>,
        progress: &Progress,
        allowed: Option<&ScopeSet>,
        consent: Option<&Document>,
    ) -> Result<Next, EngineError> {
        let mut entropy = SystemEntropy::default();
        let mut cx = standing.workspace.cx(self.now(), &mut entropy);
        let session = standing.session.map(|live| &live.session);
        let remembered = match (allowed, session) {
            (Some(allowed), Some(session)) => {
                let asked = (allowed, allowed);
                Some(remember_consent(standing.request, standing.client, session, asked, consent, &mut cx)?)
            }
            _ => None,
        };
        let (request, consented, writes, events) = match remembered {
            Some(r) => (r.request, Some(r.consented), r.writes, r.events),
            None => (standing.request.clone(), progress.consented.clone(), Vec::new(), Vec::new()),
        };
        let progress = Progress { consented, ..progress.clone() };
        let consent = consent.map(Document::read::<Consent>).transpose()?;
        let step = next_step(&request, standing.client, session, consent.as_ref(), &progress, &cx);
        Ok(Next { step, request, writes, events })
    }

    /// Code and tokens go out, the consent is remembered and the login is used up, in one commit.
    async fn respond(&self, standing: &Standing<'_>, next: Next) -> Result<AuthorizeAnswer, EngineError> {
        let Some(live) = standing.session else {
            return Err(EngineError::Internal("an answer without a session".to_owned()));
        };
        let now = self.now();
        let decision = {
            let mut entropy = SystemEntropy::default();
            let mut cx = standing.workspace.cx(now, &mut entropy);
            respond(&next.request, standing.client, &live.session, &mut cx)
        };
        let response = match &decision.reply {
            Ok(issue) => Ok(self.sign_response(standing.workspace, standing.client, issue).await?),
            Err(refusal) => Err(refusal),
        };
        let mut writes = decision.writes;
        writes.extend(next.writes);
        writes.extend(standing.open.map(|open| open.used(now)));
        writes.extend(standing.pushed().map(par::used));
        writes.extend(unused_clients::used(standing.client));
        let events = decision.events.into_iter().chain(next.events).collect();
        self.commit_decision(standing.workspace, writes, events, standing.call).await?;
        Ok(match response {
            Ok(response) => {
                let (response, browser_state) = with_session_state(response, standing, live);
                let targets = form_action::targets(&response.target_origin(), standing.client);
                AuthorizeAnswer::Respond { targets, outgoing: response.render(), browser_state }
            }
            Err(refusal) => {
                let (workspace, client) = (standing.workspace, Some(standing.client.as_ref()));
                self.refuse_to_client(workspace, client, &next.request.target, refusal, standing.call)
            }
        })
    }

    /// Turns the drafts of an answer into tokens. The ID token comes last: it holds hashes of what is beside it.
    async fn sign_response(
        &self,
        workspace: &Workspace,
        client: &Client,
        issue: &AuthorizationIssue,
    ) -> Result<AuthorizationResponse, EngineError> {
        let access_token = match &issue.access_token {
            Some(token) => Some(self.sign_access_token(workspace, &token.draft).await?),
            None => None,
        };
        access_token.iter().for_each(|_| self.measures.issued(IMPLICIT));
        let code = issue.code.as_ref().map(|code| code.expose());
        let id_token = match &issue.id_token {
            Some(draft) => {
                Some(self.sign_id_token(workspace, client, draft, access_token.as_deref(), code).await?)
            }
            None => None,
        };
        Ok(issue.response(access_token, id_token))
    }

    /// Sends a refusal to the client and closes the login.
    pub(crate) async fn refuse_and_close(
        &self,
        standing: &Standing<'_>,
        refusal: &Refusal,
    ) -> Result<AuthorizeAnswer, Refusal> {
        if let Some(open) = standing.open {
            let event = end_of_login(&standing.client.client_id, standing.session, refusal);
            let mut writes = vec![open.used(self.now())];
            writes.extend(standing.pushed().map(par::used));
            match self.commit_decision(standing.workspace, writes, vec![event], standing.call).await {
                Err(EngineError::Conflict { .. }) => {
                    return Ok(AuthorizeAnswer::StartAgain { query: standing.query.to_owned() });
                }
                other => other?,
            }
        }
        let (workspace, client) = (standing.workspace, Some(standing.client.as_ref()));
        Ok(self.refuse_to_client(workspace, client, &standing.request.target, refusal, standing.call))
    }

    pub(crate) fn refuse_to_client(
        &self,
        workspace: &Workspace,
        client: Option<&Client>,
        target: &ResponseTarget,
        refusal: &Refusal,
        call: &Call,
    ) -> AuthorizeAnswer {
        self.explain(&workspace.tenant, refusal, call);
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let response = refuse(target, refusal, &cx);
        let targets = client.map_or_else(Vec::new, |c| form_action::targets(&response.target_origin(), c));
        AuthorizeAnswer::Respond { targets, outgoing: response.render(), browser_state: None }
    }

    /// Stores where the login stands and leads to the page that asks.
    async fn keep_open(
        &self,
        standing: &Standing<'_>,
        progress: &Progress,
        page: NextPage,
    ) -> Result<AuthorizeAnswer, Refusal> {
        if let Some(open) = standing.open {
            if open.interaction.progress != *progress {
                let mut interaction = open.interaction.clone();
                interaction.progress = progress.clone();
                let row = &open.artifact;
                let artifact = Artifact::after(row, row.hash, row.expires_at, &interaction);
                let expect = Expect::Revision(open.artifact.revision);
                let write = Write::PutArtifact { artifact, expect };
                match self.commit_decision(standing.workspace, vec![write], Vec::new(), standing.call).await {
                    // Somebody else (a second tab, a double click) moved it on: the page shows where it stands.
                    Err(EngineError::Conflict { .. }) => {}
                    other => other?,
                }
            }
            return Ok(AuthorizeAnswer::Continue {
                page,
                login_id: open.login_id.clone(),
                new_browser: None,
                notice: None,
            });
        }
        let mut entropy = SystemEntropy::default();
        let mut cx = standing.workspace.cx(self.now(), &mut entropy);
        let login_id = cx.handle();
        let new_browser = standing.browser.browser.is_none().then(|| cx.handle().expose().to_owned());
        let browser = standing.browser.browser.as_ref().or(new_browser.as_ref());
        let interaction = Interaction {
            server: standing.workspace.server.id.clone(),
            server_uid: standing.workspace.server.uid.clone(),
            client_uid: standing.client.uid.clone(),
            client_document: self.pinned(standing.client),
            request: standing.request.clone(),
            query: standing.query.to_owned(),
            unpacked: standing.unpacked.cloned(),
            browser: HandleHash::of(browser.map_or("", String::as_str)),
            created_at: cx.now,
            progress: progress.clone(),
            used_at: None,
        };
        let artifact = Artifact::new(login_id.hash(), cx.now.plus(INTERACTION_LIFE), &interaction);
        let write = Write::PutArtifact { artifact, expect: Expect::Absent };
        self.commit_decision(standing.workspace, vec![write], Vec::new(), standing.call).await?;
        let login_id = login_id.expose().to_owned();
        Ok(AuthorizeAnswer::Continue { page, login_id, new_browser, notice: None })
    }

    async fn consent_document(&self, standing: &Standing<'_>) -> Result<Option<Document>, EngineError> {
        let Some(session) = standing.session else { return Ok(None) };
        let (server, subject) = (&standing.workspace.server.id, &session.session.subject.sub);
        let id = Consent::document_id(server, subject, &standing.client.client_id);
        let lookup = [Lookup::Document(DocumentKind::Consent, id)];
        match self.store.load(&standing.workspace.tenant, &lookup).await?.pop() {
            Some(Found::Document(document)) => Ok(document),
            _ => Ok(None),
        }
    }

    /// Whether the pushed request behind it has been answered meanwhile (attack PAR-02).
    async fn is_answered(&self, standing: &Standing<'_>) -> Result<bool, EngineError> {
        match standing.pushed() {
            Some(reference) => Ok(!self.is_pushed(standing.workspace, reference).await?),
            None => Ok(false),
        }
    }

    async fn was_used(&self, standing: &Standing<'_>) -> Result<bool, EngineError> {
        let Some(open) = standing.open else { return Ok(false) };
        let lookup = [Lookup::Artifact(ArtifactKind::Interaction, open.artifact.hash)];
        match self.store.load(&standing.workspace.tenant, &lookup).await?.pop() {
            Some(Found::Artifact(Some(now), _)) => Ok(now.revision != open.artifact.revision),
            _ => Ok(true),
        }
    }
}

/// What comes next, with what the user has just allowed.
struct Next {
    step: Step,
    request: AuthorizeRequest,
    writes: Vec<Write>,
    events: Vec<Event>,
}

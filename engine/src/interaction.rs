//! The pages of a login in progress: which one is shown, and what a form on it does.
//!
//! A login is keyed in the URL by `login_id` and bound to the browser by one cookie that holds no state of any
//! flow, so eight tabs finish in any order. What is used, stale or gone starts again at the authorization
//! endpoint; nothing ends in a dead end.

use crate::authorize::{AuthorizeAnswer, Browser, NextPage, OpenInteraction, Standing};
use crate::entropy::SystemEntropy;
use crate::form_origin::{Form, FormOrigin};
use crate::session::LiveSession;
use crate::unpack::restart;
use crate::way_on::{finished, request_of, seal_request};
use crate::{Call, Engine, EngineError, Workspace};
use protocol::authorize::{AuthorizeRequest, Envelope, Interaction, Progress, Step, next_step, resume};
use protocol::client::Client;
use protocol::consent::Consent;
use protocol::error::{Reason, Refusal};
use protocol::form_action;
use protocol::params::Params;
use protocol::record::{ArtifactKind, DocumentKind, Found, HandleHash, Lookup};
use protocol::scope::ScopeSet;
use protocol::subject::Subject;
use std::sync::Arc;

/// What every page of a login needs.
pub struct LoginPage {
    pub client: Arc<Client>,
    pub request: AuthorizeRequest,
    /// Anti-forgery value of the form.
    pub csrf: String,
    /// Sealed copy of the request, from which a form that comes too late starts again.
    pub resume: String,
    /// Where the form may lead in the end (CSP `form-action`).
    pub targets: Vec<String>,
    /// Who is logged in at the moment.
    pub subject: Option<Subject>,
}

/// What the consent page needs beside.
pub struct ConsentPage {
    pub page: LoginPage,
    /// Everything the client asked for.
    pub requested: ScopeSet,
    /// What the user has not allowed yet.
    pub missing: ScopeSet,
}

/// What stands at the URL of a login in progress.
pub enum InteractionPage {
    Login(LoginPage),
    SelectAccount(LoginPage),
    Consent(ConsentPage),
    /// No page: go elsewhere.
    Answer(AuthorizeAnswer),
}

/// What the consent form says when the user refuses.
const DENY: &str = "deny";

/// A login in progress with all that belongs to it.
pub(crate) struct Loaded {
    pub(crate) open: OpenInteraction,
    pub(crate) client: Arc<Client>,
    pub(crate) session: Option<LiveSession>,
    /// The query that starts the same request again.
    restart: String,
}

impl Loaded {
    pub(crate) fn standing<'a>(
        &'a self,
        workspace: &'a Workspace,
        browser: &'a Browser,
        call: &'a Call,
    ) -> Standing<'a> {
        Standing {
            workspace,
            client: &self.client,
            request: &self.open.interaction.request,
            session: self.session.as_ref(),
            open: Some(&self.open),
            browser,
            query: &self.restart,
            unpacked: self.open.interaction.unpacked.as_ref(),
            call,
        }
    }

    fn page(&self, workspace: &Workspace, browser: &Browser, form: Form) -> Result<LoginPage, EngineError> {
        let interaction = &self.open.interaction;
        Ok(LoginPage {
            client: Arc::clone(&self.client),
            request: interaction.request.clone(),
            csrf: self.csrf(workspace, browser, form),
            resume: seal_request(workspace, &interaction.query)?,
            targets: form_action::targets(&interaction.request.target.redirect.origin(), &self.client),
            subject: self.session.as_ref().map(|s| s.session.subject.clone()),
        })
    }
}

impl Engine {
    /// What is shown under a `login_id`.
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn interaction_page(
        &self,
        workspace: &Workspace,
        login_id: &str,
        browser: &Browser,
        call: &Call,
    ) -> Result<InteractionPage, Refusal> {
        let loaded = match self.load_interaction(workspace, login_id, browser, None).await? {
            Ok(loaded) => loaded,
            Err(answer) => return Ok(InteractionPage::Answer(answer)),
        };
        let step = self.step(workspace, &loaded).await?;
        let form = if matches!(step, Step::Login { .. }) { Form::Login } else { Form::Decision };
        let page = loaded.page(workspace, browser, form)?;
        Ok(match step {
            Step::Login { .. } => InteractionPage::Login(page),
            Step::SelectAccount => InteractionPage::SelectAccount(page),
            Step::Consent { missing } => {
                let requested = loaded.open.interaction.request.asked_for();
                InteractionPage::Consent(ConsentPage { page, requested, missing })
            }
            // Nothing is consumed by GET: the answer is made at the authorization endpoint, which finds the
            // session that another tab has started meanwhile.
            Step::Respond | Step::Refuse(_) => {
                let standing = loaded.standing(workspace, browser, call);
                InteractionPage::Answer(AuthorizeAnswer::StartAgain { query: standing.query.to_owned() })
            }
        })
    }

    /// Answers the consent form.
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn consent(
        &self,
        workspace: &Workspace,
        login_id: &str,
        browser: &Browser,
        form: &Params,
        call: &Call,
    ) -> Result<AuthorizeAnswer, Refusal> {
        let loaded = match self.load_interaction(workspace, login_id, browser, form.get("resume")).await? {
            Ok(loaded) => loaded,
            Err(answer) => return Ok(unless_denied(answer, form)),
        };
        let standing = loaded.standing(workspace, browser, call);
        let origin = loaded.origin_of(workspace, browser, Form::Decision, form);
        if origin != FormOrigin::Ours {
            return self.does_not_count(&standing, origin, NextPage::Consent, form);
        }
        if form.get("action") == Some("switch") {
            return Ok(AuthorizeAnswer::StartAgain { query: with_prompt(standing.query, "login") });
        }
        if form.get("decision") == Some(DENY) {
            // Whatever was allowed meanwhile in another tab (attack CNS-02).
            return self.refuse_and_close(&standing, &Reason::UserDenied.into()).await;
        }
        let progress = &loaded.open.interaction.progress;
        let Step::Consent { missing } = self.step(workspace, &loaded).await? else {
            return self.advance(&standing, progress, None).await;
        };
        match form.get("decision") {
            Some("allow") => self.advance(&standing, progress, Some(&missing)).await,
            _ => Ok(AuthorizeAnswer::Continue {
                page: NextPage::Consent,
                login_id: login_id.to_owned(),
                new_browser: None,
                notice: None,
            }),
        }
    }

    /// Answers the account page: go on with the account, take another, or go back to the client.
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn select_account(
        &self,
        workspace: &Workspace,
        login_id: &str,
        browser: &Browser,
        form: &Params,
        call: &Call,
    ) -> Result<AuthorizeAnswer, Refusal> {
        let loaded = match self.load_interaction(workspace, login_id, browser, form.get("resume")).await? {
            Ok(loaded) => loaded,
            Err(answer) => return Ok(answer),
        };
        let standing = loaded.standing(workspace, browser, call);
        let origin = loaded.origin_of(workspace, browser, Form::Decision, form);
        if origin != FormOrigin::Ours {
            return self.does_not_count(&standing, origin, NextPage::SelectAccount, form);
        }
        match form.get("action") {
            Some("switch") => {
                return Ok(AuthorizeAnswer::StartAgain { query: with_prompt(standing.query, "login") });
            }
            Some("cancel") => return self.refuse_and_close(&standing, &Reason::UserCancelled.into()).await,
            _ => {}
        }
        let mut progress: Progress = loaded.open.interaction.progress.clone();
        progress.account_chosen = true;
        self.advance(&standing, &progress, None).await
    }

    /// Loads a login in progress; what cannot go on is answered at once.
    pub(crate) async fn load_interaction(
        &self,
        workspace: &Workspace,
        login_id: &str,
        browser: &Browser,
        resume: Option<&str>,
    ) -> Result<Result<Loaded, AuthorizeAnswer>, EngineError> {
        let lookup = [Lookup::Artifact(ArtifactKind::Interaction, HandleHash::of(login_id))];
        let found = self.store.load(&workspace.tenant, &lookup).await?.pop();
        let artifact = match found {
            Some(Found::Artifact(Some(artifact), _)) if self.now() < artifact.expires_at => artifact,
            _ => return Ok(Err(start_again_from(workspace, resume))),
        };
        let interaction: Interaction = artifact.payload()?;
        if interaction.server != workspace.server.id || interaction.server_uid != workspace.server.uid {
            return Ok(Err(AuthorizeAnswer::refused(Reason::InteractionUnknown)));
        }
        let same_browser = browser
            .browser
            .as_deref()
            .is_some_and(|b| jose::constant_time_eq(&HandleHash::of(b).0, &interaction.browser.0));
        let client = self.client_of(workspace, &interaction).await?;
        let Some(client) = client.filter(|c| c.uid == interaction.client_uid) else {
            return Ok(Err(AuthorizeAnswer::refused(Reason::AuthorizeClientGone)));
        };
        if !client.is_active() {
            return Ok(Err(AuthorizeAnswer::refused(Reason::AuthorizeClientInactive)));
        }
        if !same_browser {
            return Ok(Err(self.other_browser(workspace, &interaction, client, resume).await?));
        }
        if let Some(reference) = interaction.pushed()
            && !self.is_pushed(workspace, reference).await?
        {
            return Ok(Err(finished(workspace, &client, &interaction.request.target.redirect)));
        }
        let restart = restart(&interaction, login_id);
        if interaction.used_at.is_some() || !self.is_still_allowed(workspace, &interaction, &client) {
            return Ok(Err(AuthorizeAnswer::StartAgain { query: restart }));
        }
        let session = self.session(workspace, browser.session.as_deref()).await?;
        let open = OpenInteraction { login_id: login_id.to_owned(), artifact, interaction };
        Ok(Ok(Loaded { open, client, session, restart }))
    }

    /// Whether the configuration has not taken back meanwhile what the request needs; if it has, the authorization
    /// endpoint says so, in the right way and to the right one.
    fn is_still_allowed(&self, workspace: &Workspace, interaction: &Interaction, client: &Client) -> bool {
        let unpacked = interaction.unpacked.as_ref();
        let query = unpacked.map_or(&interaction.query, |unpacked| &unpacked.query);
        let pushed = unpacked.is_some_and(|unpacked| unpacked.pushed.is_some());
        let envelope = Envelope { pushed, signed: unpacked.is_some() && !pushed, fault: None };
        let Ok(params) = Params::parse(query.as_bytes()) else { return false };
        let mut entropy = SystemEntropy::default();
        let mut cx = workspace.cx(self.now(), &mut entropy);
        resume(&params, &envelope, Some(client), &mut cx).is_ok()
    }

    pub(crate) async fn step(&self, workspace: &Workspace, loaded: &Loaded) -> Result<Step, EngineError> {
        let consent = match &loaded.session {
            Some(live) => {
                let id = Consent::document_id(
                    &workspace.server.id,
                    &live.session.subject.sub,
                    &loaded.client.client_id,
                );
                let lookup = [Lookup::Document(DocumentKind::Consent, id)];
                match self.store.load(&workspace.tenant, &lookup).await?.pop() {
                    Some(Found::Document(Some(document))) => Some(document.read::<Consent>()?),
                    _ => None,
                }
            }
            None => None,
        };
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let interaction = &loaded.open.interaction;
        let session = loaded.session.as_ref().map(|s| &s.session);
        let (request, progress) = (&interaction.request, &interaction.progress);
        Ok(next_step(request, &loaded.client, session, consent.as_ref(), progress, &cx))
    }
}

fn start_again_from(workspace: &Workspace, resume: Option<&str>) -> AuthorizeAnswer {
    match request_of(workspace, resume) {
        Some(query) => AuthorizeAnswer::StartAgain { query },
        None => AuthorizeAnswer::refused(Reason::InteractionUnknown),
    }
}

/// Who said no on a page that counts no more is asked again, whatever was allowed meanwhile (attack CNS-02).
fn unless_denied(answer: AuthorizeAnswer, form: &Params) -> AuthorizeAnswer {
    match answer {
        AuthorizeAnswer::StartAgain { query } if form.get("decision") == Some(DENY) => {
            AuthorizeAnswer::StartAgain { query: with_prompt(&query, "consent") }
        }
        answer => answer,
    }
}

/// The same request, asking for a login or for consent whoever is logged in and whatever was allowed.
pub(crate) fn with_prompt(query: &str, prompt: &str) -> String {
    let mut params = Params::default();
    let Ok(old) = Params::parse(query.as_bytes()) else { return query.to_owned() };
    for (name, value) in old.iter().filter(|(name, _)| *name != "prompt") {
        // Already parsed once: nothing is repeated here that was not allowed before.
        let _ = params.push(name.to_owned(), value.to_owned());
    }
    let _ = params.push("prompt".to_owned(), prompt.to_owned());
    params.to_query()
}

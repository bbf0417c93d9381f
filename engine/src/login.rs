//! Login with name and password at the Sandbox identity provider.

use crate::authorize::{AuthorizeAnswer, Browser, NextPage};
use crate::entropy::SystemEntropy;
use crate::interaction::{Form, InteractionPage, Loaded, LoginPage, stale_or_forged};
use crate::session::{self, LiveSession};
use crate::{Call, Engine, Workspace};
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::id::{IdpId, SessionId, Uid};
use protocol::idp::{Idp, StaticUser};
use protocol::params::Params;
use protocol::record::{ArtifactKind, Expect, Write};
use protocol::subject::Subject;
use protocol::time::Timestamp;
use std::time::Duration;

/// How a login form is answered.
#[expect(clippy::large_enum_variant, reason = "one per login, on its way to a page")]
pub enum LoginAnswer {
    /// The page again, with why: wrong credentials, or too many failures.
    Again { page: LoginPage, refusal: Refusal, retry_after: Option<Duration> },
    /// Logged in: set the cookie for `life`, then go on.
    LoggedIn { session: String, life: Duration, answer: AuthorizeAnswer },
    /// Go on without a login.
    Answer(AuthorizeAnswer),
}

impl Engine {
    /// Answers the login form.
    ///
    /// # Errors
    /// Only failures of the server.
    pub async fn login(
        &self,
        workspace: &Workspace,
        login_id: &str,
        browser: &Browser,
        form: &Params,
        call: &Call,
    ) -> Result<LoginAnswer, Refusal> {
        let loaded = match self.load_interaction(workspace, login_id, browser, form.get("resume")).await? {
            Ok(loaded) => loaded,
            Err(answer) => return Ok(LoginAnswer::Answer(answer)),
        };
        if !loaded.form_is_ours(workspace, browser, Form::Login, form) {
            return Ok(LoginAnswer::Answer(stale_or_forged(
                form,
                workspace,
                browser,
                &loaded,
                NextPage::Login,
            )));
        }
        if form.get("action") == Some("cancel") {
            let standing = loaded.standing(workspace, browser, call);
            let answer = self.refuse_and_close(&standing, &Reason::UserCancelled.into()).await?;
            return Ok(LoginAnswer::Answer(answer));
        }
        let (username, password) = (form.get("username").unwrap_or(""), form.get("password").unwrap_or(""));
        let server = workspace.server.id.as_str();
        let throttle = self.throttle(&workspace.tenant, server, username, &call.source).await?;
        if let Some(wait) = throttle.wait(self.now()) {
            let refusal = Refusal::new(Reason::LoginThrottled);
            return self.login_again(workspace, login_id, browser, call, refusal, Some(wait)).await;
        }
        let user = workspace.static_user(username);
        let hash = user.map(|(_, _, user)| user.password_hash.as_str());
        let fits = self.hashing.verify_password(password, hash).await?;
        let (Some((idp_uid, idp, user)), true) = (user, fits) else {
            let event = Event::new("login", "failed").client(&loaded.client.client_id);
            self.commit_decision(workspace, throttle.failed(self.now()), vec![event], call).await?;
            let refusal = Refusal::new(Reason::CredentialsWrong);
            return self.login_again(workspace, login_id, browser, call, refusal, None).await;
        };
        let subject = authenticated(workspace, idp_uid, idp, user, self.now());
        self.logged_in(workspace, browser, call, loaded, subject, idp_uid.clone(), throttle.succeeded()).await
    }

    #[expect(clippy::too_many_arguments, reason = "the end of one login, split from `login` for length only")]
    async fn logged_in(
        &self,
        workspace: &Workspace,
        browser: &Browser,
        call: &Call,
        mut loaded: Loaded,
        subject: Subject,
        idp_uid: Uid,
        mut writes: Vec<Write>,
    ) -> Result<LoginAnswer, Refusal> {
        let now = self.now();
        let mut entropy = SystemEntropy::default();
        let (handle, session, put) = session::begin(workspace, subject, idp_uid, now, &mut entropy);
        writes.push(put);
        if let Some(old) = &loaded.session {
            // The old cookie is worthless from now on (attack SES-02).
            let (kind, hash) = (ArtifactKind::Session, old.hash);
            writes.push(Write::DeleteArtifact { kind, hash, expect: Expect::Any });
        }
        let event = Event::new("login", "succeeded").client(&loaded.client.client_id);
        let event = event.subject(&session.subject.sub);
        self.commit_decision(workspace, writes, vec![event], call).await?;
        let life = session.ends_at.since(now);
        loaded.session = Some(LiveSession { session, hash: handle.hash() });
        let mut progress = loaded.open.interaction.progress.clone();
        progress.logged_in_at = Some(now);
        progress.account_chosen = true;
        let answer = self.advance(&loaded.standing(workspace, browser, call), &progress, None).await?;
        Ok(LoginAnswer::LoggedIn { session: handle.expose().to_owned(), life, answer })
    }

    async fn login_again(
        &self,
        workspace: &Workspace,
        login_id: &str,
        browser: &Browser,
        call: &Call,
        refusal: Refusal,
        retry_after: Option<Duration>,
    ) -> Result<LoginAnswer, Refusal> {
        match self.interaction_page(workspace, login_id, browser, call).await? {
            InteractionPage::Login(page) => Ok(LoginAnswer::Again { page, refusal, retry_after }),
            InteractionPage::SelectAccount(page) => Ok(LoginAnswer::Again { page, refusal, retry_after }),
            InteractionPage::Consent(consent) => {
                Ok(LoginAnswer::Again { page: consent.page, refusal, retry_after })
            }
            InteractionPage::Answer(answer) => Ok(LoginAnswer::Answer(answer)),
        }
    }
}

/// The person, as the Sandbox provider knows them. The subject identifier is a one-way hash that two
/// workspaces, or two incarnations of one, do not share (attack W-09).
fn authenticated(
    workspace: &Workspace,
    idp_uid: &Uid,
    idp: &Idp,
    user: &StaticUser,
    now: Timestamp,
) -> Subject {
    let identity = [workspace.server.uid.as_str(), idp_uid.as_str(), &user.username].join("\0");
    let hash = jose::sha256(identity.as_bytes());
    let amr = if idp.static_amr.is_empty() { vec!["pwd".to_owned()] } else { idp.static_amr.clone() };
    Subject {
        sub: hash.iter().map(|b| format!("{b:02x}")).collect(),
        idp: IdpId::new(idp.id.as_str()),
        idp_method: idp.method.clone(),
        idp_sub: user.username.clone(),
        auth_time: now,
        amr,
        acr: workspace.server.acr_values_supported.first().cloned(),
        claims: user.authentication_context.clone(),
        sid: SessionId::default(),
    }
}

//! Login with name and password at the Sandbox identity provider.

use crate::authorize::{AuthorizeAnswer, Browser, NextPage};
use crate::interaction::{Form, FormOrigin, InteractionPage, Loaded, LoginPage};
use crate::password::PasswordCheck;
use crate::session::{self, LiveSession};
use crate::{Call, Engine, Workspace};
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::id::Uid;
use protocol::params::Params;
use protocol::record::{ArtifactKind, Expect, Write};
use protocol::subject::Subject;
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
        let origin = loaded.origin_of(workspace, browser, Form::Login, form);
        if origin != FormOrigin::Ours {
            return Ok(LoginAnswer::Answer(loaded.does_not_count(origin, NextPage::Login)));
        }
        if form.get("action") == Some("cancel") {
            let standing = loaded.standing(workspace, browser, call);
            let answer = self.refuse_and_close(&standing, &Reason::UserCancelled.into()).await?;
            return Ok(LoginAnswer::Answer(answer));
        }
        let typed = (form.get("username").unwrap_or(""), form.get("password").unwrap_or(""));
        let client = loaded.client.client_id.clone();
        match self.check_password(workspace, typed, Some(&client), call).await? {
            PasswordCheck::Refused { refusal, retry_after } => {
                self.login_again(workspace, login_id, browser, call, refusal, retry_after).await
            }
            PasswordCheck::Fits { subject, idp_uid, writes } => {
                self.logged_in(workspace, browser, call, loaded, subject, idp_uid, writes).await
            }
        }
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
        let (handle, session, put) = session::begin(workspace, subject, idp_uid, now, call);
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
        loaded.session = Some(LiveSession { session, hash: handle.hash(), revision: 1 });
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

//! Login with name and password at the Sandbox identity provider.

use crate::authorize::{AuthorizeAnswer, Browser, NextPage};
use crate::form_origin::{Form, FormOrigin};
use crate::interaction::Loaded;
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
pub enum LoginAnswer {
    /// Logged in: set the cookie for `life`, then go on.
    LoggedIn { session: String, life: Duration, answer: AuthorizeAnswer },
    /// Go on without a login; to the page again, with why, after wrong credentials or too many failures.
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
        let standing = loaded.standing(workspace, browser, call);
        let origin = loaded.origin_of(workspace, browser, Form::Login, form);
        if origin != FormOrigin::Ours {
            let answer = self.does_not_count(&standing, origin, NextPage::Login, form)?;
            return Ok(LoginAnswer::Answer(answer));
        }
        if form.get("action") == Some("cancel") {
            let answer = self.refuse_and_close(&standing, &Reason::UserCancelled.into()).await?;
            return Ok(LoginAnswer::Answer(answer));
        }
        let again = |refusal: &Refusal| {
            self.ask_again(&standing, NextPage::Login, refusal, form).map(LoginAnswer::Answer)
        };
        let (Some(username), Some(password)) = (form.get("username"), form.get("password")) else {
            // An empty field is no attempt: nothing is compared and nothing is counted (attack LGN-02).
            return again(&Reason::ParameterMissing.into());
        };
        let client = loaded.client.client_id.clone();
        match self.check_password(workspace, (username, password), Some(&client), call).await? {
            PasswordCheck::Refused(refusal) => again(&refusal),
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
        let event = event.person(&session.subject);
        self.commit_decision(workspace, writes, vec![event], call).await?;
        let life = session.ends_at.since(now);
        loaded.session = Some(LiveSession { session, hash: handle.hash(), revision: 1 });
        let mut progress = loaded.open.interaction.progress.clone();
        progress.logged_in_at = Some(now);
        progress.account_chosen = true;
        let answer = self.advance(&loaded.standing(workspace, browser, call), &progress, None).await?;
        Ok(LoginAnswer::LoggedIn { session: handle.expose().to_owned(), life, answer })
    }
}

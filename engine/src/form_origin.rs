//! Where a form of a login comes from: from our own page, for whom, or from somebody else (RFC 6749 §10.12).

use crate::authorize::{AuthorizeAnswer, Browser, NextPage, Standing};
use crate::interaction::Loaded;
use crate::{Engine, Workspace};
use protocol::decision::Derive;
use protocol::error::{Reason, Refusal};
use protocol::params::Params;
use std::sync::Arc;

/// Which kind of form an anti-forgery value is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Whoever is logged in meanwhile, the credentials typed are the ones that count.
    Login,
    /// A yes or no of the person that the page named.
    Decision,
}

impl Loaded {
    /// The anti-forgery value of a form: bound to browser and login, and for a decision to the session, so that
    /// a form shown to one person is not sent by another (attacks CNS-04, SES-06).
    pub(crate) fn csrf(&self, workspace: &Workspace, browser: &Browser, form: Form) -> String {
        let session = match (form, &self.session) {
            (Form::Decision, Some(session)) => jose::base64url::encode(&jose::sha256(&session.hash.0)),
            _ => String::new(),
        };
        self.csrf_for(workspace, browser, &session)
    }

    /// Names the session, so that a form of ours for an earlier session is told from a forged one.
    fn csrf_for(&self, workspace: &Workspace, browser: &Browser, session: &str) -> String {
        let browser = browser.browser.as_deref().unwrap_or_default();
        let bound = [browser, &self.open.login_id, session].join("\0");
        format!("{session}.{}", jose::base64url::encode(&workspace.deriver.derive("form", &bound)))
    }

    /// Whether the form is one that we made, and for whom.
    pub(crate) fn origin_of(
        &self,
        workspace: &Workspace,
        browser: &Browser,
        kind: Form,
        form: &Params,
    ) -> FormOrigin {
        let Some(sent) = form.get("csrf") else { return FormOrigin::Forged };
        let is = |value: String| jose::constant_time_eq(sent.as_bytes(), value.as_bytes());
        if is(self.csrf(workspace, browser, kind)) {
            return FormOrigin::Ours;
        }
        let session = sent.split_once('.').map_or("", |(session, _)| session);
        if is(self.csrf_for(workspace, browser, session)) { FormOrigin::Stale } else { FormOrigin::Forged }
    }
}

/// Where a form comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormOrigin {
    Ours,
    /// Made by us for this browser and login, before the session changed in another tab.
    Stale,
    Forged,
}

impl Engine {
    /// The answer to a form that does not count: a stale page is shown anew and says why, a forged form is refused.
    pub(crate) fn does_not_count(
        &self,
        standing: &Standing<'_>,
        origin: FormOrigin,
        page: NextPage,
        form: &Params,
    ) -> Result<AuthorizeAnswer, Refusal> {
        match origin {
            FormOrigin::Stale => self.ask_again(standing, page, &Reason::FormOutdated.into(), form),
            FormOrigin::Ours | FormOrigin::Forged => Ok(AuthorizeAnswer::Refused {
                refusal: Reason::FormForged.into(),
                client: Some(Arc::clone(standing.client)),
                way_on: None,
            }),
        }
    }

    /// Leads back to the page, which says what was wrong with its form.
    pub(crate) fn ask_again(
        &self,
        standing: &Standing<'_>,
        page: NextPage,
        refusal: &Refusal,
        form: &Params,
    ) -> Result<AuthorizeAnswer, Refusal> {
        self.explain(&standing.workspace.tenant, refusal, standing.call);
        let login_id = standing.open.map(|open| open.login_id.clone()).unwrap_or_default();
        let notice = Some(self.seal_notice(standing.workspace, &login_id, refusal, form)?);
        Ok(AuthorizeAnswer::Continue { page, login_id, new_browser: None, notice })
    }
}

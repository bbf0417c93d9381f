//! `/{tid}/{aid}/select-account` (`prompt=select_account`, OIDC Core §3.1.2.1).

use super::{OK, action};
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::select_account::{AccountView, SelectAccountView, select_account};
use crate::subject_name::{full_name, user_name};
use crate::views;
use crate::visit::{Visit, page};
use axum::response::Response;
use engine::{LoginPage, NextPage};
use protocol::subject::Subject;

pub(crate) async fn show(visit: Visit) -> Response {
    super::show(visit, NextPage::SelectAccount).await
}

/// Answers the form: this account, another, or none.
pub(crate) async fn submit(visit: Visit) -> Response {
    let (form, login_id) = match visit.form().and_then(|form| Ok((form, visit.login_id()?))) {
        Ok(sent) => sent,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    let (engine, workspace) = (visit.engine(), &visit.workspace);
    match engine.select_account(workspace, &login_id, &visit.browser, &form, visit.call()).await {
        Ok(answer) => visit.answer(answer),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

pub(super) fn render(visit: &Visit, login_id: &str, login_page: &LoginPage, outdated: bool) -> Response {
    let client = views::client(&login_page.client);
    let policy = ContentSecurityPolicy {
        images: client.image_origins(),
        form_action: login_page.targets.clone(),
        ..ContentSecurityPolicy::default()
    };
    let view = SelectAccountView {
        frame: visit.frame(),
        client,
        action: action(visit, NextPage::SelectAccount, login_id),
        csrf: login_page.csrf.clone(),
        resume: login_page.resume.clone(),
        outdated,
        accounts: login_page.subject.iter().map(account).collect(),
    };
    let lang = visit.lang(&login_page.request.ui_locales);
    page(OK, lang, &policy, select_account(&view, lang))
}

fn account(subject: &Subject) -> AccountView {
    let (name, user_name) = (full_name(subject), user_name(subject));
    let detail = Some(user_name).filter(|user_name| *user_name != name);
    AccountView { id: subject.sub.clone(), name, detail }
}

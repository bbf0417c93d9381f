//! `/{tid}/{aid}/consent`: who asks for what, and where the answer goes.

use super::{OK, action};
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::consent::{ConsentView, consent};
use crate::subject_name::user_name;
use crate::views;
use crate::visit::{Visit, page};
use axum::response::Response;
use engine::{ConsentPage, NextPage};

pub(crate) async fn show(visit: Visit) -> Response {
    super::show(visit, NextPage::Consent).await
}

/// Answers the form: allow, deny, or another account.
pub(crate) async fn submit(visit: Visit) -> Response {
    let (form, login_id) = match visit.form().and_then(|form| Ok((form, visit.login_id()?))) {
        Ok(sent) => sent,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    match visit.engine().consent(&visit.workspace, &login_id, &visit.browser, &form, visit.call()).await {
        Ok(answer) => visit.answer(answer),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

pub(super) fn render(visit: &Visit, login_id: &str, asked: &ConsentPage, outdated: bool) -> Response {
    let request = &asked.page.request;
    let client = views::client(&asked.page.client);
    let destination = views::destination(&request.target.redirect);
    let policy = ContentSecurityPolicy {
        images: client.image_origins(),
        form_action: asked.page.targets.clone(),
        ..ContentSecurityPolicy::default()
    };
    let view = ConsentView {
        frame: visit.frame(),
        client,
        action: action(visit, NextPage::Consent, login_id),
        csrf: asked.page.csrf.clone(),
        resume: asked.page.resume.clone(),
        outdated,
        user: asked.page.subject.as_ref().map(user_name).unwrap_or_default(),
        scopes: asked
            .requested
            .iter()
            .map(|name| views::scope(&visit.workspace, name, !asked.missing.contains(name)))
            .collect(),
        resources: views::resources(&visit.workspace, &request.resource),
        warnings: views::warnings(&asked.page.client, &destination),
        destination,
    };
    let lang = visit.lang(&request.ui_locales);
    page(OK, lang, &policy, consent(&view, lang))
}

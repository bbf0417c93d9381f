//! What came out of a run, for reading.

use super::runs::{Run, Tokens};
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::demo::{DemoAction, DemoResultView, TokenKind, TokenView, demo_result};
use crate::visit::{Visit, page};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::Value;

/// The address of a run's page.
pub(super) fn path(visit: &Visit, run: &Run) -> String {
    format!("{}?run={}", visit.path("demo"), run.id)
}

/// The page with tokens and requests.
pub(super) fn result(visit: &Visit, csrf: &str, run: &Run) -> Response {
    let tokens = run.tokens.as_ref();
    let mut actions = vec![DemoAction::Userinfo, DemoAction::Introspect, DemoAction::SignOut];
    if tokens.is_some_and(|tokens| tokens.refresh_token.is_some()) {
        actions.insert(0, DemoAction::Refresh);
    }
    let view = DemoResultView {
        frame: visit.frame(),
        action: path(visit, run),
        csrf: csrf.to_owned(),
        subject: run.subject.clone(),
        actions,
        tokens: tokens.map(views).unwrap_or_default(),
        exchanges: run.exchanges.clone(),
        problem: run.problem.clone(),
    };
    let lang = visit.lang(&[]);
    page(StatusCode::OK, lang, &ContentSecurityPolicy::default(), demo_result(&view, lang))
}

fn views(tokens: &Tokens) -> Vec<TokenView> {
    let mut views = Vec::new();
    if let Some(id_token) = &tokens.id_token {
        let verified_by = tokens.verified_by.clone();
        views.push(TokenView { verified_by, ..view(TokenKind::IdToken, id_token) });
    }
    views.push(view(TokenKind::AccessToken, &tokens.access_token));
    if let Some(refresh_token) = &tokens.refresh_token {
        views.push(view(TokenKind::RefreshToken, refresh_token));
    }
    views
}

fn view(kind: TokenKind, token: &str) -> TokenView {
    let mut parts = token.split('.');
    let (header, claims) = (parts.next().and_then(decoded), parts.next().and_then(decoded));
    TokenView { kind, header, claims, verified_by: None }
}

/// A part of a JWT as indented JSON.
fn decoded(part: &str) -> Option<String> {
    let json: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    serde_json::to_string_pretty(&json).ok()
}

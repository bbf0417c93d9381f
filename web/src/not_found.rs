//! Where nothing is, and where a method does nothing: an answer that helps on, as a page or as JSON.

use crate::accept::{lang_of, wants_html};
use crate::answer;
use crate::call::call_of;
use crate::content_security_policy::ContentSecurityPolicy;
use crate::landing;
use crate::pages::error::{ErrorView, error};
use crate::pages::not_found::{NotFoundView, not_found};
use crate::pages::{Frame, Place, PlaceKind};
use crate::visit::page;
use axum::extract::State;
use axum::response::Response;
use engine::{Call, Engine};
use http::request::Parts;
use protocol::error::{ErrorCode, Reason, Refusal};
use protocol::id::{TenantId, is_valid_chosen_id};
use std::sync::Arc;

/// What can stand after `/{tid}/{aid}/`.
pub(crate) const ENDPOINTS: &[&str] = &[
    "oauth2/authorize",
    "oauth2/token",
    "oauth2/introspect",
    "oauth2/revoke",
    "userinfo",
    ".well-known/openid-configuration",
    ".well-known/oauth-authorization-server",
    ".well-known/jwks.json",
    "login",
    "consent",
    "select-account",
    "logout",
    "demo",
];

/// Fewer edits than this, and one path was probably meant for another.
const MOST_EDITS: usize = 5;

/// Answers every path that no route knows.
pub(crate) async fn fallback(State(engine): State<Arc<Engine>>, head: Parts) -> Response {
    path(&engine, &head, &call_of(&head)).await
}

/// Answers every method that a route does not know; the router names those it does in `Allow`
/// (RFC 9110 §15.5.6).
pub(crate) async fn method(State(engine): State<Arc<Engine>>, head: Parts) -> Response {
    let refusal = Refusal::new(Reason::MethodNotAllowed).received(head.method.as_str());
    refused(&engine, &head, &call_of(&head), &refusal).await
}

pub(crate) async fn path(engine: &Engine, head: &Parts, call: &Call) -> Response {
    refused(engine, head, call, &Reason::UnknownPath.into()).await
}

/// A refusal outside of any known workspace.
pub(crate) async fn refused(engine: &Engine, head: &Parts, call: &Call, refusal: &Refusal) -> Response {
    if !wants_html(&head.headers) {
        return answer::refused(engine, &TenantId::default(), call, refusal);
    }
    let lang = lang_of(&head.headers, None);
    let frame = Frame { workspace_name: None, demonstration: engine.demo() };
    let html = if refusal.code() == ErrorCode::NotFound {
        let view = NotFoundView {
            frame,
            path: head.uri.path().to_owned(),
            nearest: nearest(head.uri.path()),
            places: places(engine, head).await,
            trace_id: call.trace_id.clone(),
        };
        not_found(&view, lang)
    } else {
        let view = ErrorView {
            frame,
            error: refusal.code().name().to_owned(),
            description: refusal.entry().description.to_owned(),
            trace_id: call.trace_id.clone(),
            restart: Some("/".to_owned()),
            ..ErrorView::default()
        };
        error(&view, lang)
    };
    let mut response = page(answer::status(refusal), lang, &ContentSecurityPolicy::default(), html);
    answer::mark(response.headers_mut(), refusal);
    response
}

/// The workspace's own places when the path begins with one, then those of the server.
async fn places(engine: &Engine, head: &Parts) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some((tenant, server, _)) = split(head.uri.path())
        && is_valid_chosen_id(tenant)
        && is_valid_chosen_id(server)
        && let Ok(Some(workspace)) = engine.workspace(tenant, server).await
    {
        let base = format!("/{}/{}", workspace.tenant, workspace.server.id);
        let place = |kind, path: &str| Place { kind, href: format!("{base}/{path}") };
        places.push(place(PlaceKind::Discovery, ".well-known/openid-configuration"));
        places.push(place(PlaceKind::Jwks, ".well-known/jwks.json"));
    }
    places.extend(landing::places(engine, head).await);
    places
}

/// The path that was probably meant: the same without a final slash, or the nearest endpoint.
fn nearest(path: &str) -> Option<String> {
    let (tenant, server, rest) = split(path)?;
    let rest = rest.trim_matches('/');
    let distance = |endpoint: &&&str| strsim::osa_distance(endpoint, rest);
    let endpoint =
        ENDPOINTS.iter().min_by_key(distance).filter(|endpoint| distance(endpoint) <= MOST_EDITS)?;
    let ids = is_valid_chosen_id(tenant) && is_valid_chosen_id(server);
    let meant = format!("/{tenant}/{server}/{endpoint}");
    (ids && meant != path).then_some(meant)
}

/// `/{tid}/{aid}/{rest}`.
fn split(path: &str) -> Option<(&str, &str, &str)> {
    let mut parts = path.strip_prefix('/')?.splitn(3, '/');
    Some((parts.next()?, parts.next()?, parts.next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_led_to_the_endpoint() {
        for (asked, meant) in [
            ("/default/default/oauth2/authorise", Some("/default/default/oauth2/authorize")),
            ("/default/default/oauth/token", Some("/default/default/oauth2/token")),
            ("/default/default/userinfo/", Some("/default/default/userinfo")),
            ("/t/a/.well-known/openid-config", None),
            ("/t/a/.well-known/openid_configuration", Some("/t/a/.well-known/openid-configuration")),
            ("/t/a/something/else/entirely", None),
            ("/t/%3Cscript%3E/login/", None),
            ("/t", None),
        ] {
            assert_eq!(nearest(asked).as_deref(), meant, "{asked}");
        }
    }
}

//! The map of the hall: every route, and who may read its answers.

use crate::interaction::{
    check_session, consent, device, end_session, gone, login, logout, select_account, sessions,
};
use crate::oauth2::access;
use crate::oauth2::authorize::authorize;
use crate::oauth2::device_authorization::device_authorization;
use crate::oauth2::discovery::discovery;
use crate::oauth2::introspect::introspect;
use crate::oauth2::jwks::jwks;
use crate::oauth2::par::par;
use crate::oauth2::protected_resource;
use crate::oauth2::register;
use crate::oauth2::revoke::revoke;
use crate::oauth2::sessions as own;
use crate::oauth2::token::token;
use crate::oauth2::userinfo::userinfo;
use crate::{assets, cors, demo, landing, not_found};
use axum::Router;
use axum::response::Response;
use axum::routing::{delete, get, post};
use engine::Engine;
use http::{HeaderName, HeaderValue};
use std::sync::Arc;
use tower::util::MapResponseLayer;

/// Every route of the hall, with the answer for paths that no room knows.
pub fn router(engine: Arc<Engine>) -> Router {
    let programs = programs(Arc::clone(&engine));
    let demo = demo::router(Arc::clone(&engine), programs.clone());
    programs.merge(people(engine)).merge(demo)
}

/// What programs call, from any origin. The answer for unknown paths lives here too, so that a program in a
/// browser sees its mistake.
fn programs(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/{tid}/{aid}/oauth2/token", post(token))
        .route("/{tid}/{aid}/par", post(par))
        .route("/{tid}/{aid}/oauth2/introspect", post(introspect))
        .route("/{tid}/{aid}/oauth2/revoke", post(revoke))
        .route("/{tid}/{aid}/oauth2/register", post(register::register))
        .route(
            "/{tid}/{aid}/oauth2/register/{cid}",
            get(register::read).put(register::update).delete(register::end),
        )
        .route("/{tid}/{aid}/device/authorization", post(device_authorization))
        .route("/{tid}/{aid}/userinfo", get(userinfo).post(userinfo))
        .route("/{tid}/{aid}/clients", get(access::list))
        .route("/{tid}/{aid}/clients/{cid}", delete(access::revoke))
        .route("/{tid}/{aid}/sso/sessions", get(own::list))
        .route("/{tid}/{aid}/sso/sessions/{sid}", delete(own::end))
        .route("/{tid}/{aid}/tokens", delete(own::revoke_tokens))
        // The three addresses of an issuer with a path: OIDC Discovery §4, RFC 8414 §3.1 and §5.
        .route("/{tid}/{aid}/.well-known/openid-configuration", get(discovery))
        .route("/.well-known/oauth-authorization-server/{tid}/{aid}", get(discovery))
        .route("/.well-known/openid-configuration/{tid}/{aid}", get(discovery))
        // Not standard, but asked for by clients that append.
        .route("/{tid}/{aid}/.well-known/oauth-authorization-server", get(discovery))
        .route("/{tid}/{aid}/.well-known/jwks.json", get(jwks))
        // RFC 9728 §3.1.
        .route("/.well-known/oauth-protected-resource/{tid}/{aid}/{name}", get(protected_resource::own))
        .route(
            "/.well-known/oauth-protected-resource/{tid}/{aid}/services/{name}",
            get(protected_resource::service),
        )
        .route("/.well-known/oauth-protected-resource/api/admin/{tid}", get(protected_resource::management))
        .fallback(not_found::fallback)
        .method_not_allowed_fallback(not_found::method)
        .layer(cors::Cors)
        .with_state(engine)
}

/// Where people go; no other origin reads these (attack AUT-26).
fn people(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/", get(landing::server))
        .route("/{tid}", get(landing::tenant))
        .route("/static/{file}", get(assets::asset))
        .merge(login_in_progress())
        .route("/{tid}/{aid}/device", get(device::show).post(device::submit))
        .route("/{tid}/{aid}/logout", get(logout::show).post(logout::submit))
        .route("/{tid}/{aid}/sessions", get(sessions::show).post(sessions::submit))
        .route("/{tid}/{aid}/oidc/check-session", get(check_session::show))
        .route("/{tid}/{aid}/oidc/logout", get(end_session::end_session).post(end_session::end_session))
        .route("/{tid}/{aid}/error", get(gone::show))
        .method_not_allowed_fallback(not_found::method)
        .with_state(engine)
}

/// From the authorization request to the answer. Clients may run this in a pop-up, and wait for its end in the
/// window that opened it.
fn login_in_progress() -> Router<Arc<Engine>> {
    Router::new()
        .route("/{tid}/{aid}/oauth2/authorize", get(authorize).post(authorize))
        .route("/{tid}/{aid}/login", get(login::show).post(login::submit))
        .route("/{tid}/{aid}/consent", get(consent::show).post(consent::submit))
        .route("/{tid}/{aid}/select-account", get(select_account::show).post(select_account::submit))
        .layer(MapResponseLayer::new(keep_opener))
}

/// HTML §7.1.3: with the gate's `same-origin` the opener would lose its window on the way.
fn keep_opener(mut response: Response) -> Response {
    const NAME: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
    response.headers_mut().insert(NAME, HeaderValue::from_static("unsafe-none"));
    response
}

#[cfg(test)]
mod tests;

//! The floor's one page, and the replies every endpoint makes.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use hyper::{Response, StatusCode};

pub(crate) type Reply = Response<Full<Bytes>>;

/// A JSON answer that must not be kept.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// An error as RFC 6749 §5.2 has it.
pub(crate) fn refusal(error: &str) -> Reply {
    json(StatusCode::BAD_REQUEST, format!(r#"{{"error":"{error}"}}"#))
}

/// Sends the browser elsewhere, perhaps with a session.
pub(crate) fn redirect(location: &str, session: Option<&str>) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::FOUND;
    set(&mut reply, LOCATION, location);
    if let Some(session) = session {
        set(&mut reply, SET_COOKIE, &format!("session={session}; Path=/; HttpOnly"));
    }
    reply
}

/// The login page; `query` is the authorization request to go on with.
pub(crate) fn login(query: &str) -> Reply {
    let query = query.replace('&', "&amp;").replace('"', "&quot;");
    let html = format!(
        r#"<!doctype html><title>Sign in</title><form id="login-form" method="post" action="/login?{query}"><input name="username"><input name="password" type="password"><button>Sign in</button></form>"#
    );
    let mut reply = Response::new(Full::new(html.into()));
    set(&mut reply, CONTENT_TYPE, "text/html");
    reply
}

fn set(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

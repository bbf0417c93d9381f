//! One request of the relying party: sent as it is, shown with its secrets masked.

use crate::pages::demo::{ExchangeKind, ExchangeView};
use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use engine::{Call, Source, TraceId};
use http::request::Builder;
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;

const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Headers of answers that say something to a developer.
const TELLING: &[&str] =
    &["content-type", "cache-control", "pragma", "www-authenticate", "access-control-allow-origin"];

/// Members whose values are shown in part only.
const SECRET: &[&str] =
    &["access_token", "id_token", "refresh_token", "code", "code_verifier", "client_secret", "token"];

/// A request to an endpoint of this server.
pub(super) struct Exchange<'a> {
    pub(super) kind: ExchangeKind,
    /// What comes before the path, for display.
    pub(super) public_url: &'a str,
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    /// A form to POST; without one the request is a GET.
    pub(super) form: Option<Vec<(&'static str, String)>>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Answer {
    /// A member of the JSON body that is text.
    pub(super) fn text(&self, member: &str) -> Option<String> {
        let document: Value = serde_json::from_slice(&self.body).ok()?;
        document.get(member)?.as_str().map(str::to_owned)
    }
}

impl Exchange<'_> {
    /// Sends the request through `endpoints`, and tells how it is shown.
    pub(super) async fn send(self, endpoints: &Router, call: &Call) -> (Answer, ExchangeView) {
        let request = self.request(call);
        let answered = match request {
            Ok(request) => match endpoints.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(_) => http::Response::default(),
        };
        let (head, body) = answered.into_parts();
        let body = to_bytes(body, MAX_ANSWER_BYTES).await.unwrap_or_default();
        let view = self.view(head.status, &head.headers, &body);
        (Answer { status: head.status, body }, view)
    }

    fn request(&self, call: &Call) -> Result<Request<Body>, http::Error> {
        let mut request = self.builder().uri(&self.path).header(header::ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let body = match &self.form {
            Some(form) => {
                request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                Body::from(encode(form, |_, value| value.to_owned()))
            }
            None => Body::empty(),
        };
        // What goes wrong is found under the trace id of the page that was asked for.
        let request = request.extension(TraceId(call.trace_id.clone()));
        request.extension(Source(call.source.clone())).body(body)
    }

    fn builder(&self) -> Builder {
        Request::builder().method(self.method())
    }

    fn method(&self) -> &'static str {
        if self.form.is_some() { "POST" } else { "GET" }
    }

    fn view(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ExchangeView {
        let mut request_headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        if let Some(authorization) = &self.authorization {
            let (scheme, secret) = authorization.split_once(' ').unwrap_or((authorization, ""));
            request_headers.push(("Authorization".to_owned(), format!("{scheme} {}", masked(secret))));
        }
        if self.form.is_some() {
            let form = "application/x-www-form-urlencoded".to_owned();
            request_headers.push(("Content-Type".to_owned(), form));
        }
        let told = TELLING.iter().filter_map(|name| Some((*name, headers.get(*name)?.to_str().ok()?)));
        ExchangeView {
            kind: self.kind,
            method: self.method().to_owned(),
            url: format!("{}{}", self.public_url, self.path),
            request_headers,
            request_body: self.form.as_ref().map(|form| lines(&encode(form, shown))),
            status: status.as_u16(),
            response_headers: told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            response_body: Some(pretty(body)).filter(|text| !text.is_empty()),
            open: true,
        }
    }
}

/// A secret as it may be seen: enough to tell two apart, too little to use. A JWT shows its three parts; what
/// is in them stands decoded beside.
pub(super) fn masked(secret: &str) -> String {
    if let [header, claims, _] = secret.split('.').collect::<Vec<_>>().as_slice() {
        let beginning = |part: &str| part.chars().take(12).collect::<String>();
        return format!("{}….{}….…", beginning(header), beginning(claims));
    }
    let visible: String = secret.chars().take((secret.len() / 4).min(8)).collect();
    format!("{visible}…")
}

fn shown(name: &str, value: &str) -> String {
    if SECRET.contains(&name) { masked(value) } else { value.to_owned() }
}

fn encode(form: &[(&'static str, String)], write: impl Fn(&str, &str) -> String) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form {
        text.append_pair(name, &write(name, value));
    }
    text.finish()
}

/// One parameter per line, and the mark of what was left out legible.
pub(super) fn lines(form: &str) -> String {
    form.replace('&', "\n&").replace('?', "\n?").replace("%E2%80%A6", "…")
}

/// JSON indented and masked; anything else as it is.
fn pretty(body: &[u8]) -> String {
    let Ok(mut document) = serde_json::from_slice::<Value>(body) else {
        return String::from_utf8_lossy(body).into_owned();
    };
    if let Some(members) = document.as_object_mut() {
        for (name, value) in members {
            if let Some(text) = value.as_str() {
                *value = Value::from(shown(name, text));
            }
        }
    }
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_shown_in_part_only() {
        assert_eq!(masked("eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJjIn0.c2ln"), "eyJhbGciOiJF….eyJhdWQiOiJj….…");
        assert_eq!(masked("n8HF35qzZkmsukHJzzz9LnN8m9Mf97uq"), "n8HF35qz…");
        assert_eq!(masked("abcd"), "a…");
        assert_eq!(masked(""), "…");
    }

    #[test]
    fn bodies_are_masked_by_name() {
        let body = pretty(
            br#"{"access_token":"a.b.signature","token_type":"bearer","refresh_token":"0123456789abcdef"}"#,
        );
        assert!(
            body.contains("bearer") && !body.contains("signature") && !body.contains("89abcdef"),
            "{body}"
        );
        let form = encode(&[("grant_type", "x".to_owned()), ("code", "0123456789abcdef".to_owned())], shown);
        assert_eq!(lines(&form), "grant_type=x\n&code=0123…");
    }
}

//! Cross-origin access, once for every OAuth and discovery route: answers, refusals, 404 and 405 alike.
//!
//! Clients that run in a browser have an origin of their own, and what these routes answer depends on what the
//! request carries, never on cookies; so any origin may read it, and credentials are never allowed (Fetch
//! §3.2). Pages are not behind this layer: no script reads an authorization response (attack AUT-26).

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower::{Layer, Service};

const ANY: HeaderValue = HeaderValue::from_static("*");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS");
/// `*` does not cover `Authorization` (Fetch §4.8), and old browsers do not know `*` at all.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, dpop, mcp-protocol-version, x-idempotency-key, x-correlation-id, *",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "www-authenticate, x-trace-id, retry-after, dpop-nonce, x-idempotent-replayed, content-language",
);
/// Two hours, the longest that any browser keeps a preflight's answer.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Answers preflights; marks every other answer as readable. A layer of its own, because it stands on the way
/// of every token: the ready-made ones box and clone more.
#[derive(Clone, Copy)]
pub(crate) struct Cors;

/// What [`Cors`] makes of a service.
#[derive(Clone)]
pub(crate) struct Readable<S>(S);

impl<S> Layer<S> for Cors {
    type Service = Readable<S>;

    fn layer(&self, inner: S) -> Readable<S> {
        Readable(inner)
    }
}

impl<S> Service<Request> for Readable<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.method() == Method::OPTIONS {
            return Box::pin(async { Ok(preflight()) });
        }
        let answered = self.0.call(request);
        Box::pin(async move {
            let mut response = answered.await?;
            make_readable(response.headers_mut());
            Ok(response)
        })
    }
}

/// Lets any origin read an answer, without credentials.
pub(crate) fn make_readable(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

fn preflight() -> Response {
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY),
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::routing::post;
    use tower::ServiceExt;

    async fn answer(method: &str, path: &str) -> Response {
        let router = Router::new()
            .route("/token", post(async || "token"))
            .fallback(async || (StatusCode::NOT_FOUND, "nothing"));
        let request = Request::builder().method(method).uri(path).header("origin", "https://app.example");
        let request = request.header("access-control-request-method", "POST").body(Body::empty()).unwrap();
        router.layer(Cors).oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn answers_of_every_kind_are_readable_without_credentials() {
        for (method, path, status) in
            [("POST", "/token", 200), ("GET", "/token", 405), ("POST", "/nothing", 404)]
        {
            let response = answer(method, path).await;
            assert_eq!(response.status(), status, "{method} {path}");
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap();
            assert!(exposed.contains("www-authenticate") && exposed.contains("x-trace-id"), "{exposed}");
            assert!(!response.headers().contains_key("access-control-allow-credentials"));
        }
    }

    #[tokio::test]
    async fn preflights_allow_the_headers_that_clients_send() {
        let response = answer("OPTIONS", "/token").await;
        assert_eq!(response.status(), 204);
        let allowed = response.headers()["access-control-allow-headers"].to_str().unwrap();
        for header in ["authorization", "content-type", "dpop", "mcp-protocol-version", "x-idempotency-key"] {
            assert!(allowed.contains(header), "{header} in {allowed}");
        }
        assert!(response.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    }
}

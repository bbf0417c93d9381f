//! The client that carries spans to the collector.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};

/// Follows no redirect and takes no proxy from the environment: spans go where the configuration says.
#[derive(Debug)]
pub(super) struct OtlpClient(reqwest::Client);

impl OtlpClient {
    /// # Errors
    /// The system's trust anchors cannot be read.
    pub(super) fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        let redirects = reqwest::redirect::Policy::none();
        reqwest::Client::builder().redirect(redirects).no_proxy().timeout(timeout).build().map(Self)
    }
}

impl HttpClient for OtlpClient {
    fn send_bytes<'s, 'f>(
        &'s self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let request =
                self.0.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
            let response = request.send().await?;
            let mut answer = Response::builder().status(response.status());
            if let Some(headers) = answer.headers_mut() {
                headers.extend(response.headers().clone());
            }
            Ok(answer.body(response.bytes().await?)?)
        })
    }
}

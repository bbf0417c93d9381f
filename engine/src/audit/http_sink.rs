//! Events as JSON lines, posted to an address of the operator's choice.

use super::AuditSink;
use crate::fetch::{Fetch, FetchPolicy};
use crate::{EngineError, fetch};
use std::pin::Pin;
use store::ExportSink;
use zeroize::Zeroizing;

/// Newline-delimited JSON.
const JSON_LINES: &str = "application/x-ndjson";

/// Posts batches to a URL; any status of the 200s means that they were taken.
pub struct HttpSink {
    url: String,
    token: Option<Zeroizing<String>>,
    fetch: Fetch,
}

impl HttpSink {
    /// `token` is sent as a bearer token (RFC 6750 §2.1). What `policy` does not allow is not reached: private addresses
    /// only when it names the host.
    ///
    /// # Errors
    /// A trust anchor cannot be read.
    pub fn new(
        url: impl Into<String>,
        token: Option<Zeroizing<String>>,
        policy: &FetchPolicy,
    ) -> Result<Self, EngineError> {
        Ok(Self { url: url.into(), token, fetch: Fetch::new(policy)? })
    }
}

impl AuditSink for HttpSink {
    fn sink(&self) -> ExportSink {
        ExportSink::Http
    }

    fn deliver<'a>(
        &'a self,
        lines: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let body = lines.iter().fold(String::new(), |text, line| text + line + "\n");
        Box::pin(async move {
            let token = self.token.as_ref().map(|token| token.as_str());
            let post = fetch::Post { url: &self.url, content_type: JSON_LINES, token, body };
            match self.fetch.post(post).await.map_err(|error| error.to_string())? {
                200..=299 => Ok(()),
                status => Err(format!("status {status}")),
            }
        })
    }
}

//! Where traces go.

use std::time::Duration;

use url::Url;

use super::{Secret, file};

/// What the file says; OpenTelemetry's environment variables fill the gaps.
#[derive(Debug, Default)]
pub struct Otel {
    /// Base URL of a collector that takes OTLP over HTTP.
    pub endpoint: Option<String>,
    /// Header fields for the collector, `name=value` each.
    pub headers: Option<Secret>,
    /// `service.name` of the spans.
    pub service_name: Option<String>,
    /// Part of all traces that is sent, 0 to 1.
    pub sample_ratio: Option<f64>,
    /// How long the collector may take for a batch.
    pub timeout: Option<Duration>,
}

impl Otel {
    pub(super) fn from_file(file: file::Otel) -> Result<Self, (String, String)> {
        let wrong = |name: &str, problem: String| Err((format!("otel.{name}"), problem));
        if let Some(endpoint) = &file.endpoint
            && !Url::parse(endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        {
            return wrong("endpoint", format!("\"{endpoint}\" is not a URL such as http://127.0.0.1:4318"));
        }
        if file.sample_ratio.is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)) {
            return wrong("sample_ratio", "must be from 0 to 1".into());
        }
        if file.timeout_milliseconds == Some(0) {
            return wrong("timeout_milliseconds", "must be at least 1".into());
        }
        let headers = match (file.headers_file, file.headers_env) {
            (None, None) => None,
            (path, variable) => Some(
                Secret::from_pair("headers", path, variable)
                    .map_err(|(name, problem)| (format!("otel.{name}"), problem))?,
            ),
        };
        Ok(Self {
            endpoint: file.endpoint,
            headers,
            service_name: file.service_name,
            sample_ratio: file.sample_ratio,
            timeout: file.timeout_milliseconds.map(Duration::from_millis),
        })
    }
}

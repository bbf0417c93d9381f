//! Where spans go: the section `otel` of the configuration, and OpenTelemetry's environment variables where it is silent.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::config::Otel;

const USUAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything settled.
pub(crate) struct Settings {
    /// The collector's URL for traces.
    pub(super) endpoint: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) service_name: String,
    /// Part of all traces that is sent, 0 to 1; a trace that somebody else began follows their decision.
    pub(super) sample_ratio: f64,
    pub(super) timeout: Duration,
}

impl Settings {
    /// `None` when no endpoint is named, or when `OTEL_SDK_DISABLED` is true.
    ///
    /// # Errors
    /// One line that names the setting.
    pub(crate) fn resolve(
        config: &Otel,
        environment: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Option<Self>> {
        let environment = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        if environment("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let base = config.endpoint.clone().or_else(|| environment("OTEL_EXPORTER_OTLP_ENDPOINT"));
        let of_base = |base: String| format!("{}/v1/traces", base.trim_end_matches('/'));
        let whole = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").filter(|_| config.endpoint.is_none());
        let Some(endpoint) = whole.or_else(|| base.map(of_base)) else { return Ok(None) };
        let number = |name: &str| match environment(name) {
            Some(text) => text.trim().parse::<f64>().map(Some).with_context(|| format!("{name}: {text:?}")),
            None => Ok(None),
        };
        let sample_ratio = match config.sample_ratio {
            Some(ratio) => ratio,
            None => number("OTEL_TRACES_SAMPLER_ARG")?.unwrap_or(1.0),
        };
        ensure!((0.0..=1.0).contains(&sample_ratio), "OTEL_TRACES_SAMPLER_ARG: must be from 0 to 1");
        let timeout = match config.timeout {
            Some(timeout) => timeout,
            None => match number("OTEL_EXPORTER_OTLP_TIMEOUT")? {
                // Milliseconds (OpenTelemetry Protocol Exporter, "Timeout").
                Some(millis) => {
                    Duration::try_from_secs_f64(millis / 1000.0).context("OTEL_EXPORTER_OTLP_TIMEOUT")?
                }
                None => USUAL_TIMEOUT,
            },
        };
        let headers = match &config.headers {
            Some(place) => {
                let bytes = place.read().context("otel.headers")?;
                read_headers(std::str::from_utf8(&bytes).context("otel.headers: is not text")?)
                    .context("otel.headers")?
            }
            // The exporter reads OTEL_EXPORTER_OTLP_HEADERS by itself.
            None => HashMap::new(),
        };
        let service_name = config.service_name.clone().or_else(|| environment("OTEL_SERVICE_NAME"));
        let service_name = service_name.unwrap_or_else(|| "postern".to_owned());
        Ok(Some(Self { endpoint, headers, service_name, sample_ratio, timeout }))
    }
}

/// `name=value`, separated by commas or ends of lines. What is wrong is told without the values.
fn read_headers(text: &str) -> anyhow::Result<HashMap<String, String>> {
    let parts = text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').context("each header is name=value")?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(config: Otel, environment: &[(&str, &str)]) -> anyhow::Result<Option<Settings>> {
        Settings::resolve(&config, |name| {
            environment.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_an_endpoint_there_are_no_spans() {
        assert!(resolve(Otel::default(), &[("OTEL_SERVICE_NAME", "x")]).unwrap().is_none());
        let off = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_SDK_DISABLED", "TRUE")];
        assert!(resolve(Otel::default(), &off).unwrap().is_none());
    }

    #[test]
    fn the_configuration_comes_before_the_environment() {
        let environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"),
            ("OTEL_SERVICE_NAME", "login"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ];
        let settings = resolve(Otel::default(), &environment).unwrap().unwrap();
        assert_eq!(settings.endpoint, "http://c:4318/v1/traces");
        assert_eq!((settings.service_name.as_str(), settings.sample_ratio), ("login", 0.25));
        assert_eq!(settings.timeout, Duration::from_millis(1500));
        let traces = [environment[0], ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/x")];
        assert_eq!(resolve(Otel::default(), &traces).unwrap().unwrap().endpoint, "http://t/x");
        let config = Otel {
            endpoint: Some("https://mine".to_owned()),
            service_name: Some("mine".to_owned()),
            sample_ratio: Some(1.0),
            ..Otel::default()
        };
        let settings = resolve(config, &environment).unwrap().unwrap();
        assert_eq!(settings.endpoint, "https://mine/v1/traces");
        assert_eq!((settings.service_name.as_str(), settings.sample_ratio), ("mine", 1.0));
    }

    #[test]
    fn a_header_that_is_none_is_refused_without_its_value() {
        assert_eq!(read_headers("a=1, b = 2\nc=x=y").unwrap().get("c").map(String::as_str), Some("x=y"));
        let error = format!("{:#}", read_headers("secret-without-name").unwrap_err());
        assert!(!error.contains("secret"), "{error}");
    }
}

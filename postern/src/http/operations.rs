//! `/alive`, `/ready` and `/metrics`.

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use super::metrics::Metrics;
use super::shutdown::Shutdown;

/// Asks whether the store answers.
pub type Probe = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// `/alive`: 200 while the process serves. `/ready`: 200 when the store answers and no stop has begun,
/// else 503.
pub fn health(shutdown: Shutdown, probe: Probe) -> Router {
    Router::new().route("/alive", get(async || "alive\n")).route(
        "/ready",
        get(async move || {
            if shutdown.has_begun() {
                return later("stopping\n");
            }
            match probe().await {
                true => "ready\n".into_response(),
                false => later("the store does not answer\n"),
            }
        }),
    )
}

/// RFC 9110 §15.6.4.
fn later(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], why).into_response()
}

/// `/metrics` in the OpenMetrics text format that Prometheus reads.
pub fn metrics(metrics: Arc<Metrics>) -> Router {
    const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Router::new().route("/metrics", get(async move || ([(header::CONTENT_TYPE, FORMAT)], metrics.text())))
}

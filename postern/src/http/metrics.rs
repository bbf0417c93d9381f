//! Numbers for Prometheus.

use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::extract::MatchedPath;
use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::tenant_requests::{TenantCheck, TenantRequests};

/// Bounds of the latency histogram, in seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The gate's metrics. Label values come from fixed sets, from the route table, and from the first tenants that are
/// asked, so their number is bounded.
#[derive(Debug)]
pub struct Metrics {
    registry: RwLock<Registry>,
    requests: Family<RequestLabels, Histogram>,
    tenants: TenantRequests,
    /// Open connections.
    pub(super) connections: Gauge,
    /// Connections that did not get through the TLS handshake.
    pub(super) handshakes_failed: Counter,
    /// Connections ended by the gate because they held a place without using it.
    pub(super) connections_cut: Counter,
    /// Panics in handlers.
    pub(super) panics: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: Route,
    method: &'static str,
    status: &'static str,
}

/// The template of the route that answered; requests that matched none share one label.
#[derive(Clone, Debug)]
pub(super) enum Route {
    Matched(MatchedPath),
    Prompt(&'static str),
    None,
}

impl Route {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Matched(path) => path.as_str(),
            Self::Prompt(template) => template,
            Self::None => "(none)",
        }
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(self.as_str())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::of_tenants(0)
    }
}

impl Metrics {
    /// Metrics that give that many tenants a label of their own, once [`Metrics::know`] was told which there are.
    pub fn of_tenants(labels: usize) -> Self {
        let mut registry = Registry::default();
        let requests = Family::new_with_constructor(latencies as fn() -> Histogram);
        registry.register_with_unit(
            "http_request_duration",
            "From the end of a request's header fields to its answer",
            Unit::Seconds,
            requests.clone(),
        );
        let tenants = TenantRequests::new(labels);
        registry.register("tenant_requests", "Answered requests by tenant", tenants.clone());
        let connections = Gauge::default();
        registry.register("http_connections", "Open connections", connections.clone());
        let handshakes_failed = Counter::default();
        registry.register(
            "tls_handshakes_failed",
            "Connections that did not get through the TLS handshake",
            handshakes_failed.clone(),
        );
        let connections_cut = Counter::default();
        registry.register(
            "http_connections_cut",
            "Connections ended because they held a place without using it",
            connections_cut.clone(),
        );
        let panics = Counter::default();
        registry.register("panics", "Panics in request handlers", panics.clone());
        let registry = RwLock::new(registry);
        Self { registry, requests, tenants, connections, handshakes_failed, connections_cut, panics }
    }

    /// Counts one answered request.
    pub(super) fn answered(
        &self,
        route: Route,
        (method, path): (&Method, &str),
        status: StatusCode,
        took: Duration,
    ) {
        self.tenants.answered(route.as_str(), path);
        let labels = RequestLabels { route, method: named(method), status: class(status) };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Which tenants there are. Only the first answer counts.
    pub fn know(&self, exists: TenantCheck) {
        self.tenants.know(exists);
    }

    /// Adds what another room counts.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The text exposition, OpenMetrics 1.0.
    pub fn text(&self) -> String {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
        text
    }
}

fn latencies() -> Histogram {
    Histogram::new(SECONDS)
}

fn named(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

//! Traces for OpenTelemetry: spans of requests and of what is done for them, sent by OTLP over HTTP.
//!
//! Off unless an endpoint is named, and then no span is ever built: the places that would make one look at a flag. A
//! span's attributes are listed in `docs/OBSERVABILITY.md`; none is a secret, a token, a path with a handle, or a query.

mod http_client;
mod ids;
mod queue;
mod request;
mod settings;

pub(crate) use queue::Worker;
pub(crate) use request::RequestSpan;
pub(crate) use settings::Settings;

use anyhow::Context;
use engine::SPANS;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanExporter as _};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use http_client::OtlpClient;
use ids::Ids;
use queue::SpanQueue;

/// Hears of spans, for the subscriber.
pub(crate) type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Spans on their way: what the subscriber needs, and what sends them.
pub(crate) struct Spans {
    pub(crate) layer: SpanLayer,
    pub(crate) worker: Worker,
}

/// Makes ready to send spans. Nothing is sent before the worker runs.
///
/// # Errors
/// One line that names the setting.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Spans> {
    let client = OtlpClient::new(settings.timeout).context("otel")?;
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(&settings.endpoint)
        .with_timeout(settings.timeout)
        .with_headers(settings.headers.clone())
        .with_http_client(client)
        // The next batch is better than one that is late: what is not taken is dropped and counted.
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        .context("otel.endpoint")?;
    let resource = Resource::builder()
        .with_service_name(settings.service_name.clone())
        .with_attributes([KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))])
        .build();
    exporter.set_resource(&resource);
    let (queue, worker) = SpanQueue::new(exporter);
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio))))
        .with_id_generator(Ids::default())
        .with_span_processor(queue)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("postern"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == SPANS));
    Ok(Spans { layer: Box::new(layer), worker: worker.keeping(provider) })
}

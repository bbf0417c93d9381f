//! Spans that ended wait in a bounded queue for the worker, which sends them in batches. Nothing ever waits for it: a span
//! that finds the queue full is dropped and counted, and so is a batch that the collector does not take.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanExporter, SpanProcessor};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

use super::request::REQUEST;

/// Most spans that wait, and that are sent together.
const CAPACITY: usize = 8_192;
const BATCH: usize = 512;
/// How long the first span of a batch waits for others.
const GATHERING: Duration = Duration::from_secs(1);

enum Message {
    Span(Box<SpanData>),
    /// Answered when everything before it was sent.
    Flush(oneshot::Sender<()>),
}

/// The end of the queue where spans come in.
#[derive(Debug)]
pub(crate) struct SpanQueue {
    spans: Sender<Message>,
    dropped: Counter,
}

/// The other end, where they are sent.
pub(crate) struct Worker {
    queue: Receiver<Message>,
    exporter: opentelemetry_otlp::SpanExporter,
    counts: Counts,
    control: Sender<Message>,
    provider: Option<SdkTracerProvider>,
}

/// What became of spans.
#[derive(Clone, Default)]
struct Counts {
    sent: Counter,
    dropped: Counter,
}

/// Stops the worker in order.
pub(crate) struct Running {
    control: Sender<Message>,
    /// Spans are made as long as it lives.
    _provider: Option<SdkTracerProvider>,
}

impl SpanQueue {
    pub(crate) fn new(exporter: opentelemetry_otlp::SpanExporter) -> (Self, Worker) {
        let (spans, queue) = channel(CAPACITY);
        let counts = Counts::default();
        let dropped = counts.dropped.clone();
        let control = spans.clone();
        (Self { spans, dropped }, Worker { queue, exporter, counts, control, provider: None })
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.spans.try_send(Message::Span(Box::new(span))).is_err() {
            self.dropped.inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn set_resource(&mut self, _: &Resource) {}
}

impl Worker {
    pub(super) fn keeping(mut self, provider: SdkTracerProvider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Makes what is counted visible.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let (name, help) = ("spans_sent", "Spans that the collector has taken");
        registry.register(name, help, self.counts.sent.clone());
        let (name, help) =
            ("spans_dropped", "Spans that found the queue full or that the collector did not take");
        registry.register(name, help, self.counts.dropped.clone());
    }

    /// Sends from now on. Needs a runtime.
    pub(crate) fn start(mut self) -> Running {
        let running = Running { control: self.control.clone(), _provider: self.provider.take() };
        tokio::spawn(async move {
            while let Some(message) = self.queue.recv().await {
                let (spans, flushes) = self.gather(message).await;
                self.send(spans).await;
                for flush in flushes {
                    // Who asked may have stopped waiting.
                    let _ = flush.send(());
                }
            }
        });
        running
    }

    async fn gather(&mut self, first: Message) -> (Vec<SpanData>, Vec<oneshot::Sender<()>>) {
        let (mut spans, mut flushes) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        let enough = tokio::time::sleep(GATHERING);
        tokio::pin!(enough);
        loop {
            match next.take() {
                Some(Message::Span(span)) => spans.push(named(*span)),
                Some(Message::Flush(flush)) => flushes.push(flush),
                None => return (spans, flushes),
            }
            if spans.len() >= BATCH || !flushes.is_empty() {
                return (spans, flushes);
            }
            tokio::select! {
                message = self.queue.recv() => next = message,
                () = &mut enough => return (spans, flushes),
            }
        }
    }

    async fn send(&self, spans: Vec<SpanData>) {
        let count = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        if count == 0 {
            return;
        }
        match self.exporter.export(spans).await {
            Ok(()) => {
                self.counts.sent.inc_by(count);
            }
            Err(error) => {
                self.counts.dropped.inc_by(count);
                tracing::warn!(%error, count, "spans could not be sent");
            }
        }
    }
}

/// A request is called by its method and its route, which is known only when the span has long begun.
fn named(mut span: SpanData) -> SpanData {
    let attribute = |name: &str| {
        span.attributes.iter().find(|known| known.key.as_str() == name).map(|known| known.value.as_str())
    };
    if span.name == REQUEST
        && let (Some(method), Some(route)) = (attribute("http.request.method"), attribute("http.route"))
    {
        span.name = format!("{method} {route}").into();
    }
    span
}

impl Running {
    /// Sends what waits, for at most that long.
    pub(crate) async fn flush(&self, most: Duration) {
        let (flush, done) = oneshot::channel();
        let sent = async {
            if self.control.send(Message::Flush(flush)).await.is_ok() {
                let _ = done.await;
            }
        };
        // A collector that does not answer does not keep the server from stopping.
        let _ = tokio::time::timeout(most, sent).await;
    }
}

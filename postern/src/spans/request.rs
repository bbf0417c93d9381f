//! The span of a request, after OpenTelemetry's semantic conventions for HTTP servers.

use std::net::IpAddr;

use engine::SPANS;
use http::{HeaderMap, Method, StatusCode};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::http::trace_id::{CURRENT, TraceId as OurTraceId};

/// What the span is called before its route is known.
pub(super) const REQUEST: &str = "request";

/// The span of one request; nothing at all when no spans are wanted.
pub(crate) struct RequestSpan(Span);

impl RequestSpan {
    /// Begins. A trace that a trusted proxy began goes on; one of anybody else is only linked to, so that nobody
    /// outside chooses where our spans belong (W3C Trace Context §2.2).
    pub(crate) fn begin(
        method: &Method,
        headers: &HeaderMap,
        trace_id: &OurTraceId,
        client: IpAddr,
        is_trusted: impl FnOnce() -> bool,
    ) -> Self {
        if !tracing::span_enabled!(target: SPANS, tracing::Level::INFO) {
            return Self(Span::none());
        }
        CURRENT.sync_scope(trace_id.clone(), || {
            let span = tracing::info_span!(
                target: SPANS,
                REQUEST,
                otel.kind = "server",
                otel.status_code = Empty,
                http.request.method = %method,
                http.route = Empty,
                http.response.status_code = Empty,
                client.address = %client,
                postern.tenant = Empty,
                postern.workspace = Empty,
                postern.trace_id = trace_id.as_str(),
            );
            if let Some(remote) = traceparent(headers) {
                if is_trusted() {
                    // An error means that the span has begun already, which it has not.
                    let _ = span.set_parent(Context::new().with_remote_span_context(remote));
                } else {
                    span.add_link(remote);
                }
            }
            Self(span)
        })
    }

    /// The span, for what is done meanwhile.
    pub(crate) fn span(&self) -> Span {
        self.0.clone()
    }

    /// Ends. `route` is the template that matched.
    pub(crate) fn end(self, route: &str, path: &str, status: StatusCode) {
        let Self(span) = self;
        if span.is_disabled() {
            return;
        }
        span.record("http.route", route);
        span.record("http.response.status_code", status.as_u16());
        for (field, segment) in [("postern.tenant", "{tid}"), ("postern.workspace", "{aid}")] {
            if let Some(value) = segment_of(route, path, segment).filter(|_| status != StatusCode::NOT_FOUND)
            {
                span.record(field, value);
            }
        }
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// What stands in the path where the template has this segment.
fn segment_of<'p>(template: &str, path: &'p str, segment: &str) -> Option<&'p str> {
    let place = template.split('/').position(|part| part == segment)?;
    path.split('/').nth(place)
}

/// The parent in the header `traceparent`, version 00 (W3C Trace Context §3.2.2). One that is sent twice is none.
fn traceparent(headers: &HeaderMap) -> Option<SpanContext> {
    let mut values = headers.get_all("traceparent").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let mut parts = value.to_str().ok()?.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    if version != "00"
        || parts.next().is_some()
        || !is_hex(trace, 32)
        || !is_hex(span, 16)
        || !is_hex(flags, 2)
    {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let parent = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    parent.is_valid().then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_parent_is_read_or_ignored() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("traceparent", HeaderValue::from_str(value).unwrap());
            }
            traceparent(&headers)
        };
        let parent = read(&[good]).unwrap();
        assert_eq!(parent.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(parent.is_sampled() && parent.is_remote());
        assert!(!read(&[&good.replace("-01", "-00")]).unwrap().is_sampled());
        for bad in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(read(&[bad]).is_none(), "{bad}");
        }
        assert!(read(&[good, good]).is_none());
    }
}

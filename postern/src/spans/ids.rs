//! Identifiers of traces: those that answers carry as `X-Trace-ID`.

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::http::trace_id::CURRENT;

/// A trace that begins with a request has the request's own trace id; others have a random one.
#[derive(Debug, Default)]
pub(super) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        let ours = CURRENT.try_with(|id| TraceId::from_hex(id.as_str()));
        match ours {
            Ok(Ok(id)) if id != TraceId::INVALID => id,
            _ => self.0.new_trace_id(),
        }
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_of_a_request_has_the_id_that_the_answer_carries() {
        let id = crate::http::trace_id::TraceId::random();
        let shown = id.to_string();
        let made = CURRENT.sync_scope(id, || Ids::default().new_trace_id());
        assert_eq!(made.to_string(), shown);
        assert_ne!(Ids::default().new_trace_id(), Ids::default().new_trace_id());
    }
}

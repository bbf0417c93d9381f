//! What surrounds a request, from the extensions that the gate puts into it.

use engine::{Call, Source, TraceId};
use http::request::Parts;

/// The surroundings of a request. Without a gate in front (in tests) trace id and source are empty.
pub(crate) fn call_of(head: &Parts) -> Call {
    let extensions = &head.extensions;
    Call {
        trace_id: extensions.get::<TraceId>().map(|id| id.0.clone()).unwrap_or_default(),
        request: format!("{} {}", head.method, head.uri.path()),
        user_agent: user_agent(head),
        actor: String::new(),
        source: extensions.get::<Source>().map(|source| source.0.clone()).unwrap_or_default(),
    }
}

fn user_agent(head: &Parts) -> String {
    let value = head.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

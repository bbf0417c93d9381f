//! The developer's view of a refusal: what was received, what was expected, the rule, the fix.

use crate::error::Refusal;
use crate::record::{ArtifactKind, Payload};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An explained refusal, found by its trace id. Holds no secret and no token.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Explanation {
    pub trace_id: String,
    pub at: Timestamp,
    /// Method and path, without the query.
    pub request: String,
    pub error: String,
    pub reason: String,
    pub description: String,
    pub clause: String,
    pub fix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

impl Payload for Explanation {
    const KIND: ArtifactKind = ArtifactKind::Explanation;
}

impl Explanation {
    pub fn of(refusal: &Refusal, trace_id: &str, request: &str, at: Timestamp) -> Self {
        let entry = refusal.entry();
        Self {
            trace_id: trace_id.to_owned(),
            at,
            request: request.to_owned(),
            error: entry.code.name().to_owned(),
            reason: entry.name.to_owned(),
            description: entry.description.to_owned(),
            clause: entry.clause.to_owned(),
            fix: entry.fix.to_owned(),
            parameter: refusal.parameter.clone(),
            received: refusal.received.clone(),
            expected: refusal.expected.clone(),
        }
    }
}

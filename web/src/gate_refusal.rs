//! What the gate refuses before any route is asked, as a page for a person.

use crate::accept::{lang_of, wants_html};
use crate::content_security_policy::ContentSecurityPolicy;
use crate::pages::Lang;
use crate::pages::error::{ErrorView, error};
use crate::visit::page;
use axum::response::Response;
use http::{HeaderMap, StatusCode};

/// Who would read an answer.
#[derive(Clone, Copy)]
pub struct Reader(Option<Lang>);

/// What is refused, in the words of the gate's own table.
pub struct GateRefusal<'a> {
    pub status: StatusCode,
    /// The OAuth error code.
    pub error: &'a str,
    /// Name of the reason in the catalogue that says the same, if one does: it has words for people.
    pub reason: &'a str,
    /// A sentence for the developer.
    pub description: &'a str,
    pub trace_id: &'a str,
}

impl Reader {
    /// A person at a browser says that pages are welcome (RFC 9110 §12.5.1).
    pub fn of(headers: &HeaderMap) -> Self {
        Self(wants_html(headers).then(|| lang_of(headers, None)))
    }

    /// The page; nothing for a program.
    pub fn page(self, refusal: &GateRefusal<'_>) -> Option<Response> {
        let lang = self.0?;
        let view = ErrorView {
            reason: refusal.reason.to_owned(),
            error: refusal.error.to_owned(),
            description: refusal.description.to_owned(),
            trace_id: refusal.trace_id.to_owned(),
            ..ErrorView::default()
        };
        Some(page(refusal.status, lang, &ContentSecurityPolicy::default(), error(&view, lang)))
    }
}

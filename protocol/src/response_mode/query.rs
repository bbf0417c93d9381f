//! `response_mode=query`: in the query of the redirect URI (OAuth Multiple Response Types §2.1).

use super::{Mode, Outgoing, ResponseMode, encode};

pub(super) struct Query;

impl Mode for Query {
    fn mode(&self) -> ResponseMode {
        ResponseMode::Query
    }

    fn name(&self) -> &'static str {
        "query"
    }

    fn clause(&self) -> &'static str {
        "RFC 6749 §4.1.2"
    }

    /// The URI's own query is retained (RFC 6749 §3.1.2).
    fn render(&self, redirect_uri: &str, params: &[(&'static str, String)]) -> Outgoing {
        let separator = match redirect_uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        Outgoing::Redirect(format!("{redirect_uri}{separator}{}", encode(params)))
    }
}

//! `response_mode=fragment`: in the fragment of the redirect URI, which the browser keeps from servers
//! (OAuth Multiple Response Types §2.1).

use super::{Mode, Outgoing, ResponseMode, encode};

pub(super) struct Fragment;

impl Mode for Fragment {
    fn mode(&self) -> ResponseMode {
        ResponseMode::Fragment
    }

    fn name(&self) -> &'static str {
        "fragment"
    }

    fn clause(&self) -> &'static str {
        "RFC 6749 §4.2.2"
    }

    /// No registered URI has a fragment of its own (RFC 6749 §3.1.2).
    fn render(&self, redirect_uri: &str, params: &[(&'static str, String)]) -> Outgoing {
        Outgoing::Redirect(format!("{redirect_uri}#{}", encode(params)))
    }
}

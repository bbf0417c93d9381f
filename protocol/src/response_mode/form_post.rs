//! `response_mode=form_post`: a page posts the parameters to the redirect URI (OAuth 2.0 Form Post Response
//! Mode §2).

use super::{Mode, Outgoing, ResponseMode};

pub(super) struct FormPost;

impl Mode for FormPost {
    fn mode(&self) -> ResponseMode {
        ResponseMode::FormPost
    }

    fn name(&self) -> &'static str {
        "form_post"
    }

    fn clause(&self) -> &'static str {
        "OAuth 2.0 Form Post Response Mode §2"
    }

    fn render(&self, redirect_uri: &str, params: &[(&'static str, String)]) -> Outgoing {
        Outgoing::FormPost {
            action: redirect_uri.to_owned(),
            fields: params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        }
    }
}

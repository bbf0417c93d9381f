//! A client as people see it.

use serde::Serialize;

use super::web_uri;

/// What a client tells about itself (OIDC Registration §2, RFC 7591 §2). All of it is the client's word: it is shown as
/// text, links are made only of `https` and `http` URIs, the logo only of an `https` one.
#[derive(Clone, Default, Serialize)]
pub struct ClientView {
    /// `client_name`, or the `client_id` when there is none.
    pub name: String,
    pub logo_uri: Option<String>,
    pub client_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
}

impl ClientView {
    /// The origins that `img-src` of the page must allow.
    pub fn image_origins(&self) -> Vec<String> {
        web_uri::image_origins(self.logo_uri.as_deref())
    }
}

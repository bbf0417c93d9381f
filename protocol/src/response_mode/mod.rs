//! Response modes: how an authorization response travels to the client (OAuth Multiple Response Types §2.1).

mod form_post;
mod fragment;
mod query;

use crate::error::{Reason, Refusal};
use crate::profile::Rules;
use crate::server::Server;
use serde::{Deserialize, Serialize};

/// A response mode by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// What leaves for the browser.
#[derive(Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// Answer 303 with this `Location`.
    Redirect(String),
    /// Answer with a page whose form posts itself to `action`.
    FormPost { action: String, fields: Vec<(String, String)> },
}

/// One response mode: how it writes parameters for a redirect URI.
pub trait Mode: Sync {
    fn mode(&self) -> ResponseMode;
    /// The value of `response_mode`.
    fn name(&self) -> &'static str;
    fn clause(&self) -> &'static str;
    fn render(&self, redirect_uri: &str, params: &[(&'static str, String)]) -> Outgoing;
}

/// Every response mode; dispatch and discovery come from here.
pub static RESPONSE_MODES: &[&dyn Mode] = &[&query::Query, &fragment::Fragment, &form_post::FormPost];

impl ResponseMode {
    /// Writes `params` for `redirect_uri`.
    pub fn render(self, redirect_uri: &str, params: &[(&'static str, String)]) -> Outgoing {
        match self {
            Self::Query => query::Query.render(redirect_uri, params),
            Self::Fragment => fragment::Fragment.render(redirect_uri, params),
            Self::FormPost => form_post::FormPost.render(redirect_uri, params),
        }
    }
}

/// The response modes that the workspace and the profiles allow.
pub fn allowed(server: &Server, rules: Rules) -> impl Iterator<Item = &'static dyn Mode> {
    let disallowed = &server.advanced.disallowed_response_modes;
    RESPONSE_MODES.iter().copied().filter(move |mode| {
        !disallowed.iter().any(|name| name == mode.name()) && rules.allows_response_mode(mode.mode())
    })
}

/// The response mode of this name (attack AUT-21).
///
/// # Errors
/// [`Reason::ResponseModeUnsupported`] when there is no such mode or the workspace disallows it.
pub fn select(name: &str, server: &Server, rules: Rules) -> Result<ResponseMode, Refusal> {
    allowed(server, rules).find(|mode| mode.name() == name).map(Mode::mode).ok_or_else(|| {
        let expected: Vec<_> = allowed(server, rules).map(Mode::name).collect();
        Refusal::new(Reason::ResponseModeUnsupported)
            .parameter("response_mode")
            .received(name)
            .expected(expected.join(", "))
    })
}

/// `application/x-www-form-urlencoded` text of the parameters: no byte of a value leaves unencoded, so that none
/// can end a header line (attack AUT-29).
fn encode(params: &[(&'static str, String)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in params {
        text.append_pair(name, value);
    }
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Vec<(&'static str, String)> {
        vec![("code", "c-1".to_owned()), ("state", "a b&c=d\r\nSet-Cookie: x=1".to_owned())]
    }

    fn location(mode: ResponseMode, uri: &str) -> String {
        match mode.render(uri, &params()) {
            Outgoing::Redirect(location) => location,
            Outgoing::FormPost { .. } => panic!("not a redirect"),
        }
    }

    #[test]
    fn oidcc_redirect_uri_query_ok_the_uris_own_query_is_kept() {
        let tail = "code=c-1&state=a+b%26c%3Dd%0D%0ASet-Cookie%3A+x%3D1";
        for (uri, wanted) in [
            ("https://rp.example/cb", "https://rp.example/cb?"),
            ("https://rp.example/cb?", "https://rp.example/cb?"),
            ("https://rp.example/cb?a=1&a=2", "https://rp.example/cb?a=1&a=2&"),
            ("com.example.app:/cb", "com.example.app:/cb?"),
        ] {
            assert_eq!(location(ResponseMode::Query, uri), format!("{wanted}{tail}"));
            assert_eq!(location(ResponseMode::Fragment, uri), format!("{uri}#{tail}"));
        }
    }

    #[test]
    fn aut_29_no_value_can_split_the_response() {
        for mode in [ResponseMode::Query, ResponseMode::Fragment] {
            assert!(location(mode, "https://rp.example/cb").bytes().all(|b| b.is_ascii_graphic()));
        }
    }

    #[test]
    fn oidcc_formpost_nothing_is_in_the_query() {
        let outgoing = ResponseMode::FormPost.render("https://rp.example/cb?a=1", &params());
        let Outgoing::FormPost { action, fields } = outgoing else { panic!("not a form") };
        assert_eq!(action, "https://rp.example/cb?a=1");
        assert_eq!(fields[0], ("code".to_owned(), "c-1".to_owned()));
        assert_eq!(fields[1].1, "a b&c=d\r\nSet-Cookie: x=1");
    }

    #[test]
    fn aut_21_unknown_and_disallowed_modes_are_refused() {
        let mut server = Server::default();
        let select = |name: &str, server: &Server| super::select(name, server, Rules::of_workspace(server));
        assert_eq!(select("form_post", &server).unwrap(), ResponseMode::FormPost);
        for unknown in ["", "QUERY", "web_message", "query.jwt"] {
            assert_eq!(select(unknown, &server).unwrap_err().reason, Reason::ResponseModeUnsupported);
        }
        server.advanced.disallowed_response_modes = vec!["form_post".to_owned()];
        assert_eq!(select("form_post", &server).unwrap_err().reason, Reason::ResponseModeUnsupported);
    }

    #[test]
    fn each_mode_renders_under_its_own_name() {
        for mode in RESPONSE_MODES {
            assert_eq!(serde_json::to_value(mode.mode()).unwrap(), mode.name());
            assert!(
                mode.render("https://rp.example/", &[]) == mode.mode().render("https://rp.example/", &[])
            );
            assert!(!mode.clause().is_empty());
        }
    }
}

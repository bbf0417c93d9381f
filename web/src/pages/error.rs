//! The error page, for errors that are not sent to the client (RFC 6749 §4.1.2.1).

use serde::Serialize;

use super::template;
use super::{ClientView, Frame, Lang};

/// The error page. The status is the caller's.
#[derive(Clone, Default, Serialize)]
pub struct ErrorView {
    pub frame: Frame,
    /// The error code, e.g. `invalid_request`.
    pub error: String,
    /// `error_description`: one safe English sentence.
    pub description: String,
    pub trace_id: String,
    /// The client, once it is known: the page links back to its `client_uri`.
    pub client: Option<ClientView>,
    /// A place where a fresh attempt begins, when there is one of ours.
    pub restart: Option<String>,
    /// Shown in demonstration only.
    pub developer: Option<DeveloperView>,
}

/// What helps the person who writes the client. Never a secret or a token.
#[derive(Clone, Default, Serialize)]
pub struct DeveloperView {
    pub received: Option<String>,
    pub expected: Option<String>,
    pub rule: Option<String>,
    /// E.g. `RFC 6749 §3.1.2.3`.
    pub clause: Option<String>,
    pub fix: Option<String>,
}

/// The page as HTML.
pub fn error(view: &ErrorView, lang: Lang) -> String {
    template::render("error.html", lang, view)
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;

    fn text(view: &ErrorView, selector: &str) -> String {
        let html = Html::parse_document(&error(view, Lang::En));
        let selector = Selector::parse(selector).expect("a selector");
        html.select(&selector).flat_map(|element| element.text()).collect()
    }

    fn view() -> ErrorView {
        ErrorView {
            error: "invalid_request".to_owned(),
            description: "The redirect_uri is not registered for this client.".to_owned(),
            trace_id: "01JD3".to_owned(),
            ..ErrorView::default()
        }
    }

    #[test]
    fn the_html_contract_holds() {
        assert_eq!(text(&view(), "code#error-code"), "invalid_request");
        assert_eq!(
            text(&view(), "#error-description"),
            "The redirect_uri is not registered for this client."
        );
        assert_eq!(text(&view(), "#trace-id"), "01JD3");
    }

    #[test]
    fn web_20_the_developer_part_is_there_only_when_it_is_given() {
        assert_eq!(text(&view(), ".developer"), "");
        let developer = DeveloperView {
            received: Some("https://evil.example/cb".to_owned()),
            expected: Some("https://app.example/cb".to_owned()),
            rule: Some("The URI must match exactly.".to_owned()),
            clause: Some("RFC 6749 §3.1.2.3".to_owned()),
            fix: Some("Register it.".to_owned()),
        };
        let shown = text(&ErrorView { developer: Some(developer), ..view() }, ".developer");
        for part in ["evil.example", "app.example", "exactly", "RFC 6749", "Register it"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn the_way_back_is_a_web_link_of_the_client() {
        let back = |uri: &str| {
            let client = ClientView {
                name: "Acme".to_owned(),
                client_uri: Some(uri.to_owned()),
                ..ClientView::default()
            };
            text(&ErrorView { client: Some(client), ..view() }, "#error-back")
        };
        assert_eq!(back("https://acme.example"), "Back to Acme");
        assert_eq!(back("javascript:alert(1)"), "");
    }
}

//! The error page, for errors that are not sent to the client (RFC 6749 §4.1.2.1).

use serde::Serialize;

use super::template;
use super::{ClientView, Frame, Lang};

/// Gives the page the address that error pages have. What was asked does not stay in the address bar and the history, and
/// whoever drives a browser sees by its address where it is. Without script the page stays where it happened.
pub const SCRIPT: &str = "history.replaceState(null, \"\", document.currentScript.dataset.address);";

/// What `script-src` of the Content-Security-Policy allows for it, quoted (CSP3 §6.7.3).
pub const SCRIPT_SHA256: &str = "'sha256-0UF+1RJxplu2mlA43Z9j5BWtO+vSokG7vADo3p5G0zk='";

/// The error page. The status is the caller's.
#[derive(Clone, Default, Serialize)]
pub struct ErrorView {
    pub frame: Frame,
    /// Name of the reason in the catalogue; some have words of their own in every language.
    pub reason: String,
    /// The error code, e.g. `invalid_request`.
    pub error: String,
    /// `error_description`: one safe English sentence.
    pub description: String,
    pub trace_id: String,
    /// The address of error pages, where there is one; the caller's policy allows [`SCRIPT`] then.
    pub address: Option<String>,
    /// The client, once it is known: the page links back to its `client_uri`.
    pub client: Option<ClientView>,
    /// Where the person goes on at the client, when that is not its `client_uri`.
    pub go_on: Option<String>,
    /// A place where a fresh attempt begins, when there is one of ours.
    pub restart: Option<String>,
    /// Where the person signs out, when an application's request to do so was refused.
    pub sign_out: Option<String>,
    /// Shown in demonstration only.
    pub developer: Option<DeveloperView>,
}

/// What helps the person who writes the client. Never a secret or a token.
#[derive(Clone, Default, Serialize)]
pub struct DeveloperView {
    pub received: Option<String>,
    pub expected: Option<String>,
    /// Name of the reason, with the parameter it is about.
    pub reason: Option<String>,
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
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
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
    fn the_policy_hash_is_the_script_s_and_without_an_address_there_is_none() {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SCRIPT.as_bytes());
        assert_eq!(SCRIPT_SHA256, format!("'sha256-{}'", STANDARD.encode(digest)));
        let placed = ErrorView { address: Some("/t/\"a/error".to_owned()), ..view() };
        assert!(
            error(&placed, Lang::En)
                .contains(&format!("<script data-address=\"/t/&quot;a/error\">{SCRIPT}</script>"))
        );
        assert!(!error(&view(), Lang::En).contains("<script"));
    }

    #[test]
    fn web_20_the_developer_part_is_there_only_when_it_is_given() {
        assert_eq!(text(&view(), ".developer"), "");
        let developer = DeveloperView {
            received: Some("https://evil.example/cb".to_owned()),
            expected: Some("https://app.example/cb".to_owned()),
            reason: Some("redirect_uri_not_registered".to_owned()),
            clause: Some("RFC 6749 §3.1.2.3".to_owned()),
            fix: Some("Register it.".to_owned()),
        };
        let shown = text(&ErrorView { developer: Some(developer), ..view() }, ".developer");
        for part in ["evil.example", "app.example", "not_registered", "RFC 6749", "Register it"] {
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

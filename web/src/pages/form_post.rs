//! The page that carries an authorization response in a form (OAuth 2.0 Form Post Response Mode §2).

use serde::Serialize;

use super::template;
use super::{Frame, Lang};

/// Submits by the prototype, so that no parameter's name can stand in its way.
pub const SCRIPT: &str = "HTMLFormElement.prototype.submit.call(document.forms[0]);";

/// What `script-src` of the Content-Security-Policy allows for it, quoted (CSP3 §6.7.3).
pub const SCRIPT_SHA256: &str = "'sha256-Zd9Ppkm6KJvfEle1ogzptKkD+DOonO1DYBPhi02doj8='";

/// An authorization response on its way. The caller's policy allows `form-action` to the redirect URI's origin.
#[derive(Clone, Default, Serialize)]
pub struct FormPostView {
    pub frame: Frame,
    /// The verified redirect URI.
    pub redirect_uri: String,
    /// The parameters, in the order they are sent.
    pub parameters: Vec<(String, String)>,
    /// The client's name.
    pub client: String,
}

/// The page as HTML.
pub fn form_post(view: &FormPostView, lang: Lang) -> String {
    template::render("form_post.html", lang, view)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use scraper::{Html, Selector};

    use super::*;

    fn select(selector: &str) -> Selector {
        Selector::parse(selector).expect("a selector")
    }

    #[test]
    fn the_policy_hash_is_the_script_s() {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SCRIPT.as_bytes());
        assert_eq!(SCRIPT_SHA256, format!("'sha256-{}'", STANDARD.encode(digest)));
    }

    #[test]
    fn the_response_is_in_the_form_and_works_without_script() {
        let parameters = [("code", "a&b\"c"), ("state", "<s>"), ("submit", "x")];
        let view = FormPostView {
            redirect_uri: "https://client.example/cb?x=1&y=2".to_owned(),
            parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            ..FormPostView::default()
        };
        let page = form_post(&view, Lang::En);
        let html = Html::parse_document(&page);
        let form = html.select(&select("form[method=post]")).next().expect("a form");
        assert_eq!(form.value().attr("action"), Some("https://client.example/cb?x=1&y=2"));
        let sent: Vec<_> = form
            .select(&select("input[type=hidden]"))
            .map(|input| {
                (input.value().attr("name").unwrap_or(""), input.value().attr("value").unwrap_or(""))
            })
            .collect();
        assert_eq!(sent, parameters, "exactly the response, nothing of ours");
        let scripts: Vec<String> = html.select(&select("script")).map(|script| script.inner_html()).collect();
        assert_eq!(scripts, [SCRIPT]);
        assert!(page.contains("<noscript>") && page.contains("<button"), "{page}");
    }
}

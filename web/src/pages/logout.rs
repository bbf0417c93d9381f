//! The logout pages, `/{tid}/{aid}/logout` (OIDC RP-Initiated Logout §2, §3).

use serde::Serialize;

use super::template;
use super::{ClientView, Frame, Lang};

/// The question whether to sign out. The form posts `decision` = `confirm` or `cancel`, `csrf` and `resume`.
#[derive(Clone, Default, Serialize)]
pub struct LogoutView {
    pub frame: Frame,
    /// Where the form posts: the page's own path and query.
    pub action: String,
    pub csrf: String,
    pub resume: String,
    /// Whether an answer was sent that was not of this session, and nothing was done.
    pub outdated: bool,
    /// Who is signed in, when somebody is.
    pub user: Option<String>,
    /// The client that asked, when it is known.
    pub client: Option<ClientView>,
    /// Where the person's other sessions are, when nobody asked.
    pub sessions: Option<String>,
}

/// What is shown afterwards.
#[derive(Clone, Default, Serialize)]
pub struct LoggedOutView {
    pub frame: Frame,
    /// `false` when the person chose to stay.
    pub logged_out: bool,
    /// The client to go back to, by its `client_uri`.
    pub client: Option<ClientView>,
    /// What is loaded in frames that nobody sees. The caller's policy allows `frame-src` to exactly these origins.
    pub frames: Vec<String>,
    /// Where the browser goes on by itself, after the frames were loaded.
    pub go_on: Option<String>,
}

/// The question as HTML.
pub fn logout(view: &LogoutView, lang: Lang) -> String {
    template::render("logout.html", lang, view)
}

/// The result as HTML; `id=logged-out` is there only when the session has ended.
pub fn logged_out(view: &LoggedOutView, lang: Lang) -> String {
    template::render("logged_out.html", lang, view)
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;

    fn count(html: &str, selector: &str) -> usize {
        Html::parse_document(html).select(&Selector::parse(selector).expect("a selector")).count()
    }

    #[test]
    fn the_html_contract_holds() {
        let html =
            logout(&LogoutView { action: "/t/a/logout".to_owned(), ..LogoutView::default() }, Lang::En);
        assert_eq!(count(&html, "form#logout-form[method=post][action='/t/a/logout']"), 1);
        assert_eq!(count(&html, "button#logout-confirm[name=decision][value=confirm]"), 1);
        assert_eq!(count(&html, "button#logout-cancel[name=decision][value=cancel]"), 1);
        let done = logged_out(&LoggedOutView { logged_out: true, ..LoggedOutView::default() }, Lang::En);
        assert_eq!(count(&done, "#logged-out"), 1);
        assert_eq!(count(&logged_out(&LoggedOutView::default(), Lang::En), "#logged-out"), 0);
    }

    #[test]
    fn applications_are_told_in_frames_before_the_browser_goes_on() {
        let view = LoggedOutView {
            logged_out: true,
            frames: vec!["https://app.example/out?iss=i&sid=s".to_owned(), "javascript:alert(1)".to_owned()],
            go_on: Some("https://app.example/bye?state=\"x".to_owned()),
            ..LoggedOutView::default()
        };
        let html = logged_out(&view, Lang::En);
        assert_eq!(count(&html, "iframe[hidden][sandbox][src='https://app.example/out?iss=i&sid=s']"), 1);
        assert_eq!(count(&html, "iframe"), 1, "nothing that runs code here");
        assert_eq!(count(&html, "a#logged-out-continue[href='https://app.example/bye?state=\"x']"), 1);
        assert_eq!(count(&html, "meta[http-equiv=refresh]"), 1);
        let alone = logged_out(&LoggedOutView { frames: Vec::new(), go_on: None, ..view }, Lang::En);
        assert_eq!(count(&alone, "iframe, meta[http-equiv=refresh], a#logged-out-continue"), 0);
    }
}

//! The page of one's own sessions, `/{tid}/{aid}/sessions`.

use serde::Serialize;

use super::template;
use super::{Frame, Lang};

/// Where somebody is signed in. The form posts `csrf` and `end`: the identifier of a session, or `others`.
#[derive(Clone, Default, Serialize)]
pub struct SessionsView {
    pub frame: Frame,
    pub action: String,
    pub csrf: String,
    /// Whether a form was sent that was not of this session, and nothing was ended.
    pub outdated: bool,
    /// Who is signed in; nobody when absent.
    pub user: Option<String>,
    pub sessions: Vec<SessionView>,
}

/// One session.
#[derive(Clone, Default, Serialize)]
pub struct SessionView {
    pub id: String,
    /// Where they are known.
    pub browser: Option<String>,
    pub system: Option<String>,
    /// Date and time in UTC.
    pub last_used: String,
    pub ip_address: Option<String>,
    /// The one of this browser.
    pub current: bool,
}

/// The page as HTML.
pub fn sessions(view: &SessionsView, lang: Lang) -> String {
    template::render("sessions.html", lang, view)
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
        let session =
            |id: &str, current| SessionView { id: id.to_owned(), current, ..SessionView::default() };
        let view = SessionsView {
            action: "/t/a/sessions".to_owned(),
            user: Some("user".to_owned()),
            sessions: vec![session("1", true), session("2", false)],
            ..SessionsView::default()
        };
        let html = sessions(&view, Lang::En);
        assert_eq!(count(&html, "form#sessions-form[method=post][action='/t/a/sessions']"), 1);
        assert_eq!(count(&html, "button[name=end][value='1']"), 1);
        assert_eq!(count(&html, "button[name=end][value='2']"), 1);
        assert_eq!(count(&html, "button#sessions-end-others[name=end][value=others]"), 1);
        assert_eq!(count(&html, ".session-current"), 1);
        let alone = SessionsView { sessions: vec![session("1", true)], ..view.clone() };
        assert_eq!(count(&sessions(&alone, Lang::En), "#sessions-end-others"), 0, "there are no others");
        assert_eq!(count(&html, "#form-outdated"), 0);
        let outdated = sessions(&SessionsView { outdated: true, ..view.clone() }, Lang::En);
        assert_eq!((count(&outdated, "#form-outdated[role=alert]"), count(&outdated, "form")), (1, 1));
        let nobody = sessions(&SessionsView { user: None, sessions: Vec::new(), ..view }, Lang::En);
        assert_eq!((count(&nobody, "#sessions-nobody"), count(&nobody, "form")), (1, 0));
    }
}

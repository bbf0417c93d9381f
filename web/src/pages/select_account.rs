//! The page that asks which account to use (`prompt=select_account`, OIDC Core §3.1.2.1).

use serde::Serialize;

use super::template;
use super::{ClientView, Frame, Lang};

/// The accounts of this browser.
///
/// The form posts `account` = the id of the chosen one, or `action` = `switch` (sign in with another) or `cancel`;
/// always `csrf` and `resume`.
#[derive(Clone, Default, Serialize)]
pub struct SelectAccountView {
    pub frame: Frame,
    pub client: ClientView,
    /// Where the form posts: the page's own path and query.
    pub action: String,
    pub csrf: String,
    pub resume: String,
    /// Whether the form before it was made for an earlier session.
    pub outdated: bool,
    pub accounts: Vec<AccountView>,
}

/// One account that is signed in.
#[derive(Clone, Default, Serialize)]
pub struct AccountView {
    /// What the form posts; not shown.
    pub id: String,
    /// The person's name, or the user name when there is none.
    pub name: String,
    /// A second line that tells accounts apart: user name or mail address.
    pub detail: Option<String>,
}

/// The page as HTML.
pub fn select_account(view: &SelectAccountView, lang: Lang) -> String {
    template::render("select_account.html", lang, view)
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;

    #[test]
    fn each_account_is_a_button_and_there_is_a_way_to_another() {
        let account = |id: &str| AccountView { id: id.to_owned(), name: "Ada".to_owned(), detail: None };
        let view = SelectAccountView {
            accounts: vec![account("a1"), account("a2")],
            ..SelectAccountView::default()
        };
        let html = Html::parse_document(&select_account(&view, Lang::En));
        for (selector, count) in [
            ("#select-account-form button[name=account]", 2),
            ("#select-account-form button[name=account][value=a2]", 1),
            ("#select-account-form button[name=action][value=switch]", 1),
            ("#select-account-form button[name=action][value=cancel]", 1),
        ] {
            assert_eq!(
                html.select(&Selector::parse(selector).expect("a selector")).count(),
                count,
                "{selector}"
            );
        }
    }
}

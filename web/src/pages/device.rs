//! The pages of the device authorization, `/{tid}/{aid}/device` (RFC 8628 §3.3).

use serde::Serialize;

use super::consent::{ConsentWarning, ResourceView, ScopeView};
use super::template;
use super::{ClientView, Frame, Lang};

/// The page on which a person types the code of a device. The form sends `user-code` by GET: it decides nothing.
#[derive(Clone, Default, Serialize)]
pub struct DeviceView {
    pub frame: Frame,
    /// Where the form leads: the page's own path.
    pub action: String,
    /// Who is signed in.
    pub user: String,
    /// What was typed before.
    pub user_code: String,
    pub problem: Option<DeviceCodeProblem>,
}

/// Why the form is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceCodeProblem {
    /// No device waits with this code.
    Unknown,
    /// Too many wrong codes; tried again later it may work.
    Throttled { seconds: u32 },
}

/// The question. The form posts `decision` = `allow` or `deny`, `user-code` and `csrf`; or `action` = `switch` for
/// another account.
#[derive(Clone, Default, Serialize)]
pub struct DeviceConfirmView {
    pub frame: Frame,
    pub client: ClientView,
    pub action: String,
    pub csrf: String,
    /// As the device shows it: the person compares (RFC 8628 §3.3.1).
    pub user_code: String,
    pub user: String,
    pub scopes: Vec<ScopeView>,
    /// What the tokens are to be for; empty when the device named nothing.
    pub resources: Vec<ResourceView>,
    pub warnings: Vec<ConsentWarning>,
}

/// What is shown after the answer.
#[derive(Clone, Default, Serialize)]
pub struct DeviceAnsweredView {
    pub frame: Frame,
    pub client: ClientView,
    pub allowed: bool,
}

/// The page with the field as HTML.
pub fn device(view: &DeviceView, lang: Lang) -> String {
    template::render("device.html", lang, view)
}

/// The question as HTML.
pub fn device_confirm(view: &DeviceConfirmView, lang: Lang) -> String {
    template::render("device_confirm.html", lang, view)
}

/// The end as HTML; `id=device-allowed` or `id=device-denied`.
pub fn device_answered(view: &DeviceAnsweredView, lang: Lang) -> String {
    template::render("device_answered.html", lang, view)
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;

    fn count(html: &str, selector: &str) -> usize {
        Html::parse_document(html).select(&Selector::parse(selector).expect("a selector")).count()
    }

    fn question() -> DeviceConfirmView {
        DeviceConfirmView {
            client: ClientView { name: "Acme TV".to_owned(), ..ClientView::default() },
            action: "/t/a/device".to_owned(),
            csrf: "c5rf".to_owned(),
            user_code: "WDJB-MJHT".to_owned(),
            user: "ada".to_owned(),
            scopes: vec![ScopeView { name: "profile".to_owned(), ..ScopeView::default() }],
            ..DeviceConfirmView::default()
        }
    }

    #[test]
    fn the_html_contract_holds() {
        let view = DeviceView { action: "/t/a/device".to_owned(), ..DeviceView::default() };
        let html = device(&view, Lang::En);
        for selector in [
            "form#device-form[method=get][action='/t/a/device']",
            "#device-form input#user-code[name=user-code][required]",
            "#device-form button#device-submit[type=submit]",
        ] {
            assert_eq!(count(&html, selector), 1, "{selector} in {html}");
        }
        assert_eq!(count(&html, "#device-problem"), 0);
        let html = device_confirm(&question(), Lang::En);
        for selector in [
            "form#device-confirm-form[method=post][action='/t/a/device']",
            "#device-confirm-form button#device-allow[name=decision][value=allow]",
            "#device-confirm-form button#device-deny[name=decision][value=deny]",
            "#device-confirm-form button[name=action][value=switch]",
            "#device-confirm-form input[type=hidden][name=csrf][value=c5rf]",
            "#device-confirm-form input[type=hidden][name=user-code][value=WDJB-MJHT]",
            "#device-code",
            "[data-scope=profile]",
        ] {
            assert_eq!(count(&html, selector), 1, "{selector} in {html}");
        }
    }

    #[test]
    fn dev_06_the_question_names_client_code_and_danger() {
        let html = device_confirm(&question(), Lang::En);
        for text in ["Acme TV", "WDJB-MJHT", "ada", "See your profile", "only if"] {
            assert!(html.contains(text), "{text} in {html}");
        }
    }

    #[test]
    fn a_problem_is_told_to_everybody_and_what_was_typed_stays() {
        for problem in [DeviceCodeProblem::Unknown, DeviceCodeProblem::Throttled { seconds: 300 }] {
            let view =
                DeviceView { user_code: "WDJB".to_owned(), problem: Some(problem), ..DeviceView::default() };
            let html = device(&view, Lang::En);
            assert_eq!(count(&html, "#device-problem[role=alert]"), 1);
            assert_eq!(count(&html, "#user-code[value=WDJB][aria-describedby=device-problem]"), 1);
        }
    }

    #[test]
    fn each_answer_has_its_end() {
        let end = |allowed| device_answered(&DeviceAnsweredView { allowed, ..Default::default() }, Lang::En);
        assert_eq!((count(&end(true), "#device-allowed"), count(&end(true), "#device-denied")), (1, 0));
        assert_eq!((count(&end(false), "#device-allowed"), count(&end(false), "#device-denied")), (0, 1));
    }
}

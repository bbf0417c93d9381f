//! The login page, `/{tid}/{aid}/login`.

use serde::Serialize;

use super::template;
use super::{ClientView, Frame, Lang};

/// The login page. It has no place for a password: what was typed is never sent back (CWE-549).
///
/// The form posts `username`, `password`, `csrf`, `resume`, `remember_me` if that was chosen, and `action` = `cancel` when
/// the person goes back instead.
#[derive(Clone, Default, Serialize)]
pub struct LoginView {
    pub frame: Frame,
    /// `None` when a person signs in without a client (a session page).
    pub client: Option<ClientView>,
    /// Where the form posts: the page's own path and query.
    pub action: String,
    pub csrf: String,
    /// The signed token that lets a stale page find its way back.
    pub resume: String,
    /// What was typed before, or `login_hint` (OIDC Core §3.1.2.1).
    pub username: String,
    pub problem: Option<LoginProblem>,
    /// Whether the session was to outlive the browser.
    pub remember_me: bool,
    /// Whether the way back to the client is offered.
    pub can_cancel: bool,
    /// A published account to try, in the demonstration only.
    pub sample: Option<SampleAccount>,
}

/// An account of the demonstration whose password is printed everywhere.
#[derive(Clone, Default, Serialize)]
pub struct SampleAccount {
    pub username: String,
    pub password: String,
}

/// Why the form is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginProblem {
    /// Unknown user or wrong password: one message for both.
    Credentials,
    /// A field was left empty.
    Missing,
    /// Too many failures; tried again then it may work.
    Throttled { seconds: u32 },
    /// The form before it was made for an earlier session.
    Stale,
    /// No identity provider is switched on: there is nothing to type.
    Closed,
}

/// The page as HTML.
pub fn login(view: &LoginView, lang: Lang) -> String {
    template::render("login.html", lang, view)
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;

    fn view() -> LoginView {
        LoginView {
            client: Some(ClientView {
                name: "Acme Notes".to_owned(),
                logo_uri: Some("https://acme.example/logo.png".to_owned()),
                policy_uri: Some("https://acme.example/privacy".to_owned()),
                tos_uri: Some("https://acme.example/terms".to_owned()),
                ..ClientView::default()
            }),
            action: "/default/default/login?login_id=abc&x=1".to_owned(),
            csrf: "c5rf".to_owned(),
            resume: "r35ume".to_owned(),
            can_cancel: true,
            ..LoginView::default()
        }
    }

    const PROBLEMS: [LoginProblem; 5] = [
        LoginProblem::Closed,
        LoginProblem::Credentials,
        LoginProblem::Missing,
        LoginProblem::Throttled { seconds: 40 },
        LoginProblem::Stale,
    ];

    fn count(html: &str, selector: &str) -> usize {
        Html::parse_document(html).select(&Selector::parse(selector).expect("a selector")).count()
    }

    #[test]
    fn the_html_contract_holds() {
        let html = login(&view(), Lang::En);
        for selector in [
            "form#login-form[method=post][action='/default/default/login?login_id=abc&x=1']",
            "#login-form input#username[name=username][autocomplete=username]",
            "#login-form input#password[name=password][type=password][autocomplete=current-password]",
            "#login-form button#login-submit[type=submit]",
            "#login-form input[type=hidden][name=csrf][value=c5rf]",
            "#login-form input[type=hidden][name=resume][value=r35ume]",
            "#login-form button[name=action][value=cancel][formnovalidate]",
            "img#client-logo[src='https://acme.example/logo.png']",
            "a#client-policy[href='https://acme.example/privacy']",
            "a#client-tos[href='https://acme.example/terms']",
        ] {
            assert_eq!(count(&html, selector), 1, "{selector} in {html}");
        }
        assert!(html.contains("Acme Notes"), "{html}");
    }

    #[test]
    fn enter_in_a_field_signs_in_and_does_not_cancel() {
        let html = login(&view(), Lang::En);
        let submit = html.find("login-submit").expect("submit");
        assert!(
            submit < html.find("login-cancel").expect("cancel"),
            "the first submit button is the default one"
        );
    }

    #[test]
    fn the_first_empty_field_has_the_focus() {
        assert_eq!(count(&login(&view(), Lang::En), "#username[autofocus]"), 1);
        let html = login(&LoginView { username: "user".to_owned(), ..view() }, Lang::En);
        assert_eq!(count(&html, "#password[autofocus]"), 1);
        assert_eq!(count(&html, "#username[autofocus]"), 0);
    }

    #[test]
    fn lgn_11_the_user_name_is_kept_and_the_password_never_echoed() {
        for problem in PROBLEMS {
            let view = LoginView { username: "user".to_owned(), problem: Some(problem), ..view() };
            let html = login(&view, Lang::En);
            assert_eq!(count(&html, "#password[value]"), 0);
            assert_eq!(count(&html, "#login-problem[role=alert]"), 1);
            if problem == LoginProblem::Closed {
                continue;
            }
            assert_eq!(count(&html, "#username[value=user]"), 1);
            assert_eq!(count(&html, "#username[aria-describedby=login-problem]"), 1);
            assert_eq!(count(&html, "#password[aria-describedby=login-problem]"), 1);
        }
    }

    /// Nothing to type where nobody logs in, and a way back all the same.
    #[test]
    fn a_closed_login_has_no_form_but_the_way_back() {
        let closed = LoginView { problem: Some(LoginProblem::Closed), ..view() };
        let html = login(&closed, Lang::En);
        assert_eq!(count(&html, "#login-form, #username, #password, #login-submit"), 0);
        for part in
            ["input[name=csrf][value=c5rf]", "input[name=resume]", "button[name=action][value=cancel]"]
        {
            assert_eq!(count(&html, &format!("form#login-cancel-form[method=post] {part}")), 1, "{part}");
        }
        let alone = login(&LoginView { can_cancel: false, ..closed }, Lang::En);
        assert_eq!(count(&alone, "form"), 0);
    }

    #[test]
    fn each_problem_has_its_own_words() {
        let alert = |problem| {
            let html =
                Html::parse_document(&login(&LoginView { problem: Some(problem), ..view() }, Lang::En));
            let alert = Selector::parse("#login-problem").expect("a selector");
            html.select(&alert).flat_map(|alert| alert.text()).collect::<String>()
        };
        let mut texts = PROBLEMS.map(alert);
        texts.sort();
        assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
    }

    #[test]
    fn the_time_to_wait_is_named_in_seconds_and_then_in_minutes() {
        let says = |seconds, lang, text: &str| {
            let problem = Some(LoginProblem::Throttled { seconds });
            let html = login(&LoginView { problem, ..view() }, lang);
            assert!(html.contains(text), "{text}: {html}");
        };
        says(1, Lang::En, "Try again in one second.");
        says(40, Lang::En, "Try again in 40 seconds.");
        says(121, Lang::En, "Try again in 3 minutes.");
        says(900, Lang::En, "Try again in 15 minutes.");
        says(40, Lang::De, "in 40 Sekunden");
        says(900, Lang::De, "in 15 Minuten");
    }
}

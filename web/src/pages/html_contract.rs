//! What holds for every page, whoever named the client: well-formed, accessible at its bones, and nothing that runs.

use scraper::{Html, Selector};

use super::consent::{ConsentView, ConsentWarning, Destination, ScopeView, consent};
use super::error::{DeveloperView, ErrorView, error};
use super::login::{LoginProblem, LoginView, login};
use super::{ClientView, Frame, Lang};

/// Strings that would run, close, or rewrite something if they were not escaped.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></textarea></style><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "a\u{202e}b\0c\r\nd",
];

/// Every page with `text` wherever foreign text can stand.
pub(super) fn pages(text: &str, lang: Lang) -> Vec<(&'static str, String)> {
    let s = || text.to_owned();
    let client = ClientView {
        name: s(),
        logo_uri: Some(s()),
        client_uri: Some(s()),
        policy_uri: Some(s()),
        tos_uri: Some(s()),
    };
    let frame = Frame { workspace_name: Some(s()), demonstration: true };
    let scope = |name: &str, words: bool| ScopeView {
        name: name.to_owned(),
        display_name: words.then(s),
        description: words.then(s),
        granted: words,
    };
    let consent_view = ConsentView {
        frame: frame.clone(),
        client: client.clone(),
        action: s(),
        csrf: s(),
        resume: s(),
        user: s(),
        scopes: vec![scope(text, false), scope(text, true), scope("openid", false)],
        destination: Destination::Host(s()),
        warnings: vec![ConsentWarning::Unverified, ConsentWarning::MetadataDocument { host: s() }],
    };
    vec![
        (
            "login",
            login(
                &LoginView {
                    frame: frame.clone(),
                    client: Some(client.clone()),
                    action: s(),
                    csrf: s(),
                    resume: s(),
                    username: s(),
                    problem: Some(LoginProblem::Credentials),
                    can_cancel: true,
                },
                lang,
            ),
        ),
        ("consent", consent(&consent_view, lang)),
        (
            "consent with a scheme",
            consent(&ConsentView { destination: Destination::CustomScheme(s()), ..consent_view }, lang),
        ),
        (
            "error",
            error(
                &ErrorView {
                    frame,
                    error: s(),
                    description: s(),
                    trace_id: s(),
                    client: Some(client),
                    restart: Some(s()),
                    developer: Some(DeveloperView {
                        received: Some(s()),
                        expected: Some(s()),
                        rule: Some(s()),
                        clause: Some(s()),
                        fix: Some(s()),
                    }),
                },
                lang,
            ),
        ),
    ]
}

fn every_page(check: impl Fn(&str, &Html)) {
    for lang in Lang::ALL {
        for text in HOSTILE.iter().chain(&["Acme"]) {
            for (name, html) in pages(text, *lang) {
                check(&format!("{name} ({}) with {text:?}", lang.tag()), &Html::parse_document(&html));
            }
        }
    }
}

fn select(selector: &str) -> Selector {
    Selector::parse(selector).expect("a selector")
}

#[test]
fn web_11_web_12_web_16_dev_13_foreign_text_stays_text() {
    every_page(|page, html| {
        for element in html.select(&select("*")) {
            let name = element.value().name();
            assert!(!matches!(name, "svg" | "style" | "iframe" | "object" | "base"), "{page}: <{name}>");
            for (attribute, _) in element.value().attrs() {
                assert!(!attribute.starts_with("on"), "{page}: {attribute} on <{name}>");
                assert!(attribute != "style", "{page}: style on <{name}>");
            }
        }
        assert_eq!(html.select(&select("script")).count(), 0, "{page}: a script");
        let text: String = html.select(&select("main")).flat_map(|main| main.text()).collect();
        assert!(!text.contains("49"), "{page}: an expression was evaluated");
    });
}

#[test]
fn web_11_no_link_runs_script() {
    every_page(|page, html| {
        for link in html.select(&select("a")) {
            let href = link.value().attr("href").unwrap_or_default();
            let own = matches!(link.value().id(), Some("error-restart"));
            assert!(own || !href.trim().to_ascii_lowercase().starts_with("javascript"), "{page}: {href}");
        }
    });
}

#[test]
fn web_11_a_hostile_name_is_shown_as_it_is() {
    for (page, html) in pages("<script>alert(1)</script>", Lang::En) {
        let html = Html::parse_document(&html);
        let text: String = html.root_element().text().collect();
        assert!(text.contains("<script>alert(1)</script>"), "{page}");
    }
}

#[test]
fn web_08_nothing_is_loaded_from_another_host() {
    every_page(|page, html| {
        for element in html.select(&select("[src], link[href], [srcset], [poster], [data]")) {
            let source = element.value().attr("src").or(element.value().attr("href")).unwrap_or_default();
            assert!(source.starts_with("/static/"), "{page}: {source}");
        }
    });
}

#[test]
fn direction_overrides_do_not_reach_headings() {
    for (page, html) in pages("a\u{202e}b", Lang::En) {
        let html = Html::parse_document(&html);
        for heading in html.select(&select("title, h1, h2, .place, .lead:not([lang])")) {
            let text: String = heading.text().collect();
            assert!(!text.contains('\u{202e}'), "{page}: {text:?}");
        }
    }
}

#[test]
fn every_page_has_its_bones() {
    every_page(|page, html| {
        let root = html.root_element();
        assert!(matches!(root.value().attr("lang"), Some("en" | "de")), "{page}");
        assert_eq!(root.value().attr("dir"), Some("ltr"), "{page}");
        assert_eq!(html.select(&select("h1")).count(), 1, "{page}: one heading");
        assert_eq!(html.select(&select("main")).count(), 1, "{page}: one main");
        let title: String = html.select(&select("title")).flat_map(|title| title.text()).collect();
        assert!(!title.trim().is_empty(), "{page}: a title");
        let mut ids: Vec<&str> =
            html.select(&select("[id]")).filter_map(|element| element.value().id()).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "{page}: an id twice");
    });
}

#[test]
fn every_field_has_a_label_and_every_form_its_csrf_token() {
    every_page(|page, html| {
        for input in html.select(&select("input:not([type=hidden])")) {
            let id = input.value().id().expect("an input with an id");
            assert_eq!(html.select(&select(&format!("label[for={id}]"))).count(), 1, "{page}: {id}");
        }
        for form in html.select(&select("form[method=post]")) {
            assert_eq!(form.select(&select("input[type=hidden][name=csrf]")).count(), 1, "{page}");
        }
    });
}

#[test]
fn pages_render_in_german() {
    let html = login(&LoginView::default(), Lang::De);
    assert!(html.contains("<html lang=\"de\" dir=\"ltr\">"), "{html}");
    assert!(html.contains("Kennwort") && html.contains("Anmelden"), "{html}");
}

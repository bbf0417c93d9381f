//! What holds for every page, whoever named the client: well-formed, accessible at its bones, and nothing that runs.

use scraper::{Html, Selector};

use super::consent::{ConsentView, ConsentWarning, Destination, ResourceView, ScopeView, consent};
use super::demo::*;
use super::device::*;
use super::error::{self, DeveloperView, ErrorView, error};
use super::form_post::{self, FormPostView, form_post};
use super::landing::{CredentialKind, CredentialView, LandingView, WorkspaceView, landing};
use super::login::{LoginProblem, LoginView, SampleAccount, login};
use super::logout::{LoggedOutView, LogoutView, logged_out, logout};
use super::not_found::{NotFoundView, not_found};
use super::select_account::{AccountView, SelectAccountView, select_account};
use super::sessions::{SessionView, SessionsView, sessions};
use super::{ClientView, Frame, Lang, Place, PlaceKind};

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
fn pages(text: &str, lang: Lang) -> Vec<(&'static str, String)> {
    let foreign = Foreign(text);
    let consent_view = foreign.consent();
    let scheme = ConsentView { destination: Destination::CustomScheme(foreign.s()), ..consent_view.clone() };
    vec![
        ("login", login(&foreign.login(), lang)),
        ("consent", consent(&consent_view, lang)),
        ("consent with a scheme", consent(&scheme, lang)),
        ("select account", select_account(&foreign.select_account(), lang)),
        ("error", error(&foreign.error(), lang)),
        ("logout", logout(&foreign.logout(), lang)),
        ("logged out", logged_out(&foreign.logged_out(), lang)),
        ("sessions", sessions(&foreign.sessions(), lang)),
        ("not found", not_found(&foreign.not_found(), lang)),
        ("landing", landing(&foreign.landing(), lang)),
        ("demo", demo(&foreign.demo(), lang)),
        ("demo result", demo_result(&foreign.demo_result(), lang)),
        ("device", device(&foreign.device(), lang)),
        ("device question", device_confirm(&foreign.device_confirm(), lang)),
        ("device answered", device_answered(&foreign.device_answered(), lang)),
        ("form post", form_post(&foreign.form_post(), lang)),
    ]
}

/// View models full of one foreign text.
struct Foreign<'a>(&'a str);

impl Foreign<'_> {
    fn s(&self) -> String {
        self.0.to_owned()
    }

    fn some(&self) -> Option<String> {
        Some(self.s())
    }

    fn frame(&self) -> Frame {
        Frame { workspace_name: self.some(), demonstration: true }
    }

    fn client(&self) -> ClientView {
        ClientView {
            name: self.s(),
            logo_uri: self.some(),
            client_uri: self.some(),
            policy_uri: self.some(),
            tos_uri: self.some(),
        }
    }

    fn login(&self) -> LoginView {
        LoginView {
            frame: self.frame(),
            client: Some(self.client()),
            action: self.s(),
            csrf: self.s(),
            resume: self.s(),
            username: self.s(),
            problem: Some(LoginProblem::Credentials),
            remember_me: true,
            can_cancel: true,
            sample: Some(SampleAccount { username: self.s(), password: self.s() }),
        }
    }

    fn consent(&self) -> ConsentView {
        let scope = |name: &str, words: bool| ScopeView {
            name: name.to_owned(),
            display_name: words.then(|| self.s()),
            description: words.then(|| self.s()),
            granted: words,
        };
        ConsentView {
            frame: self.frame(),
            client: self.client(),
            action: self.s(),
            csrf: self.s(),
            resume: self.s(),
            outdated: true,
            user: self.s(),
            scopes: vec![scope(self.0, false), scope(self.0, true), scope("openid", false)],
            resources: vec![ResourceView { name: self.some(), host: self.s() }],
            destination: Destination::Host(self.s()),
            warnings: vec![ConsentWarning::Unverified, ConsentWarning::MetadataDocument { host: self.s() }],
        }
    }

    fn device(&self) -> DeviceView {
        DeviceView {
            frame: self.frame(),
            action: self.s(),
            user: self.s(),
            user_code: self.s(),
            problem: Some(DeviceCodeProblem::Unknown),
        }
    }

    fn device_confirm(&self) -> DeviceConfirmView {
        let ConsentView { scopes, resources, warnings, .. } = self.consent();
        DeviceConfirmView {
            frame: self.frame(),
            client: self.client(),
            action: self.s(),
            csrf: self.s(),
            user_code: self.s(),
            user: self.s(),
            scopes,
            resources,
            warnings,
        }
    }

    fn device_answered(&self) -> DeviceAnsweredView {
        DeviceAnsweredView { frame: self.frame(), client: self.client(), allowed: true }
    }

    fn select_account(&self) -> SelectAccountView {
        SelectAccountView {
            frame: self.frame(),
            client: self.client(),
            action: self.s(),
            csrf: self.s(),
            resume: self.s(),
            outdated: true,
            accounts: vec![AccountView { id: self.s(), name: self.s(), detail: self.some() }],
        }
    }

    fn error(&self) -> ErrorView {
        ErrorView {
            frame: self.frame(),
            reason: self.s(),
            error: self.s(),
            description: self.s(),
            trace_id: self.s(),
            address: self.some(),
            client: Some(self.client()),
            go_on: self.some(),
            restart: None,
            sign_out: None,
            developer: Some(DeveloperView {
                received: self.some(),
                expected: self.some(),
                reason: self.some(),
                clause: self.some(),
                fix: self.some(),
            }),
        }
    }

    fn logout(&self) -> LogoutView {
        LogoutView {
            frame: self.frame(),
            action: self.s(),
            csrf: self.s(),
            resume: self.s(),
            outdated: true,
            user: self.some(),
            client: Some(self.client()),
            sessions: Some("/t/a/sessions".to_owned()),
        }
    }

    fn logged_out(&self) -> LoggedOutView {
        let client = Some(self.client());
        LoggedOutView { frame: self.frame(), logged_out: true, client, ..LoggedOutView::default() }
    }

    fn sessions(&self) -> SessionsView {
        let session = |current| SessionView {
            id: self.s(),
            browser: self.some(),
            system: self.some(),
            last_used: self.s(),
            ip_address: self.some(),
            current,
        };
        SessionsView {
            frame: self.frame(),
            action: self.s(),
            csrf: self.s(),
            outdated: true,
            user: self.some(),
            sessions: vec![session(true), session(false)],
        }
    }

    fn not_found(&self) -> NotFoundView {
        NotFoundView { frame: self.frame(), path: self.s(), trace_id: self.s(), ..NotFoundView::default() }
    }

    fn landing(&self) -> LandingView {
        let path = || "/default/default/demo".to_owned();
        LandingView {
            frame: self.frame(),
            tenant: self.some(),
            places: vec![Place { kind: PlaceKind::Demo, href: path() }],
            credentials: vec![CredentialView {
                kind: CredentialKind::Client,
                id: self.s(),
                secret: self.some(),
                workspace: self.s(),
            }],
            workspaces: vec![WorkspaceView {
                id: self.s(),
                name: self.s(),
                issuer: self.s(),
                discovery: path(),
                demo: Some(path()),
            }],
            next_page: Some(path()),
        }
    }

    fn exchanges(&self) -> Vec<ExchangeView> {
        vec![ExchangeView {
            kind: ExchangeKind::Token,
            method: self.s(),
            url: self.s(),
            request_headers: vec![(self.s(), self.s())],
            request_body: self.some(),
            status: 200,
            response_headers: vec![(self.s(), self.s())],
            response_body: self.some(),
            open: true,
        }]
    }

    fn problem(&self) -> Option<DemoProblem> {
        Some(DemoProblem { error: self.s(), description: self.some() })
    }

    fn demo(&self) -> DemoView {
        DemoView {
            frame: self.frame(),
            action: self.s(),
            csrf: self.s(),
            client_id: self.s(),
            redirect_uri: self.s(),
            scope: self.s(),
            problem: self.problem(),
            exchanges: self.exchanges(),
        }
    }

    fn demo_result(&self) -> DemoResultView {
        let token =
            |kind| TokenView { kind, header: self.some(), claims: self.some(), verified_by: self.some() };
        DemoResultView {
            frame: self.frame(),
            action: self.s(),
            csrf: self.s(),
            subject: self.s(),
            actions: vec![DemoAction::Refresh, DemoAction::SignOut],
            tokens: vec![token(TokenKind::IdToken), token(TokenKind::AccessToken)],
            exchanges: self.exchanges(),
            problem: self.problem(),
        }
    }

    fn form_post(&self) -> FormPostView {
        FormPostView {
            frame: self.frame(),
            redirect_uri: self.s(),
            parameters: vec![("state".to_owned(), self.s()), (self.s(), self.s())],
            client: self.s(),
        }
    }
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
        for script in html.select(&select("script")) {
            let (own, attributes) = match page {
                page if page.starts_with("form post") => (form_post::SCRIPT, &[][..]),
                page if page.starts_with("error") => (error::SCRIPT, &["data-address"][..]),
                page => panic!("{page}: a script"),
            };
            assert_eq!(script.inner_html(), own, "{page}");
            let names: Vec<_> = script.value().attrs().map(|(name, _)| name).collect();
            assert_eq!(names, attributes, "{page}");
        }
        let text: String = html.select(&select("main")).flat_map(|main| main.text()).collect();
        assert!(!text.contains("49"), "{page}: an expression was evaluated");
    });
}

#[test]
fn web_11_no_link_runs_script() {
    every_page(|page, html| {
        for link in html.select(&select("a")) {
            let href = link.value().attr("href").unwrap_or_default();
            let known = ["/", "#main", "https://"].iter().any(|start| href.starts_with(start));
            assert!(known, "{page}: {href}");
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
    assert!(!include_str!("../../assets/postern.css").contains("url("));
    assert!(!include_str!("../../assets/postern.css").contains("@import"));
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
        for form in html.select(&select("form[method=post]:not(#form-post)")) {
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

//! The consent page, `/{tid}/{aid}/consent`.

use serde::Serialize;

use super::template;
use super::{ClientView, Frame, Lang};

/// The consent page: who asks for what, and where the answer goes.
///
/// The form posts `decision` = `allow` or `deny`, `csrf`, `resume`; or `action` = `switch` for another account.
#[derive(Clone, Default, Serialize)]
pub struct ConsentView {
    pub frame: Frame,
    pub client: ClientView,
    /// Where the form posts: the page's own path and query.
    pub action: String,
    pub csrf: String,
    pub resume: String,
    /// Whether the form before it was made for an earlier session.
    pub outdated: bool,
    /// Who is signed in, as that person knows it: user name or mail address.
    pub user: String,
    pub scopes: Vec<ScopeView>,
    /// What the tokens are to be for; empty when the request named nothing.
    pub resources: Vec<ResourceView>,
    pub destination: Destination,
    pub warnings: Vec<ConsentWarning>,
}

/// One scope that is asked for.
#[derive(Clone, Default, Serialize)]
pub struct ScopeView {
    pub name: String,
    /// From the scope's document; standard scopes have words of their own in every language.
    pub display_name: Option<String>,
    pub description: Option<String>,
    /// Whether the person already allowed it.
    pub granted: bool,
}

/// An API that tokens are asked for (RFC 8707 §2).
#[derive(Clone, Default, Serialize)]
pub struct ResourceView {
    /// From its document.
    pub name: Option<String>,
    /// Host of its identifier, or the identifier itself where it has none.
    pub host: String,
}

/// Where the answer will be sent, as far as a person needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// A host, with its port when it is not the scheme's own.
    Host(String),
    /// An application on the same computer (RFC 8252 §7.3).
    Loopback { port: Option<u16> },
    /// An application that claimed the scheme (RFC 8252 §7.1).
    CustomScheme(String),
}

impl Default for Destination {
    fn default() -> Destination {
        Destination::Host(String::new())
    }
}

/// What a person should know before allowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentWarning {
    /// The client registered itself; nobody checked its name.
    Unverified,
    /// The client is known only by a document on this host.
    MetadataDocument { host: String },
    /// Another application could answer in this client's place (RFC 8252 §8.6).
    NativeApplication,
}

/// The page as HTML.
pub fn consent(view: &ConsentView, lang: Lang) -> String {
    template::render("consent.html", lang, view)
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;

    fn view() -> ConsentView {
        ConsentView {
            client: ClientView { name: "Acme Notes".to_owned(), ..ClientView::default() },
            action: "/default/default/consent?login_id=abc".to_owned(),
            csrf: "c5rf".to_owned(),
            resume: "r35ume".to_owned(),
            user: "user@example.com".to_owned(),
            scopes: vec![
                ScopeView { name: "openid".to_owned(), granted: true, ..ScopeView::default() },
                ScopeView { name: "profile".to_owned(), ..ScopeView::default() },
                ScopeView {
                    name: "notes.read".to_owned(),
                    display_name: Some("Read your notes".to_owned()),
                    ..ScopeView::default()
                },
            ],
            destination: Destination::Host("acme.example".to_owned()),
            ..ConsentView::default()
        }
    }

    fn text(view: &ConsentView, selector: &str) -> String {
        let html = Html::parse_document(&consent(view, Lang::En));
        let selector = Selector::parse(selector).expect("a selector");
        html.select(&selector).flat_map(|element| element.text()).collect()
    }

    #[test]
    fn the_html_contract_holds() {
        let html = Html::parse_document(&consent(&view(), Lang::En));
        for selector in [
            "form#consent-form[method=post][action='/default/default/consent?login_id=abc']",
            "#consent-form button#consent-allow[name=decision][value=allow]",
            "#consent-form button#consent-deny[name=decision][value=deny]",
            "#consent-form button[name=action][value=switch]",
            "#consent-form input[type=hidden][name=csrf][value=c5rf]",
            "#consent-form input[type=hidden][name=resume][value=r35ume]",
        ] {
            assert_eq!(html.select(&Selector::parse(selector).expect("a selector")).count(), 1, "{selector}");
        }
    }

    #[test]
    fn scopes_are_shown_in_plain_words_and_granted_ones_marked() {
        let scopes = text(&view(), ".scopes");
        assert!(scopes.contains("See your profile") && scopes.contains("Read your notes"), "{scopes}");
        assert!(text(&view(), "[data-scope=openid]").contains("Already allowed"));
        assert!(!text(&view(), "[data-scope=profile]").contains("Already allowed"));
    }

    #[test]
    fn the_destination_is_named() {
        let at = |destination| text(&ConsentView { destination, ..view() }, "#consent-destination");
        assert_eq!(at(Destination::Host("acme.example:8443".to_owned())), "acme.example:8443");
        assert_eq!(
            at(Destination::Loopback { port: Some(8080) }),
            "an application on this computer (port 8080)"
        );
        assert_eq!(at(Destination::Loopback { port: None }), "an application on this computer");
        assert_eq!(
            at(Destination::CustomScheme("acme".to_owned())),
            "the application that opens “acme:” links"
        );
    }

    #[test]
    fn who_is_signed_in_and_every_warning_is_shown() {
        let host = "app.example".to_owned();
        let warnings = vec![
            ConsentWarning::Unverified,
            ConsentWarning::MetadataDocument { host },
            ConsentWarning::NativeApplication,
        ];
        let view = ConsentView { warnings, ..view() };
        assert!(text(&view, ".account").contains("user@example.com"));
        let notices = text(&view, ".notice-warning");
        assert!(notices.contains("Nobody has checked") && notices.contains("app.example"), "{notices}");
        assert!(notices.contains("could pretend"), "{notices}");
    }

    #[test]
    fn rfc8707_2_the_resources_are_named_where_there_are_some() {
        assert_eq!(text(&view(), "#consent-resources"), "");
        let resources = vec![
            ResourceView { name: Some("Notes <b>API</b>".to_owned()), host: "notes.example".to_owned() },
            ResourceView { name: None, host: "mcp.example:8443".to_owned() },
        ];
        let shown = text(&ConsentView { resources, ..view() }, "#consent-resources");
        for part in ["Notes <b>API</b>", "notes.example", "mcp.example:8443"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}

//! The demonstration's relying party, `/{tid}/{aid}/demo`.

use serde::Serialize;

use super::template;
use super::{Frame, Lang};

/// The page before the flow. The form posts `action` = `start` and `csrf`.
#[derive(Clone, Default, Serialize)]
pub struct DemoView {
    pub frame: Frame,
    pub action: String,
    pub csrf: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub scope: String,
    /// What the server answered instead of a code.
    pub problem: Option<DemoProblem>,
    /// The requests made so far.
    pub exchanges: Vec<ExchangeView>,
}

/// An error response (RFC 6749 §4.1.2.1, §5.2).
#[derive(Clone, Default, Serialize)]
pub struct DemoProblem {
    pub error: String,
    pub description: Option<String>,
}

/// The page after the flow. The form posts `csrf` and `action` = one of [`DemoView`]'s `start` or of `actions`.
#[derive(Clone, Default, Serialize)]
pub struct DemoResultView {
    pub frame: Frame,
    pub action: String,
    pub csrf: String,
    /// Who signed in, from the ID token.
    pub subject: String,
    pub actions: Vec<DemoAction>,
    pub tokens: Vec<TokenView>,
    /// Every request, in order; the caller has masked secrets.
    pub exchanges: Vec<ExchangeView>,
    pub problem: Option<DemoProblem>,
}

/// What can be tried next; posted as `action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DemoAction {
    Refresh,
    Userinfo,
    Introspect,
    SignOut,
}

/// A token, decoded.
#[derive(Clone, Serialize)]
pub struct TokenView {
    pub kind: TokenKind,
    /// The JOSE header as indented JSON; `None` for an opaque token.
    pub header: Option<String>,
    /// The claims as indented JSON; `None` for an opaque token.
    pub claims: Option<String>,
    /// The `kid` of the published key that the signature was verified with.
    pub verified_by: Option<String>,
}

/// Which token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    IdToken,
    AccessToken,
    RefreshToken,
}

/// A request that was made and what came back.
#[derive(Clone, Serialize)]
pub struct ExchangeView {
    pub kind: ExchangeKind,
    pub method: String,
    pub url: String,
    pub request_headers: Vec<(String, String)>,
    pub request_body: Option<String>,
    /// The status of the answer.
    pub status: u16,
    pub response_headers: Vec<(String, String)>,
    pub response_body: Option<String>,
    /// Whether its details are shown at once: the one that was just made.
    pub open: bool,
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeKind {
    /// The browser was sent to the authorization endpoint.
    Authorize,
    /// The code was exchanged.
    Token,
    Refresh,
    Userinfo,
    Introspect,
    Jwks,
}

/// The page before the flow as HTML.
pub fn demo(view: &DemoView, lang: Lang) -> String {
    template::render("demo.html", lang, view)
}

/// The page after the flow as HTML.
pub fn demo_result(view: &DemoResultView, lang: Lang) -> String {
    template::render("demo_result.html", lang, view)
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;

    fn count(html: &str, selector: &str) -> usize {
        Html::parse_document(html).select(&Selector::parse(selector).expect("a selector")).count()
    }

    #[test]
    fn one_button_starts_the_flow() {
        let html =
            demo(&DemoView { action: "/default/default/demo".to_owned(), ..DemoView::default() }, Lang::En);
        assert_eq!(count(&html, "form#demo-form[method=post][action='/default/default/demo']"), 1);
        assert_eq!(count(&html, "button#demo-start[name=action][value=start]"), 1);
    }

    #[test]
    fn tokens_exchanges_and_actions_are_shown() {
        let exchange = ExchangeView {
            kind: ExchangeKind::Token,
            method: "POST".to_owned(),
            url: "https://localhost:8443/default/default/oauth2/token".to_owned(),
            request_headers: vec![(
                "Content-Type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            )],
            request_body: Some("grant_type=authorization_code".to_owned()),
            status: 200,
            response_headers: vec![("Cache-Control".to_owned(), "no-store".to_owned())],
            response_body: Some("{\n  \"token_type\": \"bearer\"\n}".to_owned()),
            open: true,
        };
        let token = TokenView {
            kind: TokenKind::IdToken,
            header: Some("{\n  \"alg\": \"ES256\"\n}".to_owned()),
            claims: Some("{\n  \"sub\": \"user\"\n}".to_owned()),
            verified_by: Some("key-1".to_owned()),
        };
        let actions =
            vec![DemoAction::Refresh, DemoAction::Userinfo, DemoAction::Introspect, DemoAction::SignOut];
        let view = DemoResultView {
            actions,
            tokens: vec![token],
            exchanges: vec![exchange],
            ..DemoResultView::default()
        };
        let html = demo_result(&view, Lang::En);
        for action in ["refresh", "userinfo", "introspect", "sign_out"] {
            assert_eq!(count(&html, &format!("button[name=action][value={action}]")), 1, "{action}");
        }
        for part in ["ES256", "key-1", "no-store", "grant_type=authorization_code", "oauth2/token"] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(count(&html, "details.exchange[open]"), 1);
    }
}

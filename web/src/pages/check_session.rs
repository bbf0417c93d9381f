//! The page that an application loads in a hidden frame to ask about the session (OIDC Session Management §3.2). It
//! shows nothing: it answers messages, by a script of ours alone.

use super::template;
use super::{Frame, Lang};
use serde::Serialize;

/// Answers `unchanged`, `changed` or `error` to `client_id session_state` (OIDC Session Management §3.2). Browsers give the
/// hash function only to pages that are secure with all that hold them: `https`, and applications on this computer. Inside
/// any other page the answer is `error`. So it is where the browser keeps our cookies back from frames of other sites: `changed`
/// would have the application log in silently, which fails there too, and log people out who are logged in (OIDC Session
/// Management §3.1: after `error` nobody is asked to log in).
pub const SCRIPT: &str = include_str!("check_session.js");

/// What `script-src` of the Content-Security-Policy allows for it, quoted (CSP3 §6.7.3).
pub const SCRIPT_SHA256: &str = "'sha256-9BM0l4ySCH1AgdaABkIl7XxRws9V0luavxoJKtDsrFA='";

/// What the script needs to know.
#[derive(Clone, Default, Serialize)]
pub struct CheckSessionView {
    pub frame: Frame,
    /// Name of the cookie that holds the browser's state here.
    pub cookie: String,
}

/// The page as HTML.
pub fn check_session(view: &CheckSessionView, lang: Lang) -> String {
    template::render("check_session.html", lang, view)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_policy_hash_is_the_script_s_and_the_page_holds_nothing_else() {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SCRIPT.as_bytes());
        assert_eq!(SCRIPT_SHA256, format!("'sha256-{}'", STANDARD.encode(digest)));
        let view = CheckSessionView { cookie: "__Host-\"><b>".to_owned(), ..CheckSessionView::default() };
        let html = check_session(&view, Lang::En);
        assert!(html.contains(&format!("<script>{SCRIPT}</script>")), "{html}");
        assert!(html.contains("data-cookie=\"__Host-&quot;&gt;&lt;b&gt;\""), "{html}");
    }
}

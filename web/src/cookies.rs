//! The two cookies: one binds logins in progress to a browser, one per workspace holds the session's handle.
//!
//! Names begin with `__Host-`, so that no other host, path or plain connection can set them
//! (draft-ietf-httpbis-rfc6265bis §4.1.3.2; attack SES-02). Neither holds any state of a flow.

use engine::{Browser, Workspace};
use http::{HeaderMap, HeaderValue, header};
use protocol::params::Params;
use std::time::Duration;

const BROWSER: &str = "__Host-postern-browser";

/// Longest value that is looked at; handles have 43 characters.
const MAX_VALUE_BYTES: usize = 128;

/// What the cookies of a request say.
pub(crate) fn browser(headers: &HeaderMap, workspace: &Workspace) -> Browser {
    Browser {
        session: cookie(headers, &session_name(workspace)).map(str::to_owned),
        browser: cookie(headers, BROWSER).map(str::to_owned),
    }
}

/// Remembers the browser until it is closed.
pub(crate) fn set_browser(value: &str) -> Option<HeaderValue> {
    set(BROWSER, value, None)
}

/// Remembers the session: until the browser is closed, or for as long as it lives if the person said `remember_me`
/// (contract: the login form).
pub(crate) fn set_session(
    workspace: &Workspace,
    value: &str,
    life: Duration,
    form: &Params,
) -> Option<HeaderValue> {
    let remembered = form.get("remember_me").is_some();
    set(&session_name(workspace), value, remembered.then_some(life))
}

/// Makes the browser forget the session.
pub(crate) fn clear_session(workspace: &Workspace) -> Option<HeaderValue> {
    set(&session_name(workspace), "", Some(Duration::ZERO))
}

/// The state of the browser here, for the script of the check_session_iframe: readable by scripts and sent from frames
/// of other sites (OIDC Session Management §4.2). It is derived from the session one way, and opens nothing.
pub(crate) fn set_browser_state(workspace: &Workspace, value: &str) -> Option<HeaderValue> {
    let life = if value.is_empty() { "; Max-Age=0" } else { "" };
    let name = browser_state_name(workspace);
    HeaderValue::try_from(format!("{name}={value}; Path=/; Secure; SameSite=None{life}")).ok()
}

pub(crate) fn browser_state_name(workspace: &Workspace) -> String {
    format!("__Host-postern-state-{}+{}", workspace.tenant, workspace.server.id)
}

/// The value of a cookie. `None` if it is there twice with two values, since nobody can say which is right
/// (attack SES-08), and if it is not made of characters of ours.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // HTTP/2 may split the field into several lines (RFC 9113 §8.2.3).
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(n, _)| n.trim() == name).map(|(_, value)| value.trim());
    let first = values.next()?;
    let unambiguous = values.all(|other| other == first);
    (unambiguous && is_handle(first)).then_some(first)
}

/// A `Set-Cookie` line: not for scripts, not over plain connections, and with requests from other sites only
/// when they navigate the whole page by GET, which is how clients send people here.
pub(crate) fn set(name: &str, value: &str, life: Option<Duration>) -> Option<HeaderValue> {
    let mut line = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax");
    if let Some(life) = life {
        line.push_str(&format!("; Max-Age={}", life.as_secs()));
    }
    HeaderValue::try_from(line).ok()
}

/// One name per workspace, so that logging in here does not log out there. `+` stands in no id, hence no two
/// workspaces share a name.
fn session_name(workspace: &Workspace) -> String {
    format!("__Host-postern-session-{}+{}", workspace.tenant, workspace.server.id)
}

fn is_handle(value: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !value.is_empty() && value.len() <= MAX_VALUE_BYTES && value.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn ses_08_the_same_name_with_two_values_counts_as_none() {
        assert_eq!(cookie(&headers(&["a=1; a=2"]), "a"), None);
        assert_eq!(cookie(&headers(&["a=1", "a=2"]), "a"), None);
        assert_eq!(cookie(&headers(&["a=1; b=2; a=1"]), "a"), Some("1"));
        assert_eq!(cookie(&headers(&["a=1", "b=2"]), "b"), Some("2"), "split by HTTP/2");
    }

    #[test]
    fn ses_08_ses_07_garbage_is_no_cookie_and_hides_none() {
        let garbage = format!("a; =; ==;;; \"; a =; x={}; b=2; c=\"3\"", "=".repeat(9000));
        let headers = headers(&[&garbage]);
        assert_eq!(cookie(&headers, "b"), Some("2"));
        assert_eq!(cookie(&headers, "c"), None, "quotes are not ours");
        assert_eq!(cookie(&headers, "a"), None);
        assert_eq!(cookie(&headers, "x"), None);
        let long = format!("h={}", "a".repeat(MAX_VALUE_BYTES + 1));
        assert_eq!(cookie(&self::headers(&[&long]), "h"), None);
    }

    #[test]
    fn ses_08_many_cookies_take_one_pass() {
        let line = "x=1; ".repeat(6000) + "wanted=abc";
        assert_eq!(cookie(&headers(&[&line]), "wanted"), Some("abc"));
    }

    #[test]
    fn ses_02_cookies_are_host_bound_and_out_of_reach_of_scripts() {
        let line = set("__Host-x", "abc", Some(Duration::from_secs(60))).unwrap();
        assert_eq!(line, "__Host-x=abc; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60");
        assert!(!set("__Host-x", "abc", None).unwrap().to_str().unwrap().contains("Max-Age"));
    }
}

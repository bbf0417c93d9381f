//! The Content-Security-Policy of a page: nothing, but what this page needs (attacks WEB-03, WEB-08).

use http::HeaderValue;

/// What one page needs beyond our own stylesheet and images.
#[derive(Default)]
pub(crate) struct ContentSecurityPolicy {
    /// Origins of client logos.
    pub(crate) images: Vec<String>,
    /// Where a form leads in the end, if not only here: browsers check the redirects after a form, too
    /// (CSP3 §6.4.1).
    pub(crate) form_action: Option<String>,
    /// Hash of the page's own script.
    pub(crate) script: Option<&'static str>,
}

impl ContentSecurityPolicy {
    pub(crate) fn header(&self) -> HeaderValue {
        const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'");
        let mut policy = "default-src 'none'; style-src 'self'; img-src 'self'".to_owned();
        for origin in self.images.iter().filter(|origin| is_source(origin)) {
            policy.push(' ');
            policy.push_str(origin);
        }
        policy.push_str("; form-action 'self'");
        if let Some(origin) = self.form_action.as_deref().filter(|origin| !origin.is_empty()) {
            policy.push(' ');
            policy.push_str(source(origin));
        }
        if let Some(hash) = self.script {
            policy.push_str("; script-src ");
            policy.push_str(hash);
        }
        policy.push_str("; frame-ancestors 'none'; base-uri 'none'");
        HeaderValue::try_from(policy).unwrap_or(NOTHING)
    }
}

/// An origin as a policy can say it. The grammar has no place for IPv6 addresses (CSP3 §2.3.1): for those the
/// scheme must do.
fn source(origin: &str) -> &str {
    if is_source(origin) {
        return origin;
    }
    match origin.split_once(':') {
        Some(("http", _)) => "http:",
        _ => "https:",
    }
}

fn is_source(origin: &str) -> bool {
    origin.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'.' | b'-' | b'_' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form_action(origin: &str) -> String {
        let policy = ContentSecurityPolicy { form_action: Some(origin.to_owned()), ..Default::default() };
        let header = policy.header().to_str().unwrap().to_owned();
        header.split("; ").find(|d| d.starts_with("form-action")).unwrap().to_owned()
    }

    #[test]
    fn web_03_nothing_runs_and_nothing_frames() {
        let policy = ContentSecurityPolicy::default().header();
        assert_eq!(
            policy,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'"
        );
    }

    #[test]
    fn the_form_may_lead_to_the_client_however_it_is_reached() {
        assert_eq!(form_action("https://app.example:8443"), "form-action 'self' https://app.example:8443");
        assert_eq!(form_action("com.example.app:"), "form-action 'self' com.example.app:");
        assert_eq!(form_action("http://[::1]:8080"), "form-action 'self' http:");
        assert_eq!(form_action(""), "form-action 'self'");
    }

    #[test]
    fn web_03_no_value_can_add_a_directive() {
        assert_eq!(form_action("https://a;script-src *"), "form-action 'self' https:");
        let policy = ContentSecurityPolicy {
            images: vec!["https://a; script-src *".to_owned()],
            ..Default::default()
        };
        assert!(!policy.header().to_str().unwrap().contains("script-src"));
    }
}

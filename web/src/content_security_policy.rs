//! The Content-Security-Policy of a page: nothing, but what this page needs (attacks WEB-03, WEB-08).

use http::HeaderValue;

/// What one page needs beyond our own stylesheet and images.
#[derive(Default)]
pub(crate) struct ContentSecurityPolicy {
    /// Origins of client logos.
    pub(crate) images: Vec<String>,
    /// Origin of the client to which a form leads in the end, if it does not only lead here.
    pub(crate) form_action: Option<String>,
    /// Hash of the page's own script.
    pub(crate) script: Option<&'static str>,
    /// Origins of what the page loads in frames.
    pub(crate) frames: Vec<String>,
    /// Whether pages of applications may hold this one in a frame.
    pub(crate) framed: bool,
}

/// Applications live on the web, or on this computer while they are developed.
const FRAMED: &str = "https: http://localhost:* http://127.0.0.1:*";

impl ContentSecurityPolicy {
    pub(crate) fn header(&self) -> HeaderValue {
        const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'");
        let mut policy = "default-src 'none'; style-src 'self'; img-src 'self'".to_owned();
        for origin in self.images.iter().filter(|origin| is_source(origin)) {
            policy.push(' ');
            policy.push_str(origin);
        }
        policy.push_str("; form-action 'self'");
        policy.push_str(&sources(self.form_action.as_deref().unwrap_or_default()));
        if let Some(hash) = self.script {
            policy.push_str("; script-src ");
            policy.push_str(hash);
        }
        let frames: Vec<_> = self.frames.iter().filter(|origin| is_source(origin)).collect();
        if !frames.is_empty() {
            policy.push_str("; frame-src");
            for origin in frames {
                policy.push(' ');
                policy.push_str(origin);
            }
        }
        policy.push_str("; frame-ancestors ");
        policy.push_str(if self.framed { FRAMED } else { "'none'" });
        policy.push_str("; base-uri 'none'");
        HeaderValue::try_from(policy).unwrap_or(NOTHING)
    }
}

/// Where a form may lead that ends at the client of this origin.
///
/// Browsers check every redirect after a form (CSP3 §6.4.1), those of the client included. A client that passes the
/// person on to another host of its own, or a broker to its application, would leave them on a page that does
/// nothing, with the code used up; so the web is allowed beside the client, and this computer for a client there.
fn sources(origin: &str) -> String {
    const LOOPBACK: &str = " http://localhost:* http://127.0.0.1:*";
    match origin.split_once(':') {
        None => String::new(),
        // The grammar has no place for IPv6 addresses (CSP3 §2.3.1): the scheme must do.
        Some(("http", _)) if !is_source(origin) => " http: https:".to_owned(),
        Some(("http", _)) => format!(" {origin} https:{LOOPBACK}"),
        Some(_) if is_source(origin) => format!(" {origin} https:"),
        Some(_) => " https:".to_owned(),
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
    fn frames_are_loaded_from_exactly_the_named_origins() {
        let frames = ["https://app.example", "http://localhost:8080", "https://a; script-src *"];
        let policy =
            ContentSecurityPolicy { frames: frames.map(str::to_owned).to_vec(), ..Default::default() };
        let header = policy.header().to_str().unwrap().to_owned();
        let directive = header.split("; ").find(|d| d.starts_with("frame-src"));
        assert_eq!(directive, Some("frame-src https://app.example http://localhost:8080"));
        assert!(header.contains("frame-ancestors 'none'"));
    }

    #[test]
    fn the_form_may_lead_to_the_client_however_it_is_reached() {
        for (origin, sources) in [
            ("https://app.example:8443", "'self' https://app.example:8443 https:"),
            ("com.example.app:", "'self' com.example.app: https:"),
            (
                "http://localhost:8080",
                "'self' http://localhost:8080 https: http://localhost:* http://127.0.0.1:*",
            ),
            ("http://[::1]:8080", "'self' http: https:"),
            ("", "'self'"),
        ] {
            assert_eq!(form_action(origin), format!("form-action {sources}"));
        }
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

//! The Content-Security-Policy of a page: nothing, but what this page needs (attacks WEB-03, WEB-08).

use http::HeaderValue;

/// What one page needs beyond our own stylesheet and images.
#[derive(Default)]
pub(crate) struct ContentSecurityPolicy {
    /// Origins of client logos.
    pub(crate) images: Vec<String>,
    /// Origins to which a form may lead in the end, that of the verified redirect URI first; none if it only leads here.
    pub(crate) form_action: Vec<String>,
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
        policy.push_str(&sources(&self.form_action));
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

/// The sources for the origins that a form may lead to. On this computer, where applications are developed, the page
/// behind the redirect URI is often on another port. On the web it is often on another host, which no registration names:
/// browsers hold the policy against every redirect after the form, and who is stopped there sits before a dead page with
/// the code used up. What stays forbidden is plain `http` and applications on the device.
fn sources(origins: &[String]) -> String {
    const ANY_HOST: &str = "https:";
    const LOOPBACK: &str = "http://localhost:* http://127.0.0.1:*";
    let mut sources: Vec<&str> = Vec::new();
    for origin in origins {
        match is_source(origin) {
            true => sources.push(origin),
            // The grammar has no place for IPv6 addresses (CSP3 §2.3.1): the scheme must do.
            false if origin.starts_with("http://[") => sources.push("http:"),
            false => {}
        }
    }
    match origins.first() {
        Some(verified) if verified.starts_with("http:") => sources.push(LOOPBACK),
        Some(verified) if verified.starts_with("https:") => sources.push(ANY_HOST),
        _ => {}
    }
    sources.iter().map(|source| format!(" {source}")).collect()
}

fn is_source(origin: &str) -> bool {
    origin.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'.' | b'-' | b'_' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form_action(origins: &[&str]) -> String {
        let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        let policy = ContentSecurityPolicy { form_action: origins, ..Default::default() };
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
    fn web_03_the_form_may_lead_on_by_the_scheme_of_the_redirect_uri_and_no_other() {
        for (origins, sources) in [
            (
                &["https://app.example:8443", "https://www.example"][..],
                "'self' https://app.example:8443 https://www.example https:",
            ),
            (&["com.example.app:"], "'self' com.example.app:"),
            (
                &["http://localhost:8080"],
                "'self' http://localhost:8080 http://localhost:* http://127.0.0.1:*",
            ),
            (&["http://[::1]:8080"], "'self' http: http://localhost:* http://127.0.0.1:*"),
            (
                &["https://app.example", "http://localhost:8080"],
                "'self' https://app.example http://localhost:8080 https:",
            ),
            (&[], "'self'"),
        ] {
            assert_eq!(form_action(origins), format!("form-action {sources}"));
        }
    }

    #[test]
    fn web_03_no_value_can_add_a_directive() {
        assert_eq!(form_action(&["https://a;script-src *"]), "form-action 'self' https:");
        let policy = ContentSecurityPolicy {
            images: vec!["https://a; script-src *".to_owned()],
            ..Default::default()
        };
        assert!(!policy.header().to_str().unwrap().contains("script-src"));
    }
}

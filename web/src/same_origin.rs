//! Whether a form was sent from a page of ours (attacks SES-05, CNS-07), in addition to its anti-forgery value.

use http::request::Parts;
use http::{HeaderMap, header};
use protocol::error::{Reason, Refusal};

/// Refuses a form that another site sent. Says nothing about senders that name no origin: they are not browsers
/// that could be abused, or old ones, and the anti-forgery value protects those.
///
/// # Errors
/// [`Reason::FormForged`].
pub(crate) fn check(head: &Parts, public_url: &str) -> Result<(), Refusal> {
    let headers = &head.headers;
    // Our pages send no referrer; browsers then write `Origin: null` even for a form's own site (Fetch §3.1), so
    // that only Sec-Fetch-Site tells it from a foreign frame's `null`.
    let site = text(headers, "sec-fetch-site");
    let site_is_ours = matches!(site, Some("same-origin" | "none"));
    let forged = match text(headers, header::ORIGIN.as_str()) {
        Some("null") => !site_is_ours,
        Some(origin) => !is_ours(origin, head, public_url) || (site.is_some() && !site_is_ours),
        None => site.is_some() && !site_is_ours,
    };
    let received = || text(headers, header::ORIGIN.as_str()).or(site).unwrap_or_default().to_owned();
    if forged {
        Err(Refusal::new(Reason::FormForged).received(received()).expected(public_url))
    } else {
        Ok(())
    }
}

/// The configured origin, or the one that the request itself went to (a second name of this host, such as
/// `127.0.0.1`): a foreign page cannot choose the `Host` of a browser's request.
fn is_ours(origin: &str, head: &Parts, public_url: &str) -> bool {
    let host = head.uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| text(&head.headers, header::HOST.as_str()));
    origin == public_url || host.is_some_and(|host| origin.strip_prefix("https://") == Some(host))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // Unreadable is not absent.
    headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn sent(headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let mut request = Request::builder().uri("/t/a/login").header("host", "127.0.0.1:8443");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0, "https://localhost:8443")
    }

    #[test]
    fn ses_05_cns_07_forms_of_other_sites_are_refused() {
        for foreign in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://localhost:8443")],
            &[("origin", "https://localhost")],
            &[("origin", "https://localhost:8443.evil.example")],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
            &[("origin", "https://localhost:8443"), ("sec-fetch-site", "cross-site")],
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(sent(foreign).unwrap_err().reason, Reason::FormForged, "{foreign:?}");
        }
    }

    #[test]
    fn our_own_forms_pass_under_every_name_of_this_host() {
        for own in [
            &[("origin", "https://localhost:8443")][..],
            &[("origin", "https://127.0.0.1:8443"), ("sec-fetch-site", "same-origin")],
            &[("origin", "null"), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[],
        ] {
            assert!(sent(own).is_ok(), "{own:?}");
        }
    }
}

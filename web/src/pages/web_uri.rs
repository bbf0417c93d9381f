//! URIs that somebody else registered and that a page would link or embed.

use url::{Host, Url};

/// The URI when it is an absolute `https` or `http` one, so that no `javascript:` or `data:` link reaches a page.
pub(super) fn web_uri(uri: &str) -> Option<&str> {
    let url = Url::parse(uri).ok()?;
    (matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none())
        .then_some(uri)
}

/// The URI when it may be shown as an image: absolute, `https`, and its origin can stand in a policy.
pub(super) fn image_uri(uri: &str) -> Option<&str> {
    image_origin(uri).map(|_| uri)
}

/// The origin of an image that a page embeds, for `img-src` of the Content-Security-Policy; `None` for what is not shown.
///
/// A host name may hold `;` or `,` by the URL standard; in a policy they would start a directive, so such a host is refused.
pub fn image_origin(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let named = match url.host()? {
        Host::Domain(name) => {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    };
    named.then(|| url.origin().ascii_serialization())
}

/// The origins of all images of a page, each once.
pub fn image_origins<'a>(uris: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut origins: Vec<String> = uris.into_iter().filter_map(image_origin).collect();
    origins.sort();
    origins.dedup();
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_images_are_shown() {
        assert_eq!(
            image_origin("https://cdn.example:8443/a.png?x=1").as_deref(),
            Some("https://cdn.example:8443")
        );
        for uri in [
            "http://cdn.example/a.png",
            "data:image/png;base64,AA",
            "//cdn.example/a",
            "a.png",
            "",
            "https://u:p@h/",
        ] {
            assert_eq!(image_origin(uri), None, "{uri}");
        }
    }

    #[test]
    fn web_03_a_logo_host_cannot_add_a_directive() {
        for uri in
            ["https://a;script-src/x", "https://a,b/x", "https://a'b/x", "https://*/x", "https://*.example/x"]
        {
            assert_eq!(image_origin(uri), None, "{uri}");
        }
    }

    #[test]
    fn only_web_links_are_linked() {
        assert!(web_uri("https://example.com/terms").is_some());
        for uri in [
            "javascript:alert(1)",
            " javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "/x",
            "java\nscript:x",
        ] {
            assert_eq!(web_uri(uri), None, "{uri}");
        }
    }
}

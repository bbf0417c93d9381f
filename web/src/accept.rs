//! What the sender of a request would like to read.

use crate::pages::Lang;
use http::{HeaderMap, header};

/// Whether a page is wanted rather than JSON: browsers say `text/html`, programs do not (RFC 9110 §12.5.1).
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case("text/html"))
}

/// The language of a page: `ui_locales` of the request if any, else `Accept-Language`.
pub(crate) fn lang_of(headers: &HeaderMap, ui_locales: Option<&str>) -> Lang {
    let accept_language = headers.get(header::ACCEPT_LANGUAGE).and_then(|line| line.to_str().ok());
    Lang::negotiate(ui_locales, accept_language)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn accepting(line: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(line))])
    }

    #[test]
    fn browsers_get_pages_and_programs_get_json() {
        assert!(wants_html(&accepting("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")));
        assert!(wants_html(&accepting("application/json, Text/HTML;q=0.1")));
        for program in ["*/*", "application/json", "text/htmlx", ""] {
            assert!(!wants_html(&accepting(program)), "{program}");
        }
        assert!(!wants_html(&HeaderMap::new()));
    }
}

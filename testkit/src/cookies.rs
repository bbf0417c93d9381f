//! A browser's cookie jar, as far as one origin needs it (RFC 6265).

use http::{HeaderMap, header};

#[derive(Clone, Default, Debug)]
pub(crate) struct Cookies(Vec<Cookie>);

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    path: String,
}

impl Cookies {
    /// Takes what an answer sets or deletes. Cookies that the browser of a user would refuse fail the test.
    pub(crate) fn receive(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(header::SET_COOKIE) {
            let text = header.to_str().expect("a cookie in ASCII");
            let mut parts = text.split(';').map(str::trim);
            let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("name=value");
            let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
            let attribute = |name: &str| attributes.iter().find_map(|a| a.strip_prefix(name));
            let path = attribute("path=").unwrap_or("/").to_owned();
            if name.starts_with("__Host-") {
                let secure = attributes.iter().any(|a| a == "secure");
                assert!(secure && path == "/" && attribute("domain=").is_none(), "{text}");
            }
            self.0.retain(|known| known.name != name || known.path != path);
            if attribute("max-age=") != Some("0") {
                self.0.push(Cookie { name: name.to_owned(), value: value.to_owned(), path });
            }
        }
    }

    /// The `Cookie` header for a path; empty without cookies.
    pub(crate) fn for_path(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        let fits = |cookie: &&Cookie| path.starts_with(&cookie.path);
        let pairs: Vec<String> =
            self.0.iter().filter(fits).map(|c| format!("{}={}", c.name, c.value)).collect();
        pairs.join("; ")
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|cookie| cookie.name.clone()).collect()
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str())
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|cookie| cookie.name != name);
        self.0.push(Cookie { name: name.to_owned(), value: value.to_owned(), path: "/".to_owned() });
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|cookie| cookie.name != name);
    }
}

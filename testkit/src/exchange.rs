//! One request and its answer.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use serde_json::Value;
use url::Url;

use crate::{DpopKey, Form, Proof};

/// Scheme, host and port under which the test server is known.
pub const ORIGIN: &str = "https://localhost:8443";

/// A request to be sent.
#[derive(Clone)]
pub struct Ask {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Ask {
    /// `path` may be a path with a query, or a whole URL on [`ORIGIN`].
    pub fn new(method: Method, path: &str) -> Self {
        let path = path.strip_prefix(ORIGIN).unwrap_or(path).to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("localhost:8443"));
        Self { method, path, headers, body: Bytes::new() }
    }

    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    /// A POST with a form body.
    pub fn form(path: &str, fields: &[(&str, &str)]) -> Self {
        Self::new(Method::POST, path).body("application/x-www-form-urlencoded", urlencoded(fields))
    }

    /// A request with a JSON body.
    pub fn json(method: Method, path: &str, body: &Value) -> Self {
        Self::new(method, path).body("application/json", body.to_string())
    }

    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body.into();
        self
    }

    /// Adds a header; a second one of the same name stands beside the first.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a header name");
        self.headers.append(name, HeaderValue::try_from(value).expect("a header value"));
        self
    }

    /// Asks for another host than our own.
    pub fn host(mut self, host: &str) -> Self {
        self.headers.insert(header::HOST, HeaderValue::try_from(host).expect("a host"));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// A DPoP proof.
    pub fn proof(self, proof: &Proof) -> Self {
        self.header("dpop", &proof.signed())
    }

    /// An access token that is bound to a key, with a proof of it (RFC 9449 §7.1).
    pub fn dpop(self, token: &str, key: &DpopKey) -> Self {
        let path = self.path.split('?').next().unwrap_or_default().to_owned();
        let proof = key.proof(self.method.as_str(), &path).of_token(token);
        self.header("authorization", &format!("DPoP {token}")).proof(&proof)
    }

    /// HTTP Basic with form-encoded parts (RFC 6749 §2.3.1).
    pub fn basic(self, id: &str, secret: &str) -> Self {
        use base64::Engine as _;
        let encode = |part: &str| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(id), encode(secret));
        let value = base64::engine::general_purpose::STANDARD.encode(pair);
        self.header("authorization", &format!("Basic {value}"))
    }

    pub(crate) fn cookies(self, value: &str) -> Self {
        if value.is_empty() { self } else { self.header("cookie", value) }
    }

    pub(crate) fn into_request(self) -> Request<axum::body::Body> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path.as_str())
            .body(axum::body::Body::from(self.body))
            .expect("a request");
        *request.headers_mut() = self.headers;
        request
    }
}

/// Fields as a query or a form body.
pub fn urlencoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The path with query that was asked.
    pub asked: String,
}

impl Answer {
    /// Asserts the status, showing the answer when it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}\n{:#?}\n{}", self.asked, self.headers, self.text());
        self
    }

    /// Asserts a clean refusal as the OAuth endpoints give it: status, `error`, an explanation, no token.
    #[track_caller]
    pub fn expect_error(self, status: u16, error: &str) -> Self {
        let answer = self.expect(status);
        let body = answer.json();
        assert_eq!(body["error"], error, "{}: {body:#}", answer.asked);
        assert!(body["error_description"].is_string(), "{body:#}");
        assert!(body["access_token"].is_null() && body["id_token"].is_null(), "{body:#}");
        answer
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{}: {error}: {}", self.asked, self.text()),
        }
    }

    /// A header's value; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where a redirect leads, as an absolute URL.
    #[track_caller]
    pub fn location(&self) -> Url {
        let base = Url::parse(ORIGIN).expect("the origin").join(&self.asked).expect("the path asked");
        match self.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()) {
            Some(location) => base.join(location).expect("a location"),
            None => panic!("no Location from {}: {} {}", self.asked, self.status, self.text()),
        }
    }

    pub fn is_redirect(&self) -> bool {
        self.status.is_redirection() && self.headers.contains_key(header::LOCATION)
    }

    /// A parameter of the response that a redirect carries to the client, in query or fragment.
    #[track_caller]
    pub fn response_parameter(&self, name: &str) -> Option<String> {
        let location = self.location();
        let fragment = location.fragment().unwrap_or_default();
        let in_fragment = form_urlencoded::parse(fragment.as_bytes()).into_owned();
        location.query_pairs().into_owned().chain(in_fragment).find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// The form of that id on an HTML page.
    #[track_caller]
    pub fn form(&self, id: &str) -> Form {
        match Form::find(&self.text(), id, &self.asked) {
            Some(form) => form,
            None => panic!("no form #{id} at {}: {} {}", self.asked, self.status, self.text()),
        }
    }

    pub fn has_form(&self, id: &str) -> bool {
        Form::find(&self.text(), id, &self.asked).is_some()
    }

    /// Where the link with this id leads.
    pub fn link(&self, id: &str) -> Option<String> {
        let document = scraper::Html::parse_document(&self.text());
        let selector = scraper::Selector::parse(&format!("a#{id}[href]")).ok()?;
        let link = document.select(&selector).next()?;
        link.value().attr("href").map(str::to_owned)
    }

    /// The text of the element of that id; `None` if there is none.
    pub fn element(&self, id: &str) -> Option<String> {
        let page = scraper::Html::parse_document(&self.text());
        let selector = scraper::Selector::parse(&format!("[id=\"{id}\"]")).expect("a selector");
        page.select(&selector).next().map(|element| element.text().collect::<String>().trim().to_owned())
    }

    /// The OAuth error code on the error page.
    #[track_caller]
    pub fn expect_error_page(self, error: &str) -> Self {
        let answer = self.expect(400);
        assert_eq!(answer.element("error-code").as_deref(), Some(error), "{}", answer.text());
        assert!(!answer.headers.contains_key(header::LOCATION), "{:?}", answer.headers);
        answer
    }
}

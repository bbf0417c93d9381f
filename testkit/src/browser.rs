//! A browser without JavaScript: keeps cookies, follows redirects on our origin, fills in forms.

use std::sync::{Arc, Mutex, PoisonError};

use http::Method;

use crate::cookies::Cookies;
use crate::{Answer, Ask, Form, ORIGIN, TestServer, urlencoded};

/// Redirects on our own origin before it is called a loop.
const MOST_REDIRECTS: usize = 10;

/// One browser profile. Clones are tabs: they share the cookies.
#[derive(Clone)]
pub struct Browser {
    server: TestServer,
    cookies: Arc<Mutex<Cookies>>,
}

impl Browser {
    pub(crate) fn new(server: TestServer) -> Self {
        Self { server, cookies: Arc::default() }
    }

    /// Sends one request with the cookies; redirects are not followed.
    pub async fn send(&self, ask: Ask, path: &str) -> Answer {
        let cookies = self.with_cookies(|cookies| cookies.for_path(path));
        let answer = self.server.send(ask.cookies(&cookies)).await;
        self.with_cookies(|cookies| cookies.receive(&answer.headers));
        answer
    }

    /// Loads a page; redirects are not followed.
    pub async fn load(&self, path: &str) -> Answer {
        let path = path.strip_prefix(ORIGIN).unwrap_or(path);
        self.send(Ask::get(path), path).await
    }

    /// Opens a URL as a person does: follows redirects until a page is shown or the way leaves our origin. The
    /// answer is the page, or the redirect that leads away.
    pub async fn open(&self, url: &str) -> Answer {
        let answer = self.load(url).await;
        self.follow(answer).await
    }

    /// Follows redirects on our origin.
    pub async fn follow(&self, mut answer: Answer) -> Answer {
        for _ in 0..MOST_REDIRECTS {
            if !answer.is_redirect() {
                return answer;
            }
            let location = answer.location();
            if location.origin().ascii_serialization() != ORIGIN || is_callback(location.path()) {
                return answer;
            }
            answer = self.load(location.as_str()).await;
        }
        panic!("a redirect loop at {}", answer.asked);
    }

    /// Sends a form; redirects are not followed.
    pub async fn post(&self, form: &Form) -> Answer {
        let fields: Vec<(&str, &str)> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let path = form.action.as_str().strip_prefix(ORIGIN).unwrap_or(form.action.as_str());
        let ask = Ask::new(Method::POST, path)
            .body("application/x-www-form-urlencoded", urlencoded(&fields))
            .header("origin", ORIGIN)
            .header("sec-fetch-site", "same-origin");
        self.send(ask, path).await
    }

    /// Sends a form and follows where it leads.
    pub async fn submit(&self, form: &Form) -> Answer {
        let answer = self.post(form).await;
        self.follow(answer).await
    }

    /// Logs in on a login page, and follows.
    #[track_caller]
    pub fn log_in<'a>(&'a self, page: &Answer) -> impl Future<Output = Answer> + 'a {
        let form = page.form("login-form").with("username", "user").with("password", "user");
        async move { self.submit(&form).await }
    }

    /// Types a wrong password on a login page, and follows to the page that says so.
    #[track_caller]
    pub fn mistype<'a>(&'a self, page: &Answer) -> impl Future<Output = Answer> + 'a {
        let form = page.form("login-form").with("username", "user").with("password", "wrong");
        async move { self.submit(&form).await }
    }

    /// Allows on a consent page, and follows.
    #[track_caller]
    pub fn allow<'a>(&'a self, page: &Answer) -> impl Future<Output = Answer> + 'a {
        let form = page.form("consent-form").with("decision", "allow");
        async move { self.submit(&form).await }
    }

    /// Does whatever the pages ask, from an authorization URL to the redirect that leads to the client.
    pub async fn authorize(&self, url: &str) -> Answer {
        let mut answer = self.open(url).await;
        for _ in 0..4 {
            answer = match &answer {
                page if page.has_form("login-form") => self.log_in(page).await,
                page if page.has_form("consent-form") => self.allow(page).await,
                _ => return answer,
            };
        }
        answer
    }

    /// The same profile at another server.
    pub fn at(&self, server: &TestServer) -> Self {
        Self { server: server.clone(), cookies: Arc::clone(&self.cookies) }
    }

    /// A new profile with the same cookies, as if they were stolen or restored.
    pub fn copy(&self) -> Self {
        let cookies = self.with_cookies(|cookies| cookies.clone());
        Self { server: self.server.clone(), cookies: Arc::new(Mutex::new(cookies)) }
    }

    pub fn cookie_names(&self) -> Vec<String> {
        self.with_cookies(|cookies| cookies.names())
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.with_cookies(|cookies| cookies.value(name).map(str::to_owned))
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.with_cookies(|cookies| cookies.set(name, value));
    }

    pub fn forget_cookie(&self, name: &str) {
        self.with_cookies(|cookies| cookies.remove(name));
    }

    fn with_cookies<T>(&self, work: impl FnOnce(&mut Cookies) -> T) -> T {
        work(&mut self.cookies.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The demo application is a client on our own origin: what comes back to it is an answer to a client.
fn is_callback(path: &str) -> bool {
    path.ends_with("/demo/callback")
}

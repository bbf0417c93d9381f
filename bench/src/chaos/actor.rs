//! A browser and a client in one, which may go to another node with every request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bench::connection::{Connection, Reply, Request, Target};
use bench::page::{Form, encode, resolve};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::cluster::TENANT;
use crate::ledger::{Act, Ledger, Outcome};
use crate::random::Random;

/// Media type of every form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// The workspace that the experiments work in.
pub(crate) const WORKSPACE: &str = "shop";
pub(crate) const REDIRECT_URI: &str = "https://client.example/callback";
/// Any verifier will do: nobody else sees it.
const VERIFIER: &str = "a-code-verifier-as-long-as-one-has-to-be-000000";
/// Requests between the authorization request and the code, at most.
const STEPS: usize = 12;
/// A client that has waited so long gives up and tries again.
const GIVE_UP: Duration = Duration::from_secs(15);

/// Who talks, as whom, and where everything is noted.
pub(crate) struct Site {
    pub client_id: String,
    pub client_secret: String,
    pub people: Vec<(String, String)>,
    pub ledger: Arc<Ledger>,
}

impl Site {
    pub(crate) fn basic(&self) -> String {
        let pair = format!("{}:{}", encode(&self.client_id), encode(&self.client_secret));
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    /// An endpoint of the workspace.
    pub(crate) fn path(endpoint: &str) -> String {
        format!("/{TENANT}/{WORKSPACE}/{endpoint}")
    }

    /// The authorization request without the ways of asking it.
    pub(crate) fn authorization_parameters(&self) -> String {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        format!(
            "client_id={}&code_challenge={challenge}&code_challenge_method=S256&nonce=n&redirect_uri={}&response_type=code&scope=openid%20offline_access&state=s",
            encode(&self.client_id),
            encode(REDIRECT_URI)
        )
    }

    pub(crate) fn authorization(&self) -> String {
        format!("{}?{}", Self::path("oauth2/authorize"), self.authorization_parameters())
    }

    pub(crate) fn redemption(code: &str) -> String {
        let (code, redirect_uri) = (encode(code), encode(REDIRECT_URI));
        format!(
            "grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}&code_verifier={VERIFIER}"
        )
    }

    pub(crate) fn rotation(refresh_token: &str) -> String {
        format!("grant_type=refresh_token&refresh_token={}", encode(refresh_token))
    }
}

/// What a token response brought.
#[derive(Clone, Default, Debug)]
pub(crate) struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
}

impl Tokens {
    pub(crate) fn of(reply: &Reply) -> Self {
        let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { access_token: text("access_token"), refresh_token: text("refresh_token") }
    }
}

/// One person with a browser, and the client that they use.
pub(crate) struct Actor {
    pub site: Arc<Site>,
    doors: Vec<Connection>,
    cookies: BTreeMap<String, String>,
    pub random: Random,
    /// Counts the pages that are asked for again, because they were refused for now. Without it a refusal is the end.
    pub reloads: Option<Arc<AtomicUsize>>,
}

impl Actor {
    pub(crate) fn new(site: &Arc<Site>, doors: &[Target], random: Random) -> Self {
        let doors = doors.iter().cloned().map(Connection::new).collect();
        Self { site: Arc::clone(site), doors, cookies: BTreeMap::new(), random, reloads: None }
    }

    /// Somebody else's browser.
    pub(crate) fn forget(&mut self) {
        self.cookies.clear();
    }

    /// Goes on with new connections.
    pub(crate) fn reconnect(&mut self) {
        self.doors.iter_mut().for_each(Connection::close);
    }

    /// One request to any node.
    pub(crate) async fn send(&mut self, request: &Request<'_>) -> Result<Reply> {
        let door = self.random.below(self.doors.len());
        let connection = self.doors.get_mut(door).context("no door")?;
        match timeout(GIVE_UP, connection.send(request)).await {
            Ok(reply) => reply,
            Err(_) => Err(anyhow!("no answer within {GIVE_UP:?}")),
        }
    }

    /// One request that is noted, and its answer.
    pub(crate) async fn noted(&mut self, act: Act, key: &str, request: &Request<'_>) -> Result<Reply> {
        let reply = self.send(request).await;
        self.site.ledger.note(act, key, Outcome::of(&reply, |_| String::new()));
        reply
    }

    /// A form that the client posts to one of its endpoints.
    pub(crate) async fn post(&mut self, endpoint: &str, body: &str) -> Result<Reply> {
        let basic = self.site.basic();
        let headers = [("authorization", basic.as_str())];
        let path = Site::path(endpoint);
        self.send(&Request { method: Some("POST"), path: &path, headers: &headers, body: Some((FORM, body)) })
            .await
    }

    /// Redeems a code, notes it.
    pub(crate) async fn redeem(&mut self, act: Act, code: &str) -> (Outcome, Tokens) {
        let reply = self.post("oauth2/token", &Site::redemption(code)).await;
        self.tokens(act, code, &reply)
    }

    /// Asks for the successor of a refresh token, notes it.
    pub(crate) async fn refresh(&mut self, act: Act, refresh_token: &str) -> (Outcome, Tokens) {
        let reply = self.post("oauth2/token", &Site::rotation(refresh_token)).await;
        self.tokens(act, refresh_token, &reply)
    }

    /// A token for the client itself.
    pub(crate) async fn client_credentials(&mut self) -> (Outcome, Tokens) {
        let reply = self.post("oauth2/token", "grant_type=client_credentials").await;
        self.tokens(Act::Other, "client_credentials", &reply)
    }

    fn tokens(&self, act: Act, key: &str, reply: &Result<Reply>) -> (Outcome, Tokens) {
        let tokens = reply.as_ref().map(Tokens::of).unwrap_or_default();
        let outcome = Outcome::of(reply, |_| tokens.refresh_token.clone());
        self.site.ledger.note(act, key, outcome.clone());
        (outcome, tokens)
    }

    /// Introspection: a success only if the token is active.
    pub(crate) async fn look(&mut self, act: Act, token: &str) -> Outcome {
        let reply = self.post("oauth2/introspect", &format!("token={}", encode(token))).await;
        let active = |reply: &Reply| {
            let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            value.get("active") == Some(&Value::Bool(true))
        };
        let outcome = match &reply {
            Ok(reply) if reply.status == 200 && !active(reply) => Outcome::Refused("inactive".into()),
            _ => Outcome::of(&reply, |_| String::new()),
        };
        self.site.ledger.note(act, token, outcome.clone());
        outcome
    }

    /// From the authorization request to the code, through whatever pages there are. Each request is noted.
    pub(crate) async fn code(&mut self) -> Result<String> {
        let start = self.site.authorization();
        self.code_from(&start).await
    }

    /// The same from a request of another form.
    pub(crate) async fn code_from(&mut self, start: &str) -> Result<String> {
        let mut path = start.to_owned();
        let mut form: Option<String> = None;
        for _ in 0..STEPS {
            let reply = self.visit_again(&path, form.as_deref()).await?;
            if let Some(location) = reply.header("location") {
                if let Some(query) = location.strip_prefix(REDIRECT_URI) {
                    let query = query.trim_start_matches('?').as_bytes();
                    let code = form_urlencoded::parse(query).find(|(name, _)| name == "code");
                    return code.map(|(_, code)| code.into_owned()).with_context(|| location.to_owned());
                }
                path = resolve(&path, location);
                form = None;
                continue;
            }
            let text = reply.text();
            let page = Form::of_page(&text).with_context(|| format!("{path}: {} {text}", reply.status))?;
            path = resolve(&path, &page.action);
            let person = self.random.below(self.site.people.len());
            let (name, password) = self.site.people.get(person).context("nobody")?;
            form = Some(page.filled(name, password));
        }
        Err(anyhow!("no code after {STEPS} requests, now at {path}"))
    }

    /// A code and what it brings, at a time when all is well.
    pub(crate) async fn log_in(&mut self) -> Result<Tokens> {
        let code = self.code().await?;
        match self.redeem(Act::Redeem, &code).await {
            (Outcome::Ok(_), tokens) => Ok(tokens),
            (other, _) => Err(anyhow!("the code brought no tokens: {other:?}")),
        }
    }

    /// Goes to the login page; where its form leads, and the form with a name and a password.
    pub(crate) async fn login_form(&mut self) -> Result<(String, String)> {
        let mut path = self.site.authorization();
        for _ in 0..STEPS {
            let reply = self.visit(&path, None).await?;
            if let Some(location) = reply.header("location") {
                path = resolve(&path, location);
                continue;
            }
            let page = Form::of_page(&reply.text()).with_context(|| format!("{path}: {}", reply.status))?;
            let (name, password) = self.site.people.first().context("nobody")?;
            return Ok((resolve(&path, &page.action), page.filled(name, password)));
        }
        Err(anyhow!("no login page, now at {path}"))
    }

    /// The browser's cookies, as it sends them.
    pub(crate) fn cookie(&self) -> String {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        cookies.join("; ")
    }

    /// A visit, and again after the time that a refusal names, where the person has the patience.
    async fn visit_again(&mut self, path: &str, form: Option<&str>) -> Result<Reply> {
        loop {
            let reply = self.visit(path, form).await?;
            let after = reply.header("retry-after").and_then(|seconds| seconds.parse().ok());
            let (Some(reloads), Some(seconds)) = (&self.reloads, after) else { return Ok(reply) };
            reloads.fetch_add(1, Ordering::Relaxed);
            // Not all at the same moment.
            sleep(Duration::from_secs(seconds) + self.random.pause(0, 500)).await;
        }
    }

    /// One request of the browser: GET, or POST of a form.
    pub(crate) async fn visit(&mut self, path: &str, form: Option<&str>) -> Result<Reply> {
        let cookies = self.cookie();
        let headers = [("cookie", cookies.as_str())];
        let headers = if cookies.is_empty() { &headers[..0] } else { &headers[..] };
        let method = form.map(|_| "POST");
        let request = Request { method, path, headers, body: form.map(|form| (FORM, form)) };
        let reply = self.noted(Act::Other, path, &request).await?;
        for cookie in reply.headers("set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if value.is_empty() || attributes.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(reply)
    }
}

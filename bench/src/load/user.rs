//! A browser and a client in one: logs in, keeps cookies, redeems codes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bench::connection::{Connection, Reply, Request, Target};
use bench::page::{Form, encode, path_of, resolve};
use serde::Deserialize;
use serde_json::Value;
use std::rc::Rc;

use crate::Options;

/// Media type of every form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Any verifier will do: nobody else sees it.
const VERIFIER: &str = "a-code-verifier-as-long-as-one-has-to-be-000000";

/// Requests between the authorization request and the code, at most.
const STEPS: usize = 12;

/// A server's endpoints, as paths, and who talks to it.
pub(crate) struct Site {
    target: Target,
    pub discovery: String,
    pub key_set: String,
    pub introspection: String,
    pub userinfo: String,
    token: String,
    authorization: String,
    /// The client's `Authorization` header.
    pub basic: String,
    redirect_uri: String,
    client_credentials: String,
    username: String,
    password: String,
}

impl Site {
    /// Reads the issuer's discovery document.
    pub(crate) async fn discover(options: &Options) -> Result<Self> {
        let target = Target::of_url(&options.issuer)?;
        let discovery = path_of(&format!("{}/.well-known/openid-configuration", options.issuer));
        let request = Request { path: &discovery, ..Request::default() };
        let reply = Connection::new(target.clone()).send(&request).await?;
        ensure!(reply.status == 200, "discovery: {}", reply.status);
        let document: Value = serde_json::from_slice(&reply.body)?;
        let endpoint = |name: &str| {
            let url = document.get(name).and_then(Value::as_str);
            url.map(path_of).with_context(|| format!("discovery has no {name}"))
        };
        let [client_id, redirect_uri, scope] =
            [&options.client_id, &options.redirect_uri, &options.scope].map(|value| encode(value));
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let authorization = format!(
            "{}?client_id={client_id}&code_challenge={challenge}&code_challenge_method=S256&nonce=n&redirect_uri={redirect_uri}&response_type=code&scope=openid%20offline_access&state=s",
            endpoint("authorization_endpoint")?
        );
        let credentials = format!("{client_id}:{}", encode(&options.client_secret));
        let scope = if scope.is_empty() { scope } else { format!("&scope={scope}") };
        Ok(Self {
            key_set: endpoint("jwks_uri")?,
            introspection: endpoint("introspection_endpoint")?,
            userinfo: endpoint("userinfo_endpoint")?,
            token: endpoint("token_endpoint")?,
            target,
            discovery,
            authorization,
            basic: format!("Basic {}", BASE64_STANDARD.encode(credentials)),
            redirect_uri: options.redirect_uri.clone(),
            client_credentials: format!("grant_type=client_credentials{scope}"),
            username: options.username.clone(),
            password: options.password.clone(),
        })
    }
}

/// A token response.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub access_token: String,
    pub refresh_token: Option<String>,
}

/// One user with one browser and one connection.
pub(crate) struct User {
    pub site: Rc<Site>,
    pub connection: Connection,
    cookies: BTreeMap<String, String>,
}

impl User {
    pub(crate) fn new(site: Rc<Site>) -> Self {
        Self { connection: Connection::new(site.target.clone()), cookies: BTreeMap::new(), site }
    }

    /// A token for the client itself.
    pub(crate) async fn client_credentials(&mut self) -> Result<Tokens> {
        let site = self.site.clone();
        self.token(&site.client_credentials).await
    }

    /// The next tokens of a grant.
    pub(crate) async fn refresh(&mut self, refresh_token: &str) -> Result<Tokens> {
        self.token(&format!("grant_type=refresh_token&refresh_token={}", encode(refresh_token))).await
    }

    /// Logs in with a fresh browser and redeems the code.
    pub(crate) async fn login(&mut self) -> Result<Tokens> {
        self.cookies.clear();
        self.authorize().await
    }

    /// Goes from the authorization request to the code, through whatever pages there are, and redeems it.
    pub(crate) async fn authorize(&mut self) -> Result<Tokens> {
        let site = self.site.clone();
        let mut path = site.authorization.clone();
        let mut form: Option<String> = None;
        for _ in 0..STEPS {
            let reply = self.visit(&path, form.as_deref()).await?;
            if let Some(location) = reply.header("location") {
                if location.starts_with(&site.redirect_uri) {
                    return self.redeem(location).await;
                }
                path = resolve(&path, location);
                form = None;
                continue;
            }
            let text = reply.text();
            let page = Form::of_page(&text).with_context(|| format!("{path}: {} {text}", reply.status))?;
            path = resolve(&path, &page.action);
            form = Some(page.filled(&site.username, &site.password));
        }
        bail!("no code after {STEPS} requests, now at {path}")
    }

    async fn redeem(&mut self, location: &str) -> Result<Tokens> {
        let (_, query) = location.split_once('?').context("the redirect has no query")?;
        let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code");
        let (_, code) = code.with_context(|| format!("no code: {location}"))?;
        let redirect_uri = encode(&self.site.redirect_uri);
        self.token(&format!(
            "grant_type=authorization_code&code={}&redirect_uri={redirect_uri}&code_verifier={VERIFIER}",
            encode(&code)
        ))
        .await
    }

    async fn token(&mut self, body: &str) -> Result<Tokens> {
        let site = self.site.clone();
        let headers = [("authorization", site.basic.as_str())];
        let request =
            Request { method: Some("POST"), path: &site.token, headers: &headers, body: Some((FORM, body)) };
        let reply = self.connection.send(&request).await?;
        ensure!(reply.status == 200, "token: {} {}", reply.status, reply.text());
        Ok(serde_json::from_slice(&reply.body)?)
    }

    /// One request of the browser: GET, or POST of a form.
    async fn visit(&mut self, path: &str, form: Option<&str>) -> Result<Reply> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers = [("cookie", cookies.as_str())];
        let headers = if cookies.is_empty() { &headers[..0] } else { &headers[..] };
        let method = form.map(|_| "POST");
        let request = Request { method, path, headers, body: form.map(|form| (FORM, form)) };
        let reply = self.connection.send(&request).await?;
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

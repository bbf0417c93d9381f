//! The endpoints, each with its indispensable work.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Result;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap};
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::clock::now;
use crate::page::{Reply, json as json_reply, login, redirect, refusal};
use crate::password::Passwords;
use crate::signer::{Signer, hash};
use crate::store::{Change, Store};

const CLIENT_ID: &str = "bench";
const CLIENT_SECRET: &str = "bench-secret-that-is-as-long-as-one-that-is-generated";
const USER_PASSWORD: &str = "user";

/// Decoded form or query parameters.
type Parameters<'a> = HashMap<Cow<'a, str>, Cow<'a, str>>;

/// Everything the endpoints share.
pub(crate) struct Floor {
    issuer: String,
    discovery: Bytes,
    key_set: Bytes,
    signer: Signer,
    store: Store,
    passwords: Passwords,
    clients: HashMap<String, [u8; 32]>,
    sessions: RefCell<HashMap<String, String>>,
    /// `jti` of revoked tokens; looked into at every check.
    revoked: RefCell<HashSet<String>>,
}

impl Floor {
    pub(crate) fn new(issuer: String, data: &Path) -> Result<Self> {
        let signer = Signer::generate()?;
        let endpoint = |path: &str| format!("{issuer}{path}");
        // As long as a real one.
        let discovery = json!({
            "issuer": issuer,
            "authorization_endpoint": endpoint("/authorize"),
            "token_endpoint": endpoint("/token"),
            "introspection_endpoint": endpoint("/introspect"),
            "userinfo_endpoint": endpoint("/userinfo"),
            "jwks_uri": endpoint("/jwks"),
            "response_types_supported": vec!["code"; 340],
        });
        Ok(Self {
            discovery: discovery.to_string().into(),
            key_set: signer.key_set().to_string().into(),
            signer,
            store: Store::open(data)?,
            passwords: Passwords::new(USER_PASSWORD)?,
            clients: HashMap::from([(CLIENT_ID.to_owned(), hash(CLIENT_SECRET))]),
            sessions: RefCell::default(),
            revoked: RefCell::default(),
            issuer,
        })
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let body = match head.method {
            Method::POST => body.collect().await.map(|body| body.to_bytes()).unwrap_or_default(),
            _ => Bytes::new(),
        };
        let form: Parameters<'_> = form_urlencoded::parse(&body).collect();
        let query = head.uri.query().unwrap_or_default();
        let reply = match (&head.method, head.uri.path()) {
            (&Method::GET, "/alive") => Ok(json_reply(StatusCode::OK, "{}")),
            (&Method::GET, "/.well-known/openid-configuration") => {
                Ok(json_reply(StatusCode::OK, self.discovery.clone()))
            }
            (&Method::GET, "/jwks") => Ok(json_reply(StatusCode::OK, self.key_set.clone())),
            (&Method::POST, "/token") => self.token(&head.headers, &form).await,
            (&Method::POST, "/introspect") => Ok(self.introspect(&head.headers, &form)),
            (&Method::GET, "/userinfo") => Ok(self.userinfo(&head.headers)),
            (&Method::GET, "/authorize") => self.authorize(&head.headers, query).await,
            (&Method::POST, "/login") => self.login(&form, query).await,
            _ => Ok(json_reply(StatusCode::NOT_FOUND, "{}")),
        };
        reply.unwrap_or_else(|error| json_reply(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
    }

    async fn token(&self, headers: &HeaderMap, form: &Parameters<'_>) -> Result<Reply> {
        let Some(client_id) = self.client(headers) else { return Ok(refusal("invalid_client")) };
        match parameter(form, "grant_type") {
            "client_credentials" => {
                let scope = parameter(form, "scope");
                let token = self.access_token(&client_id, &client_id, scope)?;
                let reply = json!({"access_token": token, "expires_in": 3600, "scope": scope, "token_type": "bearer"});
                Ok(json_reply(StatusCode::OK, reply.to_string()))
            }
            "refresh_token" => self.refresh(&client_id, form).await,
            "authorization_code" => self.redeem(&client_id, form).await,
            _ => Ok(refusal("unsupported_grant_type")),
        }
    }

    async fn refresh(&self, client_id: &str, form: &Parameters<'_>) -> Result<Reply> {
        let successor = self.signer.handle()?;
        let change =
            Change::Rotate { token: hash(parameter(form, "refresh_token")), successor: hash(&successor) };
        match self.store.commit(change).await {
            Some(subject) => self.tokens(&subject, client_id, "", &successor),
            None => Ok(refusal("invalid_grant")),
        }
    }

    async fn redeem(&self, client_id: &str, form: &Parameters<'_>) -> Result<Reply> {
        let successor = self.signer.handle()?;
        let change = Change::UseCode { code: hash(parameter(form, "code")), successor: hash(&successor) };
        let Some(grant) = self.store.commit(change).await else { return Ok(refusal("invalid_grant")) };
        let mut lines = grant.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        let (subject, bound_client, redirect_uri, challenge, nonce) =
            (next(), next(), next(), next(), next());
        let presented = BASE64_URL_SAFE_NO_PAD.encode(hash(parameter(form, "code_verifier")));
        if bound_client != client_id
            || redirect_uri != parameter(form, "redirect_uri")
            || presented != challenge
        {
            return Ok(refusal("invalid_grant"));
        }
        self.tokens(subject, client_id, nonce, &successor)
    }

    fn introspect(&self, headers: &HeaderMap, form: &Parameters<'_>) -> Reply {
        if self.client(headers).is_none() {
            return refusal("invalid_client");
        }
        let reply = match self.check(parameter(form, "token")) {
            Some(Value::Object(mut claims)) => {
                claims.insert("active".into(), true.into());
                Value::Object(claims)
            }
            _ => json!({"active": false}),
        };
        json_reply(StatusCode::OK, reply.to_string())
    }

    fn userinfo(&self, headers: &HeaderMap) -> Reply {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match self.check(header.strip_prefix("Bearer ").unwrap_or_default()) {
            Some(claims) => {
                let reply =
                    json!({"email": "user@example.com", "name": "Bench User", "sub": claims.get("sub")});
                json_reply(StatusCode::OK, reply.to_string())
            }
            None => json_reply(StatusCode::UNAUTHORIZED, "{}"),
        }
    }

    async fn authorize(&self, headers: &HeaderMap, query: &str) -> Result<Reply> {
        let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let session = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session="));
        let subject = session.and_then(|session| self.sessions.borrow().get(session).cloned());
        let Some(subject) = subject else { return Ok(login(query)) };
        let request: Parameters<'_> = form_urlencoded::parse(query.as_bytes()).collect();
        if !self.clients.contains_key(parameter(&request, "client_id")) {
            return Ok(refusal("invalid_client"));
        }
        let code = self.signer.handle()?;
        let bound =
            ["client_id", "redirect_uri", "code_challenge", "nonce"].map(|name| parameter(&request, name));
        let grant = format!("{subject}\n{}", bound.join("\n"));
        self.store.commit(Change::PutCode { code: hash(&code), grant }).await;
        let mut answer = form_urlencoded::Serializer::new(String::new());
        answer.append_pair("code", &code).append_pair("state", parameter(&request, "state"));
        let answer = answer.append_pair("iss", &self.issuer).finish();
        Ok(redirect(&format!("{}?{answer}", parameter(&request, "redirect_uri")), None))
    }

    async fn login(&self, form: &Parameters<'_>, query: &str) -> Result<Reply> {
        if !self.passwords.verify(parameter(form, "password").to_owned()).await? {
            return Ok(refusal("access_denied"));
        }
        let session = self.signer.handle()?;
        self.sessions.borrow_mut().insert(session.clone(), parameter(form, "username").to_owned());
        Ok(redirect(&format!("/authorize?{query}"), Some(&session)))
    }

    /// The client that HTTP Basic names and whose secret is right (RFC 6749 §2.3.1).
    fn client(&self, headers: &HeaderMap) -> Option<String> {
        let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
        let pair = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
        let (client_id, secret) = pair.split_once(':')?;
        let expected = self.clients.get(client_id)?;
        verify_slices_are_equal(&hash(secret), expected).ok()?;
        Some(client_id.to_owned())
    }

    fn check(&self, token: &str) -> Option<Value> {
        let claims = self.signer.check(token, now())?;
        let revoked = self.revoked.borrow().contains(claims.get("jti")?.as_str()?);
        (!revoked).then_some(claims)
    }

    /// Access token, ID token and refresh token of a user.
    fn tokens(&self, subject: &str, client_id: &str, nonce: &str, refresh_token: &str) -> Result<Reply> {
        let reply = json!({
            "access_token": self.access_token(subject, client_id, "openid offline_access")?,
            "expires_in": 3600,
            "id_token": self.id_token(subject, client_id, nonce)?,
            "refresh_token": refresh_token,
            "scope": "openid offline_access",
            "token_type": "bearer",
        });
        Ok(json_reply(StatusCode::OK, reply.to_string()))
    }

    fn access_token(&self, subject: &str, client_id: &str, scope: &str) -> Result<String> {
        let now = now();
        self.signer.sign(&json!({
            "aid": "default", "amr": ["pwd"], "aud": [client_id, "https://api.example.com"],
            "client_id": client_id, "exp": now + 3600, "iat": now, "idp": "sandbox", "iss": self.issuer,
            "jti": self.signer.handle()?, "nbf": now, "scope": scope,
            "scp": scope.split(' ').collect::<Vec<_>>(), "st": "public", "sub": subject, "tid": "default",
        }))
    }

    fn id_token(&self, subject: &str, client_id: &str, nonce: &str) -> Result<String> {
        let now = now();
        self.signer.sign(&json!({
            "acr": "1", "amr": ["pwd"], "aud": client_id, "auth_time": now, "exp": now + 3600, "iat": now,
            "iss": self.issuer, "nonce": nonce, "sub": subject,
        }))
    }
}

/// A parameter's value; empty when it is absent.
fn parameter<'a>(parameters: &'a Parameters<'_>, name: &str) -> &'a str {
    parameters.get(name).map(Cow::as_ref).unwrap_or_default()
}

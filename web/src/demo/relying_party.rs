//! The client's side of the flow (RFC 6749 §4.1, OIDC Core §3.1): what a client library does.

use super::exchange::{Answer, Exchange, lines, masked};
use super::runs::{Run, Tokens};
use crate::pages::demo::{ExchangeKind, ExchangeView};
use crate::visit::Visit;
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::demo::{DEMO_CLIENT, DEMO_SECRET};
use engine::relying_party::{SeenIdToken, s256, verify_id_token};
use http::StatusCode;
use protocol::params::Params;
use serde_json::{Map, Value};

pub(super) struct RelyingParty<'a> {
    visit: &'a Visit,
    endpoints: &'a Router,
}

/// The one that is registered; the same page takes the answer.
pub(super) fn redirect_uri(visit: &Visit) -> String {
    format!("{}{}", visit.engine().public_url(), visit.path("demo"))
}

impl<'a> RelyingParty<'a> {
    pub(super) fn new(visit: &'a Visit, endpoints: &'a Router) -> Self {
        Self { visit, endpoints }
    }

    /// Where the browser is sent (RFC 6749 §4.1.1, RFC 7636 §4.3).
    pub(super) fn authorization_url(&self, run: &Run, scope: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", DEMO_CLIENT)
            .append_pair("redirect_uri", &redirect_uri(self.visit))
            .append_pair("scope", scope)
            .append_pair("state", &run.state)
            .append_pair("nonce", &run.nonce)
            .append_pair("code_challenge", &s256(&run.code_verifier))
            .append_pair("code_challenge_method", "S256");
        format!("{}?{}", self.visit.path("oauth2/authorize"), query.finish())
    }

    /// Checks the authorization response; exchanges its code and checks what comes back.
    pub(super) async fn take_response(&self, run: &mut Run, query: &Params) {
        run.add(self.authorization_view(run, query));
        // RFC 9207 §2.4: an answer of another server is not taken.
        if query.get("iss") != Some(self.visit.workspace.issuer.as_str()) {
            return run.fail("iss_differs", "The response does not name the issuer that was asked.");
        }
        if let Some(error) = query.get("error") {
            return run.fail(error, query.get("error_description").unwrap_or_default());
        }
        let form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", query.get("code").unwrap_or_default().to_owned()),
            ("redirect_uri", redirect_uri(self.visit)),
            ("code_verifier", run.code_verifier.clone()),
        ];
        self.obtain_tokens(run, ExchangeKind::Token, form).await;
    }

    pub(super) async fn refresh(&self, run: &mut Run) {
        let Some(refresh_token) = run.tokens.as_ref().and_then(|tokens| tokens.refresh_token.clone()) else {
            return run.fail("no_refresh_token", "The server gave no refresh token.");
        };
        let form = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh_token)];
        self.obtain_tokens(run, ExchangeKind::Refresh, form).await;
    }

    pub(super) async fn userinfo(&self, run: &mut Run) {
        let Some(tokens) = run.tokens.clone() else { return };
        let bearer = Some(format!("Bearer {}", tokens.access_token));
        let answer = self.send(run, ExchangeKind::Userinfo, "userinfo", bearer, None).await;
        // OIDC Core §5.3.4: claims of somebody else must not be used.
        let is_same = answer.text("sub").is_some_and(|sub| sub == run.subject);
        if answer.status == StatusCode::OK && !is_same {
            run.fail("sub_differs", "The claims are about somebody else than the ID token.");
        }
    }

    pub(super) async fn introspect(&self, run: &mut Run) {
        let Some(tokens) = run.tokens.clone() else { return };
        let form = vec![("token", tokens.access_token), ("token_type_hint", "access_token".to_owned())];
        let basic = Some(self.basic());
        self.send(run, ExchangeKind::Introspect, "oauth2/introspect", basic, Some(form)).await;
    }

    async fn obtain_tokens(&self, run: &mut Run, kind: ExchangeKind, form: Vec<(&'static str, String)>) {
        let answer = self.send(run, kind, "oauth2/token", Some(self.basic()), Some(form)).await;
        let Some(access_token) = answer.text("access_token").filter(|_| answer.status == StatusCode::OK)
        else {
            return;
        };
        let before = run.tokens.take();
        let refresh_token = answer.text("refresh_token");
        let mut tokens = Tokens {
            access_token,
            id_token: answer.text("id_token"),
            refresh_token: refresh_token.or_else(|| before.as_ref().and_then(|t| t.refresh_token.clone())),
            verified_by: None,
        };
        if let Some(id_token) = &tokens.id_token {
            match self.check_id_token(run, id_token, kind).await {
                Ok(seen) => {
                    run.subject = text(&seen.claims, "sub").to_owned();
                    tokens.verified_by = seen.kid;
                }
                Err(problem) => return run.fail("id_token_invalid", problem),
            }
        } else if let Some(before) = before {
            (tokens.id_token, tokens.verified_by) = (before.id_token, before.verified_by);
        }
        run.tokens = Some(tokens);
    }

    /// OIDC Core §3.1.3.7 and §12.2: signature, issuer, audience, time, and the nonce of this run.
    async fn check_id_token(
        &self,
        run: &mut Run,
        id_token: &str,
        kind: ExchangeKind,
    ) -> Result<SeenIdToken, &'static str> {
        let keys = self.send(run, ExchangeKind::Jwks, ".well-known/jwks.json", None, None).await;
        // The request that matters is the one that brought the tokens.
        if let [.., tokens, jwks] = run.exchanges.as_mut_slice() {
            (tokens.open, jwks.open) = (true, false);
        }
        let seen = verify_id_token(id_token, &keys.body).ok_or("No published key verifies its signature.")?;
        let claims = &seen.claims;
        if text(claims, "iss") != self.visit.workspace.issuer {
            return Err("It was made by another issuer.");
        }
        let is_for_us = match claims.get("aud") {
            Some(Value::Array(audiences)) => audiences.iter().any(|aud| aud.as_str() == Some(DEMO_CLIENT)),
            Some(Value::String(audience)) => audience == DEMO_CLIENT,
            _ => false,
        };
        if !is_for_us {
            return Err("It was made for another client.");
        }
        let now = self.visit.engine().now().seconds();
        if claims.get("exp").and_then(Value::as_i64).is_none_or(|exp| exp <= now) {
            return Err("It has expired.");
        }
        let nonce = claims.get("nonce").and_then(Value::as_str);
        // After a refresh the nonce may be missing (OIDC Core §12.2).
        let is_refresh = kind == ExchangeKind::Refresh;
        if nonce.map_or(!is_refresh, |nonce| nonce != run.nonce) {
            return Err("Its nonce is not the one of this login.");
        }
        if is_refresh && text(claims, "sub") != run.subject {
            return Err("It is about somebody else than the first one.");
        }
        Ok(seen)
    }

    async fn send(
        &self,
        run: &mut Run,
        kind: ExchangeKind,
        path: &str,
        authorization: Option<String>,
        form: Option<Vec<(&'static str, String)>>,
    ) -> Answer {
        let public_url = self.visit.engine().public_url();
        let exchange = Exchange { kind, public_url, path: self.visit.path(path), authorization, form };
        let (answer, view) = exchange.send(self.endpoints, self.visit.call()).await;
        run.add(view);
        run.problem = None;
        if !answer.status.is_success() {
            let error = answer.text("error").unwrap_or_else(|| answer.status.as_u16().to_string());
            run.fail(&error, &answer.text("error_description").unwrap_or_default());
        }
        answer
    }

    /// RFC 6749 §2.3.1. Neither part holds a character that form-encoding would change.
    fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{DEMO_CLIENT}:{DEMO_SECRET}")))
    }

    /// The front channel, as far as a client sees it: where it sent the browser, and how that came back.
    fn authorization_view(&self, run: &Run, query: &Params) -> ExchangeView {
        let url = self.authorization_url(run, super::SCOPE);
        let mut location = form_urlencoded::Serializer::new(String::new());
        for (name, value) in query.iter() {
            let value = if name == "code" { masked(value) } else { value.to_owned() };
            location.append_pair(name, &value);
        }
        let location = format!("{}?{}", redirect_uri(self.visit), location.finish());
        ExchangeView {
            kind: ExchangeKind::Authorize,
            method: "GET".to_owned(),
            url: lines(&format!("{}{url}", self.visit.engine().public_url())),
            request_headers: Vec::new(),
            request_body: None,
            status: StatusCode::SEE_OTHER.as_u16(),
            response_headers: vec![("location".to_owned(), lines(&location))],
            response_body: None,
            open: false,
        }
    }
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> &'c str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

//! The answer of the authorization endpoint (RFC 6749 §4.1.2, §4.1.2.1, §4.2.2; OIDC Core §3.2.2.5, §3.3.2.5;
//! RFC 9207 §2).

use super::check_redirect_uri::VerifiedRedirect;
use super::{AuthorizeRequest, ResponseTarget};
use crate::client::Client;
use crate::confirmation::TokenType;
use crate::decision::{Cx, Decision, Event, Handle};
use crate::duration::Span;
use crate::error::Refusal;
use crate::grant::authorization_code::Code;
use crate::grant_record::{GrantBody, GrantRecord};
use crate::id::ClientId;
use crate::profile::Rules;
use crate::record::{Artifact, Expect, Write};
use crate::response_mode::{Outgoing, ResponseMode};
use crate::response_type::ResponseType;
use crate::scope::ScopeSet;
use crate::session::Session;
use crate::session_management::session_state;
use crate::time::Timestamp;
use crate::token::access_token::{self, AccessTokenDraft, AccessTokenFacts, NewAccessToken};
use crate::token::id_token::{IdTokenDraft, Occasion};
use crate::unknown_members::UnknownMembers;

/// An answer, success or error. Holds a code: there is no `Debug`.
#[derive(Clone, PartialEq)]
pub struct AuthorizationResponse {
    redirect: VerifiedRedirect,
    mode: ResponseMode,
    params: Vec<(&'static str, String)>,
}

impl AuthorizationResponse {
    /// What leaves for the browser.
    pub fn render(&self) -> Outgoing {
        self.mode.render(self.redirect.as_str(), &self.params)
    }

    /// The answer with `session_state` (OIDC Session Management §3), `browser_state` being what the browser's cookie says.
    pub fn with_session_state(mut self, client: &ClientId, browser_state: &str, salt: &str) -> Self {
        let state = session_state(client, self.redirect.as_str(), browser_state, salt);
        self.params.extend(state.map(|state| ("session_state", state)));
        self
    }

    /// Where it goes, for the `form-action` of a Content-Security-Policy: an origin, or `scheme:`.
    pub fn target_origin(&self) -> String {
        self.redirect.origin()
    }
}

/// What an authorization is answered with, before anything is signed: the parts that the response type names. Holds a
/// code: there is no `Debug`.
pub struct AuthorizationIssue {
    target: ResponseTarget,
    issuer: String,
    pub code: Option<Handle>,
    pub access_token: Option<AccessTokenIssue>,
    pub id_token: Option<IdTokenDraft>,
}

/// The access token of an [`AuthorizationIssue`].
pub struct AccessTokenIssue {
    pub draft: AccessTokenDraft,
    token_type: TokenType,
    /// Seconds that it lives.
    expires_in: u64,
    scope: ScopeSet,
}

impl AuthorizationIssue {
    /// The answer with the tokens in their signed form.
    pub fn response(&self, access_token: Option<String>, id_token: Option<String>) -> AuthorizationResponse {
        let mut params: Vec<(&'static str, String)> = Vec::new();
        params.extend(self.code.as_ref().map(|code| ("code", code.expose().to_owned())));
        if let (Some(issue), Some(access_token)) = (&self.access_token, access_token) {
            params.push(("access_token", access_token));
            params.push(("token_type", issue.token_type.scheme().to_owned()));
            params.push(("expires_in", issue.expires_in.to_string()));
            if !issue.scope.is_empty() {
                params.push(("scope", issue.scope.to_string()));
            }
        }
        params.extend(id_token.map(|id_token| ("id_token", id_token)));
        answer(&self.target, params, &self.issuer)
    }
}

/// Answers with what the response type names: creates the grant, and the code and the access token under it, in one
/// batch. Drafts are signed before the commit.
pub fn respond(
    request: &AuthorizeRequest,
    client: &Client,
    session: &Session,
    cx: &mut Cx<'_>,
) -> Decision<AuthorizationIssue> {
    let response_type = request.response_type;
    let grant = grant(request, client, session, cx);
    let mut decision = Decision::reply(AuthorizationIssue {
        target: request.target.clone(),
        issuer: cx.issuer.to_owned(),
        code: None,
        access_token: None,
        id_token: response_type.has_id_token().then(|| id_token(request, client, session, &grant, cx)),
    })
    .and_write(Write::PutGrant { grant: grant.clone(), expect: Expect::Absent });
    if response_type.has_code() {
        let code = cx.handle();
        let artifact = code_artifact(&code, request, client, &grant, cx);
        decision.writes.push(Write::PutArtifact { artifact, expect: Expect::Absent });
        decision.events.push(issued("code", request, client, &grant));
        decision.reply = decision.reply.map(|issue| AuthorizationIssue { code: Some(code), ..issue });
    }
    if response_type.has_token() {
        let (scope, resource) = (&request.scope, request.resource.as_slice());
        // Nobody proves a key here: see check_dpop_jkt.
        let facts = AccessTokenFacts { client, scope, resource, grant: Some(&grant), confirmation: None };
        let NewAccessToken { draft, token_type, write, expires_in } = access_token::make(&facts, cx);
        decision.writes.extend(write);
        let token = AccessTokenIssue { draft, token_type, expires_in, scope: scope.clone() };
        decision.reply =
            decision.reply.map(|issue| AuthorizationIssue { access_token: Some(token), ..issue });
    }
    if response_type.has_token() || response_type.has_id_token() {
        decision.events.push(issued("token", request, client, &grant));
    }
    decision
}

/// The row of a code. It lives as long as the grant: a replay is noticed for as long as there is something to revoke.
fn code_artifact(
    code: &Handle,
    request: &AuthorizeRequest,
    client: &Client,
    grant: &GrantRecord,
    cx: &Cx<'_>,
) -> Artifact {
    let payload = Code {
        client: client.client_id.clone(),
        server_uid: cx.server.uid.clone(),
        client_uid: client.uid.clone(),
        redirect_uri: request.redirect_uri_as_sent().map(str::to_owned),
        code_challenge: request.code_challenge.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        scope: request.scope.clone(),
        resource: request.resource.clone(),
        expires_at: cx.now.plus(code_ttl(client, cx).0),
        used_at: None,
    };
    Artifact::new(code.hash(), grant.expires_at, &payload).with_grant(grant.id.clone())
}

/// The ID token of the authorization endpoint. The same person as in that of the token endpoint (OIDC Core §3.3.3.6);
/// the hashes bind what leaves beside it (OIDC Core §3.3.2.11).
fn id_token(
    request: &AuthorizeRequest,
    client: &Client,
    session: &Session,
    grant: &GrantRecord,
    cx: &Cx<'_>,
) -> IdTokenDraft {
    let draft = IdTokenDraft::new(grant, &session.subject, client, Occasion::Login, cx);
    let draft = draft.with_state(request.target.state.as_deref());
    match request.response_type {
        ResponseType::IdToken => draft.with_scope_claims(&request.scope, &session.subject),
        _ => draft,
    }
}

fn issued(
    event_subject: &'static str,
    request: &AuthorizeRequest,
    client: &Client,
    grant: &GrantRecord,
) -> Event {
    Event::new(event_subject, "issued")
        .client(&client.client_id)
        .grant(grant)
        .detail(request.scope.to_string())
}

/// Answers with an error: `error`, `error_description`, `state`, `iss`, and nothing else (RFC 6749 §4.1.2.1,
/// RFC 9207 §2).
pub fn refuse(target: &ResponseTarget, refusal: &Refusal, cx: &Cx<'_>) -> AuthorizationResponse {
    let entry = refusal.entry();
    let params =
        vec![("error", entry.code.name().to_owned()), ("error_description", entry.description.to_owned())];
    answer(target, params, cx.issuer)
}

/// `state` as it came, and `iss` always, against mix-up (RFC 9207 §2; attack AUT-03).
fn answer(
    target: &ResponseTarget,
    mut params: Vec<(&'static str, String)>,
    issuer: &str,
) -> AuthorizationResponse {
    params.extend(target.state.clone().map(|state| ("state", state)));
    params.push(("iss", issuer.to_owned()));
    AuthorizationResponse { redirect: target.redirect.clone(), mode: target.mode, params }
}

fn grant(request: &AuthorizeRequest, client: &Client, session: &Session, cx: &mut Cx<'_>) -> GrantRecord {
    GrantRecord {
        id: cx.grant_id(),
        server: cx.server.id.clone(),
        client: client.client_id.clone(),
        subject: Some(session.subject.sub.clone()),
        session: Some(session.subject.sid.clone()),
        created_at: cx.now,
        expires_at: grant_end(request, client, session, cx),
        revoked_at: None,
        revision: 0,
        body: GrantBody {
            server_uid: cx.server.uid.clone(),
            client_uid: client.uid.clone(),
            scope: request.scope.clone(),
            resource: request.resource.clone(),
            subject: Some(session.subject.clone()),
            claims: request.claims.clone(),
            nonce: request.nonce.clone(),
            ancestors: Vec::new(),
            act: None,
            unknown: UnknownMembers::default(),
        },
    }
}

/// How long a code lives: by the settings, within the profiles' bounds.
fn code_ttl(client: &Client, cx: &Cx<'_>) -> Span {
    let settings = client.ttl(|own| own.authorization_code_ttl, cx.server.authorization_code_ttl);
    Rules::of(cx.server, client).code_ttl(settings)
}

/// When the last token of the grant is dead: one made at the code's last moment.
fn grant_end(request: &AuthorizeRequest, client: &Client, session: &Session, cx: &Cx<'_>) -> Timestamp {
    let server = cx.server;
    let code = code_ttl(client, cx);
    let access = client.ttl(|own| own.access_token_ttl, server.access_token_ttl);
    let refresh = client.ttl(|own| own.refresh_token_ttl, server.refresh_token_ttl);
    let longest = if request.scope.contains("offline_access") { access.max(refresh) } else { access };
    let redeemed = if request.response_type.has_code() { cx.now.plus(code.0) } else { cx.now };
    let dead = redeemed.plus(longest.0);
    // By the grant a client is found that wants to know when the session ends (OIDC Back-Channel Logout §2.5).
    if client.backchannel_logout_uri.is_empty() { dead } else { dead.max(session.ends_at) }
}

#[cfg(test)]
mod tests;

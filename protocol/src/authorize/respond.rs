//! The answer of the authorization endpoint (RFC 6749 §4.1.2, §4.1.2.1; RFC 9207 §2).

use super::check_redirect_uri::VerifiedRedirect;
use super::{AuthorizeRequest, ResponseTarget};
use crate::client::Client;
use crate::decision::{Cx, Decision, Event, Handle};
use crate::error::Refusal;
use crate::grant::authorization_code::Code;
use crate::grant_record::{GrantBody, GrantRecord};
use crate::record::{Artifact, Expect, Write};
use crate::response_mode::{Outgoing, ResponseMode};
use crate::session::Session;
use crate::time::Timestamp;

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

    /// Where it goes, for the `form-action` of a Content-Security-Policy: an origin, or `scheme:`.
    pub fn target_origin(&self) -> String {
        self.redirect.origin()
    }
}

/// Answers with a code: creates the grant and the code in one batch.
pub fn respond(
    request: &AuthorizeRequest,
    client: &Client,
    session: &Session,
    cx: &mut Cx<'_>,
) -> Decision<AuthorizationResponse> {
    let code = cx.handle();
    let grant = grant(request, client, session, cx);
    let payload = Code {
        client: client.client_id.clone(),
        server_uid: cx.server.uid.clone(),
        client_uid: client.uid.clone(),
        redirect_uri: request.redirect_uri_as_sent().map(str::to_owned),
        code_challenge: request.code_challenge.clone(),
        scope: request.scope.clone(),
        resource: request.resource.clone(),
        expires_at: cx
            .now
            .plus(client.ttl(|own| own.authorization_code_ttl, cx.server.authorization_code_ttl).0),
        used_at: None,
    };
    // The row lives as long as the grant: a replay is noticed for as long as there is something to revoke.
    let artifact = Artifact::new(code.hash(), grant.expires_at, &payload)
        .with_grant(grant.id.clone())
        .with_owner(session.subject.sub.clone());
    let event = Event::new("code", "issued")
        .client(&client.client_id)
        .subject(session.subject.sub.clone())
        .grant(&grant.id)
        .detail(request.scope.to_string());
    Decision::reply(success(&request.target, &code, cx))
        .and_write(Write::PutGrant { grant, expect: Expect::Absent })
        .and_write(Write::PutArtifact { artifact, expect: Expect::Absent })
        .and_event(event)
}

/// Answers with an error: `error`, `error_description`, `state`, `iss`, and nothing else (RFC 6749 §4.1.2.1,
/// RFC 9207 §2).
pub fn refuse(target: &ResponseTarget, refusal: &Refusal, cx: &Cx<'_>) -> AuthorizationResponse {
    let entry = refusal.entry();
    let params =
        vec![("error", entry.code.name().to_owned()), ("error_description", entry.description.to_owned())];
    answer(target, params, cx)
}

fn success(target: &ResponseTarget, code: &Handle, cx: &Cx<'_>) -> AuthorizationResponse {
    answer(target, vec![("code", code.expose().to_owned())], cx)
}

/// `state` as it came, and `iss` always, against mix-up (RFC 9207 §2; attack AUT-03).
fn answer(
    target: &ResponseTarget,
    mut params: Vec<(&'static str, String)>,
    cx: &Cx<'_>,
) -> AuthorizationResponse {
    params.extend(target.state.clone().map(|state| ("state", state)));
    params.push(("iss", cx.issuer.to_owned()));
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
        expires_at: grant_end(request, client, cx),
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
            auth_time_requested: wants_auth_time(request, client),
        },
    }
}

/// When the last token of the grant is dead: one made at the code's last moment.
fn grant_end(request: &AuthorizeRequest, client: &Client, cx: &Cx<'_>) -> Timestamp {
    let server = cx.server;
    let code = client.ttl(|own| own.authorization_code_ttl, server.authorization_code_ttl);
    let access = client.ttl(|own| own.access_token_ttl, server.access_token_ttl);
    let refresh = client.ttl(|own| own.refresh_token_ttl, server.refresh_token_ttl);
    let longest = if request.scope.contains("offline_access") { access.max(refresh) } else { access };
    cx.now.plus(code.0).plus(longest.0)
}

/// OIDC Core §2: `auth_time` is REQUIRED after `max_age`, as an essential claim, and for clients with
/// `require_auth_time`.
fn wants_auth_time(request: &AuthorizeRequest, client: &Client) -> bool {
    request.max_age.is_some()
        || client.require_auth_time
        || request.claims.as_ref().is_some_and(|claims| claims.id_token.contains_key("auth_time"))
}

#[cfg(test)]
mod tests;

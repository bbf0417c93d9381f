//! Which clients a user let in, and how the user takes that back (contract: `/{tid}/{aid}/clients`).

use crate::entropy::SystemEntropy;
use crate::{Call, Engine, EngineError, Workspace};
use protocol::consent::Consent;
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::grant_record::GrantRecord;
use protocol::id::ClientId;
use protocol::record::{DocumentKind, Expect, GrantSelector, Write};
use protocol::resource_request::ResourceRequest;
use protocol::step_up;
use protocol::subject::Subject;
use serde::Serialize;
use std::sync::Arc;
use store::Page;

/// Scope that lists them.
const LIST: &str = "list_clients_with_access";
/// Scope that takes access back.
const REVOKE: &str = "revoke_client_access";
/// Clients of one user that are listed.
const LIMIT: usize = 100;

/// A client that the user let in.
#[derive(Serialize)]
pub struct ClientWithAccess {
    pub client: ClientDetails,
    pub granted_scopes: Vec<GrantedScope>,
}

/// What the user may know of a client.
#[derive(Serialize)]
pub struct ClientDetails {
    pub id: String,
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_uri: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub logo_uri: String,
}

/// A scope, and when it was allowed.
#[derive(Serialize)]
pub struct GrantedScope {
    pub scope_name: String,
    pub given_at: String,
}

impl Engine {
    /// The clients that the user of an access token let in; at most 100.
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn clients_with_access(
        &self,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        call: &Call,
    ) -> Result<Vec<ClientWithAccess>, Refusal> {
        let (subject, _) = self.user_with_scope(workspace, request, LIST, call).await?;
        let parent = Consent::parent(&workspace.server.id, &subject.sub);
        let page = Page::first(LIMIT);
        let documents =
            self.documents(&workspace.tenant, DocumentKind::Consent, Some(&parent), &page).await?;
        let mut list = Vec::new();
        for document in documents {
            let consent: Consent = document.read().map_err(EngineError::from)?;
            let Some(client) = self.known_client(workspace, &consent.client).await? else { continue };
            if client.uid != consent.client_uid {
                continue;
            }
            let granted = consent.scopes.iter();
            list.push(ClientWithAccess {
                client: ClientDetails {
                    id: client.client_id.as_str().to_owned(),
                    name: client.client_name.clone(),
                    client_uri: client.client_uri.clone(),
                    logo_uri: client.logo_uri.clone(),
                },
                granted_scopes: granted
                    .map(|(name, at)| GrantedScope { scope_name: name.clone(), given_at: at.rfc3339() })
                    .collect(),
            });
        }
        Ok(list)
    }

    /// Takes a client's access back: the consent is forgotten and every grant of it is revoked at once
    /// (attack W-19). Idempotent.
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn revoke_access(
        &self,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        client: &ClientId,
        call: &Call,
    ) -> Result<(), Refusal> {
        let (subject, _) = self.user_with_scope(workspace, request, REVOKE, call).await?;
        let server = &workspace.server.id;
        let id = Consent::document_id(server, &subject.sub, client);
        let selector = GrantSelector::SubjectAndClient(server.clone(), subject.sub.clone(), client.clone());
        let writes = vec![
            Write::DeleteDocument { kind: DocumentKind::Consent, id, expect: Expect::Any },
            Write::RevokeGrants { selector, at: self.now() },
        ];
        let event = Event::new("consent", "revoked").client(client).person(&subject);
        Ok(self.commit_decision(workspace, writes, vec![event], call).await?)
    }

    /// The user of an access token that has the scope, and the token's grant.
    pub(crate) async fn user_with_scope(
        &self,
        workspace: &Workspace,
        request: &ResourceRequest<'_>,
        scope: &str,
        call: &Call,
    ) -> Result<(Subject, Arc<GrantRecord>), Refusal> {
        let (active, _) = self.resource_access(workspace, request, call).await?;
        if !active.scope.contains(scope) {
            return Err(Refusal::new(Reason::ScopeInsufficient)
                .expected(scope)
                .received(active.scope.to_string()));
        }
        let grant = active.grant.ok_or(Reason::TokenWithoutUser)?;
        let subject = grant.body.subject.clone().ok_or(Reason::TokenWithoutUser)?;
        let mut entropy = SystemEntropy::default();
        step_up::check(&subject, scope, &workspace.cx(self.now(), &mut entropy))?;
        Ok((subject, grant))
    }
}

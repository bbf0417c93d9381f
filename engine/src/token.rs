//! The token endpoint (RFC 6749 §3.2): authenticate, load, decide, sign, commit, answer.

use crate::client_authentication::AuthenticatedClient;
use crate::entropy::SystemEntropy;
use crate::unused_clients::used;
use crate::{Call, Engine, EngineError, Workspace};
use protocol::client::Client;
use protocol::client_auth::Presented;
use protocol::confirmation::Confirmation;
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::grant::{self, Grant, TokenRequest, device_code};
use protocol::params::Params;
use protocol::sender_constraint::{self, ProvenSender, SenderRequest};
use protocol::time::Timestamp;
use protocol::token::Issue;
use serde::Serialize;
use std::sync::Arc;

/// How often a request that lost a race decides again.
const ATTEMPTS: usize = 8;

/// Body of a successful answer (RFC 6749 §5.1); members in alphabetical order.
#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    token_type: &'static str,
}

impl Engine {
    /// Answers a token request with the JSON body of the response.
    ///
    /// # Errors
    /// A refusal of the catalogue.
    pub async fn token(
        &self,
        workspace: &Arc<Workspace>,
        presented: &Presented<'_>,
        params: &Params,
        call: &Call,
    ) -> Result<Vec<u8>, Refusal> {
        let arrived_at = self.now();
        let mut authenticated = self.authenticate_client(workspace, presented, params, call).await?;
        let sender = self.sender(workspace, presented, &authenticated.client)?;
        let sender = sender.map(|sender| {
            authenticated.once.extend(sender.once);
            sender.confirmation
        });
        let answer = self.token_of(workspace, params, (&authenticated, sender), arrived_at, call).await;
        if let Err(refusal) = &answer
            && !refusal.committed
        {
            // A proof counts once also when the request comes to nothing (RFC 7523 §3).
            self.commit_once(workspace, &authenticated.once, Vec::new(), Vec::new(), call).await?;
        }
        answer.map_err(|refusal| refusal.refusal)
    }

    async fn token_of(
        &self,
        workspace: &Workspace,
        params: &Params,
        (authenticated, sender): (&AuthenticatedClient, Option<Confirmation>),
        arrived_at: Timestamp,
        call: &Call,
    ) -> Result<Vec<u8>, Refused> {
        let grant = grant::select(params, &authenticated.client, &workspace.server)?;
        let client = &authenticated.client;
        let evidence = self.evidence(workspace, grant, params, client, call).await?;
        let request = TokenRequest { params, client, confirmation: sender.as_ref(), evidence: &evidence };
        let arrived = Arrived { request, at: arrived_at };
        for attempt in 1..=ATTEMPTS {
            match self.token_attempt(workspace, grant, &arrived, authenticated, call).await? {
                Attempt::Done(answer) => {
                    return answer.map_err(|refusal| Refused { refusal, committed: true });
                }
                Attempt::LostRace => tracing::debug!(attempt, "token request lost a race, deciding again"),
            }
        }
        Err(Refusal::new(Reason::ConcurrentChange).into())
    }

    async fn token_attempt(
        &self,
        workspace: &Workspace,
        grant: &dyn Grant,
        Arrived { request, at }: &Arrived<'_>,
        authenticated: &AuthenticatedClient,
        call: &Call,
    ) -> Result<Attempt, Refusal> {
        let mut entropy = SystemEntropy::default();
        let mut cx = workspace.cx(self.now(), &mut entropy);
        cx.arrived_at = *at;
        let lookups = grant.wants(request, &mut cx)?;
        let found = if lookups.is_empty() {
            Vec::new()
        } else {
            self.store.load(&workspace.tenant, &lookups).await.map_err(EngineError::from)?
        };
        let decision = grant.decide(request, &found, &mut cx);
        let answer = match &decision.reply {
            Ok(issue) => Ok(self.sign(workspace, &authenticated.client, issue).await?),
            Err(refusal) => Err(refusal.clone()),
        };
        let mut events = decision.events;
        if events.is_empty() {
            let event = Event::new("token", if answer.is_ok() { "issued" } else { "refused" });
            let event = event.client(&authenticated.client.client_id);
            events.push(match &answer {
                Ok(_) => event,
                Err(refusal) => event.reason(refusal),
            });
        }
        let is_first = answer.is_ok() && grant.grant_type() == device_code::GRANT_TYPE;
        let used = Some(&authenticated.client).filter(|_| is_first).and_then(|client| used(client));
        let writes = decision.writes.into_iter().chain(used).collect();
        match self.commit_once(workspace, &authenticated.once, writes, events, call).await {
            Ok(()) => {
                if answer.is_ok() {
                    self.measures.issued(grant.grant_type());
                }
                Ok(Attempt::Done(answer))
            }
            // It is in the store already.
            Err(EngineError::Replayed(reason)) => Ok(Attempt::Done(Err(reason.into()))),
            Err(EngineError::Conflict { .. }) => Ok(Attempt::LostRace),
            Err(error) => Err(error.into()),
        }
    }

    /// The key that a token request proves to hold.
    fn sender(
        &self,
        workspace: &Workspace,
        presented: &Presented<'_>,
        client: &Client,
    ) -> Result<Option<ProvenSender>, Refusal> {
        let mut entropy = SystemEntropy::default();
        let cx = workspace.cx(self.now(), &mut entropy);
        let url = cx.token_endpoint();
        let request = SenderRequest { presented: *presented, method: "POST", url: &url, access_token: None };
        sender_constraint::prove_for_tokens(&request, client, &cx)
    }

    /// Turns drafts into signed tokens and writes the answer's body.
    async fn sign(
        &self,
        workspace: &Workspace,
        client: &Client,
        issue: &Issue,
    ) -> Result<Vec<u8>, EngineError> {
        let access_token = self.sign_access_token(workspace, &issue.access_token).await?;
        let id_token = match &issue.id_token {
            Some(draft) => {
                Some(self.sign_id_token(workspace, client, draft, Some(&access_token), None).await?)
            }
            None => None,
        };
        let response = TokenResponse {
            access_token: &access_token,
            expires_in: issue.expires_in,
            id_token: id_token.as_deref(),
            issued_token_type: issue.issued_token_type,
            refresh_token: issue.refresh_token.as_ref().map(|h| h.expose()),
            scope: issue.scope.to_string(),
            token_type: issue.token_type.name(),
        };
        serde_json::to_vec(&response).map_err(|e| EngineError::Internal(e.to_string()))
    }
}

/// A refusal, and whether the proof of the client is committed already.
struct Refused {
    refusal: Refusal,
    committed: bool,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, committed: false }
    }
}

/// A token request, and when it came.
struct Arrived<'a> {
    request: TokenRequest<'a>,
    at: Timestamp,
}

enum Attempt {
    Done(Result<Vec<u8>, Refusal>),
    LostRace,
}

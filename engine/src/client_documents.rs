//! Client ID metadata documents: fetched through the guard, kept as long as their headers say, in bounds.

use crate::{Engine, EngineError, Workspace};
use moka::sync::Cache;
use protocol::authorize::Interaction;
use protocol::client::Client;
use protocol::client_id_metadata::{self, MAX_DOCUMENT_BYTES};
use protocol::error::{Reason, Refusal};
use protocol::id::ClientId;
use protocol::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Most documents kept.
const MAX_DOCUMENTS: u64 = 2_000;
/// Most fetches at the same time: anybody may name a URL.
const MAX_FETCHES: usize = 16;
/// Bounds of what the headers say (OAuth Client ID Metadata Document §4.2), and what counts when they say nothing.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const UNSAID: Duration = Duration::from_secs(3600);
/// How long a failure is answered without asking again.
const FAILURE: Duration = Duration::from_secs(30);

/// The documents known at the moment, by URL; the same for every workspace.
pub(crate) struct ClientDocuments {
    known: Cache<String, Known>,
    fetches: Semaphore,
}

#[derive(Clone)]
struct Known {
    until: Timestamp,
    outcome: Result<Arc<Client>, Refusal>,
}

impl ClientDocuments {
    pub(crate) fn new() -> Self {
        Self { known: Cache::new(MAX_DOCUMENTS), fetches: Semaphore::new(MAX_FETCHES) }
    }

    fn known(&self, url: &str, now: Timestamp) -> Option<Result<Arc<Client>, Refusal>> {
        let known = self.known.get(url).filter(|known| now < known.until)?;
        Some(known.outcome)
    }
}

impl Engine {
    /// The client that the document at `id` describes; `None` in a workspace that does not trust documents.
    pub(crate) async fn client_of_document(
        &self,
        workspace: &Workspace,
        id: &ClientId,
    ) -> Result<Option<Arc<Client>>, EngineError> {
        let server = &workspace.server;
        if !server.client_id_metadata_documents.enabled {
            return Ok(None);
        }
        // The policy of the workspace first: no cache and no fetch gets past it.
        client_id_metadata::check_url(id.as_str(), server, self.config.fetch.allow_loopback)
            .map_err(EngineError::ClientDocument)?;
        let outcome = match self.client_documents.known(id.as_str(), self.now()) {
            Some(outcome) => outcome,
            None => self.fetch_client_document(id.as_str()).await,
        };
        let described = outcome.map_err(EngineError::ClientDocument)?;
        let client = client_id_metadata::in_workspace(&described, server, &workspace.catalog);
        Ok(Some(Arc::new(client)))
    }

    /// What an interaction keeps of its client: all of it, if only a document knows it.
    pub(crate) fn pinned(&self, client: &Client) -> Option<Box<Client>> {
        client_id_metadata::is_url(client.client_id.as_str()).then(|| Box::new(client.clone()))
    }

    /// The client of a login in progress: the pinned one, while the workspace still trusts its document, or the
    /// registered one.
    pub(crate) async fn client_of(
        &self,
        workspace: &Workspace,
        interaction: &Interaction,
    ) -> Result<Option<Arc<Client>>, EngineError> {
        let Some(pinned) = &interaction.client_document else {
            return self.client(workspace, &interaction.request.client_id).await;
        };
        let server = &workspace.server;
        let (id, allow_loopback) = (pinned.client_id.as_str(), self.config.fetch.allow_loopback);
        let is_trusted = server.client_id_metadata_documents.enabled
            && client_id_metadata::check_url(id, server, allow_loopback).is_ok();
        let client = client_id_metadata::in_workspace(pinned, server, &workspace.catalog);
        Ok(is_trusted.then(|| Arc::new(client)))
    }

    async fn fetch_client_document(&self, url: &str) -> Result<Arc<Client>, Refusal> {
        let busy = |_| unavailable(url, "too many documents are being fetched");
        let permit = self.client_documents.fetches.try_acquire().map_err(busy)?;
        let fetched = self.fetch().get_json_here(url).await;
        drop(permit);
        let max_age = fetched.as_ref().ok().and_then(|fetched| fetched.max_age);
        let outcome = match fetched {
            Ok(answer) if answer.status != 200 => Err(unavailable(url, &format!("status {}", answer.status))),
            Ok(answer) if answer.body.len() > MAX_DOCUMENT_BYTES => Err(unavailable(url, "too large")),
            Ok(answer) => client_id_metadata::read(url, &answer.body).map(Arc::new),
            Err(error) => {
                // How it failed inside is for our log alone (attack AUT-31).
                tracing::info!(%url, %error, "client metadata document not fetched");
                let refusal = Refusal::new(Reason::ClientDocumentUnavailable).parameter("client_id");
                Err(error.told_in(refusal, url))
            }
        };
        let life = match &outcome {
            Ok(_) => max_age.unwrap_or(UNSAID).clamp(SHORTEST, LONGEST),
            Err(_) => FAILURE,
        };
        let known = Known { until: self.now().plus(life), outcome: outcome.clone() };
        self.client_documents.known.insert(url.to_owned(), known);
        outcome
    }
}

fn unavailable(url: &str, received: &str) -> Refusal {
    Refusal::new(Reason::ClientDocumentUnavailable)
        .parameter("client_id")
        .received(received)
        .expected(format!("status 200 and a JSON object at {url}"))
}

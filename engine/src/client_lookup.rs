//! Client resolution: the one function that every endpoint uses.

use crate::error::EngineError;
use crate::measures::Remembered;
use crate::{Engine, Workspace};
use protocol::client::Client;
use protocol::client_id_metadata;
use protocol::id::ClientId;
use protocol::record::{Document, DocumentKind, Found, Lookup};
use std::sync::Arc;

impl Engine {
    /// The client of that id in the workspace, active or not: a registered one, or the one that a document at the URL
    /// describes, if the workspace trusts such documents.
    ///
    /// # Errors
    /// When the store cannot answer, or [`EngineError::ClientDocument`].
    pub async fn client(
        &self,
        workspace: &Workspace,
        id: &ClientId,
    ) -> Result<Option<Arc<Client>>, EngineError> {
        if client_id_metadata::is_url(id.as_str()) {
            return self.client_of_document(workspace, id).await;
        }
        let (tenant, server) = (&workspace.tenant, &workspace.server.id);
        let generation = self.generation(tenant).await?;
        let known = self.cache.client(tenant, server, id, generation);
        self.measures.looked(Remembered::Client, known.is_some());
        if known.is_some() {
            return Ok(known);
        }
        let lookup = [Lookup::Document(DocumentKind::Client, id.as_str().to_owned())];
        let Some(Found::Document(Some(document))) = self.store.load(tenant, &lookup).await?.pop() else {
            return Ok(None);
        };
        let client = Arc::new(read_client(&document)?);
        if client.authorization_server_id != *server {
            return Ok(None);
        }
        self.cache.put_client(tenant, Arc::clone(&client), generation);
        Ok(Some(client))
    }

    /// The same where the client is not the one who asks: one whose document cannot be used is not known, and its
    /// tokens are worth nothing.
    pub(crate) async fn known_client(
        &self,
        workspace: &Workspace,
        id: &ClientId,
    ) -> Result<Option<Arc<Client>>, EngineError> {
        match self.client(workspace, id).await {
            Err(EngineError::ClientDocument(_)) => Ok(None),
            other => other,
        }
    }
}

/// A client document with what stands beside it.
pub(crate) fn read_client(document: &Document) -> Result<Client, EngineError> {
    let mut client: Client = document.read()?;
    client.uid = document.uid.clone();
    client.created_at = document.created_at;
    client.updated_at = document.updated_at;
    Ok(client)
}

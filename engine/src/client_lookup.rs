//! Client resolution: the one function that every endpoint uses.

use crate::error::EngineError;
use crate::{Engine, Workspace};
use protocol::client::Client;
use protocol::id::ClientId;
use protocol::record::{Document, DocumentKind, Found, Lookup};
use std::sync::Arc;

impl Engine {
    /// The client of that id in the workspace, active or not.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn client(
        &self,
        workspace: &Workspace,
        id: &ClientId,
    ) -> Result<Option<Arc<Client>>, EngineError> {
        let (tenant, server) = (&workspace.tenant, &workspace.server.id);
        let generation = self.generation(tenant).await?;
        if let Some(client) = self.cache.client(tenant, server, id, generation) {
            return Ok(Some(client));
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
}

/// A client document with what stands beside it.
pub(crate) fn read_client(document: &Document) -> Result<Client, EngineError> {
    let mut client: Client = document.read()?;
    client.uid = document.uid.clone();
    client.created_at = document.created_at;
    client.updated_at = document.updated_at;
    Ok(client)
}

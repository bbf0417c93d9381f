//! Clients that registered themselves and that nobody ever logged in to: they go by themselves after a time that the
//! workspace sets (RFC 7591 §5). The first answer to a login takes the mark away, in its commit.

use crate::client_lookup::read_client;
use crate::{Call, Engine, EngineError, Workspace};
use protocol::client::Client;
use protocol::decision::Event;
use protocol::id::{ClientId, ServerId, TenantId, Uid};
use protocol::record::{Artifact, ArtifactKind, DocumentKind, Expect, HandleHash, Payload, Write};
use protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Marks that one round of the job looks at; the rest is due in the next.
const ROUND: usize = 50;
/// How long a mark outlives the time at which it is due, for a server that was down.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// The mark of a client that nobody used.
#[derive(Serialize, Deserialize)]
struct UnusedClient {
    server: ServerId,
    client: ClientId,
    client_uid: Uid,
}

impl Payload for UnusedClient {
    const KIND: ArtifactKind = ArtifactKind::UnusedClient;
}

/// Marks a client that has just registered itself; nothing where such clients stay.
pub(crate) fn mark(workspace: &Workspace, client: &Client, uid: &Uid, now: Timestamp) -> Option<Write> {
    let life = workspace.server.dynamic_client_registration.unused_client_ttl.0;
    if life.is_zero() {
        return None;
    }
    let payload = UnusedClient {
        server: workspace.server.id.clone(),
        client: client.client_id.clone(),
        client_uid: uid.clone(),
    };
    let due = now.plus(life);
    let artifact = Artifact::new(key(&client.client_id), due.plus(KEPT), &payload).due_at(due);
    Some(Write::PutArtifact { artifact, expect: Expect::Any })
}

/// Takes the mark away: somebody uses the client.
pub(crate) fn used(client: &Client) -> Option<Write> {
    let hash = key(&client.client_id);
    let write = Write::DeleteArtifact { kind: ArtifactKind::UnusedClient, hash, expect: Expect::Any };
    client.dynamically_registered.then_some(write)
}

fn key(client: &ClientId) -> HandleHash {
    HandleHash::of(&format!("unused client\0{client}"))
}

impl Engine {
    /// Deletes clients whose time is over, a few at a time.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn delete_unused_clients(&self) -> Result<(), EngineError> {
        for (tenant, row) in self.store.due(ArtifactKind::UnusedClient, self.now(), ROUND).await? {
            match self.delete_unused(&tenant, &row).await {
                // Somebody used or changed it at the same moment: the next round looks again.
                Err(EngineError::Conflict { .. }) => {}
                other => other?,
            }
        }
        Ok(())
    }

    async fn delete_unused(&self, tenant: &TenantId, row: &Artifact) -> Result<(), EngineError> {
        let unused: UnusedClient = row.payload()?;
        // With its revision: a login that ends now takes the mark away, and then the client stays.
        let expect = Expect::Revision(row.revision);
        let mut writes =
            vec![Write::DeleteArtifact { kind: ArtifactKind::UnusedClient, hash: row.hash, expect }];
        let mut events = Vec::new();
        let document = self.document(tenant, DocumentKind::Client, unused.client.as_str()).await?;
        if let Some(document) = document.filter(|document| document.uid == unused.client_uid)
            && read_client(&document)?.dynamically_registered
        {
            let expect = Expect::Revision(document.revision);
            writes.extend(self.client_deletion(&unused.server, &unused.client, expect));
            events.push(Event::new("client", "expired").client(&unused.client));
        }
        self.commit(tenant, writes, events, Some(&unused.server), &Call::default()).await
    }
}

//! What a workspace has that was made before it belonged to every workspace: added when the workspace is loaded, once.
//!
//! The server document says up to which version its workspace was brought. Its revision is the precondition of the one
//! commit that adds what is missing, so of all nodes that load it exactly one adds, and what an administrator takes away
//! afterwards stays away.

use crate::workspace::CATALOG_LIMIT;
use crate::workspaces::{default_services, put_new, replace};
use crate::{Call, Engine, EngineError, Workspace};
use protocol::decision::Event;
use protocol::id::{ServerId, TenantId};
use protocol::record::{Document, DocumentKind, Write};
use protocol::scope::Scope;
use protocol::server::{Server, VERSION};
use store::Page;

/// How often a change of somebody else is waited out.
const ATTEMPTS: usize = 5;

impl Engine {
    /// Brings a workspace of an older version up; whether it is worth loading again. When the store does not take it,
    /// the workspace is used as it is, and the next load tries again.
    pub(crate) async fn bring_up(&self, workspace: &Workspace) -> bool {
        if workspace.server.version >= VERSION {
            return false;
        }
        // Keys take long to make: once on this node, however many requests wait.
        let _alone = self.bringing_up.lock().await;
        let (tenant, server) = (&workspace.tenant, &workspace.server.id);
        for _ in 0..ATTEMPTS {
            match self.add_what_is_missing(tenant, server).await {
                Ok(()) => return true,
                Err(EngineError::Conflict { .. }) => {}
                Err(error) => {
                    tracing::warn!(%tenant, %server, %error, "a workspace of an older version stays as it is");
                    return false;
                }
            }
        }
        tracing::warn!(%tenant, %server, "a workspace of an older version changes all the time");
        false
    }

    async fn add_what_is_missing(&self, tenant: &TenantId, id: &ServerId) -> Result<(), EngineError> {
        let Some(document) = self.document(tenant, DocumentKind::Server, id.as_str()).await? else {
            return Ok(());
        };
        let before: Server = document.read()?;
        if before.version >= VERSION {
            self.cache.changed(tenant);
            return Ok(());
        }
        let server = Server { version: VERSION, ..before };
        let mut writes = vec![replace(&document, &server)?];
        writes.extend(self.missing_scopes(tenant, id).await?);
        for key in self.missing_encryption_keys(tenant, &server).await? {
            writes.push(put_new(self.new_child(DocumentKind::Key, &key.kid, id, &key)?));
        }
        let event = Event::new("server", "brought_up").detail(format!("{id} to version {VERSION}"));
        self.commit(tenant, writes, vec![event], Some(id), &Call::default()).await
    }

    /// Scopes of the services that every workspace starts with; a service that is gone, and a name or identifier that is
    /// taken, were an administrator's decision.
    async fn missing_scopes(&self, tenant: &TenantId, id: &ServerId) -> Result<Vec<Write>, EngineError> {
        let parent = Some(id.as_str());
        let present =
            self.documents(tenant, DocumentKind::Scope, parent, &Page::first(CATALOG_LIMIT)).await?;
        let present: Vec<Scope> = present.iter().map(Document::read).collect::<Result<_, _>>()?;
        let is_named = |name: &str| present.iter().any(|scope| scope.name == name);
        let mut writes = Vec::new();
        for (service, scopes) in default_services(id) {
            if self.document(tenant, DocumentKind::Service, service.id.as_str()).await?.is_none() {
                continue;
            }
            for scope in scopes.iter().filter(|scope| !is_named(&scope.name)) {
                if self.document(tenant, DocumentKind::Scope, &scope.id).await?.is_none() {
                    writes.push(put_new(self.new_child(DocumentKind::Scope, &scope.id, id, scope)?));
                }
            }
        }
        Ok(writes)
    }
}

//! What the management API asks of the engine: who calls, and documents by name.

use crate::hashing::Hashing;
use crate::{Call, Engine, EngineError};
use protocol::client::HashedSecret;
use protocol::decision::{Entropy, Event};
use protocol::error::{Reason, Refusal};
use protocol::id::{ClientId, ServerId, TenantId, Uid};
use protocol::rate_limit::Module;
use protocol::record::{
    Artifact, ArtifactKind, Document, DocumentKind, Expect, Found, GrantSelector, HandleHash, Lookup,
    Payload, Write,
};
use protocol::resource_request::ResourceRequest;
use protocol::scope::ScopeSet;
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::Page;

/// The workspace whose tokens administer a tenant.
pub const ADMIN_WORKSPACE: &str = "admin";

/// The tenant whose administrators are those of the whole server (contract b.3). It is made like any other, by
/// `postern create-tenant`; without it nobody is.
pub const SYSTEM_TENANT: &str = "system";

/// How long a deleted client's name is remembered; no token of it lives longer.
const TOMBSTONE_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);

/// Who calls the admin API.
#[derive(Clone, Debug)]
pub struct Caller {
    pub tenant: TenantId,
    pub client_id: ClientId,
    pub scope: ScopeSet,
}

/// Remembers when a client of this id was deleted.
#[derive(Serialize, Deserialize)]
struct Tombstone {
    deleted_at: Timestamp,
}

impl Payload for Tombstone {
    const KIND: ArtifactKind = ArtifactKind::Tombstone;
}

impl Engine {
    /// The caller behind a request: a client of the tenant's workspace `admin`, by a living
    /// access token of that workspace that was issued to the client itself.
    ///
    /// # Errors
    /// `invalid_token` (RFC 6750 §3.1); the same for tokens of other workspaces, ID tokens and user tokens.
    pub async fn admin_caller(
        &self,
        tenant: &TenantId,
        request: &ResourceRequest<'_>,
        call: &Call,
    ) -> Result<Caller, Refusal> {
        let Some(workspace) = self.workspace(tenant.as_str(), ADMIN_WORKSPACE).await? else {
            request.token()?;
            return Err(Reason::TokenSignature.into());
        };
        let (active, client) = self.resource_access(&workspace, request, call).await?;
        if active.subject().is_some() {
            return Err(
                Refusal::new(Reason::TokenKindWrong).expected("a token of a client of workspace admin")
            );
        }
        // Only now: a stranger cannot use up what is the administrators'.
        self.admit(&workspace, Module::Admin)?;
        Ok(Caller { tenant: tenant.clone(), client_id: client.client_id.clone(), scope: active.scope })
    }

    /// The tenant of that id.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn tenant(&self, tenant: &TenantId) -> Result<Option<Tenant>, EngineError> {
        Ok(self.store.tenant(tenant).await?)
    }

    /// The document of that kind and id.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn document(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
        id: &str,
    ) -> Result<Option<Document>, EngineError> {
        match self.store.load(tenant, &[Lookup::Document(kind, id.to_owned())]).await?.pop() {
            Some(Found::Document(document)) => Ok(document),
            _ => Ok(None),
        }
    }

    /// A page of documents, under `parent` when given, in the order of their ids.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn documents(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
        parent: Option<&str>,
        page: &Page,
    ) -> Result<Vec<Document>, EngineError> {
        Ok(self.store.documents(tenant, kind, parent, page).await?)
    }

    /// When a client of this id was last deleted, if that is remembered.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn client_deleted_at(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Timestamp>, EngineError> {
        let lookup = [Lookup::Artifact(ArtifactKind::Tombstone, tombstone_key(client))];
        match self.store.load(tenant, &lookup).await?.pop() {
            Some(Found::Artifact(Some(artifact), _)) => Ok(Some(artifact.payload::<Tombstone>()?.deleted_at)),
            _ => Ok(None),
        }
    }

    /// Deletes a client: its grants and tokens die with it, and its id inherits nothing (attacks ADM-26, W-09).
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when it changed meanwhile.
    pub async fn delete_client(
        &self,
        tenant: &TenantId,
        server: &ServerId,
        client: &ClientId,
        expect: Expect,
        call: &Call,
    ) -> Result<(), EngineError> {
        let writes = self.client_deletion(server, client, expect);
        let event = Event::new("client", "deleted").client(client);
        self.commit(tenant, writes, vec![event], Some(server), call).await
    }

    /// The writes of [`Engine::delete_client`].
    pub(crate) fn client_deletion(&self, server: &ServerId, client: &ClientId, expect: Expect) -> Vec<Write> {
        let now = self.now();
        let selector = GrantSelector::Client(server.clone(), client.clone());
        let tombstone =
            Artifact::new(tombstone_key(client), now.plus(TOMBSTONE_LIFE), &Tombstone { deleted_at: now });
        vec![
            Write::DeleteDocument { kind: DocumentKind::Client, id: client.as_str().to_owned(), expect },
            Write::RevokeGrants { selector, at: now },
            Write::PutArtifact { artifact: tombstone, expect: Expect::Any },
        ]
    }

    /// A new secret of 256 random bits (43 characters of base64url), and its stored form.
    pub fn new_secret(&self) -> (String, HashedSecret) {
        Hashing::new_secret()
    }

    /// The stored form of a secret that somebody chose.
    ///
    /// # Errors
    /// When too many passwords are being hashed.
    pub async fn hash_chosen_secret(&self, secret: &str) -> Result<HashedSecret, EngineError> {
        Ok(HashedSecret(self.hashing.hash(secret).await?))
    }

    /// Whether `secret` is the one whose stored form is `hash`.
    ///
    /// # Errors
    /// When too many passwords are being hashed.
    pub async fn fits_chosen_secret(&self, secret: &str, hash: &str) -> Result<bool, EngineError> {
        self.hashing.verify_password(secret, Some(hash)).await
    }

    /// A new identifier: 32 lower-case hexadecimal digits.
    pub fn new_id(&self) -> String {
        let mut bytes = [0u8; 16];
        crate::entropy::SystemEntropy::default().fill(&mut bytes);
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    pub fn new_uid(&self) -> Uid {
        Uid::new(self.new_id())
    }
}

fn tombstone_key(client: &ClientId) -> HandleHash {
    HandleHash::of(&format!("client\0{client}"))
}

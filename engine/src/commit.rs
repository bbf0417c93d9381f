//! Signing and committing: what stands between a decision and its answer.

use crate::audit::Origin;
use crate::encryption::NESTED;
use crate::{ADMIN_WORKSPACE, Call, Engine, EngineError, SPANS, Workspace};
use jose::{Algorithm, SigningKey};
use protocol::client::Client;
use protocol::decision::Event;
use protocol::id::{ServerId, TenantId};
use protocol::record::{DocumentKind, Write};
use protocol::single_use::SingleUse;
use protocol::token::{AccessTokenDraft, IdTokenDraft};
use store::{Batch, StoredEvent};
use tokio::time::Instant;

impl Engine {
    /// Commits the writes of a decision with its events. Without writes the events go to the audit stream:
    /// no durable write for a stateless token.
    pub(crate) async fn commit_decision(
        &self,
        workspace: &Workspace,
        writes: Vec<Write>,
        events: Vec<Event>,
        call: &Call,
    ) -> Result<(), EngineError> {
        let server = &workspace.server.id;
        if writes.is_empty() {
            let now = self.now();
            for event in events {
                self.audit.push(&workspace.tenant, Some(server), event, now, call);
            }
            return Ok(());
        }
        self.commit(&workspace.tenant, writes, events, Some(server), call).await
    }

    /// [`Engine::commit_decision`] together with what counts once.
    ///
    /// # Errors
    /// [`EngineError::Replayed`] when something of `once` was seen before, else as [`Engine::commit`].
    pub(crate) async fn commit_once(
        &self,
        workspace: &Workspace,
        once: &[SingleUse],
        writes: Vec<Write>,
        events: Vec<Event>,
        call: &Call,
    ) -> Result<(), EngineError> {
        let writes = once.iter().map(|single| single.write.clone()).chain(writes).collect();
        match self.commit_decision(workspace, writes, events, call).await {
            Err(EngineError::Conflict { index }) => match once.get(index) {
                Some(single) => Err(EngineError::Replayed(single.replayed)),
                None => Err(EngineError::Conflict { index }),
            },
            other => other,
        }
    }

    /// Commits writes and events together; afterwards this node serves nothing older.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when a precondition did not hold; nothing was written then.
    pub async fn commit(
        &self,
        tenant: &TenantId,
        writes: Vec<Write>,
        events: Vec<Event>,
        server: Option<&ServerId>,
        call: &Call,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let configuration = writes.iter().any(changes_configuration);
        let revokes = writes.iter().any(Write::revokes);
        let keep = |event| {
            // What belongs to no workspace stands in the trail of the administration.
            let server = server.cloned().unwrap_or_else(|| ServerId::new(ADMIN_WORKSPACE));
            let kept = Origin::of(call).keep(event, now, Some(server), None);
            StoredEvent { exports: self.exports, ..kept }
        };
        let events = events.iter().map(keep).collect();
        self.store.commit(tenant, Batch { writes, events }).await?;
        if configuration {
            self.cache.changed(tenant);
        }
        if revokes {
            self.cache.revoked(tenant);
        }
        Ok(())
    }

    /// An access token as it leaves.
    pub(crate) async fn sign_access_token(
        &self,
        workspace: &Workspace,
        draft: &AccessTokenDraft,
    ) -> Result<String, EngineError> {
        match draft {
            AccessTokenDraft::Jwt { typ, alg, claims } => self.sign_jwt(workspace, *alg, typ, claims).await,
            AccessTokenDraft::Opaque(handle) => Ok(handle.expose().to_owned()),
        }
    }

    /// An ID token as it leaves, bound to the access token and the code beside it, encrypted if the client wants it.
    ///
    /// # Errors
    /// The client has no key to encrypt to.
    pub(crate) async fn sign_id_token(
        &self,
        workspace: &Workspace,
        client: &Client,
        draft: &IdTokenDraft,
        access_token: Option<&str>,
        code: Option<&str>,
    ) -> Result<String, EngineError> {
        let signed = self.sign_jwt(workspace, draft.alg, "JWT", &draft.claims(access_token, code)).await?;
        match draft.encryption {
            Some(encryption) => self.encrypt_to(client, encryption, NESTED, signed.as_bytes()).await,
            None => Ok(signed),
        }
    }

    /// Signs claims with the workspace's current key of the algorithm, making the key when it is first needed.
    pub(crate) async fn sign_jwt(
        &self,
        workspace: &Workspace,
        alg: Algorithm,
        typ: &str,
        claims: &[u8],
    ) -> Result<String, EngineError> {
        if let Some(key) = workspace.keys.signer(alg) {
            return self.sign_with(key, typ, claims);
        }
        self.ensure_key(workspace, alg).await?;
        let fresh = self.workspace(workspace.tenant.as_str(), workspace.server.id.as_str()).await?;
        let key = fresh.as_ref().and_then(|w| w.keys.signer(alg));
        let key = key.ok_or_else(|| EngineError::Internal(format!("no key for {}", alg.name())))?;
        self.sign_with(key, typ, claims)
    }

    fn sign_with(&self, key: &SigningKey, typ: &str, claims: &[u8]) -> Result<String, EngineError> {
        let _span = tracing::info_span!(target: SPANS, "sign", alg = key.algorithm().name()).entered();
        let started = Instant::now();
        let signed = key.sign_jwt_bytes(typ, claims)?;
        self.measures.signed(key.algorithm(), started.elapsed());
        Ok(signed)
    }
}

fn changes_configuration(write: &Write) -> bool {
    let kind: DocumentKind = match write {
        Write::PutDocument { document, .. } => document.kind,
        Write::DeleteDocument { kind, .. } | Write::DeleteChildren { kind, .. } => *kind,
        _ => return false,
    };
    kind.is_configuration()
}

//! The rows of one tenant.

use crate::{Epoch, StoredEvent};
use protocol::grant_record::GrantRecord;
use protocol::id::GrantId;
use protocol::record::{
    Artifact, ArtifactKind, Document, DocumentKind, Expect, Found, GrantSelector, HandleHash, Lookup, Write,
};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything of one tenant. Kinds are separate key spaces (attack COD-11).
#[derive(Clone)]
pub(super) struct Rows {
    pub(super) tenant: Tenant,
    pub(super) epoch: Epoch,
    pub(super) artifacts: BTreeMap<(&'static str, HandleHash), Artifact>,
    pub(super) documents: BTreeMap<(&'static str, String), Document>,
    pub(super) grants: BTreeMap<GrantId, GrantRecord>,
    pub(super) events: Vec<StoredEvent>,
}

impl Rows {
    /// Whether configuration changed; `None` when the precondition does not hold.
    pub(super) fn apply(&mut self, write: Write) -> Option<bool> {
        match write {
            Write::PutArtifact { artifact, expect } => self.put_artifact(artifact, expect),
            Write::DeleteArtifact { kind, hash, expect } => {
                let key = (kind.name(), hash);
                expect.holds(self.artifacts.get(&key).map(|artifact| artifact.revision))?;
                self.artifacts.remove(&key);
                Some(false)
            }
            Write::PutGrant { grant, expect } => self.put_grant(grant, expect),
            Write::RequireGrant { id, revision } => {
                let present = self.grants.get(&id).map(|grant| grant.revision);
                Expect::Revision(revision).holds(present).map(|_| false)
            }
            Write::RevokeGrant { id, at } => {
                self.revoke(at, |grant| grant.id == id);
                Some(false)
            }
            Write::RevokeGrants { selector, at } => {
                self.revoke(at, |grant| selector.selects(grant));
                Some(false)
            }
            Write::PutDocument { document, expect } => self.put_document(document, expect),
            Write::DeleteDocument { kind, id, expect } => {
                let key = (kind.name(), id);
                expect.holds(self.documents.get(&key).map(|document| document.revision))?;
                Some(self.documents.remove(&key).is_some() && kind.is_configuration())
            }
            Write::DeleteChildren { kind, parent } => {
                let before = self.documents.len();
                self.documents.retain(|_, document| {
                    document.kind != kind || document.parent.as_deref() != Some(parent.as_str())
                });
                Some(self.documents.len() < before && kind.is_configuration())
            }
        }
    }

    fn put_artifact(&mut self, artifact: Artifact, expect: Expect) -> Option<bool> {
        let key = (artifact.kind.name(), artifact.hash);
        let revision = expect.holds(self.artifacts.get(&key).map(|present| present.revision))?;
        self.artifacts.insert(key, Artifact { revision, ..artifact });
        Some(false)
    }

    /// A revocation is final: replacing a grant never takes it back.
    fn put_grant(&mut self, grant: GrantRecord, expect: Expect) -> Option<bool> {
        let present = self.grants.get(&grant.id);
        let revision = expect.holds(present.map(|present| present.revision))?;
        let revoked_at = present.and_then(|present| present.revoked_at).or(grant.revoked_at);
        self.grants.insert(grant.id.clone(), GrantRecord { revision, revoked_at, ..grant });
        Some(false)
    }

    fn put_document(&mut self, document: Document, expect: Expect) -> Option<bool> {
        let key = (document.kind.name(), document.id.clone());
        let present = self.documents.get(&key);
        let revision = expect.holds(present.map(|present| present.revision))?;
        let mut document = Document { revision, ..document };
        if let Some(present) = present {
            document.uid = present.uid.clone();
            document.created_at = present.created_at;
        }
        let changed = document.kind.is_configuration();
        self.documents.insert(key, document);
        Some(changed)
    }

    fn revoke(&mut self, at: Timestamp, selects: impl Fn(&GrantRecord) -> bool) {
        for grant in self.grants.values_mut() {
            if grant.revoked_at.is_none() && selects(grant) {
                grant.revoked_at = Some(at);
                grant.revision += 1;
            }
        }
    }

    pub(super) fn find(&self, lookup: &Lookup) -> Found {
        match lookup {
            Lookup::Artifact(kind, hash) => {
                let artifact = self.artifacts.get(&(kind.name(), *hash)).cloned();
                let id = artifact.as_ref().and_then(|artifact| artifact.grant.as_ref());
                let grant = id.and_then(|id| self.grants.get(id)).cloned();
                Found::Artifact(artifact, grant.map(Arc::new))
            }
            Lookup::Grant(id) => Found::Grant(self.grants.get(id).cloned().map(Arc::new)),
            Lookup::Document(kind, id) => {
                Found::Document(self.documents.get(&(kind.name(), id.clone())).cloned())
            }
        }
    }

    pub(super) fn documents(&self, kind: DocumentKind, parent: Option<&str>) -> Vec<Document> {
        let listed = |document: &&Document| {
            document.kind == kind && (parent.is_none() || document.parent.as_deref() == parent)
        };
        self.documents.values().filter(listed).cloned().collect()
    }

    pub(super) fn artifacts(&self, kind: ArtifactKind, owner: &str, now: Timestamp) -> Vec<Artifact> {
        let listed = |artifact: &&Artifact| {
            artifact.kind == kind && artifact.owner.as_deref() == Some(owner) && artifact.expires_at > now
        };
        self.artifacts.values().filter(listed).cloned().collect()
    }

    pub(super) fn grants(&self, selector: &GrantSelector) -> Vec<GrantRecord> {
        let mut found: Vec<GrantRecord> =
            self.grants.values().filter(|grant| selector.selects(grant)).cloned().collect();
        found.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        found
    }
}

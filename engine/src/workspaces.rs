//! Making and unmaking tenants, workspaces and their keys.

use crate::readable::readable;
use crate::{Call, Engine, EngineError, Workspace, keyring};
use jose::{Algorithm, KeyManagement};
use protocol::decision::Event;
use protocol::id::{IdpId, ServerId, ServiceId, TenantId, Uid};
use protocol::idp::Idp;
use protocol::key::{KeyAlgorithm, KeyDocument, KeyState};
use protocol::record::{Document, DocumentKind, Expect, GrantSelector, Write};
use protocol::scope::Scope;
use protocol::server::{Server, VERSION};
use protocol::service::Service;
use protocol::tenant::Tenant;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::Page;

/// A workspace to be made.
pub struct NewServer {
    pub server: Server,
    /// Users of its Sandbox identity provider; their passwords are hashed already.
    pub users: Vec<protocol::idp::StaticUser>,
}

/// Services and scopes that every workspace starts with: service, its type, and its scopes.
type DefaultService = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const DEFAULT_SERVICES: &[DefaultService] = &[
    (
        "profile",
        "Profile",
        "oidc",
        &[
            ("openid", "Sign you in"),
            ("profile", "Profile"),
            ("email", "Email address"),
            ("phone", "Phone number"),
            ("address", "Postal address"),
            ("offline_access", "Stay signed in"),
        ],
    ),
    (
        "oauth2",
        "OAuth2",
        "oauth2",
        &[
            ("introspect_tokens", "Introspect tokens"),
            ("revoke_tokens", "Revoke tokens"),
            ("list_clients_with_access", "List clients with access"),
            ("revoke_client_access", "Revoke client access"),
            ("dcr_register", "Register applications"),
            ("view_sessions", "View sessions"),
            ("manage_sessions", "End sessions"),
            ("manage_tokens", "Revoke own tokens"),
        ],
    ),
    (
        "user-privacy-consent",
        "User Privacy & Consent",
        "system",
        &[("view_consents", "View consents"), ("manage_consents", "Manage consents")],
    ),
];

/// The encryption keys of a workspace, by the first algorithm of their kind.
const ENCRYPTION_KEYS: &[KeyManagement] = &[KeyManagement::RsaOaep256, KeyManagement::EcdhEs];

impl Engine {
    /// Creates a tenant without workspaces.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when the id is taken.
    pub async fn create_tenant(&self, id: &TenantId, name: &str) -> Result<Tenant, EngineError> {
        let tenant =
            Tenant { id: id.clone(), name: name.to_owned(), uid: self.new_uid(), created_at: self.now() };
        self.store.create_tenant(&tenant).await?;
        Ok(tenant)
    }

    /// Tenants, in the order of their ids.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn tenants(&self, page: &Page) -> Result<Vec<Tenant>, EngineError> {
        Ok(self.store.tenants(page).await?)
    }

    /// Creates a workspace with keys, default services and scopes and a Sandbox identity provider, in one
    /// commit.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when the id is taken in the tenant.
    pub async fn create_server(
        &self,
        tenant: &TenantId,
        new: NewServer,
        call: &Call,
    ) -> Result<Document, EngineError> {
        let mut server = new.server;
        server.tenant_id = tenant.clone();
        server.version = VERSION;
        let id = server.id.clone();
        let document = self.new_document(DocumentKind::Server, id.as_str(), None, &server)?;
        let mut writes = vec![put_new(document.clone())];
        for (service, scopes) in default_services(&id) {
            writes.push(put_new(self.new_child(
                DocumentKind::Service,
                service.id.as_str(),
                &id,
                &service,
            )?));
            for scope in scopes {
                writes.push(put_new(self.new_child(DocumentKind::Scope, &scope.id, &id, &scope)?));
            }
        }
        let idp = Idp {
            id: IdpId::new(format!("{id}-sandbox")),
            authorization_server_id: id.clone(),
            name: "Sandbox".to_owned(),
            method: "static".to_owned(),
            users: new.users,
            ..Idp::default()
        };
        writes.push(put_new(self.new_child(DocumentKind::Idp, idp.id.as_str(), &id, &idp)?));
        for key in self.first_keys(&server).await? {
            writes.push(put_new(self.new_child(DocumentKind::Key, &key.kid, &id, &key)?));
        }
        let event = Event::new("server", "created").detail(id.as_str());
        self.commit(tenant, writes, vec![event], Some(&id), call).await?;
        let made = self.document(tenant, DocumentKind::Server, id.as_str()).await?;
        made.ok_or(EngineError::NotFound)
    }

    /// Deletes a workspace with everything in it; every grant of it dies.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when it changed meanwhile.
    pub async fn delete_server(
        &self,
        tenant: &TenantId,
        server: &ServerId,
        expect: Expect,
        call: &Call,
    ) -> Result<(), EngineError> {
        let id = server.as_str().to_owned();
        let mut writes = vec![
            Write::DeleteDocument { kind: DocumentKind::Server, id: id.clone(), expect },
            Write::RevokeGrants { selector: GrantSelector::Server(server.clone()), at: self.now() },
        ];
        let kinds = [
            DocumentKind::Client,
            DocumentKind::Service,
            DocumentKind::Scope,
            DocumentKind::Idp,
            DocumentKind::Key,
        ];
        writes.extend(kinds.map(|kind| Write::DeleteChildren { kind, parent: id.clone() }));
        let event = Event::new("server", "deleted").detail(id);
        self.commit(tenant, writes, vec![event], Some(server), call).await
    }

    /// A document that is not stored yet.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn new_document(
        &self,
        kind: DocumentKind,
        id: &str,
        parent: Option<&str>,
        body: &impl Serialize,
    ) -> Result<Document, EngineError> {
        let now = self.now();
        Ok(Document {
            kind,
            id: id.to_owned(),
            parent: parent.map(str::to_owned),
            uid: Uid::new(self.new_id()),
            revision: 0,
            created_at: now,
            updated_at: now,
            body: serde_json::to_string(body).map_err(|e| EngineError::Internal(e.to_string()))?,
        })
    }

    pub(crate) fn new_child(
        &self,
        kind: DocumentKind,
        id: &str,
        server: &ServerId,
        body: &impl Serialize,
    ) -> Result<Document, EngineError> {
        self.new_document(kind, id, Some(server.as_str()), body)
    }

    /// Keys of a new workspace, current and next: of its own algorithm, and RS256 beside it (decisions 5); and those
    /// that request objects are encrypted to, which need no next: nobody has to know them beforehand. RSA
    /// keys take long to make, so workspaces for machines get theirs when a client first asks for one.
    async fn first_keys(&self, server: &Server) -> Result<Vec<KeyDocument>, EngineError> {
        let own = keyring::algorithm_of(&server.key_type);
        let make = |alg: Algorithm, state| self.make_key(&server.id, alg.into(), state);
        let (current, next) = tokio::try_join!(make(own, KeyState::Current), make(own, KeyState::Next))?;
        let mut keys = vec![current, next];
        if is_for_machines(server) {
            return Ok(keys);
        }
        if own != Algorithm::RS256 {
            let rs256 = Algorithm::RS256;
            let beside = tokio::try_join!(make(rs256, KeyState::Current), make(rs256, KeyState::Next))?;
            keys.extend([beside.0, beside.1]);
        }
        for alg in ENCRYPTION_KEYS {
            keys.push(self.make_key(&server.id, (*alg).into(), KeyState::Current).await?);
        }
        Ok(keys)
    }

    /// The encryption keys that a workspace made without them is to get.
    pub(crate) async fn missing_encryption_keys(
        &self,
        tenant: &TenantId,
        server: &Server,
    ) -> Result<Vec<KeyDocument>, EngineError> {
        let mut made = Vec::new();
        if is_for_machines(server) {
            return Ok(made);
        }
        let present = self.keys(tenant, &server.id).await?;
        for alg in ENCRYPTION_KEYS.iter().map(|alg| KeyAlgorithm::from(*alg)) {
            if !present.iter().any(|key| key.alg == alg) {
                made.push(self.make_key(&server.id, alg, KeyState::Current).await?);
            }
        }
        Ok(made)
    }

    async fn make_key(
        &self,
        server: &ServerId,
        alg: KeyAlgorithm,
        state: KeyState,
    ) -> Result<KeyDocument, EngineError> {
        let (server, now) = (server.clone(), self.now());
        let sealer = crate::derive::Deriver::new(&self.config.key, "postern");
        tokio::task::spawn_blocking(move || keyring::generate(&server, alg, state, now, &sealer))
            .await
            .map_err(|e| EngineError::Internal(format!("key generation: {e}")))?
    }

    /// Keys of a workspace, revoked ones included.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn keys(&self, tenant: &TenantId, server: &ServerId) -> Result<Vec<KeyDocument>, EngineError> {
        Ok(self.key_documents(tenant, server).await?.into_iter().map(|(_, key)| key).collect())
    }

    /// Rotates the keys of an algorithm: the next key becomes current, the current one rotated, and a new next
    /// key is published. An encryption key is replaced by a new one.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when somebody rotates at the same time.
    pub async fn rotate_key(
        &self,
        tenant: &TenantId,
        server: &ServerId,
        alg: KeyAlgorithm,
        call: &Call,
    ) -> Result<KeyDocument, EngineError> {
        let now = self.now();
        let (mut writes, mut promoted) = (Vec::new(), None);
        for (document, mut key) in self.key_documents(tenant, server).await? {
            if key.alg != alg {
                continue;
            }
            key.state = match key.state {
                KeyState::Current => KeyState::Rotated(now),
                KeyState::Next => KeyState::Current,
                _ => continue,
            };
            writes.push(replace(&document, &key)?);
            if key.state == KeyState::Current {
                promoted = Some(key);
            }
        }
        let mut create = async |state| -> Result<KeyDocument, EngineError> {
            let key = self.make_key(server, alg, state).await?;
            writes.push(put_new(self.new_child(DocumentKind::Key, &key.kid, server, &key)?));
            Ok(key)
        };
        let current = match promoted {
            Some(key) => key,
            None => create(KeyState::Current).await?,
        };
        if matches!(alg, KeyAlgorithm::Signature(_)) {
            create(KeyState::Next).await?;
        }
        let event = Event::new("key", "rotated").detail(current.kid.as_str());
        self.commit(tenant, writes, vec![event], Some(server), call).await?;
        Ok(current)
    }

    /// Revokes a key that no longer signs: what it signed stops verifying here at once.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown key; [`EngineError::Conflict`] for one that still signs or
    /// is about to.
    pub async fn revoke_key(
        &self,
        tenant: &TenantId,
        server: &ServerId,
        kid: &str,
        call: &Call,
    ) -> Result<KeyDocument, EngineError> {
        let keys = self.key_documents(tenant, server).await?;
        let (document, mut key) =
            keys.into_iter().find(|(_, k)| k.kid == kid).ok_or(EngineError::NotFound)?;
        match key.state {
            KeyState::Revoked(_) => return Ok(key),
            KeyState::Rotated(_) => key.state = KeyState::Revoked(self.now()),
            KeyState::Current | KeyState::Next => return Err(EngineError::Conflict { index: 0 }),
        }
        let event = Event::new("key", "revoked").detail(kid);
        self.commit(tenant, vec![replace(&document, &key)?], vec![event], Some(server), call).await?;
        Ok(key)
    }

    /// Makes the current key of an algorithm that is needed for the first time.
    pub(crate) async fn ensure_key(&self, workspace: &Workspace, alg: Algorithm) -> Result<(), EngineError> {
        let (tenant, server) = (&workspace.tenant, &workspace.server.id);
        let exists = |k: &KeyDocument| k.alg == alg.into() && k.state == KeyState::Current;
        if self.keys(tenant, server).await?.iter().any(exists) {
            self.cache.changed(tenant);
            return Ok(());
        }
        let key = self.make_key(server, alg.into(), KeyState::Current).await?;
        let write = put_new(self.new_child(DocumentKind::Key, &key.kid, server, &key)?);
        let event = Event::new("key", "created").detail(alg.name());
        self.commit(tenant, vec![write], vec![event], Some(server), &Call::default()).await
    }

    async fn key_documents(
        &self,
        tenant: &TenantId,
        server: &ServerId,
    ) -> Result<Vec<(Document, KeyDocument)>, EngineError> {
        let page = Page::first(1000);
        let documents = self.documents(tenant, DocumentKind::Key, Some(server.as_str()), &page).await?;
        Ok(readable(documents))
    }
}

/// Such a workspace has clients that act for themselves, and no people.
fn is_for_machines(server: &Server) -> bool {
    matches!(server.server_type.as_str(), "admin" | "system")
}

pub(crate) fn put_new(document: Document) -> Write {
    Write::PutDocument { document, expect: Expect::Absent }
}

pub(crate) fn replace<T: Serialize + DeserializeOwned>(
    document: &Document,
    body: &T,
) -> Result<Write, EngineError> {
    let expect = Expect::Revision(document.revision);
    Ok(Write::PutDocument { document: document.rewritten(body)?, expect })
}

pub(crate) fn default_services(server: &ServerId) -> Vec<(Service, Vec<Scope>)> {
    let make = |(suffix, name, kind, scopes): &DefaultService| {
        let service = Service {
            id: ServiceId::new(format!("{server}-{suffix}")),
            authorization_server_id: server.clone(),
            name: (*name).to_owned(),
            service_type: (*kind).to_owned(),
            system: true,
            ..Service::default()
        };
        let scope = |(name, display): &(&str, &str)| Scope {
            id: format!("{server}-{name}"),
            authorization_server_id: server.clone(),
            service_id: service.id.clone(),
            name: (*name).to_owned(),
            display_name: (*display).to_owned(),
            ..Scope::default()
        };
        let scopes = scopes.iter().map(scope).collect();
        (service, scopes)
    };
    DEFAULT_SERVICES.iter().map(make).collect()
}

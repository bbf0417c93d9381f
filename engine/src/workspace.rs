//! A workspace as requests use it: configuration read once, keys parsed once.

use crate::administration::ADMIN_WORKSPACE;
use crate::derive::Deriver;
use crate::error::EngineError;
use crate::keyring::{self, Keyring};
use crate::known_tokens::WorkspaceSignatures;
use crate::rate_limits::TenantLimits;
use crate::readable::readable;
use bytes::Bytes;
use protocol::decision::{Catalog, Cx, Entropy, Subjects};
use protocol::id::{ServerId, TenantId, Uid};
use protocol::idp::{Idp, StaticUser};
use protocol::key::KeyDocument;
use protocol::protected_resource;
use protocol::record::{Document, DocumentKind, Found, Lookup};
use protocol::server::Server;
use protocol::subject::{CredentialMark, Subject};
use protocol::time::Timestamp;
use std::sync::OnceLock;
use store::{Page, Store};

/// Most services, scopes, providers and keys of one workspace that are read at once.
pub(crate) const CATALOG_LIMIT: usize = 1000;

/// One authorization server with everything a request needs.
pub struct Workspace {
    pub tenant: TenantId,
    pub server: Server,
    /// Issuer identifier, without a trailing slash.
    pub issuer: String,
    pub catalog: Catalog,
    pub keys: Keyring,
    pub(crate) idps: Vec<(Uid, Idp)>,
    pub(crate) deriver: Deriver,
    signatures: WorkspaceSignatures,
    pub(crate) limits: TenantLimits,
    pub(crate) discovery: OnceLock<Bytes>,
    pub(crate) jwks: OnceLock<Bytes>,
}

impl Workspace {
    /// Reads the workspace from the store; `None` if there is none of that name.
    pub(crate) async fn load(
        store: &dyn Store,
        (tenant, server): (&TenantId, &ServerId),
        public_url: &str,
        master: &Deriver,
        (signatures, limits): (WorkspaceSignatures, TenantLimits),
    ) -> Result<Option<Self>, EngineError> {
        let lookup = [Lookup::Document(DocumentKind::Server, server.as_str().to_owned())];
        let found = store.load(tenant, &lookup).await?.pop();
        let Some(Found::Document(Some(document))) = found else { return Ok(None) };
        let settings = read_server(&document)?;
        let parent = Some(server.as_str());
        let page = Page::first(CATALOG_LIMIT);
        let list = async |kind| store.documents(tenant, kind, parent, &page).await;
        let host = public_url.split_once("://").map_or(public_url, |(_, host)| host).to_owned();
        let catalog = Catalog {
            host,
            services: read_all(list(DocumentKind::Service).await?),
            scopes: read_all(list(DocumentKind::Scope).await?),
            management: (server.as_str() == ADMIN_WORKSPACE)
                .then(|| protected_resource::management(public_url, tenant)),
        };
        let idps = readable::<Idp>(list(DocumentKind::Idp).await?);
        let idps = idps.into_iter().map(|(document, idp)| (document.uid, idp)).collect();
        let keys: Vec<KeyDocument> = read_all(list(DocumentKind::Key).await?);
        let keys = Keyring::open(&keys, keyring::algorithm_of(&settings.key_type), master)?;
        let deriver = Deriver::new(&master.key("workspace"), &format!("{tenant}/{}", settings.uid));
        Ok(Some(Self {
            tenant: tenant.clone(),
            issuer: settings.issuer(public_url),
            server: settings,
            catalog,
            keys,
            idps,
            deriver,
            signatures,
            limits,
            discovery: OnceLock::new(),
            jwks: OnceLock::new(),
        }))
    }

    /// The surroundings in which a rule decides.
    pub fn cx<'a>(&'a self, now: Timestamp, entropy: &'a mut dyn Entropy) -> Cx<'a> {
        Cx {
            now,
            arrived_at: now,
            tenant: &self.tenant,
            server: &self.server,
            issuer: &self.issuer,
            catalog: &self.catalog,
            keys: self.keys.verifying(),
            vouchers: &self.signatures,
            decryption_keys: self.keys.decrypting(),
            default_alg: self.keys.default_alg(),
            subjects: self,
            entropy,
            deriver: &self.deriver,
        }
    }

    /// Whether there is a provider at which anybody could log in.
    pub fn takes_logins(&self) -> bool {
        self.static_idps().next().is_some()
    }

    fn static_idps(&self) -> impl Iterator<Item = &(Uid, Idp)> {
        self.idps.iter().filter(|(_, idp)| idp.method == "static" && !idp.disabled)
    }

    /// The enabled Sandbox user of that name, with the provider that holds it.
    pub(crate) fn static_user(&self, username: &str) -> Option<(&Uid, &Idp, &StaticUser)> {
        self.static_idps()
            .find_map(|(uid, idp)| idp.users.iter().find(|u| u.username == username).map(|u| (uid, idp, u)))
    }

    /// The identifier here of whom the identity provider calls `idp_sub`; nothing if there is no such provider.
    pub fn subject_at(&self, idp: &str, idp_sub: &str) -> Option<String> {
        let (uid, idp) = self.idps.iter().find(|(_, known)| known.id.as_str() == idp)?;
        let user = idp.users.iter().find(|user| user.username == idp_sub);
        let identity = user.map_or_else(|| idp_sub.to_owned(), StaticUser::identity);
        Some(crate::password::local_subject(self, uid, &identity))
    }

    pub(crate) fn idp_uid(&self, subject: &Subject) -> Option<&Uid> {
        self.idps.iter().find(|(_, idp)| idp.id == subject.idp).map(|(uid, _)| uid)
    }
}

impl Subjects for Workspace {
    fn named(&self, username: &str, now: Timestamp) -> Option<Subject> {
        let (idp_uid, idp, user) = self.static_user(username)?;
        Some(crate::password::subject_of(self, idp_uid, idp, user, now))
    }

    fn still_exists(&self, subject: &Subject) -> bool {
        self.idps.iter().any(|(_, idp)| {
            idp.id == subject.idp
                && !idp.disabled
                && (idp.method != "static" || idp.users.iter().any(|user| is_same(user, subject)))
        })
    }
}

/// Whether the user is the person of the subject, with the password that began it (attack W-10).
fn is_same(user: &StaticUser, subject: &Subject) -> bool {
    let unchanged = |mark: &CredentialMark| *mark == CredentialMark::of(&user.password_hash);
    user.username == subject.idp_sub && subject.credential.as_ref().is_none_or(unchanged)
}

/// A server document with what stands beside it.
pub(crate) fn read_server(document: &Document) -> Result<Server, EngineError> {
    let mut server: Server = document.read()?;
    server.uid = document.uid.clone();
    server.created_at = document.created_at;
    Ok(server)
}

fn read_all<T: serde::de::DeserializeOwned>(documents: Vec<Document>) -> Vec<T> {
    readable(documents).into_iter().map(|(_, value)| value).collect()
}

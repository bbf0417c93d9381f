//! The desk: loads the facts, asks the rules, signs, commits, and only then answers.
//!
//! One file per endpoint. Clock, entropy, keys, outbound fetch and background jobs live here. There is no HTTP
//! server type and no SQL in this crate.

mod access;
mod administration;
mod audit;
mod authorize;
mod bring_up;
mod cache;
mod client_authentication;
mod client_documents;
mod client_keys;
mod client_lookup;
pub mod clock;
pub mod clock_skew;
mod commit;
mod config;
pub mod demo;
mod derive;
mod device;
mod encryption;
mod end_session;
mod entropy;
mod error;
mod evidence;
mod explanation;
pub mod fetch;
mod form_origin;
mod hash_pool;
pub mod hashing;
pub mod idempotency;
mod interaction;
mod introspect;
mod jobs;
pub mod keyring;
mod known_tokens;
mod login;
mod logout;
mod measured_store;
mod measures;
mod metadata;
mod notice;
mod outbox;
mod par;
mod password;
mod protected_resource;
pub mod rate_limits;
mod readable;
mod registration;
pub mod relying_party;
mod request_object;
mod resource_access;
mod revoke;
mod seal;
mod session;
mod session_management;
mod sessions;
mod throttle;
mod token;
mod tries;
mod unpack;
mod unused_clients;
mod userinfo;
mod way_on;
mod workspace;
mod workspaces;

pub use access::{ClientDetails, ClientWithAccess, GrantedScope};
pub use administration::{ADMIN_WORKSPACE, Caller, SYSTEM_TENANT};
pub use audit::{
    AuditConfig, AuditFilter, AuditPage, AuditQuery, AuditRecord, AuditSink, FileSink, HttpSink, event_key,
};
pub use authorize::{AuthorizeAnswer, Browser, NextPage};
pub use clock::{Clock, SystemClock};
pub use config::EngineConfig;
pub use device::{DeviceLogin, DeviceLoginAnswer, DevicePage, DeviceQuestion};
pub use end_session::EndSessionAnswer;
pub use error::EngineError;
pub use interaction::{ConsentPage, InteractionPage, LoginPage};
pub use login::LoginAnswer;
pub use logout::{LogoutAnswer, LogoutPage};
pub use measures::Measures;
pub use notice::Notice;
pub use outbox::WaitingNotice;
pub use readable::readable;
pub use sessions::{KnownSession, SessionsAnswer, SessionsPage, UserSession};
pub use store::{Cursor, Page, StoredEvent};
pub use userinfo::UserinfoAnswer;
pub use way_on::WayOn;
pub use workspace::Workspace;
pub use workspaces::NewServer;

use audit::{AuditStream, Exporter};
use cache::{ConfigurationCache, TenantState};
use derive::Deriver;
use hashing::Hashing;
use measured_store::MeasuredStore;
use measures::Remembered;
use protocol::id::{ServerId, TenantId};
use protocol::time::Timestamp;
use std::sync::Arc;
use store::Store;

/// The target of all spans. Where nobody wants spans none is ever built.
pub const SPANS: &str = "span";

/// The trace id of a request; the gate puts it into the request's extensions.
#[derive(Clone, Debug, Default)]
pub struct TraceId(pub String);

/// Address of the peer, for throttling; the gate puts it into the request's extensions.
#[derive(Clone, Debug, Default)]
pub struct Source(pub String);

/// What surrounds a call: for logs, audit and explanations.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub trace_id: String,
    /// Method and path, without the query.
    pub request: String,
    pub source: String,
    /// What the caller calls itself.
    pub user_agent: String,
    /// The client on whose authority an administrator acts; empty for all others.
    pub actor: String,
}

/// The use-cases of Postern.
pub struct Engine {
    config: EngineConfig,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    cache: ConfigurationCache,
    signatures: known_tokens::Signatures,
    records: known_tokens::Records,
    hashing: Hashing,
    master: Deriver,
    audit: AuditStream,
    /// Who is told of events: the bits of their sinks.
    exports: i64,
    exporters: Vec<tokio::sync::Mutex<Exporter>>,
    measures: Arc<Measures>,
    explanations: explanation::Explanations,
    /// Held while what is buffered is written out, so that whoever asks for it waits for the one who has it in hand.
    flushing: tokio::sync::Mutex<()>,
    fetch: fetch::Fetch,
    client_key_sets: client_keys::ClientKeySets,
    client_documents: client_documents::ClientDocuments,
    rate_limits: rate_limits::RateLimits,
    tries: tries::Tries,
    /// Held while a workspace of an older version is brought up.
    bringing_up: tokio::sync::Mutex<()>,
}

impl Engine {
    /// Opens the engine over a store, and starts its background jobs on the current runtime.
    ///
    /// # Errors
    /// When the outbound client cannot be built (trust anchors).
    pub fn open(
        config: EngineConfig,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, EngineError> {
        let fetch = fetch::Fetch::new(&config.fetch)?;
        let measures = Arc::new(Measures::default());
        let exports = config.audit.exports();
        let exporters =
            config.audit.sinks.iter().map(|sink| Exporter::new(Arc::clone(sink)).into()).collect();
        let engine = Arc::new(Self {
            hashing: Hashing::new(
                config.hash_slots,
                config.hash_waiting,
                &config.key,
                measures.hashing.clone(),
            ),
            master: Deriver::new(&config.key, "postern"),
            audit: AuditStream::new(exports, Arc::clone(&measures)),
            exports,
            exporters,
            explanations: explanation::Explanations::default(),
            flushing: tokio::sync::Mutex::default(),
            cache: ConfigurationCache::new(),
            signatures: known_tokens::Signatures::new(),
            records: known_tokens::Records::new(),
            client_key_sets: client_keys::ClientKeySets::new(),
            fetch,
            client_documents: client_documents::ClientDocuments::new(),
            rate_limits: rate_limits::RateLimits::default(),
            tries: tries::Tries::default(),
            bringing_up: tokio::sync::Mutex::default(),
            store: Arc::new(MeasuredStore::new(store, Arc::clone(&measures))),
            measures,
            clock,
            config,
        });
        jobs::start(&engine);
        Ok(engine)
    }

    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// Scheme, host and port that clients see.
    pub fn public_url(&self) -> &str {
        &self.config.public_url
    }

    /// Whether this is the demonstration.
    pub fn demo(&self) -> bool {
        self.config.demo
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The one guarded client for everything that leaves by itself.
    pub fn fetch(&self) -> &fetch::Fetch {
        &self.fetch
    }

    /// What is counted here, for whoever shows it.
    pub fn measures(&self) -> &Measures {
        &self.measures
    }

    /// Whether the tenant was seen in the store lately.
    pub fn knows_tenant(&self, tenant: &str) -> bool {
        self.cache.knows_tenant(tenant)
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<(), EngineError> {
        Ok(self.store.ping().await?)
    }

    /// Writes out what is still buffered: every event and explanation that was made before is tried when this returns.
    /// Called twice a second, and at an orderly stop after the last request.
    pub async fn flush(&self) {
        let _only_one = self.flushing.lock().await;
        self.audit.flush(self.store.as_ref()).await;
        self.explanations.flush(self.store.as_ref()).await;
    }

    /// The workspace of that name; `None` if there is no such tenant or workspace.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn workspace(&self, tenant: &str, server: &str) -> Result<Option<Arc<Workspace>>, EngineError> {
        let tenant_id = TenantId::new(tenant);
        let generation = self.generation(&tenant_id).await?;
        let known = self.cache.workspace(tenant, server, generation);
        self.measures.looked(Remembered::Workspace, known.is_some());
        if known.is_some() {
            return Ok(known);
        }
        let name = (&tenant_id, &ServerId::new(server));
        let Some(found) = self.load_workspace(name).await? else { return Ok(None) };
        let (found, generation) = match self.bring_up(&found).await {
            true => {
                let generation = self.generation(&tenant_id).await?;
                (self.load_workspace(name).await?.unwrap_or(found), generation)
            }
            false => (found, generation),
        };
        let workspace = Arc::new(found);
        self.cache.put_workspace(Arc::clone(&workspace), generation);
        Ok(Some(workspace))
    }

    /// Whether what the workspace keeps sealed can be opened with the key of this engine. Changes nothing.
    ///
    /// # Errors
    /// When the store cannot answer, or the key is another one.
    pub async fn opens(&self, tenant: &TenantId, server: &ServerId) -> Result<(), EngineError> {
        self.load_workspace((tenant, server)).await.map(drop)
    }

    async fn load_workspace(&self, name: (&TenantId, &ServerId)) -> Result<Option<Workspace>, EngineError> {
        let held = (self.signatures.of_workspace(), self.tenant_limits(name.0).await?);
        Workspace::load(self.store.as_ref(), name, self.public_url(), &self.master, held).await
    }

    /// The same for what is published and read all the time: while the store does not answer, the workspace as it was
    /// at the last look, so that tokens can still be verified. What was changed here since is not told.
    ///
    /// # Errors
    /// The store does not answer, and nothing is known.
    pub async fn published_workspace(
        &self,
        tenant: &str,
        server: &str,
    ) -> Result<Option<Arc<Workspace>>, EngineError> {
        let outcome = self.workspace(tenant, server).await;
        let Err(EngineError::Unavailable(_)) = outcome else { return outcome };
        let generation = self.cache.tenant(&TenantId::new(tenant)).generation();
        self.cache.workspace(tenant, server, generation).map_or(outcome, |workspace| Ok(Some(workspace)))
    }

    /// The workspace of that name if it is in memory and good without a look at the store.
    pub fn workspace_at_hand(&self, tenant: &str, server: &str) -> Option<Arc<Workspace>> {
        let generation = self.cache.fresh_generation_of(tenant, self.now())?;
        self.cache.workspace(tenant, server, generation)
    }

    /// The generation that cached entries of the tenant must have; looks at the store's epoch when due.
    async fn generation(&self, tenant: &TenantId) -> Result<u64, EngineError> {
        Ok(self.tenant_state(tenant).await?.generation())
    }

    /// The generation that what is known of the tenant's tokens must have.
    async fn revocations(&self, tenant: &TenantId) -> Result<u64, EngineError> {
        Ok(self.tenant_state(tenant).await?.revocations())
    }

    async fn tenant_state(&self, tenant: &TenantId) -> Result<Arc<TenantState>, EngineError> {
        let state = self.cache.tenant(tenant);
        let now = self.now();
        if state.is_due(now) {
            let epoch = self.store.epoch(tenant).await?;
            self.cache.saw_epoch(&state, epoch, now);
        }
        Ok(state)
    }
}

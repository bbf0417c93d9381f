//! Two ready tenants, made once per process and copied into each test's own store.
//!
//! `default` is the demonstration's tenant with some more clients and a second workspace. `acme` is a stranger to
//! it in which the same names stand for other things.

use std::sync::{Arc, LazyLock};

use engine::{Engine, EngineConfig, NewServer};
use protocol::client::{Client, TokenEndpointAuthMethod};
use protocol::id::{ClientId, ServerId, TenantId};
use protocol::idp::StaticUser;
use protocol::record::{Document, DocumentKind, Expect, Write};
use protocol::server::Server;
use protocol::tenant::Tenant;
use store::memory::MemoryStore;
use store::{Batch, Page, Store};
use zeroize::Zeroizing;

use crate::{ManualClock, ORIGIN, REDIRECT_URI};

/// Secret of every client of tenant `acme`.
pub const ACME_SECRET: &str = "acme-acme-acme-acme-acme-acme-acme-acme-acm";
/// Secret of the further confidential clients of tenant `default`: `other`, `post`, `service`, `second-client`.
pub const SERVICE_SECRET: &str = "serv-serv-serv-serv-serv-serv-serv-serv-ser";

/// What the ready tenants' keys are sealed with.
pub const SEAL_KEY: [u8; 32] = [7; 32];

/// Tenants with their documents.
pub(crate) struct Ready(Vec<(Tenant, Vec<Document>)>);

static READY: LazyLock<Ready> = LazyLock::new(|| {
    // A thread and a runtime of its own: the first test's runtime ends with that test.
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(make())
    })
    .join()
    .expect("the ready tenants")
});

impl Ready {
    /// Copies the ready tenants into an empty store.
    pub(crate) async fn copy_into(store: &dyn Store) {
        for (tenant, documents) in &READY.0 {
            store.create_tenant(tenant).await.expect("a new tenant");
            let put = |document: &Document| Write::PutDocument {
                document: Document { revision: 0, ..document.clone() },
                expect: Expect::Absent,
            };
            let writes = documents.iter().map(put).collect();
            store.commit(&tenant.id, Batch { writes, events: Vec::new() }).await.expect("its documents");
        }
    }
}

/// Settings of the test server's engine.
pub(crate) fn config() -> EngineConfig {
    config_with(SEAL_KEY)
}

/// The same with another key.
pub(crate) fn config_with(seal_key: [u8; 32]) -> EngineConfig {
    let mut config = EngineConfig::new(ORIGIN, Zeroizing::new(seal_key));
    config.demo = true;
    config.default_tenant = Some(TenantId::new("default"));
    config
}

async fn make() -> Ready {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::default());
    let engine = Engine::open(config(), Arc::clone(&store), clock).expect("an engine");
    engine.bootstrap_demo().await.expect("the demonstration");
    let default = TenantId::new("default");
    server(&engine, &default, "second", "regular").await;
    for client in default_clients() {
        put_client(&engine, &default, client).await;
    }
    let acme = TenantId::new("acme");
    engine.create_tenant(&acme, "Acme").await.expect("tenant acme");
    server(&engine, &acme, "admin", "admin").await;
    server(&engine, &acme, "default", "regular").await;
    for client in acme_clients() {
        put_client(&engine, &acme, client).await;
    }
    let mut ready = Vec::new();
    for tenant in store.tenants(&Page::first(100)).await.expect("tenants") {
        let mut documents = Vec::new();
        for kind in DocumentKind::ALL {
            let page = Page::first(1000);
            documents.extend(store.documents(&tenant.id, *kind, None, &page).await.expect("documents"));
        }
        ready.push((tenant, documents));
    }
    Ready(ready)
}

async fn server(engine: &Engine, tenant: &TenantId, id: &str, kind: &str) {
    let password_hash = engine.hash_chosen_secret("user").await.expect("a hash").0;
    let user = StaticUser { username: "user".to_owned(), password_hash, ..StaticUser::default() };
    let users = if kind == "regular" { vec![user] } else { Vec::new() };
    let server = Server {
        id: ServerId::new(id),
        name: format!("{tenant} {id}"),
        server_type: kind.to_owned(),
        ..Server::default()
    };
    engine
        .create_server(tenant, NewServer { server, users }, &engine::Call::default())
        .await
        .expect("a workspace");
}

async fn put_client(engine: &Engine, tenant: &TenantId, client: Client) {
    let server = client.authorization_server_id.clone();
    let client = Client { tenant_id: tenant.clone(), ..client };
    let id = client.client_id.as_str();
    let document =
        engine.new_document(DocumentKind::Client, id, Some(server.as_str()), &client).expect("a document");
    let write = Write::PutDocument { document, expect: Expect::Absent };
    engine
        .commit(tenant, vec![write], Vec::new(), Some(&server), &engine::Call::default())
        .await
        .expect("a client");
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// A client that may do whatever this release does; without a secret it is public.
fn client(server: &str, id: &str, secret: Option<&str>) -> Client {
    let grants: &[&str] = match secret {
        Some(_) => &["authorization_code", "refresh_token", "client_credentials"],
        None => &["authorization_code", "refresh_token"],
    };
    Client {
        authorization_server_id: ServerId::new(server),
        client_id: ClientId::new(id),
        client_name: format!("Application {id}"),
        hashed_secret: secret.map(engine::hashing::fast_hash),
        token_endpoint_auth_method: match secret {
            Some(_) => TokenEndpointAuthMethod::ClientSecretBasic,
            None => TokenEndpointAuthMethod::None,
        },
        grant_types: strings(grants),
        scopes: strings(&["openid", "profile", "email", "phone", "address", "offline_access"]),
        redirect_uris: strings(&[REDIRECT_URI]),
        ..Client::default()
    }
}

/// A device without a browser (RFC 8628).
fn television(id: &str) -> Client {
    Client {
        grant_types: strings(&["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]),
        response_types: Vec::new(),
        redirect_uris: Vec::new(),
        ..client("default", id, None)
    }
}

fn default_clients() -> Vec<Client> {
    vec![
        client("default", "app", None),
        client("default", "other-app", None),
        television("tv"),
        television("other-tv"),
        client("default", "other", Some(SERVICE_SECRET)),
        Client {
            token_endpoint_auth_method: TokenEndpointAuthMethod::ClientSecretPost,
            ..client("default", "post", Some(SERVICE_SECRET))
        },
        Client {
            grant_types: strings(&["client_credentials"]),
            scopes: strings(&["introspect_tokens", "revoke_tokens"]),
            redirect_uris: Vec::new(),
            ..client("default", "service", Some(SERVICE_SECRET))
        },
        Client {
            application_type: "native".to_owned(),
            redirect_uris: strings(&[
                "com.example.app:/callback",
                "http://127.0.0.1/callback",
                "http://[::1]/callback",
                "http://localhost/callback",
            ]),
            ..client("default", "native", None)
        },
        Client {
            redirect_uris: strings(&["http://127.0.0.1:3000/callback", "http://localhost:3000/callback"]),
            ..client("default", "local-web", None)
        },
        client("second", "second-app", None),
        client("second", "second-client", Some(SERVICE_SECRET)),
    ]
}

fn acme_clients() -> Vec<Client> {
    let administrator = Client {
        grant_types: strings(&["client_credentials"]),
        scopes: Vec::new(),
        redirect_uris: Vec::new(),
        ..client("admin", "acme-admin", Some(ACME_SECRET))
    };
    vec![administrator, client("default", "client", Some(ACME_SECRET)), client("default", "app", None)]
}

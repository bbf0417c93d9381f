//! A server with two tenants, in memory.

use super::hesitant::HesitantStore;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use engine::{Call, Engine, EngineConfig, NewServer, Page, SystemClock};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use protocol::client::Client;
use protocol::client_auth::Presented;
use protocol::id::TenantId;
use protocol::params::Params;
use protocol::record::{Document, DocumentKind, Expect, Write};
use protocol::server::Server;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use store::memory::MemoryStore;
use tokio::sync::OnceCell;
use tower::ServiceExt;
use zeroize::Zeroizing;

pub(crate) struct World {
    engine: Arc<Engine>,
    router: Router,
    tokens: HashMap<&'static str, String>,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        if status >= 400 {
            assert_eq!(self.body["status_code"], status);
            for member in ["error", "error_code"] {
                assert!(self.body[member].is_string(), "{:#}", self.body);
            }
            assert!(self.body["details"].is_object());
        }
        self
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Two tenants with the same workspaces; the settings may be changed before the start.
    pub(crate) async fn with(settings: impl FnOnce(&mut EngineConfig)) -> Self {
        let engine = open(settings);
        let mut tokens = HashMap::new();
        for tenant in ["default", "other"] {
            tokens.insert(tenant, settle(&engine, tenant).await);
        }
        let world = Self { router: crate::router(Arc::clone(&engine)), engine, tokens };
        for tenant in ["default", "other"] {
            let body = json!({"service_id": "default-profile", "name": "account.*"});
            world.send(Request::post(format!("/api/admin/{tenant}/scopes")), tenant, &body).await.is(201);
        }
        world
    }

    /// A header value that opens the management API of the tenant.
    pub(crate) fn bearer(&self, tenant: &str) -> String {
        format!("Bearer {}", self.tokens[tenant])
    }

    /// An access token for a client of the tenant `default` itself, if its secret is right.
    pub(crate) async fn token(&self, workspace: &str, client: &str, secret: &str) -> Option<String> {
        token(&self.engine, "default", workspace, client, secret).await
    }

    async fn send(&self, request: http::request::Builder, tenant: &str, body: &Value) -> Answer {
        let request = request
            .header("authorization", self.bearer(tenant))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.raw(request).await
    }

    pub(crate) async fn raw(&self, request: Request<Body>) -> Answer {
        read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(format!("/api/admin/default{path}")), "default", &Value::Null).await
    }

    pub(crate) async fn get_with(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(format!("/api/admin/default{path}"))
            .header("authorization", format!("Bearer {token}"));
        self.raw(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Request::post(format!("/api/admin/default{path}")), "default", &body).await
    }

    pub(crate) async fn post_with_key(&self, path: &str, key: &str, body: Value) -> Answer {
        let request = Request::post(format!("/api/admin/default{path}")).header("x-idempotency-key", key);
        self.send(request, "default", &body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Request::put(format!("/api/admin/default{path}")), "default", &body).await
    }

    pub(crate) async fn put_if(&self, path: &str, tag: &str, body: Value) -> Answer {
        let request = Request::put(format!("/api/admin/default{path}")).header("if-match", tag);
        self.send(request, "default", &body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(format!("/api/admin/default{path}")), "default", &Value::Null).await
    }
}

async fn read(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
    Answer { status: parts.status, headers: parts.headers, body }
}

/// The documents of two workspaces. Their keys are made once: that takes longer than all the rest.
static TEMPLATE: OnceCell<Vec<Document>> = OnceCell::const_new();

const KINDS: [DocumentKind; 5] =
    [DocumentKind::Server, DocumentKind::Service, DocumentKind::Scope, DocumentKind::Idp, DocumentKind::Key];

async fn template() -> Vec<Document> {
    let engine = open(|_| {});
    let tenant = TenantId::new("default");
    engine.create_tenant(&tenant, "Default").await.unwrap();
    for (id, server_type) in [("admin", "admin"), ("default", "regular")] {
        let (id, server_type) = (id.into(), server_type.into());
        let server = Server { name: "Test".into(), id, server_type, ..Server::default() };
        engine
            .create_server(&tenant, NewServer { server, users: Vec::new() }, &engine::Call::default())
            .await
            .unwrap();
    }
    let mut all = Vec::new();
    for kind in KINDS {
        all.extend(engine.documents(&tenant, kind, None, &Page::first(1000)).await.unwrap());
    }
    all
}

fn open(settings: impl FnOnce(&mut EngineConfig)) -> Arc<Engine> {
    let mut config = EngineConfig::new("https://localhost:8443", Zeroizing::new([7; 32]));
    settings(&mut config);
    Engine::open(config, Arc::new(HesitantStore(MemoryStore::new())), Arc::new(SystemClock)).unwrap()
}

/// Makes a tenant with the workspaces `admin` and `default`; answers an access token of its administrator.
async fn settle(engine: &Arc<Engine>, name: &str) -> String {
    let tenant = TenantId::new(name);
    engine.create_tenant(&tenant, name).await.unwrap();
    let template = TEMPLATE.get_or_init(template).await;
    let rows = template.iter().cloned().map(|mut document| {
        document.body =
            document.body.replace("\"tenant_id\":\"default\"", &format!("\"tenant_id\":\"{name}\""));
        Write::PutDocument { document, expect: Expect::Absent }
    });
    engine.commit(&tenant, rows.collect(), Vec::new(), None, &engine::Call::default()).await.unwrap();
    let (secret, hash) = engine.new_secret();
    let boss = Client {
        tenant_id: tenant.clone(),
        authorization_server_id: "admin".into(),
        client_id: "boss".into(),
        hashed_secret: Some(hash),
        grant_types: vec!["client_credentials".into()],
        token_endpoint_auth_method: protocol::client::TokenEndpointAuthMethod::ClientSecretPost,
        ..Client::default()
    };
    let document = engine.new_document(DocumentKind::Client, "boss", Some("admin"), &boss).unwrap();
    let write = Write::PutDocument { document, expect: Expect::Absent };
    engine.commit(&tenant, vec![write], Vec::new(), None, &engine::Call::default()).await.unwrap();
    token(engine, name, "admin", "boss", &secret).await.unwrap()
}

/// An access token for a client itself, if its secret is right.
async fn token(
    engine: &Arc<Engine>,
    tenant: &str,
    workspace: &str,
    client: &str,
    secret: &str,
) -> Option<String> {
    let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    let params = Params::parse(form.as_bytes()).ok()?;
    let workspace = engine.workspace(tenant, workspace).await.unwrap().unwrap();
    let presented = Presented::default();
    let answer = engine.token(&workspace, &presented, &params, &Call::default()).await.ok()?;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    Some(answer["access_token"].as_str().unwrap().to_owned())
}

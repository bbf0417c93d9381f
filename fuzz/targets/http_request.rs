//! A whole request against the hall: a request line, header lines, an empty line, a body. Cookies, `Authorization`, paths,
//! queries and forms as they come; nothing makes the server answer with 5xx, and JSON never holds `null`.

use axum::body::Body;
use engine::{Engine, EngineConfig, NewServer, SystemClock};
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::BodyExt;
use protocol::client::{Client, TokenEndpointAuthMethod};
use protocol::id::TenantId;
use protocol::idp::StaticUser;
use protocol::record::{DocumentKind, Expect, Write};
use protocol::server::Server;
use serde_json::Value;
use std::cell::RefCell;
use std::sync::Arc;
use store::memory::MemoryStore;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use zeroize::Zeroizing;

/// Requests after which everything begins anew, so that memory stays small.
const MOST_REQUESTS: u32 = 20_000;

struct Hall {
    runtime: Runtime,
    router: axum::Router,
    requests: u32,
}

thread_local! {
    static HALL: RefCell<Option<Hall>> = const { RefCell::new(None) };
}

pub(crate) fn run(data: &[u8]) {
    let Some(request) = request(data) else { return };
    HALL.with_borrow_mut(|slot| {
        let hall = slot.get_or_insert_with(Hall::open);
        hall.answer(request);
        hall.requests += 1;
        if hall.requests >= MOST_REQUESTS {
            *slot = None;
        }
    });
}

impl Hall {
    fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let router = runtime.block_on(router());
        Self { runtime, router, requests: 0 }
    }

    fn answer(&self, request: Request<Body>) {
        let asked = format!("{} {}", request.method(), request.uri());
        let (parts, body) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("a router never fails");
            let (parts, body) = response.into_parts();
            (parts, body.collect().await.expect("a body in memory").to_bytes())
        });
        assert!(parts.status.as_u16() < 500, "{asked}: {}", parts.status);
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|value| value.starts_with("application/json")) && !body.is_empty() {
            let answer: Value = serde_json::from_slice(&body).expect("JSON");
            let members = answer.as_object().into_iter().flat_map(|members| members.values());
            assert!(members.into_iter().all(|value| !value.is_null()), "{asked}: {answer}");
        }
    }
}

fn request(data: &[u8]) -> Option<Request<Body>> {
    let split = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let (head, body) = data.split_at(split);
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = std::str::from_utf8(lines.next()?).ok()?;
    let (method, target) = line.split_once(' ')?;
    let mut request = Request::new(Body::from(body.get(2..).unwrap_or_default().to_vec()));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = target.parse().ok().filter(|_| target.starts_with('/'))?;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        let name = HeaderName::from_bytes(name).ok()?;
        request.headers_mut().append(name, HeaderValue::from_bytes(value.get(1..)?.trim_ascii()).ok()?);
    }
    Some(request)
}

/// A tenant with one workspace, which fetches nothing from anywhere.
async fn router() -> axum::Router {
    let config = EngineConfig::new("https://as.example", Zeroizing::new([7; 32]));
    let engine =
        Engine::open(config, Arc::new(MemoryStore::new()), Arc::new(SystemClock)).expect("an engine");
    let tenant = TenantId::new("acme");
    engine.create_tenant(&tenant, "Acme").await.expect("a tenant");
    let user = StaticUser { username: "user".to_owned(), ..StaticUser::default() };
    let server = Server {
        id: "shop".into(),
        grant_types: crate::targets::world::WORLDS[0].server.grant_types.clone(),
        ..Server::default()
    };
    engine
        .create_server(&tenant, NewServer { server, users: vec![user] }, &engine::Call::default())
        .await
        .expect("a workspace");
    for (client, secret) in crate::targets::world::WORLDS[0].clients.iter().zip(["web-secret", "", ""]) {
        let hashed_secret = Some(secret).filter(|secret| !secret.is_empty()).map(engine::hashing::fast_hash);
        let method = if secret.is_empty() {
            TokenEndpointAuthMethod::None
        } else {
            TokenEndpointAuthMethod::ClientSecretBasic
        };
        let client = Client {
            tenant_id: tenant.clone(),
            hashed_secret,
            token_endpoint_auth_method: method,
            ..client.clone()
        };
        let server = client.authorization_server_id.clone();
        let document = engine
            .new_document(DocumentKind::Client, client.client_id.as_str(), Some(server.as_str()), &client)
            .expect("a document");
        let write = Write::PutDocument { document, expect: Expect::Absent };
        engine
            .commit(&tenant, vec![write], Vec::new(), Some(&server), &engine::Call::default())
            .await
            .expect("a client");
    }
    web::router(engine)
}

//! `/` and `/{tid}`: where things are.

use crate::accept::lang_of;
use crate::call::call_of;
use crate::content_security_policy::ContentSecurityPolicy;
use crate::not_found;
use crate::pages::landing::{CredentialKind, CredentialView, LandingView, WorkspaceView, landing};
use crate::pages::{Frame, Place, PlaceKind};
use crate::visit::page;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::demo::{DEMO_CLIENT_SECRET, DEMO_SECRET, DEMO_TENANT, DEMO_USER};
use engine::{Cursor, Engine, Page, readable};
use http::StatusCode;
use http::request::Parts;
use protocol::error::{Reason, Refusal};
use protocol::id::{TenantId, is_valid_chosen_id};
use protocol::params::Params;
use protocol::record::DocumentKind;
use protocol::server::Server;
use protocol::tenant::Tenant;
use std::sync::Arc;

/// Workspaces on one page.
const PAGE: usize = 20;
const AFTER: &str = "after_workspace_id";

/// The start page of the server. It names no tenants but the default one: who else lives here is nobody's
/// business.
pub(crate) async fn server(State(engine): State<Arc<Engine>>, head: Parts) -> Response {
    let view = LandingView {
        frame: Frame { workspace_name: None, demonstration: engine.demo() },
        places: places(&engine, &head).await,
        credentials: credentials(&engine),
        ..LandingView::default()
    };
    render(&head, &view)
}

/// The start page of a tenant: its workspaces, a page at a time.
pub(crate) async fn tenant(
    State(engine): State<Arc<Engine>>,
    id: Option<Path<String>>,
    head: Parts,
) -> Response {
    let id = TenantId::new(id.map(|Path(id)| id).unwrap_or_default());
    match tenant_view(&engine, &id, &head).await {
        Ok(view) => render(&head, &view),
        Err(refusal) => not_found::refused(&engine, &head, &call_of(&head), &refusal).await,
    }
}

async fn tenant_view(engine: &Engine, id: &TenantId, head: &Parts) -> Result<LandingView, Refusal> {
    let tenant = find(engine, id).await?.ok_or(Reason::UnknownWorkspace)?;
    let query = Params::parse(head.uri.query().unwrap_or_default().as_bytes())?;
    let cursor = query.get(AFTER).map_or(Cursor::Start, |after| Cursor::After(after.to_owned()));
    // One more than is shown tells whether there is a next page.
    let page = Page { cursor, ..Page::first(PAGE + 1) };
    let documents = engine.documents(id, DocumentKind::Server, None, &page).await?;
    let has_more = documents.len() > PAGE;
    let shown: Vec<_> = documents.into_iter().take(PAGE).collect();
    let last = shown.last().map(|document| document.id.clone()).filter(|_| has_more);
    let servers = readable::<Server>(shown);
    let workspaces = servers.iter().map(|(_, server)| workspace_view(engine, id, server)).collect();
    Ok(LandingView {
        frame: Frame { workspace_name: Some(tenant.name.clone()), demonstration: engine.demo() },
        tenant: Some(tenant.name),
        places: tenant_places(engine, id),
        credentials: if id.as_str() == DEMO_TENANT { credentials(engine) } else { Vec::new() },
        workspaces,
        next_page: last.map(|last| format!("/{id}?{AFTER}={last}")),
    })
}

async fn find(engine: &Engine, id: &TenantId) -> Result<Option<Tenant>, Refusal> {
    if is_valid_chosen_id(id.as_str()) { Ok(engine.tenant(id).await?) } else { Ok(None) }
}

fn workspace_view(engine: &Engine, tenant: &TenantId, server: &Server) -> WorkspaceView {
    let path = format!("/{tenant}/{}", server.id);
    WorkspaceView {
        id: server.id.as_str().to_owned(),
        name: if server.name.is_empty() { server.id.as_str().to_owned() } else { server.name.clone() },
        issuer: server.issuer(engine.public_url()),
        discovery: format!("{path}/.well-known/openid-configuration"),
        demo: has_demo(engine, tenant, server.id.as_str()).then(|| format!("{path}/demo")),
    }
}

/// Whether the demonstration's relying party lives in the workspace.
pub(crate) fn has_demo(engine: &Engine, tenant: &TenantId, server: &str) -> bool {
    engine.demo() && tenant.as_str() == DEMO_TENANT && server == DEMO_TENANT
}

/// Places for somebody who knows nothing yet.
pub(crate) async fn places(engine: &Engine, head: &Parts) -> Vec<Place> {
    let default_tenant = match engine.demo() {
        true => Some(TenantId::new(DEMO_TENANT)),
        false => engine.config().default_tenant.clone(),
    };
    let mut places = Vec::new();
    if head.uri.path() != "/" {
        places.push(Place { kind: PlaceKind::Server, href: "/".to_owned() });
    }
    if let Some(tenant) = default_tenant {
        places.push(Place { kind: PlaceKind::Tenant, href: format!("/{tenant}") });
        places.extend(tenant_places(engine, &tenant));
    }
    places.push(Place { kind: PlaceKind::Ready, href: "/ready".to_owned() });
    places
}

fn tenant_places(engine: &Engine, tenant: &TenantId) -> Vec<Place> {
    let mut places = vec![Place { kind: PlaceKind::SwaggerUi, href: format!("/api/swagger/{tenant}") }];
    if has_demo(engine, tenant, DEMO_TENANT) {
        places.push(Place { kind: PlaceKind::Demo, href: format!("/{tenant}/{DEMO_TENANT}/demo") });
    }
    places
}

/// The published credentials of the demonstration; none elsewhere.
fn credentials(engine: &Engine) -> Vec<CredentialView> {
    if !engine.demo() {
        return Vec::new();
    }
    let credential = |kind, id: &str, secret: &str, server: &str| CredentialView {
        kind,
        id: id.to_owned(),
        secret: Some(secret.to_owned()),
        workspace: format!("{DEMO_TENANT}/{server}"),
    };
    vec![
        credential(CredentialKind::User, DEMO_USER, DEMO_USER, DEMO_TENANT),
        credential(CredentialKind::Client, "admin-swagger", DEMO_SECRET, engine::ADMIN_WORKSPACE),
        credential(CredentialKind::Client, "client", DEMO_CLIENT_SECRET, DEMO_TENANT),
    ]
}

fn render(head: &Parts, view: &LandingView) -> Response {
    let lang = lang_of(&head.headers, None);
    page(StatusCode::OK, lang, &ContentSecurityPolicy::default(), landing(view, lang))
}

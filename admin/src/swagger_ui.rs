//! Swagger UI: the page of the quick start. Its files are in the binary, nothing is loaded from elsewhere, and the
//! page holds no credentials (attack ADM-29).

use crate::description;
use crate::failure::{Failure, Why};
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::{Engine, EngineError};
use http::{HeaderName, HeaderValue, header};
use protocol::id::{TenantId, is_valid_chosen_id};
use std::collections::HashMap;
use std::sync::Arc;

const PAGE: &str = include_str!("../assets/swagger.html");
const INITIALIZER: &str = include_str!("../assets/swagger-initializer.js");

/// Swagger UI styles elements one by one and draws its icons from `data:` URLs; everything else is this host's.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The files of the package that the page needs, and their types.
const FILES: [(&str, &str); 3] = [
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

pub(crate) fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/api/swagger/{tid}", get(page))
        .route("/api/swagger/{tid}/", get(page))
        .route("/api/swagger/{tid}/{aid}", get(page))
        .route("/api/swagger/{tid}/{aid}/", get(page))
        .route("/api/swagger/{tid}/openapi.json", get(openapi))
        .route("/api/swagger/{tid}/{aid}/openapi.json", get(openapi))
        .route("/api/swagger-ui/{file}", get(file))
        .method_not_allowed_fallback(|| async { Failure::new(Why::MethodNotAllowed) })
        .with_state(engine)
}

type Segments = Path<HashMap<String, String>>;

async fn page(State(engine): State<Arc<Engine>>, Path(segments): Segments) -> Result<Response, Failure> {
    let (tenant, workspace) = place(&engine, &segments).await?;
    let base = match segments.contains_key("aid") {
        true => format!("/api/swagger/{tenant}/{workspace}"),
        false => format!("/api/swagger/{tenant}"),
    };
    // Both are identifiers: nothing in them needs escaping.
    let html = PAGE.replace("{{description}}", &format!("{base}/openapi.json"));
    Ok(([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response())
}

async fn openapi(State(engine): State<Arc<Engine>>, Path(segments): Segments) -> Result<Response, Failure> {
    let (tenant, workspace) = place(&engine, &segments).await?;
    Ok((fresh(), Json(description::document(&tenant, &workspace))).into_response())
}

/// Tenant and workspace of the path; the workspace only fills in fields.
async fn place(engine: &Engine, segments: &HashMap<String, String>) -> Result<(String, String), Failure> {
    let segment = |name: &str| segments.get(name).cloned().unwrap_or_else(|| "default".to_owned());
    let (tenant, workspace) = (segment("tid"), segment("aid"));
    let known = is_valid_chosen_id(&tenant)
        && match engine.tenant(&TenantId::new(tenant.as_str())).await {
            // The page tells nothing of a tenant but its name, which the reader said first.
            Err(EngineError::Unavailable(_)) => true,
            outcome => outcome?.is_some(),
        };
    if known && is_valid_chosen_id(&workspace) { Ok((tenant, workspace)) } else { Err(Why::NotFound.into()) }
}

async fn file(Path(name): Path<String>) -> Result<Response, Failure> {
    if name == "initializer.js" {
        let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
        return Ok(([(header::CONTENT_TYPE, kind)], fresh(), INITIALIZER).into_response());
    }
    let (name, kind) = FILES.into_iter().find(|(known, _)| *known == name).ok_or(Why::NotFound)?;
    let found = utoipa_swagger_ui::serve(name, Arc::default()).ok().flatten().ok_or(Why::Internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400")),
    ];
    let mut response = (headers, found.bytes.into_owned()).into_response();
    if found.gzpipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

fn fresh() -> [(HeaderName, HeaderValue); 1] {
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))]
}

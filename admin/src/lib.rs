//! The office: the management API, its description, and the page that shows it.
//!
//! The API is a table: [`resource::RESOURCES`] lists resources, a resource lists its operations, and generic code
//! serves and describes them. To add a resource is one file in `resource/` and one line in that table.

mod cors;
mod description;
mod etag;
mod failure;
mod kind;
mod members;
mod office;
mod operation;
mod query;
mod repeatable;
mod resource;
mod rules;
mod strict_json;
mod swagger_ui;
mod verb;

use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodFilter, on};
use engine::Engine;
use failure::{Failure, Why};
use office::Office;
use operation::Method;
use std::sync::Arc;

/// Where the management API stands.
const BASE: &str = "/api/admin";

/// The management API, its description and Swagger UI, ready to be merged with the other rooms' routes.
pub fn router(engine: Arc<Engine>) -> Router {
    let office = Arc::new(Office::new(Arc::clone(&engine)));
    let mut router = Router::new();
    for operation in resource::RESOURCES.iter().flat_map(|resource| resource.operations) {
        let office = Arc::clone(&office);
        let serve = move |request: Request| Arc::clone(&office).serve(operation, request);
        let path = format!("{}{}", operation.realm.base(), operation.path);
        router = router.route(&path, on(filter(operation.method), serve));
    }
    let router = router
        .fallback(|| async { Failure::new(Why::NoSuchPath) })
        .method_not_allowed_fallback(|| async { Failure::new(Why::MethodNotAllowed) })
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&engine), cors::allow_configured_origins));
    Router::new().nest(BASE, router).merge(swagger_ui::router(engine))
}

const fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Delete => MethodFilter::DELETE,
    }
}

#[cfg(test)]
mod tests;

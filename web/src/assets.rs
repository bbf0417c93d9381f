//! `/static/…`: the files that pages load.

use crate::call::call_of;
use crate::{not_found, pages};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::Engine;
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use std::sync::Arc;

/// A file by its path; the path holds a hash of the content, so it may be kept for ever.
pub(crate) async fn asset(State(engine): State<Arc<Engine>>, head: Parts) -> Response {
    let Some(asset) = pages::asset(head.uri.path()) else {
        return not_found::path(&engine, &head, &call_of(&head)).await;
    };
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(pages::IMMUTABLE)),
    ];
    (headers, asset.bytes).into_response()
}

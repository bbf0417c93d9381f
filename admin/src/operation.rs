//! One operation of the management API as data: from it come its route, its description and its behaviour.

use crate::etag::{self, IfMatch};
use crate::failure::{Failure, no_store};
use crate::office::Office;
use crate::query::Query;
use axum::response::{IntoResponse, Response};
use engine::{Caller, SYSTEM_TENANT};
use http::{HeaderValue, StatusCode, header};
use protocol::id::{ServerId, TenantId};
use protocol::record::Document;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// One row of a resource.
pub(crate) struct Operation {
    /// Name in the description; the contract's.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) realm: Realm,
    /// What follows the realm's base.
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    /// Stands for `{kind}` in the names of query parameters.
    pub(crate) kind: &'static str,
    /// Stands for `{types}` in the names of query parameters; without it there is no such parameter.
    pub(crate) types: &'static str,
    /// Whether the document's entity tag is answered and `If-Match` is heeded.
    pub(crate) tagged: bool,
    pub(crate) query: &'static [Parameter],
    pub(crate) request: Option<Shape>,
    /// Status and shape of success.
    pub(crate) success: (u16, Option<Shape>),
    /// Statuses of the errors that only this kind of operation has.
    pub(crate) errors: &'static [u16],
    pub(crate) run: fn(Call) -> Running,
}

impl Operation {
    /// An operation without body, query and entity tag; what differs is said by struct update.
    pub(crate) const fn new(
        method: Method,
        id: &'static str,
        path: &'static str,
        summary: &'static str,
        run: fn(Call) -> Running,
    ) -> Self {
        Self {
            id,
            method,
            realm: Realm::Tenant,
            path,
            summary,
            kind: "",
            types: "",
            tagged: false,
            query: &[],
            request: None,
            success: (200, None),
            errors: &[404],
            run,
        }
    }
}

/// Whose operations these are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Realm {
    /// Those of a tenant, for clients of its workspace `admin`.
    Tenant,
    /// Those of the whole server, for clients of the workspace `admin` of the system tenant.
    System,
}

impl Realm {
    /// What stands before the paths of its operations, after `/api/admin`.
    pub(crate) const fn base(self) -> &'static str {
        match self {
            Self::Tenant => "/{tid}",
            Self::System => "",
        }
    }

    /// The name of the way to authenticate, in the description.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "admin",
            Self::System => "adminSystem",
        }
    }

    /// The tenant whose administrators may call.
    pub(crate) fn caller(self, path: &HashMap<String, String>) -> TenantId {
        match self {
            Self::Tenant => TenantId::new(path.get("tid").cloned().unwrap_or_default()),
            Self::System => TenantId::from(SYSTEM_TENANT),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// A query parameter as the description shows it.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
}

/// A named shape, and the shapes that it uses.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: fn() -> String,
    pub(crate) schema: fn() -> RefOr<Schema>,
    pub(crate) uses: fn(&mut Vec<(String, RefOr<Schema>)>),
    /// An example of a request.
    pub(crate) example: Option<fn() -> Value>,
}

impl Shape {
    pub(crate) const fn of<T: ToSchema>() -> Self {
        Self { name: || T::name().into_owned(), schema: T::schema, uses: T::schemas, example: None }
    }

    pub(crate) const fn with_example(mut self, example: fn() -> Value) -> Self {
        self.example = Some(example);
        self
    }
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

/// One authenticated request to an operation.
pub(crate) struct Call {
    pub(crate) office: Arc<Office>,
    pub(crate) caller: Caller,
    /// What surrounds it, for events.
    pub(crate) around: engine::Call,
    pub(crate) path: HashMap<String, String>,
    pub(crate) query: Query,
    pub(crate) if_match: IfMatch,
    /// Members of the body; empty for operations without one.
    pub(crate) body: Map<String, Value>,
}

impl Call {
    /// The tenant of the caller, which is the one that the path of a tenant's operation names.
    pub(crate) fn tenant(&self) -> &TenantId {
        &self.caller.tenant
    }

    /// A segment of the path, by the name that the operation's path gives it.
    pub(crate) fn segment(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The workspace in the path.
    pub(crate) fn workspace(&self) -> ServerId {
        ServerId::new(self.segment("wid"))
    }
}

/// A successful answer.
pub(crate) struct Reply {
    status: StatusCode,
    etag: Option<String>,
    location: Option<String>,
    body: Option<Value>,
}

impl Reply {
    pub(crate) fn ok(body: &impl Serialize) -> Self {
        // Answers are maps and structs of texts and numbers: serialising them cannot fail.
        let body = serde_json::to_value(body).unwrap_or_default();
        Self { status: StatusCode::OK, etag: None, location: None, body: Some(body) }
    }

    pub(crate) fn created(body: &impl Serialize) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(body) }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, etag: None, location: None, body: None }
    }

    pub(crate) fn tagged(mut self, document: &Document) -> Self {
        self.etag = Some(etag::of(document));
        self
    }

    pub(crate) fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => (self.status, no_store(), axum::Json(body)).into_response(),
            None => (self.status, no_store()).into_response(),
        };
        for (name, value) in [(header::ETAG, self.etag), (header::LOCATION, self.location)] {
            if let Some(value) = value.and_then(|text| HeaderValue::try_from(text).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

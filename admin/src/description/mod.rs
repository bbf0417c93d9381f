//! The description of the API (OpenAPI 3.1), made from the same table that serves it.

mod oauth2;
mod schema;

use crate::BASE;
use crate::failure::ErrorBody;
use crate::operation::{Method, Operation, Realm, Shape};
use crate::resource::RESOURCES;
use engine::SYSTEM_TENANT;
use serde_json::{Map, Value, json};

/// The whole description, as `tenant` sees it. `workspace` is only the value that fields start with.
pub(crate) fn document(tenant: &str, workspace: &str) -> Value {
    let defaults = Defaults { tenant, workspace };
    let mut paths = Map::new();
    let mut shapes = vec![Shape::of::<ErrorBody>()];
    for resource in RESOURCES {
        for operation in resource.operations {
            shapes.extend(operation.request);
            shapes.extend(operation.success.1);
            let path = format!("{BASE}{}{}", operation.realm.base(), operation.path);
            add(
                &mut paths,
                &path,
                operation.method.name(),
                describe(operation, resource.tag, &path, &defaults),
            );
        }
    }
    for endpoint in oauth2::ENDPOINTS {
        add(&mut paths, endpoint.path, endpoint.method.name(), endpoint.describe(&defaults));
    }
    let mut tags: Vec<Value> =
        RESOURCES.iter().map(|r| json!({ "name": r.tag, "description": r.description })).collect();
    tags.push(json!({ "name": oauth2::TAG, "description": oauth2::DESCRIPTION }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Postern API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schema::schemas(&shapes),
            "securitySchemes": {
                Realm::Tenant.name(): scheme("A client of the workspace `admin` of the tenant.", tenant),
                Realm::System.name(): scheme(
                    "A client of the workspace `admin` of the tenant `system`, which administers all tenants.",
                    SYSTEM_TENANT,
                ),
            },
        },
    })
}

/// How a client of the tenant's workspace `admin` gets its token.
fn scheme(description: &str, tenant: &str) -> Value {
    json!({
        "type": "oauth2",
        "description": description,
        "flows": { "clientCredentials": { "tokenUrl": format!("/{tenant}/admin/oauth2/token"), "scopes": {} } },
    })
}

const DESCRIPTION: &str = "Management of a tenant, and the OAuth 2.0 and OpenID Connect endpoints of its workspaces. \
     Choose *Authorize*, enter the id and secret of a client of the workspace `admin`, and try any operation.";

/// Values that path parameters start with.
pub(crate) struct Defaults<'a> {
    tenant: &'a str,
    workspace: &'a str,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

fn add(paths: &mut Map<String, Value>, path: &str, method: &str, operation: Value) {
    set(paths.entry(path).or_insert_with(|| json!({})), method, operation);
}

fn describe(operation: &Operation, tag: &str, path: &str, defaults: &Defaults<'_>) -> Value {
    let mut parameters = path_parameters(path, defaults);
    for parameter in operation.query {
        let name = parameter.name.replace("{kind}", operation.kind).replace("{types}", operation.types);
        if name.is_empty() {
            continue;
        }
        let schema = match parameter.name {
            "limit" => json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 }),
            _ => json!({ "type": "string" }),
        };
        parameters.push(
            json!({ "name": name, "in": "query", "description": parameter.description, "schema": schema }),
        );
    }
    if operation.tagged && operation.method != Method::Get && operation.errors.contains(&412) {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "schema": { "type": "string" },
            "description": "The ETag that was read; 412 when somebody changed the document since.",
        }));
    }
    if operation.method == Method::Post {
        parameters.push(json!({
            "name": "X-Idempotency-Key", "in": "header", "schema": { "type": "string", "minLength": 32, "maxLength": 255 },
            "description": "Makes the request repeatable: for a minute the same request with the same key gets the same answer.",
        }));
    }
    let mut described = json!({
        "operationId": operation.id,
        "tags": [tag],
        "summary": operation.summary,
        "parameters": parameters,
        "security": [{ operation.realm.name(): [] }],
        "responses": responses(operation),
    });
    if let Some(shape) = operation.request {
        let mut content = json!({ "schema": reference(&shape) });
        if let Some(example) = shape.example {
            set(&mut content, "example", example());
        }
        let body = json!({ "required": true, "content": { "application/json": content } });
        set(&mut described, "requestBody", body);
    }
    described
}

/// The parameters named in a path, with something sensible in each field.
fn path_parameters(path: &str, defaults: &Defaults<'_>) -> Vec<Value> {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let (description, default) = match name {
                "tid" => ("Tenant", Some(defaults.tenant)),
                "aid" | "wid" => ("Workspace", Some(defaults.workspace)),
                "cid" => ("Client", None),
                "sid" => ("Service", None),
                "scp" => ("Scope", None),
                "kid" => ("Key", None),
                other => (other, None),
            };
            let mut schema = json!({ "type": "string" });
            if let Some(default) = default {
                set(&mut schema, "default", default.into());
            }
            json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema })
        })
        .collect()
}

fn responses(operation: &Operation) -> Value {
    let (status, shape) = operation.success;
    let mut success = json!({ "description": if status == 204 { "Done" } else { "Success" } });
    if let Some(shape) = shape {
        set(&mut success, "content", json!({ "application/json": { "schema": reference(&shape) } }));
    }
    if operation.tagged && status != 204 {
        let tag = json!({ "ETag": {
            "description": "The revision that is answered.", "schema": { "type": "string" },
        } });
        set(&mut success, "headers", tag);
    }
    let mut all = Map::from_iter([(status.to_string(), success)]);
    for status in [&[401, 429], operation.errors].concat() {
        all.insert(status.to_string(), error_response(status));
    }
    Value::Object(all)
}

fn error_response(status: u16) -> Value {
    let description = match status {
        400 => "The request cannot be read",
        401 => "No valid access token of the workspace `admin`",
        403 => "Not allowed",
        404 => "No such thing",
        409 => "The identifier or name is taken",
        412 => "Changed since it was read",
        413 => "The body is too large",
        415 => "The body is not application/json",
        422 => "Some members have values that are not allowed; `details` names them",
        _ => "Too many requests",
    };
    json!({
        "description": description,
        "content": { "application/json": { "schema": reference(&Shape::of::<ErrorBody>()) } },
    })
}

/// Adds a member to an object.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn reference(shape: &Shape) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", (shape.name)()) })
}

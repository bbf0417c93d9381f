//! Signing and encryption keys of a workspace: the next, the current, those before (contract §2).

use super::{Resource, Servers};
use crate::failure::{Failure, Why};
use crate::kind::load;
use crate::operation::{Call, Method, Operation, Parameter, Reply, Running, Shape};
use engine::EngineError;
use engine::keyring::{algorithm_of, encryption_of};
use protocol::key::{KeyAlgorithm, KeyDocument, KeyState};
use protocol::server::Server;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub(super) const KEYS: Resource = Resource {
    tag: "keys",
    description: "Signing keys: one signs, the next is published before it signs, earlier ones still verify. \
        Encryption keys: one is published, earlier ones still decrypt.",
    operations: &[
        Operation {
            query: &[USE],
            success: (200, Some(Shape::of::<KeysResponse>())),
            ..Operation::new(Method::Get, "getKeys", "/servers/{wid}/keys", "List keys", |call| -> Running {
                Box::pin(async move { list(&call).await })
            })
        },
        Operation {
            success: (200, Some(Shape::of::<PublicKey>())),
            ..Operation::new(
                Method::Get,
                "getKey",
                "/servers/{wid}/keys/{kid}/raw",
                "Read a public key",
                |call| -> Running { Box::pin(async move { raw(&call).await }) },
            )
        },
        Operation {
            query: &[
                USE,
                Parameter {
                    name: "key_type",
                    description: "Whose keys: ecdsa (ES256), rsa (RS256), ps (PS256) or eddsa; without it those of the workspace's \
                        own key_type alone. Of encryption keys ecdsa or rsa; without it those of rsa alone.",
                },
            ],
            success: (200, Some(Shape::of::<ServerKey>())),
            errors: &[400, 404],
            ..Operation::new(
                Method::Post,
                "rotateKey",
                "/servers/{wid}/keys/rotate",
                "Use the next key of one algorithm from now on; those of the other algorithms stay, rotate each by its key_type",
                |call| -> Running { Box::pin(async move { rotate(&call).await }) },
            )
        },
        Operation {
            query: &[USE],
            success: (200, Some(Shape::of::<ServerKey>())),
            errors: &[400, 404],
            ..Operation::new(
                Method::Post,
                "revokeKey",
                "/servers/{wid}/keys/revoke/{kid}",
                "Revoke a rotated key: what it signed or what is encrypted to it is no longer accepted",
                |call| -> Running { Box::pin(async move { revoke(&call).await }) },
            )
        },
    ],
};

const USE: Parameter = Parameter { name: "use", description: "`sig` (default) or `enc`." };

/// A public key as a JSON Web Key (RFC 7517 §4).
#[derive(ToSchema)]
#[schema(as = ClientJWK)]
#[expect(dead_code, reason = "describes an answer")]
struct PublicKey {
    kty: String,
    kid: String,
    #[schema(rename = "use")]
    key_use: String,
    alg: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// A public key and its history.
#[derive(ToSchema)]
#[schema(as = ServerJWK)]
#[expect(dead_code, reason = "describes an answer")]
struct ServerKey {
    #[schema(inline)]
    #[serde(flatten)]
    key: PublicKey,
    created_at: String,
    rotated_at: Option<String>,
    revoked_at: Option<String>,
}

/// The keys of a workspace.
#[derive(Default, Serialize, ToSchema)]
struct KeysResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ServerKey>)]
    current_key: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ServerKey>)]
    next_key: Option<Value>,
    /// Current and next keys of further algorithms, beside the workspace's own.
    #[schema(value_type = Vec<ServerKey>)]
    other_keys: Vec<Value>,
    #[schema(value_type = Vec<ServerKey>)]
    rotated_keys: Vec<Value>,
    #[schema(value_type = Vec<ServerKey>)]
    revoked_keys: Vec<Value>,
}

async fn list(call: &Call) -> Result<Reply, Failure> {
    let mut response = KeysResponse::default();
    let key_use = key_use(call)?;
    let (_, server) = load::<Servers>(call, call.segment("wid")).await?;
    let own = algorithm(key_use, None, &server);
    for key in keys(call).await?.into_iter().filter(|key| key.alg.key_use() == key_use) {
        let shown = with_history(&key);
        match key.state {
            KeyState::Next if key.alg == own => response.next_key = Some(shown),
            KeyState::Current if key.alg == own => response.current_key = Some(shown),
            KeyState::Next | KeyState::Current => response.other_keys.push(shown),
            KeyState::Rotated(_) => response.rotated_keys.push(shown),
            KeyState::Revoked(_) => response.revoked_keys.push(shown),
        }
    }
    Ok(Reply::ok(&response))
}

async fn raw(call: &Call) -> Result<Reply, Failure> {
    let kid = call.segment("kid");
    let key = keys(call).await?.into_iter().find(|key| key.kid == kid);
    let key = key.ok_or_else(|| Failure::not_found("key", kid))?;
    Ok(Reply::ok(&public(&key)))
}

async fn rotate(call: &Call) -> Result<Reply, Failure> {
    let key_use = key_use(call)?;
    let key_type = call.query.get("key_type");
    let (known, expected): (&[&str], _) = match key_use {
        "enc" => (&["ecdsa", "rsa"], "ecdsa or rsa"),
        _ => (&["ecdsa", "rsa", "ps", "eddsa"], "ecdsa, rsa, ps or eddsa"),
    };
    if let Some(other) = key_type.filter(|key_type| !known.contains(key_type)) {
        return Err(Failure::query("key_type", other, expected));
    }
    let (_, server) = load::<Servers>(call, call.segment("wid")).await?;
    let algorithm = algorithm(key_use, key_type, &server);
    let engine = &call.office.engine;
    let key = engine.rotate_key(call.tenant(), &server.id, algorithm, &call.around).await?;
    Ok(Reply::ok(&with_history(&key)))
}

async fn revoke(call: &Call) -> Result<Reply, Failure> {
    key_use(call)?;
    let kid = call.segment("kid");
    let found = keys(call).await?.into_iter().find(|key| key.kid == kid);
    match found.map(|key| key.state) {
        None => return Err(Failure::not_found("key", kid)),
        Some(KeyState::Current | KeyState::Next) => return Err(Failure::new(Why::KeyInUse).with("kid", kid)),
        Some(KeyState::Rotated(_) | KeyState::Revoked(_)) => {}
    }
    let engine = &call.office.engine;
    match engine.revoke_key(call.tenant(), &call.workspace(), kid, &call.around).await {
        Err(EngineError::NotFound) => Err(Failure::not_found("key", kid)),
        Err(EngineError::Conflict { .. }) => Err(Failure::new(Why::KeyInUse).with("kid", kid)),
        key => Ok(Reply::ok(&with_history(&key?))),
    }
}

fn key_use(call: &Call) -> Result<&'static str, Failure> {
    match call.query.get("use") {
        None | Some("sig") => Ok("sig"),
        Some("enc") => Ok("enc"),
        Some(other) => Err(Failure::query("use", other, "sig or enc")),
    }
}

/// The algorithm of a kind of key; without one, of the first keys of the list.
fn algorithm(key_use: &str, key_type: Option<&str>, server: &Server) -> KeyAlgorithm {
    match key_use {
        "enc" => encryption_of(key_type.unwrap_or_default()).into(),
        _ => algorithm_of(key_type.unwrap_or(&server.key_type)).into(),
    }
}

async fn keys(call: &Call) -> Result<Vec<KeyDocument>, Failure> {
    load::<Servers>(call, call.segment("wid")).await?;
    Ok(call.office.engine.keys(call.tenant(), &call.workspace()).await?)
}

/// The public members only; `Jwk` never writes others (attack DSC-03).
fn public(key: &KeyDocument) -> Map<String, Value> {
    let mut members = match serde_json::to_value(&key.public) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    members.insert("kid".to_owned(), key.kid.clone().into());
    members.insert("alg".to_owned(), key.alg.name().into());
    members.insert("use".to_owned(), key.alg.key_use().into());
    members
}

fn with_history(key: &KeyDocument) -> Value {
    let mut members = public(key);
    members.insert("created_at".to_owned(), key.created_at.rfc3339().into());
    match key.state {
        KeyState::Rotated(at) => drop(members.insert("rotated_at".to_owned(), at.rfc3339().into())),
        KeyState::Revoked(at) => drop(members.insert("revoked_at".to_owned(), at.rfc3339().into())),
        KeyState::Next | KeyState::Current => {}
    }
    Value::Object(members)
}

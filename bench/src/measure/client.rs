//! Creates the measurement's client in the demo, through the admin API as the quick start does.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bench::connection::{Connection, Reply, Request, Target};
use serde_json::{Value, json};

/// The demo's administrator, as its start prints it.
const ADMIN: &str = "admin-swagger:n8HF35qzZkmsukHJzzz9LnN8m9Mf97uq";

/// The measurement's client.
pub(crate) const CLIENT: &str = "bench:bench-secret-that-is-as-long-as-one-that-is-generated";

/// Media type of every form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A confidential client with every grant that is measured, in the workspace `default`; and one of the same name in a
/// new workspace that signs with RSA, if that is asked for.
pub(crate) async fn create(base: &str, rsa: Option<&str>) -> Result<()> {
    let mut connection = Connection::new(Target::of_url(base)?);
    let bearer = administrator(&mut connection, "default").await?;
    if let Some(rsa) = rsa {
        let workspace = json!({"id": rsa, "name": "RSA", "key_type": "rsa"});
        post(&mut connection, &bearer, "/api/admin/default/servers", &workspace).await?;
    }
    for (workspace, id) in [(Some("default"), "bench"), (rsa, "bench-rsa")] {
        let Some(workspace) = workspace else { continue };
        let client = json!({
            "authorization_server_id": workspace,
            "client_id": id,
            "client_name": "Measurement",
            "client_secret": "bench-secret-that-is-as-long-as-one-that-is-generated",
            "grant_types": ["authorization_code", "client_credentials", "refresh_token"],
            "redirect_uris": ["https://client.example/callback"],
            "response_types": ["code"],
            "scopes": ["openid", "offline_access"],
            "token_endpoint_auth_method": "client_secret_basic",
        });
        post(&mut connection, &bearer, "/api/admin/default/clients", &client).await?;
    }
    Ok(())
}

/// The `Authorization` header of an administrator of the tenant.
pub(crate) async fn administrator(connection: &mut Connection, tenant: &str) -> Result<String> {
    let reply = token(connection, &format!("/{tenant}/admin/oauth2/token"), &basic(ADMIN)).await?;
    ensure!(reply.status == 200, "the admin's token: {} {}", reply.status, reply.text());
    let tokens: Value = serde_json::from_slice(&reply.body)?;
    let token = tokens.get("access_token").and_then(Value::as_str).context("no access_token")?;
    Ok(format!("Bearer {token}"))
}

/// The `Authorization` header of a client with its secret.
pub(crate) fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

/// A token for the client itself.
pub(crate) async fn token(connection: &mut Connection, path: &str, basic: &str) -> Result<Reply> {
    let headers = [("authorization", basic)];
    let body = Some((FORM, "grant_type=client_credentials"));
    connection.send(&Request { method: Some("POST"), path, headers: &headers, body }).await
}

async fn post(connection: &mut Connection, bearer: &str, path: &str, document: &Value) -> Result<()> {
    let (headers, body) = ([("authorization", bearer)], document.to_string());
    let body = Some(("application/json", body.as_str()));
    let reply = connection.send(&Request { method: Some("POST"), path, headers: &headers, body }).await?;
    ensure!(reply.status == 201, "{path}: {} {}", reply.status, reply.text());
    Ok(())
}

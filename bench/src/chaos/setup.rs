//! Makes a workspace, people and a client through the admin API, as an operator would.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bench::connection::{Connection, Request, Target};
use serde_json::{Value, json};

use crate::actor::{FORM, REDIRECT_URI, Site, WORKSPACE};
use crate::cluster::{Cluster, TENANT};
use crate::ledger::Ledger;

/// People who can log in.
const PEOPLE: usize = 4;

/// The admin API with a token for it.
pub(crate) struct Office {
    connection: Connection,
    bearer: String,
}

impl Office {
    /// Gets a token for the tenant's administrator.
    pub(crate) async fn open(door: Target, secret: &str) -> Result<Self> {
        let mut connection = Connection::new(door);
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("admin:{secret}")));
        let reply = connection
            .send(&Request {
                method: Some("POST"),
                path: &format!("/{TENANT}/admin/oauth2/token"),
                headers: &[("authorization", &basic)],
                body: Some((FORM, "grant_type=client_credentials")),
            })
            .await?;
        ensure!(reply.status == 200, "the admin's token: {} {}", reply.status, reply.text());
        let tokens: Value = serde_json::from_slice(&reply.body)?;
        let token = tokens.get("access_token").and_then(Value::as_str).context("no access_token")?;
        Ok(Self { connection, bearer: format!("Bearer {token}") })
    }

    /// One call that must succeed.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let path = format!("/api/admin/{TENANT}{path}");
        let text = body.map(Value::to_string);
        let request = Request {
            method: Some(method),
            path: &path,
            headers: &[("authorization", &self.bearer)],
            body: text.as_deref().map(|text| ("application/json", text)),
        };
        let reply = self.connection.send(&request).await?;
        ensure!(matches!(reply.status, 200 | 201 | 204), "{path}: {} {}", reply.status, reply.text());
        if reply.body.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&reply.body)?)
    }

    pub(crate) fn bearer(&self) -> &str {
        &self.bearer
    }
}

/// The workspace with people and a client that may do everything.
pub(crate) async fn furnish(cluster: &Cluster, ledger: &Arc<Ledger>) -> Result<(Arc<Site>, Office)> {
    let door = cluster.node(0)?.door()?;
    let mut office = Office::open(door, &cluster.admin_secret).await?;
    office.call("POST", "/servers", Some(&json!({"id": WORKSPACE, "name": "Shop"}))).await?;
    let listed = office.call("GET", &format!("/servers/{WORKSPACE}/idps"), None).await?;
    let provider = listed.pointer("/idps/0/id").and_then(Value::as_str).context("no identity provider")?;
    let people: Vec<(String, String)> =
        (0..PEOPLE).map(|number| (format!("person-{number}"), format!("their own {number}"))).collect();
    let users: Vec<Value> =
        people.iter().map(|(name, password)| json!({"username": name, "password": password})).collect();
    let path = format!("/servers/{WORKSPACE}/idps/static/{provider}");
    office.call("PUT", &path, Some(&json!({"name": "Sandbox", "users": users}))).await?;
    let client = json!({
        "authorization_server_id": WORKSPACE,
        "client_id": "till",
        "client_name": "Till",
        "grant_types": ["authorization_code", "client_credentials", "refresh_token"],
        "redirect_uris": [REDIRECT_URI],
        "response_types": ["code"],
        "scopes": ["openid", "offline_access"],
        "token_endpoint_auth_method": "client_secret_basic",
    });
    let made = office.call("POST", "/clients", Some(&client)).await?;
    let secret = made.get("client_secret").and_then(Value::as_str).context("no client_secret")?;
    let site = Site {
        client_id: "till".to_owned(),
        client_secret: secret.to_owned(),
        people,
        ledger: Arc::clone(ledger),
    };
    Ok((Arc::new(site), office))
}

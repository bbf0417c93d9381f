//! Somebody who administers a tenant through the API.

use http::Method;
use serde_json::Value;

use crate::{Answer, Ask, TestServer};

/// Holds an access token of a tenant's workspace `admin`.
#[derive(Clone)]
pub struct Administrator {
    server: TestServer,
    pub tenant: String,
    pub token: String,
}

impl Administrator {
    pub(crate) async fn of(server: &TestServer, tenant: &str, client: &str, secret: &str) -> Self {
        let path = format!("/{tenant}/admin/oauth2/token");
        let ask = Ask::form(&path, &[("grant_type", "client_credentials")]).basic(client, secret);
        let token = server.send(ask).await.expect(200).json()["access_token"].as_str().map(str::to_owned);
        Self { server: server.clone(), tenant: tenant.to_owned(), token: token.expect("an access token") }
    }

    /// `path` is what follows `/api/admin/{tid}`.
    pub async fn get(&self, path: &str) -> Answer {
        self.server.send(Ask::get(&self.path(path)).bearer(&self.token)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.server.send(Ask::json(Method::POST, &self.path(path), body).bearer(&self.token)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.server.send(Ask::json(Method::PUT, &self.path(path), body).bearer(&self.token)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.server.send(Ask::new(Method::DELETE, &self.path(path)).bearer(&self.token)).await
    }

    /// Reads a document, changes members of it, and puts it back.
    pub async fn change(&self, path: &str, members: &Value) -> Answer {
        let mut document = self.get(path).await.expect(200).json();
        for (name, value) in members.as_object().expect("an object of members") {
            document[name] = value.clone();
        }
        self.put(path, &document).await.expect(200)
    }

    fn path(&self, path: &str) -> String {
        format!("/api/admin/{}{path}", self.tenant)
    }
}

//! The demonstration: a tenant, its workspaces, clients and users with credentials that everybody knows.
//!
//! Called by the command `demo` only. Nothing of it is made by `serve`, and `serve` refuses a store that holds
//! it (attack W-05).

use crate::{ADMIN_WORKSPACE, Call, Engine, EngineError, NewServer, SYSTEM_TENANT};
use protocol::client::{Client, TokenEndpointAuthMethod};
use protocol::decision::Event;
use protocol::id::{ClientId, ServerId, TenantId};
use protocol::idp::{StaticProfile, StaticUser};
use protocol::profile::Profile;
use protocol::record::{DocumentKind, Expect, Write};
use protocol::server::{ClientIdMetadataDocuments, Server};
use serde_json::{Map, Value, json};

/// Shared by the demonstration's own clients.
pub const DEMO_SECRET: &str = "n8HF35qzZkmsukHJzzz9LnN8m9Mf97uq";
/// Secret of the confidential client `client`.
pub const DEMO_CLIENT_SECRET: &str = "wPeimtcljkdBeG19Xc3OXD41iZo0zxdg";
/// Name and password of the demonstration's user.
pub const DEMO_USER: &str = "user";
pub const DEMO_TENANT: &str = "default";
/// The demonstration's own relying party, a client of its workspace `default`.
pub const DEMO_CLIENT: &str = "default-demo";

const STANDARD_SCOPES: &[&str] = &["openid", "profile", "email", "phone", "address", "offline_access"];

impl Engine {
    /// Creates whatever of the demonstration is not there yet. Safe to call at every start, also after a start
    /// that was cut off.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn bootstrap_demo(&self) -> Result<(), EngineError> {
        let tenant = TenantId::new(DEMO_TENANT);
        if self.tenant(&tenant).await?.is_none() {
            self.create_tenant(&tenant, "Default").await?;
        }
        tokio::try_join!(
            self.demo_server(&tenant, "admin", "Administration", "admin"),
            self.demo_server(&tenant, "system", "System", "system"),
            self.demo_server(&tenant, "default", "Demo", "regular"),
        )?;
        for client in demo_clients(self.public_url()) {
            self.demo_client(&tenant, client).await?;
        }
        self.bootstrap_system().await
    }

    /// The tenant whose administrators are those of the whole server.
    async fn bootstrap_system(&self) -> Result<(), EngineError> {
        let tenant = TenantId::new(SYSTEM_TENANT);
        if self.tenant(&tenant).await?.is_none() {
            self.create_tenant(&tenant, "System").await?;
        }
        self.demo_server(&tenant, ADMIN_WORKSPACE, "Administration", "admin").await?;
        self.demo_client(&tenant, swagger("admin", "admin-swagger", "Swagger UI of the whole server")).await
    }

    /// Whether the store holds a client with a secret of the demonstration.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn holds_demo_credentials(&self) -> Result<bool, EngineError> {
        let tenant = TenantId::new(DEMO_TENANT);
        let demo_hash = crate::hashing::fast_hash(DEMO_SECRET);
        let found = self.document(&tenant, DocumentKind::Client, "admin-swagger").await?;
        let Some(document) = found else { return Ok(false) };
        Ok(document.read::<Client>()?.hashed_secret == Some(demo_hash))
    }

    async fn demo_server(
        &self,
        tenant: &TenantId,
        id: &str,
        name: &str,
        kind: &str,
    ) -> Result<(), EngineError> {
        if self.document(tenant, DocumentKind::Server, id).await?.is_some() {
            return Ok(());
        }
        let regular = kind == "regular";
        let server = Server {
            id: ServerId::new(id),
            name: name.to_owned(),
            server_type: kind.to_owned(),
            profile: Profile::named("demo").unwrap_or_default(),
            client_id_metadata_documents: ClientIdMetadataDocuments {
                enabled: regular,
                allowed_hosts: Vec::new(),
            },
            ..Server::default()
        };
        let users = if regular { vec![self.demo_user().await?] } else { Vec::new() };
        match self.create_server(tenant, NewServer { server, users }, &Call::default()).await {
            Ok(_) | Err(EngineError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn demo_user(&self) -> Result<StaticUser, EngineError> {
        Ok(StaticUser {
            username: DEMO_USER.to_owned(),
            uid: None,
            password_hash: self.hash_chosen_secret(DEMO_USER).await?.0,
            profile: StaticProfile { authentication_context: demo_claims(), ..StaticProfile::default() },
        })
    }

    async fn demo_client(&self, tenant: &TenantId, mut client: Client) -> Result<(), EngineError> {
        let id = client.client_id.as_str().to_owned();
        if self.document(tenant, DocumentKind::Client, &id).await?.is_some() {
            return Ok(());
        }
        client.tenant_id = tenant.clone();
        client.client_id_issued_at = self.now().seconds();
        let server = client.authorization_server_id.clone();
        let document = self.new_document(DocumentKind::Client, &id, Some(server.as_str()), &client)?;
        let event = Event::new("client", "created").client(&client.client_id);
        let write = Write::PutDocument { document, expect: Expect::Absent };
        match self.commit(tenant, vec![write], vec![event], Some(&server), &Call::default()).await {
            Ok(()) | Err(EngineError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn demo_clients(public_url: &str) -> Vec<Client> {
    let strings = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
    let grants = strings(&["authorization_code", "refresh_token", "client_credentials"]);
    vec![
        swagger("admin", "admin-swagger", "Swagger UI of the admin API"),
        swagger("system", "system-swagger", "Swagger UI of the system API"),
        Client {
            grant_types: grants.clone(),
            scopes: strings(STANDARD_SCOPES),
            redirect_uris: vec![format!("{public_url}/{DEMO_TENANT}/default/demo")],
            system: true,
            ..base("default", DEMO_CLIENT, "Demo application", DEMO_SECRET)
        },
        Client {
            grant_types: grants,
            scopes: strings(STANDARD_SCOPES),
            redirect_uris: strings(&["https://example.com/callback"]),
            ..base("default", "client", "My confidential app", DEMO_CLIENT_SECRET)
        },
    ]
}

fn base(server: &str, id: &str, name: &str, secret: &str) -> Client {
    Client {
        authorization_server_id: ServerId::new(server),
        client_id: ClientId::new(id),
        client_name: name.to_owned(),
        // Both secrets are published: a slow hash would protect nothing.
        hashed_secret: Some(crate::hashing::fast_hash(secret)),
        ..Client::default()
    }
}

fn swagger(server: &str, id: &str, name: &str) -> Client {
    Client {
        grant_types: vec!["client_credentials".to_owned()],
        response_types: Vec::new(),
        token_endpoint_auth_method: TokenEndpointAuthMethod::Unspecified,
        system: true,
        ..base(server, id, name, DEMO_SECRET)
    }
}

/// A person who owns every standard claim (OIDC Core §5.1).
fn demo_claims() -> Map<String, Value> {
    let claims = json!({
        "name": "Ursula Serah Example",
        "given_name": "Ursula",
        "family_name": "Example",
        "middle_name": "Serah",
        "nickname": "Uli",
        "preferred_username": "user",
        "profile": "https://example.com/people/user",
        "picture": "https://example.com/people/user.png",
        "website": "https://example.com",
        "email": "user@example.com",
        "email_verified": true,
        "gender": "female",
        "birthdate": "1990-05-17",
        "zoneinfo": "Europe/Berlin",
        "locale": "en-GB",
        "phone_number": "+49 30 901820",
        "phone_number_verified": true,
        "address": {
            "formatted": "Musterweg 1\n10115 Berlin\nGermany",
            "street_address": "Musterweg 1",
            "locality": "Berlin",
            "region": "Berlin",
            "postal_code": "10115",
            "country": "Germany"
        },
        "updated_at": 1_767_225_600
    });
    match claims {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

//! Workspaces as authorization servers (contract §2).

use super::Resource;
use crate::failure::Failure;
use crate::kind::{Editable, Kind, Place, Plan};
use crate::members::Problems;
use crate::operation::{Call, Shape};
use crate::rules;
use crate::verb::{create, delete, list, read, update};
use engine::{EngineError, NewServer};
use protocol::client_auth::{CLIENT_AUTH_METHODS, ClientAuthMethod};
use protocol::decision::Event;
use protocol::id::ServerId;
use protocol::profile::Rules;
use protocol::record::{Document, DocumentKind, Expect};
use protocol::server::Server;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

pub(super) const SERVERS: Resource = Resource {
    tag: "servers",
    description: "Authorization servers: each workspace is one, with its own issuer, keys, clients and scopes.",
    operations: &[
        create::<Servers>(
            "createAuthorizationServer",
            "/servers",
            "Create an authorization server with keys, default scopes and a Sandbox identity provider",
            Shape::of::<Server>().with_example(example),
        ),
        list::<Servers>(
            "listAuthorizationServers",
            "/servers",
            "List authorization servers",
            Shape::of::<ServerList>(),
        ),
        read::<Servers>("getAuthorizationServer", "/servers/{wid}", "Read an authorization server"),
        update::<Servers>(
            "updateAuthorizationServer",
            "/servers/{wid}",
            "Replace an authorization server's settings",
            Shape::of::<Server>().with_example(example),
        ),
        delete::<Servers>(
            "deleteAuthorizationServer",
            "/servers/{wid}",
            "Delete an authorization server with everything in it",
        ),
    ],
};

/// Types of the contract.
pub(super) const SERVER_TYPES: &[&str] = &["admin", "developer", "system", "regular", "organization"];

fn example() -> Value {
    json!({ "id": "shop", "name": "Shop", "grant_types": ["authorization_code", "refresh_token"] })
}

/// An authorization server as answered.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerResponse {
    #[serde(flatten)]
    server: Server,
    /// The issuer identifier (RFC 8414 §2).
    issuer_url: String,
    created_at: String,
    updated_at: String,
}

/// A page of authorization servers.
#[derive(ToSchema)]
#[schema(as = ServersResponse)]
#[expect(dead_code, reason = "describes the answer of `list`")]
pub(super) struct ServerList {
    servers: Vec<ServerResponse>,
}

/// Authorization servers as a kind of document.
pub(crate) struct Servers;

impl Kind for Servers {
    type Stored = Server;
    type Shown = ServerResponse;
    const KIND: DocumentKind = DocumentKind::Server;
    const NAME: &'static str = "server";
    const PLURAL: &'static str = "servers";
    const SEGMENT: &'static str = "wid";
    const TYPES: Option<(&'static str, &'static [&'static str])> = Some(("server_types", SERVER_TYPES));

    fn place(server: &Server) -> Place<'_> {
        Place {
            id: server.id.as_str(),
            name: &server.name,
            type_name: &server.server_type,
            workspace: server.id.clone(),
            parent: None,
        }
    }

    async fn show(server: Server, document: &Document, call: &Call) -> Result<ServerResponse, Failure> {
        Ok(ServerResponse {
            issuer_url: server.issuer(call.office.engine.public_url()),
            created_at: document.created_at.rfc3339(),
            updated_at: document.updated_at.rfc3339(),
            server,
        })
    }
}

impl Editable for Servers {
    type Input = Server;
    const READ_ONLY: &'static [&'static str] =
        &["issuer_url", "created_at", "secret", "rotated_secrets", "jwks", "version"];
    const FIXED: &'static [&'static str] = &["id", "type", "profile", "key_type"];

    async fn plan(mut server: Server, before: Option<&Server>, call: &Call) -> Result<Plan<Server>, Failure> {
        let mut problems = Problems::default();
        server.tenant_id = call.tenant().clone();
        server.version = before.map_or(0, |before| before.version);
        if before.is_none() {
            if server.id.as_str().is_empty() {
                server.id = ServerId::new(call.office.engine.new_id());
            }
            if server.name.is_empty() {
                server.name = server.id.to_string();
            }
            problems.one_of("type", &server.server_type, &["regular", "developer", "organization"]);
            preset(&mut server, &call.body);
        }
        rules::server::check(&server, &mut problems);
        let public_url = call.office.engine.public_url();
        let own = Server { custom_issuer_url: String::new(), ..server.clone() }.issuer(public_url);
        if server.issuer(public_url) != own && under(&server.custom_issuer_url, public_url) {
            problems.add(
                "custom_issuer_url",
                &server.custom_issuer_url,
                "not the address of another workspace",
            );
        }
        Ok(Plan::new(server, problems))
    }

    async fn create(server: &Server, _: Event, call: &Call) -> Result<(), EngineError> {
        let new = NewServer { server: server.clone(), users: Vec::new() };
        call.office.engine.create_server(call.tenant(), new, &call.around).await.map(drop)
    }

    /// The workspaces that hold the server's own API clients cannot go.
    fn is_removable(server: &Server) -> bool {
        !matches!(server.server_type.as_str(), "admin" | "system")
            && !matches!(server.id.as_str(), "admin" | "system")
    }

    async fn delete(server: &Server, document: &Document, _: Event, call: &Call) -> Result<(), EngineError> {
        let engine = &call.office.engine;
        let expect = Expect::Revision(document.revision);
        engine.delete_server(call.tenant(), &server.id, expect, &call.around).await
    }
}

/// Whether a URL lies at or below another one.
fn under(url: &str, base: &str) -> bool {
    url.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What the profile bounds is written as it will be, unless the request says otherwise (decisions 4, house: settled
/// points). What the settings allow beyond the profile does not count.
fn preset(server: &mut Server, sent: &Map<String, Value>) {
    let rules = Rules::of_workspace(server);
    let unsaid = |member: &str| !sent.contains_key(member);
    if unsaid("authorization_code_ttl") {
        server.authorization_code_ttl = rules.code_ttl(server.authorization_code_ttl);
    }
    if unsaid("refresh_token_retry_window") {
        server.refresh_token_retry_window = rules.retry_window(server.refresh_token_retry_window);
    }
    if unsaid("enforce_pkce") {
        server.enforce_pkce = rules.requires_pkce();
    }
    if unsaid("require_pushed_authorization_requests") {
        server.require_pushed_authorization_requests = rules.requires_pushed_requests();
    }
    if unsaid("grant_types") {
        server.grant_types.retain(|grant_type| rules.allows_grant_type(grant_type));
    }
    if unsaid("token_endpoint_auth_methods") {
        let allowed = |method: &&dyn ClientAuthMethod| rules.allows_auth_method(method.method());
        let names: Vec<_> = CLIENT_AUTH_METHODS
            .iter()
            .filter(|method| !allowed(method))
            .map(|method| method.method().name())
            .collect();
        server.token_endpoint_auth_methods.retain(|name| !names.contains(&name.as_str()));
    }
    if unsaid("token_endpoint_auth_signing_alg_values") {
        server.token_endpoint_auth_signing_alg_values.retain(|algorithm| rules.allows_algorithm(*algorithm));
    }
}

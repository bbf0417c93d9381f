//! Clients (contract §1).

use super::{Resource, Scopes, Servers};
use crate::failure::{Failure, Why};
use crate::kind::{Editable, Kind, Place, Plan, all, load};
use crate::members::Problems;
use crate::operation::{Call, Method, Operation, Parameter, Reply, Running, Shape};
use crate::rules;
use crate::verb::{amend, create, delete, list, read, update};
use engine::EngineError;
use protocol::client::{Client, HashedSecret, RotatedSecret, TokenEndpointAuthMethod};
use protocol::decision::Event;
use protocol::duration::Span;
use protocol::id::ClientId;
use protocol::record::{Document, DocumentKind, Expect};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

pub(super) const CLIENTS: Resource = Resource {
    tag: "clients",
    description: "OAuth clients: applications that ask for tokens.",
    operations: &[
        create::<Clients>(
            "createClient",
            "/clients",
            "Create a client",
            Shape::of::<ClientRequest>().with_example(quick_start),
        ),
        list::<Clients>("listClients", "/servers/{wid}/clients", "List clients", Shape::of::<ClientList>()),
        read::<Clients>("getClient", "/clients/{cid}", "Read a client"),
        update::<Clients>(
            "updateClient",
            "/clients/{cid}",
            "Replace a client",
            Shape::of::<ClientRequest>().with_example(quick_start),
        ),
        delete::<Clients>("deleteClient", "/clients/{cid}", "Delete a client and revoke its tokens"),
        Operation {
            tagged: true,
            query: &[Parameter {
                name: "auto_revoke_after",
                description: "When the old secret ends by itself, such as `24h`; 0 or absent: never.",
            }],
            success: (200, Some(Shape::of::<NewSecret>())),
            errors: &[400, 404, 412, 422],
            ..Operation::new(
                Method::Post,
                "rotateClientSecret",
                "/clients/{cid}/rotateSecret",
                "Make a new secret; the old one stays valid until it is revoked",
                |call| -> Running { Box::pin(async move { rotate_secret(&call).await }) },
            )
        },
        Operation {
            tagged: true,
            success: (204, None),
            errors: &[404, 412],
            ..Operation::new(
                Method::Post,
                "revokeRotatedClientSecrets",
                "/clients/{cid}/revokeRotatedSecrets",
                "Revoke every secret but the newest",
                |call| -> Running { Box::pin(async move { revoke_rotated_secrets(&call).await }) },
            )
        },
    ],
};

/// Previous secrets that stay valid (contract: at most two).
const ROTATED_SECRETS: usize = 2;

/// A client as sent.
#[derive(Deserialize, ToSchema)]
#[schema(as = ClientAdminRequest)]
pub(crate) struct ClientRequest {
    #[serde(flatten)]
    client: Client,
    /// A secret of your own, at least 32 characters. When absent, one is made if the client needs it.
    #[serde(default)]
    client_secret: Option<String>,
    /// The members of `scopes`, separated by spaces.
    #[serde(default)]
    scope: Option<String>,
    /// Sent by the quick start beside `token_endpoint_auth_method`, which alone says whether a client is public; taken
    /// and not kept.
    #[serde(default, rename = "public")]
    _public: Option<bool>,
}

/// A client as answered.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientAdminResponse)]
pub(crate) struct ClientResponse {
    #[serde(flatten)]
    client: Client,
    /// Only in the answer that made it: keep it, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    scope: String,
    /// What kind of application it is, derived from the rest.
    #[schema(value_type = Vec<String>)]
    application_types: [&'static str; 1],
    introspection_endpoint_auth_method: TokenEndpointAuthMethod,
    revocation_endpoint_auth_method: TokenEndpointAuthMethod,
    server_issuer_url: String,
    created_at: String,
    updated_at: String,
}

/// A page of clients.
#[derive(ToSchema)]
#[schema(as = ClientsForAdmin)]
#[expect(dead_code, reason = "describes the answer of `list`")]
pub(super) struct ClientList {
    clients: Vec<ClientResponse>,
}

/// A secret just made.
#[derive(Serialize, ToSchema)]
#[schema(as = RotateClientSecretResponse)]
struct NewSecret {
    secret: String,
}

/// The request of the quick start.
fn quick_start() -> Value {
    json!({
        "authorization_server_id": "default",
        "client_id": "client-pkce",
        "client_name": "My app",
        "grant_types": ["authorization_code"],
        "public": true,
        "redirect_uris": ["https://example.com/callback"],
        "token_endpoint_auth_method": "none",
        "response_types": ["token", "id_token", "code"],
        "scopes": ["email", "openid"],
    })
}

/// Clients as a kind of document.
pub(crate) struct Clients;

impl Kind for Clients {
    type Stored = Client;
    type Shown = ClientResponse;
    const KIND: DocumentKind = DocumentKind::Client;
    const NAME: &'static str = "client";
    const PLURAL: &'static str = "clients";
    const SEGMENT: &'static str = "cid";

    fn place(client: &Client) -> Place<'_> {
        Place {
            id: client.client_id.as_str(),
            name: &client.client_name,
            type_name: "",
            workspace: client.authorization_server_id.clone(),
            parent: Some(client.authorization_server_id.as_str()),
        }
    }

    async fn show(mut client: Client, document: &Document, call: &Call) -> Result<ClientResponse, Failure> {
        client.hashed_secret = None;
        client.sealed_secret = None;
        client.hashed_rotated_secrets.clear();
        client.predecessor_deleted_at = None;
        client.registration_token = None;
        if client.audience.is_empty() {
            client.audience = vec![client.client_id.to_string()];
        }
        let workspace = load::<Servers>(call, client.authorization_server_id.as_str()).await;
        let public_url = call.office.engine.public_url();
        Ok(ClientResponse {
            client_secret: None,
            scope: client.scopes.join(" "),
            application_types: [application_type(&client)],
            introspection_endpoint_auth_method: client.token_endpoint_auth_method,
            revocation_endpoint_auth_method: client.token_endpoint_auth_method,
            server_issuer_url: workspace.map(|(_, server)| server.issuer(public_url)).unwrap_or_default(),
            created_at: document.created_at.rfc3339(),
            updated_at: document.updated_at.rfc3339(),
            client,
        })
    }
}

impl Editable for Clients {
    type Input = ClientRequest;
    const READ_ONLY: &'static [&'static str] = &[
        "system",
        "dynamically_registered",
        "hashed_secret",
        "sealed_secret",
        "rotated_secrets",
        "hashed_rotated_secrets",
        "predecessor_deleted_at",
        "registration_token",
        "client_id_issued_at",
        "created_at",
        "application_types",
        "introspection_endpoint_auth_method",
        "revocation_endpoint_auth_method",
        "server_issuer_url",
    ];
    const FIXED: &'static [&'static str] = &["client_id", "authorization_server_id", "client_type"];

    async fn plan(
        input: ClientRequest,
        before: Option<&Client>,
        call: &Call,
    ) -> Result<Plan<Client>, Failure> {
        let engine = &call.office.engine;
        let mut problems = Problems::default();
        let mut client = input.client;
        inherit(&mut client, before, call);
        if before.is_none() {
            // Tokens of an earlier client of this name stay dead (attacks ADM-13, ADM-26).
            client.predecessor_deleted_at =
                engine.client_deleted_at(call.tenant(), &client.client_id).await?;
        }
        let (listed, sent) = (std::mem::take(&mut client.scopes), call.body.get("scopes"));
        client.scopes =
            rules::client::merge_scopes(sent, input.scope.as_deref(), listed, before, &mut problems);
        if client.audience == [client.client_id.as_str()] {
            client.audience.clear();
        }
        rules::client::check(&client, &engine.config().fetch, &mut problems);
        let workspace = client.authorization_server_id.as_str();
        match load::<Servers>(call, workspace).await {
            Ok(_) => {
                let known = all::<Scopes>(call, Some(workspace)).await?;
                rules::client::check_scopes(&client, before, &known, &mut problems);
            }
            Err(Failure::Own { why: Why::NotFound, .. }) => {
                problems.add("authorization_server_id", workspace, "a workspace of this tenant");
            }
            Err(other) => return Err(other),
        }
        let mut once = Map::new();
        if let Some(secret) = settle_secret(&mut client, input.client_secret, &mut problems, call).await? {
            once.insert("client_secret".to_owned(), secret.into());
        }
        Ok(Plan { stored: client, problems, once })
    }

    async fn delete(client: &Client, document: &Document, _: Event, call: &Call) -> Result<(), EngineError> {
        let engine = &call.office.engine;
        let (server, expect) = (&client.authorization_server_id, Expect::Revision(document.revision));
        engine.delete_client(call.tenant(), server, &client.client_id, expect, &call.around).await
    }
}

/// What the server says about a client, whatever was sent.
fn inherit(client: &mut Client, before: Option<&Client>, call: &Call) {
    let engine = &call.office.engine;
    client.tenant_id = call.tenant().clone();
    client.hashed_secret = before.and_then(|before| before.hashed_secret.clone());
    client.sealed_secret = before.and_then(|before| before.sealed_secret.clone());
    client.hashed_rotated_secrets =
        before.map(|before| before.hashed_rotated_secrets.clone()).unwrap_or_default();
    client.system = before.is_some_and(|before| before.system);
    client.registration_token = before.and_then(|before| before.registration_token.clone());
    client.dynamically_registered = before.is_some_and(|before| before.dynamically_registered);
    client.predecessor_deleted_at = before.and_then(|before| before.predecessor_deleted_at);
    let now = engine.now().seconds();
    client.client_id_issued_at = before.map_or(now, |before| before.client_id_issued_at);
    if before.is_none() && client.client_id.as_str().is_empty() {
        client.client_id = ClientId::new(engine.new_id());
    }
}

/// Hashes the secret that was sent, or makes one that is needed; answers it in clear if it was made now or the
/// client is new. A client that has none keeps none.
async fn settle_secret(
    client: &mut Client,
    sent: Option<String>,
    problems: &mut Problems,
    call: &Call,
) -> Result<Option<String>, Failure> {
    let engine = &call.office.engine;
    let method = client.token_endpoint_auth_method;
    let sent = sent.filter(|secret| !secret.is_empty());
    if method == TokenEndpointAuthMethod::None {
        if sent.is_some() {
            problems.add(
                "client_secret",
                "a secret",
                "none: a public client cannot keep one (RFC 6749 §2.1)",
            );
        }
        client.hashed_secret = None;
        client.sealed_secret = None;
        client.hashed_rotated_secrets.clear();
        return Ok(None);
    }
    if method != TokenEndpointAuthMethod::ClientSecretJwt {
        // What is not needed in the clear is not kept so.
        client.sealed_secret = None;
        client.hashed_rotated_secrets.iter_mut().for_each(|rotated| rotated.sealed = None);
    }
    let Some(secret) = sent else {
        // A hash is no HMAC key: a client that becomes one of client_secret_jwt gets a new secret.
        let unusable = method == TokenEndpointAuthMethod::ClientSecretJwt && client.sealed_secret.is_none();
        if client.hashed_secret.is_some() && !unusable || !method.uses_secret() {
            return Ok(None);
        }
        let (secret, hash) = engine.new_secret();
        client.hashed_secret = Some(hash);
        engine.keep_secret(client, &secret)?;
        return Ok(Some(secret));
    };
    if let Some((received, expected)) = rules::secret::problem(&secret) {
        problems.add("client_secret", received, expected);
        return Ok(None);
    }
    client.hashed_secret = Some(engine.hash_chosen_secret(&secret).await?);
    engine.keep_secret(client, &secret)?;
    Ok(Some(secret))
}

/// The contract's `application_types`.
fn application_type(client: &Client) -> &'static str {
    match () {
        () if client.dynamically_registered => "dcr",
        () if client.is_native() => "mobile_desktop",
        () if client.is_public() => "single_page",
        () if client.grant_types == ["client_credentials"] => "service",
        () => "server_web",
    }
}

async fn rotate_secret(call: &Call) -> Result<Reply, Failure> {
    let text = call.query.get("auto_revoke_after").unwrap_or("0");
    let after = Span::parse(text)
        .ok_or_else(|| Failure::query("auto_revoke_after", text, "a duration such as 24h"))?;
    let now = call.office.engine.now();
    let expires_at = (after > Span::seconds(0)).then(|| now.plus(after.0));
    let (secret, hash) = call.office.engine.new_secret();
    let rotate = |client: &mut Client| {
        rotate(client, &hash, expires_at)?;
        Ok(call.office.engine.keep_secret(client, &secret)?)
    };
    let (_, document) = amend::<Clients, _>(call, call.segment("cid"), "secret_rotated", rotate).await?;
    Ok(Reply::ok(&NewSecret { secret }).tagged(&document))
}

fn rotate(
    client: &mut Client,
    hash: &HashedSecret,
    expires_at: Option<protocol::time::Timestamp>,
) -> Result<(), Failure> {
    if !client.token_endpoint_auth_method.uses_secret() {
        let method = client.token_endpoint_auth_method.name();
        let mut problems = Problems::default();
        problems.add("token_endpoint_auth_method", method, "a method with a secret");
        problems.into_result()?;
    }
    if let Some(previous) = client.hashed_secret.replace(hash.clone()) {
        client
            .hashed_rotated_secrets
            .insert(0, RotatedSecret { hash: previous, sealed: client.sealed_secret.take(), expires_at });
        client.hashed_rotated_secrets.truncate(ROTATED_SECRETS);
    }
    Ok(())
}

async fn revoke_rotated_secrets(call: &Call) -> Result<Reply, Failure> {
    let revoke = |client: &mut Client| {
        client.hashed_rotated_secrets.clear();
        Ok(())
    };
    let (_, document) = amend::<Clients, _>(call, call.segment("cid"), "secrets_revoked", revoke).await?;
    Ok(Reply::no_content().tagged(&document))
}

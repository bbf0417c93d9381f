//! Services: groups of scopes that become audiences of tokens (contract §3).

use super::{Resource, Scopes, Servers};
use crate::failure::{Failure, Why};
use crate::kind::{Editable, Kind, Place, Plan, all, load, rows};
use crate::members::Problems;
use crate::operation::{Call, Shape};
use crate::verb::{create, delete, list, read, update};
use engine::EngineError;
use protocol::decision::Event;
use protocol::id::{ServiceId, is_valid_chosen_id};
use protocol::record::{Document, DocumentKind, Expect, Write};
use protocol::scope::Scope;
use protocol::service::Service;
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;
use utoipa::ToSchema;

pub(super) const SERVICES: Resource = Resource {
    tag: "services",
    description: "Services: groups of scopes. The audience of a token names each service whose scopes it holds.",
    operations: &[
        create::<Services>(
            "createService",
            "/services",
            "Create a service",
            Shape::of::<Service>().with_example(example),
        ),
        list::<Services>(
            "listServices",
            "/servers/{wid}/services",
            "List services",
            Shape::of::<ServiceList>(),
        ),
        read::<Services>("getService", "/services/{sid}", "Read a service with its scopes"),
        update::<Services>(
            "updateService",
            "/services/{sid}",
            "Replace a service",
            Shape::of::<Service>().with_example(example),
        ),
        delete::<Services>("deleteService", "/services/{sid}", "Delete a service with its scopes"),
    ],
};

/// Types of the contract.
const TYPES: &[&str] = &["user", "oauth2", "oidc", "system", "openbanking"];

fn example() -> Value {
    json!({ "authorization_server_id": "default", "name": "Orders", "custom_audience": "https://api.example.com/orders" })
}

/// A service as answered.
#[derive(Serialize, ToSchema)]
#[schema(as = ServiceWithScopesResponse)]
pub(crate) struct ServiceResponse {
    #[serde(flatten)]
    service: Service,
    tenant_id: String,
    /// What tokens carry in `aud`.
    audience: String,
    updated_at: String,
    /// Only when one service is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<Scope>>,
}

/// A page of services.
#[derive(ToSchema)]
#[schema(as = ServicesResponse)]
#[expect(dead_code, reason = "describes the answer of `list`")]
pub(super) struct ServiceList {
    services: Vec<ServiceResponse>,
}

/// Services as a kind of document.
pub(crate) struct Services;

impl Kind for Services {
    type Stored = Service;
    type Shown = ServiceResponse;
    const KIND: DocumentKind = DocumentKind::Service;
    const NAME: &'static str = "service";
    const PLURAL: &'static str = "services";
    const SEGMENT: &'static str = "sid";
    const TYPES: Option<(&'static str, &'static [&'static str])> = Some(("service_types", TYPES));

    fn place(service: &Service) -> Place<'_> {
        Place {
            id: service.id.as_str(),
            name: &service.name,
            type_name: &service.service_type,
            workspace: service.authorization_server_id.clone(),
            parent: Some(service.authorization_server_id.as_str()),
        }
    }

    async fn show(service: Service, document: &Document, call: &Call) -> Result<ServiceResponse, Failure> {
        let scopes = match call.segment(Self::SEGMENT) {
            "" => None,
            _ => Some(scopes_of(&service, call).await?),
        };
        Ok(ServiceResponse {
            tenant_id: call.tenant().to_string(),
            audience: service.audience(host(call), call.tenant()),
            updated_at: document.updated_at.rfc3339(),
            scopes,
            service,
        })
    }
}

impl Editable for Services {
    type Input = Service;
    const READ_ONLY: &'static [&'static str] = &["system", "audience"];
    const FIXED: &'static [&'static str] = &["id", "authorization_server_id"];
    const UNIQUE: bool = true;

    async fn plan(
        mut service: Service,
        before: Option<&Service>,
        call: &Call,
    ) -> Result<Plan<Service>, Failure> {
        let mut problems = Problems::default();
        if before.is_none() && service.id.as_str().is_empty() {
            service.id = ServiceId::new(call.office.engine.new_id());
        }
        if service.service_type.is_empty() {
            service.service_type = "user".to_owned();
        }
        service.system = before.is_some_and(|before| before.system);
        check(&service, &mut problems);
        let workspace = service.authorization_server_id.as_str();
        match load::<Servers>(call, workspace).await {
            Err(Failure::Own { why: Why::NotFound, .. }) => {
                problems.add("authorization_server_id", workspace, "a workspace of this tenant");
            }
            other => drop(other?),
        }
        let others = all::<Services>(call, Some(workspace)).await?;
        let host = host(call);
        let audience = service.audience(host, call.tenant());
        let taken =
            |other: &Service| other.id != service.id && other.audience(host, call.tenant()) == audience;
        if others.iter().any(taken) {
            return Err(Failure::new(Why::AlreadyExists).with("custom_audience", audience));
        }
        Ok(Plan::new(service, problems))
    }

    /// The services that every workspace is made with stay: the server's own endpoints ask for their scopes.
    fn is_removable(service: &Service) -> bool {
        !service.system
    }

    async fn delete(
        service: &Service,
        document: &Document,
        event: Event,
        call: &Call,
    ) -> Result<(), EngineError> {
        let expect = Expect::Revision(document.revision);
        let mut writes = vec![Write::DeleteDocument { kind: Self::KIND, id: document.id.clone(), expect }];
        let workspace = &service.authorization_server_id;
        let scopes = rows(call, DocumentKind::Scope, Some(workspace.as_str())).await?;
        for scope in scopes {
            if scope.read::<Scope>()?.service_id == service.id {
                writes.push(Write::DeleteDocument {
                    kind: DocumentKind::Scope,
                    id: scope.id,
                    expect: Expect::Any,
                });
            }
        }
        call.office.engine.commit(call.tenant(), writes, vec![event], Some(workspace), &call.around).await
    }
}

/// Host and port of the server, as SPIFFE audiences name it.
fn host(call: &Call) -> &str {
    let public_url = call.office.engine.public_url();
    public_url.split_once("://").map_or(public_url, |(_, host)| host)
}

async fn scopes_of(service: &Service, call: &Call) -> Result<Vec<Scope>, Failure> {
    let mut scopes = all::<Scopes>(call, Some(service.authorization_server_id.as_str())).await?;
    scopes.retain(|scope| scope.service_id == service.id);
    Ok(scopes)
}

fn check(service: &Service, problems: &mut Problems) {
    let id = service.id.as_str();
    problems.require(is_valid_chosen_id(id), "id", id, "1 to 128 characters of A-Z a-z 0-9 . _ ~ -");
    problems.require(!service.name.trim().is_empty(), "name", "no text", "a name for people");
    problems.one_of("type", &service.service_type, TYPES);
    let step_up = &service.step_up;
    problems.distinct("step_up.acr_values", &step_up.acr_values);
    for (index, value) in step_up.acr_values.iter().enumerate() {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/:=._-".contains(&b);
        let fits = !value.is_empty() && value.bytes().all(allowed);
        let member = format!("step_up.acr_values[{index}]");
        problems.require(fits, &member, value, "characters of A-Z a-z 0-9 / : = . _ -");
    }
    if let Some(max_age) = step_up.max_age {
        problems.require(max_age >= 0, "step_up.max_age", max_age, "seconds, 0 or more");
    }
    let audience = &service.custom_audience;
    let is_resource = audience.is_empty()
        || (Url::parse(audience).is_ok() && audience.bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
    problems.require(
        is_resource,
        "custom_audience",
        audience,
        "an absolute URI without a fragment (RFC 8707 §2)",
    );
}

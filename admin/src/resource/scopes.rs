//! Scopes of a workspace (RFC 6749 §3.3, contract §3).

use super::{Resource, Servers, Services};
use crate::failure::{Failure, Why};
use crate::kind::{Editable, Kind, Place, Plan, all, load};
use crate::members::Problems;
use crate::operation::{Call, Shape};
use crate::verb::{create, delete, list, read, update};
use protocol::id::{MAX_ID_BYTES, is_valid_chosen_id};
use protocol::record::{Document, DocumentKind};
use protocol::scope::{Scope, is_scope_token};
use protocol::service::Service;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write;
use utoipa::ToSchema;

pub(super) const SCOPES: Resource = Resource {
    tag: "scopes",
    description: "Scopes: what an application may be allowed to do.",
    operations: &[
        create::<Scopes>(
            "createScope",
            "/scopes",
            "Create a scope",
            Shape::of::<Scope>().with_example(example),
        ),
        list::<Scopes>("listScopes", "/servers/{wid}/scopes", "List scopes", Shape::of::<ScopeList>()),
        read::<Scopes>("getScope", "/scopes/{scp}", "Read a scope with its service"),
        update::<Scopes>(
            "updateScope",
            "/scopes/{scp}",
            "Replace a scope",
            Shape::of::<Scope>().with_example(example),
        ),
        delete::<Scopes>("deleteScope", "/scopes/{scp}", "Delete a scope"),
    ],
};

fn example() -> Value {
    json!({ "service_id": "default-profile", "name": "orders.read", "display_name": "Read your orders" })
}

/// A scope as answered.
#[derive(Serialize, ToSchema)]
#[schema(as = ScopeWithService)]
pub(crate) struct ScopeResponse {
    #[serde(flatten)]
    scope: Scope,
    tenant_id: String,
    with_service: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Service>,
}

/// A page of scopes.
#[derive(ToSchema)]
#[schema(as = ScopesWithServices)]
#[expect(dead_code, reason = "describes the answer of `list`")]
pub(super) struct ScopeList {
    scopes: Vec<ScopeResponse>,
}

/// Scopes as a kind of document.
pub(crate) struct Scopes;

impl Kind for Scopes {
    type Stored = Scope;
    type Shown = ScopeResponse;
    const KIND: DocumentKind = DocumentKind::Scope;
    const NAME: &'static str = "scope";
    const PLURAL: &'static str = "scopes";
    const SEGMENT: &'static str = "scp";

    fn place(scope: &Scope) -> Place<'_> {
        Place {
            id: &scope.id,
            name: &scope.name,
            type_name: "",
            workspace: scope.authorization_server_id.clone(),
            parent: Some(scope.authorization_server_id.as_str()),
        }
    }

    async fn show(scope: Scope, _document: &Document, call: &Call) -> Result<ScopeResponse, Failure> {
        let service = match load::<Services>(call, scope.service_id.as_str()).await {
            Ok((_, service)) => Some(service),
            Err(Failure::Own { why: Why::NotFound, .. }) => None,
            Err(other) => return Err(other),
        };
        Ok(ScopeResponse {
            tenant_id: call.tenant().to_string(),
            with_service: service.is_some(),
            service,
            scope,
        })
    }
}

impl Editable for Scopes {
    type Input = Scope;
    const READ_ONLY: &'static [&'static str] = &[];
    const FIXED: &'static [&'static str] = &["id", "authorization_server_id", "service_id"];
    const UNIQUE: bool = true;

    async fn plan(mut scope: Scope, before: Option<&Scope>, call: &Call) -> Result<Plan<Scope>, Failure> {
        let mut problems = Problems::default();
        settle_place(&mut scope, call, &mut problems).await?;
        if scope.id.is_empty() {
            scope.id = default_id(scope.authorization_server_id.as_str(), &scope.name)
                .unwrap_or_else(|| call.office.engine.new_id());
        }
        check(&scope, &mut problems);
        let workspace = scope.authorization_server_id.as_str();
        let taken = |other: &Scope| other.name == scope.name && other.id != scope.id;
        let renamed = before.is_none_or(|before| before.name != scope.name);
        if renamed && all::<Scopes>(call, Some(workspace)).await?.iter().any(taken) {
            return Err(Failure::new(Why::AlreadyExists).with("name", scope.name.as_str()));
        }
        Ok(Plan::new(scope, problems))
    }
}

/// A scope stands in the workspace of its service, and may say so itself too.
async fn settle_place(scope: &mut Scope, call: &Call, problems: &mut Problems) -> Result<(), Failure> {
    let workspace = scope.authorization_server_id.as_str();
    if !scope.service_id.as_str().is_empty() {
        let service_id = scope.service_id.as_str();
        match load::<Services>(call, service_id).await {
            Ok((_, service))
                if workspace.is_empty() || service.authorization_server_id.as_str() == workspace =>
            {
                scope.authorization_server_id = service.authorization_server_id;
                return Ok(());
            }
            Ok(_) | Err(Failure::Own { why: Why::NotFound, .. }) => {
                problems.add("service_id", service_id, "a service of the workspace");
            }
            Err(other) => return Err(other),
        }
    }
    match load::<Servers>(call, workspace).await {
        Err(Failure::Own { why: Why::NotFound, .. }) => {
            problems.add("authorization_server_id", workspace, "a workspace of this tenant");
            Ok(())
        }
        other => other.map(drop),
    }
}

fn check(scope: &Scope, problems: &mut Problems) {
    let (id, name) = (scope.id.as_str(), scope.name.as_str());
    problems.require(is_valid_chosen_id(id), "id", id, "1 to 128 characters of A-Z a-z 0-9 . _ ~ -");
    problems.require(name.len() <= 256, "name", format_args!("{} bytes", name.len()), "at most 256 bytes");
    problems.require(
        is_scope_token(name),
        "name",
        name,
        "a scope-token: visible ASCII without \" and \\ (RFC 6749 §3.3)",
    );
    let wildcard = !name.contains('*') || (name.len() > 1 && name.find('*') == Some(name.len() - 1));
    problems.require(wildcard, "name", name, "a wildcard only at the end, such as account.*");
}

/// The contract's identifier `{aid}-{name}`. What may not stand in an identifier is written `~` and two hexadecimal
/// digits, so that two names never share one.
fn default_id(workspace: &str, name: &str) -> Option<String> {
    let mut id = format!("{workspace}-");
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => id.push(char::from(byte)),
            other => write!(id, "~{other:02X}").ok()?,
        }
    }
    (id.len() <= MAX_ID_BYTES).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::default_id;

    #[test]
    fn identifiers_of_scopes_are_readable_and_never_shared() {
        assert_eq!(default_id("default", "openid").unwrap(), "default-openid");
        assert_eq!(default_id("default", "account.*").unwrap(), "default-account.~2A");
        assert_ne!(default_id("a", "x:y"), default_id("a", "x/y"));
        assert_ne!(default_id("a", "x~3A"), default_id("a", "x:"));
        assert_eq!(default_id("a", &"x".repeat(200)), None);
    }
}

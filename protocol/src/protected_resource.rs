//! Protected resource metadata (RFC 9728): which authorization server a resource takes tokens from, and how. For our own
//! APIs, and for every service of a workspace, whose resource server may show the document or lead to it.

use crate::decision::{Catalog, Cx};
use crate::id::TenantId;
use crate::profile::{Rules, SenderConstraint};
use crate::service::Service;
use serde_json::{Map, Value, json};

/// An API of a workspace that takes access tokens.
pub struct OwnResource {
    /// Path below the issuer, and last part of the metadata's path.
    pub path: &'static str,
    pub name: &'static str,
    /// Scopes that it knows, as far as the workspace has them.
    scopes: &'static [&'static str],
    /// How it takes tokens (RFC 6750 §2): `header`, `body`.
    bearer_methods: &'static [&'static str],
}

/// Claims about the person (OIDC Core §5.3).
pub const USERINFO: OwnResource = OwnResource {
    path: "userinfo",
    name: "Userinfo",
    scopes: &["openid", "profile", "email", "address", "phone"],
    bearer_methods: &["header", "body"],
};

/// Which clients a person let in (contract: public API).
pub const CLIENTS: OwnResource = OwnResource {
    path: "clients",
    name: "Clients with access",
    scopes: &["list_clients_with_access", "revoke_client_access"],
    bearer_methods: &["header"],
};

const MANAGEMENT_API: &str = "Management API";

/// Every API of a workspace.
pub static OWN_RESOURCES: &[&OwnResource] = &[&USERINFO, &CLIENTS];

impl OwnResource {
    /// The resource identifier: its URL.
    pub fn identifier(&self, issuer: &str) -> String {
        format!("{issuer}/{}", self.path)
    }

    /// What a first request may ask for (RFC 6750 §3).
    pub const fn first_scope(&self) -> &'static str {
        match self.scopes {
            [first, ..] => first,
            [] => "",
        }
    }

    /// The document (RFC 9728 §2).
    pub fn metadata(&self, cx: &Cx<'_>) -> Map<String, Value> {
        let scopes = self.scopes.iter().copied().filter(|name| cx.scope_document(name).is_some());
        let scopes: Vec<&str> = scopes.collect();
        let mut document = document(&self.identifier(cx.issuer), &[cx.issuer], self.name, &scopes);
        document.insert("bearer_methods_supported".to_owned(), json!(self.bearer_methods));
        bound(&mut document, cx);
        document
    }
}

/// The document of a service; its resource identifier is the audience of its tokens, as it was registered.
pub fn of_service(service: &Service, cx: &Cx<'_>) -> Map<String, Value> {
    let resource = service.audience(&cx.catalog.host, cx.tenant);
    let scopes = cx.catalog.scopes.iter().filter(|scope| scope.service_id == service.id);
    // A pattern of dynamic scopes is no scope value itself.
    let scopes = scopes.map(|scope| scope.name.as_str()).filter(|name| cx.scope_document(name).is_some());
    let scopes: Vec<&str> = scopes.collect();
    let mut document = document(&resource, &[cx.issuer], &service.name, &scopes);
    bound(&mut document, cx);
    document
}

/// Whether it is the identifier of an API that takes tokens of this workspace.
pub(crate) fn is_own(resource: &str, cx: &Cx<'_>) -> bool {
    cx.catalog.management.as_deref() == Some(resource)
        || OWN_RESOURCES.iter().any(|own| own.identifier(cx.issuer) == resource)
}

/// What a resource is called: a service by its document, an API of ours by what it is.
pub fn name_of<'a>(
    resource: &str,
    catalog: &'a Catalog,
    (tenant, issuer): (&TenantId, &str),
) -> Option<&'a str> {
    let service = catalog.services.iter().find(|service| service.audience(&catalog.host, tenant) == resource);
    let own = || OWN_RESOURCES.iter().find(|own| own.identifier(issuer) == resource).map(|own| own.name);
    let management = || (catalog.management.as_deref() == Some(resource)).then_some(MANAGEMENT_API);
    let name = service.map(|service| service.name.as_str()).or_else(own).or_else(management);
    name.filter(|name| !name.is_empty())
}

/// The resource identifier of a tenant's management API.
pub fn management(public_url: &str, tenant: &TenantId) -> String {
    format!("{public_url}/api/admin/{tenant}")
}

/// The document of the management API, whose tokens come from workspace `admin`; `issuer` is that one's.
pub fn of_management(resource: &str, issuer: &str) -> Map<String, Value> {
    document(resource, &[issuer], MANAGEMENT_API, &[])
}

/// Where the document of a resource is (RFC 9728 §3.1): the well-known path goes between host and path.
pub fn metadata_url(resource: &str) -> String {
    const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
    let (scheme, rest) = resource.split_once("://").unwrap_or(("https", resource));
    let (host, path) =
        rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
    format!("{scheme}://{host}{WELL_KNOWN}{path}")
}

fn document(resource: &str, servers: &[&str], name: &str, scopes: &[&str]) -> Map<String, Value> {
    let mut document = Map::from_iter([
        ("resource".to_owned(), json!(resource)),
        ("authorization_servers".to_owned(), json!(servers)),
        ("bearer_methods_supported".to_owned(), json!(["header"])),
        ("resource_name".to_owned(), json!(name)),
    ]);
    if !scopes.is_empty() {
        document.insert("scopes_supported".to_owned(), json!(scopes));
    }
    document
}

/// What tokens must be bound to; only said where it is so (RFC 9728 §2).
fn bound(document: &mut Map<String, Value>, cx: &Cx<'_>) {
    if Rules::of_workspace(cx.server).sender_constraint() == SenderConstraint::Mtls {
        document.insert("tls_client_certificate_bound_access_tokens".to_owned(), json!(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{ISSUER, World};

    #[test]
    fn rfc9728_3_1_the_path_is_inserted() {
        for (resource, url) in [
            (
                "https://as.example/acme/shop/userinfo",
                "https://as.example/.well-known/oauth-protected-resource/acme/shop/userinfo",
            ),
            ("https://mcp.example", "https://mcp.example/.well-known/oauth-protected-resource"),
            (
                "https://mcp.example:8443/a?b=c",
                "https://mcp.example:8443/.well-known/oauth-protected-resource/a?b=c",
            ),
        ] {
            assert_eq!(metadata_url(resource), url);
        }
    }

    #[test]
    fn rfc9728_2_members_are_what_is_there_and_nothing_is_null() {
        let mut world = World::default();
        world.catalog.services[2].custom_audience = "https://mcp.example/mcp".to_owned();
        let cx = world.cx();
        let userinfo = USERINFO.metadata(&cx);
        assert_eq!(userinfo["resource"], format!("{ISSUER}/userinfo"));
        assert_eq!(userinfo["authorization_servers"], json!([ISSUER]));
        assert_eq!(userinfo["scopes_supported"], json!(["openid", "profile", "email", "address", "phone"]));
        assert_eq!(userinfo["bearer_methods_supported"], json!(["header", "body"]));
        // A workspace without these scopes offers none.
        assert!(!CLIENTS.metadata(&cx).contains_key("scopes_supported"));
        let orders = of_service(&cx.catalog.services[2], &cx);
        assert_eq!(orders["resource"], "https://mcp.example/mcp");
        assert_eq!(orders["scopes_supported"], json!(["orders.read", "orders.write"]));
        for document in [userinfo, orders, of_management("https://as.example/api", ISSUER)] {
            assert!(document.values().all(|value| !value.is_null()), "{document:?}");
        }
    }
}

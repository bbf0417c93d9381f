//! Resource indicators (RFC 8707): which services of the workspace, and which of its own APIs, an access token is for.

use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::params::Params;
use crate::protected_resource::is_own;
use crate::scope::ScopeSet;

/// Most resources in one request.
pub const MAX_RESOURCES: usize = 20;

/// The resources that an authorization request or a client of its own asks for (RFC 8707 §2).
///
/// # Errors
/// [`Reason::ResourceInvalid`] when one is no absolute URI or has a fragment, [`Reason::ResourceUnknown`] when no
/// service of the workspace has it as audience and no API of its own as identifier.
pub fn requested(params: &Params, cx: &Cx<'_>) -> Result<Vec<String>, Refusal> {
    let resources = parse(params)?;
    let known = |resource: &str| {
        let mut services = cx.catalog.services.iter();
        services.any(|service| service.audience(&cx.catalog.host, cx.tenant) == resource)
            || is_own(resource, cx)
    };
    match resources.iter().find(|resource| !known(resource)) {
        Some(unknown) => Err(refuse_unknown(unknown)),
        None => Ok(resources),
    }
}

/// The resources of one access token of a grant: those asked for, which must be among the granted ones, or all
/// granted ones (RFC 8707 §2.2).
///
/// A grant without resources is for the services whose scopes were granted, and for our own APIs; any of these may be
/// singled out, which narrows the token and never widens it.
///
/// # Errors
/// [`Reason::ResourceInvalid`] or [`Reason::ResourceUnknown`].
pub fn narrow(
    params: &Params,
    granted: &[String],
    scope: &ScopeSet,
    cx: &Cx<'_>,
) -> Result<Vec<String>, Refusal> {
    let resources = parse(params)?;
    if resources.is_empty() {
        return Ok(granted.to_vec());
    }
    let within = Within::of(granted, scope, cx);
    match resources.iter().find(|resource| !within.has(resource)) {
        Some(unknown) => Err(refuse_unknown(unknown)),
        None => Ok(resources),
    }
}

/// What a token of a grant may be for.
pub(crate) struct Within<'a, 'c> {
    /// The granted resources; without such, the services whose scopes were granted.
    pub(crate) named: Vec<String>,
    /// Our own APIs too, if the grant has no resources.
    own: Option<&'a Cx<'c>>,
}

impl<'a, 'c> Within<'a, 'c> {
    pub(crate) fn of(granted: &[String], scope: &ScopeSet, cx: &'a Cx<'c>) -> Self {
        match granted {
            [] => Self { named: audiences(scope, cx), own: Some(cx) },
            granted => Self { named: granted.to_vec(), own: None },
        }
    }

    pub(crate) fn has(&self, resource: &str) -> bool {
        self.named.iter().any(|named| named == resource) || self.own.is_some_and(|cx| is_own(resource, cx))
    }
}

/// The audiences of the services whose scopes are in `scope`, each once, in the order of the scopes.
pub fn audiences(scope: &ScopeSet, cx: &Cx<'_>) -> Vec<String> {
    let mut services = Vec::new();
    for name in scope.iter() {
        let Some(document) = cx.scope_document(name) else { continue };
        if services.contains(&&document.service_id) {
            continue;
        }
        services.push(&document.service_id);
    }
    services
        .into_iter()
        .filter_map(|id| cx.catalog.service(id))
        .map(|service| service.audience(&cx.catalog.host, cx.tenant))
        .collect()
}

/// The `resource` parameters in their order, each once (RFC 8707 §2: absolute URIs without fragment).
fn parse(params: &Params) -> Result<Vec<String>, Refusal> {
    let mut resources: Vec<String> = Vec::new();
    for value in params.all("resource") {
        let absolute = url::Url::parse(value).is_ok_and(|url| url.fragment().is_none());
        if !absolute || resources.len() >= MAX_RESOURCES {
            return Err(Refusal::new(Reason::ResourceInvalid).parameter("resource").received(value));
        }
        if !resources.iter().any(|r| r == value) {
            resources.push(value.to_owned());
        }
    }
    Ok(resources)
}

fn refuse_unknown(resource: &str) -> Refusal {
    Refusal::new(Reason::ResourceUnknown).parameter("resource").received(resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{ISSUER, World, params};

    const ORDERS: &str = "spiffe://as.example/acme/shop/shop-orders";
    const PROFILE: &str = "spiffe://as.example/acme/shop/shop-profile";

    #[test]
    fn rfc8707_2_a_resource_is_a_known_absolute_uri_without_fragment() {
        let mut world = World::default();
        world.catalog.services[2].custom_audience = "https://mcp.example/mcp".to_owned();
        let cx = world.cx();
        let ask = |query: &str| requested(&params(query), &cx).map_err(|r| r.reason);
        assert_eq!(ask("x=y"), Ok(vec![]));
        let both = format!("resource=https://mcp.example/mcp&resource={PROFILE}&resource={PROFILE}");
        assert_eq!(ask(&both), Ok(vec!["https://mcp.example/mcp".to_owned(), PROFILE.to_owned()]));
        for bad in ["resource=/mcp", "resource=mcp", "resource=https://mcp.example/mcp%23top"] {
            assert_eq!(ask(bad), Err(Reason::ResourceInvalid), "{bad}");
        }
        for unknown in ["resource=https://mcp.example/mcp/", "resource=https://other.example/"] {
            assert_eq!(ask(unknown), Err(Reason::ResourceUnknown), "{unknown}");
        }
    }

    #[test]
    fn rfc8707_2_2_a_token_request_narrows_and_never_widens() {
        let mut world = World::default();
        let cx = world.cx();
        let scope = ScopeSet::parse("openid orders.read").unwrap();
        let granted = [ORDERS.to_owned()];
        let ask = |query: &str, granted: &[String]| {
            narrow(&params(query), granted, &scope, &cx).map_err(|r| r.reason)
        };
        assert_eq!(ask("", &granted), Ok(granted.to_vec()));
        assert_eq!(ask(&format!("resource={ORDERS}"), &granted), Ok(granted.to_vec()));
        assert_eq!(ask(&format!("resource={PROFILE}"), &granted), Err(Reason::ResourceUnknown));
        // Without granted resources: the services of the granted scopes.
        assert_eq!(ask(&format!("resource={PROFILE}"), &[]), Ok(vec![PROFILE.to_owned()]));
        let oauth2 = "resource=spiffe://as.example/acme/shop/shop-oauth2";
        assert_eq!(ask(oauth2, &[]), Err(Reason::ResourceUnknown));
        let userinfo = format!("{ISSUER}/userinfo");
        assert_eq!(ask(&format!("resource={userinfo}"), &[]), Ok(vec![userinfo.clone()]));
        assert_eq!(ask(&format!("resource={userinfo}"), &granted), Err(Reason::ResourceUnknown));
    }

    #[test]
    fn rfc9728_2_the_identifiers_of_our_own_apis_are_resources_where_they_are_served() {
        let mut world = World::default();
        let management = "https://as.example/api/admin/acme";
        let own = ["userinfo", "clients"].map(|path| format!("{ISSUER}/{path}"));
        let ask =
            |resource: &str, cx: &Cx<'_>| requested(&params(&format!("resource={resource}")), cx).is_ok();
        let cx = world.cx();
        assert!(own.iter().all(|resource| ask(resource, &cx)));
        for other in [
            management.to_owned(),
            format!("{ISSUER}/userinfo/"),
            format!("{ISSUER}/oauth2/token"),
            ISSUER.to_owned(),
            "https://as.example/acme/other/userinfo".to_owned(),
        ] {
            assert!(!ask(&other, &cx), "{other}");
        }
        world.catalog.management = Some(management.to_owned());
        let cx = world.cx();
        assert!(ask(management, &cx) && !ask("https://as.example/api/admin/other", &cx));
    }
}

//! What the new token is for: the target services that `resource` and `audience` name (RFC 8693 §2.1).

use crate::audience;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::grant_record::GrantRecord;
use crate::params::Params;
use crate::resource::{self, Within};
use crate::scope::ScopeSet;
use crate::token::access_token::ActiveToken;

/// `resource`, and `audience` by the same names or a service's id (RFC 8693 §2.1): out of what the presented token is for.
pub(super) fn resources(
    params: &Params,
    parent: &GrantRecord,
    subject: &ActiveToken,
    scope: &ScopeSet,
    cx: &Cx<'_>,
) -> Result<Vec<String>, Refusal> {
    let granted: Vec<String> = if parent.body.resource.is_empty() {
        // The token alone was narrowed, when it was asked for.
        subject.resource.clone()
    } else {
        let kept = parent
            .body
            .resource
            .iter()
            .filter(|granted| audience::entries(&subject.claims).any(|aud| aud == *granted));
        kept.cloned().collect()
    };
    let by_resource = resource::narrow(params, &granted, scope, cx)?;
    let by_audience = audiences(params, &Within::of(&granted, scope, cx), cx)?;
    if by_audience.is_empty() {
        return Ok(by_resource);
    }
    let mut resources = if params.get("resource").is_some() { by_resource } else { Vec::new() };
    for resource in by_audience {
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    Ok(resources)
}

/// The resources that the `audience` parameters name. An audience need not be a URI (RFC 8693 §2.1).
fn audiences(params: &Params, within: &Within<'_, '_>, cx: &Cx<'_>) -> Result<Vec<String>, Refusal> {
    let meant = params.all("audience").map(|name| {
        let service = cx.catalog.services.iter().find(|service| service.id.as_str() == name);
        let resource = service.map_or(name.to_owned(), |s| s.audience(&cx.catalog.host, cx.tenant));
        if within.has(&resource) {
            return Ok(resource);
        }
        let expected = match &*within.named {
            [] => "an API of this workspace".to_owned(),
            named => named.join(" or "),
        };
        let refusal = Refusal::new(Reason::AudienceUnknown).parameter("audience");
        Err(refusal.received(name).expected(expected))
    });
    meant.collect()
}

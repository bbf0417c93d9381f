//! Which scopes the user is to be asked for (decisions 9; OIDC Core §3.1.2.4).

use super::next_step::Step;
use super::{AuthorizeRequest, Progress};
use crate::client::Client;
use crate::consent::Consent;
use crate::decision::Cx;
use crate::redirect_uri::Destination;
use crate::session::Session;

/// The consent page that is still to be shown, if one is.
pub(super) fn missing_consent(
    request: &AuthorizeRequest,
    client: &Client,
    session: &Session,
    remembered: Option<&Consent>,
    progress: &Progress,
    cx: &Cx<'_>,
) -> Option<Step> {
    let remembered = remembered.filter(|consent| is_of(consent, client, session, cx));
    // That an administrator trusts a client says who it is only where the client can prove it.
    let vouched_for = client.trusted && !client.is_public();
    let forced = request.prompt.consent || is_asked_each_time(request, client) && !vouched_for;
    if client.trusted && !forced {
        return None;
    }
    let is_missing = |name: &str| {
        let scope = cx.scope_document(name);
        let freely_given = scope.is_some_and(|scope| scope.implicit_grant);
        let transient = scope.is_some_and(|scope| scope.transient);
        let allowed_before = remembered.is_some_and(|consent| consent.scopes.contains_key(name));
        !freely_given && (forced || transient || !allowed_before)
    };
    let missing = request.asked_for().filtered(is_missing);
    // RFC 8707 §2: a token for a resource that the user never saw named here is more than was allowed.
    let is_new =
        |resource: &String| remembered.is_none_or(|consent| !consent.resources.contains_key(resource));
    let elsewhere = request.resource.iter().any(is_new);
    let here = progress.consented.as_ref().filter(|consented| consented.subject == session.subject.sub);
    let still_missing = match here {
        Some(consented) => missing.filtered(|name| !consented.scope.contains(name)),
        None if forced || elsewhere => return Some(Step::Consent { missing }),
        None => missing,
    };
    (!still_missing.is_empty()).then_some(Step::Consent { missing: still_missing })
}

/// A consent counts for the same person at the same client; one that took over the client's identifier inherits
/// nothing (attack W-09).
fn is_of(consent: &Consent, client: &Client, session: &Session, cx: &Cx<'_>) -> bool {
    consent.server == cx.server.id
        && consent.client == client.client_id
        && consent.client_uid == client.uid
        && consent.subject == session.subject.sub
}

/// RFC 8252 §8.6: another application can claim a private scheme or listen on loopback, so what the user allowed
/// once says nothing about who asks now.
fn is_asked_each_time(request: &AuthorizeRequest, client: &Client) -> bool {
    match request.target.redirect.destination() {
        Some(Destination::Web) => false,
        Some(Destination::PrivateUse { .. }) => client.is_public(),
        Some(Destination::Loopback { .. }) => client.is_native(),
        None => true,
    }
}

#[cfg(test)]
mod tests;

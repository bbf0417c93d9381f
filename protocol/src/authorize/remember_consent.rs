//! Keeps what the user allowed, per user, client and scope (decisions 9).

use super::{AuthorizeRequest, Consented};
use crate::client::Client;
use crate::consent::Consent;
use crate::decision::{Cx, Event};
use crate::record::{Document, DocumentKind, Expect, ImpossibleRow, Write};
use crate::scope::ScopeSet;
use crate::session::Session;

/// What the user's "allow" on the consent page does.
pub struct Remembered {
    /// For [`super::Progress::consented`].
    pub consented: Consented,
    /// The request without the scopes that were asked for and not allowed; `openid` stays.
    pub request: AuthorizeRequest,
    pub writes: Vec<Write>,
    pub events: Vec<Event>,
}

/// Adds the `allowed` ones of the `asked` scopes to the consent document. Transient scopes are allowed and not
/// remembered. `existing` is the document under [`Consent::document_id`], if there is one; a conflict means that
/// another tab was quicker: load it and decide again.
///
/// # Errors
/// A stored consent that cannot be read.
pub fn remember_consent(
    request: &AuthorizeRequest,
    client: &Client,
    session: &Session,
    (asked, allowed): (&ScopeSet, &ScopeSet),
    existing: Option<&Document>,
    cx: &mut Cx<'_>,
) -> Result<Remembered, ImpossibleRow> {
    let subject = session.subject.sub.as_str();
    let allowed = asked.filtered(|name| name == "openid" || allowed.contains(name));
    let before = existing.map(Document::read::<Consent>).transpose()?;
    let mut consent = before.filter(|consent| consent.client_uid == client.uid).unwrap_or_else(|| Consent {
        server: cx.server.id.clone(),
        client: client.client_id.clone(),
        client_uid: client.uid.clone(),
        subject: subject.to_owned(),
        scopes: Default::default(),
        resources: Default::default(),
    });
    let is_transient = |name: &str| cx.scope_document(name).is_some_and(|scope| scope.transient);
    for name in allowed.iter().filter(|name| !is_transient(name)) {
        consent.scopes.insert(name.to_owned(), cx.now);
    }
    for resource in &request.resource {
        consent.resources.insert(resource.clone(), cx.now);
    }
    let event = Event::new("consent", "allowed")
        .client(&client.client_id)
        .person(&session.subject)
        .detail(allowed.to_string());
    Ok(Remembered {
        request: AuthorizeRequest {
            scope: request.scope.filtered(|name| !asked.contains(name) || allowed.contains(name)),
            ..request.clone()
        },
        consented: Consented { subject: subject.to_owned(), scope: allowed },
        writes: vec![put(&consent, existing, cx)?],
        events: vec![event],
    })
}

fn put(consent: &Consent, existing: Option<&Document>, cx: &mut Cx<'_>) -> Result<Write, ImpossibleRow> {
    if let Some(before) = existing {
        let document = Document { updated_at: cx.now, ..before.rewritten(consent)? };
        return Ok(Write::PutDocument { document, expect: Expect::Revision(before.revision) });
    }
    let document = Document {
        kind: DocumentKind::Consent,
        id: Consent::document_id(&consent.server, &consent.subject, &consent.client),
        parent: Some(Consent::parent(&consent.server, &consent.subject)),
        uid: cx.uid(),
        revision: 0,
        created_at: cx.now,
        updated_at: cx.now,
        // A plain struct of strings and numbers: serialising it cannot fail.
        body: serde_json::to_string(consent).unwrap_or_default(),
    };
    Ok(Write::PutDocument { document, expect: Expect::Absent })
}

#[cfg(test)]
mod tests;

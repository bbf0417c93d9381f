//! `password` (RFC 6749 §4.3): a client that is shown the person's password. "MUST NOT be used" (RFC 9700 §2.4), so it
//! stands behind two switches, the workspace's and the client's, both off (attack TOK-07; decisions 2).

use super::first_tokens::{FirstTokens, first_tokens};
use super::{Grant, Need, Person, TokenRequest, required};
use crate::decision::{Cx, Decision, Event};
use crate::error::Refusal;
use crate::grant_record::GrantRecord;
use crate::record::{Found, Lookup};
use crate::token::Issue;
use crate::{resource, scope_request};

/// The grant type `password`.
pub struct PasswordGrant;

impl Grant for PasswordGrant {
    fn grant_type(&self) -> &'static str {
        "password"
    }

    fn clause(&self) -> &'static str {
        "RFC 6749 §4.3"
    }

    fn params(&self) -> &'static [&'static str] {
        &["username", "password", "scope", "resource"]
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Password]
    }

    fn wants(&self, req: &TokenRequest<'_>, _cx: &mut Cx<'_>) -> Result<Vec<Lookup>, Refusal> {
        required(req.params, "username")?;
        required(req.params, "password")?;
        Ok(Vec::new())
    }

    fn decide(&self, req: &TokenRequest<'_>, _found: &[Found], cx: &mut Cx<'_>) -> Decision<Issue> {
        issue(req, cx).unwrap_or_else(|refusal| {
            let event = Event::new("password", "refused").client(&req.client.client_id).reason(&refusal);
            Decision::refuse(refusal).and_event(event)
        })
    }
}

fn issue(req: &TokenRequest<'_>, cx: &mut Cx<'_>) -> Result<Decision<Issue>, Refusal> {
    let Person { subject, mut writes } = req.evidence.person()?;
    let scope = match scope_request::requested(req.params)? {
        Some(scope) => {
            scope_request::check_allowed(&scope, req.client, cx)?;
            scope
        }
        None => scope_request::implicit(req.client, cx),
    };
    let resource = resource::requested(req.params, cx)?;
    let mut grant = GrantRecord::outside_browser(req.client, subject, scope.clone(), cx);
    grant.body.resource.clone_from(&resource);
    let tokens = first_tokens(req, &grant, &scope, &resource, cx);
    let FirstTokens { issue, writes: of_tokens, event, .. } = tokens;
    writes.extend(of_tokens);
    Ok(Decision { writes, events: vec![event], reply: Ok(issue) })
}

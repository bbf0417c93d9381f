//! The first tokens of a grant, the same whichever way it was given.

use super::TokenRequest;
use super::authorization_code::{id_token, issued, prolong, refresh_ttl};
use crate::client::Client;
use crate::decision::{Cx, Event};
use crate::grant_record::GrantRecord;
use crate::record::{Expect, Write};
use crate::scope::ScopeSet;
use crate::token::Issue;
use crate::token::access_token::{self, AccessTokenFacts, NewAccessToken};
use crate::token::id_token::Occasion;
use crate::token::refresh_token::{self, RefreshToken};

/// What leaves, and what must be stored for it.
pub(super) struct FirstTokens {
    pub(super) issue: Issue,
    /// As it is after this: it lives as long as the longest-lived token.
    pub(super) grant: GrantRecord,
    pub(super) writes: Vec<Write>,
    pub(super) event: Event,
}

/// An access token, an ID token when `openid` was granted, and a refresh token when `offline_access` was.
///
/// All are bound to the key that the request proves to hold. A grant of revision 0 is not stored yet; its write is among the others.
pub(super) fn first_tokens(
    req: &TokenRequest<'_>,
    grant: &GrantRecord,
    scope: &ScopeSet,
    resource: &[String],
    cx: &mut Cx<'_>,
) -> FirstTokens {
    let (client, confirmation) = (req.client, req.confirmation);
    let refreshable = may_refresh(client, scope, cx);
    let prolonged = prolong(grant, client, refreshable, cx);
    let mut writes = Vec::new();
    if grant.revision == 0 {
        writes.push(Write::PutGrant { grant: prolonged.clone(), expect: Expect::Absent });
    } else if prolonged.expires_at != grant.expires_at {
        // Its expiry was set for its longest-lived token already, unless a lifetime was raised meanwhile.
        writes.push(Write::PutGrant { grant: prolonged.clone(), expect: Expect::Revision(grant.revision) });
    }
    let grant = prolonged;
    let refresh_token = refreshable.then(|| {
        let handle = refresh_token::first(cx);
        let body = RefreshToken {
            client: client.client_id.clone(),
            scope: scope.clone(),
            issued_at: cx.now,
            expires_at: cx.now.plus(refresh_ttl(client, cx)),
            rotated_at: None,
            confirmation: None,
            sender_constrained: false,
        };
        let body = body.bound(client, confirmation);
        let artifact = body.artifact(handle.hash(), &grant.id);
        writes.push(Write::PutArtifact { artifact, expect: Expect::Absent });
        handle
    });
    let facts = AccessTokenFacts { client, scope, resource, grant: Some(&grant), confirmation };
    let NewAccessToken { draft, token_type, write, expires_in } = access_token::make(&facts, cx);
    writes.extend(write);
    let id_token = id_token(&grant, scope, client, Occasion::Login, cx);
    let event = issued("issued", client, &grant);
    let issue = Issue {
        access_token: draft,
        token_type,
        id_token,
        refresh_token,
        scope: scope.clone(),
        expires_in,
        issued_token_type: None,
    };
    FirstTokens { issue, grant, writes, event }
}

/// A refresh token is for those who were granted `offline_access`, in a workspace and a client that use the grant type
/// (attack TOK-19).
fn may_refresh(client: &Client, scope: &ScopeSet, cx: &Cx<'_>) -> bool {
    scope.contains("offline_access")
        && client.registered_grant_type("refresh_token")
        && cx.server.allows_grant_type("refresh_token")
}

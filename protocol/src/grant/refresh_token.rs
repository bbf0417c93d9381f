//! `refresh_token` (RFC 6749 §6) with rotation that survives a lost answer (RFC 9700 §4.14.2).
//!
//! Every refresh token has exactly one successor, derived from it. Until the successor is used, and inside the
//! workspace's retry window, the parent is answered with that same successor: a client whose connection broke, or that
//! asks twice at once, goes on. Anything later is a replay and ends the whole family, which is the grant.
//!
//! Each rotation gives the successor the full life of a refresh token and prolongs the grant, where it has to, in the
//! same commit. A retry changes nothing that it would have to agree on with others, so it never conflicts.

use super::authorization_code::{id_token, issued, prolong, refresh_ttl};
use super::{Grant, TokenRequest, artifact, check_subject, impossible, required};
use crate::decision::{Cx, Decision, Event, Handle};
use crate::error::{Reason, Refusal};
use crate::grant_record::GrantRecord;
use crate::profile::Rules;
use crate::record::{Artifact, ArtifactKind, Expect, Found, HandleHash, Lookup, Write};
use crate::scope::ScopeSet;
use crate::time::NODE_SKEW;
use crate::token::Issue;
use crate::token::access_token::{self, AccessTokenFacts, NewAccessToken};
use crate::token::id_token::Occasion;
use crate::token::refresh_token::{RefreshToken, successor};
use crate::{resource, scope_request};

/// The grant type `refresh_token`.
pub struct RefreshTokenGrant;

impl Grant for RefreshTokenGrant {
    fn grant_type(&self) -> &'static str {
        "refresh_token"
    }

    fn clause(&self) -> &'static str {
        "RFC 6749 §6"
    }

    fn params(&self) -> &'static [&'static str] {
        &["refresh_token", "scope", "resource"]
    }

    /// The token and its successor, in one round.
    fn wants(&self, req: &TokenRequest<'_>, cx: &mut Cx<'_>) -> Result<Vec<Lookup>, Refusal> {
        let presented = required(req.params, "refresh_token")?;
        Ok(vec![
            Lookup::Artifact(ArtifactKind::RefreshToken, HandleHash::of(presented)),
            Lookup::Artifact(ArtifactKind::RefreshToken, successor(presented, cx).hash()),
        ])
    }

    fn decide(&self, req: &TokenRequest<'_>, found: &[Found], cx: &mut Cx<'_>) -> Decision<Issue> {
        let decided = Family::read(req, found, cx).and_then(|family| family.decide(req, cx));
        decided.unwrap_or_else(|refusal| {
            let event = Event::new("refresh_token", "refused").client(&req.client.client_id).reason(&refusal);
            Decision::refuse(refusal).and_event(event)
        })
    }
}

/// The presented token, its successor, and the grant that both descend from.
struct Family<'f> {
    presented: &'f str,
    row: &'f Artifact,
    token: RefreshToken,
    successor: Option<RefreshToken>,
    grant: &'f GrantRecord,
}

/// What becomes of the presented token.
enum Course {
    /// First use: it is replaced.
    Rotate,
    /// It was replaced a moment ago and the answer may be lost: the same successor again.
    Retry,
    /// Nothing: the workspace does not rotate the tokens of confidential clients.
    Keep,
    /// It was replaced, and its successor used or the moment gone: somebody has a copy.
    Replay,
}

impl<'f> Family<'f> {
    /// Finds the token in what was loaded: known here, and the client's own (RFC 6749 §6, attack RTK-06). A stranger
    /// that presents it is refused; the family of its owner stays.
    fn read(req: &TokenRequest<'f>, found: &'f [Found], cx: &Cx<'_>) -> Result<Self, Refusal> {
        let unknown = || Refusal::new(Reason::RefreshTokenUnknown).parameter("refresh_token");
        let presented = required(req.params, "refresh_token")?;
        let (row, grant) = artifact(found, 0).ok_or_else(unknown)?;
        let token: RefreshToken = row.payload().map_err(|row| impossible(&row))?;
        // The tenant keeps the tokens of all its workspaces, and of deleted ones, in one place.
        let grant = grant.filter(|grant| grant.is_of_server(cx.server)).ok_or_else(unknown)?;
        if !grant.belongs_to(req.client, cx.server) || token.client != req.client.client_id {
            return Err(Refusal::new(Reason::RefreshTokenOfOtherClient).parameter("refresh_token"));
        }
        token.check_sender(req.confirmation)?;
        let successor = match artifact(found, 1) {
            Some((row, _)) => Some(row.payload().map_err(|row| impossible(&row))?),
            None => None,
        };
        Ok(Self { presented, row, token, successor, grant })
    }

    fn decide(self, req: &TokenRequest<'_>, cx: &mut Cx<'_>) -> Result<Decision<Issue>, Refusal> {
        if self.grant.revoked_at.is_some() {
            return Err(Reason::GrantRevoked.into());
        }
        let course = self.course(req, cx);
        if matches!(course, Course::Replay) {
            return Ok(self.refuse_replay(req, cx));
        }
        if cx.now >= self.token.expires_at || !self.grant.is_live(cx.now) {
            return Err(Reason::RefreshTokenExpired.into());
        }
        check_subject(self.grant.body.subject.as_ref(), cx)?;
        let scope = narrow_scope(req, &self.token.scope, cx)?;
        let resource = resource::narrow(req.params, &self.grant.body.resource, &scope, cx)?;

        let mut writes = Vec::new();
        let (grant, handle) = match course {
            Course::Rotate => self.rotate(req, cx, &mut writes),
            Course::Keep => (self.grant.clone(), Handle::new(self.presented)),
            Course::Retry | Course::Replay => (self.grant.clone(), successor(self.presented, cx)),
        };
        let facts = AccessTokenFacts {
            client: req.client,
            scope: &scope,
            resource: &resource,
            grant: Some(&grant),
            confirmation: req.confirmation,
        };
        let NewAccessToken { draft, token_type, write, expires_in } = access_token::make(&facts, cx);
        writes.extend(write);
        let id_token = id_token(&grant, &scope, req.client, Occasion::Refresh, cx);
        let event = issued("refreshed", req.client, &grant);
        let issue = Issue {
            access_token: draft,
            token_type,
            id_token,
            refresh_token: Some(handle),
            scope,
            expires_in,
            issued_token_type: None,
        };
        Ok(Decision { writes, events: vec![event], reply: Ok(issue) })
    }

    fn course(&self, req: &TokenRequest<'_>, cx: &Cx<'_>) -> Course {
        let client = req.client;
        let window = Rules::of(cx.server, client).retry_window(cx.server.refresh_token_retry_window);
        match (self.token.rotated_at, &self.successor) {
            (Some(rotated_at), Some(successor))
                // Also when the successor was used while this request waited: it came before. A use that this node's
                // clock has yet to reach tells nothing about what came first: the clock was set back.
                if successor.rotated_at.is_none_or(|used_at| {
                    used_at > cx.arrived_at && used_at <= cx.now.plus(NODE_SKEW)
                })
                    // The first use may have bound it: a retry comes with the same key.
                    && successor.check_sender(req.confirmation).is_ok()
                    && cx.arrived_at.since(rotated_at) <= window.0 =>
            {
                Course::Retry
            }
            (Some(_), _) => Course::Replay,
            // RFC 9700 §4.14.2: a public client's token is always rotated (attack RTK-02).
            (None, _) if cx.server.advanced.disable_refresh_token_cycling && !client.is_public() => {
                Course::Keep
            }
            (None, _) => Course::Rotate,
        }
    }

    /// Refuses and ends the family: nobody can tell the thief from the client (RFC 9700 §4.14.2; attacks RTK-03,
    /// RTK-04).
    fn refuse_replay(&self, req: &TokenRequest<'_>, cx: &Cx<'_>) -> Decision<Issue> {
        let refusal = Refusal::new(Reason::RefreshTokenReplayed).parameter("refresh_token");
        let event = Event::new("refresh_token", "replayed")
            .client(&req.client.client_id)
            .grant(self.grant)
            .reason(&refusal);
        Decision::refuse(refusal)
            .and_write(Write::RevokeGrant { id: self.grant.id.clone(), at: cx.now })
            .and_event(event)
    }

    /// Of two first uses at once, one meets another revision, loads again and becomes a retry.
    fn rotate(&self, req: &TokenRequest<'_>, cx: &Cx<'_>, writes: &mut Vec<Write>) -> (GrantRecord, Handle) {
        let client = req.client;
        let handle = successor(self.presented, cx);
        let mut grant = prolong(self.grant, client, true, cx);
        if grant.expires_at != self.grant.expires_at {
            // A little more than needed, so that not every refresh writes the grant.
            grant.expires_at = grant.expires_at.plus(refresh_ttl(client, cx) / 32);
        }
        let next = RefreshToken {
            issued_at: cx.now,
            expires_at: cx.now.plus(refresh_ttl(client, cx)),
            rotated_at: None,
            ..self.token.clone()
        }
        .bound(client, req.confirmation);
        let rotated = RefreshToken { rotated_at: Some(cx.now), ..self.token.clone() };
        writes.extend([
            Write::PutArtifact {
                artifact: rotated.artifact_after(self.row, self.row.hash, &grant.id),
                expect: Expect::Revision(self.row.revision),
            },
            Write::PutArtifact {
                artifact: next.artifact_after(self.row, handle.hash(), &grant.id),
                expect: Expect::Absent,
            },
        ]);
        // Either way a revocation at the same moment wins.
        let revision = self.grant.revision;
        writes.push(if grant.expires_at == self.grant.expires_at {
            Write::RequireGrant { id: grant.id.clone(), revision }
        } else {
            Write::PutGrant { grant: grant.clone(), expect: Expect::Revision(revision) }
        });
        (grant, handle)
    }
}

/// The scope of the new access token: what was asked for, which must not exceed what was granted (RFC 6749 §6); else
/// what was granted, without what the client lost since.
fn narrow_scope(req: &TokenRequest<'_>, granted: &ScopeSet, cx: &Cx<'_>) -> Result<ScopeSet, Refusal> {
    let Some(asked) = scope_request::requested(req.params)? else {
        return Ok(granted.filtered(|scope| scope_request::is_allowed(scope, req.client, cx)));
    };
    if let Some(more) = asked.iter().find(|scope| !granted.contains(scope)) {
        return Err(Refusal::new(Reason::ScopeGrows)
            .parameter("scope")
            .received(more)
            .expected(granted.to_string()));
    }
    scope_request::check_allowed(&asked, req.client, cx)?;
    Ok(asked)
}

//! `urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): an access token is exchanged for another one, for the
//! same person and never for more.
//!
//! Who may exchange whose token: the client that it was issued to, one that is named in its audience, and one that
//! `may_act` names. Scope, resources and life only shrink, and the new grant descends from the old one: when that is
//! revoked, it dies with it (attack TEX-03).

use super::{Grant, Need, TokenRequest, required};
use crate::client::Client;
use crate::decision::{Cx, Decision, Event};
use crate::error::{Reason, Refusal};
use crate::grant_record::GrantRecord;
use crate::params::Params;
use crate::record::{Expect, Found, Lookup, Write};
use crate::scope::ScopeSet;
use crate::token::Issue;
use crate::token::access_token::{self, AccessTokenFacts, ActiveToken, NewAccessToken};
use crate::{audience, scope_request};
use serde_json::{Map, Value, json};

mod target;

pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The only kind of token that is taken and given (RFC 8693 §3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Longest chain of exchanges.
const MAX_ANCESTORS: usize = 8;

/// The token exchange grant.
pub struct TokenExchange;

impl Grant for TokenExchange {
    fn grant_type(&self) -> &'static str {
        GRANT_TYPE
    }

    fn clause(&self) -> &'static str {
        "RFC 8693 §2.1"
    }

    fn params(&self) -> &'static [&'static str] {
        &[
            "subject_token",
            "subject_token_type",
            "actor_token",
            "actor_token_type",
            "requested_token_type",
            "scope",
            "resource",
            "audience",
        ]
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::AccessToken("subject_token"), Need::AccessToken("actor_token")]
    }

    fn wants(&self, req: &TokenRequest<'_>, _cx: &mut Cx<'_>) -> Result<Vec<Lookup>, Refusal> {
        required(req.params, "subject_token")?;
        check_types(req.params)?;
        Ok(Vec::new())
    }

    fn decide(&self, req: &TokenRequest<'_>, _found: &[Found], cx: &mut Cx<'_>) -> Decision<Issue> {
        exchange(req, cx).unwrap_or_else(|refusal| {
            let event =
                Event::new("token", "exchange_refused").client(&req.client.client_id).reason(&refusal);
            Decision::refuse(refusal).and_event(event)
        })
    }
}

/// RFC 8693 §2.1: each token comes with its type, and a type without a token is a mistake.
fn check_types(params: &Params) -> Result<(), Refusal> {
    let refuse = |parameter: &str, received: &str| {
        Err(Refusal::new(Reason::TokenTypeUnsupported)
            .parameter(parameter)
            .received(received)
            .expected(ACCESS_TOKEN))
    };
    if required(params, "subject_token_type")? != ACCESS_TOKEN {
        return refuse("subject_token_type", params.get("subject_token_type").unwrap_or_default());
    }
    match (params.get("actor_token"), params.get("actor_token_type")) {
        (None, None) | (Some(_), Some(ACCESS_TOKEN)) => {}
        (_, kind) => return refuse("actor_token_type", kind.unwrap_or("nothing")),
    }
    match params.get("requested_token_type") {
        None | Some(ACCESS_TOKEN) => Ok(()),
        Some(other) => refuse("requested_token_type", other),
    }
}

fn exchange(req: &TokenRequest<'_>, cx: &mut Cx<'_>) -> Result<Decision<Issue>, Refusal> {
    if req.client.is_public() {
        return Err(Reason::PublicClientRefused.into());
    }
    let subject = subject_token(req)?;
    let parent = subject.grant.as_deref().filter(|grant| grant.body.subject.is_some());
    let parent = parent.ok_or(Reason::SubjectTokenWithoutUser)?;
    if parent.body.ancestors.len() >= MAX_ANCESTORS {
        return Err(Refusal::new(Reason::ExchangeNotAllowed).received("a long chain of exchanges"));
    }
    let actor = actor(req)?;
    check_may_act(req.client, subject, &actor)?;
    let scope = scope(req, subject, cx)?;
    let resource = target::resources(req.params, parent, subject, &scope, cx)?;
    let grant = descendant(req.client, parent, subject, (&scope, &resource), &actor, cx);
    let facts = AccessTokenFacts {
        client: req.client,
        scope: &scope,
        resource: &resource,
        grant: Some(&grant),
        confirmation: req.confirmation,
    };
    let NewAccessToken { draft, token_type, write, expires_in } = access_token::make(&facts, cx);
    let event = Event::new("token", "exchanged").client(&req.client.client_id).grant(&grant);
    let event = event.detail(format!("from grant {} of client {}", parent.id, subject.client_id));
    let mut writes = vec![Write::PutGrant { grant, expect: Expect::Absent }];
    writes.extend(write);
    let issue = Issue {
        access_token: draft,
        token_type,
        id_token: None,
        refresh_token: None,
        scope,
        expires_in,
        issued_token_type: Some(ACCESS_TOKEN),
    };
    Ok(Decision { writes, events: vec![event], reply: Ok(issue) })
}

/// RFC 8693 §2.2.2: a token that is not valid makes an invalid request, whatever is wrong with it.
fn subject_token<'r>(req: &TokenRequest<'r>) -> Result<&'r ActiveToken, Refusal> {
    match req.evidence.access_token("subject_token") {
        Ok(Some(token)) => check_sender(req, token, "subject_token").map(|()| token),
        Ok(None) => Err(Refusal::new(Reason::ParameterMissing).parameter("subject_token")),
        Err(why) => Err(Refusal::new(Reason::SubjectTokenInvalid)
            .parameter("subject_token")
            .received(why.entry().name)),
    }
}

/// A token that is bound to a key is sent here as a parameter, which proves nothing. So it is never exchanged for a bearer
/// token: whoever stole it would get rid of the binding (RFC 9449 §7.2; attack DPO-13). Its own client shows the very key;
/// a resource server, which it is addressed to and which cannot have that key, shows its own.
fn check_sender(req: &TokenRequest<'_>, token: &ActiveToken, parameter: &str) -> Result<(), Refusal> {
    let Some(bound_to) = &token.confirmation else { return Ok(()) };
    let is_own = token.client_id == req.client.client_id;
    match req.confirmation {
        Some(proven) if !is_own || proven == bound_to => Ok(()),
        proven => Err(Refusal::new(Reason::ExchangedTokenBound)
            .parameter(parameter)
            .received(if proven.is_some() { "a proof of another key" } else { "no proof" })),
    }
}

/// Who acts: the one of the actor token, which must be the client's own, else the client itself.
struct Actor {
    sub: String,
    client: String,
    by_token: bool,
}

fn actor(req: &TokenRequest<'_>) -> Result<Actor, Refusal> {
    let client = req.client.client_id.as_str();
    let token = req.evidence.access_token("actor_token").map_err(|why| {
        Refusal::new(Reason::ActorTokenInvalid).parameter("actor_token").received(why.entry().name)
    })?;
    let Some(token) = token else {
        return Ok(Actor { sub: client.to_owned(), client: client.to_owned(), by_token: false });
    };
    // Somebody else's token is no proof of being that one.
    if token.client_id != req.client.client_id {
        return Err(Refusal::new(Reason::ActorTokenInvalid)
            .parameter("actor_token")
            .received(format!("a token of client {}", token.client_id))
            .expected(format!("a token of client {client}")));
    }
    check_sender(req, token, "actor_token")?;
    let sub = token.claims.get("sub").and_then(Value::as_str).unwrap_or(client);
    Ok(Actor { sub: sub.to_owned(), client: client.to_owned(), by_token: true })
}

/// `may_act` says who may act and nobody else (RFC 8693 §4.4); without it a token is exchanged by the client that it
/// was issued to or that its audience names (attack TEX-03: foreign tokens).
fn check_may_act(client: &Client, subject: &ActiveToken, actor: &Actor) -> Result<(), Refusal> {
    let of_person = subject.subject().and_then(|person| person.claims.get("may_act"));
    if let Some(may_act) = subject.claims.get("may_act").or(of_person) {
        let text = |member: &str| may_act.get(member).and_then(Value::as_str);
        let fits = |member: &str, value: &str| text(member).is_none_or(|named| named == value);
        let named = text("sub").is_some() || text("client_id").is_some();
        return if named && fits("sub", &actor.sub) && fits("client_id", &actor.client) {
            Ok(())
        } else {
            Err(Refusal::new(Reason::ExchangeNotAllowed).received(format!("actor {}", actor.sub)).expected(
                text("sub").or(text("client_id")).unwrap_or("the one that may_act names").to_owned(),
            ))
        };
    }
    let own = subject.client_id == client.client_id;
    let addressed = audience::entries(&subject.claims).any(|audience| audience == client.client_id.as_str());
    if own || addressed {
        return Ok(());
    }
    Err(Refusal::new(Reason::ExchangeNotAllowed)
        .received(format!("a token of client {}", subject.client_id))
        .expected(format!("one issued to {0}, or with {0} in aud", client.client_id)))
}

/// No more than the presented token has, and nothing that the client may not have itself. What keeps a login alive
/// does not pass on.
fn scope(req: &TokenRequest<'_>, subject: &ActiveToken, cx: &Cx<'_>) -> Result<ScopeSet, Refusal> {
    let passes = |name: &str| name != "offline_access" && scope_request::is_allowed(name, req.client, cx);
    let Some(asked) = scope_request::requested(req.params)? else {
        return Ok(subject.scope.filtered(passes));
    };
    if let Some(more) = asked.iter().find(|name| !subject.scope.contains(name)) {
        return Err(Refusal::new(Reason::ScopeGrows)
            .parameter("scope")
            .received(more)
            .expected(subject.scope.to_string()));
    }
    scope_request::check_allowed(&asked, req.client, cx)?;
    Ok(asked.filtered(passes))
}

/// A grant of the client for the same person, of the same session, which ends with the presented token at the latest.
fn descendant(
    client: &Client,
    parent: &GrantRecord,
    subject: &ActiveToken,
    (scope, resource): (&ScopeSet, &[String]),
    actor: &Actor,
    cx: &mut Cx<'_>,
) -> GrantRecord {
    let mut grant = parent.clone();
    grant.id = cx.grant_id();
    grant.client = client.client_id.clone();
    grant.created_at = cx.now;
    let life = client.ttl(|own| own.access_token_ttl, cx.server.access_token_ttl);
    grant.expires_at = cx.now.plus(life.0).min(subject.expires_at).min(parent.expires_at);
    grant.revision = 0;
    grant.body.client_uid = client.uid.clone();
    grant.body.scope = scope.clone();
    grant.body.resource = resource.to_vec();
    grant.body.claims = None;
    grant.body.nonce = None;
    grant.body.ancestors.push(parent.id.clone());
    grant.body.act = act(client, subject, actor);
    grant
}

/// The current actor, with those before it inside (RFC 8693 §4.1). A client that narrows its own token acts for nobody
/// else: then there is no new actor.
fn act(client: &Client, subject: &ActiveToken, actor: &Actor) -> Option<Map<String, Value>> {
    let before = subject.claims.get("act").and_then(Value::as_object).cloned();
    if !actor.by_token && subject.client_id == client.client_id {
        return before;
    }
    let mut act = Map::new();
    if let Some(before) = before {
        act.insert("act".to_owned(), Value::Object(before));
    }
    act.insert("client_id".to_owned(), json!(actor.client));
    act.insert("sub".to_owned(), json!(actor.sub));
    Some(act)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confirmation::Confirmation;
    use crate::fixtures::{Desk, params};
    use crate::grant::Evidence;
    use std::sync::Arc;

    /// Exchanges a token of the client `web` whose person has `may_act` as the client `id`; `act` of the new token.
    fn acted(id: &str, may_act: &Value) -> Result<Value, Reason> {
        let mut desk = Desk::default();
        let web = Client { audience: vec!["web".to_owned(), "api".to_owned()], ..desk.world.confidential() };
        let tokens = desk.login(&web, "openid email offline_access");
        let mut active = desk.active(&web, &tokens.access)?;
        let person = active.grant.as_mut().and_then(|grant| Arc::make_mut(grant).body.subject.as_mut());
        if let Some(person) = person.filter(|_| !may_act.is_null()) {
            Arc::make_mut(&mut person.claims).insert("may_act".to_owned(), may_act.clone());
        }
        let client = Client { client_id: id.into(), ..desk.world.confidential() };
        let params = params(&format!("subject_token=x&subject_token_type={ACCESS_TOKEN}"));
        let evidence = Evidence { access_tokens: vec![("subject_token", Ok(active))], ..Evidence::default() };
        let request =
            TokenRequest { params: &params, client: &client, confirmation: None, evidence: &evidence };
        let decision = TokenExchange.decide(&request, &[], &mut desk.world.cx());
        decision.reply.map_err(|refusal| refusal.reason)?;
        let grant = decision.writes.iter().find_map(|write| match write {
            Write::PutGrant { grant, .. } => Some(grant),
            _ => None,
        });
        Ok(grant.and_then(|grant| grant.body.act.clone()).map_or(Value::Null, Value::Object))
    }

    #[test]
    fn rfc8693_4_4_may_act_opens_for_the_named_and_closes_for_all_others() {
        let named = json!({"sub": "stranger"});
        assert_eq!(acted("stranger", &Value::Null), Err(Reason::ExchangeNotAllowed));
        assert_eq!(acted("stranger", &named), Ok(json!({"sub": "stranger", "client_id": "stranger"})));
        for other in ["api", "web"] {
            assert_eq!(acted(other, &named), Err(Reason::ExchangeNotAllowed), "{other}");
        }
        assert_eq!(acted("api", &Value::Null), Ok(json!({"sub": "api", "client_id": "api"})));
        assert_eq!(acted("web", &Value::Null), Ok(Value::Null), "its own token");
        for empty in [json!({}), json!("stranger"), json!({"sub": ["stranger"]})] {
            assert_eq!(acted("stranger", &empty), Err(Reason::ExchangeNotAllowed), "{empty}");
        }
    }

    #[test]
    fn dpo_13_tex_03_a_bound_token_never_becomes_a_bearer_token() {
        let key = |name: &str| Some(Confirmation::Jkt(name.to_owned()));
        let exchanged = |id: &str, bound_to: Option<Confirmation>, proven: Option<Confirmation>| {
            let mut desk = Desk { sender: bound_to, ..Desk::default() };
            let audience = vec!["web".to_owned(), "api".to_owned()];
            let web = Client { audience, ..desk.world.confidential() };
            let tokens = desk.login(&web, "openid email");
            let active = desk.active(&web, &tokens.access).unwrap();
            let client = Client { client_id: id.into(), ..desk.world.confidential() };
            let params = params(&format!("subject_token=x&subject_token_type={ACCESS_TOKEN}"));
            let evidence =
                Evidence { access_tokens: vec![("subject_token", Ok(active))], ..Evidence::default() };
            let confirmation = proven.as_ref();
            let request =
                TokenRequest { params: &params, client: &client, confirmation, evidence: &evidence };
            let reply = TokenExchange.decide(&request, &[], &mut desk.world.cx()).reply;
            reply.map(|issue| issue.token_type.name()).map_err(|refusal| refusal.reason)
        };
        for id in ["web", "api"] {
            assert_eq!(exchanged(id, None, None), Ok("bearer"), "{id}");
            assert_eq!(exchanged(id, None, key("k")), Ok("DPoP"), "{id}");
            assert_eq!(exchanged(id, key("k"), None), Err(Reason::ExchangedTokenBound), "{id}");
            assert_eq!(exchanged(id, key("k"), key("k")), Ok("DPoP"), "{id}");
        }
        assert_eq!(exchanged("web", key("k"), key("thief")), Err(Reason::ExchangedTokenBound));
        assert_eq!(exchanged("api", key("k"), key("its own")), Ok("DPoP"));
    }

    #[test]
    fn tex_03_without_the_token_nothing_is_exchanged() {
        let mut desk = Desk::default();
        let client = desk.world.confidential();
        let params = params(&format!("subject_token=x&subject_token_type={ACCESS_TOKEN}"));
        for tokens in [Vec::new(), vec![("subject_token", Err(Refusal::new(Reason::TokenRevoked)))]] {
            let evidence = Evidence { access_tokens: tokens, ..Evidence::default() };
            let request =
                TokenRequest { params: &params, client: &client, confirmation: None, evidence: &evidence };
            let decision = TokenExchange.decide(&request, &[], &mut desk.world.cx());
            assert!(decision.reply.is_err() && decision.writes.is_empty());
        }
    }
}

//! The five verbs that serve every kind of document alike, and one for changes of a part.

use crate::failure::{Failure, Why};
use crate::kind::{Editable, Kind, document, load, load_here};
use crate::members::{self, Problems};
use crate::operation::{Call, Method, Operation, Parameter, Reply, Running, Shape};
use crate::query::{AFTER, BEFORE, LIMIT, ORDER};
use crate::resource::Servers;
use engine::{Cursor, EngineError, Page, readable};
use protocol::decision::Event;
use protocol::json_type::name_of_type;
use protocol::record::{Document, Expect, Write};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tokio::sync::MutexGuard;

/// How often a change that met another one is tried again on what that left.
const ATTEMPTS: usize = 8;

/// Documents read at once while a list is searched.
const SEARCH_BATCH: usize = 200;

/// Read-only members that a new document may not bring along: they would claim a history it does not have.
const NEVER_SENT: [&str; 6] = [
    "system",
    "dynamically_registered",
    "hashed_secret",
    "sealed_secret",
    "rotated_secrets",
    "hashed_rotated_secrets",
];

fn event<K: Kind + ?Sized>(action: &'static str, id: &str, call: &Call) -> Event {
    Event::new(K::NAME, action).client(&call.caller.client_id).detail(id)
}

/// `GET …/{plural}`
pub(crate) const fn list<K: Kind>(
    id: &'static str,
    path: &'static str,
    summary: &'static str,
    of: Shape,
) -> Operation {
    Operation {
        kind: K::NAME,
        types: match K::TYPES {
            Some((name, _)) => name,
            None => "",
        },
        query: LIST_PARAMETERS,
        success: (200, Some(of)),
        errors: &[400, 404],
        ..Operation::new(Method::Get, id, path, summary, |call| -> Running {
            Box::pin(async move { run_list::<K>(&call).await })
        })
    }
}

const LIST_PARAMETERS: &[Parameter] = &[
    LIMIT,
    ORDER,
    AFTER,
    BEFORE,
    Parameter { name: "{types}", description: "Only these types, separated by commas." },
    Parameter { name: "search_phrase", description: "Part of the identifier or name, in any case." },
];

async fn run_list<K: Kind>(call: &Call) -> Result<Reply, Failure> {
    let page = call.query.page(K::NAME)?;
    let types = match K::TYPES {
        Some((name, known)) => call.query.some_of(name, known)?,
        None => Vec::new(),
    };
    let workspace = call.workspace();
    if call.path.contains_key("wid") {
        load::<Servers>(call, workspace.as_str()).await?;
    }
    let parent = call.path.get("wid").map(String::as_str);
    let mut shown = Vec::new();
    for (document, stored) in search::<K>(call, parent, &types, page).await? {
        shown.push(K::show(stored, &document, call).await?);
    }
    Ok(Reply::ok(&BTreeMap::from([(K::PLURAL, shown)])))
}

/// The page of what matches `search_phrase` and the types; each look at the store is bounded.
async fn search<K: Kind>(
    call: &Call,
    parent: Option<&str>,
    types: &[&str],
    wanted: Page,
) -> Result<Vec<(Document, K::Stored)>, Failure> {
    let phrase = call.query.get("search_phrase").unwrap_or_default().to_lowercase();
    let backwards = matches!(wanted.cursor, Cursor::Before(_));
    let filtered = !phrase.is_empty() || !types.is_empty();
    let limit = if filtered { SEARCH_BATCH } else { wanted.limit };
    let mut page = Page { limit, ..wanted.clone() };
    let mut found = Vec::new();
    loop {
        let mut documents = call.office.engine.documents(call.tenant(), K::KIND, parent, &page).await?;
        let whole = documents.len() == page.limit;
        if backwards {
            documents.reverse();
        }
        if let Some(last) = documents.last() {
            let id = last.id.clone();
            page.cursor = if backwards { Cursor::Before(id) } else { Cursor::After(id) };
        }
        for (document, stored) in readable::<K::Stored>(documents) {
            let place = K::place(&stored);
            let named = [place.id, place.name].iter().any(|text| text.to_lowercase().contains(&phrase));
            if named && (types.is_empty() || types.contains(&place.type_name)) {
                found.push((document, stored));
            }
        }
        if found.len() >= wanted.limit || !whole {
            found.truncate(wanted.limit);
            if backwards {
                found.reverse();
            }
            return Ok(found);
        }
    }
}

/// `GET …/{plural}/{id}`
pub(crate) const fn read<K: Kind>(id: &'static str, path: &'static str, summary: &'static str) -> Operation {
    Operation {
        tagged: true,
        success: (200, Some(Shape::of::<K::Shown>())),
        ..Operation::new(Method::Get, id, path, summary, |call| -> Running {
            Box::pin(async move { run_read::<K>(&call).await })
        })
    }
}

async fn run_read<K: Kind>(call: &Call) -> Result<Reply, Failure> {
    let (document, stored) = load_here::<K>(call).await?;
    Ok(Reply::ok(&K::show(stored, &document, call).await?).tagged(&document))
}

/// `POST …/{plural}`
pub(crate) const fn create<K: Editable>(
    id: &'static str,
    path: &'static str,
    summary: &'static str,
    request: Shape,
) -> Operation {
    Operation {
        tagged: true,
        request: Some(request),
        success: (201, Some(Shape::of::<K::Shown>())),
        errors: &[400, 409, 413, 415, 422],
        ..Operation::new(Method::Post, id, path, summary, |call| -> Running {
            Box::pin(async move { run_create::<K>(call).await })
        })
    }
}

async fn run_create<K: Editable>(call: Call) -> Result<Reply, Failure> {
    let mut sent = call.body.clone();
    let mut problems = Problems::default();
    check_tenant(&sent, &call, &mut problems);
    for name in NEVER_SENT.iter().filter(|name| K::READ_ONLY.contains(name)) {
        let value = sent.get(*name).unwrap_or(&Value::Null);
        problems.require(is_empty(value), name, name_of_type(value), "read-only: the server sets it");
    }
    // What the server sets by itself does not count, but has its type all the same.
    let unread = K::READ_ONLY.iter().filter_map(|name| sent.remove_entry(*name)).collect();
    problems.extend(members::types::<K::Input>(&unread));
    problems.texts(&sent);
    problems.into_result()?;
    let _alone = lock::<K>(&call).await;
    let plan = K::plan(members::read(&sent)?, None, &call).await?;
    plan.problems.into_result()?;
    let place = K::place(&plan.stored);
    match K::create(&plan.stored, event::<K>("created", place.id, &call), &call).await {
        Err(EngineError::Conflict { .. }) => {
            return Err(Failure::new(Why::AlreadyExists).with(K::NAME, place.id));
        }
        other => other?,
    }
    let (document, stored) = load::<K>(&call, place.id).await?;
    let location = format!("/api/admin/{}/{}", call.tenant(), K::location(&stored));
    let mut shown = members_of(&K::show(stored, &document, &call).await?);
    shown.extend(plan.once);
    Ok(Reply::created(&shown).tagged(&document).at(location))
}

/// `PUT …/{plural}/{id}`: the body replaces the document (RFC 9110 §9.3.4).
pub(crate) const fn update<K: Editable>(
    id: &'static str,
    path: &'static str,
    summary: &'static str,
    request: Shape,
) -> Operation {
    Operation {
        tagged: true,
        request: Some(request),
        success: (200, Some(Shape::of::<K::Shown>())),
        errors: &[400, 404, 412, 413, 415, 422],
        ..Operation::new(Method::Put, id, path, summary, |call| -> Running {
            Box::pin(async move { run_update::<K>(&call).await })
        })
    }
}

async fn run_update<K: Editable>(call: &Call) -> Result<Reply, Failure> {
    let id = call.segment(K::SEGMENT);
    let mut turn = None;
    for _ in 0..ATTEMPTS {
        let (document, before) = load_here::<K>(call).await?;
        call.if_match.check(&document)?;
        let current = members_of(&K::show(before.clone(), &document, call).await?);
        let Settable { sent, touched } = settable::<K>(call, &current)?;
        let _alone = lock::<K>(call).await;
        let mut plan = K::plan(members::read(&sent)?, Some(&before), call).await?;
        let planned = members_of(&K::show(plan.stored.clone(), &document, call).await?);
        for (name, value) in touched.iter().filter(|(name, value)| planned.get(*name) != Some(value)) {
            let now = current.get(*name).map_or("absent".to_owned(), Value::to_string);
            plan.problems.add(*name, name_of_type(value), format_args!("read-only, unchanged: {now}"));
        }
        if plan.stored != before || !touched.is_empty() {
            plan.problems.into_result()?;
        }
        if plan.stored != before {
            match replace::<K>(&document, &plan.stored, "updated", call).await {
                Err(EngineError::Conflict { .. }) if call.if_match.permits_retry() => {
                    wait(&mut turn, call).await;
                    continue;
                }
                Err(EngineError::Conflict { .. }) => return Err(Why::PreconditionFailed.into()),
                other => other?,
            }
        }
        let (document, stored) = load::<K>(call, id).await?;
        let mut shown = members_of(&K::show(stored, &document, call).await?);
        shown.extend(plan.once);
        return Ok(Reply::ok(&shown).tagged(&document));
    }
    Err(Why::TooBusy.into())
}

/// Changes a part of a document, again on what another change left.
pub(crate) async fn amend<K: Kind, R>(
    call: &Call,
    id: &str,
    action: &'static str,
    change: impl Fn(&mut K::Stored) -> Result<R, Failure>,
) -> Result<(R, Document), Failure> {
    let mut turn = None;
    for _ in 0..ATTEMPTS {
        let (document, before) = load::<K>(call, id).await?;
        call.if_match.check(&document)?;
        let mut after = before.clone();
        let answer = change(&mut after)?;
        if after == before {
            return Ok((answer, document));
        }
        match replace::<K>(&document, &after, action, call).await {
            Err(EngineError::Conflict { .. }) if call.if_match.permits_retry() => {
                wait(&mut turn, call).await;
            }
            Err(EngineError::Conflict { .. }) => return Err(Why::PreconditionFailed.into()),
            other => {
                other?;
                return Ok((answer, load::<K>(call, id).await?.0));
            }
        }
    }
    Err(Why::TooBusy.into())
}

/// Replaces a document of exactly this revision, so that no change is lost (attack ADM-27).
pub(crate) async fn replace<K: Kind>(
    before: &Document,
    after: &K::Stored,
    action: &'static str,
    call: &Call,
) -> Result<(), EngineError> {
    let expect = Expect::Revision(before.revision);
    let made = document::<K>(after, call)?;
    let document = Document { body: before.rewritten(after)?.body, ..made };
    let write = Write::PutDocument { document, expect };
    let event = event::<K>(action, &before.id, call);
    let server = K::place(after).workspace;
    call.office.engine.commit(call.tenant(), vec![write], vec![event], Some(&server), &call.around).await
}

/// What may be changed of a body, and what it says of the rest.
struct Settable<'a> {
    sent: Map<String, Value>,
    /// Read-only members with another value than now.
    touched: Vec<(&'static str, &'a Value)>,
}

/// Takes the members that cannot be changed out of a body. Those that never change must be as they are.
fn settable<'a, K: Editable>(call: &'a Call, current: &Map<String, Value>) -> Result<Settable<'a>, Failure> {
    let mut sent = call.body.clone();
    let mut problems = Problems::default();
    check_tenant(&sent, call, &mut problems);
    let differs = |name: &str| {
        let value = call.body.get(name)?;
        let same = current.get(name).map_or(is_empty(value), |now| now == value);
        (!same).then_some(value)
    };
    for name in K::FIXED {
        if let Some(value) = differs(name) {
            let now = current.get(*name).map_or("absent".to_owned(), Value::to_string);
            problems.add(*name, value, format_args!("fixed at creation: {now}"));
        }
        sent.remove(*name);
        sent.extend(current.get(*name).map(|value| ((*name).to_owned(), value.clone())));
    }
    K::READ_ONLY.iter().for_each(|name| drop(sent.remove(*name)));
    let touched = K::READ_ONLY.iter().filter_map(|name| Some((*name, differs(name)?))).collect();
    problems.texts(&sent);
    problems.into_result()?;
    Ok(Settable { sent, touched })
}

/// A body may name its tenant, but no other one (attack ADM-09).
fn check_tenant(sent: &Map<String, Value>, call: &Call, problems: &mut Problems) {
    let tenant = call.tenant().as_str();
    if let Some(value) = sent.get("tenant_id").filter(|value| value.as_str() != Some(tenant)) {
        problems.add("tenant_id", value, format_args!("the tenant of the path: {tenant}"));
    }
}

/// `DELETE …/{plural}/{id}`
pub(crate) const fn delete<K: Editable>(
    id: &'static str,
    path: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        tagged: true,
        success: (204, None),
        errors: &[403, 404, 412],
        ..Operation::new(Method::Delete, id, path, summary, |call| -> Running {
            Box::pin(async move { run_delete::<K>(&call).await })
        })
    }
}

async fn run_delete<K: Editable>(call: &Call) -> Result<Reply, Failure> {
    let mut turn = None;
    for _ in 0..ATTEMPTS {
        let (document, stored) = load_here::<K>(call).await?;
        call.if_match.check(&document)?;
        if !K::is_removable(&stored) {
            return Err(Why::Protected.into());
        }
        match K::delete(&stored, &document, event::<K>("deleted", &document.id, call), call).await {
            Err(EngineError::Conflict { .. }) if call.if_match.permits_retry() => {
                wait(&mut turn, call).await;
            }
            Err(EngineError::Conflict { .. }) => return Err(Why::PreconditionFailed.into()),
            other => {
                other?;
                return Ok(Reply::no_content());
            }
        }
    }
    Err(Why::TooBusy.into())
}

/// After a lost race those that lost go one after the other, so that each of them gets through.
async fn wait<'a>(turn: &mut Option<MutexGuard<'a, ()>>, call: &'a Call) {
    if turn.is_none() {
        *turn = Some(call.office.turns.lock().await);
    }
}

/// Waits until no other change of names is under way, if the kind has names to keep unique.
async fn lock<K: Editable>(call: &Call) -> Option<MutexGuard<'_, ()>> {
    if K::UNIQUE { Some(call.office.names.lock().await) } else { None }
}

fn members_of(shown: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(shown) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

//! Reading: each question as statements, and their rows as records.

use crate::failure::Failure;
use crate::pipeline::Step;
use crate::row::{self, Read};
use crate::sql;
use crate::value::values;
use protocol::id::TenantId;
use protocol::record::{ArtifactKind, DocumentKind, Found, GrantSelector, HandleHash, Lookup};
use protocol::time::Timestamp;
use std::sync::Arc;
use store::{Cursor, Page, row_limit};
use tokio_postgres::Row;

pub(crate) fn lookup<'a>(tenant: &'a str, lookup: &'a Lookup) -> Step<'a> {
    match lookup {
        Lookup::Artifact(kind, hash) => Step::new(sql::ARTIFACT, values![tenant, kind.name(), hash]),
        Lookup::Grant(id) => Step::new(sql::GRANT, values![tenant, id.as_str()]),
        Lookup::Document(kind, id) => Step::new(sql::DOCUMENT, values![tenant, kind.name(), id]),
    }
}

/// What was found for a lookup: no row or one.
pub(crate) fn found(tenant: &str, lookup: &Lookup, rows: &[Row]) -> Result<Found, Failure> {
    let Some(row) = rows.first() else { return Ok(lookup.nothing()) };
    match lookup {
        Lookup::Artifact(kind, hash) => {
            let what = || format!("artifact {tenant}/{}/{hash:?}", kind.name());
            let (artifact, grant) = row::read(row, |row| row::artifact_and_grant(row, *kind), what)?;
            Ok(Found::Artifact(Some(artifact), grant.map(Arc::new)))
        }
        Lookup::Grant(id) => {
            let grant = row::read(row, |row| row::grant(row, 0), || format!("grant_record {tenant}/{id}"))?;
            Ok(Found::Grant(Some(Arc::new(grant))))
        }
        Lookup::Document(kind, id) => {
            let what = || format!("document {tenant}/{}/{id}", kind.name());
            Ok(Found::Document(Some(row::read(row, |row| row::document(row, *kind), what)?)))
        }
    }
}

pub(crate) fn documents<'a>(
    tenant: &'a TenantId,
    kind: DocumentKind,
    parent: Option<&'a str>,
    page: &'a Page,
) -> Step<'a> {
    let (tenant, kind, limit) = (tenant.as_str(), kind.name(), bound(page.limit));
    match (parent, Walk::of(page)) {
        (None, Walk::FromStart) => Step::new(sql::DOCUMENTS_FROM_START, values![tenant, kind, limit]),
        (None, Walk::Above(key)) => Step::new(sql::DOCUMENTS_ABOVE, values![tenant, kind, key, limit]),
        (None, Walk::FromEnd) => Step::new(sql::DOCUMENTS_FROM_END, values![tenant, kind, limit]),
        (None, Walk::Below(key)) => Step::new(sql::DOCUMENTS_BELOW, values![tenant, kind, key, limit]),
        (Some(parent), Walk::FromStart) => {
            Step::new(sql::CHILDREN_FROM_START, values![tenant, kind, parent, limit])
        }
        (Some(parent), Walk::Above(key)) => {
            Step::new(sql::CHILDREN_ABOVE, values![tenant, kind, parent, key, limit])
        }
        (Some(parent), Walk::FromEnd) => {
            Step::new(sql::CHILDREN_FROM_END, values![tenant, kind, parent, limit])
        }
        (Some(parent), Walk::Below(key)) => {
            Step::new(sql::CHILDREN_BELOW, values![tenant, kind, parent, key, limit])
        }
    }
}

pub(crate) fn artifacts<'a>(
    tenant: &'a TenantId,
    kind: ArtifactKind,
    owner: &'a str,
    now: Timestamp,
    page: &'a Page,
) -> Step<'a> {
    let (tenant, kind, now, limit) = (tenant.as_str(), kind.name(), now.millis(), bound(page.limit));
    match Walk::of(page) {
        Walk::FromStart => Step::new(sql::ARTIFACTS_FROM_START, values![tenant, kind, owner, now, limit]),
        Walk::FromEnd => Step::new(sql::ARTIFACTS_FROM_END, values![tenant, kind, owner, now, limit]),
        Walk::Above(key) => {
            Step::new(sql::ARTIFACTS_ABOVE, values![tenant, kind, owner, now, hash_of(key), limit])
        }
        Walk::Below(key) => {
            Step::new(sql::ARTIFACTS_BELOW, values![tenant, kind, owner, now, hash_of(key), limit])
        }
    }
}

/// What a key of an artifact stands for; another text stands before them all.
fn hash_of(key: &str) -> Vec<u8> {
    HandleHash::from_key(key).map(|hash| hash.0.to_vec()).unwrap_or_default()
}

pub(crate) fn due(kind: ArtifactKind, now: Timestamp, limit: usize) -> Step<'static> {
    Step::new(sql::ARTIFACTS_DUE, values![kind.name(), now.millis(), bound(limit)])
}

pub(crate) fn grants<'a>(tenant: &'a TenantId, selector: &'a GrantSelector, limit: usize) -> Step<'a> {
    let (tenant, limit) = (tenant.as_str(), bound(limit));
    match selector {
        GrantSelector::Server(server) => {
            Step::new(sql::GRANTS_OF_SERVER, values![tenant, server.as_str(), limit])
        }
        GrantSelector::Client(server, client) => {
            Step::new(sql::GRANTS_OF_CLIENT, values![tenant, server.as_str(), client.as_str(), limit])
        }
        GrantSelector::Subject(server, subject) => {
            Step::new(sql::GRANTS_OF_SUBJECT, values![tenant, server.as_str(), subject, limit])
        }
        GrantSelector::Session(server, session) => {
            Step::new(sql::GRANTS_OF_SESSION, values![tenant, server.as_str(), session.as_str(), limit])
        }
        GrantSelector::SubjectAndClient(server, subject, client) => {
            let values = values![tenant, server.as_str(), subject, client.as_str(), limit];
            Step::new(sql::GRANTS_OF_SUBJECT_AND_CLIENT, values)
        }
    }
}

pub(crate) fn events(tenant: &TenantId, before: Option<i64>, limit: usize) -> Step<'_> {
    match before {
        None => Step::new(sql::EVENTS, values![tenant.as_str(), bound(limit)]),
        Some(id) => Step::new(sql::EVENTS_BEFORE, values![tenant.as_str(), id, bound(limit)]),
    }
}

pub(crate) fn epoch(tenant: &TenantId) -> Step<'_> {
    Step::new(sql::EPOCH, values![tenant.as_str()])
}

pub(crate) fn tenant(tenant: &TenantId) -> Step<'_> {
    Step::new(sql::TENANT, values![tenant.as_str()])
}

pub(crate) fn tenants(page: &Page) -> Step<'_> {
    let limit = bound(page.limit);
    match Walk::of(page) {
        Walk::FromStart => Step::new(sql::TENANTS_FROM_START, values![limit]),
        Walk::Above(key) => Step::new(sql::TENANTS_ABOVE, values![key, limit]),
        Walk::FromEnd => Step::new(sql::TENANTS_FROM_END, values![limit]),
        Walk::Below(key) => Step::new(sql::TENANTS_BELOW, values![key, limit]),
    }
}

/// The records of a list; `what` names table and tenant, and the row's place in the list is added.
pub(crate) fn list<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Read<T>,
    what: impl Fn() -> String,
) -> Result<Vec<T>, Failure> {
    let record = |row: &Row| row::read(row, &read, || format!("{}/{}", what(), row::name(row)));
    rows.iter().map(record).collect()
}

/// The same in the order that the page asks for.
pub(crate) fn page<T>(mut records: Vec<T>, page: &Page) -> Vec<T> {
    // Before a key it is read away from the key, so that its rows are the nearest, and then turned round.
    if matches!(page.cursor, Cursor::Before(_)) {
        records.reverse();
    }
    records
}

/// How a page runs over the index: away from one of its ends, or from a key.
enum Walk<'a> {
    FromStart,
    Above(&'a str),
    FromEnd,
    Below(&'a str),
}

impl<'a> Walk<'a> {
    fn of(page: &'a Page) -> Self {
        match (&page.cursor, page.descending) {
            (Cursor::Start, false) => Walk::FromStart,
            (Cursor::Start, true) => Walk::FromEnd,
            (Cursor::After(key), false) | (Cursor::Before(key), true) => Walk::Above(key),
            (Cursor::After(key), true) | (Cursor::Before(key), false) => Walk::Below(key),
        }
    }
}

pub(crate) fn bound(limit: usize) -> i64 {
    i64::try_from(row_limit(limit)).unwrap_or(i64::MAX)
}

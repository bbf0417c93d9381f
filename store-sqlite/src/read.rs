//! Reading: each function is one snapshot of the database.

use crate::row::{self, fault, unavailable};
use crate::sql;
use protocol::grant_record::GrantRecord;
use protocol::id::TenantId;
use protocol::record::{
    Artifact, ArtifactKind, Document, DocumentKind, Found, GrantSelector, HandleHash, Lookup,
};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use std::sync::Arc;
use store::{Cursor, Epoch, Page, StoreError, StoredEvent, row_limit};

type Answer<T> = Result<T, StoreError>;

/// Answers every lookup from one snapshot, in the order asked.
pub(crate) fn load(connection: &Connection, tenant: &TenantId, lookups: &[Lookup]) -> Answer<Vec<Found>> {
    // One statement is a snapshot by itself.
    let _snapshot = if lookups.len() > 1 { Some(Snapshot::begin(connection)?) } else { None };
    lookups.iter().map(|lookup| find(connection, tenant.as_str(), lookup)).collect()
}

fn find(connection: &Connection, tenant: &str, lookup: &Lookup) -> Answer<Found> {
    match lookup {
        Lookup::Artifact(kind, hash) => {
            let found = optional(
                connection,
                sql::ARTIFACT,
                params![tenant, kind.name(), hash.0],
                |row| row::artifact_and_grant(row, *kind),
                || artifact_name(tenant, *kind, hash),
            )?;
            Ok(found.map_or(Found::Artifact(None, None), |(artifact, grant)| {
                Found::Artifact(Some(artifact), grant.map(Arc::new))
            }))
        }
        Lookup::Grant(id) => optional(
            connection,
            sql::GRANT,
            params![tenant, id.as_str()],
            |row| row::grant(row, 0),
            || format!("grant_record {tenant}/{id}"),
        )
        .map(|grant| Found::Grant(grant.map(Arc::new))),
        Lookup::Document(kind, id) => optional(
            connection,
            sql::DOCUMENT,
            params![tenant, kind.name(), id],
            |row| row::document(row, *kind),
            || format!("document {tenant}/{}/{id}", kind.name()),
        )
        .map(Found::Document),
    }
}

pub(crate) fn documents(
    connection: &Connection,
    tenant: &TenantId,
    kind: DocumentKind,
    parent: Option<&str>,
    page: &Page,
) -> Answer<Vec<Document>> {
    let (tenant, name, limit) = (tenant.as_str(), kind.name(), bound(page.limit));
    let read = |row: &Row<'_>| row::document(row, kind);
    let what = || format!("document {tenant}/{name}");
    let mut found = match (parent, Walk::of(page)) {
        (None, Walk::FromStart) => {
            list(connection, sql::DOCUMENTS_FROM_START, params![tenant, name, limit], read, what)
        }
        (None, Walk::Above(key)) => {
            list(connection, sql::DOCUMENTS_ABOVE, params![tenant, name, key, limit], read, what)
        }
        (None, Walk::FromEnd) => {
            list(connection, sql::DOCUMENTS_FROM_END, params![tenant, name, limit], read, what)
        }
        (None, Walk::Below(key)) => {
            list(connection, sql::DOCUMENTS_BELOW, params![tenant, name, key, limit], read, what)
        }
        (Some(parent), Walk::FromStart) => {
            list(connection, sql::CHILDREN_FROM_START, params![tenant, name, parent, limit], read, what)
        }
        (Some(parent), Walk::Above(key)) => {
            list(connection, sql::CHILDREN_ABOVE, params![tenant, name, parent, key, limit], read, what)
        }
        (Some(parent), Walk::FromEnd) => {
            list(connection, sql::CHILDREN_FROM_END, params![tenant, name, parent, limit], read, what)
        }
        (Some(parent), Walk::Below(key)) => {
            list(connection, sql::CHILDREN_BELOW, params![tenant, name, parent, key, limit], read, what)
        }
    }?;
    if reads_backwards(page) {
        found.reverse();
    }
    Ok(found)
}

pub(crate) fn artifacts(
    connection: &Connection,
    tenant: &TenantId,
    kind: ArtifactKind,
    owner: &str,
    now: Timestamp,
    page: &Page,
) -> Answer<Vec<Artifact>> {
    let (tenant, name, now, limit) = (tenant.as_str(), kind.name(), now.millis(), bound(page.limit));
    let read = |row: &Row<'_>| row::artifact(row, kind);
    let what = || format!("artifact {tenant}/{name}");
    let mut found = match Walk::of(page) {
        Walk::FromStart => {
            list(connection, sql::ARTIFACTS_FROM_START, params![tenant, name, owner, now, limit], read, what)
        }
        Walk::FromEnd => {
            list(connection, sql::ARTIFACTS_FROM_END, params![tenant, name, owner, now, limit], read, what)
        }
        Walk::Above(key) => {
            let values = params![tenant, name, owner, now, hash_of(key), limit];
            list(connection, sql::ARTIFACTS_ABOVE, values, read, what)
        }
        Walk::Below(key) => {
            let values = params![tenant, name, owner, now, hash_of(key), limit];
            list(connection, sql::ARTIFACTS_BELOW, values, read, what)
        }
    }?;
    if reads_backwards(page) {
        found.reverse();
    }
    Ok(found)
}

/// What a key of an artifact stands for; another text stands before them all.
fn hash_of(key: &str) -> Vec<u8> {
    HandleHash::from_key(key).map(|hash| hash.0.to_vec()).unwrap_or_default()
}

pub(crate) fn due(
    connection: &Connection,
    kind: ArtifactKind,
    now: Timestamp,
    limit: usize,
) -> Answer<Vec<(TenantId, Artifact)>> {
    list(
        connection,
        sql::ARTIFACTS_DUE,
        params![kind.name(), now.millis(), bound(limit)],
        |row| row::artifact_of_tenant(row, kind),
        || format!("artifact */{}", kind.name()),
    )
}

pub(crate) fn grants(
    connection: &Connection,
    tenant: &TenantId,
    selector: &GrantSelector,
    limit: usize,
) -> Answer<Vec<GrantRecord>> {
    let (tenant, limit) = (tenant.as_str(), bound(limit));
    let read = |row: &Row<'_>| row::grant(row, 0);
    let what = || format!("grant_record {tenant}");
    match selector {
        GrantSelector::Server(server) => {
            list(connection, sql::GRANTS_OF_SERVER, params![tenant, server.as_str(), limit], read, what)
        }
        GrantSelector::Client(server, client) => {
            let values = params![tenant, server.as_str(), client.as_str(), limit];
            list(connection, sql::GRANTS_OF_CLIENT, values, read, what)
        }
        GrantSelector::Subject(server, subject) => {
            let values = params![tenant, server.as_str(), subject, limit];
            list(connection, sql::GRANTS_OF_SUBJECT, values, read, what)
        }
        GrantSelector::Session(server, session) => {
            let values = params![tenant, server.as_str(), session.as_str(), limit];
            list(connection, sql::GRANTS_OF_SESSION, values, read, what)
        }
        GrantSelector::SubjectAndClient(server, subject, client) => {
            let values = params![tenant, server.as_str(), subject, client.as_str(), limit];
            list(connection, sql::GRANTS_OF_SUBJECT_AND_CLIENT, values, read, what)
        }
    }
}

pub(crate) fn events(
    connection: &Connection,
    tenant: &TenantId,
    before: Option<i64>,
    limit: usize,
) -> Answer<Vec<StoredEvent>> {
    let (tenant, limit) = (tenant.as_str(), bound(limit));
    let what = || format!("event {tenant}");
    match before {
        None => list(connection, sql::EVENTS, params![tenant, limit], row::event, what),
        Some(id) => list(connection, sql::EVENTS_BEFORE, params![tenant, id, limit], row::event, what),
    }
}

pub(crate) fn epoch(connection: &Connection, tenant: &TenantId) -> Answer<Epoch> {
    let found = optional(
        connection,
        sql::EPOCH,
        params![tenant.as_str()],
        |row| Ok(Epoch { configuration: row.get(0)?, revocations: row.get(1)? }),
        || format!("tenant {tenant}"),
    );
    Ok(found?.unwrap_or_default())
}

pub(crate) fn tenant(connection: &Connection, id: &TenantId) -> Answer<Option<Tenant>> {
    optional(connection, sql::TENANT, params![id.as_str()], row::tenant, || format!("tenant {id}"))
}

pub(crate) fn tenants(connection: &Connection, page: &Page) -> Answer<Vec<Tenant>> {
    let limit = bound(page.limit);
    let what = || "tenant".to_owned();
    let mut found = match Walk::of(page) {
        Walk::FromStart => list(connection, sql::TENANTS_FROM_START, params![limit], row::tenant, what),
        Walk::Above(key) => list(connection, sql::TENANTS_ABOVE, params![key, limit], row::tenant, what),
        Walk::FromEnd => list(connection, sql::TENANTS_FROM_END, params![limit], row::tenant, what),
        Walk::Below(key) => list(connection, sql::TENANTS_BELOW, params![key, limit], row::tenant, what),
    }?;
    if reads_backwards(page) {
        found.reverse();
    }
    Ok(found)
}

/// Whether reading works; the writer answers for writing.
pub(crate) fn ping(connection: &Connection) -> Answer<()> {
    optional(connection, sql::PING_VALUE, [], |row| row.get::<_, i64>(0), || "counter ping".to_owned())
        .map(|_| ())
}

pub(crate) fn schema_version(connection: &Connection) -> Answer<i64> {
    let version = optional(connection, sql::SCHEMA_VERSION, [], |row| row.get(0), || "migration".to_owned());
    Ok(version?.unwrap_or(0))
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

/// A page before a key is read away from the key, so that its rows are the nearest, and then turned round.
fn reads_backwards(page: &Page) -> bool {
    matches!(page.cursor, Cursor::Before(_))
}

pub(crate) fn bound(limit: usize) -> i64 {
    i64::try_from(row_limit(limit)).unwrap_or(i64::MAX)
}

fn optional<T>(
    connection: &Connection,
    statement: &str,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    what: impl FnOnce() -> String,
) -> Answer<Option<T>> {
    connection
        .prepare_cached(statement)
        .and_then(|mut statement| statement.query_row(values, read).optional())
        .map_err(|error| fault(&error, what))
}

/// `what` names the table and the tenant; the row's place in the list is added.
pub(crate) fn list<T>(
    connection: &Connection,
    statement: &str,
    values: impl Params,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    what: impl Fn() -> String,
) -> Answer<Vec<T>> {
    let mut statement = connection.prepare_cached(statement).map_err(|error| unavailable(&error))?;
    let mut rows = statement.query(values).map_err(|error| unavailable(&error))?;
    let mut records = Vec::new();
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(records),
            Err(error) => return Err(unavailable(&error)),
        };
        // The first column of every list names its row.
        let record = read(row).map_err(|error| fault(&error, || format!("{}/{}", what(), row::name(row))))?;
        records.push(record);
    }
}

fn artifact_name(tenant: &str, kind: ArtifactKind, hash: &HandleHash) -> String {
    format!("artifact {tenant}/{}/{hash:?}", kind.name())
}

/// A read transaction, ended when dropped.
struct Snapshot<'a> {
    connection: &'a Connection,
}

impl<'a> Snapshot<'a> {
    fn begin(connection: &'a Connection) -> Answer<Self> {
        run(connection, sql::BEGIN_READ).map_err(|error| unavailable(&error))?;
        Ok(Self { connection })
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if let Err(error) = run(self.connection, sql::ROLLBACK) {
            tracing::warn!(%error, "a read transaction did not end");
        }
    }
}

/// Executes a statement without values and rows.
pub(crate) fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(|_| ())
}

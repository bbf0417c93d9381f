//! Applying one piece of work inside the writer's transaction.

use crate::row::unavailable;
use crate::sql;
use crate::trail::{self, TrailWork};
use protocol::grant_record::GrantRecord;
use protocol::id::TenantId;
use protocol::record::{
    Artifact, ArtifactKind, Document, DocumentKind, Expect, GrantSelector, HandleHash, Write,
};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, params};
use store::{Batch, StoreError, StoredEvent};

/// What the writer can be asked to do.
pub(crate) enum Work {
    Commit(TenantId, Batch),
    Append(TenantId, Vec<StoredEvent>),
    CreateTenant(Tenant),
    DeleteTenant(TenantId),
    Sweep { now: Timestamp, limit: usize },
    Trail(TrailWork),
    Ping,
}

/// Does the work; answers how many rows a sweep removed or a lease took, 0 for the rest.
///
/// The caller has opened a savepoint and rolls back to it on error.
pub(crate) fn apply(connection: &Connection, work: &Work) -> Result<usize, StoreError> {
    match work {
        Work::Commit(tenant, batch) => commit(connection, tenant, batch).map(|()| 0),
        Work::Append(tenant, events) => append(connection, tenant, events).map(|()| 0),
        Work::CreateTenant(tenant) => create_tenant(connection, tenant).map(|()| 0),
        Work::DeleteTenant(tenant) => delete_tenant(connection, tenant).map(|()| 0),
        Work::Sweep { now, limit } => sweep(connection, *now, *limit),
        Work::Trail(work) => trail::apply(connection, work),
        Work::Ping => execute(connection, sql::PING, []).map(|_| 0),
    }
}

fn commit(connection: &Connection, tenant: &TenantId, batch: &Batch) -> Result<(), StoreError> {
    if !exists(connection, sql::TENANT_EXISTS, [tenant.as_str()])? {
        return Err(StoreError::Conflict { index: 0 });
    }
    let mut configuration_changed = false;
    for (index, write) in batch.writes.iter().enumerate() {
        match change(connection, tenant.as_str(), write)? {
            Outcome::Refused => return Err(StoreError::Conflict { index }),
            Outcome::Unchanged => {}
            Outcome::Changed => configuration_changed |= is_configuration(write),
        }
    }
    if configuration_changed {
        let epoch = next_epoch(connection)?;
        execute(connection, sql::SET_EPOCH, params![epoch, tenant.as_str()])?;
    }
    if batch.writes.iter().any(Write::revokes) {
        let epoch = next_epoch(connection)?;
        execute(connection, sql::SET_REVOCATIONS, params![epoch, tenant.as_str()])?;
    }
    insert_events(connection, tenant, &batch.events)
}

/// What became of one write.
#[derive(Clone, Copy)]
enum Outcome {
    Changed,
    Unchanged,
    /// Its precondition did not hold.
    Refused,
}

impl Outcome {
    /// Of a statement that had to change a row.
    fn required(rows: usize) -> Self {
        if rows == 0 { Self::Refused } else { Self::Changed }
    }

    /// Of a statement that may find nothing to change.
    fn optional(rows: usize) -> Self {
        if rows == 0 { Self::Unchanged } else { Self::Changed }
    }
}

fn change(connection: &Connection, tenant: &str, write: &Write) -> Result<Outcome, StoreError> {
    match write {
        Write::PutArtifact { artifact, expect } => put_artifact(connection, tenant, artifact, *expect),
        Write::DeleteArtifact { kind, hash, expect } => {
            delete_artifact(connection, tenant, *kind, hash, *expect)
        }
        Write::PutGrant { grant, expect } => put_grant(connection, tenant, grant, *expect),
        Write::RequireGrant { id, revision } => {
            let there = exists(connection, sql::GRANT_IN_REVISION, params![tenant, id.as_str(), revision])?;
            Ok(if there { Outcome::Unchanged } else { Outcome::Refused })
        }
        Write::RevokeGrant { id, at } => {
            execute(connection, sql::REVOKE_GRANT, params![at.millis(), tenant, id.as_str()])
                .map(Outcome::optional)
        }
        Write::RevokeGrants { selector, at } => revoke_grants(connection, tenant, selector, *at),
        Write::PutDocument { document, expect } => put_document(connection, tenant, document, *expect),
        Write::DeleteDocument { kind, id, expect } => delete_document(connection, tenant, *kind, id, *expect),
        Write::DeleteChildren { kind, parent } => {
            execute(connection, sql::DELETE_CHILDREN, params![tenant, kind.name(), parent])
                .map(Outcome::optional)
        }
    }
}

fn put_artifact(
    connection: &Connection,
    tenant: &str,
    artifact: &Artifact,
    expect: Expect,
) -> Result<Outcome, StoreError> {
    let Artifact { kind, hash, grant, owner, expires_at, due_at, body, .. } = artifact;
    let (kind, grant, expires_at) = (kind.name(), grant.as_ref().map(AsRef::as_ref), expires_at.millis());
    let grant: Option<&str> = grant;
    let due_at = due_at.map(Timestamp::millis);
    let rows = match expect {
        Expect::Absent => {
            let values = params![tenant, kind, hash.0, grant, owner, expires_at, due_at, body];
            execute(connection, sql::PUT_ARTIFACT_ABSENT, values)
        }
        Expect::Any => {
            let values = params![tenant, kind, hash.0, grant, owner, expires_at, due_at, body];
            execute(connection, sql::PUT_ARTIFACT_ANY, values)
        }
        Expect::Revision(revision) => {
            let values = params![grant, body, tenant, kind, hash.0, revision, expires_at, owner, due_at];
            match execute(connection, sql::PUT_ARTIFACT_BODY, values)? {
                0 => {
                    let values =
                        params![grant, owner, expires_at, due_at, body, tenant, kind, hash.0, revision];
                    execute(connection, sql::PUT_ARTIFACT_REVISION, values)
                }
                rows => Ok(rows),
            }
        }
    };
    rows.map(Outcome::required)
}

fn delete_artifact(
    connection: &Connection,
    tenant: &str,
    kind: ArtifactKind,
    hash: &HandleHash,
    expect: Expect,
) -> Result<Outcome, StoreError> {
    let kind = kind.name();
    match expect {
        Expect::Any => {
            execute(connection, sql::DELETE_ARTIFACT, params![tenant, kind, hash.0]).map(Outcome::optional)
        }
        Expect::Revision(revision) => {
            let values = params![tenant, kind, hash.0, revision];
            execute(connection, sql::DELETE_ARTIFACT_REVISION, values).map(Outcome::required)
        }
        Expect::Absent => expect_absent(connection, sql::ARTIFACT_EXISTS, params![tenant, kind, hash.0]),
    }
}

fn put_grant(
    connection: &Connection,
    tenant: &str,
    grant: &GrantRecord,
    expect: Expect,
) -> Result<Outcome, StoreError> {
    let GrantRecord { id, server, client, subject, session, .. } = grant;
    let (id, server, client) = (id.as_str(), server.as_str(), client.as_str());
    let session = session.as_ref().map(protocol::id::SessionId::as_str);
    let (created_at, expires_at) = (grant.created_at.millis(), grant.expires_at.millis());
    let revoked_at = grant.revoked_at.map(Timestamp::millis);
    let body = serde_json::to_string(&grant.body)
        .map_err(|error| StoreError::Impossible(format!("grant_record {tenant}/{id}: {error}")))?;
    let rows = match expect {
        Expect::Absent | Expect::Any => {
            let statement = if expect == Expect::Any { sql::PUT_GRANT_ANY } else { sql::PUT_GRANT_ABSENT };
            let values = params![
                tenant, id, server, client, subject, session, created_at, expires_at, revoked_at, body
            ];
            execute(connection, statement, values)
        }
        Expect::Revision(revision) => {
            let values = params![
                server, client, subject, session, created_at, expires_at, revoked_at, body, tenant, id,
                revision
            ];
            execute(connection, sql::PUT_GRANT_REVISION, values)
        }
    };
    rows.map(Outcome::required)
}

fn revoke_grants(
    connection: &Connection,
    tenant: &str,
    selector: &GrantSelector,
    at: Timestamp,
) -> Result<Outcome, StoreError> {
    let at = at.millis();
    let rows = match selector {
        GrantSelector::Server(server) => {
            execute(connection, sql::REVOKE_GRANTS_OF_SERVER, params![at, tenant, server.as_str()])
        }
        GrantSelector::Client(server, client) => {
            let values = params![at, tenant, server.as_str(), client.as_str()];
            execute(connection, sql::REVOKE_GRANTS_OF_CLIENT, values)
        }
        GrantSelector::Subject(server, subject) => {
            let values = params![at, tenant, server.as_str(), subject];
            execute(connection, sql::REVOKE_GRANTS_OF_SUBJECT, values)
        }
        GrantSelector::Session(server, session) => {
            let values = params![at, tenant, server.as_str(), session.as_str()];
            execute(connection, sql::REVOKE_GRANTS_OF_SESSION, values)
        }
        GrantSelector::SubjectAndClient(server, subject, client) => {
            let values = params![at, tenant, server.as_str(), subject, client.as_str()];
            execute(connection, sql::REVOKE_GRANTS_OF_SUBJECT_AND_CLIENT, values)
        }
    };
    rows.map(Outcome::optional)
}

fn put_document(
    connection: &Connection,
    tenant: &str,
    document: &Document,
    expect: Expect,
) -> Result<Outcome, StoreError> {
    let Document { kind, id, parent, uid, created_at, updated_at, body, .. } = document;
    let (kind, uid) = (kind.name(), uid.as_str());
    let (created_at, updated_at) = (created_at.millis(), updated_at.millis());
    let rows = match expect {
        Expect::Absent | Expect::Any => {
            let statement =
                if expect == Expect::Any { sql::PUT_DOCUMENT_ANY } else { sql::PUT_DOCUMENT_ABSENT };
            let values = params![tenant, kind, id, parent, uid, created_at, updated_at, body];
            execute(connection, statement, values)
        }
        Expect::Revision(revision) => {
            let values = params![parent, updated_at, body, tenant, kind, id, revision];
            execute(connection, sql::PUT_DOCUMENT_REVISION, values)
        }
    };
    rows.map(Outcome::required)
}

fn delete_document(
    connection: &Connection,
    tenant: &str,
    kind: DocumentKind,
    id: &str,
    expect: Expect,
) -> Result<Outcome, StoreError> {
    let kind = kind.name();
    match expect {
        Expect::Any => {
            execute(connection, sql::DELETE_DOCUMENT, params![tenant, kind, id]).map(Outcome::optional)
        }
        Expect::Revision(revision) => {
            let values = params![tenant, kind, id, revision];
            execute(connection, sql::DELETE_DOCUMENT_REVISION, values).map(Outcome::required)
        }
        Expect::Absent => expect_absent(connection, sql::DOCUMENT_EXISTS, params![tenant, kind, id]),
    }
}

fn is_configuration(write: &Write) -> bool {
    match write {
        Write::PutDocument { document, .. } => document.kind.is_configuration(),
        Write::DeleteDocument { kind, .. } | Write::DeleteChildren { kind, .. } => kind.is_configuration(),
        _ => false,
    }
}

fn append(connection: &Connection, tenant: &TenantId, events: &[StoredEvent]) -> Result<(), StoreError> {
    if !exists(connection, sql::TENANT_EXISTS, [tenant.as_str()])? {
        return Ok(());
    }
    insert_events(connection, tenant, events)
}

fn insert_events(
    connection: &Connection,
    tenant: &TenantId,
    events: &[StoredEvent],
) -> Result<(), StoreError> {
    for event in events {
        let server = event.server.as_ref().map(protocol::id::ServerId::as_str);
        let (at, exports) = (event.at.millis(), event.exports);
        let values = params![tenant.as_str(), at, server, event.trace_id, event.body, exports];
        execute(connection, sql::INSERT_EVENT, values)?;
    }
    Ok(())
}

fn create_tenant(connection: &Connection, tenant: &Tenant) -> Result<(), StoreError> {
    let Tenant { id, name, uid, created_at } = tenant;
    let epoch = next_epoch(connection)?;
    let values = params![id.as_str(), uid.as_str(), name, created_at.millis(), epoch];
    match execute(connection, sql::CREATE_TENANT, values)? {
        0 => Err(StoreError::Conflict { index: 0 }),
        _ => Ok(()),
    }
}

fn delete_tenant(connection: &Connection, tenant: &TenantId) -> Result<(), StoreError> {
    for statement in [
        sql::DELETE_TENANT,
        sql::DELETE_TENANT_DOCUMENTS,
        sql::DELETE_TENANT_ARTIFACTS,
        sql::DELETE_TENANT_GRANTS,
        sql::DELETE_TENANT_EVENTS,
    ] {
        execute(connection, statement, [tenant.as_str()])?;
    }
    Ok(())
}

fn sweep(connection: &Connection, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let mut removed = 0;
    for statement in [sql::SWEEP_ARTIFACTS, sql::SWEEP_GRANTS] {
        let rest = i64::try_from(limit.saturating_sub(removed)).unwrap_or(i64::MAX);
        removed += execute(connection, statement, params![now.millis(), rest])?;
    }
    Ok(removed)
}

fn next_epoch(connection: &Connection) -> Result<i64, StoreError> {
    connection
        .prepare_cached(sql::NEXT_EPOCH)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(|error| unavailable(&error))
}

fn expect_absent(
    connection: &Connection,
    statement: &str,
    values: impl Params,
) -> Result<Outcome, StoreError> {
    exists(connection, statement, values)
        .map(|exists| if exists { Outcome::Refused } else { Outcome::Unchanged })
}

fn exists(connection: &Connection, statement: &str, values: impl Params) -> Result<bool, StoreError> {
    connection
        .prepare_cached(statement)
        .and_then(|mut statement| statement.query_row(values, |_| Ok(())).optional())
        .map(|found| found.is_some())
        .map_err(|error| unavailable(&error))
}

/// Answers how many rows changed.
pub(crate) fn execute(
    connection: &Connection,
    statement: &str,
    values: impl Params,
) -> Result<usize, StoreError> {
    connection
        .prepare_cached(statement)
        .and_then(|mut statement| statement.execute(values))
        .map_err(|error| unavailable(&error))
}

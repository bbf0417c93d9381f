//! A batch as statements. Each single-use write is one statement that fails unless its precondition holds.

use crate::pipeline::Step;
use crate::sql;
use crate::value::{Value, escape, values};
use protocol::grant_record::GrantRecord;
use protocol::id::TenantId;
use protocol::record::{
    Artifact, ArtifactKind, Document, DocumentKind, Expect, GrantSelector, HandleHash, Write,
};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use store::{Batch, StoreError, StoredEvent};

/// The statements of a batch: the tenant, the writes in their order, the events. `place` tells apart events of the same
/// moment.
pub(crate) fn commit<'a>(
    tenant: &'a TenantId,
    batch: &'a Batch,
    place: i64,
) -> Result<Vec<Step<'a>>, StoreError> {
    let tenant = tenant.as_str();
    // Each of them holds the tenant.
    let configures = batch.writes.iter().any(is_configuration);
    let guards: &[&'static str] = match (configures, batch.writes.iter().any(Write::revokes)) {
        (false, false) => &[sql::REQUIRE_TENANT],
        (true, false) => &[sql::MOVE_EPOCH],
        (false, true) => &[sql::MOVE_REVOCATIONS],
        (true, true) => &[sql::MOVE_EPOCH, sql::MOVE_REVOCATIONS],
    };
    let mut steps: Vec<_> = guards.iter().map(|guard| Step::new(guard, values![tenant])).collect();
    for (index, write) in batch.writes.iter().enumerate() {
        steps.push(Step { write: index, ..change(tenant, write)? });
    }
    if !batch.events.is_empty() {
        steps.push(events([sql::INSERT_EVENTS, sql::INSERT_EXPORTS], tenant, &batch.events, place));
    }
    Ok(steps)
}

pub(crate) fn append<'a>(tenant: &'a TenantId, new: &'a [StoredEvent], place: i64) -> Vec<Step<'a>> {
    vec![events([sql::APPEND_EVENTS, sql::APPEND_EXPORTS], tenant.as_str(), new, place)]
}

pub(crate) fn create_tenant(tenant: &Tenant) -> Vec<Step<'_>> {
    let Tenant { id, name, uid, created_at } = tenant;
    let new = values![id.as_str(), uid.as_str(), name, created_at.millis()];
    vec![Step::new(sql::NEXT_EPOCH, Vec::new()), Step::new(sql::CREATE_TENANT, new)]
}

/// The tenant goes first: that waits for the batches in it and lets no other in.
pub(crate) fn delete_tenant(tenant: &TenantId) -> Vec<Step<'_>> {
    let statements = [
        sql::DELETE_TENANT,
        sql::DELETE_TENANT_DOCUMENTS,
        sql::DELETE_TENANT_ARTIFACTS,
        sql::DELETE_TENANT_GRANTS,
        sql::DELETE_TENANT_EVENTS,
    ];
    statements.map(|statement| Step::new(statement, values![tenant.as_str()])).to_vec()
}

pub(crate) fn sweep(statement: &'static str, now: Timestamp, limit: usize) -> Vec<Step<'static>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    vec![Step::new(statement, values![now.millis(), limit])]
}

fn change<'a>(tenant: &'a str, write: &'a Write) -> Result<Step<'a>, StoreError> {
    Ok(match write {
        Write::PutArtifact { artifact, expect } => put_artifact(tenant, artifact, *expect),
        Write::DeleteArtifact { kind, hash, expect } => delete_artifact(tenant, *kind, hash, *expect),
        Write::PutGrant { grant, expect } => put_grant(tenant, grant, *expect)?,
        Write::RequireGrant { id, revision } => {
            Step::new(sql::REQUIRE_GRANT, values![tenant, id.as_str(), *revision])
        }
        Write::RevokeGrant { id, at } => {
            Step::new(sql::REVOKE_GRANT, values![at.millis(), tenant, id.as_str()])
        }
        Write::RevokeGrants { selector, at } => revoke_grants(tenant, selector, *at),
        Write::PutDocument { document, expect } => put_document(tenant, document, *expect),
        Write::DeleteDocument { kind, id, expect } => delete_document(tenant, *kind, id, *expect),
        Write::DeleteChildren { kind, parent } => {
            Step::new(sql::DELETE_CHILDREN, values![tenant, kind.name(), parent])
        }
    })
}

fn put_artifact<'a>(tenant: &'a str, artifact: &'a Artifact, expect: Expect) -> Step<'a> {
    let Artifact { kind, hash, grant, owner, expires_at, due_at, body, .. } = artifact;
    let (kind, expires_at) = (kind.name(), expires_at.millis());
    let (grant, owner) = (grant.as_ref().map(protocol::id::GrantId::as_str), owner.as_deref());
    let due_at = due_at.map(Timestamp::millis);
    let put = || values![tenant, kind, hash, grant, owner, expires_at, due_at, body];
    match expect {
        Expect::Absent => Step::new(sql::PUT_ARTIFACT_ABSENT, put()),
        Expect::Any => Step::new(sql::PUT_ARTIFACT_ANY, put()),
        Expect::Revision(revision) => {
            let values = values![grant, owner, expires_at, due_at, body, tenant, kind, hash, revision];
            Step::new(sql::PUT_ARTIFACT_REVISION, values)
        }
    }
}

fn delete_artifact<'a>(
    tenant: &'a str,
    kind: ArtifactKind,
    hash: &'a HandleHash,
    expect: Expect,
) -> Step<'a> {
    let kind = kind.name();
    match expect {
        Expect::Any => Step::new(sql::DELETE_ARTIFACT, values![tenant, kind, hash]),
        Expect::Absent => Step::new(sql::REQUIRE_NO_ARTIFACT, values![tenant, kind, hash]),
        Expect::Revision(revision) => {
            Step::new(sql::DELETE_ARTIFACT_REVISION, values![tenant, kind, hash, revision])
        }
    }
}

fn put_grant<'a>(tenant: &'a str, grant: &'a GrantRecord, expect: Expect) -> Result<Step<'a>, StoreError> {
    let GrantRecord { id, server, client, subject, session, .. } = grant;
    let (id, server, client, subject) = (id.as_str(), server.as_str(), client.as_str(), subject.as_deref());
    let session = session.as_ref().map(protocol::id::SessionId::as_str);
    let (created_at, expires_at) = (grant.created_at.millis(), grant.expires_at.millis());
    let revoked_at = grant.revoked_at.map(Timestamp::millis);
    let body = serde_json::to_string(&grant.body)
        .map_err(|error| StoreError::Impossible(format!("grant_record {tenant}/{id}: {error}")))?;
    Ok(match expect {
        Expect::Absent | Expect::Any => {
            let statement = if expect == Expect::Any { sql::PUT_GRANT_ANY } else { sql::PUT_GRANT_ABSENT };
            let values = values![
                tenant, id, server, client, subject, session, created_at, expires_at, revoked_at, body
            ];
            Step::new(statement, values)
        }
        Expect::Revision(revision) => {
            let values = values![
                server, client, subject, session, created_at, expires_at, revoked_at, body, tenant, id,
                revision
            ];
            Step::new(sql::PUT_GRANT_REVISION, values)
        }
    })
}

fn revoke_grants<'a>(tenant: &'a str, selector: &'a GrantSelector, at: Timestamp) -> Step<'a> {
    let at = at.millis();
    match selector {
        GrantSelector::Server(server) => {
            Step::new(sql::REVOKE_GRANTS_OF_SERVER, values![at, tenant, server.as_str()])
        }
        GrantSelector::Client(server, client) => {
            let values = values![at, tenant, server.as_str(), client.as_str()];
            Step::new(sql::REVOKE_GRANTS_OF_CLIENT, values)
        }
        GrantSelector::Subject(server, subject) => {
            Step::new(sql::REVOKE_GRANTS_OF_SUBJECT, values![at, tenant, server.as_str(), subject])
        }
        GrantSelector::Session(server, session) => {
            let values = values![at, tenant, server.as_str(), session.as_str()];
            Step::new(sql::REVOKE_GRANTS_OF_SESSION, values)
        }
        GrantSelector::SubjectAndClient(server, subject, client) => {
            let values = values![at, tenant, server.as_str(), subject, client.as_str()];
            Step::new(sql::REVOKE_GRANTS_OF_SUBJECT_AND_CLIENT, values)
        }
    }
}

fn put_document<'a>(tenant: &'a str, document: &'a Document, expect: Expect) -> Step<'a> {
    let Document { kind, id, parent, uid, created_at, updated_at, body, .. } = document;
    let (kind, parent) = (kind.name(), parent.as_deref());
    let (created_at, updated_at) = (created_at.millis(), updated_at.millis());
    match expect {
        Expect::Absent | Expect::Any => {
            let statement =
                if expect == Expect::Any { sql::PUT_DOCUMENT_ANY } else { sql::PUT_DOCUMENT_ABSENT };
            let values = values![tenant, kind, id, parent, uid.as_str(), created_at, updated_at, body];
            Step::new(statement, values)
        }
        Expect::Revision(revision) => {
            let values = values![parent, updated_at, body, tenant, kind, id, revision];
            Step::new(sql::PUT_DOCUMENT_REVISION, values)
        }
    }
}

fn delete_document<'a>(tenant: &'a str, kind: DocumentKind, id: &'a str, expect: Expect) -> Step<'a> {
    let kind = kind.name();
    match expect {
        Expect::Any => Step::new(sql::DELETE_DOCUMENT, values![tenant, kind, id]),
        Expect::Absent => Step::new(sql::REQUIRE_NO_DOCUMENT, values![tenant, kind, id]),
        Expect::Revision(revision) => {
            Step::new(sql::DELETE_DOCUMENT_REVISION, values![tenant, kind, id, revision])
        }
    }
}

/// Whether caches must look again after it. A deletion that finds nothing moves the epoch too, which does no harm.
fn is_configuration(write: &Write) -> bool {
    match write {
        Write::PutDocument { document, .. } => document.kind.is_configuration(),
        Write::DeleteDocument { kind, .. } | Write::DeleteChildren { kind, .. } => kind.is_configuration(),
        _ => false,
    }
}

/// Appends events by the first statement, or by the second with a note of who has yet to be told of them.
fn events<'a>(
    [plain, noted]: [&'static str; 2],
    tenant: &'a str,
    new: &'a [StoredEvent],
    place: i64,
) -> Step<'a> {
    let text = |of: fn(&'a StoredEvent) -> Option<&'a str>| {
        Value::Texts(new.iter().map(|event| of(event).map(escape)).collect())
    };
    let mut values = vec![
        Value::from(tenant),
        Value::from(place),
        Value::Numbers(new.iter().map(|event| event.at.millis()).collect()),
        text(|event| event.server.as_ref().map(protocol::id::ServerId::as_str)),
        text(|event| Some(&event.trace_id)),
        text(|event| Some(&event.body)),
    ];
    if new.iter().all(|event| event.exports == 0) {
        return Step::new(plain, values);
    }
    values.push(Value::Numbers(new.iter().map(|event| event.exports).collect()));
    Step::new(noted, values)
}

//! From rows to records. A row that cannot be is an error naming it, never a guess (house rule 12).

use protocol::grant_record::{GrantBody, GrantRecord};
use protocol::id::{ClientId, GrantId, ServerId, SessionId, TenantId, Uid};
use protocol::record::{Artifact, ArtifactKind, Document, DocumentKind, HandleHash};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};
use store::{StoreError, StoredEvent};

/// Number of columns of an artifact, which its grant follows in a joined row.
const ARTIFACT_COLUMNS: usize = 7;

type Read<T> = rusqlite::Result<T>;

pub(crate) fn artifact(row: &Row<'_>, kind: ArtifactKind) -> Read<Artifact> {
    Ok(Artifact {
        kind,
        hash: HandleHash(row.get(0)?),
        grant: row.get::<_, Option<String>>(1)?.map(GrantId::new),
        owner: row.get(2)?,
        expires_at: time(row, 3)?,
        due_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
        revision: revision(row, 5)?,
        body: row.get(6)?,
    })
}

/// An artifact and its tenant.
pub(crate) fn artifact_of_tenant(row: &Row<'_>, kind: ArtifactKind) -> Read<(TenantId, Artifact)> {
    Ok((TenantId::new(row.get::<_, String>(ARTIFACT_COLUMNS)?), artifact(row, kind)?))
}

/// An artifact joined with its grant, which may be gone.
pub(crate) fn artifact_and_grant(row: &Row<'_>, kind: ArtifactKind) -> Read<(Artifact, Option<GrantRecord>)> {
    let artifact = artifact(row, kind)?;
    let has_grant = row.get_ref(ARTIFACT_COLUMNS)? != ValueRef::Null;
    Ok((artifact, if has_grant { Some(grant(row, ARTIFACT_COLUMNS)?) } else { None }))
}

/// A grant whose columns begin at `first`.
pub(crate) fn grant(row: &Row<'_>, first: usize) -> Read<GrantRecord> {
    Ok(GrantRecord {
        id: GrantId::new(row.get::<_, String>(first)?),
        server: ServerId::new(row.get::<_, String>(first + 1)?),
        client: ClientId::new(row.get::<_, String>(first + 2)?),
        subject: row.get(first + 3)?,
        session: row.get::<_, Option<String>>(first + 4)?.map(SessionId::new),
        created_at: time(row, first + 5)?,
        expires_at: time(row, first + 6)?,
        revoked_at: row.get::<_, Option<i64>>(first + 7)?.map(Timestamp::from_millis),
        revision: revision(row, first + 8)?,
        body: grant_body(row, first + 9)?,
    })
}

pub(crate) fn document(row: &Row<'_>, kind: DocumentKind) -> Read<Document> {
    Ok(Document {
        kind,
        id: row.get(0)?,
        parent: row.get(1)?,
        uid: Uid::new(row.get::<_, String>(2)?),
        revision: revision(row, 3)?,
        created_at: time(row, 4)?,
        updated_at: time(row, 5)?,
        body: row.get(6)?,
    })
}

pub(crate) fn event(row: &Row<'_>) -> Read<StoredEvent> {
    Ok(StoredEvent {
        id: row.get(0)?,
        at: time(row, 1)?,
        server: row.get::<_, Option<String>>(2)?.map(ServerId::new),
        trace_id: row.get(3)?,
        body: row.get(4)?,
        exports: 0,
    })
}

/// An event with the tenant after it.
pub(crate) fn event_of_tenant(row: &Row<'_>) -> Read<(TenantId, StoredEvent)> {
    Ok((TenantId::new(row.get::<_, String>(5)?), event(row)?))
}

pub(crate) fn tenant(row: &Row<'_>) -> Read<Tenant> {
    Ok(Tenant {
        id: TenantId::new(row.get::<_, String>(0)?),
        uid: Uid::new(row.get::<_, String>(1)?),
        name: row.get(2)?,
        created_at: time(row, 3)?,
    })
}

/// Tells a row that cannot be from a database that does not answer.
///
/// `row` names table and row; it is asked only when needed.
pub(crate) fn fault(error: &rusqlite::Error, row: impl FnOnce() -> String) -> StoreError {
    use rusqlite::Error;
    match error {
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => StoreError::Impossible(format!("{}: {error}", row())),
        _ => unavailable(error),
    }
}

pub(crate) fn unavailable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// How a message names the row: by its first column.
pub(crate) fn name(row: &Row<'_>) -> String {
    match row.get_ref(0) {
        Ok(ValueRef::Text(id)) => String::from_utf8_lossy(id).into_owned(),
        Ok(ValueRef::Integer(id)) => id.to_string(),
        Ok(ValueRef::Blob(hash)) => {
            hash.try_into().map_or_else(|_| "?".to_owned(), |h| format!("{:?}", HandleHash(h)))
        }
        _ => "?".to_owned(),
    }
}

fn time(row: &Row<'_>, column: usize) -> Read<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

fn revision(row: &Row<'_>, column: usize) -> Read<i64> {
    match row.get(column)? {
        revision if revision >= 1 => Ok(revision),
        impossible => Err(rusqlite::Error::IntegralValueOutOfRange(column, impossible)),
    }
}

fn grant_body(row: &Row<'_>, column: usize) -> Read<GrantBody> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        // Where, not what: the parser's own message could quote a person's data.
        let place = format!("not the body of a grant from column {} on", error.column());
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, place.into())
    })
}

//! From rows to records. A row that cannot be is an error naming it, never a guess (house rule 12).

use crate::failure::Failure;
use crate::value::unescape;
use protocol::grant_record::{GrantBody, GrantRecord};
use protocol::id::{ClientId, GrantId, ServerId, SessionId, TenantId, Uid};
use protocol::record::{Artifact, ArtifactKind, Document, DocumentKind, HandleHash};
use protocol::tenant::Tenant;
use protocol::time::Timestamp;
use store::{Epoch, StoredEvent};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

/// Number of columns of an artifact, which its grant follows in a joined row.
const ARTIFACT_COLUMNS: usize = 7;

/// A record, or what is wrong with a column.
pub(crate) type Read<T> = Result<T, String>;

pub(crate) fn artifact(row: &Row, kind: ArtifactKind) -> Read<Artifact> {
    let hash: &[u8] = get(row, 0)?;
    Ok(Artifact {
        kind,
        hash: HandleHash(hash.try_into().map_err(|_| "column 0: not 32 bytes".to_owned())?),
        grant: maybe_text(row, 1)?.map(GrantId::new),
        owner: maybe_text(row, 2)?,
        expires_at: time(row, 3)?,
        due_at: get::<Option<i64>>(row, 4)?.map(Timestamp::from_millis),
        revision: revision(row, 5)?,
        body: text(row, 6)?,
    })
}

/// An artifact and its tenant.
pub(crate) fn artifact_of_tenant(row: &Row, kind: ArtifactKind) -> Read<(TenantId, Artifact)> {
    Ok((TenantId::new(text(row, ARTIFACT_COLUMNS)?), artifact(row, kind)?))
}

/// An artifact joined with its grant, which may be gone.
pub(crate) fn artifact_and_grant(row: &Row, kind: ArtifactKind) -> Read<(Artifact, Option<GrantRecord>)> {
    let artifact = artifact(row, kind)?;
    let has_grant = get::<Option<&str>>(row, ARTIFACT_COLUMNS)?.is_some();
    Ok((artifact, if has_grant { Some(grant(row, ARTIFACT_COLUMNS)?) } else { None }))
}

/// A grant whose columns begin at `first`.
pub(crate) fn grant(row: &Row, first: usize) -> Read<GrantRecord> {
    Ok(GrantRecord {
        id: GrantId::new(text(row, first)?),
        server: ServerId::new(text(row, first + 1)?),
        client: ClientId::new(text(row, first + 2)?),
        subject: maybe_text(row, first + 3)?,
        session: maybe_text(row, first + 4)?.map(SessionId::new),
        created_at: time(row, first + 5)?,
        expires_at: time(row, first + 6)?,
        revoked_at: get::<Option<i64>>(row, first + 7)?.map(Timestamp::from_millis),
        revision: revision(row, first + 8)?,
        body: grant_body(row, first + 9)?,
    })
}

pub(crate) fn document(row: &Row, kind: DocumentKind) -> Read<Document> {
    Ok(Document {
        kind,
        id: text(row, 0)?,
        parent: maybe_text(row, 1)?,
        uid: Uid::new(text(row, 2)?),
        revision: revision(row, 3)?,
        created_at: time(row, 4)?,
        updated_at: time(row, 5)?,
        body: text(row, 6)?,
    })
}

pub(crate) fn event(row: &Row) -> Read<StoredEvent> {
    Ok(StoredEvent {
        id: get(row, 0)?,
        at: time(row, 1)?,
        server: maybe_text(row, 2)?.map(ServerId::new),
        trace_id: text(row, 3)?,
        body: text(row, 4)?,
        exports: 0,
    })
}

/// An event with the tenant after it.
pub(crate) fn event_of_tenant(row: &Row) -> Read<(TenantId, StoredEvent)> {
    Ok((TenantId::new(text(row, 5)?), event(row)?))
}

pub(crate) fn tenant(row: &Row) -> Read<Tenant> {
    Ok(Tenant {
        id: TenantId::new(text(row, 0)?),
        uid: Uid::new(text(row, 1)?),
        name: text(row, 2)?,
        created_at: time(row, 3)?,
    })
}

pub(crate) fn epoch(row: &Row) -> Read<Epoch> {
    Ok(Epoch { configuration: get(row, 0)?, revocations: get(row, 1)? })
}

pub(crate) fn number(row: &Row) -> Read<i64> {
    get(row, 0)
}

/// Reads a row; `what` names its table, its tenant and whatever else is known of it.
pub(crate) fn read<T>(
    row: &Row,
    read: impl FnOnce(&Row) -> Read<T>,
    what: impl FnOnce() -> String,
) -> Result<T, Failure> {
    read(row).map_err(|fault| Failure::Impossible(format!("{}: {fault}", what())))
}

/// How a message names the row of a list: by its first column.
pub(crate) fn name(row: &Row) -> String {
    if let Ok(id) = row.try_get::<_, &str>(0) {
        return id.to_owned();
    }
    if let Ok(id) = row.try_get::<_, i64>(0) {
        return id.to_string();
    }
    let hash = row.try_get::<_, &[u8]>(0).ok().and_then(|hash| hash.try_into().ok());
    hash.map_or_else(|| "?".to_owned(), |hash| format!("{:?}", HandleHash(hash)))
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Read<T> {
    row.try_get(column).map_err(|error| format!("column {column}: {error}"))
}

fn text(row: &Row, column: usize) -> Read<String> {
    let stored: &str = get(row, column)?;
    unescape(stored).ok_or_else(|| format!("column {column}: U+0001 without its second half"))
}

fn maybe_text(row: &Row, column: usize) -> Read<Option<String>> {
    let stored: Option<&str> = get(row, column)?;
    if stored.is_some() { text(row, column).map(Some) } else { Ok(None) }
}

fn time(row: &Row, column: usize) -> Read<Timestamp> {
    get(row, column).map(Timestamp::from_millis)
}

fn revision(row: &Row, column: usize) -> Read<i64> {
    match get(row, column)? {
        revision if revision >= 1 => Ok(revision),
        impossible => Err(format!("column {column}: the revision {impossible}")),
    }
}

fn grant_body(row: &Row, column: usize) -> Read<GrantBody> {
    serde_json::from_str(&text(row, column)?).map_err(|error| {
        // Where, not what: the parser's own message could quote a person's data.
        format!("not the body of a grant from column {} on", error.column())
    })
}

//! Every statement this backend speaks, in one place.
//!
//! The words are those that PostgreSQL, YugabyteDB and CockroachDB share: no advisory locks, no notifications, no
//! procedural code, no sequences. A test prepares every statement against the real schema and looks at its plan.
//!
//! A write whose precondition does not hold divides by zero: that ends the transaction inside the server, so that a
//! whole batch with its COMMIT needs one round trip (`write.rs`).

/// Declares the statements as constants and lists them all.
macro_rules! catalogue {
    ($list:ident: $($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)*

        #[cfg(test)]
        pub(crate) const $list: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

/// The statement, which must change or find one row.
macro_rules! required {
    ($($part:expr),+) => {
        concat!("WITH done AS (", $($part),+, ") SELECT 1 / count(*) FROM done")
    };
}

macro_rules! artifact_columns {
    () => {
        "hash, grant_id, owner, expires_at, due_at, revision, body"
    };
}

macro_rules! document_columns {
    () => {
        "id, parent, uid, revision, created_at, updated_at, body"
    };
}

macro_rules! grant_columns {
    () => {
        "id, server, client, subject, session, created_at, expires_at, revoked_at, revision, body"
    };
}

macro_rules! documents_where {
    ($rest:literal) => {
        concat!("SELECT ", document_columns!(), " FROM document WHERE tenant = $1 AND kind = $2", $rest)
    };
}

macro_rules! artifacts_where {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            artifact_columns!(),
            " FROM artifact WHERE tenant = $1 AND kind = $2 AND owner = $3 AND expires_at > $4",
            $rest
        )
    };
}

macro_rules! tenants_where {
    ($rest:literal) => {
        concat!("SELECT id, uid, name, created_at FROM tenant ", $rest)
    };
}

macro_rules! grants_where {
    ($condition:literal, $limit:literal) => {
        concat!(
            "SELECT ",
            grant_columns!(),
            " FROM grant_record WHERE tenant = $1 AND server = $2",
            $condition,
            " ORDER BY created_at DESC, id DESC LIMIT ",
            $limit
        )
    };
}

macro_rules! revoke_where {
    ($condition:literal) => {
        concat!(
            "UPDATE grant_record SET revoked_at = $1, revision = revision + 1 WHERE tenant = $2",
            $condition,
            " AND revoked_at IS NULL"
        )
    };
}

macro_rules! put_document {
    ($on_conflict:literal) => {
        concat!(
            "INSERT INTO document (tenant, kind, id, parent, uid, revision, created_at, updated_at, body) ",
            "VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8) ON CONFLICT (tenant, kind, id) ",
            $on_conflict
        )
    };
}

macro_rules! put_artifact {
    ($on_conflict:literal) => {
        concat!(
            "INSERT INTO artifact (tenant, kind, hash, grant_id, owner, expires_at, due_at, revision, body) ",
            "VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8) ON CONFLICT (tenant, kind, hash) ",
            $on_conflict
        )
    };
}

macro_rules! put_grant {
    ($on_conflict:literal) => {
        concat!(
            "INSERT INTO grant_record (tenant, id, server, client, subject, session, created_at, expires_at, ",
            "revoked_at, revision, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10) ",
            "ON CONFLICT (tenant, id) ",
            $on_conflict
        )
    };
}

/// Appends any number of events. Their identifiers are the database's time in units of 1/1024 µs, moved by a number of
/// the caller's and by their place, so that no two meet; if two do, the primary key refuses and the batch is repeated.
macro_rules! insert_events {
    ($from:literal) => {
        insert_events!($from, "", "", "", "")
    };
    // With a note of who has yet to be told: a column that the schema before has not.
    ($from:literal, noted) => {
        insert_events!($from, ", exports", ", e.exports", ", CAST($7 AS BIGINT[])", ", exports")
    };
    ($from:literal, $column:literal, $value:literal, $array:literal, $name:literal) => {
        concat!(
            "INSERT INTO event (tenant, id, happened_at, server, trace_id, body",
            $column,
            ") SELECT CAST($1 AS TEXT), ",
            "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) * 1024 + CAST($2 AS BIGINT) + e.place, ",
            "e.happened_at, e.server, e.trace_id, e.body",
            $value,
            " FROM ",
            $from,
            "unnest(CAST($3 AS BIGINT[]), CAST($4 AS TEXT[]), CAST($5 AS TEXT[]), CAST($6 AS TEXT[])",
            $array,
            ") WITH ORDINALITY AS e (happened_at, server, trace_id, body",
            $name,
            ", place)"
        )
    };
}

macro_rules! trail {
    ($direction:literal) => {
        concat!(
            "SELECT id, happened_at, server, trace_id, body FROM event WHERE tenant = $1 AND server = $2 ",
            "AND (happened_at, id) > ($3, $4) AND (happened_at, id) < ($5, $6) ORDER BY happened_at",
            $direction,
            ", id",
            $direction,
            " LIMIT $7"
        )
    };
}

macro_rules! unexported {
    ($bit:literal) => {
        concat!(
            "SELECT id, happened_at, server, trace_id, body, tenant FROM event WHERE (exports & ",
            $bit,
            ") <> 0 ORDER BY id LIMIT $1"
        )
    };
}

macro_rules! sweep {
    ($table:literal, $key:literal, $same:literal) => {
        concat!(
            "WITH expired AS (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) DELETE FROM ",
            $table,
            " AS swept USING expired WHERE ",
            $same
        )
    };
}

catalogue! { READS:
    /// An artifact and its grant in one statement, hence from one snapshot.
    ARTIFACT = "SELECT a.hash, a.grant_id, a.owner, a.expires_at, a.due_at, a.revision, a.body, \
        g.id, g.server, g.client, g.subject, g.session, g.created_at, g.expires_at, g.revoked_at, g.revision, g.body \
        FROM artifact a LEFT JOIN grant_record g ON g.tenant = a.tenant AND g.id = a.grant_id \
        WHERE a.tenant = $1 AND a.kind = $2 AND a.hash = $3";
    GRANT = concat!("SELECT ", grant_columns!(), " FROM grant_record WHERE tenant = $1 AND id = $2");
    DOCUMENT = documents_where!(" AND id = $3");

    DOCUMENTS_FROM_START = documents_where!(" ORDER BY id LIMIT $3");
    DOCUMENTS_ABOVE = documents_where!(" AND id > $3 ORDER BY id LIMIT $4");
    DOCUMENTS_FROM_END = documents_where!(" ORDER BY id DESC LIMIT $3");
    DOCUMENTS_BELOW = documents_where!(" AND id < $3 ORDER BY id DESC LIMIT $4");
    CHILDREN_FROM_START = documents_where!(" AND parent = $3 ORDER BY id LIMIT $4");
    CHILDREN_ABOVE = documents_where!(" AND parent = $3 AND id > $4 ORDER BY id LIMIT $5");
    CHILDREN_FROM_END = documents_where!(" AND parent = $3 ORDER BY id DESC LIMIT $4");
    CHILDREN_BELOW = documents_where!(" AND parent = $3 AND id < $4 ORDER BY id DESC LIMIT $5");

    ARTIFACTS_FROM_START = artifacts_where!(" ORDER BY hash LIMIT $5");
    ARTIFACTS_ABOVE = artifacts_where!(" AND hash > $5 ORDER BY hash LIMIT $6");
    ARTIFACTS_FROM_END = artifacts_where!(" ORDER BY hash DESC LIMIT $5");
    ARTIFACTS_BELOW = artifacts_where!(" AND hash < $5 ORDER BY hash DESC LIMIT $6");
    /// Of all tenants; the tenant comes last, so that an artifact reads as everywhere.
    ARTIFACTS_DUE = concat!("SELECT ", artifact_columns!(),
        ", tenant FROM artifact WHERE kind = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3");

    GRANTS_OF_SERVER = grants_where!("", "$3");
    GRANTS_OF_CLIENT = grants_where!(" AND client = $3", "$4");
    GRANTS_OF_SUBJECT = grants_where!(" AND subject = $3", "$4");
    GRANTS_OF_SESSION = grants_where!(" AND session = $3", "$4");
    GRANTS_OF_SUBJECT_AND_CLIENT = grants_where!(" AND subject = $3 AND client = $4", "$5");

    EVENTS = "SELECT id, happened_at, server, trace_id, body FROM event WHERE tenant = $1 ORDER BY id DESC LIMIT $2";
    EVENTS_BEFORE = "SELECT id, happened_at, server, trace_id, body FROM event WHERE tenant = $1 AND id < $2 \
        ORDER BY id DESC LIMIT $3";

    TRAIL_UP = trail!("");
    TRAIL_DOWN = trail!(" DESC");
    UNEXPORTED_TO_FILE = unexported!("1");
    UNEXPORTED_TO_HTTP = unexported!("2");

    EPOCH = "SELECT epoch, revocations FROM tenant WHERE id = $1";
    TENANT = tenants_where!("WHERE id = $1");
    TENANTS_FROM_START = tenants_where!("ORDER BY id LIMIT $1");
    TENANTS_ABOVE = tenants_where!("WHERE id > $1 ORDER BY id LIMIT $2");
    TENANTS_FROM_END = tenants_where!("ORDER BY id DESC LIMIT $1");
    TENANTS_BELOW = tenants_where!("WHERE id < $1 ORDER BY id DESC LIMIT $2");
    CLOCK = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
    SCHEMA_VERSION = "SELECT COALESCE(MAX(version), 0) FROM migration";
}

catalogue! { WRITES:
    /// Holds the tenant until the commit, without being in the way of others that hold it too.
    REQUIRE_TENANT = required!("SELECT 1 FROM tenant WHERE id = $1 FOR KEY SHARE");
    /// The same with a new epoch, for a batch that changes configuration. First, so that such batches queue here.
    MOVE_EPOCH = "WITH next AS (UPDATE counter SET value = value + 1 WHERE name = 'epoch' RETURNING value), \
        done AS (UPDATE tenant SET epoch = next.value FROM next WHERE tenant.id = $1 RETURNING 1) \
        SELECT 1 / count(*) FROM done";
    /// For a batch that ends tokens. The number is the tenant's own: revocations of several tenants do not queue.
    MOVE_REVOCATIONS = required!("UPDATE tenant SET revocations = revocations + 1 WHERE id = $1 RETURNING 1");

    PUT_ARTIFACT_ABSENT = required!(put_artifact!("DO NOTHING"), " RETURNING 1");
    PUT_ARTIFACT_ANY = put_artifact!("DO UPDATE SET grant_id = excluded.grant_id, owner = excluded.owner, \
        expires_at = excluded.expires_at, due_at = excluded.due_at, revision = artifact.revision + 1, \
        body = excluded.body");
    PUT_ARTIFACT_REVISION = required!("UPDATE artifact SET grant_id = $1, owner = $2, expires_at = $3, \
        due_at = $4, revision = revision + 1, body = $5 WHERE tenant = $6 AND kind = $7 AND hash = $8 \
        AND revision = $9 RETURNING 1");
    DELETE_ARTIFACT = "DELETE FROM artifact WHERE tenant = $1 AND kind = $2 AND hash = $3";
    DELETE_ARTIFACT_REVISION = required!("DELETE FROM artifact WHERE tenant = $1 AND kind = $2 AND hash = $3 \
        AND revision = $4 RETURNING 1");
    REQUIRE_NO_ARTIFACT = "SELECT 1 / (1 - count(*)) FROM artifact WHERE tenant = $1 AND kind = $2 AND hash = $3";

    PUT_GRANT_ABSENT = required!(put_grant!("DO NOTHING"), " RETURNING 1");
    /// A revocation is final: replacing a grant never takes it back.
    PUT_GRANT_ANY = put_grant!("DO UPDATE SET server = excluded.server, client = excluded.client, \
        subject = excluded.subject, session = excluded.session, created_at = excluded.created_at, \
        expires_at = excluded.expires_at, revoked_at = COALESCE(grant_record.revoked_at, excluded.revoked_at), \
        revision = grant_record.revision + 1, body = excluded.body");
    PUT_GRANT_REVISION = required!("UPDATE grant_record SET server = $1, client = $2, subject = $3, session = $4, \
        created_at = $5, expires_at = $6, revoked_at = COALESCE(revoked_at, $7), revision = revision + 1, body = $8 \
        WHERE tenant = $9 AND id = $10 AND revision = $11 RETURNING 1");
    /// Holds the grant until the commit, so that a revocation comes wholly before or wholly after.
    REQUIRE_GRANT = required!("SELECT 1 FROM grant_record WHERE tenant = $1 AND id = $2 AND revision = $3 FOR SHARE");
    REVOKE_GRANT = revoke_where!(" AND id = $3");
    REVOKE_GRANTS_OF_SERVER = revoke_where!(" AND server = $3");
    REVOKE_GRANTS_OF_CLIENT = revoke_where!(" AND server = $3 AND client = $4");
    REVOKE_GRANTS_OF_SUBJECT = revoke_where!(" AND server = $3 AND subject = $4");
    REVOKE_GRANTS_OF_SESSION = revoke_where!(" AND server = $3 AND session = $4");
    REVOKE_GRANTS_OF_SUBJECT_AND_CLIENT = revoke_where!(" AND server = $3 AND subject = $4 AND client = $5");

    PUT_DOCUMENT_ABSENT = required!(put_document!("DO NOTHING"), " RETURNING 1");
    PUT_DOCUMENT_ANY = put_document!("DO UPDATE SET parent = excluded.parent, \
        revision = document.revision + 1, updated_at = excluded.updated_at, body = excluded.body");
    PUT_DOCUMENT_REVISION = required!("UPDATE document SET parent = $1, revision = revision + 1, updated_at = $2, \
        body = $3 WHERE tenant = $4 AND kind = $5 AND id = $6 AND revision = $7 RETURNING 1");
    DELETE_DOCUMENT = "DELETE FROM document WHERE tenant = $1 AND kind = $2 AND id = $3";
    DELETE_DOCUMENT_REVISION = required!("DELETE FROM document WHERE tenant = $1 AND kind = $2 AND id = $3 \
        AND revision = $4 RETURNING 1");
    REQUIRE_NO_DOCUMENT = "SELECT 1 / (1 - count(*)) FROM document WHERE tenant = $1 AND kind = $2 AND id = $3";
    DELETE_CHILDREN = "DELETE FROM document WHERE tenant = $1 AND kind = $2 AND parent = $3";

    INSERT_EVENTS = insert_events!("");
    INSERT_EXPORTS = insert_events!("", noted);
    /// Events of a tenant that is gone are dropped.
    APPEND_EVENTS = concat!("WITH present AS (SELECT 1 FROM tenant WHERE id = $1 FOR KEY SHARE) ",
        insert_events!("present, "));
    APPEND_EXPORTS = concat!("WITH present AS (SELECT 1 FROM tenant WHERE id = $1 FOR KEY SHARE) ",
        insert_events!("present, ", noted));

    EXPORTED = "UPDATE event SET exports = event.exports & ~CAST($1 AS BIGINT) \
        FROM unnest(CAST($2 AS TEXT[]), CAST($3 AS BIGINT[])) AS told (tenant, id) \
        WHERE event.tenant = told.tenant AND event.id = told.id";
    /// Takes the lease if it is over or the caller's own.
    LEASE_EXPORT = "INSERT INTO counter (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE \
        SET value = excluded.value WHERE counter.value < $3 OR counter.value = $4";

    CREATE_TENANT = required!("INSERT INTO tenant (id, uid, name, created_at, epoch, revocations) \
        SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), value, value \
        FROM counter WHERE name = 'epoch' ON CONFLICT (id) DO NOTHING RETURNING 1");
    NEXT_EPOCH = "UPDATE counter SET value = value + 1 WHERE name = 'epoch'";
    /// A successor of its name begins above all its numbers.
    DELETE_TENANT = "WITH gone AS (DELETE FROM tenant WHERE id = $1 RETURNING epoch, revocations) \
        UPDATE counter SET value = GREATEST(value, gone.epoch, gone.revocations) FROM gone WHERE name = 'epoch'";
    DELETE_TENANT_DOCUMENTS = "DELETE FROM document WHERE tenant = $1";
    DELETE_TENANT_ARTIFACTS = "DELETE FROM artifact WHERE tenant = $1";
    DELETE_TENANT_GRANTS = "DELETE FROM grant_record WHERE tenant = $1";
    DELETE_TENANT_EVENTS = "DELETE FROM event WHERE tenant = $1";

    SWEEP_ARTIFACTS = sweep!("artifact", "tenant, kind, hash", "swept.tenant = expired.tenant AND \
        swept.kind = expired.kind AND swept.hash = expired.hash");
    SWEEP_GRANTS = sweep!("grant_record", "tenant, id", "swept.tenant = expired.tenant AND swept.id = expired.id");

    SWEEP_EVENTS = "WITH expired AS (SELECT tenant, id FROM event WHERE happened_at < $1 ORDER BY happened_at LIMIT $2 \
        FOR UPDATE SKIP LOCKED) DELETE FROM event AS swept USING expired \
        WHERE swept.tenant = expired.tenant AND swept.id = expired.id";

    PING = required!("UPDATE counter SET value = value + 1 WHERE name = 'ping' RETURNING 1");
}

/// Writes only take place between these two: a session of the pool is read-only otherwise, so that no write could ever
/// stand alone. The commit itself has no time limit on the server: cut short while it waits for a standby, it would be
/// answered as done.
pub(crate) const BEGIN_WRITE: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 0";
pub(crate) const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub(crate) const COMMIT: &str = "COMMIT";

/// Asks for nothing but an answer.
pub(crate) const HELLO: &str = "SELECT 1";
/// One row about the server that a new connection reaches: what it must not be.
pub(crate) const SERVER_STATE: &str = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only'), \
    current_setting('synchronous_commit'), current_setting('fsync', true), 'B' < 'a', \
    current_setting('server_encoding'), current_setting('synchronous_standby_names', true)";

/// Whether an index of that name is there whose building was cut off.
pub(crate) const INVALID_INDEX: &str = "SELECT 1 FROM pg_index \
    JOIN pg_class ON pg_class.oid = pg_index.indexrelid JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace \
    WHERE NOT pg_index.indisvalid AND pg_namespace.nspname = current_schema() AND pg_class.relname = $1";

catalogue! { MIGRATIONS:
    APPLIED_MIGRATIONS = "SELECT version, name, checksum, min_reader_version FROM migration ORDER BY version";
    RECORD_MIGRATION = "INSERT INTO migration (version, name, checksum, min_reader_version, applied_at) \
        VALUES ($1, $2, $3, $4, CAST(extract(epoch FROM now()) * 1000 AS BIGINT))";
    STATEMENTS_DONE = "SELECT statements FROM migration_progress WHERE version = $1";
    RECORD_STATEMENT = "INSERT INTO migration_progress (version, statements) VALUES ($1, $2) \
        ON CONFLICT (version) DO UPDATE SET statements = excluded.statements";
    /// Takes the lock if it is free, ours, or left behind by somebody who is late.
    TAKE_MIGRATION_LOCK = "INSERT INTO migration_lock (id, owner, expires_at) \
        VALUES (1, $1, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + $2) ON CONFLICT (id) DO UPDATE \
        SET owner = excluded.owner, expires_at = excluded.expires_at \
        WHERE migration_lock.expires_at < CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) \
        OR migration_lock.owner = excluded.owner";
    MIGRATION_LOCK_OWNER = "SELECT owner FROM migration_lock WHERE id = 1";
    DROP_MIGRATION_LOCK = "DELETE FROM migration_lock WHERE id = 1 AND owner = $1";
}

/// Whether a schema was ever made where unqualified names are looked up.
pub(crate) const HAS_SCHEMA: &str = "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'migration'";

/// What must exist before the first migration can be recorded.
pub(crate) const MIGRATION_TABLES: &str = "
CREATE TABLE IF NOT EXISTS migration (
  version BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum BYTEA NOT NULL CHECK (length(checksum) = 32),
  min_reader_version BIGINT NOT NULL,
  applied_at BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS migration_progress (
  version BIGINT NOT NULL PRIMARY KEY,
  statements BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS migration_lock (
  id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  owner TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
";

-- What the migrations build. Compared by a test; never executed.

CREATE TABLE artifact (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  grant_id TEXT,
  owner TEXT,
  expires_at INTEGER NOT NULL,
  revision INTEGER NOT NULL CHECK (revision >= 1),
  body TEXT NOT NULL, due_at INTEGER,
  PRIMARY KEY (tenant, kind, hash)
) STRICT;

CREATE INDEX artifact_by_due ON artifact (kind, due_at) WHERE due_at IS NOT NULL;

CREATE INDEX artifact_by_expiry ON artifact (expires_at);

CREATE INDEX artifact_of_owner ON artifact (tenant, kind, owner, hash) WHERE owner IS NOT NULL;

CREATE TABLE counter (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE document (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  parent TEXT,
  uid TEXT NOT NULL,
  revision INTEGER NOT NULL CHECK (revision >= 1),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (tenant, kind, id)
) STRICT;

CREATE INDEX document_by_parent ON document (tenant, kind, parent, id) WHERE parent IS NOT NULL;

CREATE TABLE event (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  happened_at INTEGER NOT NULL,
  server TEXT,
  trace_id TEXT NOT NULL,
  body TEXT NOT NULL
, exports INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE INDEX event_by_tenant ON event (tenant, id);

CREATE INDEX event_by_time ON event (happened_at);

CREATE INDEX event_for_file ON event (id) WHERE (exports & 1) <> 0;

CREATE INDEX event_for_http ON event (id) WHERE (exports & 2) <> 0;

CREATE INDEX event_of_server ON event (tenant, server, happened_at, id);

CREATE INDEX grant_by_client ON grant_record (tenant, server, client, created_at);

CREATE INDEX grant_by_expiry ON grant_record (expires_at);

CREATE INDEX grant_by_session ON grant_record (tenant, server, session) WHERE session IS NOT NULL;

CREATE INDEX grant_by_subject ON grant_record (tenant, server, subject, created_at) WHERE subject IS NOT NULL;

CREATE TABLE grant_record (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  server TEXT NOT NULL,
  client TEXT NOT NULL,
  subject TEXT,
  session TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER,
  revision INTEGER NOT NULL CHECK (revision >= 1),
  body TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE migration (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum BLOB NOT NULL CHECK (length(checksum) = 32),
  min_reader_version INTEGER NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE migration_lock (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  owner TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tenant (
  id TEXT NOT NULL PRIMARY KEY,
  uid TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  epoch INTEGER NOT NULL
, revocations INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;

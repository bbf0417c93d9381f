-- Every table is keyed by tenant first, so that no statement can reach two tenants by forgetting one.
-- Times are milliseconds since the Unix epoch. Only what is queried is a column; the rest is JSON in `body`.
-- Text is compared by bytes because the database is made so; a server that compares otherwise is refused.
-- No sequence anywhere: what comes after the tenant in a key is random (hashes, identifiers) or, for events, the
-- database's time.

CREATE TABLE tenant (
  id TEXT NOT NULL PRIMARY KEY,
  uid TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  revocations BIGINT NOT NULL
);

-- Numbers that only grow. `epoch` is shared by all tenants, so that a tenant which is deleted and created
-- again never shows an epoch that a cache has seen before. `ping` is written to see whether writing works.
CREATE TABLE counter (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

INSERT INTO counter (name, value) VALUES ('epoch', 0), ('ping', 0);

CREATE TABLE document (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  parent TEXT,
  uid TEXT NOT NULL,
  revision BIGINT NOT NULL CHECK (revision >= 1),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (tenant, kind, id)
);

CREATE INDEX document_by_parent ON document (tenant, kind, parent, id) WHERE parent IS NOT NULL;

CREATE TABLE artifact (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  hash BYTEA NOT NULL CHECK (length(hash) = 32),
  grant_id TEXT,
  owner TEXT,
  expires_at BIGINT NOT NULL,
  due_at BIGINT,
  revision BIGINT NOT NULL CHECK (revision >= 1),
  body TEXT NOT NULL,
  PRIMARY KEY (tenant, kind, hash)
);

CREATE INDEX artifact_of_owner ON artifact (tenant, kind, owner, hash) WHERE owner IS NOT NULL;

CREATE INDEX artifact_by_due ON artifact (kind, due_at) WHERE due_at IS NOT NULL;

CREATE INDEX artifact_by_expiry ON artifact (expires_at);

CREATE TABLE grant_record (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  server TEXT NOT NULL,
  client TEXT NOT NULL,
  subject TEXT,
  session TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT,
  revision BIGINT NOT NULL CHECK (revision >= 1),
  body TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE INDEX grant_by_client ON grant_record (tenant, server, client, created_at, id);

CREATE INDEX grant_by_subject ON grant_record (tenant, server, subject, created_at, id) WHERE subject IS NOT NULL;

CREATE INDEX grant_by_session ON grant_record (tenant, server, session) WHERE session IS NOT NULL;

CREATE INDEX grant_by_expiry ON grant_record (expires_at);

CREATE TABLE event (
  tenant TEXT NOT NULL,
  id BIGINT NOT NULL,
  happened_at BIGINT NOT NULL,
  server TEXT,
  trace_id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- When a background job has to look at an artifact; no value for what waits for nobody. Lists of an owner go by key.

ALTER TABLE artifact ADD COLUMN due_at INTEGER;

UPDATE artifact SET due_at = json_extract(body, '$.due_at') WHERE kind = 'outbox';

CREATE INDEX artifact_by_due ON artifact (kind, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX artifact_of_owner ON artifact (tenant, kind, owner, hash) WHERE owner IS NOT NULL;
DROP INDEX artifact_by_owner;

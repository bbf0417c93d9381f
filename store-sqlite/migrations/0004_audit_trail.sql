-- The audit trail of a workspace is read by time, old events are removed by time, and who has yet to be told of an event
-- is noted in it: one bit and one index for each sink of the export.
ALTER TABLE event ADD COLUMN exports INTEGER NOT NULL DEFAULT 0;

CREATE INDEX event_of_server ON event (tenant, server, happened_at, id);
CREATE INDEX event_by_time ON event (happened_at);
CREATE INDEX event_for_file ON event (id) WHERE (exports & 1) <> 0;
CREATE INDEX event_for_http ON event (id) WHERE (exports & 2) <> 0;

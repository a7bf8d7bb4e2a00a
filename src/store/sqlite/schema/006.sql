-- Files below published/ whose source is no more, until they are gone. A row outlives its source, history and all.
CREATE TABLE withdrawal (
    path     TEXT PRIMARY KEY,
    path_key TEXT NOT NULL, -- the path in lower case: some file systems fold it
    problem  TEXT -- why the last try failed
) STRICT;
CREATE INDEX withdrawal_key ON withdrawal (path_key);

-- Why the last try to bring the published file in line failed.
ALTER TABLE source_state ADD COLUMN publish_error TEXT;
-- 1: what lies at the published path may be something else than what is recorded. 2: the same, when a process was killed
-- between writing the file and recording it; the next pass sees to it.
ALTER TABLE source_state ADD COLUMN publish_unsure INTEGER NOT NULL DEFAULT 0;
CREATE INDEX source_state_unsure ON source_state (source_id) WHERE publish_unsure = 2;
-- How the published file looked when it was published: length, time in nanoseconds, inode.
ALTER TABLE source_state ADD COLUMN published_size INTEGER;
ALTER TABLE source_state ADD COLUMN published_mtime INTEGER;
ALTER TABLE source_state ADD COLUMN published_inode INTEGER;

-- Why the last try to bring the published folder in line failed.
ALTER TABLE file_set ADD COLUMN publish_error TEXT;

-- When something that is done once in a while was done last.
CREATE TABLE chore (
    name TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT;

-- The versions of a source that failed: the same bytes may come again, also where the row of the version or of its blob is damaged.
CREATE INDEX version_failed ON version (source_id, digest) WHERE state = 'failed';

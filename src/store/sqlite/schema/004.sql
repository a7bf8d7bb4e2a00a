-- Who is told of changes, and up to which event they were looked for.
CREATE TABLE notifier (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    event_id INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, -- messages in a row that were not delivered
    retry_at INTEGER
) STRICT;

-- What a notifier knows of a source; one without a row is well, as far as it knows.
CREATE TABLE told (
    notifier_id INTEGER NOT NULL REFERENCES notifier (id),
    source_id   INTEGER NOT NULL REFERENCES source (id),
    failing     INTEGER NOT NULL,
    version_id  INTEGER, -- known to have failed verification
    told_at     INTEGER,
    waits       INTEGER NOT NULL, -- 1: to be looked at whatever happens
    PRIMARY KEY (notifier_id, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_waits ON told (notifier_id) WHERE waits = 1;
CREATE INDEX told_source ON told (source_id);

-- The sets that the configuration named when a worker looked last, and what of each is published. One that was taken out
-- of the configuration stays until its published folder is gone.
CREATE TABLE file_set (
    name                 TEXT PRIMARY KEY, -- the tag
    configured           INTEGER NOT NULL,
    problem              TEXT, -- why it cannot be judged at all
    published_edition_id INTEGER,
    published_at         INTEGER
) STRICT;

-- Which sources carry the tag of a configured set: they are not published by themselves.
CREATE TABLE set_member (
    set_name  TEXT NOT NULL,
    source_id INTEGER NOT NULL REFERENCES source (id),
    PRIMARY KEY (set_name, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX set_member_source ON set_member (source_id);

-- Combinations of versions that were judged together.
CREATE TABLE edition (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    set_name TEXT NOT NULL,
    at       INTEGER NOT NULL,
    state    TEXT NOT NULL,
    key      BLOB NOT NULL CHECK (length(key) = 32) -- tells one combination from another
) STRICT;
CREATE INDEX edition_set ON edition (set_name, id);

CREATE TABLE edition_member (
    edition_id INTEGER NOT NULL REFERENCES edition (id),
    source_id  INTEGER NOT NULL,
    version_id INTEGER NOT NULL,
    name       TEXT NOT NULL, -- of the source, then
    PRIMARY KEY (edition_id, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX edition_member_source ON edition_member (source_id);

CREATE TABLE edition_verdict (
    id             INTEGER PRIMARY KEY,
    edition_id     INTEGER NOT NULL REFERENCES edition (id),
    verifier_id    INTEGER NOT NULL REFERENCES text (id),
    fingerprint_id INTEGER NOT NULL REFERENCES text (id),
    actor_id       INTEGER NOT NULL REFERENCES text (id),
    outcome        TEXT NOT NULL,
    detail         TEXT NOT NULL,
    exit_code      INTEGER,
    output         TEXT NOT NULL,
    started_at     INTEGER NOT NULL,
    duration_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX edition_verdict_edition ON edition_verdict (edition_id);

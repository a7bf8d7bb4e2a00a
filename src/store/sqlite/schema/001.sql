-- The catalogue. Times are milliseconds since 1970 (UTC), slots are hours since 1970, words are those of the domain.
--
-- Columns that name a version outside `verdict` carry no REFERENCES: SQLite would search each such table, most of them
-- without an index on that column, for every version that a purge deletes. A purge deletes by source instead.

-- Texts that repeat: actors, actions, outcomes of attempts, file names, media types, verifiers and their fingerprints.
CREATE TABLE text (
    id    INTEGER PRIMARY KEY,
    value TEXT NOT NULL UNIQUE
) STRICT;

-- What operators said of a source. Ids are never used again.
CREATE TABLE source (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    name           TEXT NOT NULL,
    address        TEXT NOT NULL,
    interval_hours INTEGER NOT NULL,
    enabled        INTEGER NOT NULL,
    tags           TEXT NOT NULL, -- JSON array of strings
    headers        TEXT NOT NULL, -- JSON array of pairs
    allow_private  INTEGER NOT NULL,
    allow_http     INTEGER NOT NULL,
    allow_empty    INTEGER NOT NULL,
    publish        TEXT NOT NULL,
    max_size_bytes INTEGER,
    published_path TEXT NOT NULL,
    path_key       TEXT NOT NULL, -- published_path in lower case: some file systems fold it
    created_at     INTEGER NOT NULL,
    removed_at     INTEGER
) STRICT;
CREATE UNIQUE INDEX source_name ON source (name) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX source_address ON source (address) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX source_path ON source (path_key) WHERE removed_at IS NULL;

-- Where a source stands: one small row that every claim and attempt rewrites, apart from the settings that rarely change.
CREATE TABLE source_state (
    source_id            INTEGER PRIMARY KEY REFERENCES source (id),
    host                 TEXT NOT NULL,
    next_slot            INTEGER NOT NULL,
    active               INTEGER NOT NULL, -- 1: enabled and not removed
    lease_owner          TEXT,
    lease_until          INTEGER,
    fence                INTEGER NOT NULL DEFAULT 0,
    failures             INTEGER NOT NULL DEFAULT 0,
    requests             INTEGER NOT NULL DEFAULT 0,
    etag                 TEXT,
    last_modified        TEXT,
    last_attempt_at      INTEGER,
    last_outcome         TEXT,
    version_id           INTEGER, -- the newest
    published_version_id INTEGER,
    publish_due          INTEGER NOT NULL DEFAULT 0 -- 1: the published file is not as it should be
) STRICT;
CREATE INDEX source_state_due ON source_state (next_slot) WHERE active = 1;
CREATE INDEX source_state_lease ON source_state (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX source_state_publish ON source_state (source_id) WHERE publish_due = 1;

-- Stored bytes. `body` comes last, so that the columns before it are read without it.
CREATE TABLE blob (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    digest       BLOB NOT NULL CHECK (length(digest) = 32),
    size_bytes   INTEGER NOT NULL,
    form         TEXT NOT NULL,
    base_id      INTEGER REFERENCES blob (id),
    depth        INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    object       TEXT, -- the name in objects/, when the bytes are not in `body`
    body         BLOB,
    CHECK ((object IS NULL) <> (body IS NULL)),
    CHECK ((form = 'delta') = (base_id IS NOT NULL))
) STRICT;
-- Eight bytes find a blob as well as all 32 do, in a third of the space; the writer keeps digests unique.
CREATE INDEX blob_digest ON blob (substr(digest, 1, 8));
CREATE INDEX blob_base ON blob (base_id) WHERE base_id IS NOT NULL;

CREATE TABLE version (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id     INTEGER NOT NULL REFERENCES source (id),
    ordinal       INTEGER NOT NULL,
    blob_id       INTEGER NOT NULL REFERENCES blob (id),
    name_id       INTEGER NOT NULL REFERENCES text (id),
    media_type_id INTEGER REFERENCES text (id),
    last_modified INTEGER,
    fetched_at    INTEGER NOT NULL,
    state         TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX version_ordinal ON version (source_id, ordinal);
CREATE INDEX version_blob ON version (blob_id);
CREATE INDEX version_unjudged ON version (id) WHERE state IN ('pending', 'error');

CREATE TABLE attempt (
    id          INTEGER PRIMARY KEY,
    source_id   INTEGER NOT NULL REFERENCES source (id),
    started_at  INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    outcome_id  INTEGER NOT NULL REFERENCES text (id),
    http_status INTEGER,
    size_bytes  INTEGER,
    version_id  INTEGER,
    error_kind  TEXT,
    error       TEXT
) STRICT;
CREATE INDEX attempt_source ON attempt (source_id);

CREATE TABLE verdict (
    id             INTEGER PRIMARY KEY,
    version_id     INTEGER NOT NULL REFERENCES version (id),
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
CREATE INDEX verdict_version ON verdict (version_id);

CREATE TABLE event (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor_id   INTEGER NOT NULL REFERENCES text (id),
    action_id  INTEGER NOT NULL REFERENCES text (id),
    source_id  INTEGER REFERENCES source (id),
    version_id INTEGER,
    detail     TEXT
) STRICT;
CREATE INDEX event_source ON event (source_id) WHERE source_id IS NOT NULL;

CREATE TABLE text (
    id    INTEGER PRIMARY KEY,
    value TEXT NOT NULL UNIQUE
, checksum INTEGER) STRICT;
CREATE TABLE source (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    name           TEXT NOT NULL,
    address        TEXT NOT NULL,
    published_path TEXT NOT NULL,
    path_key       TEXT NOT NULL, -- published_path in lower case: some file systems fold it
    created_at     INTEGER NOT NULL,
    removed_at     INTEGER
, settings TEXT NOT NULL DEFAULT '{}', interval_hours ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN CAST(coalesce(settings ->> 'interval', '1d') AS INTEGER) * iif(coalesce(settings ->> 'interval', '1d') LIKE '%d', 24, 1) END), enabled ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN coalesce(settings ->> 'enabled', 1) END), tags ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN coalesce(settings ->> 'tags', '[]') END), publish ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN coalesce(settings ->> 'publish', 'passed') END), checksum INTEGER, rates ANY AS (CASE WHEN iif(json_valid(settings), json_type(settings), '') = 'object'
    THEN settings ->> 'rates' END), series_id INTEGER REFERENCES source (id), day TEXT) STRICT;
CREATE UNIQUE INDEX source_name ON source (name) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX source_address ON source (address) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX source_path ON source (path_key) WHERE removed_at IS NULL;
CREATE TABLE source_state (
    source_id            INTEGER PRIMARY KEY REFERENCES source (id),
    host                 TEXT NOT NULL,
    next_slot            INTEGER NOT NULL,
    active               INTEGER NOT NULL, -- 1: enabled and not removed
    lease_owner          TEXT,
    fence                INTEGER NOT NULL DEFAULT 0,
    failures             INTEGER NOT NULL DEFAULT 0,
    requests             INTEGER NOT NULL DEFAULT 0,
    validators                 TEXT,
    last_attempt_at      INTEGER,
    last_outcome         TEXT,
    version_id           INTEGER, -- the newest
    published_version_id INTEGER,
    publish_due          INTEGER NOT NULL DEFAULT 0 -- 1: the published file is not as it should be
, publish_error TEXT, publish_unsure INTEGER NOT NULL DEFAULT 0, published_size INTEGER, published_mtime INTEGER, published_inode INTEGER, whole_at INTEGER, checked_at INTEGER, withdrawn_at INTEGER, withdrawn_because TEXT, recorded_claim INTEGER) STRICT;
CREATE INDEX source_state_due ON source_state (next_slot) WHERE active = 1;
CREATE INDEX source_state_lease ON source_state (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX source_state_publish ON source_state (source_id) WHERE publish_due = 1;
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
, policy_revision INTEGER, digest BLOB CHECK (length(digest) = 32), checksum INTEGER, last_modified_text TEXT) STRICT;
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
, provenance_id INTEGER) STRICT;
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
, given_on INTEGER, checksum INTEGER) STRICT;
CREATE INDEX verdict_version ON verdict (version_id);
CREATE TABLE event (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor_id   INTEGER NOT NULL REFERENCES text (id),
    action_id  INTEGER NOT NULL REFERENCES text (id),
    source_id  INTEGER REFERENCES source (id),
    version_id INTEGER,
    detail     TEXT
, policy_revision INTEGER, by_hand INTEGER, about_id INTEGER) STRICT;
CREATE INDEX event_source ON event (source_id) WHERE source_id IS NOT NULL;
CREATE TABLE definition (
    fingerprint_id INTEGER PRIMARY KEY REFERENCES text (id),
    value          TEXT NOT NULL
, checksum INTEGER) STRICT;
CREATE INDEX verdict_promise ON verdict (version_id) WHERE outcome = 'pending';
CREATE TABLE file_set (
    name                 TEXT PRIMARY KEY, -- the tag
    configured           INTEGER NOT NULL,
    problem              TEXT, -- why it cannot be judged at all
    published_edition_id INTEGER,
    published_at         INTEGER
, publish_error TEXT, withdrawn_at INTEGER, withdrawn_because TEXT, withdrawn_edition_id INTEGER, past_edition_id INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE set_member (
    set_name  TEXT NOT NULL,
    source_id INTEGER NOT NULL REFERENCES source (id), kept_version_id INTEGER,
    PRIMARY KEY (set_name, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX set_member_source ON set_member (source_id);
CREATE TABLE edition (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    set_name TEXT NOT NULL,
    at       INTEGER NOT NULL,
    state    TEXT NOT NULL,
    key      BLOB NOT NULL CHECK (length(key) = 32) -- tells one combination from another
, policy_revision INTEGER, checksum INTEGER) STRICT;
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
, given_on INTEGER, checksum INTEGER) STRICT;
CREATE INDEX edition_verdict_edition ON edition_verdict (edition_id);
CREATE TABLE notifier (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    event_id INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, -- messages in a row that were not delivered
    retry_at INTEGER
, announced_id INTEGER) STRICT;
CREATE TABLE told (
    notifier_id INTEGER NOT NULL REFERENCES notifier (id),
    source_id   INTEGER NOT NULL REFERENCES source (id),
    failing     INTEGER NOT NULL,
    version_id  INTEGER, -- known to have failed verification
    told_at     INTEGER,
    waits       INTEGER NOT NULL, worse_at INTEGER, -- 1: to be looked at whatever happens
    PRIMARY KEY (notifier_id, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_waits ON told (notifier_id) WHERE waits = 1;
CREATE INDEX told_source ON told (source_id);
CREATE TABLE policy (
    revision   INTEGER PRIMARY KEY AUTOINCREMENT,
    adopted_at INTEGER NOT NULL,
    actor_id   INTEGER NOT NULL REFERENCES text (id),
    file       TEXT, -- the absolute path of the configuration file that it came from
    verifiers  TEXT NOT NULL -- JSON array, in the order of the configuration
, checksum INTEGER) STRICT;
CREATE TABLE withdrawal (
    path     TEXT PRIMARY KEY,
    path_key TEXT NOT NULL, -- the path in lower case: some file systems fold it
    problem  TEXT -- why the last try failed
, was_published INTEGER NOT NULL DEFAULT 1, left_size INTEGER, left_mtime INTEGER, left_inode INTEGER) STRICT;
CREATE INDEX withdrawal_key ON withdrawal (path_key);
CREATE INDEX source_state_unsure ON source_state (source_id) WHERE publish_unsure = 2;
CREATE TABLE chore (
    name TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT;
CREATE TABLE judging_death (
    version_id INTEGER PRIMARY KEY REFERENCES version (id) ON DELETE CASCADE,
    deaths     INTEGER NOT NULL
) STRICT;
CREATE TABLE archive_mark (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         TEXT NOT NULL,
    generation INTEGER NOT NULL,
    swept_at   INTEGER
) STRICT;
CREATE TABLE kept_object (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE INDEX source_removed_name ON source (name) WHERE removed_at IS NOT NULL;
CREATE INDEX source_removed_address ON source (address) WHERE removed_at IS NOT NULL;
CREATE TABLE told_set (
    notifier_id INTEGER NOT NULL REFERENCES notifier (id),
    set_name    TEXT NOT NULL,
    edition_id  INTEGER,
    told_at     INTEGER, worse_at INTEGER,
    PRIMARY KEY (notifier_id, set_name)
) STRICT, WITHOUT ROWID;
CREATE TABLE told_event (
    notifier_id   INTEGER NOT NULL REFERENCES notifier (id),
    kind          TEXT NOT NULL,
    subject       TEXT NOT NULL, -- the id of a source, or `set NAME`
    told_at       INTEGER NOT NULL,
    held_event_id INTEGER,
    PRIMARY KEY (notifier_id, kind, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE removed_file (
    source_id  INTEGER PRIMARY KEY REFERENCES source (id),
    version_id INTEGER NOT NULL
) STRICT;
CREATE INDEX version_failed ON version (source_id, digest) WHERE state = 'failed';
CREATE TABLE refusal (
    verdict_id  INTEGER PRIMARY KEY,
    version_id  INTEGER NOT NULL,
    source_id   INTEGER NOT NULL,
    digest      BLOB NOT NULL,
    verifier_id INTEGER NOT NULL
) STRICT;
CREATE INDEX refusal_digest ON refusal (source_id, digest);
CREATE INDEX refusal_version ON refusal (version_id);
CREATE TABLE edition_refusal (
    verdict_id  INTEGER PRIMARY KEY,
    edition_id  INTEGER NOT NULL,
    set_name    TEXT NOT NULL,
    contents    TEXT NOT NULL, -- the digests of the members' versions, in their order
    verifier_id INTEGER NOT NULL
) STRICT;
CREATE INDEX edition_refusal_set ON edition_refusal (set_name);
CREATE INDEX edition_refusal_edition ON edition_refusal (edition_id);
CREATE TABLE left_file (
    path        TEXT PRIMARY KEY,
    size_bytes  INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    inode       INTEGER NOT NULL
) STRICT;
CREATE INDEX source_removed_path ON source (path_key) WHERE removed_at IS NOT NULL;
CREATE INDEX file_set_published ON file_set (published_edition_id) WHERE published_edition_id IS NOT NULL;
CREATE TABLE provenance (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- that of a row which was lost never stands for another way
    source_id INTEGER REFERENCES source (id),    -- NULL: of every source whose own address was asked, and led nowhere else; else purged with the source
    checksum  INTEGER NOT NULL,
    requests  TEXT NOT NULL                      -- JSON: who answered; of a source, all its requests
) STRICT;
CREATE INDEX provenance_source ON provenance (source_id, checksum);
CREATE TABLE former_address (
    source_id  INTEGER NOT NULL REFERENCES source (id),
    attempt_id INTEGER NOT NULL,
    address    TEXT NOT NULL,
    checksum   INTEGER NOT NULL,
    PRIMARY KEY (source_id, attempt_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE worker (
    id         TEXT PRIMARY KEY, -- random
    host       TEXT NOT NULL, -- the name of its machine
    boot       TEXT NOT NULL, -- which start of that machine's system; '' where it does not say
    folder     TEXT NOT NULL, -- of its process, in tmp/ there
    pid        INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT;
CREATE TABLE pending_object (
    name   TEXT PRIMARY KEY, -- in objects/
    worker TEXT, -- the worker that makes it; NULL: nothing needs it
    at     INTEGER NOT NULL -- since when
) STRICT;
CREATE TABLE person (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    name                TEXT NOT NULL UNIQUE,
    role                TEXT NOT NULL,
    password_hash       TEXT NOT NULL, -- argon2id, in the PHC string format
    disabled            INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    password_changed_at INTEGER NOT NULL,
    checksum            INTEGER NOT NULL
) STRICT;
CREATE TABLE session (
    digest     BLOB PRIMARY KEY,
    person_id  INTEGER NOT NULL REFERENCES person (id),
    created_at INTEGER NOT NULL,
    checksum   INTEGER NOT NULL,
    used_at    INTEGER NOT NULL -- to the minute
) STRICT, WITHOUT ROWID;
CREATE INDEX session_person ON session (person_id);
CREATE TABLE token (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    digest       BLOB NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    verifier     TEXT, -- in whose name it gives verdicts
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    checksum     INTEGER NOT NULL,
    last_used_at INTEGER -- to the hour
) STRICT;
CREATE TABLE verifier_link (
    digest      BLOB PRIMARY KEY,
    opens       TEXT NOT NULL,
    version_id  INTEGER NOT NULL, -- may be purged since; no other version gets its id
    verifier    TEXT NOT NULL,
    fingerprint TEXT NOT NULL,    -- of the verifier that was asked
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    checksum    INTEGER NOT NULL,
    used_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX verifier_link_expiry ON verifier_link (expires_at);
CREATE TABLE service (
    address TEXT PRIMARY KEY, -- where it listens
    url     TEXT,             -- at which verifiers reach it; NULL: unknown
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE queue (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    waiting       INTEGER NOT NULL DEFAULT 0, -- messages
    waiting_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE queued_message (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    queue_id    INTEGER NOT NULL REFERENCES queue (id),
    first_uuid  BLOB NOT NULL,    -- of its first message; those of the others follow by 1
    count       INTEGER NOT NULL, -- messages
    received_at INTEGER NOT NULL,
    sender_id   INTEGER NOT NULL REFERENCES text (id),
    bodies      TEXT NOT NULL,    -- a JSON value; of several, each on a line
    checksum    INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX queued_message_queue ON queued_message (queue_id, id);
CREATE UNIQUE INDEX queued_message_uuid ON queued_message (first_uuid);
CREATE TABLE message (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid         BLOB NOT NULL,
    queue_id     INTEGER NOT NULL REFERENCES queue (id),
    received_at  INTEGER NOT NULL,
    persisted_at INTEGER NOT NULL,
    sender_id    INTEGER NOT NULL REFERENCES text (id),
    body         TEXT NOT NULL,
    checksum     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX message_uuid ON message (uuid);
CREATE INDEX message_queue ON message (queue_id, id);
CREATE TABLE dead_message (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid        BLOB NOT NULL UNIQUE,
    queue_id    INTEGER NOT NULL REFERENCES queue (id),
    received_at INTEGER NOT NULL,
    sender_id   INTEGER NOT NULL REFERENCES text (id),
    died_at     INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    body        TEXT NOT NULL
) STRICT;
CREATE TABLE message_key (
    key_digest     BLOB PRIMARY KEY, -- of sender, queue and key
    content_digest BLOB NOT NULL,    -- of the bodies
    first_uuid     BLOB NOT NULL,
    count          INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX message_key_expiry ON message_key (expires_at);
CREATE TABLE queue_rate (
    queue_id  INTEGER NOT NULL REFERENCES queue (id),
    at        INTEGER NOT NULL, -- their begin
    queued    INTEGER NOT NULL DEFAULT 0,
    persisted INTEGER NOT NULL DEFAULT 0,
    lag_ms    INTEGER NOT NULL DEFAULT 0, -- the longest between the two of a message
    PRIMARY KEY (queue_id, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE message_state (
    message_id INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    state      TEXT NOT NULL,
    checksum   INTEGER NOT NULL,
    judge_at   INTEGER, -- from when on it may be judged; while somebody does so, from when on another may; NULL: it is judged
    tries      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX message_state_state ON message_state (state, message_id);
CREATE INDEX message_state_due ON message_state (judge_at) WHERE judge_at IS NOT NULL;
CREATE TABLE message_verdict (
    id             INTEGER PRIMARY KEY,
    message_id     INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    verifier_id    INTEGER NOT NULL REFERENCES text (id),
    fingerprint_id INTEGER NOT NULL REFERENCES text (id),
    actor_id       INTEGER NOT NULL REFERENCES text (id),
    outcome        TEXT NOT NULL,
    detail         TEXT NOT NULL,
    exit_code      INTEGER,
    output         TEXT NOT NULL,
    started_at     INTEGER NOT NULL,
    duration_ms    INTEGER NOT NULL,
    given_on       INTEGER, -- never set: as in the other tables of verdicts
    checksum       INTEGER NOT NULL
) STRICT;
CREATE INDEX message_verdict_message ON message_verdict (message_id);
CREATE TABLE rate_day (
    id           INTEGER PRIMARY KEY,
    source_id    INTEGER NOT NULL REFERENCES source (id),
    day          TEXT NOT NULL, -- 2026-11-27
    base         TEXT NOT NULL,
    rates        TEXT NOT NULL, -- a JSON object, sorted by currency
    version_id   INTEGER NOT NULL REFERENCES version (id),
    known_at     INTEGER NOT NULL, -- when the version was published
    withdrawn_at INTEGER, -- when the version was withdrawn
    checksum     INTEGER NOT NULL
) STRICT;
CREATE INDEX rate_day_source ON rate_day (source_id, day, known_at, withdrawn_at);
CREATE INDEX rate_day_version ON rate_day (version_id);
CREATE UNIQUE INDEX source_day ON source (series_id, day) WHERE series_id IS NOT NULL;
CREATE INDEX source_state_series ON source_state (next_slot) WHERE active = 2;
CREATE TABLE queue_server (
    address TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE INDEX source_rates ON source (rates) WHERE rates IS NOT NULL AND day IS NULL;

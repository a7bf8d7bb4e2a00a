-- Messages: JSON that was pushed, in queues, until it is persisted. The counts of a queue are those of its rows in `queued_message`.
CREATE TABLE queue (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    waiting       INTEGER NOT NULL DEFAULT 0, -- messages
    waiting_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
-- The queue itself: units of messages that came in one request, in the order in which they came. The checksum is of the columns before it, as
-- `interned.rs` computes it.
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
-- Messages that are persisted, in the order in which that was done: within a queue the order in which they came.
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
-- Messages that could not be persisted, until somebody retries or deletes them.
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
-- The units that were sent under an `Idempotency-Key`, for a day.
CREATE TABLE message_key (
    key_digest     BLOB PRIMARY KEY, -- of sender, queue and key
    content_digest BLOB NOT NULL,    -- of the bodies
    first_uuid     BLOB NOT NULL,
    count          INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX message_key_expiry ON message_key (expires_at);
-- What went through a queue in each ten seconds of the last day.
CREATE TABLE queue_rate (
    queue_id  INTEGER NOT NULL REFERENCES queue (id),
    at        INTEGER NOT NULL, -- their begin
    queued    INTEGER NOT NULL DEFAULT 0,
    persisted INTEGER NOT NULL DEFAULT 0,
    lag_ms    INTEGER NOT NULL DEFAULT 0, -- the longest between the two of a message
    PRIMARY KEY (queue_id, at)
) STRICT, WITHOUT ROWID;

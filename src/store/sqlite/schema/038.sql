-- What verifiers say of messages. Only messages of queues that some verifier judges have a state; the checksum is of the columns before it, as
-- `interned.rs` computes it.
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

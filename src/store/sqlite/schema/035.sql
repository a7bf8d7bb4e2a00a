-- People who sign in to the service. Nobody is deleted: events name them. Each checksum is of the columns before it, as `interned.rs` computes it.
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
-- Their sessions: found by the SHA-256 of a secret that only the browser has.
CREATE TABLE session (
    digest     BLOB PRIMARY KEY,
    person_id  INTEGER NOT NULL REFERENCES person (id),
    created_at INTEGER NOT NULL,
    checksum   INTEGER NOT NULL,
    used_at    INTEGER NOT NULL -- to the minute
) STRICT, WITHOUT ROWID;
CREATE INDEX session_person ON session (person_id);
-- Tokens of programs: found by the SHA-256 of a secret that only the program has. A revoked one stays, and its name is free.
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

-- Links that verifiers were sent: to the content of a version, and to the place for its verdict. Each is found by the SHA-256 of a secret that only the
-- verifier has, opens one thing once, and stays for a week after its end, to say so. The checksum is of the columns before it, as `interned.rs` computes it.
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
-- The services on this catalogue, which honour the links: each until it ends, or was not seen for minutes.
CREATE TABLE service (
    address TEXT PRIMARY KEY, -- where it listens
    url     TEXT,             -- at which verifiers reach it; NULL: unknown
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

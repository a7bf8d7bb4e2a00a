-- Workers that may hold claims. A claim holds for as long as the row of its holder says that it lives: no claim has a time of its own.
CREATE TABLE worker (
    id         TEXT PRIMARY KEY, -- random
    host       TEXT NOT NULL, -- the name of its machine
    boot       TEXT NOT NULL, -- which start of that machine's system; '' where it does not say
    folder     TEXT NOT NULL, -- of its process, in tmp/ there
    pid        INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT;

-- Claims that an earlier gannet made hold until they would have.
INSERT OR IGNORE INTO worker (id, host, boot, folder, pid, started_at, seen_at)
SELECT lease_owner, '', '', lease_owner, 0, max(lease_until) - 300000, max(lease_until) - 300000
FROM source_state WHERE typeof(lease_owner) = 'text' AND typeof(lease_until) = 'integer' GROUP BY lease_owner;
ALTER TABLE source_state DROP COLUMN lease_until;

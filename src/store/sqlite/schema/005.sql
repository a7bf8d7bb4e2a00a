-- The verifiers and sets in force, each revision as it was adopted; the newest counts.
CREATE TABLE policy (
    revision   INTEGER PRIMARY KEY AUTOINCREMENT,
    adopted_at INTEGER NOT NULL,
    actor_id   INTEGER NOT NULL REFERENCES text (id),
    file       TEXT, -- the absolute path of the configuration file that it came from
    verifiers  TEXT NOT NULL -- JSON array, in the order of the configuration
) STRICT;

-- Under which revision a state was derived; NULL before any was adopted.
ALTER TABLE version ADD COLUMN policy_revision INTEGER;
ALTER TABLE edition ADD COLUMN policy_revision INTEGER;
-- Under which revision a verdict counted, or a state changed.
ALTER TABLE event ADD COLUMN policy_revision INTEGER;

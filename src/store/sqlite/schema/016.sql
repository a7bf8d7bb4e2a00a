-- When what consumers saw was withdrawn, and why; NULL while something is published, and before anything was.
ALTER TABLE source_state ADD COLUMN withdrawn_at INTEGER;
ALTER TABLE source_state ADD COLUMN withdrawn_because TEXT;
ALTER TABLE file_set ADD COLUMN withdrawn_at INTEGER;
ALTER TABLE file_set ADD COLUMN withdrawn_because TEXT;
ALTER TABLE file_set ADD COLUMN withdrawn_edition_id INTEGER;

-- What is gone from its own path by now, and is not published with a set instead.
UPDATE source_state SET withdrawn_because = 'no version of it was good any more', withdrawn_at =
    (SELECT e.at FROM event e WHERE e.id =
        (SELECT max(l.id) FROM event l CROSS JOIN text w ON w.id = l.action_id
         WHERE l.source_id = source_state.source_id AND w.value = 'file.withdrawn'))
WHERE published_version_id IS NULL AND version_id IS NOT NULL
    AND source_id IN (SELECT id FROM source WHERE removed_at IS NULL) AND source_id NOT IN (SELECT source_id FROM set_member);
UPDATE source_state SET withdrawn_because = NULL WHERE withdrawn_at IS NULL AND withdrawn_because IS NOT NULL;

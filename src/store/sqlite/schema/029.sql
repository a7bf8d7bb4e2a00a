-- Of a removed source, `published_version_id` is the version that lies at its path until that file is gone.
CREATE INDEX source_removed_path ON source (path_key) WHERE removed_at IS NOT NULL;
UPDATE OR IGNORE source_state SET published_size = NULL, published_version_id =
    (SELECT f.version_id FROM removed_file f WHERE f.source_id = source_state.source_id)
WHERE source_id IN (SELECT (SELECT s.id FROM source s WHERE s.path_key = w.path_key AND s.published_path = w.path AND s.removed_at IS NOT NULL
        ORDER BY s.removed_at DESC, s.id DESC LIMIT 1) FROM withdrawal w)
    AND EXISTS (SELECT 1 FROM removed_file f WHERE f.source_id = source_state.source_id);
-- The sets that readers see: a source that was removed, or left its set, is looked for in them.
CREATE INDEX file_set_published ON file_set (published_edition_id) WHERE published_edition_id IS NOT NULL;

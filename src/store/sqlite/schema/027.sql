-- What shows that the row of a source or of a policy was damaged: a checksum of all in it that decides, as `interned.rs` computes it. A row that is
-- damaged already stays without one: it fits no checksum.
ALTER TABLE source ADD COLUMN checksum INTEGER;
UPDATE OR IGNORE source SET checksum = row_checksum(id, name, address, settings, published_path, path_key, created_at, removed_at)
WHERE (typeof(name), typeof(address), typeof(settings), typeof(published_path), typeof(path_key), typeof(created_at))
        = ('text', 'text', 'text', 'text', 'text', 'integer')
    AND typeof(removed_at) IN ('integer', 'null') AND iif(json_valid(settings), json_type(settings), '') = 'object';
ALTER TABLE policy ADD COLUMN checksum INTEGER;
UPDATE OR IGNORE policy SET checksum = row_checksum(revision, adopted_at, actor_id, file, verifiers)
WHERE (typeof(adopted_at), typeof(verifiers)) = ('integer', 'text') AND typeof(file) IN ('text', 'null')
    AND typeof(actor_id) IN ('integer', 'null');
